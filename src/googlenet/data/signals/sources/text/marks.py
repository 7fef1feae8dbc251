"""Text tables as rows of cells: what stands between them, and which lines are none of the table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from .....errors import InputError, count
from .blocks import Block, Row, block_of
from .lines import TextFile
from .numbers import Numbers, numbers_in

_MARKS = ("\t", ";", "|", ",")  # of two that split alike, the first
_COMMENTS = "#%"
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_ROWS, _SIZE = 64, 1 << 18  # of which the dialect is told: so many rows, or letters
_START = 4096  # letters of a line by which its separator is told
_PIECE, _KNOWN = 1 << 18, 1 << 16  # letters of a line that are split at once; cells that are kept to compare with
_LONG = 1000  # a cell of more letters is a list


class TextGrid:
    """The rows of a text table, its separator found.

    Attributes:
        path: The file.
        mark: What stands between cells; ``None`` for white space.
        comment: Row and text of the last comment line above the table, without its mark; ``None`` if there is none.
        comments: How many such lines there are.

    Args:
        path: A text file, or one that is packed by gzip.

    Raises:
        InputError: If it is empty, or no text.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = TextFile(path)
        self.comment: tuple[int, str] | None = None
        self.comments = 0
        self._above = 0  # lines above the table
        self.mark: str | None = None
        lines = [line for _, line in self._sample()]
        if not lines:
            hint = "" if self.comments == 0 else f": every line begins with {' or '.join(_COMMENTS)}, as comments do"
            raise InputError(f"{path} is empty{hint}.")
        if not self._given:
            self.mark = _best(list(map(_start, lines)))

    @property
    def said(self) -> str:
        """What a reader may not expect."""
        lines = f", {count(self.comments, 'comment line')} left out" if self.comments else ""
        return self._file.said + lines

    def _sample(self) -> list[tuple[int, str]]:
        """The first lines of the table; finds what stands above it."""
        found: list[tuple[int, str]] = []
        size = 0
        self._given = False
        for number, line in self._file.lines():
            if not line.strip():
                continue
            if not found and self._is_above(number, line):
                self._above = number
                continue
            found.append((number, line))
            size += len(line)
            if len(found) >= _ROWS or (size > _SIZE and len(found) > 3):
                break
        return found

    def _is_above(self, number: int, line: str) -> bool:
        """Whether a line is a comment, or Excel's own, which names the separator."""
        match = _SEP_LINE.fullmatch(line.strip())
        if match and not self._given:
            self.mark, self._given = match[1], True
            return True
        text = line.lstrip()
        if text[0] not in _COMMENTS:
            return False
        self.comments += 1
        self.comment = (number, text[1:].strip())
        return True

    def split(self, line: str) -> list[str]:
        """The cells of a line alone; it is one cell if it cannot be split."""
        try:
            return split(line, self.mark)
        except (csv.Error, ValueError, TypeError):
            return [line]

    def rows(self) -> Iterator[Row]:
        """Line number and cells of every row; lines of nothing but blanks are none.

        Raises:
            InputError: Where a quote has no partner, or a quoted cell is of more letters than can be read.
        """
        lines = self._file.lines()
        return self._rows(lines, lines)

    def pieces(self) -> Iterator[Row | Block]:
        """The same, but many rows at once where they are plain.

        Raises:
            InputError: As :meth:`rows` does.
        """
        if not self._file.is_checked:
            yield from self.rows()
            return
        lines = _Lines(self._file.blocks())
        while (piece := lines.more()) is not None:
            block = None if piece[0] <= self._above else block_of(*piece, self.mark)
            if block is not None:
                yield block
            else:
                lines.current = _lines_of(*piece)
                yield from self._rows(lines, lines.beyond())

    def _rows(self, lines: Iterable[tuple[int, str]], beyond: Iterator[tuple[int, str]]) -> Iterator[Row]:
        """The rows of some lines; a quoted cell may reach beyond them."""
        for number, line in lines:
            if number <= self._above or line.isspace():
                continue
            if '"' not in line:
                yield number, split(line, self.mark)
                continue
            last = [number]
            try:
                if self.mark is None:
                    cells = split(line, None)
                else:
                    cells = next(_reader(chain((line,), _noting(beyond, last)), self.mark))
            except (csv.Error, ValueError, TypeError) as error:  # a mark may be named that cannot be one
                raise InputError(
                    f"{self.path}, row {number} is not a row of a table ({error}). Is a quote without its partner? A "
                    f"signal of so many samples can be given as an NPZ with arrays X and y."
                ) from error
            if last[0] == 0:
                raise InputError(f"{self.path}, row {number} is not a row of a table: a quote has no partner.")
            yield last[0], cells


