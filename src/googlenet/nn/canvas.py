"""What can be drawn for a network to read: plain values within bounds, and how they become what it sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor


class Whole(NamedTuple):
    """An example in its own size, to be changed.

    Attributes:
        values: ``(channels, *spatial)``.
        inputs: From values that were changed to what its preprocessing draws, with all that the network does not read,
            such as the colours that a picture had.
    """

    values: Tensor
    inputs: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Canvas:
    """Values ``(n, channels, *spatial)``, float32, that stand for examples: shares of white, a signal's deviations.

    Attributes:
        mean: Of every channel over the training part, ``(channels,)``, as far as it is known.
        std: Its deviation.
        low: The least that a channel may hold, ``(channels,)``; infinite where nothing says so.
        high: The most.
        inputs: From values to what the preprocessing's ``views`` takes; differentiable.
        values: From that to values.
        whole: An example as its preprocessing reads it, but in its own size where the kind has one. Raises InputError
            if it cannot be read.
    """

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor
    inputs: Callable[[Tensor], Tensor]
    values: Callable[[Tensor], Tensor]
    whole: Callable[[Any], Whole]
