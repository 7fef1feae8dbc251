"""Many rows of a table at once, where all of them are as plain as most are: several times faster than row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

Row = tuple[int, list[str]]
WIDEST = 64  # columns of a table that is read so: of wider ones a row is work enough


@dataclass(frozen=True)
class Block:
    """Rows that have equally many cells, without quotes.

    Attributes:
        first: Number of the first line.
        width: Cells of a row.
        cells: Of all rows, one after the other.
    """

    first: int
    width: int
    cells: list[str]

    @property
    def lines(self) -> range:
        """Where each row stands."""
        return range(self.first, self.first + len(self.cells) // self.width)

    def column(self, at: int) -> list[str]:
        """The cells of a column."""
        return self.cells[at :: self.width]

    def rows(self) -> Iterator[Row]:
        """The same, row by row."""
        for at, line in enumerate(self.lines):
            yield line, self.cells[at * self.width : (at + 1) * self.width]

    def below(self, rows: int) -> Block:
        """Without so many rows at its beginning."""
        return Block(self.first + rows, self.width, self.cells[rows * self.width :]) if rows else self

    def has_empty_row(self) -> bool:
        """Whether a row has no cell that is not blank."""
        first = self.column(0)
        if all(map(str.strip, first)):
            return False
        empty = [at for at, cell in enumerate(first) if not cell.strip()]
        return any(not "".join(self.cells[at * self.width : (at + 1) * self.width]).strip() for at in empty)


def block_of(first: int, text: str, mark: str | None) -> Block | None:
    """Lines as a block; ``None`` if they have to be looked at one by one.

    Args:
        first: Number of the first line.
        text: The lines, with their ends.
        mark: What stands between cells; ``None`` for white space.
    """
    if '"' in text:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            return None
    lines = text.removesuffix("\n").split("\n")
    if mark is None:
        rows = [line.split() for line in lines]
        return _of_width(first, set(map(len, rows)), chain.from_iterable(rows))
    widths = {marks + 1 for marks in set(map(str.count, lines, repeat(mark)))}
    if len(widths) != 1 or (mark.isspace() and any(map(str.isspace, lines))):
        return None
    return _of_width(first, widths, text.removesuffix("\n").replace("\n", mark).split(mark))


def _of_width(first: int, widths: set[int], cells: Sequence[str] | Iterator[str]) -> Block | None:
    """None for rows of several widths, and for those of one cell, of which a blank one is no row."""
    width = widths.pop()
    return None if widths or not 2 <= width <= WIDEST else Block(first, width, list(cells))