class _Lines:
    """The lines of a block, and of those behind it as far as a quote reaches."""

    def __init__(self, blocks: Iterator[tuple[int, str]]) -> None:
        self._blocks = blocks
        self.current: Iterator[tuple[int, str]] = iter(())

    def more(self) -> tuple[int, str] | None:
        """The next block; ``None`` at the end."""
        return next(self._blocks, None)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        while (item := next(self.current, None)) is not None:
            yield item

    def beyond(self) -> Iterator[tuple[int, str]]:
        """The lines, those of the next blocks too, of which each becomes the current one."""
        while True:
            yield from iter(self)
            piece = self.more()
            if piece is None:
                return
            self.current = _lines_of(*piece)


def _lines_of(first: int, text: str) -> Iterator[tuple[int, str]]:
    return enumerate(io.StringIO(text, newline=""), start=first)


def _noting(lines: Iterator[tuple[int, str]], last: list[int]) -> Iterator[str]:
    """The lines, of which the number of the last is kept; 0 where there are no more."""
    for last[0], line in lines:
        yield line
    last[0] = 0


def split(line: str, mark: str | None) -> list[str]:
    """The cells of a line of its own."""
    if '"' not in line:
        return line.split() if mark is None else _split(line.rstrip("\r\n"), mark)
    if mark is None:
        return next(_reader((line.strip(),), " "))
    return next(_reader((line,), mark))


def _split(line: str, mark: str) -> list[str]:
    """The cells of a line without quotes; of a very long one those that are alike are one, as short ones often are."""
    if len(line) < _PIECE:
        return line.split(mark)
    cells: list[str] = []
    known: dict[str, str] = {}
    at, end = 0, line.find(mark, _PIECE)
    while at <= len(line):
        some = line[at : end if end >= 0 else None].split(mark)
        cells += map(known.setdefault if len(known) < _KNOWN else known.get, some, some)
        at = len(line) + 1 if end < 0 else end + 1
        end = line.find(mark, at + _PIECE)
    return cells


def _reader(lines: Iterable[str], mark: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=mark, skipinitialspace=True)


def _start(line: str) -> str:
    """A line, or the start of a long one, in which quotes and lists are closed."""
    if len(line) <= _START:
        return line
    start = line[:_START]
    start = start[: max(map(start.rfind, (*_MARKS, " "))) + 1].rstrip(", ;\t|") or start
    start += "]" if start.count("[") > start.count("]") else ""
    return start + ('"' if start.count('"') % 2 else "")


def _best(lines: Sequence[str]) -> str | None:
    """The separator with which the lines hold the most numbers."""
    present = [mark for mark in _MARKS if any(mark in line for line in lines)]
    # A narrow blank may stand between thousands, and any in a label between tabs.
    blank = any(" " in line.strip() for line in lines) and not all("\t" in line for line in lines)
    candidates: list[str | None] = [*present, *((None,) if blank else ())]
    if not candidates:
        return ","
    return max(candidates, key=lambda mark: _score(lines, mark))


def _score(lines: Sequence[str], mark: str | None) -> tuple[int, int, int]:
    """Numbers, cells that look unsplit, and rows of more than a cell."""
    try:
        rows = [split(line, mark) for line in lines]
    except csv.Error:  # a cell that is too long
        return (-1, 0, 0)
    cells = [row for row in rows if len(row) > 1]
    # No list has tabs, and none between blanks has commas.
    whole = [
        cell for row in cells for cell in row if "\t" not in cell and not (mark is None and _is_unsplit(cell, None))
    ]
    unsplit = sum(_is_unsplit(cell, mark) for row in cells for cell in row)
    return (numbers_in(whole), -unsplit, len(cells))


def _is_unsplit(cell: str, mark: str | None) -> bool:
    """Whether a cell looks as if another separator were in it."""
    if len(cell) >= _LONG:
        return False
    if mark is None:
        return any(other in cell for other in _MARKS) and not Numbers(",").is_number(cell)
    if any(other in cell for other in _MARKS[:3] if other != mark):
        return True
    halves = cell.split()
    return len(halves) == 2 and all(Numbers().is_number(half) for half in halves)
