"""Whether signals, and what a file says of how they are prepared, can be: counts within limits, numbers of channels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .... import limits
from ....errors import InputError, short
from ...protocol import Floats
from ..rows import Signal


def each(function: Callable[[Signal], Floats], signals: Iterable[Signal]) -> Iterator[Floats]:
    """The function of every signal; whatever it complains of, with the signal's number."""
    for number, signal in enumerate(signals, start=1):
        try:
            yield function(signal)
        except InputError as error:
            raise InputError(f"Signal {number}: {error}.") from error


def check_preprocessing(found: Any) -> None:
    """That a preprocessing of signals which a file describes is one.

    Args:
        found: A :class:`~.preprocessing.SignalPreprocessing`.

    Raises:
        InputError: Of the first thing that cannot be.
    """
    counts = {"channels": (1, limits.INPUT_CHANNELS), "length": (1, limits.INPUT), "longest": (0, 2**53)}
    for name, (least, most) in counts.items():
        value = getattr(found, name)
        if type(value) is not int or not least <= value <= most:
            raise InputError(f"{name} of signals is a whole number from {least} to {most:,}, not {_shown(value)}")
    if found.channels * found.length > limits.INPUT:
        raise InputError(f"{found.channels:,} channels of {found.length:,} samples are more than a network reads")
    if type(found.own) is not bool:
        raise InputError(f"own is yes or no, not {_shown(found.own)}")
    _check_numbers(found)
    if not all(type(at) is int and 0 <= at < found.channels for at in found.constant):
        raise InputError(f"constant names channels from 0 to {found.channels - 1}, not {_shown(found.constant)}")
    if found.windows is not None and len(found.windows.channels) != found.channels:
        raise InputError(f"windows have {len(found.windows.channels)} channels, and the network reads {found.channels}")


def _check_numbers(found: Any) -> None:
    for name in ("mean", "std", "slope", "low", "high", "least"):
        values = getattr(found, name)
        if len(values) not in (0, found.channels) or not all(map(_is_number, values)):
            raise InputError(f"{name} is a number for each of {found.channels} channels, not {_shown(values)}")
    if len(found.mean) != len(found.std) or min(found.std, default=1.0) <= 0 or min(found.slope, default=0.0) < 0:
        raise InputError("every channel has a mean and a deviation above 0")
    if len(found.low) != len(found.high):
        raise InputError("every channel has two bounds, beyond which a value is a glitch, or none")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and not math.isnan(value)


def _shown(value: Any) -> str:
    return short(repr(value))
