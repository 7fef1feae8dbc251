"""``googlenet predict`` and ``export``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from glob import iglob
from io import DEFAULT_BUFFER_SIZE, BufferedReader
from itertools import islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from ....errors import InputError
from ..options import RECORDINGS, MaxPixelsOption, MissingOption, words
from ..parts import (
    OnOption,
    PartOption,
    Parts,
    PartsOption,
    PartsOutOption,
    WorkersOption,
    label_parts,
    say_passed_over,
)
from ..usage import check_local, explained

if TYPE_CHECKING:
    from ....inference.prediction import Prediction, Wanted
    from ....inference.predictor import Predictor

commands = typer.Typer()


class Format(StrEnum):
    """How predictions are written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


RunArgument = Annotated[
    str,
    typer.Argument(help="A run folder, a weights file, a name from googlenet weights list, or an exported model."),
]
InputsArgument = Annotated[list[str], typer.Argument(help="Files, folders, globs; - reads a list from standard input.")]
TopOption = Annotated[int, typer.Option(min=1, help="How many labels for each.")]
FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="How to print (by default a table; of recordings csv; of parts jsonl). In csv what a spreadsheet would "
        "compute has an apostrophe in front, and what steers a terminal is a code; jsonl has all as it is.",
        show_default=False,
    ),
]
OutputOption = Annotated[
    Path | None, typer.Option(help="File to write, in UTF-8; it is there when all is done.", show_default=False)
]
EngineOption = Annotated[
    str | None, typer.Option(help="openvino, onnx or torch (by default the one that is done first of those installed).")
]
RejectOption = Annotated[
    float | None,
    typer.Option(min=0, max=1, metavar="P", help="Give no label that is less probable.", show_default=False),
]
CoverageOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        metavar="SHARE",
        help="Also give the labels that hold the right one this often at least, such as 0.95, over data like what was "
        "held out at training.",
    ),
]
MergeOption = Annotated[
    bool, typer.Option("--merge", help="One row for stretches of equal labels.", rich_help_panel=RECORDINGS)
]
ChartOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE.html", help="Also draw strips with the labels below.", rich_help_panel=RECORDINGS),
]


@commands.command()
def predict(
    run: RunArgument,
    inputs: InputsArgument,
    top: TopOption = 5,
    reject_below: RejectOption = None,
    coverage: CoverageOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    engine: EngineOption = None,
    max_pixels: MaxPixelsOption = None,
    missing: MissingOption = None,
    merge: MergeOption = False,
    chart: ChartOption = None,
    out: PartsOutOption = None,
    parts: PartsOption = None,
    part: PartOption = None,
    on: OnOption = None,
    workers: WorkersOption = None,
) -> None:
    """Label pictures, the rows of tables of signals, the stretches of recordings, or the volumes of NPZ files.

    A file that cannot be read gets its reason, the rest get their labels, and the exit status is 1. A run that learned
    from windows of recordings reads samples from standard input (-), a row of text for each moment.

    Example: googlenet predict runs/demo holiday/ --format jsonl --output labels.jsonl
    """
    from ....data.walk import is_read

    asked = Parts(out, parts, part, on, workers)
    others: dict[str, object] = {"--output": output, "--merge": merge, "--chart": chart}
    others |= {"--reject-below": reject_below, "--coverage": coverage}
    if asked.wanted(form.value if form else None, others):
        from ...batch.label import Network

        network = Network(run, engine, max_pixels, tuple(words(missing)))
        with explained("predict", [run, *inputs]):
            raise typer.Exit(label_parts(asked, network, inputs, form.value if form else None, top))
    for option, place in (("--output", output), ("--chart", chart)):
        if place is not None and any(is_read(place, word) for word in (run, *inputs)):
            raise InputError(f"{option} {place} would replace what is read. Name another file.")
    from ..output.files import opened
    from ..progress import above

    with explained("predict", [run, *inputs]), opened(output) as written:
        predictor = _loaded(run, engine, inputs, max_pixels, words(missing))
        how = _How(form, top, reject_below, coverage, merge, chart)
        failed = _labelled(predictor, run, inputs, above(written), how)
    if failed:
        raise typer.Exit(1)


