"""Which window has which label: the marks of a recording, and a rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .recording import Mark
from .windows import Windows

ENOUGH = 0.5  # share of a window that a label covers at least


@dataclass(frozen=True)
class Labelled:
    """Windows of a recording that have a label.

    Attributes:
        starts: First sample of each.
        labels: Of each.
        unlabelled: Windows that have none.
        torn: Windows that two labels cover alike.
        outside: Moments too near to an end of the recording for a window around them.
    """

    starts: npt.NDArray[np.int64]
    labels: list[str]
    unlabelled: int = 0
    torn: int = 0
    outside: int = 0


def around_moments(marks: Sequence[Mark], windows: Windows, length: int) -> Labelled:
    """A window around each mark's middle.

    Args:
        marks: Of moments.
        windows: Their size.
        length: Samples of the recording, at the rate of the windows.
    """
    starts = [round((mark.start + mark.end) / 2 * windows.rate) - windows.window // 2 for mark in marks]
    inside = [0 <= start <= length - windows.window for start in starts]
    kept = [start for start, fits in zip(starts, inside, strict=True) if fits]
    labels = [mark.label for mark, fits in zip(marks, inside, strict=True) if fits]
    return Labelled(np.array(kept, np.int64), labels, outside=len(starts) - len(kept))


def by_majority(marks: Sequence[Mark], windows: Windows, length: int) -> Labelled:
    """Windows one hop after the other; each has the label that covers most of it, and half of it at least.

    Args:
        marks: Of stretches; where two of one label overlap, they cover that once.
        windows: Their size and hop.
        length: Samples of the recording, at the rate of the windows.
    """
    starts = np.array(windows.starts(length), np.int64)
    names = sorted({mark.label for mark in marks})
    if not len(starts) or not names:
        return Labelled(np.zeros(0, np.int64), [], unlabelled=len(starts))
    covered = np.zeros((len(names), len(starts)))
    for row, name in enumerate(names):
        for start, stop in _joined([mark for mark in marks if mark.label == name]):
            begin, end = start * windows.rate, stop * windows.rate
            first = max(0, int((begin - windows.window) // windows.hop))
            near = slice(first, max(first, int(end // windows.hop) + 1))
            shared = np.minimum(end, starts[near] + windows.window) - np.maximum(begin, starts[near])
            covered[row, near] += np.maximum(shared, 0)
    best = covered.argmax(0)
    most = covered.max(0)
    enough = most >= ENOUGH * windows.window - 1e-6 * windows.window
    torn = enough & ((covered >= most - 1e-6 * windows.window).sum(0) > 1)
    kept = np.flatnonzero(enough & ~torn)
    return Labelled(starts[kept], [names[best[at]] for at in kept], int((~enough).sum()), int(torn.sum()))


def _joined(marks: Sequence[Mark]) -> Iterator[tuple[float, float]]:
    """Start and end, seconds, of what marks cover together: those that overlap are one."""
    spans = sorted((mark.start, mark.end) for mark in marks)
    start, end = spans[0]
    for begin, stop in spans[1:]:
        if begin > end:
            yield start, end
            start, end = begin, stop
        end = max(end, stop)
    yield start, end
