"""Signals in data frames: a signal a row, cells that are series, rows of two index levels, a frame a signal."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import InputError
from ..rows import listing
from ..sources.text.dates import seconds

Floats64 = npt.NDArray[np.float64]

FEW = 4  # columns of one name, numbered, from which on they are a run of samples
CLOCKS = ("time", "timestamp", "timestamps", "datetime", "date", "t", "elapsed", "seconds")
_NUMBERED = re.compile(r"(.*?)(\d+(?:\.\d+)?)")


def is_frame(X: Any) -> bool:
    """Whether it has named columns, as frames of pandas and polars."""
    return hasattr(X, "columns") and hasattr(X, "shape") and len(X.shape) == 2


def levels(X: Any) -> int:
    """Of a frame's index; 1 where it has none."""
    return int(getattr(getattr(X, "index", None), "nlevels", 1))


def numbers(values: Any, what: str) -> Floats64:
    """Values as float64, NaN where one is missing.

    Args:
        values: A series, an array, a list or, for a whole one, a frame.
        what: They are; the subject of the sentence.

    Raises:
        InputError: For dates, complex numbers and text.
    """
    plain: Any = np.asarray(values) if not hasattr(values, "dtype") and not is_frame(values) else values
    kind = getattr(getattr(plain, "dtype", None), "kind", "")
    if kind in tuple("MmcSUTV") or (kind == "O" and any(isinstance(value, (str, bytes)) for value in plain)):
        held = {"M": "dates", "m": "spans of time", "c": "complex numbers", "V": "records"}.get(kind, "text")
        raise InputError(f"{what} holds {held}, no real numbers.")
    try:
        if hasattr(plain, "iloc"):
            found: Floats64 = plain.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            found = np.asarray(plain, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} holds what is no number ({error}).") from error
    return found


def columns_of(X: Any) -> dict[Any, Any]:
    """The columns of a frame, by name.

    Raises:
        InputError: For columns of several levels, or two of one name.
    """
    names = list(X.columns)
    if getattr(X.columns, "nlevels", 1) > 1:
        raise InputError("The columns of the frame have several levels; give an array (N, channels, length) of it.")
    if twice := [str(name) for name, times in Counter(names).items() if times > 1]:
        raise InputError(f"The frame has two columns {twice[0]!r}; rename one, or leave it out.")
    return {name: X.iloc[:, place] if hasattr(X, "iloc") else X[name] for place, name in enumerate(names)}


def is_nested(X: Any) -> bool:
    """Whether some column of a frame has series, arrays or lists in its cells."""
    return any(_holds_series(column) for column in columns_of(X).values())


def _holds_series(column: Any) -> bool:
    cells = (cell for cell in column if cell is not None and not (isinstance(cell, float) and np.isnan(cell)))
    first = next(cells, 0.0) if str(getattr(column, "dtype", "")) in ("object",) or _is_list_type(column) else 0.0
    return hasattr(first, "__len__") and not isinstance(first, (str, bytes))


def _is_list_type(column: Any) -> bool:
    """Of polars or Arrow."""
    return str(getattr(column, "dtype", "")).lower().startswith(("list", "array"))


def nested_signals(X: Any) -> list[Floats64]:
    """A signal a row, a channel a column; shorter channels have missing values at their end.

    Raises:
        InputError: For a column without series, and for cells that hold no numbers.
    """
    columns = columns_of(X)
    others = [str(name) for name, column in columns.items() if not _holds_series(column)]
    if others:
        raise InputError(f"The cells of {listing(others)} are no series, and those of others are: leave it out.")
    rows = zip(*columns.values(), strict=True)
    return [
        stacked(
            [
                numbers(np.atleast_1d(_cell(cell, f"row {row}, column {name!r},")), f"Row {row}, column {name!r}")
                for name, cell in zip(columns, cells, strict=True)
            ]
        )
        for row, cells in enumerate(rows)
    ]


def _cell(cell: Any, what: str) -> Any:
    check_rising(cell, what)
    if cell is None:
        return np.nan
    return cell.to_numpy() if hasattr(cell, "to_numpy") else cell


def stacked(channels: Sequence[Floats64]) -> Floats64:
    """Channels of one signal, shorter ones with missing values at their end."""
    length = max(len(channel) for channel in channels)
    return np.stack([np.pad(c, (0, length - len(c)), constant_values=np.nan) for c in channels])


