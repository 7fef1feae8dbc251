"""The format ``.arff`` of Weka."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .....errors import InputError, count, quoted
from ...rows import SignalRows, SignalTable, label_text, listing, text_lines, to_numbers, unquoted
from ...tables.names import LABELS
from .stated import Classes, Padded, counted

_NUMERIC = ("numeric", "real", "integer")
_ITEM = re.compile(r"'[^']*'|\"[^\"]*\"|[^,\s][^,]*")
_ATTRIBUTE = re.compile(r"""@attribute\s+('[^']*'|"[^"]*"|[^\s{]+)\s*(.*)""", re.IGNORECASE)


class ArffGrid:
    """A Weka file as rows of text, of which the first holds the names of the attributes; a :class:`~.text.table.Grid`.

    Attributes:
        nested: Whether an attribute is relational: then :func:`read_arff` reads it.
        target: The only attribute that lists its classes, if no other is called as labels are.

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
        named = {name.lower() for name in head.names} & set(LABELS[:-1])
        only = head.names[listed[0]] if len(listed) == 1 else ""
        self.target = (only or None) if not named or only.lower() in named else None
        self._listed = {at: head.classes(at) for at in listed}

    def split(self, line: str) -> list[str]:
        """As it is."""
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
        values.append(to_numbers(cells, counted(f"{where}, dimension {index}, sample")))
    return label, values
