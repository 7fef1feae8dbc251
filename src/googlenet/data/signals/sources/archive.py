"""The text formats of the archives with a header of their own: ``.ts`` of aeon and sktime, ``.arff`` of Weka."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....errors import InputError, count, quoted
from ..rows import SignalRows, SignalTable, label_text, listing, text_lines, to_numbers, unquoted
from .stated import Classes, Padded

_DIGITS = 10  # of a number of dimensions
_PARENTHESES = re.compile(r"[():]")
_TIMED = re.compile(r"\(([^()]*),([^(),]*)\)")
_NUMERIC = ("numeric", "real", "integer")
_ITEM = re.compile(r"'[^']*'|\"[^\"]*\"|[^,\s][^,]*")
_ATTRIBUTE = re.compile(r"""@attribute\s+('[^']*'|"[^"]*"|[^\s{]+)\s*(.*)""", re.IGNORECASE)


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
        values = [_ts_cells(f"{where}, dimension {index}", part, timed) for index, part in enumerate(parts, start=1)]
        rows.add(number, padded(where, values), None if label is None else label_text(label))
    layout = f".ts file: {count(channels or 0, 'channel')}, {rows.lengths}"
    return rows.table(layout + (", time stamps left out" if timed else ""), "@classLabel is not true")


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
        return to_numbers([value for _, value in _TIMED.findall(part)], _counted(f"{place}, sample"))
    return to_numbers(part.split(","), _counted(f"{place}, sample"))


