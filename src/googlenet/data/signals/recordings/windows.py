"""How a recording is cut into windows: what a user asks for, and what is kept with the weights."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ....errors import InputError, count, short
from ....limits import INPUT, INPUT_CHANNELS
from ..rows import listing
from ..tables.schema import TableColumns
from .recording import Recording
from .resample import length_at

if TYPE_CHECKING:
    from .annotations import Annotations

LONGEST = 1024  # samples that the recipes have a network read at most
SHORTEST = 8  # samples of a window, which a network reads at least
_SPAN = re.compile(r"(\d+\.?\d*|\.\d+)\s*(ms|s|sec|min|samples?|)")
_SECONDS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0}


@dataclass(frozen=True)
class Windows:
    """How recordings become what a network reads; persisted with its preprocessing.

    Attributes:
        rate: Samples a second, to which every recording is brought.
        channels: Names, in the order of the network's.
        window: Samples of a window; 0 where a recording is one signal as a whole.
        hop: Samples from the beginning of one window to that of the next.
        centred: Whether the windows it learned from lay around marked moments, such as heart beats.
        units: Of the channels; empty where their files say none.
        time: Column of a table that the user said is the time; empty where none was said.
        id: The same, of the recording.
        missing: Words that the user said mean a missing value.
    """

    rate: float
    channels: tuple[str, ...]
    window: int = 0
    hop: int = 0
    centred: bool = False
    units: tuple[str, ...] = ()
    time: str = ""
    id: str = ""
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = (self.window, self.hop)
        if not all(type(size) is int and 0 <= size <= INPUT for size in sizes):
            raise ValueError(f"windows of {sizes} samples")
        if (
            not all(isinstance(text, str) for text in (*self.channels, *self.units, *self.missing, self.time, self.id))
            or type(self.centred) is not bool
        ):
            raise ValueError(f"windows of channels {short(repr(self.channels))}")
        if not (self.rate > 0 and math.isfinite(self.rate)) or not 0 < len(self.channels) <= INPUT_CHANNELS:
            raise ValueError(f"windows of {len(self.channels)} channels at {self.rate} Hz")

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        return asdict(self) | {name: list(getattr(self, name)) for name in ("channels", "units", "missing")}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Windows:
        """Reads what :meth:`to_dict` gave."""
        return cls(**{**row, **{name: tuple(row.get(name, ())) for name in ("channels", "units", "missing")}})

    @property
    def said(self) -> TableColumns:
        """What of the next table's columns is known."""
        return TableColumns(time=self.time or None, id=self.id or None, missing=self.missing)

    def starts(self, length: int) -> range:
        """The first samples of the windows of a recording of that many."""
        return range(0, length - self.window + 1, max(1, self.hop))

    def described(self) -> str:
        """In words, for people."""
        at = f"at {self.rate:g} Hz, channels {', '.join(self.channels)}"
        if not self.window:
            return f"whole recordings {at}"
        hop = "around each mark" if self.centred else f"every {_said(self.hop, self.rate)}"
        return f"windows of {_said(self.window, self.rate)} {hop}, {at}"


@dataclass(frozen=True)
class Cut:
    """What a user asks of recordings.

    Attributes:
        annotations: A table of ``file,start,end,label``, or another file with marks; ``None`` for those that the
            recordings bring.
        window: Such as ``2s``, ``500ms`` or ``512samples``; ``None`` for whole recordings.
        hop: The same; ``None`` for the window's length.
        rate: Samples a second to bring all to; ``None`` for the lowest there is.
        like: Of a network that is there already.
    """

    annotations: str | None = None
    window: str | None = None
    hop: str | None = None
    rate: float | None = None
    like: Windows | None = None

    @property
    def asked(self) -> bool:
        """Whether the user speaks of recordings at all."""
        return any(value is not None for value in (self.annotations, self.window, self.hop, self.rate, self.like))

    def sizes(self, rate: float) -> tuple[int, int]:
        """Samples of a window and of a hop at that rate; 0 and 0 for whole recordings.

        Raises:
            InputError: For what is no length, or too short.
        """
        if self.like is not None:
            return self.like.window, self.like.hop
        if self.window is None:
            if self.hop is not None:
                raise InputError(
                    f"--hop {self.hop} is from window to window: say how long one is, such as --window 2s."
                )
            return 0, 0
        window = samples_of(self.window, "--window", rate)
        hop = window if self.hop is None else samples_of(self.hop, "--hop", rate)
        if window < SHORTEST:
            raise InputError(
                f"--window {self.window} is {window} samples at {rate:g} Hz, and a network reads {SHORTEST} or more. "
                "Seconds are written 2s."
            )
        if hop < 1:
            raise InputError(f"--hop {self.hop} is less than a sample at {rate:g} Hz.")
        return window, hop


