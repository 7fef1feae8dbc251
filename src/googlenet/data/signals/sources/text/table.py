"""Tables of cells, from text or from a sheet: how they write numbers, and what their first rows are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .....errors import InputError, count, quoted
from ...rows import MISSING
from ...tables.names import IDS, LABELS, TIMES
from .blocks import Block, Row
from .numbers import Ambiguous, Numbers, length_of, list_columns, numbers_of, spread
from .preamble import rows_above

_NAMES = frozenset({*LABELS, *IDS, *TIMES, "group"})
_SAMPLE = 64  # rows by which a table is told
_MANY = 8  # numbers that are evenly spaced in another order are names too
_WIDTH = 1024  # cells of each by which it is told how numbers are written
_LONG = 64  # letters of a unit
_UNIT = re.compile(
    r"[\[(<].{0,20}[\])>]|-|%|°|(?:[yzafpnuµμmcdhkMGT]?(?:V|A|g|G|m|s|sec|Hz|Pa|N|Nm|W|Ω|Ohm|T|K|J|F|C|l|L|bar|rad|eV|mol|cd|lx)"
    r"|mmHg|min|h|hr|bpm|rpm|deg|°C|°F|degC|dB|LSB|counts?|raw|a\.?u\.?|volts?|seconds?|°)"
    r"(?:\^?-?[0-9²³])?(?:[/·*](?:m|s|sec|min|h|g|kg|V|A|Hz|√Hz)(?:\^?-?[0-9²³])?)*",
    re.IGNORECASE,
)


class Grid(Protocol):
    """Rows of cells."""

    path: Path
    mark: str | None
    comment: tuple[int, str] | None

    @property
    def said(self) -> str:
        """What a reader may not expect."""

    def split(self, line: str) -> list[str]:
        """The cells of a line of text."""

    def rows(self) -> Iterator[Row]:
        """Number and cells of every row."""

    def pieces(self) -> Iterator[Row] | Iterator[Row | Block]:
        """The same, perhaps many rows at once."""


class Table:
    """A table whose first row may name its columns.

    Attributes:
        path: The file.
        first: The cells of the first row.
        numbers: How it writes numbers.

    Args:
        grid: Its rows.

    Raises:
        InputError: If it is empty, or its numbers may mean either of two things.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.path = grid.path
        self._beyond = grid.rows()
        sample = list(islice(self._beyond, _SAMPLE))
        if not sample:
            raise InputError(f"{self.path} is empty.")
        self._above = rows_above([cells for _, cells in sample])
        self.sample = sample[self._above :]
        self.commented = False  # whether the last comment above it is its header
        self._comment: list[str] = []
        self.first = list(map(str.strip, self.sample[0][1]))
        try:
            below = (
                part for _, row in self.sample[1:] or self.sample for cell in row[:_WIDTH] for part in _parts(cell)
            )
            self.numbers = numbers_of(below, grid.mark)
        except Ambiguous as error:
            raise self._unsure(str(error)) from None

    def _unsure(self, cell: str) -> InputError:
        holds = ((row, at) for row, cells in self.sample for at, own in enumerate(cells) if cell in own)
        row, at = next(holds)  # the cell is that one, or an item of a list in it
        mark = "," if "," in cell else "."
        written, plain = cell.replace(",", ".", 1) if mark == "," else f"{cell}0", cell.replace(mark, "")
        return InputError(
            f"{self.path}, row {row}, column {at + 1} holds {quoted(cell)}: its {'comma' if mark == ',' else 'dot'} "
            f"may be a decimal one, or stand between thousands. Write {written} or {plain}."
        )

    @property
    def header(self) -> list[str]:
        """The cells of the row that names the columns, see :meth:`has_header`."""
        return self._comment if self.commented else self.first

    def has_header(self, names: Sequence[str | None] = ()) -> bool:
        """Whether the first row names the columns.

        It does if it holds text, with one exception: in ``walk,0.1,0.3,0.2`` the text is a label. The header
        ``kind,0,1,2`` is told from that by its numbers, which rise evenly, and by its text, which no row repeats.

        Args:
            names: Names of columns that the user gave.

        Raises:
            InputError: If it cannot be told.
        """
        if self.grid.comment is not None and not all(map(self._is_text, filter(None, self.first))):
            row, line = self.grid.comment
            cells = [cell.strip() for cell in self.grid.split(line)]
            if len(cells) == len(self.first) > 1:
                if sum(map(self.numbers.is_number, cells)) >= len(cells) - 1:
                    raise InputError(
                        f"{self.path}, row {row} may be a comment or a signal. Remove it, or the mark at its beginning."
                    )
                self._comment, self.commented = cells, self._names(cells, names)
        return self.commented or self._names(self.first, names)

    def _names(self, cells: Sequence[str], names: Sequence[str | None]) -> bool:
        """Whether cells are the names of columns."""
        texts = [cells[at] for at in self.numbers.texts(cells) if not length_of(cells[at], self.numbers)]
        if not set(texts).isdisjoint(names):
            return True
        if not _NAMES.isdisjoint(map(str.lower, texts)) and (len(texts) > 1 or self._may_count(cells, texts[0])):
            return True
        return self._among_numbers(cells, texts)

    def _may_count(self, cells: Sequence[str], name: str) -> bool:
        """Whether the numbers beside a lone name may be names too: a class may well be called ``Y``."""
        numbers = self.numbers.values(cells).tolist()
        whole = len(set(numbers)) == len(numbers) and all(number.is_integer() for number in numbers)
        times = sorted(numbers) if len(numbers) >= _MANY else numbers
        return not self._repeated(name) and (name.lower() == "label" or whole or _rise_evenly(times))

    def _repeated(self, name: str) -> bool:
        """Whether a row begins or ends with that text too, as with a label."""
        return any(name in (row[0].strip(), row[-1].strip()) for _, row in self.sample[1:])

    def _among_numbers(self, cells: Sequence[str], texts: Sequence[str]) -> bool:
        """Whether texts that say nothing by themselves, among the numbers that a row has, make it a header."""
        if not texts:  # 0, 1, 2, ... is how pandas names columns without names
            numbers = self.numbers.values(cells if _counts(self.numbers.values(cells[:_MANY])) else ())
            return len(numbers) > _MANY and _counts(numbers)
        numbers = self.numbers.values(cells)
        rising = _rise_evenly(numbers) and not self._repeated(texts[0])
        if len(texts) > 1 and (rising or len(numbers) <= len(texts)):
            return True
        if len(texts) == 1 and ((rising and len(numbers) == len(cells) - 1) or texts[0] in (cells[0], cells[-1])):
            return rising and len(numbers) == len(cells) - 1
        raise self._no_header(texts[-1])

    def _is_text(self, cell: str) -> bool:
        return self.numbers.is_text(cell) and not length_of(cell, self.numbers)

    def _no_header(self, text: str) -> InputError:
        return InputError(
            f"{self.path}: the first row, with {quoted(text)} among numbers, is no header, and no label is its first "
            "or last cell alone. If it is a header, name the column of the labels with --target; else put the label, "
            f"and no other text, first or last in every row."
        )

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Number and cells of every row, the header among them."""
        return islice(self.grid.rows(), self._above, None)

    def pieces(self, skipped: int) -> Iterator[Row | Block]:
        """The same below so many rows, many at once where they are plain."""
        skipped += self._above
        for piece in self.grid.pieces():
            if not isinstance(piece, Block):
                if not skipped:
                    yield piece
                skipped = max(0, skipped - 1)
                continue
            rows = len(piece.lines)
            if skipped < rows:
                yield piece.below(skipped)
            skipped = max(0, skipped - rows)

    def plain_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Number and cells of every row of a table without a header, once: of a list each item is one, and what is
        written in this table's way is written as programs do."""
        style = self.numbers
        as_programs = style == Numbers()
        listed = bool(list_columns([cells for _, cells in self.sample], style))
        sample, self.sample, self.first = iter(self.sample), [], []  # a row may be the whole file: it is not kept twice
        for row, cells in chain(sample, self._beyond):
            if listed:
                where = f"{self.path}, row {row}"
                lists = [spread(cell, length_of(cell, style) or 1, style.decimal, where) for cell in cells]
                cells = [item for items in lists for item in items]
            yield row, list(map(str.strip, cells)) if as_programs else [style.plain(cell.strip()) for cell in cells]

    @property
    def said(self) -> str:
        """What was found out about the file."""
        header = f", header in comment line {self.grid.comment[0]}" if self.commented and self.grid.comment else ""
        above = f", {count(self._above, 'row')} above the header left out" if self._above else ""
        return header + self.numbers.said + self.grid.said + above


