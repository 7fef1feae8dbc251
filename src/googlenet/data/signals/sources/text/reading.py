"""The cells of a table's columns as they are read, and why some rows cannot be."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..... import limits
from .....errors import InputError, count, quoted
from ...rows import check_bad, no_number
from ..source import Cells
from .blocks import Block
from .numbers import Numbers

_KNOWN = 1 << 16  # different cells of text that are kept once, however often they are there


@dataclass(frozen=True)
class Plan:
    """What is to be read of a table.

    Attributes:
        path: The file.
        width: Columns of its header.
        texts: Places of the columns that are text.
        numbers: Names and places of those that are numbers.
        style: How numbers are written.
    """

    path: Path
    width: int
    texts: Sequence[int]
    numbers: Mapping[str, int]
    style: Numbers


@dataclass
class Reading:
    """What was read so far.

    Attributes:
        plan: What is to be read.
        rows: Where each row stands.
        full: Rows up to the last that is not empty.
        bad: Index of a row to why it cannot be read.
    """

    plan: Plan
    rows: array[int] = field(default_factory=lambda: array("q"))
    full: int = 0
    bad: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._columns: list[list[str]] = [[] for _ in self.plan.texts]
        self._values = array("d")
        self._nothing = array("d", [np.nan]) * len(self.plan.numbers)
        self._known: dict[str, str] = {}
        self._picked = picker([*self.plan.numbers.values()])

    def add(self, row: int, cells: list[str], filled: Callable[[int, list[str]], list[str]]) -> None:
        """Adds a row.

        Args:
            row: Where it stands.
            cells: Of it.
            filled: Gives them with a cell for every column of the header.

        Raises:
            InputError: If the file is no table at all.
        """
        index = len(self.rows)
        self.rows.append(row)
        misfit = self._misfit(row, cells)
        if misfit:
            self.bad[index] = misfit
            cells = self._cut(cells)
        self.full = index + 1 if any(map(str.strip, cells)) else self.full
        cells = filled(row, cells)
        for at, column in zip(self.plan.texts, self._columns, strict=True):
            column.append(self._once(cells[at].strip()))
        try:
            self._values.extend(self._nothing if misfit else self.plan.style.row(self._picked(cells)))
        except ValueError:
            self._values.extend(self._nothing)
            check_bad(self.plan.path, len(self.bad))
            self.bad[index] = self._bad_cell(row, dict(zip(self.plan.numbers, self._picked(cells), strict=True)))

    def add_block(self, block: Block, kept: Mapping[tuple[int, int], npt.NDArray[np.float64]]) -> bool:
        """Adds many rows at once; whether that was possible.

        Args:
            block: The rows.
            kept: Line of a block and column to numbers that are read already.
        """
        if block.has_empty_row():
            return False
        table = np.empty((len(block.lines), len(self.plan.numbers)))
        try:
            for place, at in enumerate(self.plan.numbers.values()):
                known = kept.get((block.first, at))
                table[:, place] = self.plan.style.row(block.column(at)) if known is None else known
        except ValueError:
            return False
        self._values.frombytes(table.tobytes())
        for at, column in zip(self.plan.texts, self._columns, strict=True):
            cells = list(map(str.strip, block.column(at)))
            column += map(self._known.setdefault, cells, cells) if len(self._known) < _KNOWN else cells
        self.rows.extend(block.lines)
        self.full = len(self.rows)
        return True

    def cells(self, names: Sequence[str]) -> Cells:
        """All that was read.

        Args:
            names: Of the columns of text.
        """
        full, width = self.full, len(self.plan.numbers)
        table = np.frombuffer(self._values, np.float64).reshape(len(self.rows), width)[:full]
        self._find_infinite(table)
        texts = {name: column[:full] for name, column in zip(names, self._columns, strict=True)}
        return Cells(self.rows[:full], texts, table, {at: why for at, why in self.bad.items() if at < full})

    def _once(self, cell: str) -> str:
        return self._known.setdefault(cell, cell) if len(self._known) < _KNOWN else self._known.get(cell, cell)

    def _cut(self, cells: list[str]) -> list[str]:
        """The cells of a row of another length, as many as the header has: of few rows, for each takes a whole one's
        room."""
        room = limits.unpacked(self.plan.path.stat().st_size)
        if len(self.rows) * self.plan.width * 8 > room or len(self.bad) > limits.BAD_ROWS:
            first = next(iter(self.bad.values()))
            raise InputError(f"{first} So it is with {len(self.bad):,} rows at least: is it a table?")
        return [*cells, *[""] * self.plan.width][: self.plan.width]

    def _misfit(self, row: int, cells: Sequence[str]) -> str:
        """What is wrong with a row as a whole; nothing for a good one."""
        if not any(map(str.strip, cells)):
            return f"{self.plan.path}, row {row} is empty. Remove it."
        if len(cells) == self.plan.width:
            return ""
        text = f"{self.plan.path}, row {row} has {count(len(cells), 'cell')}, but the header has {self.plan.width}."
        if any("\n" in cell or "\r" in cell for cell in cells):
            raise InputError(f"{text} Is a quote there without its partner?")
        return f"{text} Mend or remove it."

    def _bad_cell(self, row: int, cells: dict[str, str]) -> str:
        name, cell = next((name, cell) for name, cell in cells.items() if self.plan.style.is_text(cell))
        text = no_number(f"{self.plan.path}, row {row}, column {quoted(name)}", cell)
        if "\n" in cell:
            raise InputError(f"{text} Is a quote there without its partner?")
        if self.plan.style.unsure and "." in cell:
            return f"{text} Numbers of the first rows are whole: is the dot a decimal one, or between thousands?"
        if self.plan.style.decimal == "," and "." in cell:
            return f"{text} The table has decimal commas: is the dot one of them, or between thousands?"
        return text

    def _find_infinite(self, table: npt.NDArray[np.float64]) -> None:
        """Rows that hold infinity are bad, and their numbers missing."""
        numbers = list(self.plan.numbers)
        wrong = np.flatnonzero(np.isinf(table).any(axis=1)).tolist()
        check_bad(self.plan.path, len(self.bad) + len(wrong))
        for index in wrong:
            at = int(np.isinf(table[index]).argmax())
            where = f"{self.plan.path}, row {self.rows[index]}, column {quoted(numbers[at])}"
            self.bad.setdefault(index, infinite(where))
        table[wrong] = np.nan


def infinite(where: str) -> str:
    """Why a cell of infinity, or of more than 1.8e308, cannot be read."""
    return f"{where} is infinite. Write NaN if its value is missing."


def picker(places: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Takes the cells at those places."""
    if len(places) == 1:
        return lambda cells: (cells[places[0]],)
    if list(places) == list(range(places[0], places[-1] + 1)) if places else True:
        start, end = (places[0], places[-1] + 1) if places else (0, 0)
        return lambda cells: cells[start:end]
    pick: Callable[[Sequence[str]], Sequence[str]] = itemgetter(*places)
    return pick
