"""The columns of a table below its header."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from ..... import limits
from .....errors import InputError, quoted
from ...rows import check_bad, count, no_number
from ..source import Cells
from .numbers import Numbers, items_of, list_columns, spread
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
        self._skipped = 0 if table.commented else 1
        below = [cells for _, cells in table.sample[self._skipped :]]
        if below and is_units(below[0], below[1:], table.numbers):
            self._notes += f", row {table.sample[self._skipped][0]} left out, for it holds units"
            self._skipped += 1
            below = below[1:]
        self._names = self._fitted(list(table.header), below)
        self._width = len(self._names)
        if self._width > limits.COLUMNS:
            raise InputError(
                f"{self.path} has {self._width:,} columns with names, more than a table may have. Save the signals as "
                f"an NPZ with arrays X and y."
            )
        self._spread: dict[int, int] = {}
        self._spread = self._lengths(below)
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
        width = self._width
        for row, cells in islice(self._table.rows(), self._skipped, None):
            while self._trailing and len(cells) > width and not cells[-1].strip():
                cells.pop()
            yield row, cells

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
        style, asked = self.numbers, set(names)
        plain = [at for at, name in enumerate(self._names) if name in asked and at not in self._spread]
        mixed: list[int] = []
        picked = _picker(plain)
        for cells in self._whole():
            try:
                style.row(picked(cells))
            except ValueError:
                found = {at for at in plain if style.is_text(cells[at])}
                mixed += sorted(found)
                plain = [at for at in plain if at not in found]
                picked = _picker(plain)
        mostly = self._mostly(mixed)
        return {self._names[at]: mostly[at] for at in sorted(mixed)}

    def _mostly(self, places: Sequence[int]) -> dict[int, bool]:
        """Whether of the cells of those columns, the missing ones aside, more than half are text."""
        style = self.numbers
        more = dict.fromkeys(places, 0)
        rows = self._whole() if places else iter(())
        while some := list(islice(rows, max(1, _AT_ONCE // self._width))):
            for at in places:
                counts = Counter(map(itemgetter(at), some))
                more[at] += sum(n * (style.is_text(cell) - style.is_number(cell)) for cell, n in counts.items())
        return {at: many > 0 for at, many in more.items()}

    def _whole(self) -> Iterator[list[str]]:
        return (cells for _, cells in self._rows() if len(cells) == self._width)

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
        columns: list[tuple[int, list[str]]] = [(places[name], []) for name in texts]
        picked = _picker([places[name] for name in numbers])
        style = replace(self._table.numbers, missing=frozenset(word.strip().lower() for word in missing))
        known: dict[str, str] = {}  # a label is kept once, however often it is there
        rows, values = array("q"), array("d")
        bad: dict[int, str] = {}
        nothing = array("d", [np.nan]) * len(numbers)
        full = 0  # rows up to the last that is not empty
        for row, cells in self._rows():
            index = len(rows)
            rows.append(row)
            misfit = self._misfit(row, cells)
            if misfit:
                bad[index] = misfit
                cells = self._cut(bad, cells, len(rows))
            full = index + 1 if any(map(str.strip, cells)) else full
            cells = self._full(row, cells)
            for at, column in columns:
                cell = cells[at].strip()
                column.append(known.setdefault(cell, cell))
            try:
                values.extend(nothing if index in bad else style.row(picked(cells)))
            except ValueError:
                values.extend(nothing)
                check_bad(self.path, len(bad))
                bad[index] = self._bad_cell(row, dict(zip(numbers, picked(cells), strict=True)), style)
        self._leave_out(len(rows) - full)
        table = np.frombuffer(values, np.float64).reshape(len(rows), len(numbers))[:full]
        self._find_infinite(rows, numbers, table, bad)
        found = {name: column[:full] for name, (_, column) in zip(texts, columns, strict=True)}
        return Cells(rows[:full], found, table, dict(item for item in bad.items() if item[0] < full))

    def _cut(self, bad: Mapping[int, str], cells: list[str], rows: int) -> list[str]:
        """The cells of a row of another length, as many as the header has; few rows, for a row takes a whole one's "
        "room."""
        if rows * self._width * 8 > limits.unpacked(self.path.stat().st_size) or len(bad) > limits.BAD_ROWS:
            raise InputError(f"{next(iter(bad.values()))} So it is with {len(bad):,} rows at least: is it a table?")
        return [*cells, *[""] * self._width][: self._width]

    def _leave_out(self, rows: int) -> None:
        if rows and "at the end left out" not in self._notes:
            self._notes += f", {count(rows, 'empty row')} at the end left out"

    def _misfit(self, row: int, cells: Sequence[str]) -> str:
        """What is wrong with a row as a whole; nothing for a good one."""
        if not any(map(str.strip, cells)):
            return f"{self.path}, row {row} is empty. Remove it."
        if len(cells) == self._width:
            return ""
        text = f"{self.path}, row {row} has {count(len(cells), 'cell')}, but the header has {self._width}."
        if any("\n" in cell or "\r" in cell for cell in cells):
            raise InputError(f"{text} Is a quote there without its partner?")
        return f"{text} Mend or remove it."

    def _bad_cell(self, row: int, cells: dict[str, str], style: Numbers) -> str:
        name, cell = next((name, cell) for name, cell in cells.items() if style.is_text(cell))
        text = no_number(f"{self.path}, row {row}, column {quoted(name)}", cell)
        if "\n" in cell:
            raise InputError(f"{text} Is a quote there without its partner?")
        if style.decimal == "," and "." in cell:
            return f"{text} The table has decimal commas: is the dot one of them, or between thousands?"
        return text

    def _find_infinite(
        self, rows: Sequence[int], numbers: Sequence[str], table: npt.NDArray[np.float64], bad: dict[int, str]
    ) -> None:
        """Rows that hold infinity are bad, and their numbers missing."""
        wrong = np.flatnonzero(np.isinf(table).any(axis=1)).tolist() if numbers else []
        check_bad(self.path, len(bad) + len(wrong))
        for index in wrong:
            at = int(np.isinf(table[index]).argmax())
            bad.setdefault(index, infinite(f"{self.path}, row {rows[index]}, column {quoted(numbers[at])}"))
        table[wrong] = np.nan


def infinite(where: str) -> str:
    """Why a cell of infinity, or of more than 1.8e308, cannot be read."""
    return f"{where} is infinite. Write NaN if its value is missing."


def _last(cells: Sequence[str]) -> int:
    """The place of the last cell that is not empty; -1 if all are."""
    return next((at for at in range(len(cells) - 1, -1, -1) if cells[at].strip()), -1)


def _picker(places: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Takes the cells at those places."""
    if len(places) == 1:
        return lambda cells: (cells[places[0]],)
    if list(places) == list(range(places[0], places[-1] + 1)) if places else True:
        start, end = (places[0], places[-1] + 1) if places else (0, 0)
        return lambda cells: cells[start:end]
    pick: Callable[[Sequence[str]], Sequence[str]] = itemgetter(*places)
    return pick
