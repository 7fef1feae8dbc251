"""Two networks on the same examples, and whether they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...data.find import Columns
from ...data.protocol import BadFile, Watch, unwatched
from ...data.splits import alike
from ...errors import InputError
from ...inference.engines.backend import exported_for
from ...inference.evaluate import interval_of, predicted
from ...inference.load import load
from .held_out import held_out, remarks

LEVEL = 0.05  # of p, below which a difference is said to be shown


@dataclass(frozen=True)
class Difference:
    """What two networks have right of the same examples.

    Attributes:
        first: The one, as the user called it.
        second: The other.
        count: Examples.
        both: That both have right.
        only_first: That the first alone has right.
        only_second: That the second alone has right.
        p: Of McNemar's exact test, two-sided (McNemar 1947): how often two equally good networks would differ on so
            many examples by that or more. Examples of a group, and copies of one, change sides together.
        intervals: Between what each one's share right may lie, :func:`~googlenet.inference.evaluate.interval_of`.
        groups: How many the examples are of; 0 where they are of none.
        apart: How many count: groups, or examples that differ.
        unknown: Weights that do not say what they learned from: it may be among the examples.
        left_out: Examples that one or the other learned from.
        strangers: Classes that they do not know, to their numbers of examples, which were left out.
        notes: What there is to say of the data.
        bad_files: Of them, that could not be read.
    """

    first: str
    second: str
    count: int
    both: int
    only_first: int
    only_second: int
    p: float
    intervals: tuple[tuple[float, float], tuple[float, float]]
    groups: int = 0
    apart: int = 0
    unknown: tuple[str, ...] = ()
    left_out: int = 0
    strangers: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    bad_files: tuple[BadFile, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether a difference is shown, at the level of :data:`LEVEL`."""
        return self.p < LEVEL

    @property
    def too_few(self) -> bool:
        """Whether none could be shown, even if one had all of them right and the other none."""
        return 2 * 0.5 ** (self.apart or self.count) >= LEVEL

    def rows(self) -> list[tuple[str, float, tuple[float, float]]]:
        """Each one's name, share right, and between what that may lie."""
        right = (self.both + self.only_first) / self.count, (self.both + self.only_second) / self.count
        return list(zip((self.first, self.second), right, self.intervals, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the fields, and each one's accuracy with its interval."""
        rows = [{"run": name, "top1": top1, "interval": interval} for name, top1, interval in self.rows()]
        return {"accuracies": rows} | {name: value for name, value in asdict(self).items() if name != "intervals"}


def difference(
    first: tuple[str, npt.NDArray[np.bool_]], second: tuple[str, npt.NDArray[np.bool_]], groups: Sequence[str] = ()
) -> Difference:
    """Compares two networks.

    Args:
        first: The one's name, and which examples it has right, ``(n,)``.
        second: The other's.
        groups: Of each example, or what copies hold; nothing where each is apart.
    """
    a, b = first[1], second[1]
    only = int((a & ~b).sum()), int((b & ~a).sum())
    names, place = np.unique(np.array(groups, dtype=object), return_inverse=True)
    leads = a.astype(int) - b
    p = _by_sides(np.bincount(place, leads).astype(int) if len(groups) else leads)
    intervals = interval_of(a, groups), interval_of(b, groups)
    apart = len(names) or len(a)
    return Difference(first[0], second[0], len(a), int((a & b).sum()), *only, p, intervals, apart=apart)


def _by_sides(leads: npt.NDArray[np.int_]) -> float:
    """How often leads add up to as much as they do, or more, if each is as likely the other one's: exact, two-sided.

    Args:
        leads: Of the first network in each group, examples; below 0 those of the second.
    """
    from scipy.stats import binomtest

    if np.abs(leads).max() <= 1:
        ahead, behind = int((leads > 0).sum()), int((leads < 0).sum())
        return float(binomtest(ahead, ahead + behind).pvalue) if ahead + behind else 1.0
    chances = np.ones(1)  # of each sum from -total to total
    for lead in np.abs(leads[leads != 0]):
        apart = np.zeros(2 * lead)
        chances = (np.concatenate([chances, apart]) + np.concatenate([apart, chances])) / 2
    total = (len(chances) - 1) // 2
    return float(chances[np.abs(np.arange(-total, total + 1)) >= abs(int(leads.sum()))].sum())


def comparison_job(
    first: str, second: str, source: str, watch: Watch = unwatched, columns: Columns | None = None
) -> Difference:
    """Compares two runs on the examples of a data set's held-out part that neither learned from.

    Args:
        first: A run folder, a weight file, or an exported model.
        second: Another.
        source: The data.
        watch: Wraps the list of files while they are checked.
        columns: Of a table.

    Raises:
        InputError: If the data cannot be read, or one of them learned from all of them or knows other classes.
    """
    right, seen = list[tuple[str, npt.NDArray[np.bool_]]](), list[Any]()
    columns = columns or Columns()
    engines = [None if exported_for(run) else "torch" for run in (first, second)]
    predictors = [
        load(run, engine=engine, max_pixels=columns.max_pixels)
        for run, engine in zip((first, second), engines, strict=True)
    ]
    said = {first: predictors[0].learned, second: predictors[1].learned}
    if set(predictors[0].classes) != set(predictors[1].classes):
        raise InputError(f"{first} and {second} know different classes: what they have right cannot be compared.")
    for run, predictor in zip((first, second), predictors, strict=True):
        there = held_out(said, predictor, source, watch, columns)
        if not there.new:
            raise there.nothing_new((first, second), "Name other data.")
        part = there.data.held_out.subset(there.new)
        probabilities, labels = predicted(predictor, part, there.data.classes)
        seen.append((part.contents, [there.data.classes[label] for label in part.labels.tolist()]))
        right.append((run, probabilities.argmax(1) == labels))
    if seen[0] != seen[1]:
        raise InputError(
            f"{first} and {second} do not read the same examples and labels of {source}, and cannot be compared on it."
        )
    found = difference(right[0], right[1], alike(part))
    return replace(
        found,
        groups=found.apart if part.groups else 0,
        unknown=tuple(there.unknown),
        left_out=len(there.known) - len(there.new),
        strangers=there.strangers,
        notes=tuple(remarks(there.data)),
        bad_files=there.data.bad,
    )
