"""Text tables without a header: a signal a row, and perhaps its label, first or last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .....errors import InputError, count
from ...rows import SignalTable, blank, is_number, is_text, to_numbers
from ...sources.text.table import Table
from ..schema import Channel, Schema, TableColumns
from .gather import Gathered
from .strangers import FEWEST, check_no_strangers

ARCHIVES = (".tsv", ".txt")  # of the UCR archive, whose label comes first
CHOOSE = "Say where it is with --label-first or --label-last."
_NOTHING = Schema("rows")
_INTERIOR = 16  # columns of samples that a column of labels is compared with


@dataclass(frozen=True)
class _Rows:
    """A file as text: where each row stands, and its cells."""

    path: Path
    places: list[int]
    cells: list[list[str]]

    def column(self, at: int) -> list[str]:
        """A cell of each row that has it."""
        return [row[at] for row in self.cells if -len(row) <= at < len(row)]


def read_bare(source: Table, wanted: TableColumns, labelled: bool, schema: Schema | None = None) -> SignalTable:
    """Every row as a signal; rows may differ in length.

    Args:
        source: The rows.
        wanted: What the user said: ``label`` and ``missing`` are looked at.
        labelled: Whether every row must have a label.
        schema: Of what a network learned from, which says how long signals are, and where labels stand.

    Raises:
        InputError: If it cannot be told which cell is the label, or there is no signal to learn from.
    """
    path, rows = source.path, _gathered(source, schema)
    notes: list[str] = []
    if schema is not None and len(schema.channels) > 1:
        raise InputError(
            f"{path} has no header that names its columns, and the network reads {len(schema.channels)} channels. "
            f"Add one, as the table has that it learned from."
        )
    label = _place(rows, wanted, labelled, schema)
    numbered = label != "first" and _numbers_rows(rows)
    if numbered:
        notes.append(f"The first cell of each row of {path.name} counts the rows, and is left out.")
    check_no_strangers(path, [cells[int(numbered) :] for cells in rows.cells], label)
    if label != "none" and not labelled and schema is None:
        notes.append(f"{path}: the {label} cell of each row is taken for its label, and is no sample.")
    found = Schema(
        "rows", (Channel(""),), label=label, missing=(schema or _NOTHING).with_missing(wanted.missing).missing
    )
    gathered = Gathered(path, labelled, whole_numbers=True, missing=found.missing)
    length = (schema or _NOTHING).fixed
    for number, cells in zip(rows.places, rows.cells, strict=True):
        _add(gathered, number, cells[1:] if numbered else cells, label, length)
    words = {"first": "the label, then ", "last": "the label last, behind "}.get(label, "")
    layout = f"rows without a header: {words}{gathered.rows.lengths}{source.said}"
    table = gathered.table(layout, found, notes)
    widths = [len(cells) - (label != "none") - numbered for cells in rows.cells]
    return replace(table, schema=replace(found, lengths=(min(widths), max(widths))))


def _gathered(source: Table, schema: Schema | None) -> _Rows:
    """The rows of a file, without the separators that all of them end with."""
    rows = _Rows(source.path, [], [])
    for number, cells in source.plain_rows():
        rows.places.append(number)
        rows.cells.append(cells)
    least = 1 if schema is None or schema.fixed is None else schema.fixed + 1  # one cell more may be the label
    empty = min((min(_empty(cells), max(len(cells) - least, 0)) for cells in rows.cells), default=0)
    for cells in rows.cells if empty else ():
        del cells[-empty:]
    return rows


def _empty(cells: Sequence[str]) -> int:
    """How many cells at the end are empty."""
    return next((at for at, cell in enumerate(reversed(cells)) if cell), len(cells))


def _add(gathered: Gathered, number: int, cells: Sequence[str], label: str, length: int | None) -> None:
    """Adds a row."""
    first, end = int(label == "first"), len(cells) - int(label == "last")
    where = f"{gathered.path}, row {number}"
    values = np.empty(0)
    wrong = None
    try:
        known = {word.lower() for word in gathered.missing}
        texts = ["" if cell.lower() in known else cell for cell in cells[first:end]] if known else cells[first:end]
        values = np.array(to_numbers(texts, lambda at: f"{where}, column {at + first + 1}"), np.float64)
        blank(values, gathered.missing)
        if length is not None and len(texts) != length:
            wrong = f"{where} has {count(len(texts), 'sample')}, and the network learned from signals of {length}."
    except InputError as error:
        wrong = str(error)
    text = None if label == "none" else (cells[0] if label == "first" else cells[-1]) if cells else ""
    gathered.add(number, values, text, None, wrong)


def _place(rows: _Rows, wanted: TableColumns, labelled: bool, schema: Schema | None) -> str:
    """Where the label stands: ``first``, ``last`` or ``none``."""
    if wanted.label is not None:
        return wanted.label
    seen = _seen(rows)
    if schema is not None:
        return _as_learned(rows, seen, labelled, schema)
    if not labelled:
        return seen or ("first" if _of_archive(rows.path) else "none")
    if seen is not None:
        return seen
    if rows.path.suffix.lower() in ARCHIVES:
        return "first"
    whole = [_whole(rows.column(at)) for at in (0, -1)]
    if whole != [True, True] and any(whole) and not _interior_like(rows, _whole):
        return "first" if whole[0] else "last"
    which = "both the first and the last cell" if all(whole) else "neither the first nor the last cell"
    raise InputError(f"{rows.path} has no header, and {which} of its rows may be taken for a label. {CHOOSE}")


def _as_learned(rows: _Rows, seen: str | None, labelled: bool, schema: Schema) -> str:
    """Where the label stands in a file that a network is to read."""
    place = schema.label if schema.label in ("first", "last") else seen
    if schema.fixed is not None and not labelled:
        if {len(cells) for cells in rows.cells} != {schema.fixed + 1}:
            return "none"
        if place is None or not _is_certain(rows, seen, place):
            raise InputError(
                f"{rows.path} has {schema.fixed + 1} cells a row, and the network learned from {schema.fixed} "
                f"samples: it cannot be told which cell is the label. Remove the labels."
            )
        return place
    if labelled:
        if place is not None and seen not in (None, place):
            raise InputError(
                f"{rows.path}: the {seen} cell of its rows looks like the label, and the network learned from rows "
                f"whose label is the {place}. {CHOOSE}"
            )
        if place is None:
            raise InputError(f"{rows.path} has no header, and it cannot be told which cell is the label. {CHOOSE}")
        return place
    return seen or (place if place is not None and _of_archive(rows.path) else "none")


def _is_certain(rows: _Rows, seen: str | None, place: str) -> bool:
    """Whether the cell that is one more than the samples is the label, and no separator at the end of the rows."""
    labels = rows.column(0 if place == "first" else -1)
    whole = _whole(labels) and not _interior_like(rows, _whole)  # where samples are whole too, that says nothing
    return seen == place or (seen is None and any(rows.column(-1)) and (whole or not any(labels)))


def _of_archive(path: Path) -> bool:
    """Whether a file is called as the UCR archive's are, which hold labels even where nobody needs them."""
    return path.suffix.lower() in ARCHIVES and path.stem.upper().endswith(("_TRAIN", "_TEST"))


