"""The windows of a recording, one after the other, as they are read or come: memory stays that of a few."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np

from ....errors import InputError, quoted
from ...protocol import Example
from ..rows import Signal, is_number, listing, to_numbers
from ..sources.text.dates import seconds
from ..tables.schema import TableColumns
from .readers.formats import open_recordings
from .readers.long_table import time_column
from .readers.rates import Clock
from .recording import Recording, Samples
from .resample import length_at, resampled
from .units import in_units
from .windows import Windows

PIPE = "standard input"


def opened(path: str | Path, windows: Windows) -> list[Recording]:
    """The recordings of a file that is to be read as a network reads them; of one that does not say its rate it is the
    network's.

    Raises:
        InputError: If it cannot be read, lacks a channel, or is shorter than a window.
    """
    found = [in_units(each, windows) for each in open_recordings(Path(path), windows.rate, windows.said)]
    for recording in found:
        recording.rows(windows.channels)
        if length_at(recording, windows.rate) < windows.window:
            raise InputError(
                f"{recording.path} has {recording.seconds:g} s, and a window has {windows.window / windows.rate:g} s: "
                "it is too short."
            )
    return found


def examples(path: str | Path, windows: Windows) -> Iterator[Example]:
    """The windows of a file, named by their seconds; what cannot be read is an example with an error."""
    try:
        for recording in opened(path, windows):
            yield from examples_of(recording, windows)
    except InputError as error:
        yield Example(str(path), error=str(error))


def examples_of(recording: Recording, windows: Windows) -> Iterator[Example]:
    """The windows of a recording, named by their seconds.

    Raises:
        InputError: If it cannot be read to its end.
    """
    blocks = resampled(recording, windows.rate, windows.channels)
    if not windows.window:
        yield Example(str(recording.path), np.concatenate(list(blocks), axis=1).astype(np.float32))
        return
    starts = places(recording, windows)
    for start, signal in zip(starts, cut(blocks, iter(starts), windows.window), strict=True):
        first, last = start / windows.rate, (start + windows.window) / windows.rate
        yield Example(f"{recording.path} {first:g}-{last:g} s", signal)


def places(recording: Recording, windows: Windows) -> list[int] | range:
    """The first samples of the windows that are to be answered: one hop after the other; of a network that learned
    from moments around those that the recording has marked, if it has."""
    length = length_at(recording, windows.rate)
    if windows.centred and recording.marks:
        middles = sorted(round((mark.start + mark.end) / 2 * windows.rate) for mark in recording.marks)
        starts = (middle - windows.window // 2 for middle in middles)
        return [start for start in starts if 0 <= start <= length - windows.window]
    return windows.starts(length)


def cut(blocks: Iterable[Samples], starts: Iterator[int], window: int) -> Iterator[Signal]:
    """The windows that begin at rising places, from samples that come block by block.

    Args:
        blocks: ``(channels, n)``, one after the other.
        starts: First samples, none before the one before it.
        window: Samples of each.
    """
    wanted = next(starts, None)
    held: Samples | None = None
    begins = 0  # place of the first sample that is held
    for block in blocks:
        held = block if held is None else np.concatenate([held, block], axis=1)
        while wanted is not None and wanted + window <= begins + held.shape[1]:
            yield held[:, wanted - begins : wanted - begins + window].astype(np.float32)
            wanted = next(starts, None)
        if wanted is None:
            return
        passed = min(max(0, wanted - begins), held.shape[1])
        held, begins = held[:, passed:], begins + passed


# ----------------------------------------------------------------- lines of text, as from a pipe
def blocks_of(lines: Iterable[str], windows: Windows, say: Callable[[str], None]) -> Iterator[Samples]:
    """``(channels, n)`` after ``(channels, n)``, each so long that it ends where a window ends, or the lines do.

    Args:
        lines: A number for every channel in each, between semicolons, tabs, commas or white space; nothing between two
            of them is a missing number. The first line may name the columns, in any order and with others among them:
            times have to rise by the rate that the network reads, and what else there is is not read.
        windows: Of the network.
        say: Told which columns are not read, and how times are understood.

    Raises:
        InputError: At a line that is none, and where times say another rate or have a gap.
    """
    filled = ((number, _cells(number, line)) for number, line in enumerate(lines, start=1) if line.strip())
    head = list(islice(filled, 2))
    columns = _Columns.of([cells for _, cells in head], windows)
    rows = chain(head[columns.named :], filled)
    if columns.left_out:
        say(f"{PIPE}: {listing(columns.left_out)} left out.")
    clock = Clock(PIPE, columns.time, columns.dated, windows.rate) if columns.time else None
    size = windows.window
    while block := [columns.read(number, cells) for number, cells in islice(rows, size)]:
        said = clock.take(np.array([moment for moment, _ in block])) if clock is not None else ""
        if said:
            say(said)
        yield np.array([values for _, values in block], np.float64).T
        size = windows.hop


def _cells(number: int, line: str) -> list[str]:
    """Of a line, between semicolons, tabs or commas where it has some, else between white space."""
    line = line.strip("\r\n").removeprefix("\ufeff")
    mark = next((mark for mark in ";\t," if mark in line), None)
    try:
        return line.split() if mark is None else [cell.strip() for cell in next(csv.reader([line], delimiter=mark))]
    except csv.Error as error:
        raise InputError(f"Row {number} of {PIPE} is not a row of numbers ({error}).") from error


@dataclass(frozen=True)
class _Columns:
    """What is read of a line.

    Attributes:
        channels: The network's.
        places: Of their cells.
        count: Of all cells.
        missing: Words for a number that is not there.
        named: Whether the first line has the names of the columns.
        time: Name of the column of times; empty where there is none.
        at: Its place.
        dated: Whether times are dates.
        left_out: Names of the columns that are not read.
    """

    channels: Sequence[str]
    places: Sequence[int]
    count: int
    missing: frozenset[str]
    named: bool = False
    time: str = ""
    at: int = 0
    dated: bool = False
    left_out: Sequence[str] = ()

    @classmethod
    def of(cls, head: Sequence[Sequence[str]], windows: Windows) -> _Columns:
        """By the first lines."""
        names, wanted = head[0] if head else (), windows.channels
        missing = frozenset(word.strip().lower() for word in windows.missing)
        if not set(wanted) <= set(names) or all(map(is_number, names)):
            return cls(wanted, range(len(wanted)), len(wanted), missing)
        if twice := next((name for name in wanted if names.count(name) > 1), None):
            raise InputError(f"The first line of {PIPE} names {quoted(twice)} twice. Each channel has one column.")
        columns = cls(wanted, [names.index(name) for name in wanted], len(names), missing, named=True)
        return columns.timed(names, head[1:], windows.said)

    def timed(self, names: Sequence[str], rows: Sequence[Sequence[str]], said: TableColumns) -> _Columns:
        """The same, with the column of times, if there is one, and those that are not read."""
        others = ["" if name in self.channels else name for name in names]
        at = time_column(others, said if said.time in others else replace(said, time=None))
        left_out = [name for place, name in enumerate(others) if name and place != at]
        if at is None:
            return replace(self, left_out=left_out)
        dated = not all(is_number(row[at]) for row in rows if len(row) > at)
        return replace(self, time=names[at], at=at, dated=dated, left_out=left_out)

    def read(self, number: int, cells: Sequence[str]) -> tuple[float, Sequence[float]]:
        """The time of a line, 0 where there is none, and the numbers of the channels."""
        row = f"Row {number} of {PIPE}"
        if len(cells) != self.count:
            wanted = f"the network reads {self.count}: {', '.join(self.channels)}"
            wanted = f"its first line names {self.count}" if self.named else wanted
            raise InputError(f"{row} has {len(cells)} numbers, and {wanted}.")
        texts = ["nan" if cells[at].lower() in self.missing else cells[at] for at in self.places]
        values = to_numbers(texts, lambda at: f"{row}, {self.channels[at]},")
        if not self.time:
            return 0.0, values
        cell = cells[self.at]
        moment = float(cell) if is_number(cell) else seconds(cell)
        if moment is None:
            raise InputError(f"{row}: {quoted(cell)} is no time. Write 2026-01-31 12:00:00, or seconds.")
        return moment, values
