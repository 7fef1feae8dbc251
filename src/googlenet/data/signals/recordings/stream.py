"""The windows of a recording, one after the other, as they are read or come: memory stays that of a few."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np

from ....errors import InputError, quoted
from ...protocol import Example
from ..rows import Signal, is_number
from ..sources.text.dates import seconds
from .readers.formats import open_recordings
from .readers.long_table import time_column
from .readers.rates import rate_of
from .recording import Recording, Samples
from .resample import length_at, resampled
from .units import in_units
from .windows import Windows

PIPE = "standard input"
APART = 0.05  # share by which the rate of a pipe's times may be another than the network's: a window of them is short


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
def blocks_of(lines: Iterable[str], windows: Windows) -> Iterator[Samples]:
    """``(channels, n)`` after ``(channels, n)``, each so long that it ends where a window ends, or the lines do.

    Args:
        lines: A number for every channel in each, between commas, semicolons or white space; nothing between two commas
            or semicolons is a missing number. The first line may name the columns, in any order and with others among
            them: times have to rise by the rate that the network reads, and what else there is is not read.
        windows: Of the network.

    Raises:
        InputError: At a line that is none, and where times say another rate or have a gap.
    """
    filled = ((number, _cells(line)) for number, line in enumerate(lines, start=1) if line.strip())
    head = list(islice(filled, 2))
    columns = _Columns.of([cells for _, cells in head], windows)
    rows = chain(head[columns.named :], filled)
    held: deque[float] = deque(maxlen=max(2, windows.window))
    size = windows.window
    while block := [columns.read(number, cells, windows) for number, cells in islice(rows, size)]:
        held.extend(moment for moment, _ in block)
        if columns.time and len(held) > 1:
            _check_rate(columns, held, windows)
        yield np.array([values for _, values in block], np.float64).T
        size = windows.hop


def _cells(line: str) -> list[str]:
    """Of a line, between semicolons where it has some, else between commas, else between white space."""
    mark = next((mark for mark in ";," if mark in line), None)
    return line.split() if mark is None else [cell.strip() for cell in next(csv.reader([line], delimiter=mark))]


@dataclass(frozen=True)
class _Columns:
    """What is read of a line.

    Attributes:
        count: Of its cells.
        places: Of the channels, in the network's order.
        named: Whether the first line has their names.
        time: Name of the column of times; empty where there is none.
        at: Its place.
        dated: Whether times are dates.
    """

    count: int
    places: Sequence[int]
    named: bool = False
    time: str = ""
    at: int = 0
    dated: bool = False

    @classmethod
    def of(cls, head: Sequence[Sequence[str]], windows: Windows) -> _Columns:
        """By the first lines."""
        names = head[0] if head else ()
        if not set(windows.channels) <= set(names) or all(map(is_number, names)):
            return cls(len(windows.channels), range(len(windows.channels)))
        if twice := next((name for name in windows.channels if names.count(name) > 1), None):
            raise InputError(f"The first line of {PIPE} names {quoted(twice)} twice. Each channel has one column.")
        others = ["" if name in windows.channels else name for name in names]
        said = windows.said if windows.time in others else replace(windows.said, time=None)
        at = time_column(others, said)
        columns = cls(len(names), [names.index(name) for name in windows.channels], named=True)
        if at is None:
            return columns
        return replace(columns, time=names[at], at=at, dated=not all(is_number(row[at]) for row in head[1:]))

    def read(self, number: int, cells: Sequence[str], windows: Windows) -> tuple[float, list[float]]:
        """The time of a line, 0 where there is none, and the numbers of the channels."""
        row, wanted = f"Row {number} of {PIPE}", ", ".join(windows.channels)
        if len(cells) != self.count:
            wanted = f"its first line names {self.count}" if self.named else f"the network reads {self.count}: {wanted}"
            raise InputError(f"{row} has {len(cells)} numbers, and {wanted}.")
        try:
            values = [float("nan" if _is_missing(cells[at], windows) else cells[at]) for at in self.places]
        except ValueError:
            raise InputError(f"{row} is {quoted(', '.join(cells))}: a row is a number for each of {wanted}.") from None
        if not self.time:
            return 0.0, values
        cell = cells[self.at]
        moment = float(cell) if is_number(cell) else seconds(cell)
        if moment is None:
            raise InputError(f"{row}: {quoted(cell)} is no time. Write 2026-01-31 12:00:00, or seconds.")
        return moment, values


def _is_missing(cell: str, windows: Windows) -> bool:
    return not cell or cell.lower() in map(str.lower, windows.missing)


def _check_rate(columns: _Columns, moments: Iterable[float], windows: Windows) -> None:
    """That times rise as the network's samples do."""
    rate, _, _ = rate_of(Path(PIPE), columns.time, columns.dated, np.array(list(moments)), windows.rate)
    if abs(rate / windows.rate - 1) > APART:
        raise InputError(
            f"Column {quoted(columns.time)} of {PIPE} says {rate:.4g} Hz, and the network reads {windows.rate:g} Hz: "
            "bring the samples to that, or predict from a file, which is brought to it."
        )
