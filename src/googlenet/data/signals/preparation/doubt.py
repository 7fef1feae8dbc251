"""What is unlike all that a network learned from, and is said before its answer is believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...protocol import Floats
from .scale import Values, is_constant, known, variation

STRANGE = 10.0  # deviations that a signal's samples are off in the mean; signals learned from are by no more than five
SMALL = 0.01  # of the training part's deviation: what varies less may be in another unit
FEWEST = 8  # samples from which on it is no chance that they vary little
LONGER = 1.25  # times as long as the longest signal that was learned from, or the shortest as long as this one


def doubt_of(
    signal: npt.NDArray[np.floating],
    prepared: Floats,
    beyond: bool,
    std: Sequence[float],
    least: Sequence[float],
    lengths: tuple[int, int],
) -> str:
    """A sentence on a signal that is unlike all that the network learned from; empty if it is like them.

    Args:
        signal: ``(channels, n)``, as it is.
        prepared: Its channels as the network reads them.
        beyond: Whether some of its samples lie beyond the limits.
        std: Of every channel over the training part; empty where each signal is standardised by itself.
        least: The smallest deviation of every channel within a signal that was learned from; empty where not known.
        lengths: Samples of the shortest and of the longest signal that was learned from; 0 where that is not known.
    """
    if beyond:
        return "Some samples lie far beyond all that the network learned from, and are taken for missing."
    shortest, longest = lengths
    if signal.shape[1] * LONGER < shortest:
        return (
            f"Some signals are shorter than any that the network learned from ({shortest:,} samples), and are followed "
            "by zeros: were they taken at the same rate?"
        )
    if 0 < longest * LONGER < signal.shape[1]:
        return (
            f"Some signals are longer than any that the network learned from ({longest:,} samples), and may be "
            "squeezed more than those: cut them alike."
        )
    present = [known(channel) for channel in signal]
    said = _still(present, least) if signal.shape[1] >= FEWEST else ""
    if said or not std:
        return said
    if STRANGE < np.abs(prepared).mean(axis=1).max() < np.inf:
        return "Some signals lie as a whole far from all that the network learned from: another unit, or level?"
    return _faint(present, std, least) if signal.shape[1] >= FEWEST else ""


def _still(present: Sequence[Values], least: Sequence[float]) -> str:
    """What there is to say of channels that do not vary."""
    flat = list(map(is_constant, present))
    if all(flat):
        return "Some signals do not vary at all: of a sensor that is off?"
    if off := [at for at, always in enumerate(least) if flat[at] and always]:
        return (
            f"Channel {off[0] + 1} of some signals has no value or does not vary, as in none that the network learned "
            "from: of a sensor that is off?"
        )
    return ""


def _faint(present: Sequence[Values], std: Sequence[float], least: Sequence[float]) -> str:
    """What there is to say of channels that vary less than any that was learned from."""
    spread = list(map(variation, present))
    weak = [own < SMALL * usual for own, usual in zip(spread, std, strict=True)]
    if max(spread) > 0 and all(weak):
        return "Some signals vary a hundred times less than those that the network learned from: another unit?"
    if faint := [at for at, always in enumerate(least) if weak[at] and spread[at] < always]:
        return (
            f"Channel {faint[0] + 1} of some signals varies a hundred times less than in those that the network "
            "learned from: another unit?"
        )
    return ""
