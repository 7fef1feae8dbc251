"""A long table is known by its shape: a column that repeats in blocks, and another that rises within them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..sources.source import Source
from ..sources.text.dates import dated
from .names import bears, is_clock, words

Floats = npt.NDArray[np.float64]
_ROWS = frozenset({"index", "level_0", "row", "rows", "row_number", "rownum", "row_id"})
MOST = 200  # columns that are looked at: a long table has few


@dataclass(frozen=True)
class Column:
    """A column in memory.

    Attributes:
        name: Of it.
        cells: If it holds text.
        numbers: If it holds numbers; NaN where there is none.
        text: Whether most of what it holds is text.
    """

    name: str
    cells: Sequence[str] | None
    numbers: Floats | None
    text: bool = False

    @cached_property
    def codes(self) -> npt.NDArray[np.intp]:
        """A number for each of its different cells."""
        if self.cells is None:
            return np.unique(self._known, return_inverse=True)[1]
        places = {cell: at for at, cell in enumerate(dict.fromkeys(self.cells))}
        return np.array([places[cell] for cell in self.cells], np.intp)

    @property
    def _known(self) -> Floats:
        assert self.numbers is not None
        return self.numbers

    @cached_property
    def different(self) -> int:
        """How many different cells it has."""
        return int(self.codes.max(initial=-1)) + 1

    def __len__(self) -> int:
        return len(self._known if self.cells is None else self.cells)

    def changes(self, order: npt.NDArray[np.intp] | None = None) -> npt.NDArray[np.bool_]:
        """Whether each row but the first has another cell than the one before it.

        Args:
            order: Of the rows; ``None`` for that of the file.
        """
        values = self.codes if self.cells is not None else self._known
        values = values if order is None else values[order]
        differ: npt.NDArray[np.bool_] = values[1:] != values[:-1]
        return differ if self.cells is not None else differ & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))

    @cached_property
    def moments(self) -> Floats | None:
        """It as times, if all of it is numbers or dates."""
        if self.cells is None:
            return None if np.isnan(self._known).any() else self._known
        return dated(self.cells)


@dataclass(frozen=True)
class Shape:
    """What makes a table long.

    Attributes:
        id: Column that repeats in blocks.
        time: Column that rises within them; ``None`` if there is none.
        rows: In the median block.
    """

    id: str
    time: str | None
    rows: float


def columns_of(source: Source, names: Sequence[str]) -> dict[str, Column]:
    """Some columns, each as text if a cell of it is text.

    Args:
        source: The table.
        names: Which.
    """
    if not names:
        return {}
    texts = source.text_columns(names)
    numbers = [name for name in names if name not in texts]
    cells = source.read(list(texts), numbers)
    places = {name: at for at, name in enumerate(numbers)}
    return {
        name: Column(name, None, cells.numbers[:, places[name]])
        if name in places
        else Column(name, cells.texts[name], None, texts[name])
        for name in names
    }


def shape_of(columns: Mapping[str, Column], id: str | None = None, time: str | None = None) -> Shape | None:
    """What makes a table long, if anything does.

    Args:
        columns: Those that may be ids or times: not the labels.
        id: The column of ids, if it is known.
        time: The column of times, if it is known.
    """
    if len(columns) > MOST:
        return None
    found = {name: blocks_of(columns[name]) for name in (columns if id is None else [id])}
    blocks = {name: starts for name, starts in found.items() if starts is not None}
    rising = sorted(columns if time is None else [time], key=lambda name: not is_clock(name))
    moments = {name: columns[name].moments for name in rising}
    # The finest blocks first; of equally fine ones those whose name is an id's.
    for block, starts in sorted(blocks.items(), key=lambda item: (-len(item[1]), not bears(item[0]))):
        for name in rising:
            times = moments[name]
            if name != block and times is not None and _rises(times, starts):
                return Shape(block, name, rows_of(starts, len(times)))
    return None


def blocks_of(column: Column) -> npt.NDArray[np.intp] | None:
    """Where its blocks of equal cells begin, but for the first; ``None`` if it does not repeat in blocks."""
    starts = np.flatnonzero(column.changes()) + 1
    blocks = len(starts) + 1
    return starts if blocks >= 2 and 2 * blocks < len(column) and column.different == blocks else None


def rows_of(starts: npt.NDArray[np.intp], total: int) -> float:
    """Rows of the median block.

    Args:
        starts: Of the blocks, but for the first.
        total: Rows of the table.
    """
    return float(np.median(np.diff([0, *starts.tolist(), total])))


def _rises(moments: Floats, starts: npt.NDArray[np.intp]) -> bool:
    steps = np.diff(moments)
    inside = np.ones(len(steps), bool)
    inside[starts - 1] = False
    return bool(inside.any() and (steps[inside] > 0).all())


def restarts(block: Column, time: Column) -> bool:
    """Whether times begin anew in every block.

    Args:
        block: That repeats in blocks.
        time: That rises within them.
    """
    starts, moments = blocks_of(block), time.moments
    return starts is not None and moments is not None and bool((moments[starts] < moments[starts - 1]).all())


def is_second_clock(column: Column, codes: npt.NDArray[np.intp]) -> bool:
    """Whether a column beside the times is one of times too: it rises within every signal, by equal steps or by name.

    Args:
        column: Of numbers.
        codes: Which signal each row belongs to.
    """
    moments = column.moments
    if moments is None:
        return False
    order = np.argsort(codes, kind="stable")
    steps, same = np.diff(moments[order]), np.diff(codes[order]) == 0
    inside = steps[same]
    if inside.size <= 3 or not (inside > 0).all():
        return False
    return is_clock(column.name) or bool(np.ptp(inside) <= 1e-6 * np.abs(inside).max())


def numbers_rows(column: Column) -> bool:
    """Whether a column gives every row a number of its own, as programs do: 0, 1, 2, ... in any order, or some of
    those under such a name.

    Args:
        column: Any.
    """
    known = column.numbers
    if known is None or len(known) <= 3 or column.different < len(known) or not (known == np.rint(known)).all():
        return False
    return bool(np.ptp(known) == len(known) - 1) or column.name.lower() in _ROWS


def owns_rows(column: Column, codes: npt.NDArray[np.intp]) -> bool:
    """Whether a column is, by its name, one of ids, and has several in blocks of rows within a signal.

    Args:
        column: Any.
        codes: Which signal each row belongs to.
    """
    if not bears(column.name) or is_constant_within(column, codes):
        return False
    order = np.argsort(codes, kind="stable")
    changes = (np.diff(column.codes[order]) != 0) & (np.diff(codes[order]) == 0)
    return 4 * int(changes.sum()) < len(codes) and not {"signal", "series"} & set(words(column.name))


def is_constant_within(column: Column, codes: npt.NDArray[np.intp]) -> bool:
    """Whether a column has one value in every signal.

    Args:
        column: Any.
        codes: Which signal each row belongs to.
    """
    order = np.argsort(codes, kind="stable")
    same = np.diff(codes[order]) == 0
    return bool(same.any() and not column.changes(order)[same].any())
