"""The columns of a table of marks, ``file,start,end,label``, and the times that stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path

from .....errors import InputError
from ...rows import is_number, listing
from ...sources.text.dates import seconds, zoned
from ...sources.text.marks import TextGrid
from ...sources.text.numbers import Ambiguous, Numbers, numbers_of
from ..recording import Recording

FILES = ("file", "filename", "file_name", "recording", "record", "path", "name")
STARTS = ("start", "onset", "begin", "from", "start_time", "time", "t", "at", "sample", "samples")
ENDS = ("end", "stop", "offset", "to", "end_time", "until")
DURATIONS = ("duration", "length", "dur")
LABELS = (
    "label",
    "class",
    "target",
    "annotation",
    "event",
    "description",
    "symbol",
    "stage",
    "activity",
    "type",
    "text",
)
UNITS = {
    "": 1.0,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "sample": 0.0,
    "samples": 0.0,
}  # 0: of a rate
_UNIT = re.compile(r"(.*?)[ _]*[(\[ _](ms|s|sec|seconds?|samples?)[)\]]?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")


class MarksTable:
    """A text table of marks and what its columns mean.

    Args:
        path: The file.
        target: Column of the labels; ``None`` to find it by its name.
        group: Column of groups, if any.

    Attributes:
        label: Position of the column of labels.
        group: And of groups; -1 for none.

    Raises:
        InputError: If it has no row, or no column of that name or meaning.
    """

    def __init__(self, path: Path, target: str | None, group: str | None) -> None:
        self.path = path
        grid = TextGrid(path)
        self._lines = list(grid.rows())
        if not self._lines:
            raise InputError(f"{path} has no row: write file,start,end,label.")
        header = [cell.strip() for cell in self._lines[0][1]]
        names, units = _named(header)
        self.headed = not any(is_number(cell) for cell in header)
        if not self.headed:
            names = _headless(path, header)
            units = [""] * len(names)
        self.width = len(header)
        self.names = [" ".join(name.split()) for name in names]  # a cell may go over several lines
        self.file = _first(names, FILES)
        self.start, self.end = self._wanted("start", STARTS), _first(names, ENDS)
        self.duration = _first(names, DURATIONS)
        times = [at for at in (self.start, self.end, self.duration) if at is not None]
        self._check_units(header, [units[at] for at in times], times)
        self.units = [UNITS[unit] for unit in units]
        self._numbers = self._written(
            [cells[at] for _, cells in self._lines[1:] for at in times if at < len(cells)], grid
        )
        self.label = self._wanted("label", LABELS) if target is None else self._given("target", target, header)
        self.group = -1 if group is None else self._given("group", group, header)

    def _check_units(self, header: Sequence[str], units: Sequence[str], times: Sequence[int]) -> None:
        """That all times say their unit where one says another than seconds."""
        other = next((at for at, unit in zip(times, units, strict=True) if UNITS[unit] != 1), None)
        unsaid = next((at for at, unit in zip(times, units, strict=True) if not unit), None)
        if other is not None and unsaid is not None:
            raise InputError(
                f"{self.path}: the column {header[other]!r} says its unit, and {header[unsaid]!r} does not. Write it "
                f"into its name, such as {header[unsaid]}_s."
            )

    def _written(self, cells: Sequence[str], grid: TextGrid) -> Numbers:
        """How its times are written."""
        try:
            return numbers_of(cells, grid.mark)
        except Ambiguous as error:
            raise InputError(
                f"{self.path} holds the time {str(error)!r}, which may be a thousand and more, or one and a bit. Write "
                "no mark between thousands, and another digit behind a decimal one."
            ) from None

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header."""
        for number, cells in self._lines[int(self.headed) :]:
            if len(cells) != self.width:
                raise InputError(f"{self.path}, row {number} has {len(cells)} cells, and the first has {self.width}.")
            yield number, cells

    def _recording(self, where: str, cells: Sequence[str], recordings: Sequence[Recording]) -> Recording:
        """The recording that a row speaks of."""
        if self.file is None:
            if len(recordings) == 1:
                return recordings[0]
            raise InputError(
                f"{self.path} has no column that names the file ({', '.join(FILES[:4])}), and there are "
                f"{len(recordings)} recordings."
            )
        name = cells[self.file].strip()
        parts = Path(name.replace("\\", "/")).parts
        fitting = [
            each
            for each in recordings
            if each.path.parts[-len(parts) :] == parts or each.path.with_suffix("").parts[-len(parts) :] == parts
        ]
        if len(fitting) == 1:
            return fitting[0]
        known = listing([each.path.name for each in recordings])
        if not fitting:
            raise InputError(f"{where}: there is no recording {name!r}. There is: {known}.")
        raise InputError(f"{where}: {name!r} may be {fitting[0].path} or {fitting[1].path}; write more of the path.")

    def place(
        self, where: str, cells: Sequence[str], recordings: Sequence[Recording]
    ) -> tuple[Recording, float, float, float]:
        """The recording that a row speaks of, its times, and where those of the recording begin; numbers of samples
        and clocks count from its beginning.

        Args:
            where: The row, for messages.
            cells: Of it.
            recordings: That it may speak of.

        Returns:
            The recording; begin, end, and its own beginning, in seconds.

        Raises:
            InputError: If there is no such recording, or a cell is no time.
        """
        recording = self._recording(where, cells, recordings)
        counts = self.units[self.start] == 0 or not self._numbers.is_number(cells[self.start])
        return recording, *self._times(where, cells, recording), 0.0 if counts else recording.first

    def _times(self, where: str, cells: Sequence[str], recording: Recording) -> tuple[float, float]:
        """Begin and end in seconds; equal for a moment."""
        start = self._time(where, cells, self.start, recording)
        if self.end is not None and self._numbers.plain(cells[self.end].strip()):
            return start, self._time(where, cells, self.end, recording)
        if self.duration is not None and self._numbers.plain(cells[self.duration].strip()):
            length = self._time(where, cells, self.duration, recording)
            if length < 0:
                raise InputError(f"{where}: it lasts {length:g} s; that cannot be.")
            return start, start + length
        return start, start

    def _time(self, where: str, cells: Sequence[str], column: int, recording: Recording) -> float:
        text = cells[column].strip()
        if is_number(number := self._numbers.plain(text)):
            return float(number) * (self.units[column] or 1 / recording.rate)
        if (clock := _CLOCK.fullmatch(text)) is not None:
            if recording.began is not None:
                raise InputError(
                    f"{where}: {text} may be a time of day, or since the beginning: write seconds, or date and time."
                )
            return 3600 * float(clock[1] or 0) + 60 * float(clock[2]) + float(clock[3])
        if (moment := seconds(text)) is None:
            raise InputError(f"{where}: {text!r} is no time; write seconds from the beginning, or 2026-01-31 12:00:00.")
        return moment - _beginning(where, text, recording)

    def _wanted(self, what: str, names: Sequence[str]) -> int:
        found = _first(self.names, names)
        if found is None:
            hint = "; name it with --target" if what == "label" else ""
            raise InputError(
                f"{self.path} has no column for the {what} ({', '.join(names[:3])}, ...){hint}. It has: "
                f"{listing(self.names)}."
            )
        return found

    def _given(self, option: str, name: str, header: Sequence[str]) -> int:
        if name not in header:
            raise InputError(f"{self.path} has no column {name!r} for --{option}. It has: {listing(list(header))}.")
        return header.index(name)


