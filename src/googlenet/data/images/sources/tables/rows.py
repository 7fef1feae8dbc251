"""From the bytes of a text table to the cells of its rows, in whatever dialect it is written."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .....errors import InputError
from .....files import open_plain
from .columns import LABELS, PATHS, plain

_MARKS = (",", ";", "\t", "|")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_NAMED_MARK = re.compile(r'\s*"?sep=(.)"?\s*', re.IGNORECASE)  # the first line of what Excel is to split

_BEGINNING = 65_536  # bytes by which a table is told

Row = tuple[int, list[str]]  # the number of its line, and its cells


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Attributes:
        mark: What stands between cells.
        spaced: Whether a blank that follows it is none of a cell's.
        named: Whether the first line says what the mark is, and is no row.
    """

    mark: str
    spaced: bool
    named: bool


def beginning_of(table: Path) -> tuple[str, str]:
    """The encoding of a text table, and its first lines.

    Args:
        table: Where it lies.

    Raises:
        InputError: If it is no plain file.
        OSError: If it cannot be read.
    """
    with open_plain(table) as file:
        start = file.read(_BEGINNING)
    encoding = encoding_of(start)
    return encoding, "".join(start.decode(encoding, "replace").splitlines(keepends=True)[:20])


def text_of(table: Path) -> str:
    """The text of a file: UTF-8, or UTF-16 with a mark at its beginning.

    Raises:
        InputError: If it cannot be read, or is not such text.
    """
    try:
        with open_plain(table) as file:
            content = file.read()
    except OSError as error:
        raise InputError(f"{table} could not be read: {error.strerror or error}.") from error
    try:
        return content.decode(encoding_of(content))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f'{table}, line {line} is not UTF-8 text. Save the table as UTF-8 (in Excel: "CSV UTF-8").'
        ) from error


def encoding_of(content: bytes) -> str:
    """UTF-16 by its mark or the empty half of its first letter, else UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return {0: "utf-16-be", 1: "utf-16-le"}.get(content[:2].find(b"\0"), "utf-8-sig")


def rows_of(table: Path, text: str, strict: bool) -> list[Row]:
    """Every row that is not empty; a blank that is written after every comma, or at least every one below the header,
    is none of a cell's, and a first line ``sep=;`` is no row.

    Args:
        table: For what is said of it.
        text: Of the table, or its beginning.
        strict: Whether quotes that are wrong are an error.

    Raises:
        InputError: If it is no table.
    """
    return _read(table, text, strict)[1]


def dialect_of(table: Path, start: str) -> Dialect:
    """How a table is written, as :func:`rows_of` reads it.

    Args:
        table: For what is said of it.
        start: Its first lines.

    Raises:
        InputError: If it is no table.
    """
    return _read(table, start, strict=False)[0]


def _read(table: Path, text: str, strict: bool) -> tuple[Dialect, list[Row]]:
    start = next((line for line in _lines(text) if line.strip()), "").rstrip("\r\n")
    named = _NAMED_MARK.fullmatch(start)
    mark = named[1] if named else _mark(start, table.suffix.lower() == ".tsv")
    rows = _parsed(table, text, strict, mark, False)[bool(named) :]
    blank = [all(cell.startswith(" ") for cell in cells[1:] if cell) and len(cells) > 1 for _, cells in rows]
    spaced = bool(blank) and (blank[0] or all(blank[1:]))
    if spaced:
        rows = _parsed(table, text, strict, mark, True)[bool(named) :]
    return Dialect(mark, spaced, bool(named)), rows


def _parsed(table: Path, text: str, strict: bool, mark: str, spaced: bool) -> list[Row]:
    rows: list[Row] = []
    line = 1
    try:
        reader = csv.reader(_lines(text), delimiter=mark, skipinitialspace=spaced, strict=strict)
        for cells in reader:
            line = reader.line_num
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
    except csv.Error as error:
        raise InputError(f"{table}, line {reader.line_num} is not a row of a table ({error}).") from error
    except (TypeError, ValueError) as error:  # what is named to stand between cells cannot
        raise InputError(f"{table}, line {line} names {mark!r} to stand between cells: {error}.") from error
    return rows


def _lines(text: str) -> Iterator[str]:
    """Its lines, one after the other, with their ends."""
    return (match[0] for match in _LINE.finditer(text))


def _mark(header: str, tabs: bool) -> str:
    """What stands between the cells of a header: what splits off a known name, else a tab where that is to be expected,
    else what is there most often."""
    known = {*PATHS, *LABELS}

    def score(mark: str) -> tuple[int, bool, int]:
        try:
            names = [plain(name) for name in next(csv.reader([header], delimiter=mark), [])]
        except csv.Error:  # a cell that is too long, of which the first row tells
            return 0, False, 0
        return len(known.intersection(names)), tabs and mark == "\t", len(names)

    return max(_MARKS, key=score)
