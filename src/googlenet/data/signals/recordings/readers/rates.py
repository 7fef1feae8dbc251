"""How many samples a second a column of times says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from .....errors import InputError
from ..recording import Samples

UNITS = {"ms": 1e-3, "us": 1e-6, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ns": 1e-9}
_UNIT = re.compile(r"(?:.*[_ (\[])?(ms|us|ns|s|sec|seconds)[)\]]?")
JITTER = 0.5  # of the step between two rows, by which one may be off


def rate_of(
    path: Path, column: str | None, dated: bool, times: Samples, given: float | None
) -> tuple[float, tuple[str, ...]]:
    """Samples a second by the times, or as the user says, and what is to be said of it.

    Args:
        path: Of the table.
        column: Of the times; ``None`` where it has none.
        dated: Whether they are dates.
        times: As numbers.
        given: Samples a second, where the times do not say it.

    Raises:
        InputError: If there is a gap, or the unit of the times is not known.
    """
    if column is None:
        if given is None:
            raise InputError(f"{path} has no column of times; name its sampling rate, such as --rate 250.")
        return given, ()
    steps = np.diff(times)
    step = float(np.median(steps))
    off = np.flatnonzero(~(np.abs(steps - step) <= JITTER * abs(step)))
    if step <= 0 or len(off):
        row = int(off[0]) if len(off) else 0
        raise InputError(
            f"{path}: column {column!r} goes from {times[row]:.12g} to {times[row + 1]:.12g} where a step is {step:.6g}"
            "; a recording has one rate and no gap. Split it there."
        )
    match = _UNIT.fullmatch(column.lower())
    mean = float(times[-1] - times[0]) / len(steps)
    fits = [unit for unit in UNITS.values() if given is not None and abs(mean * unit * given - 1) <= 0.01]
    unit = 1.0 if dated else UNITS[match[1]] if match else None
    if unit is None and step < 1 and (not fits or 1.0 in fits):  # of a rate in another unit it is that
        unit = 1.0
    if unit is not None:
        found = _rounded(len(steps) / (float(times[-1] - times[0]) * unit))
        return found, (f"{path}: {found:g} Hz by column {column!r}.",)
    if given is None:
        raise InputError(
            f"{path}: column {column!r} rises by {step:g}, which may be seconds, milliseconds or samples; name the "
            "rate, such as --rate 250."
        )
    if step != 1 and not fits:
        raise InputError(
            f"{path}: column {column!r} rises by {step:g}, which {given:g} Hz does not in any unit. Write seconds, or "
            "its unit into the column's name, such as time_ms."
        )
    return given, (f"{path}: {given:g} Hz, by which column {column!r} is understood.",)


def _rounded(rate: float) -> float:
    """A rate whose times were written with few digits."""
    whole = round(rate)
    return float(whole) if whole and abs(rate - whole) < 1e-3 * whole else rate
