"""What a training of so many minutes is: how often it sees its examples, and by which recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ...errors import InputError
from .fields import BEGINS, Recipe

LEARNING = 0.95  # share of the minutes; the rest is for what comes after, the measuring and the report
BESIDE = 0.7  # the same where a smaller network and kernels learn after it
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
        recipe = self.recipe
        end = "annealed in time" if recipe.max_seconds else "which needs no more than that"
        return (
            f"This machine learns from {self.speed:,.0f} examples a second here: about {self.passes:,.0f} passes over "
            f"them by the recipe {recipe.name}, {end}."
        )


def planned(recipe: Recipe, minutes: float, examples: int, speed: float) -> Plan:
    """The training by a recipe for so many minutes.

    Networks of signals, whose recipe was measured at its own length alone, get no more than that; what learns from
    pictures and volumes goes on for :data:`MOST` times as long.

    Args:
        recipe: How to train, fitted to the data.
        minutes: That there are.
        examples: To learn from.
        speed: Of them a second that this machine learns from, at full size.

    Raises:
        InputError: If the minutes are no number above 0.
    """
    if not (math.isfinite(minutes) and minutes > 0):
        raise InputError(f"The minutes must be a number above 0, not {minutes}.")
    seconds = 60 * minutes * (BESIDE if recipe.leaves_out else LEARNING)
    area = 1 - recipe.growth + recipe.growth * BEGINS**2  # mean share of it that pictures enter with
    passes = seconds * speed / (examples * area)
    most = recipe.epochs if recipe.members > 1 else MOST * recipe.epochs
    if passes >= most:
        return Plan(replace(recipe, epochs=most), speed, most)
    return Plan(replace(recipe, epochs=math.ceil(SPARE * passes), max_seconds=seconds), speed, passes)
