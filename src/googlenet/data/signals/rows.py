"""The rows of a signal file: lines, numbers and labels, and the checks that every format shares."""

from __future__ import annotations

import io
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import limits
from ...errors import InputError, count, short
from ...files import open_plain
from ..protocol import BadFile

Signal = npt.NDArray[np.floating[Any]]  # (channels, length); float64, but for recordings, which are large

# How tables write "no value here"; compared in lower case.
MISSING = frozenset({"", "nan", "?", "na", "n/a", "null", "none"})
MISSING_LABEL = frozenset({"", "nan", "?"})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class SignalTable:
    """Signals as a file gives them.

    Attributes:
        signals: Each ``(channels, length)``, float64, NaN where a value is missing. Samples at the end that
            are NaN in every channel are padding, and cut off.
        labels: One per signal; ``None`` if the file has none. What a cell of a table says: ``01`` is not ``1``; for
            files of the archives see :func:`label_text`.
        groups: One per signal (patient, machine, ...); ``None`` if the file has none.
        names: ``FILE:ROW`` of each signal, for messages. ROW is the line, or the record of a binary file, from 1.
        layout: One sentence: how the file was read.
        schema: What its columns mean, a :class:`~.tables.schema.Schema`; ``None`` where it has none.
        bad: Place of a signal that cannot be read, among all of them, to the reason; it is none of ``signals``.
        ids: By which all of them are called, those that cannot be read too, unless empty; ``None`` if there are none.
        notes: What else is to be said.
    """

    signals: tuple[Signal, ...]
    labels: tuple[str, ...] | None
    groups: tuple[str, ...] | None
    names: tuple[str, ...]
    layout: str
    schema: Any = None
    bad: Mapping[int, BadFile] = field(default_factory=dict)
    ids: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


class SignalRows:
    """The signals of one file, checked as they are added.

    Args:
        path: The file, for messages.
        labelled: Whether every signal must have a label.
    """

    def __init__(self, path: Path, labelled: bool) -> None:
        self.path = path
        self.labelled = labelled
        self.signals: list[Signal] = []
        self.labels: list[str] = []
        self.groups: list[str] = []
        self.names: list[str] = []

    def add(self, row: int, values: npt.ArrayLike, label: str | None = None, group: str | None = None) -> None:
        """Adds a signal.

        Args:
            row: Where it stands in the file.
            values: ``(length,)`` or ``(channels, length)``, NaN where a value is missing.
            label: Its text; ``None`` if the file has no labels.
            group: Its text; ``None`` if the file has no groups.

        Raises:
            InputError: If there is no value or an infinite one, or label or group are missing.
        """
        where = f"{self.path}, row {row}"
        if len(self.signals) >= limits.SIGNALS:
            raise InputError(f"{where}: a file may have {limits.SIGNALS:,} signals. Cut it into several.")
        signal = np.atleast_2d(np.array(values, np.float64))
        if signal.size == 0:
            raise InputError(f"{where}: the signal has no samples. Remove the row.")
        infinite = np.isinf(signal)
        if infinite.any():
            channel, sample = (int(place) + 1 for place in np.argwhere(infinite)[0])
            of_channel = f" of channel {channel}" if len(signal) > 1 else ""
            raise InputError(f"{where}: sample {sample}{of_channel} is infinite. Write NaN if its value is missing.")
        present = np.flatnonzero(~np.isnan(signal).all(axis=0))
        if present.size == 0:
            raise InputError(f"{where}: every sample is missing. Remove the row.")
        length = int(present[-1]) + 1
        named = self._name(where, "label", label), self._name(where, "group", group)
        for name, known in zip(named, (self.labels, self.groups), strict=True):
            known += [] if name is None else [name]
        self.signals.append(signal if length == signal.shape[1] else signal[:, :length].copy())
        self.names.append(f"{self.path}:{row}")

    def _name(self, where: str, kind: str, text: str | None) -> str | None:
        """The label or group of a cell; ``None`` if there is none."""
        if text is None:
            return None
        name = text.strip()
        if name.lower() not in MISSING_LABEL:
            return name
        if kind == "group" or self.labelled:
            raise InputError(f"{where}: the {kind} is missing. Write one, or remove the row.")
        return None

    def table(self, layout: str, no_labels: str = "") -> SignalTable:
        """All signals that were added.

        Args:
            layout: How the file was read.
            no_labels: Why the file has no labels, for the message.

        Raises:
            InputError: If there is no signal, or there are no labels where they are needed.
        """
        if not self.signals:
            raise InputError(f"{self.path} holds no signals.")
        # Without ``labelled``, labels that are not known for every signal count as none.
        labels = tuple(self.labels) if len(self.labels) == len(self.signals) else None
        if self.labelled and labels is None:
            raise InputError(f"{self.path} has no labels{no_labels and f': {no_labels}'}.")
        return SignalTable(
            tuple(self.signals), labels, tuple(self.groups) if self.groups else None, tuple(self.names), layout
        )

    @property
    def lengths(self) -> str:
        """Such as "150 samples" or "8 to 361 samples"."""
        lengths = {signal.shape[1] for signal in self.signals}
        if len(lengths) < 2:
            return count(max(lengths, default=0), "sample")
        return f"{min(lengths)} to {max(lengths)} samples"


