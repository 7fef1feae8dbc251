"""Files of NumPy, NPZ and NPY: what they say of themselves is checked before anything of that size is made."""

from __future__ import annotations

import io
import math
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ...errors import InputError
from ...files import check_unpacked, open_plain
from ...limits import ARRAYS, EXAMPLE, HEADER_OF_ARRAY
from ..protocol import Array

_CURE = "If you trust it, save the arrays without compression (numpy.savez)"


class Claim(NamedTuple):
    """What the header of an array says.

    Attributes:
        shape: Of the array.
        dtype: Of its numbers.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Bytes that it takes; an axis without entries counts as one, as whoever goes along the others takes time."""
        return math.prod(max(1, side) for side in self.shape) * max(1, self.dtype.itemsize)


def claims_of(path: Path) -> dict[str, Claim]:
    """Shapes and types of the arrays of an NPZ file, by name; nothing else of it is read.

    Raises:
        InputError: If it is none, damaged, or unpacks to more than such files do.
    """
    with _archive(path) as archive:
        return _claims(path, archive)


def shapes_of(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays of an NPZ file; none of a file that is damaged or something else."""
    try:
        return {name: claim.shape for name, claim in claims_of(path).items()}
    except InputError:
        return {}


def arrays_of(path: Path) -> dict[str, Array | None]:
    """The arrays of an NPZ file, by name; ``None`` for one of Python objects, which could run any code.

    Raises:
        InputError: As of :func:`claims_of`.
    """
    with _archive(path) as archive:
        return {
            name: None if claim.dtype.hasobject else _array(archive, name)
            for name, claim in _claims(path, archive).items()
        }


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of an NPZ file, by name.

    Raises:
        InputError: As of :func:`claims_of`, and if it holds Python objects.
    """
    found = arrays_of(path)
    if any(values is None for values in found.values()):
        raise InputError(f"{path} holds Python objects, not numbers; loading them could run any code.")
    return {name: values for name, values in found.items() if values is not None}


def mapped(path: Path) -> Array | None:
    """The array of an NPY file, of which nothing is read yet; ``None`` for one of Python objects.

    Raises:
        InputError: If it is none, or damaged.
    """
    try:
        with open_plain(path) as file:
            claim = _claim(file)
        if claim.dtype.hasobject:
            return None
        check_unpacked(path, claim.size, _CURE)
        found: Array = np.load(path, allow_pickle=False, mmap_mode="r")
        return found
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path} is not an NPY file, or it is damaged.") from error


def check_examples(path: Path, values: Array, width: int = 1, each: int = EXAMPLE) -> None:
    """That the examples of an array are no more than such a file holds, each with its name and its place.

    Args:
        path: The file.
        values: ``(N, …)``.
        width: Bytes that each of its numbers is to take.
        each: Bytes that each example takes beside them.

    Raises:
        InputError: If they are more.
    """
    check_unpacked(path, values.size * width + len(values) * each, _CURE)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An NPZ file, opened; a damaged one fails in a dozen ways."""
    try:
        with open_plain(path) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} could not be read: there is no such file.") from error
    except Exception as error:
        raise InputError(f"{path} is not an NPZ file, or it is damaged.") from error


def _claims(path: Path, archive: zipfile.ZipFile) -> dict[str, Claim]:
    members = archive.infolist()
    if len(members) > ARRAYS:
        raise InputError(f"{path} holds {len(members):,} arrays, and {ARRAYS:,} are read at most. Is it the right one?")
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise ValueError("packed as NumPy does not pack")
    check_unpacked(path, sum(member.file_size for member in members), _CURE)
    found = {}
    for member in members:
        with archive.open(member) as file:
            found[member.filename.removesuffix(".npy")] = _claim(file)
    check_unpacked(path, sum(claim.size for claim in found.values()), _CURE)
    return found


def _claim(file: IO[bytes]) -> Claim:
    """What the header of an NPY file says."""
    wide = np.lib.format.read_magic(file) != (1, 0)
    length = file.read(4 if wide else 2)
    size = int.from_bytes(length, "little")
    if size > HEADER_OF_ARRAY:
        raise ValueError("a header of such a length")
    read = np.lib.format.read_array_header_2_0 if wide else np.lib.format.read_array_header_1_0
    shape, _, dtype = read(io.BytesIO(length + file.read(size)))
    if any(side < 0 for side in shape):
        raise ValueError("a shape below zero")
    return Claim(tuple(shape), dtype)


def _array(archive: zipfile.ZipFile, name: str) -> Array:
    member = next(name_ for name_ in (f"{name}.npy", name) if name_ in archive.NameToInfo)
    with archive.open(member) as file:
        found: Array = np.lib.format.read_array(file, allow_pickle=False)
    _check_letters(found)
    return found


def _check_letters(values: Array) -> None:
    """That texts are of letters that there are: of others neither Python nor NumPy makes a text.

    Raises:
        ValueError: If they are not.
    """
    for name in values.dtype.names or ():
        _check_letters(values[name])
    if values.dtype.kind == "U" and values.size and values.dtype.itemsize:
        codes = np.ascontiguousarray(values).view(np.dtype("u4").newbyteorder(values.dtype.byteorder))
        if codes.max() > sys.maxunicode:
            raise ValueError("letters beyond Unicode")
