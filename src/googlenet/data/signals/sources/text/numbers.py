"""How a table writes numbers: with which decimal mark, which mark between thousands, and perhaps many in a cell."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .....errors import InputError
from ...rows import MISSING

_END = r"([.,]\d*)?(?:e[+-]?\d+)?"
_GROUPED = re.compile(
    rf"[+-]?[1-9]\d{{0,2}}((?P<mark>[.,'’\u00a0\u202f ])\d{{3}})(?:(?P=mark)\d{{3}})*{_END}", re.I | re.A
)
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.I | re.A)
_DOT = re.compile(r"[+-]?(\d+\.\d*|\.\d+)(e[+-]?\d+)?", re.I | re.A)
_BLANK = " \u00a0\u202f"
_OTHER = re.compile("[,'’\u00a0\u202f ]")  # without these, numbers are as programs write them
_NAN = math.nan
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_LONG = 1000  # a cell of more letters is no number
_INSIDE = re.compile(r"[\s,;|\[({]")  # what every list has in it
_DIGITS = 3  # between marks
_AT_ONCE = 1024  # cells that are taken for numbers, until one is none
_FEW = 3  # numbers side by side, without brackets, that are a list


@dataclass(frozen=True)
class Numbers:
    """A way to write numbers.

    Attributes:
        decimal: ``.`` or ``,``.
        thousands: Marks between groups of three digits; empty for none.
        missing: Further words that say "no value here", in lower case.
        unsure: Whether ``1.234`` may be a thousand and more, which the first rows do not tell.
    """

    decimal: str = "."
    thousands: str = ""
    missing: frozenset[str] = field(default=frozenset())
    unsure: bool = field(default=False, compare=False)

    @property
    def said(self) -> str:
        """What is not as programs write it."""
        marks = {"'": "apostrophes", "’": "apostrophes", ".": "dots", ",": "commas"}
        between = dict.fromkeys(marks.get(mark, "blanks") for mark in self.thousands)
        comma = ", decimal commas" if self.decimal == "," else ""
        return comma + (f", {' and '.join(between)} between thousands" if between else "")

    def row(self, cells: Sequence[str]) -> list[float]:
        """Cells to numbers, NaN where a value is missing.

        Raises:
            ValueError: If any is neither.
        """
        joined = "".join(cells)
        if "_" in joined or ((self.unsure or self.decimal == ",") and "." in joined):  # Python takes 1_0 for ten
            return [self.one(cell) for cell in cells]
        try:
            if self.decimal == ",":
                return [float(cell.replace(",", ".")) for cell in cells]
            return list(map(float, cells))
        except ValueError:
            return [self.one(cell) for cell in cells]

    def one(self, cell: str) -> float:
        """A cell as a number, NaN if its value is missing.

        Raises:
            ValueError: If it is neither.
        """
        cell = cell.strip()
        try:
            return self._plain(cell)
        except ValueError:
            lower = cell.lower()
            if lower in MISSING or lower in self.missing:
                return _NAN
            raise

    def _plain(self, cell: str) -> float:
        if "_" in cell or (self.unsure and _grouped(cell)[0] == "."):
            raise ValueError
        if self.thousands and _grouped(cell)[0] in (*self.thousands,):
            for mark in self.thousands:
                cell = cell.replace(mark, "")
        if self.decimal == ",":
            if "." in cell:
                raise ValueError
            cell = cell.replace(",", ".")
        return float(cell)

    def plain(self, cell: str) -> str:
        """A number as programs write it, nothing where its value is missing; any other cell as it is."""
        if self == Numbers():
            return cell
        try:
            value = self.one(cell)
        except ValueError:
            return cell
        return "" if math.isnan(value) else repr(value)

    def is_number(self, cell: str) -> bool:
        """Whether a cell is a number that is not missing; it may be infinite."""
        try:
            return not math.isnan(self.one(cell))
        except ValueError:
            return False

    def is_text(self, cell: str) -> bool:
        """Whether a cell is neither a number nor missing."""
        try:
            self.one(cell)
        except ValueError:
            return True
        return False

    def texts(self, cells: Sequence[str]) -> list[int]:
        """Places of the cells that are neither a number nor missing."""
        found = []
        for at in range(0, len(cells), _AT_ONCE):
            some = cells[at : at + _AT_ONCE]
            try:
                self.row(some)
            except ValueError:
                found += [at + place for place, cell in enumerate(some) if self.is_text(cell)]
        return found

    def values(self, cells: Sequence[str]) -> npt.NDArray[np.float64]:
        """The numbers among some cells that are not missing."""
        texts = set(self.texts(cells))
        every = np.array(self.row([cell for at, cell in enumerate(cells) if at not in texts]), np.float64)
        return every[~np.isnan(every)]


class Ambiguous(ValueError):
    """Numbers that may mean either of two things; the message is the cell."""


def numbers_of(cells: Iterable[str], mark: str | None) -> Numbers:
    """How those cells write numbers.

    Args:
        cells: Of some rows.
        mark: What stands between cells; semicolons do so where commas are decimal ones.

    Raises:
        Ambiguous: If ``1,234``, or ``1.234`` between semicolons and beside whole numbers of three digits, may be a
            thousand and more, or one and a bit.
    """
    cells = list(cells)
    joined = "".join(map(str.strip, cells))
    if not _OTHER.search(joined) and (mark != ";" or "." not in joined):
        return Numbers(unsure=mark == ";" and _has_whole(cells))
    return _shown_by(cells, mark)


def _shown_by(cells: Sequence[str], mark: str | None) -> Numbers:
    marked = [cell for cell in cells if not cell.isalnum()]  # in digits alone, or in letters, there is no mark
    shown = list(map(_evidence, marked))
    decimals, groups = map(Counter, zip(*shown, strict=True)) if shown else (Counter[str](), Counter[str]())
    unsure = next(filter(_may_be_either, marked), "")
    if mark == ";":
        _check_dots(cells, marked, decimals)
    comma = decimals[","] > decimals["."] or (unsure and mark == ";" and not groups[","])
    decimal = "," if comma else "."
    thousands = "".join(sorted(group for group in groups if group and group != decimal))
    if unsure and not comma and "," not in thousands:
        raise Ambiguous(unsure)
    return Numbers(decimal, thousands)


def _may_be_either(cell: str) -> bool:
    return _evidence(cell)[0] == "?"


def _check_dots(cells: Sequence[str], marked: Sequence[str], decimals: Mapping[str, int]) -> None:
    """That no cell is 1.234 where others are whole numbers of three digits, and none has another fraction."""
    dotted = next((cell for cell in marked if _grouped(cell.strip())[0] == "."), "")
    if dotted and not decimals["."] and not decimals[","] and _has_whole(cells):
        raise Ambiguous(dotted)


def _has_whole(cells: Iterable[str]) -> bool:
    return any(len(cell.strip()) == _DIGITS and cell.strip().isdecimal() for cell in cells)


def _evidence(cell: str) -> tuple[str, str]:
    """The decimal mark and the one between thousands that a cell shows; ``?`` for a comma that may be either."""
    cell = cell.strip()
    group, rest = _grouped(cell)
    if group in ("'", "’", *_BLANK) or rest:
        other = {".": ",", ",": "."}.get(group, "")
        return rest[:1] or other, "" if group == " " and not rest else group
    if group:  # 1,234 or 1.234
        return "?" if group == "," else "", ""
    if _COMMA.fullmatch(cell):
        return ",", ""
    return ("." if _DOT.fullmatch(cell) else ""), ""


def numbers_in(cells: Sequence[str]) -> int:
    """How many numbers those cells hold, however they are written, and lists of them too."""
    return sum(1 if len(cell) < _LONG and _is_number_somehow(cell.strip()) else length_of(cell) for cell in cells)


def _is_number_somehow(cell: str) -> bool:
    try:
        return "_" not in cell and not math.isnan(float(cell))
    except ValueError:
        return _COMMA.fullmatch(cell) is not None or _grouped(cell)[0] != ""


def _grouped(cell: str) -> tuple[str, str]:
    """The mark between the thousands of a cell that is written so, or may be, and what stands behind the last three."""
    match = _GROUPED.fullmatch(cell)
    if match is None or (match[3] or "")[:1] == match["mark"]:
        return "", ""
    return match["mark"], match[3] or ""


def items_of(cell: str, decimal: str = ".") -> list[str] | None:
    """The items of a cell that may be a list; ``None`` if it is none by its look.

    ``[0.1, 0.2]``, ``[0.1 0.2]``, ``0.1 0.2 0.3``, ``0.1,0.2,0.3`` and ``[0,1; 0,2]``.
    """
    closing = _BRACKETS.get((cell := cell.strip())[:1])
    if closing is not None:
        if not cell.endswith(closing):
            return None
        cell = cell[1:-1].strip()
    mark = ";" if closing and ";" in cell else "," if "," in cell and decimal == "." else None
    items = cell.split(mark)
    items = items[:-1] if items and not items[-1].strip() else items
    least = (
        _FEW if closing is None else 2 if closing == ")" and mark is None and items else 0
    )  # (1.5) may be below zero
    return items if len(items) >= least else None


def length_of(cell: str, numbers: Numbers | None = None) -> int:
    """How many numbers a cell holds that is a list of them; 0 if it is none."""
    if not _INSIDE.search(cell) or (numbers is not None and numbers.is_number(cell)):
        return 0
    for decimal in (numbers.decimal,) if numbers else (".", ","):
        style = numbers or Numbers(decimal)
        items = items_of(cell, decimal)
        if items and not any(style.is_text(item) and item.strip() != "..." for item in items):
            return len(items)
    return 0


def list_columns(rows: Sequence[Sequence[str]], numbers: Numbers) -> list[int]:
    """Places of the columns of which every cell of those rows is a list, or missing, and one at least is.

    Args:
        rows: Some rows below the header.
        numbers: How numbers are written.
    """
    width = min(map(len, rows), default=0)
    found = []
    for at in numbers.texts(rows[0][:width]) if rows and any(map(_INSIDE.search, rows[0])) else ():
        cells = [row[at] for row in rows if row[at].strip().lower() not in MISSING]
        if cells and all(length_of(cell, numbers) for cell in cells):
            found.append(at)
    return found


def spread(cell: str, length: int, decimal: str, where: str) -> list[str]:
    """The items of a cell, and empty ones behind them; one that is no list is its own first item.

    Args:
        cell: Of a column of lists.
        length: Of the longest.
        decimal: The decimal mark.
        where: The cell, for the message.

    Raises:
        InputError: If the list was cut short as it was written.
    """
    if cell.strip().lower() in MISSING:
        return [""] * length
    items = items_of(cell, decimal)
    if items is None:
        items = [cell]
    if "..." in cell:
        raise InputError(
            f"{where} holds a list that was cut short with '...' when it was written. Write every number of it, or "
            f"save the signals as an NPZ with arrays X and y."
        )
    return items[:length] + [""] * (length - len(items))
