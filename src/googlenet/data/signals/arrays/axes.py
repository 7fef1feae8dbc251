"""Which axis of a signal is time and which counts channels."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from ....errors import InputError, count, unknown

AXES = ("auto", "channels_first", "channels_last")
CLEARLY = 4  # times as long as the other: that axis is time

Shape = tuple[int, ...]


def stated_axis(estimator: Any) -> str:
    """The ``axis`` that an estimator was made with.

    Raises:
        InputError: For another word than those of :data:`AXES`.
    """
    axis = getattr(estimator, "axis", "auto")
    if axis not in AXES:
        raise unknown("axis", str(axis), AXES)
    return str(axis)


def channels_axis(shapes: Iterable[Shape], stated: str) -> str:
    """Where a fit finds the channels of signals ``(channels, length)`` or ``(length, channels)``.

    What is stated holds. Else an axis of 1 counts one channel, in a list whose signals differ in length the other axis
    counts channels, and an axis at least four times as long as the other is time.

    Args:
        shapes: Of every signal; of an array one is enough.
        stated: One of :data:`AXES`.

    Raises:
        InputError: Where it cannot be known.

    Warns:
        RuntimeWarning: Where channels are taken to be last.
    """
    if stated != "auto":
        return stated
    shapes = set(shapes)
    first, last = ({shape[axis] for shape in shapes} for axis in (0, 1))
    if len(first) == 1 and (first == {1} or len(last) > 1 or min(last) >= CLEARLY * max(first)):
        return "channels_first"
    if len(last) == 1 and (last == {1} or (len(first) > 1 and min(first) >= max(last)) or _longer(first, last)):
        warnings.warn(
            f"Signals of the shape {_shown(min(shapes))} are taken as (length, channels): "
            f"{count(max(last), 'channel')}. axis='channels_last' says so, axis='channels_first' the opposite.",
            RuntimeWarning,
            stacklevel=2,
        )
        return "channels_last"
    if len(first) > 1:
        raise InputError(
            "Signals in a list are arrays (length,), (channels, length) or (length, channels) with the same channels, "
            f"not {', '.join(_shown(shape) for shape in sorted(shapes)[:3])}."
        )
    raise InputError(
        f"Signals of the shape {_shown(min(shapes))} may be (channels, length) or (length, channels): say which with "
        "axis='channels_first' or axis='channels_last'. Grey pictures are of uint8, or (N, 1, height, width)."
    )


def _longer(first: set[int], last: set[int]) -> bool:
    return min(first) >= CLEARLY * max(last)


def known_channels_axis(shapes: Iterable[Shape], channels: int, axis: str) -> str:
    """Where signals have the channels that a fitted network reads.

    Args:
        shapes: Of every signal; of an array one is enough.
        channels: That the network reads.
        axis: Where the fit found them, ``"auto"`` if it had no such axes.

    Raises:
        InputError: For signals of other channels, or with channels on the other axis than in the fit.
    """
    shapes = set(shapes)
    fits = [name for place, name in enumerate(AXES[1:]) if all(shape[place] == channels for shape in shapes)]
    if axis in fits:
        return axis
    if len(fits) == 1 and (axis == "auto" or channels == 1):
        return fits[0]
    if len(fits) == 2:
        if channels == 1:
            return fits[0]
        raise InputError(
            f"Signals of the shape {_shown(min(shapes))} have {count(channels, 'channel')} on either axis: say on "
            "which with axis='channels_first' or axis='channels_last'."
        )
    odd = min(shape for shape in shapes if not fits or channels not in shape or axis != "auto")
    wanted = f"(length, {channels})" if axis == "channels_last" else f"({channels}, length)"
    raise InputError(f"A signal of the shape {_shown(odd)} is none that was learned from; those were {wanted}.")


def _shown(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))})"
