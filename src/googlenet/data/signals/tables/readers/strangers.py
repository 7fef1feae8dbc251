"""Rows without a header that hold more than a signal and its label: an id, a time, or a row for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .....errors import InputError
from ...rows import is_number
from ..shape import Column, shape_of

_NARROW = 16  # cells up to which a row may be one sample of a few channels
FEWEST = 8  # rows from which on their cells are compared
_COMPARED = 16  # columns of samples that a column at either end is compared with
_CHANCE = 1e-3  # that every sample of a column is a whole number, and none is meant


def check_no_strangers(path: Path, rows: Sequence[Sequence[str]], label: str) -> None:
    """That rows are samples and perhaps a label.

    Args:
        path: The file.
        rows: Cells, without those that count the rows.
        label: Where the label stands: ``first``, ``last`` or ``none``.

    Raises:
        InputError: If a cell at an end holds whole numbers that are no samples, or a row is a sample.
    """
    widths = {len(row) for row in rows}
    if len(widths) != 1 or len(rows) < FEWEST:
        return
    width = widths.pop()
    if width <= _NARROW:
        _check_not_long(path, rows, width)
    ends = (int(label == "first"), width - 1 - int(label == "last"))
    if ends[1] - ends[0] < 3:
        return
    between = np.linspace(ends[0] + 1, ends[1] - 1, _COMPARED).astype(int).tolist()
    whole = np.mean([_is_whole(row[at]) for at in set(between) for row in rows])
    if whole ** len(rows) > _CHANCE:
        return
    for at in ends:
        cells = [row[at] for row in rows]
        if all(map(_is_whole, cells)) and len(set(map(float, cells))) > 1:
            raise InputError(
                f"{path} has no header, and cell {at + 1} of its rows holds whole numbers, which the cells beside it "
                "are not: an id, a time or a label, and no sample? Remove it, or add a header that names it and the "
                "samples (such as id,label,v0,v1,...)."
            )


def _check_not_long(path: Path, rows: Sequence[Sequence[str]], width: int) -> None:
    """That rows are no samples of signals that another cell tells apart."""
    shape = shape_of({str(at + 1): _column(str(at + 1), [row[at] for row in rows]) for at in range(width)})
    if shape is not None and shape.rows > 2:
        raise InputError(
            f"{path} has no header, and a row looks like one sample: cell {shape.id} repeats in blocks of rows, as ids "
            f"of signals do, and cell {shape.time} rises within them, as times do. Add a header that names the columns "
            "(such as id,time,x,label), or, if a row is a signal, its samples (v0,v1,...)."
        )


def _column(name: str, cells: list[str]) -> Column:
    if all(map(is_number, cells)):
        return Column(name, None, np.array(cells, np.float64))
    return Column(name, cells, None, True)


def _is_whole(cell: str) -> bool:
    return is_number(cell) and float(cell).is_integer()
