"""Tables of pictures: a row a picture, with its path, its label and perhaps its part."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import InputError, unknown
from .names import extensions, part_of

PATHS = ("path", "filepath", "imagepath", "imgpath", "filename", "imagefile", "imagename", "file", "image", "img")
LABELS = ("label", "class", "target", "category")
_SPLITS = ("split", "part", "partition", "subset", "set")
_MARKS = (",", ";", "\t", "|")
_TEXTS = (".csv", ".tsv", ".txt")
_END = re.compile(r"(\.[A-Za-z]\w*)\s*$")
_WIDE = 24  # a table of more columns than that holds samples
_START = 65_536  # bytes by which a table is told


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


@dataclass(frozen=True)
class _Columns:
    """Places of the columns in a row."""

    path: int
    label: int
    split: int | None


def lists_pictures(table: Path) -> bool:
    """Whether a text table is, by its header and its first rows, of pictures and not of signals."""
    if table.suffix.lower() not in _TEXTS:
        return False
    try:
        with table.open("rb") as file:
            start = file.read(_START)
        lines = start.decode(_encoding(start), "replace").splitlines(keepends=True)
        rows = [cells for _, cells in _rows(table, "".join(lines[:20]), strict=False)]
    except (OSError, InputError):
        return False
    header = rows[0] if rows else []
    names = [_plain(name) for name in header]
    narrow = len(header) <= _WIDE
    if narrow and set(names) & set(PATHS) and set(names) & set(LABELS):
        return True
    ends = extensions()
    files = [cell for row in rows for cell in row if _ends_in(cell, ends)]
    return bool(files) and (narrow or any(_exists(_resolved(table.parent, file)) for file in files))


def _ends_in(cell: str, extensions: Collection[str]) -> bool:
    """Whether a cell is, by its end, the path of a file with one of those extensions."""
    end = _END.search(cell)
    return end is not None and end[1].lower() in extensions


def read_table(table: Path, path: str | None = None, target: str | None = None) -> Labelled:
    """Reads a table with a header and the columns of paths and labels, and perhaps of parts.

    Args:
        table: A text table: commas, semicolons, tabs or bars between the cells; UTF-8 or UTF-16.
        path: Column of the paths, which are relative to the table; ``None`` looks for one of :data:`PATHS`.
        target: Column of the labels; ``None`` looks for one of :data:`LABELS`.

    Raises:
        InputError: If it cannot be read, a column or a cell is missing, or no path leads to a file.
    """
    lines = _rows(table, _text(table), strict=True)
    if len(lines) < 2:
        raise InputError(f"{table} has no row. It needs a header, such as path,label, and a row for each picture.")
    (_, header), *rows = lines
    columns = _columns(table, header, rows, path, target)
    named = f"paths in column {header[columns.path]!r}, labels in column {header[columns.label]!r}"
    split = "" if columns.split is None else f", parts in column {header[columns.split]!r}"
    found = Labelled({"train": []}, notes=[f"Read as a table of pictures: {named}{split}."])
    first: dict[str, tuple[int, str]] = {}
    repeated: list[int] = []
    for line, row in rows:
        cells = _of_width(table, line, row, len(header))
        text, label = cells[columns.path].strip(), cells[columns.label]
        if not text or not label.strip():
            raise InputError(f"{table}, line {line}: path or label is empty.")
        file = _resolved(table.parent, text)
        known = first.setdefault(file, (line, label))
        if known[1] != label:
            raise InputError(
                f"{table}: {text} has the label {known[1]!r} in line {known[0]} and {label!r} in line {line}. "
                "A picture has one label."
            )
        if known[0] != line:
            repeated.append(line)
            continue
        found.parts.setdefault(_part(table, line, cells, columns), []).append((file, label))
    if repeated:
        found.notes.append(
            f"Left out, for they repeat a picture of a row above: {len(repeated)} rows, line {repeated[0]} first."
        )
    _say_missing(table, [cells[columns.path].strip() for _, cells in rows], found)
    return found


def _text(table: Path) -> str:
    """The text of a file: UTF-8, or UTF-16 with a mark at its beginning."""
    try:
        content = table.read_bytes()
    except OSError as error:
        raise InputError(f"{table} could not be read: {error.strerror or error}.") from error
    try:
        return content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f'{table}, line {line} is not UTF-8 text. Save the table as UTF-8 (in Excel: "CSV UTF-8").'
        ) from error


def _encoding(content: bytes) -> str:
    """UTF-16 by its mark or the empty half of its first letter, else UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return {0: "utf-16-be", 1: "utf-16-le"}.get(content[:2].find(b"\0"), "utf-8-sig")


def _rows(table: Path, text: str, strict: bool) -> list[tuple[int, list[str]]]:
    """Line number and cells of every row that is not empty; a blank that is written after every comma, or at least
    every one below the header, is none of a cell's."""
    start = next((line for line in text.splitlines() if line.strip()), "")
    mark = _mark(start)
    rows = _parsed(table, text, strict, mark, False)
    blank = [all(cell.startswith(" ") for cell in cells[1:] if cell) and len(cells) > 1 for _, cells in rows]
    return _parsed(table, text, strict, mark, True) if blank and (blank[0] or all(blank[1:])) else rows