def text_lines(path: Path, comments: str = "") -> Iterator[tuple[int, str]]:
    """Line number, from 1, and line, without its end.

    Lines that start with a character of ``comments`` are left out; they alone may be in any encoding.

    Raises:
        InputError: At a line that is not UTF-8 text.
    """
    with io.TextIOWrapper(open_plain(path), encoding="utf-8-sig", errors="surrogateescape") as file:
        for number, line in enumerate(file, start=1):
            if comments and line.lstrip()[:1] in comments and not line.isspace():
                continue
            if "\0" in line or not _is_utf8(line):
                raise InputError(
                    f"{path}, row {number} is not UTF-8 text. Save the file as UTF-8, if it is text at all."
                )
            yield number, line.rstrip("\n")


def _is_utf8(line: str) -> bool:
    if line.isascii():
        return True
    try:
        line.encode()
    except UnicodeEncodeError:  # a byte that "surrogateescape" let pass
        return False
    return True


def is_number(cell: str) -> bool:
    """Whether a cell is a finite decimal number."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def is_text(cell: str) -> bool:
    """Whether a cell is neither a number, infinity, nor missing."""
    cell = cell.strip().lower()
    return cell not in MISSING and not is_number(cell) and cell.lstrip("+-") not in ("inf", "infinity", "nan")


def blank(values: npt.NDArray[np.float64], words: Sequence[str]) -> None:
    """Makes NaN, in place, of the numbers among some words for "no value", such as -999, however they are written."""
    numbers = [float(word) for word in words if is_number(word)]
    if numbers:
        values[np.isin(values, numbers)] = np.nan


def to_numbers(cells: Sequence[str], place: Callable[[int], str]) -> Sequence[float]:
    """Cells to numbers, NaN where a cell says that the value is missing.

    Args:
        cells: Text.
        place: File, row and column of the cell of an index, for the message.

    Raises:
        InputError: At the first cell that is neither.
    """
    try:
        if "_" in "".join(cells):  # Python takes 1_0 for ten
            raise ValueError
        return array("d", map(float, cells))
    except ValueError:
        return [_to_number(cell, place, index) for index, cell in enumerate(cells)]


def _to_number(cell: str, place: Callable[[int], str], index: int) -> float:
    cell = cell.strip()
    if cell.lower() in MISSING:
        return float("nan")
    try:
        if "_" not in cell:
            return float(cell)
    except ValueError:
        pass
    raise InputError(no_number(place(index), cell))


def no_number(place: str, cell: str) -> str:
    """Why a cell cannot be read, and what to do."""
    cell = cell.strip()
    shown = cell if len(cell) <= 40 else f"{cell[:37]}..."
    return f"{place} holds {shown!r}, which is not a number. Write NaN, or give --missing, if it has no value."


def check_bad(path: Path, number: int) -> None:
    """That not so many rows of a file are bad that it is no table: of each there is a sentence.

    Args:
        path: The file.
        number: Of its bad rows.

    Raises:
        InputError: If there are more than :data:`~googlenet.limits.BAD_ROWS`.
    """
    if number > limits.BAD_ROWS:
        raise InputError(
            f"{path} has more than {limits.BAD_ROWS:,} rows that cannot be read. Is it a table of signals?"
        )


def label_text(cell: str) -> str:
    """The label that a cell of an archive's file stands for: without spaces and quotes around it, and a whole number as
    such, ``1.0000e+00`` as ``1``. In a table it is what the cell says, and this is not asked."""
    cell = unquoted(cell)
    if is_number(cell):
        value = float(cell)
        if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
    return cell


def unquoted(cell: str) -> str:
    """Without the spaces, and then the quotes, around it."""
    cell = cell.strip()
    return cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"" else cell


def listing(names: Sequence[str]) -> str:
    """Names for a message; of many, the first few and the last."""
    if len(names) <= 8:
        return ", ".join(map(short, names))
    return f"{', '.join(map(short, names[:6]))}, ..., {short(names[-1])} ({len(names)} in all)"
