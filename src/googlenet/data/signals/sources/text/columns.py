"""The columns of a table below its header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from ..... import limits
from .....errors import InputError, count, quoted
from ..source import Cells
from .blocks import WIDEST, Block, Row
from .numbers import items_of, list_columns, spread
from .reading import Plan, Reading, picker
from .table import Table, is_units

_AT_ONCE = 1 << 16  # cells that are counted together


class CsvSource:
    """A table with a header, of text or of a sheet; a :class:`~.source.Source`.

    Args:
        table: Whose first row is the header.

    Raises:
        InputError: If header and rows do not fit together.
    """

    def __init__(self, table: Table) -> None:
        self.path = table.path
        self.numbers = table.numbers
        self._table = table
        self._notes = ""
        units: Sequence[str] = ()
        self._skipped = 0 if table.commented else 1
        below = [cells for _, cells in table.sample[self._skipped :]]
        if below and is_units(below[0], below[1:], table.numbers):
            self._notes += f", row {table.sample[self._skipped][0]} left out, for it holds units"
            self._skipped += 1
            units, below = below[0], below[1:]
        self._names = self._fitted(list(table.header), below)
        self._width = len(self._names)
        if self._width > limits.COLUMNS:
            raise InputError(
                f"{self.path} has {self._width:,} columns with names, more than a table may have. Save the signals as "
                f"an NPZ with arrays X and y."
            )
        self._kept: dict[tuple[int, int], npt.NDArray[np.float64]] = {}  # line of a block and column to its numbers
        self._spread: dict[int, int] = {}
        self._spread = self._lengths(below)
        self._units = {
            name: unit.strip()
            for (at, own), unit in zip(enumerate(self._names), units, strict=False)
            for name in self._parts(at, own)
            if unit.strip()
        }
        self.header = [name for at, own in enumerate(self._names) for name in self._parts(at, own)]

    @property
    def said(self) -> str:
        """What was found out about the file."""
        return self._table.said + self._notes

    def _parts(self, at: int, name: str) -> list[str]:
        return [f"{name}_{item}" for item in range(self._spread[at])] if at in self._spread else [name]

    def _fitted(self, header: list[str], below: Sequence[Sequence[str]]) -> list[str]:
        """The header, as wide as the rows are: without separators at their end, with a name for R's row names."""
        rows = [cells for cells in below if "".join(cells).strip()]
        self._trailing = False
        filled = max((at + 1 for cells in rows for at in (_last(cells),)), default=0)
        while header and not header[-1] and filled < len(header):
            header.pop()
            self._trailing = True
        if self._trailing or {len(cells) for cells in rows} != {len(header) + 1}:
            return header
        if "".join(cells[-1] for cells in rows).strip():
            self._notes += ", row names left out, for which the header has no name"
            return ["", *header]
        if len({cells[0] for cells in rows}) == len(rows) > 1:
            raise InputError(
                f"{self.path}: the rows have a cell more than the header, and it is not plain whether they begin with "
                f"row names or end with an empty cell. Write a header with a name for every column."
            )
        self._trailing = True
        return header

    def _lengths(self, below: Sequence[Sequence[str]]) -> dict[int, int]:
        """Places of the columns of lists, and how long the longest of all their lists is."""
        style = self._table.numbers
        places = [at for at in list_columns(below, style) if at < self._width]
        if not places:
            return {}
        longest, rows = 1, 0
        for _, cells in self._rows():
            if len(cells) == self._width:
                lengths = [len(items_of(cells[at], style.decimal) or ()) for at in places]
                longest, rows = max(longest, *lengths), rows + 1
        if longest * len(places) > limits.COLUMNS:
            raise InputError(
                f"{self.path}: the longest list has {longest:,} numbers, more than a table may have columns. Save the "
                f"signals as an NPZ with arrays X and y, or cut them to windows."
            )
        if longest * rows * len(places) * 8 > limits.unpacked(self.path.stat().st_size):
            raise InputError(
                f"{self.path}: the lists differ too much in length for a table, the longest has {longest:,} numbers. "
                f"Save the signals as a .ts file, or cut them to windows."
            )
        return dict.fromkeys(places, longest)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header, without empty cells behind its last column."""
        return map(self._trimmed, islice(self._table.rows(), self._skipped, None))

    def _pieces(self) -> Iterator[Row | Block]:
        """The same, many rows at once where they are plain and of the header's width."""
        if self._width > WIDEST or self._spread:
            yield from self._rows()
            return
        for piece in self._table.pieces(self._skipped):
            if isinstance(piece, Block) and piece.width == self._width:
                yield piece
            else:
                yield from map(self._trimmed, piece.rows() if isinstance(piece, Block) else (piece,))

    def _trimmed(self, row: Row) -> Row:
        """A row without empty cells behind the header's last column."""
        cells = row[1]
        while self._trailing and len(cells) > self._width and not cells[-1].strip():
            cells.pop()
        return row

    def _full(self, row: int, cells: list[str]) -> list[str]:
        """A cell for every column of the header."""
        if not self._spread:
            return cells
        full: list[str] = []
        for at, cell in enumerate(cells):
            if at in self._spread:
                where = f"{self.path}, row {row}, column {quoted(self._names[at])}"
                full += spread(cell, self._spread[at], self._table.numbers.decimal, where)
            else:
                full.append(cell)
        return full

    def text_columns(self, names: Collection[str]) -> dict[str, bool]:
        """Those of some columns that have a cell which is neither a number nor missing, and whether most cells are so.

        Args:
            names: The columns; lists are none of text.
        """
        asked = set(names)
        plain = [at for at, name in enumerate(self._names) if name in asked and at not in self._spread]
        mixed: list[int] = []
        for piece in self._whole():
            found = self._texts_of(piece, plain)
            if found:
                mixed += sorted(found)
                plain = [at for at in plain if at not in found]
        mostly = self._mostly(mixed)
        return {self._names[at]: mostly[at] for at in sorted(mixed)}

    def _texts_of(self, piece: Row | Block, places: Sequence[int]) -> set[int]:
        """Those columns that have text there."""
        if isinstance(piece, Block):
            return {at for at in places if not self._parsed(piece, at)}
        cells = piece[1]
        try:
            self.numbers.row(picker(places)(cells))
        except ValueError:
            return {at for at in places if self.numbers.is_text(cells[at])}
        return set()

    def _parsed(self, block: Block, at: int) -> bool:
        """Whether the cells of a column are numbers or missing; keeps them if so."""
        key = (block.first, at)
        if key not in self._kept:
            try:
                self._kept[key] = np.array(self.numbers.row(block.column(at)), np.float64)
            except ValueError:
                return False
        return True

    def _mostly(self, places: Sequence[int]) -> dict[int, bool]:
        """Whether of the cells of those columns, the missing ones aside, more than half are text."""
        style = self.numbers
        more = dict.fromkeys(places, 0)
        pieces = self._whole() if places else iter(())
        for some in _together(pieces, max(1, _AT_ONCE // self._width)):
            for at in places:
                counts = Counter(some.column(at) if isinstance(some, Block) else map(itemgetter(at), some))
                more[at] += sum(n * (style.is_text(cell) - style.is_number(cell)) for cell, n in counts.items())
        return {at: many > 0 for at, many in more.items()}

    def _whole(self) -> Iterator[Row | Block]:
        return (piece for piece in self._pieces() if isinstance(piece, Block) or len(piece[1]) == self._width)

    def read(self, texts: Sequence[str], numbers: Sequence[str], missing: Collection[str] = frozenset()) -> Cells:
        """Reads those columns as text, and those as numbers.

        Args:
            texts: Names of columns.
            numbers: Names of columns.
            missing: Further words that say "no value here", in any case.

        Raises:
            InputError: If the file is no table at all.
        """
        places = {name: at for at, name in reversed(list(enumerate(self.header)))}
        style = replace(self._table.numbers, missing=frozenset(word.strip().lower() for word in missing))
        plan = Plan(self.path, self._width, [*map(places.__getitem__, texts)], {n: places[n] for n in numbers}, style)
        reading = Reading(plan)
        for piece in self._pieces():
            if not isinstance(piece, Block):
                reading.add(*piece, self._full)
            elif not reading.add_block(piece, self._kept):
                for row, cells in piece.rows():
                    reading.add(row, cells, self._full)
        self._leave_out(len(reading.rows) - reading.full)
        return replace(reading.cells(texts), units=self._units)

    def _leave_out(self, rows: int) -> None:
        if rows and "at the end left out" not in self._notes:
            self._notes += f", {count(rows, 'empty row')} at the end left out"


def _last(cells: Sequence[str]) -> int:
    """The place of the last cell that is not empty; -1 if all are."""
    return next((at for at in range(len(cells) - 1, -1, -1) if cells[at].strip()), -1)


def _together(pieces: Iterator[Row | Block], rows: int) -> Iterator[Block | list[list[str]]]:
    """Rows that stand alone, so many at once."""
    some: list[list[str]] = []
    for piece in pieces:
        if isinstance(piece, Block):
            yield piece
            continue
        some.append(piece[1])
        if len(some) >= rows:
            yield some
            some = []
    yield some
