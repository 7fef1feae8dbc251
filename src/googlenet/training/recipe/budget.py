"""What a training of so many minutes is: how often it sees its examples, and by which recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .fields import BEGINS, Recipe

AFTER, SHARE = 5.0, 0.04  # seconds, and share of the minutes, for what comes after: the measuring and the report
LEAST = 0.3  # share of the minutes that is for learning, whatever was spent on finding out
BESIDE = 0.7  # share of the time that networks of signals have where a smaller one and kernels learn after them
SPARE = 1.1  # so that it is the time that ends a training, and not its epochs
MOST = 4  # times a recipe's own epochs; what more of them would give was never measured
LONGER = {"small": ("small-long", 40)}  # what recipe is better from how many passes on; docs/tried.md


@dataclass(frozen=True)
class Plan:
    """A training for the minutes that there are.

    Attributes:
        recipe: How, with its limit of time; without one where it needs less than that.
        speed: Examples that this machine learns from in a second.
        passes: How often each example will be seen, about.
    """

    recipe: Recipe
    speed: float
    passes: float

    @property
    def better(self) -> str | None:
        """The recipe that is better for so many passes, if there is one."""
        name, least = LONGER.get(self.recipe.name, (None, math.inf))
        return name if self.passes >= least else None

    def described(self) -> str:
        """In a sentence, for people."""
        recipe, speed, passes = self.recipe, _few(self.speed), _few(self.passes)
        said = [
            f"This machine learns from {speed} examples a second here: about {passes} passes over them by the recipe "
            f"{recipe.name}"
        ]
        if not recipe.max_seconds:
            said.append("which needs no more than that")
        elif recipe.schedule == "cosine":
            said.append("annealed in time")
        else:
            said.append(f"which then ends, wherever its schedule {recipe.schedule!r} is")
        if recipe.max_seconds and recipe.members > 1 and (recipe.competing or recipe.calibrate):
            said.append("without competing kernels and calibration, for which there is no time")
        return f"{', '.join(said)}."


def planned(recipe: Recipe, minutes: float, spent: float, examples: int, speed: float) -> Plan:
    """The training by a recipe for so many minutes.

    Networks of signals, whose recipe was measured at its own length alone, get no more than that; what learns from
    pictures and volumes goes on for :data:`MOST` times as long.

    Args:
        recipe: How to train, fitted to the data.
        minutes: That there are, above 0.
        spent: Seconds of them that are over.
        examples: To learn from.
        speed: Of them a second that this machine learns from, at full size.
    """
    seconds = max(60 * minutes * (1 - SHARE) - AFTER - spent, 60 * minutes * LEAST)
    area = 1 - recipe.growth + recipe.growth * BEGINS**2  # mean share of it that pictures enter with
    passes = seconds * speed / (examples * area)
    most = recipe.epochs if recipe.members > 1 else MOST * recipe.epochs
    if passes * (BESIDE if recipe.leaves_out else 1) >= most:
        return Plan(replace(recipe, epochs=most), speed, most)
    return Plan(replace(recipe, epochs=math.ceil(SPARE * passes), max_seconds=seconds), speed, passes)


def _few(number: float) -> str:
    """With a decimal place where it is small."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"