class ArffGrid:
    """A Weka file as rows of text, of which the first holds the names of the attributes; a :class:`~.text.table.Grid`.

    Attributes:
        nested: Whether an attribute is relational: then it is no table, see :func:`read_arff`.
        nominal: Name of the attribute that lists its classes; ``None`` if none does, or several do.

    Args:
        path: The file.

    Raises:
        InputError: If its header cannot be read.
    """

    mark: str | None = ","
    comment: tuple[int, str] | None = None
    said = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        head = self._head = _arff_header(path, text_lines(path, comments="%"))
        self.nested = head.inner is not None
        listed = [at for at, kind in enumerate(head.types) if kind.startswith("{")]
        self.nominal = head.names[listed[0]] if len(listed) == 1 else None
        self._listed = {at: head.classes(at) for at in listed}

    def split(self, line: str) -> list[str]:
        """No comment of such a file names columns."""
        return [line]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Number and cells of every row.

        Raises:
            InputError: At a row that has not a value for every attribute, or a class that the header does not list.
        """
        lines = text_lines(self.path, comments="%")
        yield 1, _arff_header(self.path, lines).names
        for number, line in lines:
            if not line.strip():
                continue
            where = f"{self.path}, row {number}"
            cells = _arff_cells(where, line.strip(), len(self._head.names))
            for at, classes in self._listed.items():
                classes.check(where, cells[at], f"attribute {quoted(self._head.names[at])}")
                cells[at] = label_text(cells[at])
            yield number, cells

    def pieces(self) -> Iterator[tuple[int, list[str]]]:
        """The same: rows are checked one by one."""
        return self.rows()


def read_arff(path: Path, target: str | None, labelled: bool) -> SignalTable:
    """A Weka file of one relational attribute, whose rows are channels, and a nominal class.

    Args:
        path: The file.
        target: Name of the class attribute; ``None`` takes the only one that is not numeric.
        labelled: Whether every row must have a label.

    Raises:
        InputError: At the first line that cannot be read, or if the header is of another kind.
    """
    lines = text_lines(path, comments="%")
    head = _arff_header(path, lines)
    at = _arff_class(path, head, target, labelled)
    classes = Classes([]) if at is None else head.classes(at)
    padded = Padded(path)
    rows = SignalRows(path, labelled)
    channels = 0
    for number, line in lines:
        line = line.strip()
        if not line:
            continue
        where = f"{path}, row {number}"
        label, parts = _arff_relational(where, line, at)
        channels, values = channels or len(parts), padded(where, parts)
        if len(values) != channels:
            raise InputError(f"{where} has {count(len(values), 'dimension')}, the rows before have {channels}.")
        if label is not None:
            classes.check(where, label, f"attribute {quoted(head.names[at or 0])}")
        rows.add(number, values, None if label is None else label_text(label))
    return rows.table(f".arff file: {count(channels, 'channel')}, {rows.lengths}", "no attribute names a class")


@dataclass(frozen=True)
class _Arff:
    """Names and types of the attributes; ``inner`` is the number of samples in a relational one."""

    names: list[str]
    types: list[str]
    inner: int | None

    def classes(self, at: int) -> Classes:
        """Those that an attribute lists."""
        kind = self.types[at]
        return Classes([label_text(item) for item in _ITEM.findall(kind.strip("{} "))] if kind.startswith("{") else [])


def _arff_header(path: Path, lines: Iterator[tuple[int, str]]) -> _Arff:
    names: list[str] = []
    types: list[str] = []
    inner: int | None = None
    inside = False
    for number, line in lines:
        word = line.split(maxsplit=1)[0].lower() if line.strip() else ""
        if word == "@data":
            return _Arff(names, types, inner)
        if word == "@end":
            inside = False
        elif word == "@attribute":
            match = _ATTRIBUTE.match(line.strip())
            if match is None:
                raise InputError(f"{path}, row {number} is not an attribute with a name and a type.")
            name, kind = unquoted(match[1]), match[2].strip()
            if inside:
                inner = (inner or 0) + 1
                continue
            if kind.lower() == "relational":
                if inner is not None:
                    raise InputError(f"{path}, row {number}: a second relational attribute cannot be read.")
                inside, inner = True, 0
            names.append(name)
            types.append(kind)
        elif word and not word.startswith("@"):
            raise InputError(f"{path}, row {number}: there is no @data line before the data. Is it a .arff file?")
    raise InputError(f"{path} has no @data line, so no data.")


def _arff_class(path: Path, head: _Arff, target: str | None, labelled: bool) -> int | None:
    """Position of the class attribute; checks that the only other is relational."""
    types = dict(zip(head.names, map(str.lower, head.types), strict=True))
    beside = [name for name, kind in types.items() if kind != "relational"]
    if target is not None and target not in head.names and labelled:
        raise InputError(f"{path} has no attribute {quoted(target)} to take as --target. There is: {listing(beside)}.")
    if len(beside) > 1 or any(types[name] in _NUMERIC and name != target for name in beside):
        raise InputError(f"{path} has {listing(beside)} beside the relational attribute. Keep the class alone.")
    return head.names.index(beside[0]) if beside else None


def _arff_cells(where: str, line: str, attributes: int) -> list[str]:
    if line.startswith("{"):
        raise InputError(f"{where} is in the sparse form of ARFF, which cannot be read. Save it as a CSV.")
    quote = next((mark for mark in "'\"" if mark in line), None)
    try:
        cells = next(csv.reader([line], quotechar=quote, skipinitialspace=True)) if quote else line.split(",")
    except csv.Error as error:
        raise InputError(f"{where} is not a row of values ({error}). Is a quote without its partner?") from error
    if len(cells) != attributes:
        raise InputError(f"{where} has {count(len(cells), 'value')} for {count(attributes, 'attribute')}.")
    return cells


def _arff_relational(where: str, line: str, at: int | None) -> tuple[str | None, list[Sequence[float]]]:
    label = None
    if at == 0:
        label, _, line = line.partition(",")
        line = line.strip()
    end = line.find(line[0], 1) if line[:1] in ("'", '"') else -1
    if end < 0:
        raise InputError(f"{where}: the relational attribute is not a text in quotes.")
    rest = line[end + 1 :].strip()
    if at:
        if not rest.startswith(","):
            raise InputError(f"{where}: the label is missing. Write one, or remove the row.")
        label = rest[1:]
    values: list[Sequence[float]] = []
    for index, part in enumerate(line[1:end].split("\\n"), start=1):
        cells = part.split(",") if part.strip() else []
        values.append(to_numbers(cells, _counted(f"{where}, dimension {index}, sample")))
    return label, values


def _counted(prefix: str, start: int = 1) -> Callable[[int], str]:
    """Names the cell of an index, for messages."""
    return lambda index: f"{prefix} {start + index}"