def _seen(rows: _Rows) -> str | None:
    """Where, by the values, a label stands for certain.

    Text is a label. Of numbers, labels are whole and few; samples differ from row to row, or are not whole. A first
    cell that is one whole number in all rows may be the label of a single class.
    """
    first, last = rows.column(0), rows.column(-1)
    texts = [_mostly_text(column) for column in (first, last)]
    if all(texts) and max(map(len, rows.cells)) > 1:
        raise InputError(
            f"{rows.path} has no header, and both the first and the last cell of its rows are text. Remove one, or "
            "add a header and name the label with --target."
        )
    if any(texts):
        return "first" if texts[0] else "last"
    return _seen_of_numbers(rows, first, last)


def _seen_of_numbers(rows: _Rows, first: Sequence[str], last: Sequence[str]) -> str | None:
    """Where, of rows of numbers alone, a label stands for certain."""
    if len(rows.cells) < FEWEST and _whole(first) and _whole(last):
        return None  # so few rows repeat a whole number by chance
    like = [_like_classes(column) for column in (first, last)]
    if like[0] == like[1] or _interior_like(rows, _like_classes):
        return None
    if like[0]:
        return "first"
    return None if _whole(first) and len({float(cell) for cell in first if is_number(cell)}) == 1 else "last"


def _interior_like(rows: _Rows, test: object) -> bool:
    """Whether half of the columns between the first and the last are of that sort, too."""
    assert callable(test)
    width = min(map(len, rows.cells))
    places = sorted({*np.linspace(1, width - 2, _INTERIOR).astype(int).tolist()}) if width > 2 else []
    found = [bool(test(rows.column(at))) for at in places]
    return 2 * sum(found) > len(found)


def _mostly_text(cells: Sequence[str]) -> bool:
    return 2 * sum(map(is_text, cells)) > len(cells)


def _whole(cells: Sequence[str]) -> bool:
    """Whether all that is there are whole numbers."""
    known = [cell for cell in cells if is_number(cell)]
    return 2 * len(known) > len(cells) and all(float(cell).is_integer() for cell in known)


def _like_classes(cells: Sequence[str]) -> bool:
    """Whether a column is of few whole numbers."""
    if not _whole(cells):
        return False
    different = {float(cell) for cell in cells if is_number(cell)}
    return 2 <= len(different) <= max(2, len(cells) // 2) and len(cells) > 2


def _numbers_rows(rows: _Rows) -> bool:
    """Whether the first cells count the rows; that of the first row is empty where pandas took it for a header."""
    cells = rows.column(0)
    cells = cells if cells[:1] != [""] else cells[1:]
    if len(cells) < 5 or not _whole(cells) or not all(map(is_number, cells)) or _interior_like(rows, _whole):
        return False
    numbers = [float(cell) for cell in cells]
    return numbers == [numbers[0] + at for at in range(len(numbers))] and numbers[0] in (0, 1)
