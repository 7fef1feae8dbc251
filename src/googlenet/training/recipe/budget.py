"""What a training of so many minutes is: how often it sees its examples, and what suits that."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .fields import BEGINS, Recipe

AFTER, SHARE = 5.0, 0.04  # seconds, and share of the minutes, for what comes after: the measuring and the report
LEAST = 0.3  # share of the minutes that is for learning, whatever was spent on finding out
BESIDE = 0.7  # share of the time that networks of signals have where a smaller one and kernels learn after them
SPARE = 1.1  # so that it is the time that ends a training, and not its epochs
MOST = 4  # times a recipe's own epochs; what more of them would give was never measured
# A wider network learns more from a pass, and has fewer of them in a minute: passes that there is time for at a
# recipe's own width, and the width that is better from so many on. docs/tried.md
WIDTHS: Mapping[str, Sequence[tuple[float, float]]] = {"small": ((0, 0.5), (8, 0.8), (25, 1.1))}
# Squares that are blanked pay where pictures are seen often: with fewer passes this is better. docs/tried.md
OFTEN = 15
SELDOM: Mapping[str, Mapping[str, Any]] = {"small": {"cutout": 5}, "small-colour": {"cutout": 0}}


@dataclass(frozen=True)
class Plan:
    """A training for the minutes that there are.

    Attributes:
        recipe: How, with its limit of time; without one where it needs less than that.
        speed: Examples that this machine learns from in a second.
        passes: How often each example will be seen, about.
        missing: What the recipe would do beside it, for which there is no time.
        suited: Fields that are others than the recipe's, because they suit so many passes better.
    """

    recipe: Recipe
    speed: float
    passes: float
    missing: tuple[str, ...] = ()
    suited: Mapping[str, Any] = field(default_factory=dict)

    def suiting(self, given: Collection[str]) -> Plan:
        """With what of a recipe, but for its width, suits so few passes better.

        Args:
            given: Fields that stay as they are.
        """
        better = {} if self.passes >= OFTEN else SELDOM.get(self.recipe.name, {})
        better = {name: value for name, value in better.items() if name not in given}
        return replace(self, recipe=replace(self.recipe, **better), suited={**self.suited, **better})

    def described(self) -> str:
        """In a sentence, for people."""
        recipe, speed, passes = self.recipe, _few(self.speed), _few(self.passes)
        said = [
            f"This machine learns from {speed} examples a second here: about {passes} passes over them by the recipe "
            f"{recipe.name}{''.join(f', {name} {value}' for name, value in self.suited.items())}"
        ]
        if not recipe.max_seconds:
            said.append("which needs no more than that")
        elif recipe.schedule == "cosine":
            said.append("annealed in time")
        else:
            said.append(f"which then ends, wherever its schedule {recipe.schedule!r} is")
        if self.missing:
            said.append(f"without {' and '.join(self.missing)}, for which there is no time")
        return f"{', '.join(said)}."


def width_for(recipe: Recipe, passes: float) -> float:
    """The width that suits the passes that there is time for at the recipe's own; it costs others.

    Args:
        recipe: As it is for this data.
        passes: How often each example would be seen.
    """
    return max((least, width) for least, width in WIDTHS.get(recipe.name, [(0, recipe.width)]) if least <= passes)[1]


def seconds_to_learn(minutes: float, spent: float) -> float:
    """What is left of the minutes for learning.

    Args:
        minutes: That there are, above 0.
        spent: Seconds of them that are over.
    """
    return max(60 * minutes * (1 - SHARE) - AFTER - spent, 60 * minutes * LEAST)


def planned(recipe: Recipe, seconds: float, examples: int, speed: float, alone: bool, beside: float = 0.0) -> Plan:
    """The training by a recipe in so many seconds.

    Networks of signals, whose recipe was measured at its own length alone, get no more than that; what learns from
    pictures and volumes goes on for :data:`MOST` times as long.

    Args:
        recipe: How to train, fitted to the data.
        seconds: To learn in.
        examples: To learn from in an epoch.
        speed: Of them a second that this machine learns from, at full size.
        alone: Whether nothing is held out, so that smaller networks would have to say how sure it may be.
        beside: Seconds that every epoch takes for what is not learning.
    """
    area = 1 - recipe.growth + recipe.growth * BEGINS**2  # mean share of it that pictures enter with
    passes = seconds / (examples * area / speed + beside)
    most = recipe.epochs if recipe.members > 1 else MOST * recipe.epochs
    after = {"competing kernels": recipe.opines, "calibration": alone and recipe.leaves_out}
    if passes * (BESIDE if any(after.values()) else 1) >= most:
        return Plan(replace(recipe, epochs=most), speed, most)
    limited = replace(recipe, epochs=math.ceil(SPARE * passes), max_seconds=seconds)
    return Plan(limited, speed, passes, tuple(name for name, wanted in after.items() if wanted))


def _few(number: float) -> str:
    """With a decimal place where it is small."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"
