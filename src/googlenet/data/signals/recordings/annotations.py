"""What somebody said of recordings, in a table: ``file,start,end,label``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ....errors import InputError, count
from ..rows import MISSING_LABEL, is_number, listing
from ..sources.text.marks import TextGrid
from .readers.edf import annotations_of
from .readers.formats import RECORDINGS, open_recording, sentences
from .recording import Mark, Recording

FILES = ("file", "filename", "file_name", "recording", "record", "path", "name")
STARTS = ("start", "onset", "begin", "from", "start_time", "time", "t", "at")
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
UNITS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "sample": 0.0, "samples": 0.0}  # 0: of a rate
_UNIT = re.compile(r"(.*?)[ _]*[(\[ _](ms|s|sec|seconds?|samples?)[)\]]?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
SLACK = 1e-6  # seconds by which a mark may lie beyond an end, as numbers are written in decimals


@dataclass
class Annotations:
    """Marks and groups by recording; the paths are those of the recordings.

    Attributes:
        marks: Of each that has some.
        groups: Of each, if a column says so.
        notes: What is to be said.
    """

    marks: dict[Path, list[Mark]] = field(default_factory=dict)
    groups: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_annotations(
    path: Path, recordings: Sequence[Recording], target: str | None = None, group: str | None = None
) -> Annotations:
    """Reads a table of marks, or the marks of an EDF+ file that holds nothing else.

    Args:
        path: The file.
        recordings: That it may speak of.
        target: Column of the labels; ``None`` to find it by its name.
        group: Column whose equal rows stay on one side of a split.

    Raises:
        InputError: At the first row that is wrong: of a file that is not there, outside the recording, without a time.
    """
    if path.suffix.lower() in RECORDINGS:
        if len(recordings) != 1:
            raise InputError(f"{path} holds the marks of one recording, and there are {len(recordings)}.")
        return Annotations({recordings[0].path: list(_marks_of(path))})
    if not path.is_file():
        raise InputError(f"There is no table of annotations {path}.")
    table = _Table(path, target, group)
    found = Annotations()
    clipped = unlabelled = 0
    rows = [
        _Row(f"{path}, row {row}", cells, *table.place(f"{path}, row {row}", cells, recordings))
        for row, cells in table.rows()
    ]
    begins = _begins(rows)
    found.notes += [
        f"{path}: times of {each.path} are its own, which begin at {begins[each.path]:g} s."
        for each in recordings
        if begins.get(each.path)
    ]
    for row in rows:
        recording, where = row.recording, row.where
        start, end = row.within(begins[recording.path])
        clipped += end > recording.seconds + SLACK
        if group is not None:
            _add_group(found.groups, where, recording.path, row.cells[table.group])
        label = _plain(row.cells[table.label].strip())
        if label.lower() in MISSING_LABEL:
            unlabelled += 1
            continue
        found.marks.setdefault(recording.path, []).append(Mark(max(0.0, start), min(end, recording.seconds), label))
    if clipped:
        found.notes.append(f"{count(clipped, 'mark')} of {path} ended behind the recording, and end with it.")
    if unlabelled:
        found.notes.append(f"{count(unlabelled, 'row')} of {path} without a label left out.")
    return found


def _plain(label: str) -> str:
    """Without the apostrophe that CSV of ours has before what a spreadsheet would compute."""
    return label[1:] if label[:1] == "'" and label[1:2] in tuple("=+-@'") else label


@dataclass(frozen=True)
class _Row:
    """A row, the recording that it speaks of, and its times as they are written, in seconds."""

    where: str
    cells: Sequence[str]
    recording: Recording
    start: float
    end: float
    own: float  # at which the recording's own times begin, if these may be such

    def within(self, begin: float) -> tuple[float, float]:
        """Begin and end in seconds since the recording began, which is ``begin`` in the times that are written."""
        recording, start, end = self.recording, self.start - begin, self.end - begin
        if start < -SLACK or start >= recording.seconds:
            own = f", and whose times begin at {recording.first:g} s" if recording.first else ""
            raise InputError(
                f"{self.where}: {self.start:g} s is outside {recording.path}, which has {recording.seconds:g} s{own}."
            )
        if end < start:
            raise InputError(f"{self.where}: it ends at {self.end:g} s, before it begins at {self.start:g} s.")
        return start, end


def _begins(rows: Sequence[_Row]) -> dict[Path, float]:
    """Of each recording, at which of the times that are written it begins: at its own first, if it has one and all are
    in it, else at 0."""
    found = {row.recording.path: row.own for row in rows}
    for row in rows:
        if not row.own - SLACK <= row.start < row.own + row.recording.seconds:
            found[row.recording.path] = 0.0
    return found


def _marks_of(path: Path) -> Sequence[Mark]:
    if path.suffix.lower() not in (".edf", ".bdf"):
        return open_recording(path).marks
    with sentences(path):
        return annotations_of(path)


def _add_group(groups: dict[Path, str], where: str, path: Path, cell: str) -> None:
    name = cell.strip()
    if not name:
        raise InputError(f"{where}: the group is missing. Write one, or remove the row.")
    if groups.setdefault(path, name) != name:
        raise InputError(f"{where}: {path} is of group {name!r} here and of {groups[path]!r} before.")


class _Table:
    """A text table of annotations and what its columns mean."""

    def __init__(self, path: Path, target: str | None, group: str | None) -> None:
        self.path = path
        grid = TextGrid(path)
        self._lines = list(grid.rows())
        if not self._lines:
            raise InputError(f"{path} has no row: write file,start,end,label.")
        self._decimal = "," if grid.mark not in (",", None) else "."
        header = [cell.strip() for cell in self._lines[0][1]]
        names, units = _named(header)
        self.headed = not any(is_number(cell) for cell in header)
        if not self.headed:
            names = _headless(path, header)
            units = [1.0] * len(names)
        self.width = len(header)
        self.names = [" ".join(name.split()) for name in names]  # a cell may go over several lines
        self.file = _first(names, FILES)
        self.start, self.end = self._wanted("start", STARTS), _first(names, ENDS)
        self.duration = _first(names, DURATIONS)
        self.units = units
        self.label = self._wanted("label", LABELS) if target is None else self._given("target", target, header)
        self.group = -1 if group is None else self._given("group", group, header)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header."""
        for number, cells in self._lines[int(self.headed) :]:
            if len(cells) != self.width:
                raise InputError(f"{self.path}, row {number} has {len(cells)} cells, and the first has {self.width}.")
            yield number, cells

    def recording(self, where: str, cells: Sequence[str], recordings: Sequence[Recording]) -> Recording:
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
        and clocks count from its beginning."""
        recording = self.recording(where, cells, recordings)
        counts = self.units[self.start] == 0 or not is_number(cells[self.start].strip().replace(self._decimal, "."))
        return recording, *self.times(where, cells, recording), 0.0 if counts else recording.first

    def times(self, where: str, cells: Sequence[str], recording: Recording) -> tuple[float, float]:
        """Begin and end in seconds; equal for a moment."""
        start = self._time(where, cells, self.start, recording)
        if self.end is not None and cells[self.end].strip():
            return start, self._time(where, cells, self.end, recording)
        if self.duration is not None and cells[self.duration].strip():
            length = self._time(where, cells, self.duration, recording)
            if length < 0:
                raise InputError(f"{where}: it lasts {length:g} s; that cannot be.")
            return start, start + length
        return start, start

    def _time(self, where: str, cells: Sequence[str], column: int, recording: Recording) -> float:
        text = cells[column].strip()
        if is_number(number := text.replace(self._decimal, ".")):
            return float(number) * (self.units[column] or 1 / recording.rate)
        if (clock := _CLOCK.fullmatch(text)) is not None:
            if recording.began is not None:
                raise InputError(
                    f"{where}: {text} may be a time of day, or since the beginning: write seconds, or date and time."
                )
            return 3600 * float(clock[1] or 0) + 60 * float(clock[2]) + float(clock[3])
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise InputError(f"{where}: {text!r} is no time; write seconds from the beginning.") from None
        if recording.began is None:
            raise InputError(
                f"{where}: {recording.path} does not say when it began, so {text} is nowhere in it; write seconds."
            )
        return (moment.replace(tzinfo=None) - recording.began).total_seconds()

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


def _named(header: Sequence[str]) -> tuple[list[str], list[float]]:
    """Names in lower case without their units, and the units as seconds (0: samples)."""
    names, units = [], []
    for cell in header:
        name = cell.lower()
        unit = "s"
        if name in ("sample", "samples"):
            name, unit = "start", "sample"
        elif (match := _UNIT.fullmatch(name)) is not None:
            name, unit = match[1], match[2]
        names.append(name)
        units.append(UNITS[unit])
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
