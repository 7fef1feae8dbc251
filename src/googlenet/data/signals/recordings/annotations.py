"""What somebody said of recordings, in a table: ``file,start,end,label``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ....errors import InputError, count
from ..rows import MISSING_LABEL
from .readers.edf import annotations_of
from .readers.formats import RECORDINGS, open_recording, sentences
from .readers.marks_table import MarksTable
from .recording import Mark, Recording

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
    table = MarksTable(path, target, group)
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
