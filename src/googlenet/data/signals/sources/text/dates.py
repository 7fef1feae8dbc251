"""Columns of time: numbers, or dates as people and programs write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..... import limits
from .....errors import InputError, quoted
from ...rows import MISSING
from .numbers import Numbers

_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(.+))?")
_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? +(.+))?")
_SLASHES = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?:,? +(.+))?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?\s*([AaPp][Mm])?\s*(Z|[+-]\d{2}:?\d{2})?")
_ZONED = re.compile(r".*[T:]\d\d.*?(?:Z|[+-]\d\d(?::?\d\d)?)")
_PRECISE = 15  # digits that float64 tells apart
_SECOND = 10**9  # nanoseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLAIN = Numbers()
Readings = tuple[int | None, int | None]  # with the month first, and with the day first


Moments = npt.NDArray[np.float64]


def moments(
    path: Path, rows: Sequence[int], cells: Sequence[str], name: str, numbers: Numbers = PLAIN
) -> tuple[Moments, dict[int, str]]:
    """Times as seconds, or whatever numbers count, that sort and differ as they do; and why some cells are none.

    All are numbers, or all are dates, as the first one that is there: ``2026-01-31T12:00:00.5Z``, ``31.01.2026 12:00``,
    ``01/31/2026 1:05 PM``. Of dates with slashes the column has to show which number is the month.

    Args:
        path: The file, for messages.
        rows: Where each row stands in it.
        cells: Of the column.
        name: Of the column.
        numbers: How the table writes numbers.

    Returns:
        Times, NaN for what is none; and index of such a cell to the sentence.

    Raises:
        InputError: If it is not plain which number of a date is the month.
    """
    counted = numbers.is_number(_first(cells))
    parsed: dict[str, Readings] = {}
    if counted:
        known = _known(cells, numbers)
    else:
        parsed = {cell: _readings(cell) for cell in dict.fromkeys(cells)}
        known = [parsed[cell] != (None, None) for cell in cells]
    wanted = "a number" if counted else "a date such as 2026-01-31 12:00:00"
    wrong = {
        at: f"{path}, row {rows[at]}: column {quoted(name)} holds {quoted(cells[at])}, which is not {wanted}."
        for at, is_known in enumerate(known)
        if not is_known
    }
    found = np.full(len(cells), np.nan)
    places = np.flatnonzero(known)
    if places.size and counted:
        found[places] = _counted([cells[at].strip() for at in places.tolist()], numbers)
    elif places.size:
        first = {cells[at]: rows[at] for at in reversed(places.tolist())}
        _check_clock(path, first, name)
        dates = _agreed(path, first, {cell: parsed[cell] for cell in reversed(first)}, name)
        start = min(dates.values())
        found[places] = np.array([dates[cells[at]] - start for at in places.tolist()], np.int64) / _SECOND
    return found, wrong


def seconds(cell: str) -> float | None:
    """A date as seconds since 1970; ``None`` if it is none, or not plain which number is the month."""
    one, two = _readings(cell)
    return None if one is None or one != two else one / _SECOND


def zoned(cell: str) -> bool:
    """Whether a date names its time zone."""
    return _ZONED.fullmatch(cell.strip()) is not None


def one_clock(where: str, cell: str) -> str:
    """The sentence for a date that names its time zone among others that do not, or the other way round."""
    has = "names its time zone, and others do not" if zoned(cell) else "names no time zone, and others do"
    return f"{where} {quoted(cell)}, which {has}; write all of them alike."


def dated(cells: Sequence[str]) -> Moments | None:
    """Dates as seconds since 1970, by an order of day and month that all of them allow; ``None`` if one is no date.

    Args:
        cells: Of a column.
    """
    parsed: dict[str, Readings] = {}
    for cell in cells:
        if cell not in parsed:
            parsed[cell] = both = _readings(cell)
            if both == (None, None):
                return None
    for place in (0, 1):
        found = [parsed[cell][place] for cell in cells]
        if found and None not in found:
            return np.array(found, np.float64) / _SECOND
    return None


def _readings(cell: str) -> Readings:
    """A date with the month first, and with the day first, in nanoseconds since 1970."""
    return _nanoseconds(cell, True), _nanoseconds(cell, False)


def _check_clock(path: Path, rows: dict[str, int], name: str) -> None:
    """Raises InputError where some dates, which stand in ``rows``, name their time zone and some do not."""
    of_zone = {cell: zoned(cell) for cell in reversed(rows)}
    odd = next((cell for cell, has in of_zone.items() if has != next(iter(of_zone.values()))), None)
    if odd is not None:
        raise InputError(one_clock(f"{path}, row {rows[odd]}: column {quoted(name)} holds", odd))


def _agreed(path: Path, rows: dict[str, int], parsed: dict[str, Readings], name: str) -> dict[str, int]:
    """Every date, by the one order of day and month that all of them allow."""
    readings: list[dict[str, int]] = []
    for place in (0, 1):
        reading = {cell: moment for cell, both in parsed.items() if (moment := both[place]) is not None}
        readings += [reading] if len(reading) == len(parsed) else []
    if not readings:
        cells = [next(cell for cell, both in parsed.items() if both[place] is None) for place in (0, 1)]
        raise InputError(
            f"{path}: column {quoted(name)} holds {quoted(cells[0])} in row {rows[cells[0]]} and {quoted(cells[1])} "
            f"in row {rows[cells[1]]}, of which one begins with the day and one with the month. Write them as "
            "2026-01-31."
        )
    starts = [min(reading.values()) for reading in readings]
    if any(
        len({reading[cell] - start for reading, start in zip(readings, starts, strict=True)}) > 1 for cell in parsed
    ):
        cell = next(iter(parsed))
        raise InputError(
            f"{path}, row {rows[cell]}: column {quoted(name)} holds {quoted(cell)}, which may begin with the day or "
            f"the month. Write dates as 2026-01-31."
        )
    return readings[0]


def _nanoseconds(cell: str, month_first: bool) -> int | None:
    """Since 1970; a time without a zone is taken for UTC. ``None`` for what is no date."""
    cell = cell.strip()
    if len(cell) > limits.TIME:
        return None
    slashes = _SLASHES.fullmatch(cell)
    dotted = _GERMAN.fullmatch(cell)
    if match := _ISO.fullmatch(cell):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    elif dotted or slashes:
        match = dotted or slashes
        assert match is not None
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        day, month = (second, first) if slashes and month_first else (first, second)
    else:
        return _compact(cell)
    try:
        date = (datetime(year, month, day, tzinfo=UTC) - _EPOCH).days * 86400 * _SECOND
    except ValueError:
        return None
    clock = _clock(match[4]) if match[4] else 0
    return None if clock is None else date + clock


def _compact(cell: str) -> int | None:
    """Other forms of ISO, such as ``20260131T120000``."""
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86400 + since.seconds) * _SECOND + since.microseconds * 1000


def _clock(text: str) -> int | None:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    half = (match[5] or "").lower()
    if hour > 23 or minute > 59 or second > 60 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    fraction = int((match[4] or "0")[:9].ljust(9, "0"))
    zone = (match[6] or "Z").replace(":", "")
    minutes = 0 if zone == "Z" else int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:5]))
    return ((hour * 60 + minute - minutes) * 60 + second) * _SECOND + fraction


def _first(cells: Sequence[str]) -> str:
    """The first that says something."""
    return next((cell for cell in cells if cell.strip().lower() not in MISSING), "0")


def _known(cells: Sequence[str], numbers: Numbers) -> list[bool]:
    """Which cells are numbers."""
    try:
        found: list[bool] = (~np.isnan(numbers.row(cells))).tolist()
    except ValueError:
        found = [numbers.is_number(cell) for cell in cells]
    return found


def _counted(cells: Sequence[str], numbers: Numbers) -> Moments:
    """Numbers; whole ones beyond what float64 tells apart count from the least."""
    if not numbers.thousands and max(map(len, cells)) <= _PRECISE:  # all are as they are written
        return np.array(numbers.row(cells), np.float64)
    if all(cell.lstrip("+-").isdigit() and len(cell) <= limits.DIGITS for cell in cells):
        whole = list(map(int, cells))
        least = min(whole) if max(map(abs, whole)) >= 2**53 else 0
        return np.array([value - least for value in whole], np.float64)
    return np.array(numbers.row(cells), np.float64)
