"""Tables of pictures: a row a picture, with its path, its label and perhaps its part."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..... import limits
from .....errors import InputError, count, quoted, short
from ...names import extensions
from .columns import LABELS, PATHS, chosen, ends_in, plain
from .parts import parts_of_rows
from .paths import base_of, exists, resolved, why_missing
from .rows import Row, beginning_of, rows_of, text_of

_TEXTS = (".csv", ".tsv", ".txt")
_WIDE = 24  # a table of more columns than that holds samples
_FRACTION = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?", re.IGNORECASE)
_NOTES = 20  # on columns
_NO_LABEL = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "?", "-"})  # labels that may say there is none
_MANY = 8  # labels that are told to be numbers and not classes


Rows = dict[str, list[tuple[str, str]]]  # "train", "val", "test" to rows of path and class


@dataclass
class Labelled:
    """Pictures and their labels, before one is opened.

    Attributes:
        parts: The pictures of each part.
        bad: What is left out already, with the reason.
        notes: What is to be said.
    """

    parts: Rows = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def lists_pictures(table: Path) -> bool:
    """Whether a text table is, by its header and its first rows, of pictures and not of signals."""
    if table.suffix.lower() not in _TEXTS:
        return False
    rows = _beginning(table)
    header = rows[0] if rows else []
    names = [plain(name) for name in header]
    narrow = len(header) <= _WIDE
    if narrow and set(names) & set(PATHS) and set(names) & set(LABELS):
        return True
    ends = extensions()
    if any(_is_list(row, ends) for row in rows):
        return True
    files = [cell for row in rows for cell in row if ends_in(cell, ends)]
    return bool(files) and (narrow or any(exists(resolved(table.parent, file)) for file in files))


def _is_list(row: Sequence[str], ends: Collection[str]) -> bool:
    """Whether the cells of a row are separated by blanks, and one is a path; no table is written like that."""
    return len(row) == 1 and any(ends_in(word, ends) for word in row[0].split())


def _beginning(table: Path) -> list[list[str]]:
    """The first rows of a table; none if it cannot be read."""
    try:
        return [cells for _, cells in rows_of(table, beginning_of(table)[1], strict=False)]
    except (OSError, InputError):
        return []


def read_table(table: Path, path: str | None = None, target: str | None = None) -> Labelled:
    """Reads a table with a header and the columns of paths and labels, and perhaps of parts.

    Args:
        table: A text table: commas, semicolons, tabs or bars between the cells; UTF-8 or UTF-16.
        path: Column of the paths, which are relative to the table; ``None`` looks for one of :data:`PATHS`.
        target: Column of the labels; ``None`` looks for one of :data:`LABELS`.

    Raises:
        InputError: If it cannot be read, a column or a cell is missing, or no path leads to a file.
    """
    lines = rows_of(table, text_of(table), strict=True)
    if len(lines) < 2:
        raise InputError(f"{table} has no row. It needs a header, such as path,label, and a row for each picture.")
    (_, header), *below = lines
    names = [name.strip() for name in header]
    rows = [_of_width(table, row, len(header)) for row in _not_too_short(table, below, len(header))]
    numbers = [line for line, _ in below]
    paths, labels, notes = chosen(table, names, rows, path, target)
    parts, split, more = parts_of_rows(table, names, rows, numbers, (paths, labels))
    texts, classes = [row[paths].strip() for row in rows], [row[labels] for row in rows]
    _refuse_empty(table, names[labels], numbers, texts, classes)
    _refuse_numbers(table, names[labels], classes)
    base, where = base_of(table, texts)
    said = f"paths in column {quoted(names[paths])}, labels in column {quoted(names[labels])}"
    said += f"{split and ', parts in '}{split}"
    found = Labelled({"train": []}, notes=[f"Read as a table of pictures: {said}.", *where, *_few([*notes, *more])])
    found.notes += _doubted(table, classes)
    files = [resolved(base, text) for text in texts]
    for number in _first_of_each(table, numbers, texts, files, classes, found):
        found.parts.setdefault(parts[number], []).append((files[number], classes[number]))
        if not exists(files[number]):
            found.bad[files[number]] = why_missing(texts[number], base, table)
    return found


def _few(notes: Sequence[str]) -> list[str]:
    """What is said of columns; of very many the first."""
    more = len(notes) - _NOTES
    return [*notes[:_NOTES], *([f"{more:,} more columns are not used, either."] if more > 0 else [])]


def _not_too_short(table: Path, rows: Sequence[Row], width: int) -> Sequence[Row]:
    """Rows that do not grow far beyond the file as they are filled up to the header's width."""
    if len(rows) * width > table.stat().st_size + limits.PADDED:
        line, cells = min(rows, key=lambda row: len(row[1]))
        raise InputError(f"{table}, line {line} has {len(cells)} cells, the header {width:,}. Is it a table?")
    return rows


