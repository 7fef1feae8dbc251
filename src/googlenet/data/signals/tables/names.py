"""What the names of columns tell: words that people use, and runs of numbered columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .... import limits
from ....errors import count, short
from ..rows import is_number
from ..sources.text.dates import seconds

LABELS = ("label", "labels", "class", "target", "category", "activity", "y")
IDS = ("id", "series", "signal", "case")
TIMES = ("time", "timestamp", "t", "index", "step", "sample")
ROW_NUMBERS = frozenset({"", "unnamed: 0", "rownames"})  # that programs write

_OWNERS = (
    "id ids uid uuid series signal case record recording session trial run file filename name subject patient person "
    "participant user animal device machine unit episode segment"
)
_BEARERS = frozenset(_OWNERS.split())
_NUMBERS = frozenset({"no", "nr", "num", "number", "name", "code", "key"})
_WHEN = (
    "time times timestamp timestamps t index step steps timestep sample sec secs second seconds s ms us minute minutes "
    "hour hours frame frames tick ticks date datetime clock epoch unix elapsed ns"
)
_CLOCKS = frozenset(_WHEN.split())
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DIGITS = re.compile(r"\d+")
_BEFORE_DECIMAL = re.compile(r"[a-zA-Z\d.]")  # of ch1.0 the number is 0
_MOST = 1e100  # a number of a name; of larger ones no steps are known
_CLOCK_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_SEPARATORS = " _.-:/,()[]{}<>=#"


class Place(NamedTuple):
    """Where a column stands in a run: what is around its number, and the number."""

    key: tuple[str, str]
    number: float
    name: str


@dataclass(frozen=True)
class Run:
    """Columns that differ in a number alone, such as ``v0 … v39``.

    Attributes:
        prefix: Before the number; with the separators, as the first column has it.
        suffix: Behind it.
        numbers: Rising.
    """

    prefix: str
    suffix: str
    numbers: tuple[float, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What all of its columns share, however they write it."""
        return _key(self.prefix, self.suffix)

    @property
    def label(self) -> str:
        """The name of the channel that it is."""
        return "_".join(part for part in (self.prefix.strip(_SEPARATORS), self.suffix.strip(_SEPARATORS)) if part)

    def column(self, number: float) -> str:
        """The name of one of its columns, without padding."""
        return f"{self.prefix}{number:.15g}{self.suffix}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON; short where the numbers are evenly spaced."""
        row: dict[str, Any] = {"prefix": self.prefix, "suffix": self.suffix}
        if len(self.numbers) > 2:
            first, step = self.numbers[0], self.numbers[1] - self.numbers[0]
            if self.numbers == _evenly(first, step, len(self.numbers)):
                return row | {"first": first, "step": step, "count": len(self.numbers)}
        return row | {"numbers": list(self.numbers)}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Run:
        """Reads what :meth:`to_dict` gave."""
        numbers = row.get("numbers")
        if numbers is None:
            first, step, length = row["first"], row["step"], row["count"]
            if type(length) is not int or not 0 < length <= limits.COLUMNS:
                raise ValueError(f"a run of {length!r} columns")
            numbers = _evenly(first, step, length)
        return cls(str(row["prefix"]), str(row["suffix"]), tuple(float(number) for number in numbers))


def _evenly(first: float, step: float, length: int) -> tuple[float, ...]:
    return tuple(first + at * step for at in range(length))


def words(name: str) -> list[str]:
    """The words of a name, in lower case: of ``recordId``, ``record_id`` and ``Record ID`` the same."""
    return [word.lower() for word in _WORD.findall(name)]


def bears(name: str) -> bool:
    """Whether a name is one that is given to what a signal, or several, belong to: an id, a patient, a session."""
    return bool(_BEARERS & set(words(name)))


def owns(name: str) -> bool:
    """Whether a name is that of what recordings belong to and nothing else: ``Subject ID``, ``trial_no``."""
    return bears(name) and set(words(name)) <= _BEARERS - {"signal"} | _NUMBERS


def is_clock(name: str) -> bool:
    """Whether a name is one that is given to a column of times."""
    found = words(name)
    return bool(found) and (found[0] in _CLOCKS or found[-1] in _CLOCKS)


def place(name: str) -> Place | None:
    """Where a column stands in a run; ``None`` if its name has no number."""
    moment = _moment(name)
    if moment is not None:
        return Place(("", ""), moment, name)
    parts = numbered(name)
    return None if parts is None else Place(_key(parts[0], parts[2]), float(parts[1]), name)


def numbered(name: str) -> tuple[str, str, str] | None:
    """A name before, in and behind its last number; ``None`` if it has none, or is too long to be looked at."""
    if len(name) > limits.COLUMN or is_number(name):  # of a number alone, one that is too large
        return None
    runs = [match.span() for match in _DIGITS.finditer(name)]
    if not runs:
        return None
    start, end = runs[-1]
    if len(runs) > 1 and runs[-2][1] + 1 == start and name[start - 1] == ".":
        first = runs[-2][0]
        if first == 0 or not _BEFORE_DECIMAL.match(name[first - 1]):
            start = first
    return None if float(name[start:end]) > _MOST else (name[:start], name[start:end], name[end:])


def _moment(name: str) -> float | None:
    """A name that is a number, a time of day or a date."""
    if len(name) > limits.COLUMN:
        return None
    if is_number(name):
        return float(name) if abs(float(name)) <= _MOST else None
    clock = _CLOCK_TIME.fullmatch(name.strip())
    if clock is not None:
        return 3600.0 * int(clock[1]) + 60.0 * int(clock[2]) + float(clock[3] or 0)
    return seconds(name) if name.count("-") > 1 else None


def _key(prefix: str, suffix: str) -> tuple[str, str]:
    return prefix.rstrip(_SEPARATORS).casefold(), suffix.strip(_SEPARATORS).casefold()


def runs(names: Iterable[str]) -> dict[tuple[str, str], list[Place]]:
    """The runs of numbered columns, each in the order of its numbers."""
    found: dict[tuple[str, str], list[Place]] = {}
    for name in names:
        at = place(name)
        if at is not None:
            found.setdefault(at.key, []).append(at)
    return {key: sorted(places, key=lambda at: at.number) for key, places in found.items()}


def run_of(places: Sequence[Place]) -> Run:
    """The run that columns are."""
    parts = None if places[0].key == ("", "") else numbered(places[0].name)
    before, _, behind = parts or ("", "", "")
    return Run(before, behind, tuple(at.number for at in places))


def ends(names: Sequence[str]) -> str:
    """Names of a run for people: the first and the last."""
    if len(names) < 3:
        return ", ".join(map(short, names))
    return f"{short(names[0])} … {short(names[-1])} ({count(len(names), 'column')})"
