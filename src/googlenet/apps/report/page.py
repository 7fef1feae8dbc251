"""``report.html``: one page that opens from disk, with no network and no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ... import files
from ...arch.cost import Cost, cost
from ...arch.spec import Arch
from ...data.kinds import preprocessing_from
from ...errors import InputError, between
from ...nn.googlenet import GoogLeNet
from ...training.runs.folder import Run
from ...training.runs.records import EpochRow, Evaluation, RunRecord
from . import charts
from .examples import Examples
from .inside import Inside
from .reliability import diagram

WIDEST_MATRIX, MOST_FILES = 40, 100  # classes of a confusion matrix, and files left out, that are shown
GENTLE = 0.12  # how strong the colour of the rarest answer is; :data:`STRONG` more that of the most common
STRONG = 0.6


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix.

    Attributes:
        count: Examples.
        right: Whether they were said to be what they are.
        strength: Of its colour, from 0 to 1.
    """

    count: int
    right: bool
    strength: float


@dataclass(frozen=True)
class Page:
    """What the template shows.

    Attributes:
        record: What made the run.
        evaluation: How good it is.
        history: Its epochs.
        arch: Of the network.
        cost: Of the network, for one example.
        curves: Charts over epochs.
        reliability: Accuracy over confidence; ``None`` in older runs.
        matrix: The confusion matrix; rows are true classes. Empty if it would be too wide.
        examples: Of the part held out.
        inside: What passes through the branches; ``None`` where that was not weighed.
    """

    record: RunRecord
    evaluation: Evaluation
    history: Sequence[EpochRow]
    arch: Arch
    cost: Cost
    curves: Sequence[Markup]
    reliability: Markup | None
    matrix: Sequence[Sequence[Cell]]
    examples: Examples
    inside: Inside | None = None

    @property
    def interval(self) -> str:
        """What the accuracy may be on other examples of the kind."""
        return between(self.evaluation.interval, self.evaluation.other_groups, ".1%")

    @property
    def mistakes(self) -> int:
        """How many there are in all."""
        return self.evaluation.count - round(self.evaluation.top1 * self.evaluation.count)


def write_report(run: Run, model: GoogLeNet, examples: Examples, inside: Inside | None = None) -> None:
    """Writes ``report.html`` from what a run folder holds.

    Args:
        run: With its record, history and evaluation.
        model: That it ended in.
        examples: Of the part held out.
        inside: What passes through the branches.

    Raises:
        InputError: If one of them is missing or damaged, or the page cannot be written.
    """
    evaluation = run.evaluation()
    if evaluation is None:
        raise InputError(f"{run.path} has no evaluation yet: its training is not finished. Go on with it (--resume).")
    record, history = run.record(), run.history()
    size = preprocessing_from(dict(record.preprocessing)).input_shape[1:]
    counted = cost(model.arch, size, in_channels=model.in_channels, num_classes=model.num_classes)
    bins = evaluation.reliability
    page = Page(
        record,
        evaluation,
        history,
        model.arch,
        counted,
        curves(history),
        diagram(bins) if bins else None,
        matrix(evaluation),
        examples,
        inside,
    )
    files.write_bytes(run.report, html(page).encode(errors="backslashreplace"))


def html(page: Page) -> str:
    """The page as text."""
    pages = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters["filename"] = lambda path: Path(path).name
    return pages.get_template("report.html.jinja").render(
        page=page, light=charts.LIGHT, dark=charts.DARK, most_files=MOST_FILES
    )


def curves(history: Sequence[EpochRow]) -> list[Markup]:
    """Loss and accuracy over epochs; none before the first."""
    drawn = []
    for key in ("loss", "accuracy") if history else ():
        rows = {name: _line(history, name + key) for name in ("", "validation_")}
        lines = {"training": rows[""], "validation": rows["validation_"]}
        drawn.append(charts.curves(key.capitalize(), "epoch", {name: line for name, line in lines.items() if line}))
    return drawn


def _line(history: Sequence[EpochRow], key: str) -> list[tuple[float, float]]:
    values = [(row.epoch, getattr(row, key)) for row in history]
    return [(epoch, value) for epoch, value in values if value is not None]


def matrix(evaluation: Evaluation) -> list[list[Cell]]:
    """The confusion matrix with its colours; nothing if it has more than :data:`WIDEST_MATRIX` classes."""
    if len(evaluation.confusion) > WIDEST_MATRIX:
        return []
    rows = []
    for true, counts in enumerate(evaluation.confusion):
        shares = [count / max(1, sum(counts)) for count in counts]
        rows.append(
            [
                Cell(count, true == guess, GENTLE + STRONG * (share if true == guess else min(1, share * 4)))
                for guess, (count, share) in enumerate(zip(counts, shares, strict=True))
            ]
        )
    return rows