def samples_of(text: str, option: str, rate: float) -> int:
    """A length of time as samples: ``2s``, ``500ms``, ``1min``, ``512samples`` or ``512``.

    Args:
        text: What a user wrote.
        option: For the sentence.
        rate: Samples a second.

    Raises:
        InputError: For anything else.
    """
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None:
        raise InputError(f"{option} is a length such as 2s, 500ms or 512samples, not {text!r}.")
    number, unit = float(match[1]), match[2]
    if unit in _SECONDS:
        return round(number * _SECONDS[unit] * rate)
    if not number.is_integer():
        raise InputError(f"{option} {text} is no whole number of samples; a length of time has a unit: {text}s.")
    return int(number)


def _said(samples: int, rate: float) -> str:
    return f"{samples:,} samples ({samples / rate:.4g} s)"


def windows_for(recordings: Sequence[Recording], columns: Any, said: Annotations) -> tuple[Windows, list[str]]:
    """How to cut recordings, and what is to be said of rates, channels and units.

    Args:
        recordings: One or more.
        columns: What the user asks for, see :class:`~googlenet.data.find.Columns`.
        said: What is known of their labels.

    Raises:
        InputError: If no channel is in every recording, or the length of a window is not known.
    """
    cut: Cut = columns.cut
    rate, notes = _rate(recordings, cut)
    window, hop = cut.sizes(rate)
    if not window and not _are_whole(recordings, said):
        raise InputError("The labels are of parts of recordings; name the length of a window, such as --window 2s.")
    if cut.like is not None:
        return cut.like, notes
    channels, missing = _common_channels(recordings)
    if missing:
        notes.append(f"Channels that not every recording has are left out: {listing(missing)}.")
    moments = [mark.start == mark.end for marks in said.marks.values() for mark in marks]
    centred = set(moments) == {True}
    if any(moments) and not centred:
        notes.append(f"{count(sum(moments), 'mark')} of a moment left out, as the others are of stretches.")
    units, silent = _units(recordings, channels)
    if silent:
        notes.append(
            f"{count(len(silent), 'recording')} without units, taken for those of the others: {listing(silent)}."
        )
    named = {"time": columns.time or "", "id": columns.id or "", "missing": columns.missing}
    windows = Windows(rate, channels, window, hop, centred=centred, units=units, **named)
    notes.append(f"Read as {windows.described()}.")
    most = window or max(length_at(each, rate) for each in recordings)
    if most > LONGEST:
        notes.append(f"Of {most:,} samples a network sees {LONGEST:,} at most, squeezed with a filter (--longest).")
    return windows, notes


def _rate(recordings: Sequence[Recording], cut: Cut) -> tuple[float, list[str]]:
    """The rate for all, and what is to be said of others."""
    rates = Counter(each.rate for each in recordings)
    rate = cut.like.rate if cut.like is not None else cut.rate or min(rates)
    if set(rates) == {rate}:
        return rate, []
    there = ", ".join(f"{count(n, 'recording')} of {each:g} Hz" for each, n in sorted(rates.items()))
    return rate, [f"{there}: all are brought to {rate:g} Hz{'' if cut.rate or cut.like else ' (--rate)'}."]


def _units(recordings: Sequence[Recording], channels: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Of each channel, as the first recording says that says one, and the names of those that say none; nothing where
    none does."""

    def first(channel: str) -> str:
        said = (each.units[each.channels.index(channel)] for each in recordings if each.units)
        return next(filter(None, said), "")

    units = tuple(map(first, channels))
    return (units, [each.path.name for each in recordings if not each.units]) if any(units) else ((), [])


def _common_channels(recordings: Sequence[Recording]) -> tuple[tuple[str, ...], list[str]]:
    """Names that every recording has, in the order of the first, and the others."""
    common = set(recordings[0].channels)
    for each in recordings:
        if not common & set(each.channels):
            raise InputError(
                f"No channel is in every recording: {recordings[0].path} has {listing(recordings[0].channels)}, and "
                f"{each.path}, which has {listing(each.channels)}, has none of those that all before it have."
            )
        common &= set(each.channels)
    missing = sorted({name for each in recordings for name in each.channels if name not in common})
    return tuple(name for name in recordings[0].channels if name in common), missing


def _are_whole(recordings: Sequence[Recording], said: Annotations) -> bool:
    """Whether each recording has one label, for all of it."""
    marks = [(said.marks.get(each.path, []), each.seconds) for each in recordings]
    return all(len(own) <= 1 and all(m.start == 0 and m.end >= seconds - 1e-6 for m in own) for own, seconds in marks)
