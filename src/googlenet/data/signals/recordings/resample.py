"""To another rate, in stretches: what comes out is what the whole recording would have become at once."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ....errors import InputError
from ....limits import RATIO, UPSAMPLED
from .recording import BLOCK, Recording, Samples


def ratio(source: float, target: float) -> tuple[int, int]:
    """How many samples come out of how many, in the smallest whole numbers; rates are exact to a thousandth, and of
    those below 1 Hz the time between two samples."""
    found = _exact(target) / _exact(source)
    return found.numerator, found.denominator


def _exact(rate: float) -> Fraction:
    if rate >= 1:
        return Fraction(rate).limit_denominator(1000)
    return 1 / (1 / Fraction(rate)).limit_denominator(1000)


def length_at(recording: Recording, rate: float) -> int:
    """Samples of each channel at that rate."""
    up, down = _checked_ratio(recording, rate)
    return -(-recording.length * up // down)


def _checked_ratio(recording: Recording, rate: float) -> tuple[int, int]:
    """:func:`ratio` of rates that are not worlds apart.

    Raises:
        InputError: If they are: the filter between them, or what comes out, would take all memory.
    """
    up, down = ratio(recording.rate, rate)
    if max(up, down) > RATIO or up > UPSAMPLED * down:
        raise InputError(
            f"{recording.path} says that its rate is {recording.rate:g} Hz, which cannot be brought to {rate:g} Hz; "
            "name another rate with --rate, or write the right one into the file."
        )
    return up, down


def resampled(recording: Recording, rate: float, channels: tuple[str, ...]) -> Iterator[Samples]:
    """Those channels at that rate, ``(channels, n)`` after ``(channels, n)``, from the beginning to the end.

    A polyphase filter removes what the new rate cannot carry (``scipy.signal.resample_poly``); the first and the last
    sample go on beyond the ends. Each stretch is read with what the filter reaches on both of its sides, so that the
    stretches do not show.

    Args:
        recording: Read a stretch at a time.
        rate: Samples a second.
        channels: Names.

    Raises:
        InputError: If a channel is not there, or the file cannot be read.
    """
    rows = recording.rows(channels)
    up, down = _checked_ratio(recording, rate)
    size = max(1, BLOCK // max(1, len(recording.channels)))
    if up == down:
        for block in recording.blocks(0, size):
            yield block[rows]
        return
    reach = -(-(-(-10 * max(up, down) // up) + 1) // down) * down  # of the filter, in whole steps of the ratio
    step = -(-size // down) * down
    left = length_at(recording, rate)
    for first in range(0, recording.length, step):
        found = _resampled(_widened(recording, first, step, reach)[rows], up, down)
        skipped = reach * up // down
        wanted = min(left, step * up // down)
        left -= wanted
        yield found[:, skipped : skipped + wanted]


def _widened(recording: Recording, first: int, step: int, reach: int) -> Samples:
    """A stretch with what is ``reach`` samples around it; beyond the ends is what is at the ends."""
    start, stop = max(0, first - reach), min(recording.length, first + step + reach)
    before, behind = start - (first - reach), first + step + reach - stop
    return np.pad(recording.read(start, stop), ((0, 0), (before, behind)), mode="edge")


def _resampled(samples: Samples, up: int, down: int) -> Samples:
    from scipy.signal import resample_poly

    missing = np.isnan(samples)
    if not missing.any():
        found: Samples = resample_poly(samples, up, down, axis=1)
        return found
    filled = samples.copy()
    places = np.arange(samples.shape[1])
    for values, gaps in zip(filled, missing, strict=True):
        if gaps.all():
            values[:] = 0.0
        else:
            values[gaps] = np.interp(places[gaps], places[~gaps], values[~gaps])
    found = resample_poly(filled, up, down, axis=1)
    nearest = np.minimum(np.round(np.arange(found.shape[1]) * down / up).astype(np.int64), samples.shape[1] - 1)
    found[missing[:, nearest]] = np.nan
    return found
