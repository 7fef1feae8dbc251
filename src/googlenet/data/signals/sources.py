"""Tables as files: CSV and its kin, Parquet, and the arrays of an NPZ."""

from __future__ import annotations

import csv
import importlib
from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError, unknown
from ...files import read_npz as read_npz_arrays
from .archive import separator
from .rows import SignalRows, SignalTable, count, is_number, is_text, text_lines, to_numbers
from .tables.names import IDS, LABELS, TIMES
from .tables.source import Cells

_NAMES = frozenset({*LABELS, *IDS, *TIMES, "group"})


class CsvSource:
    """A text table with a header: ``.csv``, ``.tsv``, ``.txt``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _, self.header = next(records(path))
        self.header = [name.strip() for name in self.header]

    def text_columns(self) -> list[str]:
        """Columns with a cell that is neither a number nor missing."""
        numeric = list(range(len(self.header)))
        for _, cells in self._rows():
            if len(cells) != len(self.header):
                continue
            try:
                for at in numeric:
                    float(cells[at])
            except ValueError:
                numeric = [at for at in numeric if not is_text(cells[at])]
        kept = set(numeric)
        return [name for at, name in enumerate(self.header) if at not in kept]

    def read(self, texts: Sequence[str], numbers: Sequence[str], missing: Collection[str] = frozenset()) -> Cells:
        """Reads those columns as text, and those as numbers.

        Args:
            texts: To read as text.
            numbers: To read as numbers.
            missing: Further words for what is missing.
        """
        places = {name: at for at, name in enumerate(self.header)}
        text_at = [(places[name], []) for name in texts]  # type: list[tuple[int, list[str]]]
        number_at = [places[name] for name in numbers]
        known: dict[str, str] = {}  # a label is kept once, however often it is there
        rows, values, bad = array("q"), array("d"), dict[int, str]()
        for row, cells in self._rows():
            if len(cells) != len(self.header):
                bad[len(rows)] = (
                    f"{self.path}, row {row} has {count(len(cells), 'cell')}, but the header has {len(self.header)}."
                )
                cells = [*cells, *[""] * len(self.header)][: len(self.header)]
            for at, column in text_at:
                cell = cells[at].strip()
                column.append(known.setdefault(cell, cell))
            picked = [cells[at] for at in number_at]
            if missing:
                picked = ["" if cell.strip() in missing else cell for cell in picked]
            try:
                if len(rows) in bad:
                    raise InputError(bad[len(rows)])
                values.extend(to_numbers(picked, self._cell(row, numbers)))
            except InputError as error:
                bad[len(rows)] = str(error)
                values.extend([float("nan")] * len(picked))
            rows.append(row)
        table = np.frombuffer(values, np.float64).reshape(len(rows), len(numbers))
        return Cells(rows, {name: column for name, (_, column) in zip(texts, text_at, strict=True)}, table, bad)

    def _cell(self, row: int, names: Sequence[str]) -> Callable[[int], str]:
        """Names a cell of a row, for a message."""
        return lambda at: f"{self.path}, row {row}, column {names[at]!r}"

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header."""
        rows = records(self.path)
        next(rows)
        yield from rows


class ParquetSource:
    """A Parquet file; needs pandas."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._pandas: Any = importlib.import_module("pandas")
            self._frame: Any = self._pandas.read_parquet(path)
        except ImportError as error:
            raise InputError(f"{path} is a Parquet file; to read it: pip install 'googlenet[tables]'") from error
        except Exception as error:
            raise InputError(f"{path} is not a Parquet file, or it is damaged.") from error
        self.header = [str(name) for name in self._frame.columns]
        self._frame.columns = self.header

    def text_columns(self) -> list[str]:
        """Cells that are not numbers."""
        numeric = self._pandas.api.types.is_numeric_dtype
        return [name for name in self.header if not numeric(self._frame[name])]

    def read(self, texts: Sequence[str], numbers: Sequence[str], missing: Collection[str] = frozenset()) -> Cells:
        """Reads those columns as text, and those as numbers.

        Args:
            texts: To read as text.
            numbers: To read as numbers.
            missing: Further words for what is missing.
        """
        frame, bad = self._frame, dict[int, str]()
        table = np.empty((len(frame), len(numbers)), np.float64)
        for at, name in enumerate(numbers):
            try:
                table[:, at] = frame[name].to_numpy(np.float64, na_value=np.nan)
            except (TypeError, ValueError):
                for row, cell in enumerate(self._texts(name)):
                    try:
                        table[row, at] = to_numbers(["" if cell in missing else cell], partial(self._cell, name, row))[
                            0
                        ]
                    except InputError as error:
                        bad.setdefault(row, str(error))
                        table[row, at] = np.nan
        return Cells(range(1, len(frame) + 1), {name: self._texts(name) for name in texts}, table, bad)

    def _cell(self, name: str, row: int, _: int) -> str:
        """Names a cell, for a message."""
        return f"{self.path}, row {row + 1}, column {name!r}"

    def _texts(self, name: str) -> list[str]:
        column = self._frame[name].astype(object)
        return ["" if empty else str(cell).strip() for cell, empty in zip(column, column.isna(), strict=True)]


def first_row(path: Path) -> list[str]:
    """The cells of the first row of a text table.

    Raises:
        InputError: If it has none.
    """
    for _, cells in records(path):
        return [cell.strip() for cell in cells]
    raise InputError(f"{path} is empty.")


def has_header(path: Path, cells: Sequence[str], names: Sequence[str | None]) -> bool:
    """Whether the first row of a text table names its columns.

    It does if it holds text, with one exception: in ``walk,0.1,0.3,0.2`` the text is a label. The header
    ``kind,0,1,2`` is told from that by its numbers, which rise.

    Args:
        path: The file, for the message.
        cells: The first row.
        names: Names of columns that the user gave.

    Raises:
        InputError: If it cannot be told.
    """
    texts = [cell for cell in cells if is_text(cell)]
    if len(texts) > 1 or any(cell in names or cell.lower() in _NAMES for cell in texts):
        return True
    numbers = [float(cell) for cell in cells if is_number(cell)]
    if not texts:  # 0, 1, 2, ... is how pandas names columns without names
        return len(numbers) > 8 and numbers == list(range(len(numbers)))
    if len(numbers) == len(cells) - 1 > 1 and numbers == sorted(set(numbers)):
        return True
    if is_text(cells[0]) or is_text(cells[-1]):
        return False
    raise InputError(
        f"{path}: the first row, with {texts[0]!r} among numbers, is no header, and no label is its first or last "
        f"cell. If it is a header, name the column of the labels with --target; else put the label first, or last."
    )


def records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every line that is not empty."""
    first = next((line for _, line in text_lines(path) if line.strip()), "")
    mark = separator(first)
    if mark is None and len(first.split()) > 1:
        yield from ((number, line.split()) for number, line in text_lines(path) if line.strip())
        return
    # With their ends, lines that a quote without its partner joins do not join into one number.
    lines = (line + "\n" for _, line in text_lines(path))
    reader = csv.reader(lines, delimiter=mark or ",", skipinitialspace=True)
    try:
        for cells in reader:
            if len(cells) > 1 or any(cell and not cell.isspace() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"{path}, row {reader.line_num} is not a row of a table ({error}).") from error


