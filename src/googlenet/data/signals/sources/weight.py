"""How much a packed table says that it holds: Parquet, Feather and workbooks are weighed before they are read."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from ....errors import InputError
from ....files import check_plain, check_unpacked, open_plain
from ....limits import CELL, ELEMENTS, PACKED_COLUMNS, SHEET, SHEET_EACH

_CURE = "If you trust it, save it as CSV"
_ARROW = b"ARROW1"


def check_parquet(path: Path, parquet: Any) -> Any:
    """The opened file, of which its own numbers say that it is no more than such files are.

    Args:
        path: The file.
        parquet: The module of PyArrow's.

    Raises:
        InputError: If they say more.
    """
    check_plain(path)
    file = parquet.ParquetFile(path)
    about = file.metadata
    if about.num_columns > PACKED_COLUMNS:
        raise InputError(f"{path} has {about.num_columns:,} columns, and {PACKED_COLUMNS:,} are read at most.")
    held = about.num_rows * max(1, about.num_columns) * CELL
    values, packed = _said_of_columns(path)
    check_unpacked(path, max(held, CELL * values, packed), _CURE)
    if texts := [field.name for field in file.schema_arrow if holds_text(field.type)]:
        check_texts(path, parquet.read_table(path, columns=texts, read_dictionary=texts))
    return file


def check_texts(path: Path, table: Any) -> None:
    """That the texts and lists of a table of Arrow's are, written out, no more than such files hold: a dictionary says
    a long one once for a million rows.

    Args:
        path: The file.
        table: As it was read.

    Raises:
        InputError: If they are more.
    """
    pa, pc = import_module("pyarrow"), import_module("pyarrow.compute")
    table.validate(full=True)  # as Arrow trusts what is said of places in a file until it is asked
    held = table.num_rows * max(1, table.num_columns) * CELL
    for column in table.columns:
        for chunk in column.chunks:
            values = chunk
            if pa.types.is_dictionary(values.type) and holds_text(values.type):
                lengths = pc.binary_length(values.dictionary.cast(pa.large_binary())).take(values.indices)
                held += pc.sum(lengths).as_py() or 0
            elif holds_text(values.type):
                held += pc.sum(pc.binary_length(values)).as_py() or 0
            elif hasattr(values, "value_lengths"):
                held += CELL * (pc.sum(values.value_lengths()).as_py() or 0)
    check_unpacked(path, held, _CURE)


def holds_text(kind: Any) -> bool:
    """Whether a column of Arrow's is of texts, or has a dictionary of some."""
    types = import_module("pyarrow").types
    inner = kind.value_type if types.is_dictionary(kind) else kind
    return any(ask(inner) for ask in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary))


def check_feather(path: Path) -> None:
    """That the batches of a Feather file unpack to no more than such files do; of the old kind nothing is packed.

    Raises:
        InputError: If they unpack to more.
    """
    with open_plain(path) as file:
        if file.read(6) != _ARROW:
            return
        size = path.stat().st_size
        file.seek(size - 10)
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(0, size - 10 - length))
        footer = _Buffer(file.read(min(length, size)))
        held = 0
        for field in (2, 3):  # dictionaries and batches
            for offset, _, _ in footer.structs(footer.root, field, "<qiq", 24):
                file.seek(offset)
                start, more = struct.unpack("<Ii", file.read(8))
                message = _Buffer(file.read(min(more, size)) if start == 0xFFFFFFFF else b"")
                batch = message.table(message.root, 2)
                if field == 2:
                    batch = message.table(batch, 1)
                held += CELL * sum(rows for rows, _ in message.structs(batch, 1, "<qq", 16))
                body = offset + 8 + more
                for place, stored in message.structs(batch, 2, "<qq", 16):
                    if message.field(batch, 3) and stored >= 8:
                        file.seek(body + place)
                        held += max(stored, int.from_bytes(file.read(8), "little", signed=True))
                    else:
                        held += stored
    check_unpacked(path, held, _CURE)


def _said_of_columns(path: Path) -> tuple[int, int]:
    """Values, and bytes unpacked, of all columns of a Parquet file. PyArrow, asked for those of a column, ends the
    process where some of its statistics do not fit.

    Raises:
        ValueError: If the end of the file is none of Parquet's.
    """
    with open_plain(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 8))
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(0, size - 8 - length))
        footer = _Thrift(file.read(min(length, size)))
    totals = {5: 0, 6: 0}
    groups = footer.structs_in(footer.fields(), 4)
    chunks = (chunk for group in groups for chunk in footer.structs_in(group, 1))
    for fields in (fields for chunk in chunks for fields in footer.structs_in(chunk, 3)):
        for field, kind in fields:
            if field in totals and kind == _Thrift.I64:
                totals[field] += max(0, footer.number())
            else:
                footer.skip(kind)
    return totals[5], totals[6]


