"""Tables with a row for each moment: a column of times, one for each channel, and perhaps a label that changes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .....errors import InputError
from ...rows import MISSING_LABEL, is_number, listing, to_numbers
from ...sources.text.dates import one_clock, seconds, zoned
from ...sources.text.numbers import Numbers
from ...tables.names import owns
from ...tables.schema import UNSAID, TableColumns, check_given
from ..recording import Mark, Recording, Samples
from .rates import rate_of
from .table_rows import Chunk, parquet_rows, text_rows

TIMES = ("time", "timestamp", "t", "datetime", "date", "seconds", "sec", "ms", "elapsed")
LABELS = ("label", "class", "target", "activity", "stage", "state", "annotation", "rhythm", "event")
IDS = (
    *("id", "session", "recording", "record", "trial", "file", "series", "case", "subject", "patient", "user"),
    *("participant", "session_id", "recording_id", "record_id", "subject_id", "patient_id", "user_id", "trial_id"),
)
COUNTERS = (
    "",
    "index",
    "unnamed: 0",
    "row",
    "sample",
    "step",
    "frame",
    "counter",
)  # of rows: neither times nor samples

_BLOCKS = 8  # rows of a recording, at least


@dataclass
class _Roles:
    """Which column means what, by position."""

    channels: list[int] = field(default_factory=list)
    label: int | None = None
    ids: list[int] = field(default_factory=list)
    time: int | None = None
    dated: bool = False
    zoned: bool = False  # whether its dates name their time zone
    group: int | None = None
    left_out: list[int] = field(default_factory=list)

    def group_of(self, row: Sequence[str]) -> str:
        """Of a row; empty where no column says it."""
        return "" if self.group is None else row[self.group].strip()


@dataclass
class _Stretch:
    """Rows of one recording; the marks are in rows until its rate is known."""

    name: str
    start: int
    group: str = ""
    stop: int = 0
    marks: list[tuple[int, str]] = field(default_factory=list)

    def check(self, where: str, group: str) -> None:
        """Raises InputError for a row of another group: a recording has one."""
        if group != self.group:
            raise InputError(f"{where}: {self.name or 'it'} is of group {group!r} here and of {self.group!r} before.")

    def take(self, row: int, label: str | None) -> None:
        """Goes on with a row and its label."""
        self.stop = row + 1
        if label is not None and (not self.marks or self.marks[-1][1] != label):
            self.marks.append((row, label))


def open_table(path: Path, rate: float | None, said: TableColumns = UNSAID) -> list[Recording]:
    """The recordings of a table, one for each that columns of ids name.

    Args:
        path: Text with a header, or Parquet.
        rate: Samples a second, where the times do not say it.
        said: Of its columns; what is not said is found by their names.

    Raises:
        InputError: If a column cannot be told, a cell is no number, or there is a gap in time.
    """
    header, chunks, written = parquet_rows(path) if path.suffix.lower() == ".parquet" else text_rows(path)
    first = next(chunks, None)
    if first is None:
        raise InputError(f"{path} has no row below its header.")
    check_given(path, header, said)
    roles = _roles(path, header, [list(map(written.plain, row)) for row in first[0]], said)
    roles.zoned = roles.dated and zoned(first[0][0][roles.time or 0])
    stretches: list[_Stretch] = []
    with tempfile.TemporaryFile() as file:
        rows = 0
        for cells in chain([first], chunks):
            cells = _plain(_known(cells, said.missing), roles, written)
            rows = _taken(path, header, roles, cells, rows, stretches, file)
        file.flush()
        values = np.asarray(np.memmap(file, np.float64, "r", shape=(rows, 1 + len(roles.channels))))
    names = tuple(header[at] for at in roles.channels)
    remarks = [f"{path}: channels {listing(names)}"]
    named = (("labels", roles.label), *(("ids", at) for at in roles.ids), ("groups", roles.group))
    remarks += [f", {what} in column {header[at]!r}" for what, at in named if at is not None]
    remarks += [f", {listing([header[at] for at in roles.left_out])} left out"] if roles.left_out else []
    told = ("".join(remarks) + ".",)
    return [
        _recording(path, header, roles, stretch, values, names, rate, told if at == 0 else ())
        for at, stretch in enumerate(stretches)
    ]


def _known(chunk: Chunk, missing: Sequence[str]) -> Chunk:
    """Rows in which the words for what is missing are ``nan``."""
    words = {word.strip().lower() for word in missing}
    if not words:
        return chunk
    return [["nan" if cell.strip().lower() in words else cell for cell in row] for row in chunk[0]], chunk[1]


def _plain(chunk: Chunk, roles: _Roles, written: Numbers) -> Chunk:
    """Rows in which times and channels are as programs write them; labels and names stay as they are."""
    places = [] if written == Numbers() else [at for at in (*roles.channels, roles.time) if at is not None]
    for row in chunk[0]:
        for at in places:
            row[at] = written.plain(row[at])
    return chunk


def _roles(path: Path, header: list[str], rows: list[list[str]], said: TableColumns) -> _Roles:
    """What the columns are: by what the user said, by their names, and by what is in the first rows."""
    texts = [2 * sum(_is_text(row[at]) for row in rows) > len(rows) for at in range(len(header))]
    label, group = (None if name is None else header.index(name) for name in (said.target, said.group))
    found = _Roles(label=label, group=group, time=time_column(header, said), ids=_ids(header, rows, said))
    found.dated = found.time is not None and texts[found.time]
    for at, name in enumerate(header):
        if at in (found.time, *found.ids, found.group) or at == label:
            continue
        if name in said.ignore:
            found.left_out.append(at)
        elif found.label is None and name.lower() in LABELS:
            found.label = at
        elif texts[at] or name.lower() in (*COUNTERS, *IDS, *LABELS, *TIMES):
            found.left_out.append(at)
        else:
            found.channels.append(at)
    if not found.channels:
        raise InputError(f"{path} has no column of numbers to take for a channel. It has: {listing(header)}.")
    return found


def time_column(header: Sequence[str], said: TableColumns) -> int | None:
    """The column of the times: the one that is called so, else one whose name begins so; ``None`` if there is none.

    Args:
        header: Names of the columns.
        said: Of them, by the user.
    """
    if said.time is not None:
        return header.index(said.time)
    there = {at: name.lower() for at, name in enumerate(header) if name not in (*said.ignore, *said.named().values())}
    for called in (str, _bare):
        fitting = [at for at, name in there.items() if called(name) in TIMES]
        if fitting:
            return min(fitting, key=lambda at: TIMES.index(called(there[at])))
    return None


def _ids(header: Sequence[str], rows: Sequence[Sequence[str]], said: TableColumns) -> list[int]:
    """The columns that name a recording, together; not one that names every row."""
    if said.id is not None:
        return [header.index(said.id)]
    free = [at for at, name in enumerate(header) if name not in (*said.ignore, said.target)]
    called = [at for at in free if header[at].lower() in IDS or (owns(header[at]) and _in_blocks(rows, at))]
    return [at for at in called if len(rows) < 2 or len({row[at] for row in rows}) < len(rows)]


def _in_blocks(rows: Sequence[Sequence[str]], at: int) -> bool:
    """Whether a column keeps its value over many rows, and has none with a fraction."""
    cells = [row[at].strip() for row in rows]
    changes = sum(one != two for one, two in pairwise(cells))
    return _BLOCKS * changes <= len(cells) and all(_is_text(cell) or cell.isdecimal() for cell in cells)


def _is_text(cell: str) -> bool:
    return bool(cell.strip()) and not is_number(cell) and cell.strip().lower() != "nan"


def _bare(name: str) -> str:
    """A name of a column without its unit."""
    return name.replace("(", "_").replace("[", "_").strip(")] ").split("_")[0].strip()


def _taken(
    path: Path, header: list[str], roles: _Roles, chunk: Chunk, rows: int, stretches: list[_Stretch], file: Any
) -> int:
    """Keeps the times and numbers of some rows and what changes in them; gives how many rows there are now."""
    cells, first = chunk
    moments = [
        0.0 if roles.time is None else _moment(path, first + at, row[roles.time], roles) for at, row in enumerate(cells)
    ]
    numbers = _numbers(
        path, [header[at] for at in roles.channels], [[row[at] for at in roles.channels] for row in cells], first
    )
    np.column_stack([moments, numbers]).tofile(file)
    for at, row in enumerate(cells):
        name = " ".join(row[column].strip() for column in roles.ids)
        if not stretches or stretches[-1].name != name:
            if any(stretch.name == name for stretch in stretches):
                raise InputError(
                    f"{path}, row {first + at}: {' '.join(header[column] for column in roles.ids)} {name!r} goes on "
                    "after another; sort the rows by it."
                )
            stretches.append(_Stretch(name, rows + at, roles.group_of(row)))
        stretches[-1].check(f"{path}, row {first + at}", roles.group_of(row))
        stretches[-1].take(rows + at, None if roles.label is None else row[roles.label].strip())
    return rows + len(cells)


def _numbers(path: Path, names: Sequence[str], cells: Sequence[Sequence[str]], first: int) -> Samples:
    """Text as numbers, ``(rows, channels)``; the sentence for what is none names its cell."""
    try:
        return np.array(cells, np.float64)
    except ValueError:

        def place(row: int) -> Callable[[int], str]:
            return lambda at: f"{path}, row {row}, column {names[at]!r}"

        return np.array([to_numbers(row, place(first + at)) for at, row in enumerate(cells)])


def _moment(path: Path, row: int, cell: str, roles: _Roles) -> float:
    """A time as a number; of a date and time its seconds."""
    try:
        return float(cell)
    except ValueError:
        moment = seconds(cell)
        if moment is None:
            raise InputError(
                f"{path}, row {row}: {cell!r} is no time. Write 2026-01-31 12:00:00, or seconds."
            ) from None
        if zoned(cell) != roles.zoned:
            raise InputError(one_clock(f"{path}, row {row}: its time is", cell)) from None
        return moment


def _recording(
    path: Path,
    header: Sequence[str],
    roles: _Roles,
    stretch: _Stretch,
    values: Samples,
    names: tuple[str, ...],
    given: float | None,
    remarks: tuple[str, ...],
) -> Recording:
    """One recording of a table, whose rate is now known."""
    own = values[stretch.start : stretch.stop, 1:]
    if len(own) < 2:
        raise InputError(f"{path} has a single row for {stretch.name or 'its recording'}; that is no recording.")
    column = None if roles.time is None else header[roles.time]
    rate, first, said = rate_of(path, column, roles.dated, values[stretch.start : stretch.stop, 0], given)

    def read(start: int, stop: int) -> Samples:
        return np.array(own[start:stop].T)

    ends = [*(at for at, _ in stretch.marks), stretch.stop][1:]
    marks = tuple(
        Mark((at - stretch.start) / rate, (end - stretch.start) / rate, label)
        for (at, label), end in zip(stretch.marks, ends, strict=True)
        if label.lower() not in MISSING_LABEL
    )
    where = Path(f"{path}:{stretch.name}") if stretch.name else path
    began = datetime.fromtimestamp(first, UTC) if roles.dated else None
    if began is not None and not roles.zoned:
        began = began.replace(tzinfo=None)
    counts = 0.0 if roles.dated else first
    return Recording(where, names, rate, len(own), read, marks, (*remarks, *said), began, stretch.group, first=counts)