def instances(X: Any) -> tuple[list[Any], list[Any]]:
    """The keys and the frames of the examples of a frame whose index has two levels: example and time.

    Raises:
        InputError: For more levels, or where time does not rise within an example.
    """
    if levels(X) != 2:
        raise InputError(
            f"The index of the frame has {levels(X)} levels; signals have two: which signal a row belongs to, and its "
            "time."
        )
    keys, parts = [], []
    for key, part in X.groupby(level=0, sort=False):
        times = part.index.get_level_values(1)
        if not (times.is_monotonic_increasing and times.is_unique):
            raise InputError(f"The times of signal {key!r} do not rise: sort the frame (X.sort_index()).")
        keys.append(key)
        parts.append(part)
    return keys, parts


def timed_signals(frames: Sequence[Any]) -> tuple[list[Floats64], list[Any]]:
    """Signals from frames of time × variables, a channel a column, and the names of the columns.

    Raises:
        InputError: For frames of different columns, and columns of text, dates or the time itself.
    """
    names = list(columns_of(frames[0]))
    signals = []
    for number, frame in enumerate(frames):
        columns = columns_of(frame)
        check_rising(frame, f"frame {number}")
        if set(columns) != set(names):
            raise InputError(f"Frame {number} has the columns {_shown(columns)}, and frame 0 has {_shown(names)}.")
        values = {name: numbers(columns[name], f"Column {name!r} of frame {number}") for name in names}
        for name in names if len(names) > 1 else ():
            steps = np.diff(values[name])
            if str(name).lower() in CLOCKS and steps.size and ((steps > 0).all() or (steps < 0).all()):
                raise InputError(f"Column {name!r} is the time and no channel: leave it out, or make it the index.")
        signals.append(np.stack([values[name] for name in names]))
    return signals, names


def check_rising(frame: Any, what: str) -> None:
    """That the index of a frame or series holds no times that do not rise; one that numbers rows anew may.

    Args:
        frame: Or anything else, which has none.
        what: It is, for the message.

    Raises:
        InputError: If they do not.
    """
    index = getattr(frame, "index", None)
    kind = getattr(getattr(index, "dtype", None), "kind", "")
    if index is None or not kind or not index.is_unique or index.is_monotonic_increasing:
        return
    if kind in tuple("iufMm") or all(isinstance(each, str) and seconds(each) is not None for each in index):
        raise InputError(f"The index of {what} does not rise: sort it (sort_index()), or number it anew.")


def check_numbers(X: Any) -> None:
    """Whether the columns of a frame with a signal a row hold numbers.

    Raises:
        InputError: For a column of text or dates.
    """
    for name, column in columns_of(X).items():
        try:
            numbers(column, f"Column {name!r}")
        except InputError as error:
            raise InputError(f"{error} A row is one signal, a column a sample: X.drop(columns=[{name!r}]).") from error


def check_samples(names: Sequence[Any]) -> None:
    """Whether columns are the samples of one signal, by their names.

    Raises:
        InputError: For a column beside a numbered run, such as an age or an identifier; and for several runs, which are
            channels.

    Warns:
        RuntimeWarning: For columns that are not numbered, or not in the order of their numbers.
    """
    runs = _runs(names)
    loose = runs.pop(None, {})
    run = max(runs.values(), key=len, default={})
    beside = [name for name in names if name not in run]
    if not beside:
        if (np.diff(list(run.values())) <= 0).any():
            _guessed("The columns of the frame are not in the order of their numbers; samples are taken as they stand.")
    elif len(run) >= FEW and not loose and all(len(other) == len(run) for other in runs.values()):
        raise InputError(
            f"The columns are {len(runs)} runs of {len(run)} ({_shown(names)}): if those are channels, give an array "
            "(N, channels, length)."
        )
    elif len(run) >= FEW and 2 * len(run) >= len(names):
        raise InputError(
            f"{_shown(beside)} is no sample of the signal, whose columns are numbered ({_shown(run)}): leave it out, "
            f"X.drop(columns={beside[:3]})."
        )
    else:
        _guessed(f"The {len(names)} columns {_shown(names)} are taken as samples of one signal, in this order.")


def _runs(names: Sequence[Any]) -> dict[str | None, dict[Any, float]]:
    """Columns by the word before their number, each with its number; ``None`` for those without."""
    found: dict[str | None, dict[Any, float]] = {}
    for name in names:
        number = isinstance(name, (int, float, np.number))
        split = None if number else _NUMBERED.fullmatch(str(name).strip())
        word, place = ("", name) if number else (split[1], split[2]) if split else (None, 0)
        found.setdefault(word, {})[name] = float(place)
    return found


def _guessed(sentence: str) -> None:
    warnings.warn(sentence, RuntimeWarning, stacklevel=2)


def _shown(names: Iterable[Any]) -> str:
    return listing([str(name) for name in names])
