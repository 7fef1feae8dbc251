"""TensorFlow's checkpoints, read without TensorFlow: both formats, each variable by its name.

The *V2* format is a table of what there is, ``x.index``, and the numbers in ``x.data-00000-of-00001`` and so on
(TensorFlow's ``core/util/tensor_bundle`` and ``core/protobuf/tensor_bundle.proto``). The older *V1* format is one file,
a table with the numbers in it (``core/util/saved_tensor_slice.proto``). What tables hold are protocol buffers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import InputError
from ....files import open_plain, read_bytes
from ....limits import AXES, PROTOBUF, unpacked
from ..protobuf import Message, all_bytes, last_bytes, message_of, number_of, one_file, text_of
from .crc32c import crc32c, masked
from .leveldb_table import MAGIC, entries_of

Array = npt.NDArray[Any]

_PART = re.compile(r"\.(index|data-\d{5}-of-\d{5})$")
FLOATS = {1: ("<f4", 5), 2: ("<f8", 6)}  # TensorFlow's DataType: NumPy's, and the field of a TensorProto


@dataclass(frozen=True)
class Variable:
    """A variable in a checkpoint; ``numpy.asarray`` reads its numbers, and raises InputError if they are damaged.

    Attributes:
        name: Its name.
        shape: Its shape.
        dtype: TensorFlow's number for the type of its numbers.
        file: The file that they lie in.
        start: Where they start.
        size: How many bytes they are.
        crc: Their masked checksum.
        message: In place of those three, the TensorProto of a V1 file that holds them.
    """

    name: str
    shape: tuple[int, ...]
    dtype: int
    file: Path
    start: int = 0
    size: int = 0
    crc: int = 0
    message: memoryview | None = None

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        if self.dtype not in FLOATS:
            raise InputError(
                f"{self.name} in {self.file} is of TensorFlow's type {self.dtype}; only float32 (1) and float64 (2) "
                "can be read."
            )
        kind, field = FLOATS[self.dtype]
        with sentences(self.file):
            content = self._in_file() if self.message is None else _numbers(self.message, field)
            if len(content) != math.prod(self.shape) * np.dtype(kind).itemsize:
                raise ValueError(f"{self.name} has {len(content)} bytes, which its shape {self.shape} does not")
            return np.frombuffer(content, kind).reshape(self.shape).astype(dtype or kind)

    def _in_file(self) -> bytes:
        if self.start + self.size > self.file.stat().st_size:
            raise ValueError(f"it ends in front of {self.name} or within")
        with open_plain(self.file) as file:
            file.seek(self.start)
            content = file.read(self.size)
        if masked(crc32c(content)) != self.crc:
            raise ValueError(f"the checksum of {self.name} is another")
        return content


def prefix_of(path: Path) -> Path:
    """The name that the files of a V2 checkpoint share, from any of them; of another file, its own."""
    return path.with_name(_PART.sub("", path.name))


def table_of(path: Path) -> Path:
    """The file with the table of the checkpoint that ``path`` is, is the prefix of, or is a part of."""
    index = Path(f"{prefix_of(path)}.index")
    return index if index.is_file() else path


def is_table(path: Path) -> bool:
    """Whether it is a file that ends as a table does."""
    try:
        with open_plain(path) as file:
            file.seek(-len(MAGIC), 2)
            return file.read() == MAGIC
    except (OSError, InputError):
        return False


def variables(path: Path) -> dict[str, Variable]:
    """The variables of a checkpoint; their numbers are not read yet.

    Args:
        path: The prefix ``x.ckpt`` of a V2 checkpoint or one of its files, or a V1 file.

    Raises:
        InputError: If it is missing, damaged or no checkpoint, compressed, or has a variable in several parts.
    """
    table = table_of(path)
    with sentences(table):
        data = read_bytes(table, PROTOBUF)
        entries = _within(unpacked(len(data)), entries_of(memoryview(data)))
        if b"" not in entries:
            raise ValueError("its header is missing")
        header = message_of(entries.pop(b""))
        found = _v2(header, entries, prefix_of(path)) if table.suffix == ".index" else _v1(header, entries, table)
        return {variable.name: variable for variable in found}


def _within(most: int, entries: Iterator[tuple[bytes, memoryview]]) -> dict[bytes, memoryview]:
    """Entries by their keys, which may share what they begin with in the file and take ``most`` bytes here."""
    found, size = dict[bytes, memoryview](), 0
    for key, value in entries:
        size += len(key) + 200  # bytes beside it, about
        if size > most:
            raise ValueError("its keys take more memory than a file of its size may")
        found[key] = value
    return found


def _v2(header: Message, entries: dict[bytes, memoryview], prefix: Path) -> Iterator[Variable]:
    """Of a BundleHeaderProto and BundleEntryProtos by name."""
    shards, big_endian = number_of(header, 1), number_of(header, 2)
    if big_endian:
        raise InputError(f"{prefix}.index was written by a big-endian machine; save it again on a usual one.")
    for key, value in entries.items():
        entry = message_of(value)
        name = key.decode(errors="replace")
        if 7 in entry:
            raise _partitioned(name, f"{prefix}.index")
        yield Variable(
            name,
            shape_of(last_bytes(entry, 2)),
            number_of(entry, 1),
            Path(f"{prefix}.data-{number_of(entry, 3):05d}-of-{shards:05d}"),
            number_of(entry, 4),
            number_of(entry, 5),
            int.from_bytes(last_bytes(entry, 6), "little"),
        )


def _v1(header: Message, entries: dict[bytes, memoryview], path: Path) -> Iterator[Variable]:
    """Of a SavedTensorSliceMeta in a SavedTensorSlices, and SavedSlices in others."""
    slices = [message_of(last_bytes(message_of(value), 2)) for value in entries.values()]
    tensors = {text_of(part, 1): last_bytes(part, 3) for part in slices}
    for meta in map(message_of, all_bytes(message_of(last_bytes(header, 1)), 1)):
        name, shape = text_of(meta, 1), shape_of(last_bytes(meta, 2))
        extents = [all_bytes(message_of(part), 1) for part in all_bytes(meta, 4)]
        whole = [all(_is_whole(message_of(e), n) for e, n in zip(part, shape, strict=False)) for part in extents]
        if whole != [True]:
            raise _partitioned(name, path)
        if name not in tensors:
            raise ValueError(f"the numbers of {name} are missing")
        yield Variable(name, shape, number_of(meta, 3), path, message=tensors[name])


def _numbers(message: memoryview, field: int) -> bytes:
    """Of a TensorProto: its ``tensor_content``, or the numbers in a field of their type, packed or one by one."""
    tensor = message_of(message)
    return b"".join(all_bytes(tensor, 4) or all_bytes(tensor, field))


def _is_whole(extent: Message, n: int) -> bool:
    return number_of(extent, 1) == 0 and number_of(extent, 2, n) == n


def _partitioned(name: str, where: str | Path) -> InputError:
    return InputError(f"{name} in {where} is stored in parts; save the checkpoint again without partitioned variables.")


def shape_of(message: memoryview) -> tuple[int, ...]:
    """Of a TensorShapeProto."""
    shape = tuple(number_of(message_of(dim), 1) for dim in all_bytes(message_of(message), 2))
    if len(shape) > AXES or math.prod(shape) >= PROTOBUF or max(shape, default=0) >= PROTOBUF:
        raise ValueError("a tensor would be larger than graphs can be")
    return shape


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Reads one file, whose messages are bounded; makes one InputError of whatever is wrong with it."""
    try:
        with one_file():
            yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}.") from error
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path} is no whole checkpoint or graph of TensorFlow: {error}. Get it again.") from error