def read_npz(path: Path, target: str | None, group: str | None, labelled: bool) -> SignalTable:
    """Arrays ``X`` ``(n, length)`` or ``(n, channels, length)``, ``y`` ``(n,)`` and perhaps ``group`` ``(n,)``.

    Args:
        path: The file. If the arrays have other names, there is one of two or three dimensions, and one of one.
        target: Name of the array of labels, instead of ``y``.
        group: Name of the array of groups, instead of ``group``.
        labelled: Whether every signal must have a label.

    Raises:
        InputError: If the arrays cannot be told, or do not fit together.
    """
    arrays = read_npz_arrays(path)
    samples, labels, groups = _npz_roles(path, arrays, target, group, labelled)
    values = arrays[samples]
    rows = SignalRows(path, labelled)
    for at, signal in enumerate(values):
        label, member = (None if name is None else _text(arrays[name][at]) for name in (labels, groups))
        rows.add(at + 1, signal, label, member)
    channels = 1 if values.ndim == 2 else values.shape[1]
    said = "".join(f", {what} in {name}" for what, name in (("labels", labels), ("groups", groups)) if name)
    layout = f"NPZ arrays: signals in {samples}, {count(channels, 'channel')}, {rows.lengths}{said}"
    return rows.table(layout, "it needs an array y")


def _npz_roles(
    path: Path, arrays: dict[str, npt.NDArray[Any]], target: str | None, group: str | None, labelled: bool
) -> tuple[str, str | None, str | None]:
    """Names of the arrays of signals, of labels and of groups, whose shapes fit together."""
    for option, name in (("--target", target), ("--group", group)):
        if name is not None and name not in arrays and (labelled or option == "--group"):
            raise InputError(f"{path}, {option}: {unknown('array', name, arrays)}")
    samples = _only(path, arrays, "X", (2, 3))
    groups = group or ("group" if "group" in arrays else None)
    rest = {name: values for name, values in arrays.items() if name != groups}
    labels = target if target in arrays else _only(path, rest, "y", (1,))
    if samples is None:
        raise InputError(f"{path} has no array X of signals: it has {_shapes(arrays)}.")
    _check_npz(path, arrays, samples, (labels, groups))
    return samples, labels, groups


def _check_npz(path: Path, arrays: dict[str, npt.NDArray[Any]], samples: str, others: Sequence[str | None]) -> None:
    values = arrays[samples]
    if values.dtype.kind not in "fiub" or values.ndim not in (2, 3):
        raise InputError(
            f"{path}: {samples} has to be numbers of shape (n, length) or (n, channels, length), "
            f"not {values.dtype} of shape {values.shape}."
        )
    for name in others:
        if name is not None and arrays[name].shape != values.shape[:1]:
            raise InputError(
                f"{path}: {samples} holds {count(len(values), 'signal')}, so {name} has to have the shape "
                f"({len(values)},), not {arrays[name].shape}."
            )


def _only(path: Path, arrays: dict[str, npt.NDArray[Any]], name: str, dimensions: Sequence[int]) -> str | None:
    """The array of that name, else the only one of so many dimensions, else ``None``."""
    if name in arrays:
        return name
    found = [name for name, values in arrays.items() if values.ndim in dimensions]
    if len(found) > 1:
        raise InputError(f"{path} has no array {name}, and more than one that may be it: {_shapes(arrays)}.")
    return found[0] if found else None


def _shapes(arrays: dict[str, npt.NDArray[Any]]) -> str:
    return ", ".join(f"{name} {values.shape}" for name, values in arrays.items()) or "no arrays"


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