def _parts(cell: str) -> list[str]:
    """A cell, or the items of one that may be a list."""
    items = cell[:_WIDTH].split()
    return [item.strip("[](){},;") for item in items[:-1]] if len(items) > 2 else [cell]


def _counts(numbers: npt.NDArray[np.float64]) -> bool:
    """Whether numbers are 0, 1, 2, ..."""
    return bool((numbers == np.arange(len(numbers))).all())


def _rise_evenly(numbers: npt.ArrayLike) -> bool:
    """As the numbers of samples do, or their times."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinity, and what is nearly so
        steps = np.diff(numbers)
        return len(steps) > 1 and bool(steps[0] > 0 and np.ptp(steps) <= 1e-6 * steps[0])


def is_units(row: Sequence[str], below: Sequence[Sequence[str]], style: Numbers) -> bool:
    """Whether a row holds units: where the rows below hold numbers, and nowhere a number.

    Args:
        row: The first below the header.
        below: Some rows below that.
        style: How numbers are written.
    """
    if any(map(style.is_number, row)):
        return False
    units: set[str] = set()
    for at, cell in enumerate(map(str.strip, row)):
        column = [cells[at].strip() for cells in below if at < len(cells)]
        if any(map(style.is_number, column)) and not any(map(style.is_text, column)):
            units.add(cell)
        elif cell and cell in column:  # a label, which units have not
            return False
    units -= {"", "-"}
    return bool(units) and all(
        len(unit) <= _LONG and unit.lower() not in MISSING and _UNIT.fullmatch(unit) for unit in units
    )
