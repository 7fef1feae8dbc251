"""How far a training is: its clock, and the events that tell whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .recipe import Recipe
from .runs import EpochRow

PACE = 0.1  # seconds between two looks at the device's numbers


@dataclass(frozen=True)
class StepDone:
    """Some steps are done.

    Attributes:
        epoch: Which is running, from 1.
        epochs: How many there will be.
        step: Of the epoch, from 1.
        steps: Of an epoch.
        loss: Mean of the epoch so far, nats.
        accuracy: Mean of the epoch so far.
        examples_per_second: Of the epoch so far.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    examples_per_second: float


@dataclass(frozen=True)
class EpochDone:
    """An epoch is done.

    Attributes:
        row: What it came to.
        epochs: How many there will be.
    """

    row: EpochRow
    epochs: int


Event = StepDone | EpochDone
Report = Callable[[Event], None]


def silent(event: Event) -> None:
    """A report that says nothing."""


def now() -> float:
    """Seconds from some beginning; the one clock that a training looks at."""
    return time.perf_counter()


class Clock:
    """How far a training is, from 0 to 1: by its steps, or by the time it may take if that is sooner over.

    Args:
        recipe: Its epochs and its limit of time.
        steps_per_epoch: Steps.
        seconds_before: That the epochs before took, in a training that is resumed.
    """

    def __init__(self, recipe: Recipe, steps_per_epoch: int, seconds_before: float) -> None:
        self.steps, self.seconds = recipe.epochs * steps_per_epoch, recipe.max_seconds
        self.started = now() - seconds_before

    def progress(self, step: int) -> float:
        """The share that is done before that step; from 1 on nothing is left to do."""
        by_time = (now() - self.started) / self.seconds if self.seconds else 0.0
        return max(step / self.steps, by_time)


class Pace:
    """Says when it is time to look at the device's numbers again: each look waits until the device is done."""

    def __init__(self) -> None:
        self.last = now()

    def due(self) -> bool:
        """Whether :data:`PACE` has passed since this was last so."""
        if now() - self.last < PACE:
            return False
        self.last = now()
        return True
