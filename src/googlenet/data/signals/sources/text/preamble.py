"""What instruments write above a table: who measured, when, with what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...rows import is_number, is_text
from .numbers import Numbers

_LONGEST = 40  # rows above a table
_NARROWEST = 3  # cells of a table
_NAMES = 8  # numbers that count are names of samples
_COMMA = Numbers(",")


def rows_above(sample: Sequence[Sequence[str]]) -> int:
    """How many of the first rows are none of the table: each has text, and fewer cells than the header below them,
    which names columns of numbers.

    Args:
        sample: The cells of the first rows.
    """
    if len(sample) < 2:
        return 0
    filled = [_filled(cells) for cells in sample]
    width = Counter(map(len, filled[len(filled) // 2 :])).most_common(1)[0][0]
    if width < _NARROWEST:
        return 0
    for least in (width, max(width - 1, _NARROWEST)):  # the names of columns of numbered rows may be one less
        first = next((at for at, cells in enumerate(filled) if len(cells) >= least), 0)
        above = all(not cells or any(map(is_text, cells)) for cells in filled[:first])
        if 0 < first <= _LONGEST and above and _is_header(filled[first], filled[first + 1 :]):
            return first
    return 0


def _filled(cells: Sequence[str]) -> list[str]:
    """Without empty cells at the end."""
    kept = list(map(str.strip, cells))
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _is_header(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a row names columns: with text above numbers, or by counting."""
    numbers = [float(cell) for cell in cells if is_number(cell)]
    if len(numbers) >= _NAMES and numbers == [numbers[0] + at for at in range(len(numbers))]:
        return True
    if 2 * len(numbers) > len(cells):
        return False
    columns = ([row[at] for row in below if at < len(row)] for at, cell in enumerate(cells) if is_text(cell))
    return any(2 * sum(map(_is_number, column)) > len(column) for column in columns)


def _is_number(cell: str) -> bool:
    return is_number(cell) or _COMMA.is_number(cell)
