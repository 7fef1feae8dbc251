"""Tables that need packages to read: Parquet and Feather by pandas, Excel workbooks by openpyxl."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import InputError
from ....files import check_unpacked
from ....limits import CELL, ELEMENTS, EMPTY_ROWS, ROWS_OF_SHEET
from ..rows import label_text, no_number
from .source import Cells
from .text.numbers import Numbers
from .text.reading import infinite
from .weight import check_feather, check_parquet, check_texts, check_workbook

_NAMES = {".parquet": "Parquet", ".feather": "Feather"}


class FrameSource:
    """A Parquet or Feather file; needs pandas. An index that pandas kept is columns again.

    Args:
        path: The file.

    Raises:
        InputError: If it cannot be read, or pandas is missing.
    """

    said = ""
    numbers = Numbers()

    def __init__(self, path: Path) -> None:
        self.path = path
        kind = _NAMES[path.suffix.lower()]
        try:
            self._pandas: Any = importlib.import_module("pandas")
            frame = self._read(kind)
        except InputError:
            raise
        except ImportError as error:
            raise InputError(f"{path} is a {kind} file; to read it: pip install 'googlenet[tables]'") from error
        except Exception as error:
            raise InputError(f"{path} is not a {kind} file, or it is damaged.") from error
        if not isinstance(frame.index, self._pandas.RangeIndex):
            frame.index.names = [
                name if name is not None else f"index{at or ''}" for at, name in enumerate(frame.index.names)
            ]
            frame = frame.reset_index(allow_duplicates=True)
        self._columns: dict[str, Any] = {}
        self.header: list[str] = []
        for at, name in enumerate(frame.columns):
            self._add("_".join(map(str, name)) if isinstance(name, tuple) else str(name), frame.iloc[:, at])
        self._rows = len(frame)

    def _read(self, kind: str) -> Any:
        """As pandas reads it, once it is weighed: a text that stands in many rows is kept once."""
        if kind == "Feather":
            check_feather(self.path)
            check_texts(self.path, importlib.import_module("pyarrow.feather").read_table(self.path))
            return self._pandas.read_feather(self.path)
        parquet = importlib.import_module("pyarrow.parquet")
        check_parquet(self.path, parquet)
        return self._pandas.read_parquet(self.path)

    def _add(self, name: str, column: Any) -> None:
        """A column, or as many as its longest list has items."""
        if column.dtype == object and any(_is_list(cell) for cell in column):
            longest = max(len(cell) if _is_list(cell) else 0 for cell in column)
            check_unpacked(
                self.path, CELL * len(column) * longest, f"Lists of {name!r} differ much in length: cut them"
            )
            lists = [_items(self.path, row, name, cell) for row, cell in enumerate(column, start=1)]
            table = np.full((len(lists), max(map(len, lists))), np.nan)
            for values, items in zip(table, lists, strict=True):
                values[: len(items)] = items
            parts = {f"{name}_{at}": self._pandas.Series(table[:, at]) for at in range(table.shape[1])}
        else:
            parts = {name: column}
        self.header += parts
        for part, values in parts.items():
            self._columns.setdefault(part, values)

    def text_columns(self, names: Collection[str]) -> dict[str, bool]:
        """Those of some columns that have a cell which is neither a number nor missing, and whether most cells are so.

        Args:
            names: The columns.
        """
        asked, numeric = set(names), self._pandas.api.types.is_numeric_dtype
        found: dict[str, bool] = {}
        for name in self.header:
            if name in asked and not numeric(self._columns[name]):
                cells = self._texts(name)
                texts = sum(map(self.numbers.is_text, cells))
                found |= {name: texts > sum(map(self.numbers.is_number, cells))} if texts else {}
        return found

    def read(self, texts: Sequence[str], numbers: Sequence[str], missing: Collection[str] = frozenset()) -> Cells:
        """Reads those columns as text, and those as numbers.

        Args:
            texts: Names of columns.
            numbers: Names of columns.
            missing: Further words that say "no value here", in any case.
        """
        style = Numbers(missing=frozenset(word.strip().lower() for word in missing))
        table = np.empty((self._rows, len(numbers)), np.float64)
        bad: dict[int, str] = {}
        for at, name in enumerate(numbers):
            table[:, at] = self._numbers(name, style, bad)
            for row in np.flatnonzero(np.isinf(table[:, at])).tolist():
                bad.setdefault(row, infinite(f"{self.path}, row {row + 1}, column {name!r}"))
        table[list(bad)] = np.nan
        return Cells(range(1, self._rows + 1), {name: self._texts(name) for name in texts}, table, bad)

    def _numbers(self, name: str, style: Numbers, bad: dict[int, str]) -> npt.NDArray[np.float64]:
        column = self._columns[name]
        try:
            if self._pandas.api.types.is_numeric_dtype(column):
                found: npt.NDArray[np.float64] = column.to_numpy(np.float64, na_value=np.nan)
                return found
        except (TypeError, ValueError):
            pass
        values = np.full(self._rows, np.nan)
        for row, cell in enumerate(self._texts(name)):
            try:
                values[row] = style.one(cell)
            except ValueError:
                bad.setdefault(row, no_number(f"{self.path}, row {row + 1}, column {name!r}", cell))
        return values

    def _texts(self, name: str) -> list[str]:
        column = self._columns[name]
        empty = column.isna()
        if self._pandas.api.types.is_float_dtype(column):
            return ["" if none else label_text(str(cell)) for cell, none in zip(column, empty, strict=True)]
        return ["" if none else _text(cell) for cell, none in zip(column.astype(object), empty, strict=True)]


def _text(cell: Any) -> str:
    return cell.decode(errors="replace").strip() if isinstance(cell, bytes) else str(cell).strip()


def _is_list(cell: Any) -> bool:
    return isinstance(cell, (list, tuple, np.ndarray))


def _items(path: Path, row: int, name: str, cell: Any) -> npt.NDArray[np.float64]:
    """The numbers of a list."""
    if not _is_list(cell):
        cell = [] if cell is None or cell != cell else cell
    try:
        items = np.asarray(cell, np.float64)
        if items.ndim == 1:
            return items
    except (TypeError, ValueError):
        pass
    raise InputError(
        f"{path}, row {row}, column {name!r} holds something else than a list of numbers. Write one list for every "
        f"channel, each in a column of its own."
    )


class SheetGrid:
    """The first sheet of an Excel workbook, as rows of text; needs openpyxl.

    Args:
        path: The file.

    Raises:
        InputError: If it cannot be read, or openpyxl is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mark: str | None = None
        self.comment: tuple[int, str] | None = None
        try:
            openpyxl: Any = importlib.import_module("openpyxl")
        except ImportError as error:
            raise InputError(f"{path} is an Excel workbook; to read it: pip install 'googlenet[tables]'") from error
        try:
            check_workbook(path)
            with _book(openpyxl, path, data_only=True) as sheets:
                self._cells = _cells(path, sheets[0].iter_rows(values_only=True))
                names = [sheet.title for sheet in sheets]
            if not all(map(all, self._cells)):
                with _book(openpyxl, path, data_only=False) as sheets:
                    _check_computed(path, self._cells, sheets[0])
        except InputError:
            raise
        except Exception as error:  # a damaged workbook fails in a dozen ways
            raise InputError(
                f"{path} is not an Excel workbook, or it is damaged. Open it in Excel, and save it as CSV UTF-8."
            ) from error
        others = f", not {', '.join(map(repr, names[1:]))}" if len(names) > 1 else ""
        self.said = f", sheet {names[0]!r}{others}"

    def split(self, line: str) -> list[str]:
        """A sheet has no lines of text."""
        return [line]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Number and cells of every row, from the first to the last that is not empty."""
        filled = [at for at, cells in enumerate(self._cells) if any(cells)]
        wide = max((place + 1 for cells in self._cells for place, cell in enumerate(cells) if cell), default=0)
        for at in range(filled[0] if filled else 0, filled[-1] + 1 if filled else 0):
            yield at + 1, (self._cells[at] + [""] * wide)[:wide]

    def pieces(self) -> Iterator[tuple[int, list[str]]]:
        """The same: they are in memory."""
        return self.rows()


@contextmanager
def _book(openpyxl: Any, path: Path, data_only: bool) -> Iterator[list[Any]]:
    """The sheets of a workbook, whose cells are read as they are asked for: what formulas came to, or those."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=data_only, keep_links=False)
    book.worksheets[0].reset_dimensions()  # which may say anything; a row is as wide as its last cell
    try:
        yield book.worksheets
    finally:
        book.close()


