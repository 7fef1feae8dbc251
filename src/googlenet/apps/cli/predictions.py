"""``googlenet predict`` and ``export``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from glob import iglob
from io import DEFAULT_BUFFER_SIZE, BufferedReader
from itertools import islice, repeat
from pathlib import Path
from typing import Annotated

import typer

from ...errors import InputError
from .options import MaxPixelsOption
from .usage import check_local, explained

commands = typer.Typer()


class Format(StrEnum):
    """How predictions are written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"


@commands.command()
def predict(
    run: Annotated[
        str,
        typer.Argument(help="A run folder, a weights file, a name from googlenet weights list, or an exported model."),
    ],
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs; - reads a list from standard input.")],
    top: Annotated[int, typer.Option(min=1, help="How many labels for each.")] = 5,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    output: Annotated[
        Path | None, typer.Option(help="File to write, in UTF-8; it is there when all is done.", show_default=False)
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="openvino, onnx or torch (by default the one that is done first of those installed)."),
    ] = None,
    max_pixels: MaxPixelsOption = None,
) -> None:
    """Label pictures, or the rows of tables of signals, or the volumes of NPZ files.

    A file that cannot be read gets its reason, the rest get their labels, and the exit status is 1.

    Example: googlenet predict runs/demo holiday/ --format jsonl --output labels.jsonl
    """
    from ...data.find import expand
    from ...inference.engines.backend import exported_for
    from ...inference.load import MANY, load
    from .output.files import opened
    from .output.screen import errors
    from .output.writers import WRITERS
    from .progress import above, watch_predictions

    check_local([run])
    if exported_for(run) in (None, "torch"):  # other exported models need no PyTorch
        from ...nn.device import keep_memory

        keep_memory()
    if output is not None and any(_is_same(output, word) for word in (run, *inputs)):
        raise InputError(f"--output {output} would replace what is read. Name another file.")
    with explained("predict", [run, *inputs]), opened(output) as out:
        count = sum(islice(_entries(inputs), MANY))
        predictor = load(run, engine=engine, examples=count, max_pixels=max_pixels)
        print(f"engine: {predictor.engine.name}", file=sys.stderr)
        paths: Iterable[str] = _named(expand(inputs, sys.stdin or (), predictor.preprocessing.extensions))
        if errors.moves and "-" not in inputs:
            paths = list(paths)
        top = min(top, len(predictor.classes))
        failed = WRITERS[form.value](watch_predictions(predictor, paths, top), above(out), top)
    if failed:
        raise typer.Exit(1)


def _is_same(output: Path, word: str) -> bool:
    """Whether a file to write is one that is read: itself, or in the folder of the run."""
    path = Path(word)
    if not output.is_file() or not path.exists():
        return False
    return output.samefile(path) or ((path / "run.json").exists() and output.parent.samefile(path))


def _entries(inputs: Sequence[str]) -> Iterator[int]:
    """A 1 for each file that is named, or lies in a folder or fits a pattern that is: enough to tell few from many.

    Of a list on standard input what has come so far is looked at, and nobody waits for the rest: a full buffer is many.
    """
    for text in inputs:
        if text == "-":
            held = getattr(sys.stdin, "buffer", None)
            waiting = held.peek() if isinstance(held, BufferedReader) else b""
            yield from repeat(1) if len(waiting) >= DEFAULT_BUFFER_SIZE else (1 for _ in waiting.splitlines())
        elif Path(text).is_dir():
            yield from (1 for _ in Path(text).rglob("*"))
        else:
            yield from (1 for _ in iglob(text, recursive=True))  # noqa: PTH207


def _named(paths: Iterator[str]) -> Iterator[str]:
    """The paths. Raises InputError where there is none."""
    first = next(paths, None)
    if first is None:
        raise InputError("There is nothing to label: standard input names no file.")
    yield first
    yield from paths


@commands.command()
def export(
    runs: Annotated[list[str], typer.Argument(help="A run or its weights; several are averaged in one model.")],
    form: Annotated[str, typer.Option("--format", help="onnx, openvino or torch.")] = "onnx",
    out: Annotated[Path | None, typer.Option(help="File or folder (by default beside the weights).")] = None,
    int8: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="Compute in 8 bits, calibrated on these pictures or signals."),
    ] = None,
) -> None:
    """Write a run for other programs: 8-bit pixels or prepared signals in, probabilities out.

    What is written is first compared with PyTorch. googlenet predict reads it without PyTorch.

    Example: googlenet export runs/demo --format openvino
    """
    from ..jobs import export_job
    from .display import show_bad_files

    path, found, bad = export_job(runs, form, out, int8)
    show_bad_files(bad)
    print(
        f"{path}: the same most probable class as PyTorch on {found.agreement:.1%} of {found.count} inputs, "
        f"probabilities within {found.largest:.2g}"
    )
