"""How many samples a second a column of times says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .....errors import InputError
from ..recording import Samples

UNITS = {
    **{"ms": 1e-3, "us": 1e-6, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ns": 1e-9},
    **{"min": 60.0, "minutes": 60.0, "h": 3600.0, "hours": 3600.0},
}
_UNIT = re.compile(rf"(?:.*[_ (\[])?({'|'.join(UNITS)})[)\]]?")
ASTRAY = 0.02  # of a recording, by which a time may lie beside that of even steps
JITTER = 0.5  # of the step between two rows, by which one may be off
DRIFT = 0.01  # of the rows so far, by which times that come may lie beside those of the rate; two rows always


def rate_of(
    path: Path, column: str | None, dated: bool, times: Samples, given: float | None
) -> tuple[float, float, tuple[str, ...]]:
    """Samples a second by the times, or as the user says; seconds at which the times begin; and what is to be said.

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
        return given, 0.0, ()
    steps = np.diff(times)
    step = float(np.median(steps))
    off = np.flatnonzero(~(np.abs(steps - step) <= JITTER * abs(step)))
    if step <= 0 or len(off):
        row = int(off[0]) if len(off) else 0
        raise InputError(
            f"{path}: column {column!r} goes from {times[row]:.12g} to {times[row + 1]:.12g} where a step is {step:.6g}"
            "; a recording has one rate and no gap. Split it there."
        )
    mean = float(times[-1] - times[0]) / len(steps)
    astray = _astray(path, column, times, mean)
    fits = [unit for unit in UNITS.values() if given is not None and abs(mean * unit * given - 1) <= 0.01]
    unit = 1.0 if dated else _unit(column, step < 1, fits)
    if unit is not None:
        doubt = 2 * float(np.abs(steps - step).max()) / float(times[-1] - times[0])  # times have few digits
        found = _rounded(1 / (mean * unit), doubt)
        return found, float(times[0]) * unit, (f"{path}: {found:g} Hz by column {column!r}{astray}.",)
    if given is None:
        raise InputError(
            f"{path}: column {column!r} rises by {step:g}, which may be seconds, milliseconds or samples; name the "
            "rate, such as --rate 250."
        )
    if step != 1 and not fits:
        raise InputError(_no_unit(f"{path}: column {column!r}", step, given))
    first = float(times[0]) * (fits[0] if fits else 1 / given)
    return given, first, (f"{path}: {given:g} Hz, by which column {column!r} is understood{astray}.",)


def _astray(path: Path, column: str, times: Samples, step: float) -> str:
    """What to say of times that lie beside those of even steps; InputError where the rate is plainly another."""
    beside = np.abs(times - times[0] - step * np.arange(len(times)))
    row = int(np.argmax(beside))
    if beside[row] > max(2 * step, ASTRAY * float(times[-1] - times[0])):
        one, two = (times[row] - times[0]) / row, (times[-1] - times[row]) / (len(times) - 1 - row)
        raise InputError(
            f"{path}: column {column!r} rises by {one:.6g} a row up to {times[row]:.12g}, then by {two:.6g}; a "
            "recording has one rate. Split it there, or bring all of it to one rate."
        )
    return f", which they leave by up to {beside[row]:.3g}" if beside[row] > 2 * step else ""


def _unit(column: str, short: bool, fits: Sequence[float]) -> float | None:
    """Seconds to one of a column's times: as its name says, or if a step is short a second, unless the rate that the
    user gave fits in a smaller unit alone. ``None`` if that is not known."""
    match = _UNIT.fullmatch(column.lower())
    if match:
        return UNITS[match[1]]
    return 1.0 if short and (1.0 in fits or not any(unit < 1 for unit in fits)) else None


def _no_unit(column: str, step: float, rate: float) -> str:
    return (
        f"{column} rises by {step:.6g}, which {rate:g} Hz does not in any unit. Write seconds, or its unit into the "
        "column's name, such as time_ms."
    )


def _rounded(rate: float, doubt: float) -> float:
    """A rate whose times were written with few digits, so that it may be off by that share."""
    whole = round(rate)
    return float(whole) if whole and abs(rate - whole) <= (doubt + 1e-9) * whole else rate


class Clock:
    """Holds times that come row by row to a rate that is known.

    Args:
        where: They come from, for what is said of them.
        column: Of the times.
        dated: Whether they are dates, in seconds.
        rate: Samples a second.
    """

    def __init__(self, where: str, column: str, dated: bool, rate: float) -> None:
        self._said = f"{where}: column {column!r}"
        self._column, self._dated, self._rate = column, dated, rate
        self._first = self._last = 0.0
        self._rows = 0
        self._unit = 1.0

    def take(self, times: Samples) -> str:
        """Goes on with the times of some rows; a first row alone says nothing.

        Returns:
            How they are understood, the first time; then nothing.

        Raises:
            InputError: If they have a gap, say another rate, or no unit fits.
        """
        said = ""
        if not self._rows and len(times) < 2:
            return said
        if not self._rows:
            said = self._understood(times)
            self._first = self._last = float(times[0])
            times, self._rows = times[1:], 1
        steps = np.diff(times, prepend=self._last) * self._unit * self._rate
        rows = self._rows + np.arange(len(steps))
        beside = np.abs((times - self._first) * self._unit * self._rate - rows)
        usual = float(np.median(steps))
        even = usual > 0 and bool((np.abs(steps - usual) <= JITTER * usual).all())
        off = np.flatnonzero(~(np.abs(steps - 1) <= JITTER))
        if len(off) and not even:
            before = float(times[off[0] - 1]) if off[0] else self._last
            raise InputError(
                f"{self._said} goes from {before:.12g} to {times[off[0]]:.12g} where a step is "
                f"{1 / (self._unit * self._rate):.6g}: there is a gap, or they jump. Begin anew there."
            )
        if len(off) or (beside > np.maximum(2, DRIFT * rows)).any():
            found = rows[-1] / float(times[-1] - self._first) / self._unit
            raise InputError(
                f"{self._said} says {found:.4g} Hz, and the network reads {self._rate:g} Hz: bring the samples to "
                "that, or predict from a file, which is brought to it."
            )
        self._last, self._rows = float(times[-1]), self._rows + len(times)
        return said

    def _understood(self, times: Samples) -> str:
        steps = np.diff(times)
        step = float(np.median(steps))  # a gap may be among them
        fits = [unit for unit in UNITS.values() if abs(step * unit * self._rate - 1) <= JITTER]
        unit = 1.0 if self._dated else _unit(self._column, step < 1, fits)
        if unit is None and (steps == 1).all():  # they count samples
            unit = 1 / self._rate
        elif unit is None and not fits:
            raise InputError(_no_unit(self._said, step, self._rate))
        self._unit = fits[0] if unit is None else unit
        return f"{self._said} rises by {step:.4g} a row, which is understood as {self._rate:g} Hz."
