"""How far a training is: its clock, and the events that tell whoever watches."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .recipe import Recipe
from .runs.records import EpochRow

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

    def described(self) -> str:
        """In a line, for people."""
        return (
            f"epoch {self.epoch}/{self.epochs}  loss {self.loss:.3f}  accuracy {self.accuracy:.3f}  "
            f"{self.examples_per_second:,.0f} examples/s"
        )


@dataclass(frozen=True)
class EpochDone:
    """An epoch is done.

    Attributes:
        row: What it came to.
        epochs: How many there will be.
    """

    row: EpochRow
    epochs: int

    def described(self) -> str:
        """In a line, for people."""
        row = self.row
        loss, accuracy = f"{row.loss:.3f}", f"{row.accuracy:.3f}"
        if row.validation_accuracy is not None:
            loss += f", held out {row.validation_loss:.3f}"
            accuracy += f", held out {row.validation_accuracy:.3f}"
        return f"epoch {row.epoch:>3}/{self.epochs}  loss {loss}  accuracy {accuracy}  {row.seconds:.0f} s"


Event = StepDone | EpochDone
Report = Callable[[Event], None]


def silent(event: Event) -> None:
    """A report that says nothing."""


def printed(event: Event) -> None:
    """A report that prints a line an epoch."""
    if isinstance(event, EpochDone):
        print(event.described(), flush=True)


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

    def since(self, rows: Sequence[EpochRow]) -> float:
        """Seconds since these epochs, with what was written between them; they sum to all that a limit counts."""
        return math.ceil(100 * (now() - self.started - sum(row.seconds for row in rows))) / 100

    def progress(self, step: int) -> float:
        """The share that is done before that step; from 1 on nothing is left to do."""
        by_time = (now() - self.started) / self.seconds if self.seconds else 0.0
        if self.steps == 1 and step == 0:
            return max(0.5, by_time)  # a single step is no warm-up: it would teach nothing
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