def _beginning(where: str, text: str, recording: Recording) -> float:
    """When a recording began, in seconds since 1970, by the clock that a date is of."""
    began = recording.began
    if began is None:
        raise InputError(
            f"{where}: {recording.path} does not say when it began, so {text} is nowhere in it; write seconds."
        )
    if zoned(text) != (began.tzinfo is not None):
        raise InputError(
            f"{where}: of {text} and of the beginning of {recording.path}, {began}, one names its time zone and one "
            "does not; write the mark as the recording does, or in seconds from the beginning."
        )
    return began.replace(tzinfo=UTC).timestamp()


def _named(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names in lower case without their units, and the units; "" where none is said."""
    names, units = [], []
    for cell in header:
        name = cell.lower()
        unit = "sample" if name in ("sample", "samples") else ""
        if (match := _UNIT.fullmatch(name)) is not None:
            name, unit = match[1], match[2]
        names.append(name)
        units.append(unit)
    return names, units


def _headless(path: Path, cells: Sequence[str]) -> list[str]:
    """What the columns of a table without a header are."""
    known = {2: ["start", "label"], 3: ["start", "end", "label"], 4: ["file", "start", "end", "label"]}
    names = known.get(len(cells))
    if names is None or (is_number(cells[-1]) and len(cells) == 2) or not is_number(cells[len(cells) == 4]):
        raise InputError(f"{path} has no header that names its columns; write one: file,start,end,label.")
    return names


def _first(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)
