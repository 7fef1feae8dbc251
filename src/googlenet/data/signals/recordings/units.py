"""Physical units of channels: what a network learned in one unit it reads in no other."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ....errors import InputError
from .recording import Recording, Samples
from .windows import Windows

PREFIXES = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6}
BASES = ("V", "A", "T", "Pa", "g", "m/s2", "m/s^2", "Ohm", "S", "Hz")
_UNIT = re.compile(f"([{''.join(PREFIXES)}]?)({'|'.join(map(re.escape, BASES))})")


def in_units(recording: Recording, windows: Windows) -> Recording:
    """A recording in the units that a network reads, as far as both say theirs.

    Raises:
        InputError: If a channel has another unit that is not a thousandth or the like of it.
    """
    factors = np.ones((len(recording.channels), 1))
    remarks = []
    for name, wanted in zip(windows.channels, windows.units, strict=False):
        at = recording.channels.index(name) if name in recording.channels else None
        own = recording.units[at] if at is not None and recording.units else ""
        if at is None or not own or not wanted or own == wanted:
            continue
        factors[at] = _factor(recording, name, own, wanted)
        if factors[at] != 1:
            remarks.append(f"{recording.path}: {name} is brought from {own} to {wanted}.")
    if not remarks:
        return recording

    def read(start: int, stop: int) -> Samples:
        return recording.read(start, stop) * factors

    return replace(recording, read=read, remarks=(*recording.remarks, *remarks))


def _factor(recording: Recording, name: str, own: str, wanted: str) -> float:
    """What a number in one unit is multiplied by to be one in the other."""
    here, there = _UNIT.fullmatch(own), _UNIT.fullmatch(wanted)
    if here is None or there is None or here[2] != there[2]:
        raise InputError(f"{recording.path}: channel {name!r} is in {own!r}, and {wanted!r} is read here.")
    return PREFIXES[here[1]] / PREFIXES[there[1]]
