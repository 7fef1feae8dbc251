"""The page from end to end: which networks it shows, with which examples, and the file that it becomes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ...errors import InputError
from ...files import write_bytes
from ...inference.load import load_pipeline
from ...training.runs.origin import run_of
from ...weights.catalogue import named
from .examples import Row, examples_from, gunpoint_signals, shipped_pictures
from .page import PageNetwork, check_built, write_page


class Shipped(NamedTuple):
    """A network that is part of the package."""

    id: str
    name: str
    examples: Callable[[], list[Row]]


SHIPPED: Mapping[str, Shipped] = {
    "picture": Shipped("fashion_mnist", "googlenet_small.fashion_mnist", shipped_pictures),
    "signal": Shipped("gunpoint", "googlenet_1d.gunpoint", gunpoint_signals),
}


def page_job(run: str | None, out: Path, examples: Sequence[Path] = ()) -> int:
    """Writes the page: the networks that are part of the package, and a run in place of the one of its kind.

    Args:
        run: A run, a weights file or a name of the catalogue; ``None`` for the package's networks alone.
        out: The file.
        examples: Files to show to the run's network; by default what the run has, or its data bring.

    Returns:
        How many examples the first of its networks is shown.

    Raises:
        InputError: If the run cannot be shown, the page was not built, or the file cannot be written or is one that is
            read.
    """
    _check_out(out, run, examples)
    check_built()
    check_onnx()
    if run is None and examples:
        raise InputError("Examples are for a run: name the run that they are to be shown to, or leave --examples out.")
    own = [] if run is None else [network_of_run(run, examples)]
    networks = own + [shipped_network(kind) for kind in SHIPPED if kind not in [one.kind for one in own]]
    write_page(networks, out)
    return len(networks[0].examples)


def export_page_job(runs: Sequence[str], out: Path | None) -> Path:
    """Writes a run as the one file that the page reads.

    Args:
        runs: A run or its weights; one.
        out: The file, or a folder for it; by default beside the weights.

    Returns:
        The file.

    Raises:
        InputError: If it cannot be shown on a page, or not be written.
    """
    check_onnx()
    first = Path(runs[0])
    out = out or (first if first.is_dir() else first.parent)
    path = out / "page.onnx" if out.is_dir() else out
    if path.suffix != ".onnx":
        raise InputError(f"A file for the page ends in .onnx, and {path} does not (--out).")
    _check_place(path)
    from .graphs.file import model_of

    write_bytes(path, model_of(*load_pipeline(*runs)))
    return path


def shipped_network(kind: str) -> PageNetwork:
    """The package's own network of a kind, with its examples."""
    from .graphs.file import model_of

    one = SHIPPED[kind]
    return PageNetwork(one.id, kind, model_of(*load_pipeline(one.name)), _source(one.name), one.examples())


def network_of_run(run: str, examples: Sequence[Path]) -> PageNetwork:
    """A run's network, with its examples.

    Args:
        run: As of :func:`page_job`.
        examples: The same.

    Raises:
        InputError: If it is no single network for pictures or signals, or an example cannot be read.
    """
    from .graphs.file import model_of

    pipeline, classes = load_pipeline(run)
    model = model_of(pipeline, classes)
    if examples:
        found = examples_from(examples, pipeline.preprocessing, classes)
    else:
        found = _examples_of(run, pipeline.preprocessing.kind) or examples_from(
            _pictures(run), pipeline.preprocessing, classes
        )
    return PageNetwork("run", pipeline.preprocessing.kind, model, _source(run), found)


def check_onnx() -> None:
    """Raises InputError where what writes the graph and compares it is not installed."""
    missing = [package for package in ("onnx", "onnxruntime") if find_spec(package) is None]
    if missing:
        raise InputError(
            f"{missing[0]} is not installed, which writes the network for the page: pip install 'googlenet[deploy]'."
        )


def _check_out(out: Path, run: str | None, examples: Sequence[Path]) -> None:
    """That the page can be written there, and replaces nothing that it is made of; before anything is computed.

    Raises:
        InputError: If it cannot, or does.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"A page ends in .html, and {out} does not (--out).")
    _check_place(out)
    found = None if run is None else run_of(run)
    read = [*examples, *([] if run is None else [Path(run)])]
    of_run = [] if found is None else [found.weights, found.report]
    if out.exists() and any(path.exists() and out.samefile(path) for path in (*read, *of_run)):
        raise InputError(f"{out} belongs to what is read, and would be replaced. Name another file (--out).")


def _check_place(out: Path) -> None:
    """Raises InputError if a file cannot be written there, as far as that can be seen before."""
    try:
        taken = out.exists() and not out.is_file()
    except (OSError, ValueError) as error:
        raise InputError(f"{out} is no name of a file. Name another (--out).") from error
    if taken:
        raise InputError(f"{out} is no plain file, and stays as it is. Name another file (--out).")
    if not out.parent.is_dir():
        raise InputError(f"{out} could not be written: there is no folder {out.parent}. Make it first (--out).")
    if not os.access(out.parent, os.W_OK):
        raise InputError(f"{out} could not be written: nothing may be written in {out.parent}. Name another (--out).")


def _examples_of(run: str, kind: str) -> list[Row]:
    """The examples of a network that learned from what one of the package's did."""
    found = run_of(run)
    data = found.record().data if found is not None and found.exists else None
    own = next((one for one in SHIPPED.values() if one.name == run), None)
    if own is not None:
        return own.examples()
    known = {"fashion-mnist": ("picture", shipped_pictures), "gunpoint": ("signal", gunpoint_signals)}
    of_kind, examples = known.get(str(data), ("", list))
    return examples() if of_kind == kind else []


def _pictures(run: str) -> list[Path]:
    found = run_of(run)
    return [] if found is None else sorted(found.examples.glob("*.png"))


def _source(run: str) -> str:
    """What a network is, for people."""
    record, found = named(run) if not Path(run).exists() else None, run_of(run)
    if record is not None:
        accuracy = "" if record.top1 is None else f", accuracy {record.top1:.2%}"
        return f"{record.name}: trained on {record.trained_on}{accuracy}"
    if found is None or not found.exists:
        return Path(run).name
    row, result = found.record(), found.evaluation()
    accuracy = "" if result is None else f", accuracy {result.top1:.2%} on {result.measured}"
    return f"{Path(run).name}: trained on {row.data}, {row.examples.get('train', 0):,} examples{accuracy}"
