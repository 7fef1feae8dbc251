"""``googlenet predict`` and ``export``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import MaxPixelsOption

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
    engine: Annotated[
        str | None, typer.Option(help="openvino, onnx or torch (by default the fastest that is installed).")
    ] = None,
    max_pixels: MaxPixelsOption = None,
) -> None:
    """Label pictures, or the rows of tables of signals, or the volumes of NPZ files.

    A file that cannot be read gets its reason, the rest get their labels, and the exit status is 1.

    Example: googlenet predict runs/demo holiday/ --format jsonl > labels.jsonl
    """
    from ...data.find import expand
    from ...inference.engines.backend import exported_for
    from ...inference.load import load
    from .writers import WRITERS

    if exported_for(run) in (None, "torch"):  # other exported models need no PyTorch
        from ...nn.device import keep_memory

        keep_memory()
    predictor = load(run, engine=engine, max_pixels=max_pixels)
    print(f"engine: {predictor.engine.name}", file=sys.stderr)
    predictions = predictor.stream(expand(inputs, sys.stdin, predictor.preprocessing.extensions), top)
    failed = WRITERS[form.value](predictions, sys.stdout, top)
    if failed:
        raise typer.Exit(1)


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