def _parsed(table: Path, text: str, strict: bool, mark: str, spaced: bool) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=spaced, strict=strict)
    rows = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise InputError(f"{table}, line {reader.line_num} is not a row of a table ({error}).") from error
    return rows


def _mark(header: str) -> str:
    """What stands between the cells of a header: what splits off a known name, else what is there most often."""
    known = {*PATHS, *LABELS}

    def score(mark: str) -> tuple[int, int]:
        names = [_plain(name) for name in next(csv.reader([header], delimiter=mark), [])]
        return len(known.intersection(names)), len(names)

    return max(_MARKS, key=score)


def _plain(name: str) -> str:
    """A column's name without case, blanks and lines: ``Image_Path`` is ``imagepath``."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _columns(
    table: Path, header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]], path: str | None, target: str | None
) -> _Columns:
    names = [name.strip() for name in header]
    paths = _place(table, names, path, PATHS, "--path-column")
    labels = _place(table, names, target, LABELS, "--target")
    if paths is None or labels is None:
        raise InputError(_lacking(table, names, rows, paths is None, labels is None))
    if paths == labels:
        raise InputError(f"{table}: --path-column and --target name the same column. Each needs its own.")
    plain = [_plain(name) for name in names]
    for name in _SPLITS:
        place = plain.index(name) if name in plain else None
        if place in (None, paths, labels):
            continue
        cells = {row[place].strip() for _, row in rows if place < len(row)} - {""}
        if name == "split" or (cells and all(map(part_of, cells))):
            return _Columns(paths, labels, place)
    return _Columns(paths, labels, None)


def _place(table: Path, names: Sequence[str], given: str | None, known: Sequence[str], option: str) -> int | None:
    """Where the column is that was named, else the first that has a known name."""
    if given is None:
        plain = [_plain(name) for name in names]
        return next((plain.index(name) for name in known if name in plain), None)
    if given not in names:
        raise InputError(f"{table}, {option}: {unknown('column', given, names)}")
    return names.index(given)


def _lacking(
    table: Path, names: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]], no_path: bool, no_label: bool
) -> str:
    """What a table lacks to be one of pictures."""
    ends = extensions()
    if any(_ends_in(name, ends) for name in names):
        return f"{table} has no header: write path,label, or what else the columns hold, above its first line."
    if no_path:
        likely = [
            name
            for place, name in enumerate(names)
            if any(_ends_in(row[place], ends) for _, row in rows[:20] if place < len(row))
        ]
        hint = f"; name it with --path-column {likely[0]!r}" if likely else "; name another with --path-column"
        return (
            f"{table} needs a header with a column of paths (path, filename, file or image{hint}); it has the columns "
            f"{', '.join(names)}."
        )
    return (
        f"{table} needs a header with a column of labels ({', '.join(LABELS)}; name another with --target); it has the "
        f"columns {', '.join(names)}."
    )


def _of_width(table: Path, line: int, cells: Sequence[str], width: int) -> Sequence[str]:
    """The cells of a row, as many as the header has; empty ones at the end are no cells."""
    if len(cells) < width:
        return [*cells, *[""] * (width - len(cells))]
    if any(cell.strip() for cell in cells[width:]):
        raise InputError(
            f"{table}, line {line} has {len(cells)} cells, the header {width}. Put quotes around a cell with a comma."
        )
    return cells


def _part(table: Path, line: int, cells: Sequence[str], columns: _Columns) -> str:
    text = "" if columns.split is None else cells[columns.split].strip()
    part = part_of(text) if text else "train"
    if part is None:
        raise InputError(f"{table}, line {line}: split is train, val or test, not {text!r}.")
    return part


def _resolved(folder: Path, text: str) -> str:
    """Where a path of a table leads; one of Windows with its backslashes too."""
    path = str(folder / text)
    if "\\" in text and not _exists(path):
        path = str(folder / text.replace("\\", "/"))
    return path


def _exists(path: str) -> bool:
    """Also of what cannot be a path at all."""
    return os.path.exists(path)  # noqa: PTH110


def _say_missing(table: Path, texts: Sequence[str], found: Labelled) -> None:
    """Leaves out the rows whose file does not exist.

    Raises:
        InputError: If that is every row.
    """
    files = [path for rows in found.parts.values() for path, _ in rows]
    folder = table.parent.resolve()
    found.bad |= {
        path: f"no such file; paths are looked for from the table's folder, {folder}"
        for path in files
        if not _exists(path)
    }
    if files and len(found.bad) == len(files):
        here = any(_exists(text.replace("\\", "/")) for text in texts)
        hint = (
            f"They lead to files from the current folder: move the table there, or write paths from {folder}."
            if here
            else "Write them from there, or in full."
        )
        raise InputError(
            f"No path in {table} leads to a file ({len(files):,} rows, {texts[0]!r} first): they are looked for from "
            f"the table's folder, {folder}. {hint}"
        )