def _of_width(table: Path, row: Row, width: int) -> list[str]:
    """The cells of a row, as many as the header has; empty ones at the end are no cells."""
    line, cells = row
    if any(cell.strip() for cell in cells[width:]):
        raise InputError(
            f"{table}, line {line} has {len(cells)} cells, the header {width}. Put quotes around a cell with a comma."
        )
    return [*cells[:width], *[""] * (width - len(cells))]


def _refuse_empty(table: Path, name: str, numbers: Sequence[int], texts: Sequence[str], classes: Sequence[str]) -> None:
    """Refuses rows without a path or a label, and names the first."""
    rows = list(zip(numbers, texts, classes, strict=True))
    empty = [(line, text) for line, text, label in rows if not text or not label.strip()]
    if empty:
        line, text = empty[0]
        what = f"the label of {short(text)} (column {quoted(name)}) is empty" if text else "the path is empty"
        more = f", and {len(empty) - 1:,} more rows lack one" if len(empty) > 1 else ""
        raise InputError(f"{table}, line {line}: {what}{more}. Fill it in, or take the row out.")


def _refuse_numbers(table: Path, name: str, classes: Sequence[str]) -> None:
    """Refuses labels that are fractions, most of them different: a number to predict is no class."""
    different = {label.strip() for label in classes}
    if len(different) >= _MANY and 2 * len(different) > len(classes) and all(map(_FRACTION.fullmatch, different)):
        raise InputError(
            f"{table}: column {quoted(name)} holds numbers such as {short(classes[0].strip())}, {len(different):,} "
            f"different ones in {len(classes):,} rows, and a number to predict is no class. Name a column of classes "
            "with --target, or write one, such as low and high."
        )


def _doubted(table: Path, classes: Sequence[str]) -> Iterator[str]:
    """What to say of labels that may be none."""
    for word, rows in Counter(label for label in classes if label.strip().lower() in _NO_LABEL).items():
        yield (
            f"{table}: {count(rows, 'row')} with the label {quoted(word)}, taken for a class. If it says that there is "
            "none, take them out."
        )


def _first_of_each(
    table: Path,
    numbers: Sequence[int],
    texts: Sequence[str],
    files: Sequence[str],
    classes: Sequence[str],
    found: Labelled,
) -> list[int]:
    """The rows that name a file first; that others repeat it is said, and under another label refused."""
    first: dict[str, int] = {}
    repeated = []
    for number, file in enumerate(files):
        known = first.setdefault(os.path.abspath(file), number)  # noqa: PTH100
        if classes[known] != classes[number]:
            raise InputError(
                f"{table}: {short(texts[number])} has the label {quoted(classes[known])} in line {numbers[known]} and "
                f"{quoted(classes[number])} in line {numbers[number]}. A picture has one label."
            )
        if known != number:
            repeated.append(numbers[number])
    if repeated:
        found.notes.append(
            f"Left out, for they repeat a picture of a row above: {len(repeated)} rows, line {repeated[0]} first."
        )
    return list(first.values())