def _loaded(
    run: str, engine: str | None, inputs: Sequence[str], max_pixels: int | None, missing: Sequence[str]
) -> Predictor:
    """What labels, made for about as many examples as there are; says which engine computes."""
    from ....inference.engines.backend import exported_for
    from ....inference.load import MANY, load
    from ..output.screen import beside

    check_local([run])
    if exported_for(run) in (None, "torch"):  # other exported models need no PyTorch
        from ....nn.device import keep_memory

        keep_memory()
    count = sum(islice(_entries(inputs), MANY))
    predictor = load(run, engine=engine, examples=count, max_pixels=max_pixels, missing=missing)
    beside(f"engine: {predictor.engine.name}")
    return predictor


@dataclass(frozen=True)
class _How:
    """How predictions are given, as typed."""

    form: Format | None
    top: int
    reject_below: float | None
    coverage: float | None
    merge: bool
    chart: Path | None


def _labelled(predictor: Predictor, run: str, inputs: Sequence[str], out: TextIO, how: _How) -> int:
    """Labels recordings in stretches, all else one by one; gives how many could not be read."""
    from ....inference.spans import windows_of
    from ..output.spans import label_recordings

    say_passed_over(inputs)
    if windows_of(predictor) is not None:
        wanted = predictor.wanted(how.top, how.reject_below, how.coverage)
        form = (how.form or Format.csv).value
        return label_recordings(predictor, inputs, out, form, how.merge, how.chart, wanted.reject_below)
    if how.merge or how.chart is not None:
        raise InputError(f"--merge and --chart are for recordings, and {run} did not learn from windows of some.")
    top = min(how.top, len(predictor.classes))
    wanted = predictor.wanted(top, how.reject_below, how.coverage)
    return _label(predictor, inputs, out, how.form or Format.table, wanted)


def _label(predictor: Predictor, inputs: Sequence[str], out: TextIO, form: Format, wanted: Wanted) -> int:
    """Labels examples; gives how many could not be read."""
    from ....data.walk import expand
    from ...batch.entries import names_many
    from ..output.screen import beside, errors
    from ..output.writers import WRITERS
    from ..progress import watch_predictions

    kind = predictor.preprocessing.kind
    for word in inputs:
        if names_many(word, predictor.preprocessing.extensions):
            beside(f"{word} is taken for one {kind}; --out FOLDER labels those in a tar, in a table or at an address.")
    paths: Iterable[str] = _named(expand(inputs, sys.stdin or (), predictor.preprocessing.extensions))
    if errors.moves and "-" not in inputs:
        paths = list(paths)
    count = Counter[bool]()

    def counted(predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        for prediction in predictions:
            if prediction.error is None:
                count[prediction.rejected] += 1
            yield prediction

    failed = WRITERS[form.value](counted(watch_predictions(predictor, paths, wanted)), out, wanted)
    if wanted.reject_below is not None:
        beside(
            f"{count[True]:,} of {count.total():,} rejected: no label of theirs has a probability of "
            f"{wanted.reject_below:g} or more."
        )
    return failed


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
    form: Annotated[
        str | None, typer.Option("--format", help="onnx (the default), openvino or torch.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File or folder (by default beside the weights).")] = None,
    int8: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="Compute in 8 bits, calibrated on these pictures or signals."),
    ] = None,
    for_page: Annotated[
        bool, typer.Option("--page", help="An .onnx to drop on the page of googlenet page, which shows its inside.")
    ] = False,
    layout: Annotated[
        str | None,
        typer.Option(
            help="ovms or triton: a model of those servers' repository; --out is its folder, such as models/NAME."
        ),
    ] = None,
) -> None:
    """Write a run for other programs: 8-bit pixels or prepared signals in, probabilities out.

    What is written is first compared with PyTorch. googlenet predict reads it without PyTorch.

    Example: googlenet export runs/demo --format openvino
    """
    from ...jobs import export_job
    from ...layouts import export_layout
    from ..display import show_bad_files
    from ..output.screen import shown

    if for_page:
        if form not in (None, "onnx") or int8 is not None or layout is not None:
            raise InputError("The page reads ONNX in float32: leave --format, --int8 and --layout out beside --page.")
        from ...page.job import export_page_job

        print(f"{shown(str(export_page_job(runs, out)))}: drop it on the page that googlenet page writes")
        return
    if layout is None:
        path, found, bad = export_job(runs, form or "onnx", out, int8)
    elif out is None:
        raise InputError("Name the model's folder in the repository: --out models/NAME.")
    else:
        path, found, bad = export_layout(runs, layout, form, out, int8)
    show_bad_files(bad)
    named = shown(str(path))
    print(
        f"{named}: the same most probable class as PyTorch in float32 on {found.agreement:.1%} of {found.count} "
        f"inputs, probabilities within {found.largest:.2g}"
    )
