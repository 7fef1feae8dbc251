"""What a network says of an example, and how much of it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.protocol import Example, Floats
from ..errors import InputError


@dataclass(frozen=True)
class Wanted:
    """How much is said of an example.

    Attributes:
        top: Labels, at most.
        reject_below: Probability that a label needs, to be one; ``None`` where none was asked for.
        least: Probability that a label needs to be among those that hold the right one as often as was asked for, see
            :meth:`~googlenet.inference.calibration.temperature.Calibration.least`; ``None`` where it was not.
    """

    top: int = 5
    reject_below: float | None = None
    least: float | None = None


@dataclass(frozen=True)
class Prediction:
    """What a network says of an example.

    Attributes:
        input: The path, the row of a file, or the position of an array.
        top: Labels and probabilities, most probable first; empty if it cannot be read.
        error: Why it cannot be read.
        taken_for: What an object without a name was taken for, such as ``"uint8 array (28, 28): height × width"``.
        rejected: Whether the most probable label is less probable than was asked for, and so is none to be relied on.
        labels: Those that hold the right one as often as was asked for, see :class:`Wanted`; ``None`` where it was not.
    """

    input: str
    top: tuple[tuple[str, float], ...] = ()
    error: str | None = None
    taken_for: str = ""
    rejected: bool = False
    labels: tuple[str, ...] | None = None

    @property
    def label(self) -> str:
        """The most probable label; raises an InputError if it cannot be read."""
        return self._best[0]

    @property
    def probability(self) -> float:
        """Its probability; raises an InputError if it cannot be read."""
        return self._best[1]

    @property
    def _best(self) -> tuple[str, float]:
        if self.error is not None:
            raise InputError(f"{self.input} cannot be read: {self.error.rstrip('.')}.")
        return self.top[0]

    def to_dict(self) -> dict[str, Any]:
        """A row of JSON: ``input, label, probability, top``, or ``input, error``; ``taken_for``, if known; ``labels``,
        if asked for. A label that is rejected is ``null``."""
        row: dict[str, Any] = {"input": self.input}
        if self.taken_for:
            row["taken_for"] = self.taken_for
        if self.error is not None:
            return row | {"error": self.error}
        top = [{"label": label, "probability": probability} for label, probability in self.top]
        row |= {"label": None if self.rejected else self.label, "probability": self.probability, "top": top}
        return row if self.labels is None else row | {"labels": list(self.labels)}


def answered(
    example: Example, error: str | None, probabilities: Floats | None, classes: Sequence[str], wanted: Wanted
) -> Prediction:
    """What there is to say of an example.

    Args:
        example: It.
        error: Why it cannot be read, if so.
        probabilities: ``(classes,)``, where it could be.
        classes: Their names.
        wanted: How much.
    """
    if probabilities is None:
        return Prediction(example.name, error=error, taken_for=example.taken_for)
    best = labelled(probabilities, classes, len(classes) if wanted.least is not None else wanted.top)
    labels = None
    if wanted.least is not None:  # the most probable one is among them: none at all would say less than it knows
        labels = tuple(label for row, (label, p) in enumerate(best) if row == 0 or p >= wanted.least)
    rejected = wanted.reject_below is not None and best[0][1] < wanted.reject_below
    return Prediction(example.name, best[: wanted.top], None, example.taken_for, rejected, labels)


def labelled(probabilities: Floats, classes: Sequence[str], top: int) -> tuple[tuple[str, float], ...]:
    """Labels with probabilities, most probable first, of one example.

    Args:
        probabilities: ``(classes,)``.
        classes: Their names.
        top: How many to give, at most.
    """
    best = np.argsort(-probabilities, kind="stable")[:top]
    return tuple((classes[k], value) for k, value in zip(best.tolist(), probabilities[best].tolist(), strict=True))
