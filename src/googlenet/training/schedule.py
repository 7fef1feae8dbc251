"""How far a training is, and the learning rate that goes with it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from .recipe import Recipe


class Clock:
    """How far a training is, from 0 to 1: by its steps, or by the time it may take if that is sooner over."""

    def __init__(self, recipe: Recipe, steps_per_epoch: int, seconds_before: float) -> None:
        self.steps, self.seconds = recipe.epochs * steps_per_epoch, recipe.max_seconds
        self.started = time.perf_counter() - seconds_before

    def progress(self, step: int) -> float:
        """The share that is done before that step; from 1 on nothing is left to do."""
        by_time = (time.perf_counter() - self.started) / self.seconds if self.seconds else 0.0
        return max(step / self.steps, by_time)


def learning_rate(recipe: Recipe, progress: float, losses: Sequence[float]) -> float:
    """The learning rate: a linear climb, then what the schedule says.

    Args:
        recipe: Its schedule and its peak.
        progress: Share of the training that is done, from 0 to 1.
        losses: Of the epochs that are done.
    """
    if progress < recipe.warmup:
        return recipe.learning_rate * progress / recipe.warmup
    if recipe.schedule == "step":
        return float(recipe.learning_rate * 0.96 ** (len(losses) // 8))
    if recipe.schedule == "plateau":
        return max(recipe.learning_rate / 10, recipe.learning_rate * 0.5 ** plateaus(losses, 50))
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - recipe.warmup) / (1 - recipe.warmup)))


def plateaus(losses: Sequence[float], patience: int, least_gain: float = 1e-4) -> int:
    """How many times ``patience`` epochs went by without a loss below the best one by ``least_gain``."""
    found = waited = 0
    least = math.inf
    for loss in losses:
        if loss < least - least_gain:
            least, waited = loss, 0
        else:
            waited += 1
        if waited == patience:
            found, waited = found + 1, 0
    return found