def _check_computed(path: Path, cells: Sequence[Sequence[str]], sheet: Any) -> None:
    """That no formula stands where no value does, as in a workbook that a program wrote and nobody opened."""
    for kept, row in zip(cells, sheet.iter_rows(), strict=False):
        for text, cell in zip(kept, row, strict=False):
            if not text and cell.data_type == "f":
                raise InputError(
                    f"{path}, cell {cell.coordinate} holds a formula that was never computed. Open it in Excel, and "
                    "save it."
                )


def _cells(path: Path, rows: Iterator[Sequence[Any]]) -> list[list[str]]:
    """The cells of a sheet as text.

    Raises:
        InputError: If there are more than a sheet has, counting those before the last of a row.
    """
    size = path.stat().st_size
    most, rows_most = ELEMENTS + size // 3, min(ROWS_OF_SHEET, EMPTY_ROWS + size)
    found: list[list[str]] = []
    held = widest = 0
    for row in rows:
        found.append([_written(cell) for cell in row])
        held, widest = held + len(row), max(widest, len(row))
        if held > most or len(found) > rows_most or len(found) * widest > 4 * most:
            raise InputError(f"{path} has more cells than are read of such a workbook. Save the sheet as CSV UTF-8.")
    return found


def _written(cell: Any) -> str:
    """The cell of a sheet as a text table would have it."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return label_text(repr(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell).strip()
