"""The format ``.ts`` of aeon and sktime."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from .....errors import InputError, count, quoted
from ...rows import SignalRows, SignalTable, label_text, text_lines, to_numbers
from .stated import Classes, Padded, check_times, counted

_DIGITS = 10  # of a number of dimensions
_PARENTHESES = re.compile(r"[():]")
_TIMED = re.compile(r"\(([^()]*),([^(),]*)\)")


def read_ts(path: Path, labelled: bool) -> SignalTable:
    """A ``.ts`` file of aeon, sktime or timeseriesclassification.com.

    The channels of a signal may differ in length: the shorter are padded with NaN at their end.

    Raises:
        InputError: At the first line that cannot be read, or if the header does not fit the data.
    """
    lines = text_lines(path, comments="#%")
    header = _ts_header(path, lines)
    timed = _is_true(header, "timestamps")
    named = _is_true(header, "classlabel")
    if _is_true(header, "targetlabel"):
        raise InputError(f"{path} holds numbers to predict (@targetLabel true), not classes.")
    classes = Classes([label_text(name) for name in header.get("classlabel", [])[1:]])
    channels, stated = _tschannels_of(path, header)
    padded = Padded(path)
    rows = SignalRows(path, labelled)
    for number, line in lines:
        if not line.strip():
            continue
        where = f"{path}, row {number}"
        parts, label = _ts_parts(where, line, timed, named)
        if channels is None:
            channels, stated = len(parts), f"row {number} has {count(len(parts), 'dimension')}"
        if len(parts) != channels:
            and_label = " and a label" if named else ""
            raise InputError(f"{where} has {count(len(parts), 'dimension')}{and_label}, but {stated}.")
        if label is not None:
            classes.check(where, label, "@classLabel")
        values = _ts_values(where, parts, timed)
        rows.add(number, padded(where, values), None if label is None else label_text(label))
    layout = f".ts file: {count(channels or 0, 'channel')}, {rows.lengths}"
    return rows.table(layout + (", time stamps left out" if timed else ""), "@classLabel is not true")


def _ts_values(where: str, parts: Sequence[str], timed: bool) -> list[Sequence[float]]:
    """The samples of each dimension."""
    if timed:
        check_times(where, [[time.strip() for time, _ in _TIMED.findall(part)] for part in parts])
    return [_ts_cells(f"{where}, dimension {index}", part, timed) for index, part in enumerate(parts, start=1)]


def _ts_parts(where: str, line: str, timed: bool, named: bool) -> tuple[list[str], str | None]:
    """The dimensions of a line, and its label if there are any."""
    parts = _outside(line) if timed else line.split(":")
    if named and len(parts) == 1:
        raise InputError(f"{where} has no label behind a colon, but @classLabel is true.")
    label = parts.pop() if named else None
    return parts, label


def _outside(line: str) -> list[str]:
    """What stands between colons, but for those of a time of day inside parentheses."""
    cuts: list[int] = []
    waiting: list[int] = []  # colons of which the next parenthesis tells where they are
    for match in _PARENTHESES.finditer(line):
        if match[0] == ":":
            waiting.append(match.start())
            continue
        cuts += waiting if match[0] == "(" else ()
        waiting = []
    ends = [*cuts, *waiting, len(line)]
    return [line[start:end] for start, end in zip([0, *(cut + 1 for cut in ends)], ends, strict=False)]


def _ts_header(path: Path, lines: Iterator[tuple[int, str]]) -> dict[str, list[str]]:
    """Key, in lower case, to the words behind it; reads up to ``@data``."""
    header: dict[str, list[str]] = {}
    for number, line in lines:
        words = line.split()
        if not words:
            continue
        if not words[0].startswith("@"):
            raise InputError(f"{path}, row {number}: there is no @data line before the data. Is it a .ts file?")
        if words[0].lower() == "@data":
            return header
        header[words[0][1:].lower()] = words[1:]
    raise InputError(f"{path} has no @data line, so no data.")


def _is_true(header: dict[str, list[str]], key: str) -> bool:
    return [word.lower() for word in header.get(key, [])[:1]] == ["true"]


def _tschannels_of(path: Path, header: dict[str, list[str]]) -> tuple[int | None, str]:
    """The number of channels, if the header states it, and its statement."""
    for key, name in (("dimensions", "@dimensions"), ("dimension", "@dimension")):
        if key in header:
            number = " ".join(header[key])
            if not (number.isdecimal() and len(number) < _DIGITS) or int(number) < 1:
                raise InputError(f"{path}: {name} is a number from 1, not {quoted(number)}.")
            return int(number), f"{name} is {number}"
    return (1, "@univariate is true") if _is_true(header, "univariate") else (None, "")


def _ts_cells(place: str, part: str, timed: bool) -> Sequence[float]:
    if not part.strip():
        return []
    if timed:
        if _TIMED.sub("", part).strip(", \t"):
            raise InputError(f"{place}: @timeStamps is true, so its samples are (time,value),(time,value),...")
        return to_numbers([value for _, value in _TIMED.findall(part)], counted(f"{place}, sample"))
    return to_numbers(part.split(","), counted(f"{place}, sample"))