class _Thrift:
    """A message of Thrift's compact protocol, as Parquet ends with; read once, from its beginning to its end.

    Args:
        content: Its bytes.
    """

    BYTE, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 3, 6, 7, 8, 9, 10, 11, 12

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """Number and kind of every field of a struct; each value is read or skipped before the next is asked for."""
        field = 0
        while (head := self._byte()) != 0:
            field = field + (head >> 4) if head >> 4 else self.number()
            yield field, head & 15

    def structs_in(self, fields: Iterator[tuple[int, int]], wanted: int) -> Iterator[Iterator[tuple[int, int]]]:
        """The fields of each struct in one field of another: of one, or of each in a list."""
        for field, kind in fields:
            if field == wanted and kind in (self.LIST, self.STRUCT):
                count = self._items()[0] if kind == self.LIST else 1
                for _ in range(count):
                    yield self.fields()
            else:
                self.skip(kind)

    def number(self) -> int:
        """A whole number."""
        value = self._length()
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind: int, inside: bool = False) -> None:
        """Passes over a value; one of a list takes a byte also where it is true or false."""
        if kind == self.STRUCT:
            for _, own in self.fields():
                self.skip(own)
        elif kind in (self.LIST, self.SET):
            count, own = self._items()
            for _ in range(count):
                self.skip(own, inside=True)
        elif kind == self.MAP:
            count = self._length()
            both = self._byte() if count else 0
            for _ in range(count):
                self.skip(both >> 4, inside=True)
                self.skip(both & 15, inside=True)
        elif kind == self.BINARY:
            self._pass(self._length())
        elif kind in (4, 5, self.I64):
            self._length()
        elif kind == self.DOUBLE:
            self._pass(8)
        elif kind == self.BYTE or (kind in (1, 2) and inside):
            self._pass(1)
        elif kind not in (1, 2):
            raise ValueError(f"a value of kind {kind}")

    def _items(self) -> tuple[int, int]:
        """How many items a list has, and of which kind."""
        head = self._byte()
        return self._length() if head >> 4 == 15 else head >> 4, head & 15

    def _length(self) -> int:
        value, shift = 0, 0
        while (byte := self._byte()) & 128 and shift < 63:
            value, shift = value | (byte & 127) << shift, shift + 7
        return value | byte << shift

    def _byte(self) -> int:
        self._pass(1)
        return self._content[self._at - 1]

    def _pass(self, length: int) -> None:
        self._at += length
        if self._at > len(self._content):  # at once: a list may claim more items than there are bytes
            raise ValueError("a message that is cut off")


class _Buffer:
    """A message of FlatBuffers, as Arrow writes them.

    Args:
        content: Its bytes.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.root = self._number("<I", 0)

    def _number(self, kind: str, at: int) -> int:
        return int(struct.unpack_from(kind, self.content, at)[0])

    def field(self, table: int, number: int) -> int:
        """Where a field of a table stands; 0 if it is not there."""
        about = table - self._number("<i", table)
        if 4 + 2 * number >= self._number("<H", about):
            return 0
        place = self._number("<H", about + 4 + 2 * number)
        return table + place if place else 0

    def table(self, table: int, number: int) -> int:
        """Where the table in a field stands."""
        at = self.field(table, number)
        return at + self._number("<I", at)

    def structs(self, table: int, number: int, kind: str, width: int) -> list[tuple[int, ...]]:
        """The rows of a field.

        Args:
            table: Where its table stands.
            number: Of the field.
            kind: Of a row; of eight bytes each that is shorter.
            width: Bytes of a row.
        """
        at = self.field(table, number)
        if not at:
            return []
        start = at + self._number("<I", at)
        count = self._number("<I", start)
        if count * width > len(self.content):
            raise ValueError("rows beyond the message")
        aligned = "<qi4xq" if kind == "<qiq" else kind
        return [struct.unpack_from(aligned, self.content, start + 4 + width * row) for row in range(count)]


def check_workbook(path: Path) -> None:
    """That the parts of a workbook unpack to no more than those of workbooks do, and define nothing that grows.

    Raises:
        InputError: If it is so large.
        ValueError: If it is no workbook.
    """
    size = path.stat().st_size
    with open_plain(path) as file, zipfile.ZipFile(file) as parts:
        whole = sum(part.file_size for part in parts.infolist())
        if whole > SHEET + SHEET_EACH * size or len(parts.infolist()) > PACKED_COLUMNS:
            raise InputError(
                f"{path} has {size:,} bytes and unpacks to {whole:,}, far more than workbooks do. {_CURE}."
            )
        for part in parts.infolist():
            if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("packed as workbooks are not")
            elements, tail, sheet = 0, b"", "worksheets/" in part.filename
            with parts.open(part) as opened:
                while piece := opened.read(1 << 20):
                    if not part.filename.lower().endswith((".xml", ".rels")):
                        continue
                    if b"<!DOCTYPE" in tail + piece or b"<!ENTITY" in tail + piece or b"\0" in piece:
                        raise ValueError("it defines entities")
                    elements += piece.count(b"<")
                    tail = piece[-10:]
            if elements > (4 if sheet else 1) * ELEMENTS + size // 2:
                raise InputError(
                    f"{path} holds {elements:,} elements in {part.filename}, far more than workbooks do. {_CURE}."
                )
