"""Files within tars that are not packed, on a disk or at an address: found by their heads, and read where they lie."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError, quoted, reason
from ...files import digest, open_plain
from ..walk import is_elsewhere, is_junk


@dataclass(frozen=True)
class Stored:
    """A file within a tar.

    Attributes:
        tar: Its path or address.
        name: Of the file in it.
        start: Byte at which its content begins.
        size: Bytes of it.
        digest: That its content has, see :func:`~googlenet.files.digest`; empty if that is not known.
    """

    tar: str
    name: str
    start: int
    size: int
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.tar}:{self.name}"

    def content(self) -> bytes:
        """All of it.

        Raises:
            InputError: If the tar is shorter than that or another one, or nothing comes from its address.
        """
        content = fetched(self.tar, self.start, self.size) if is_elsewhere(self.tar) else self._read()
        if self.digest and digest(content) != self.digest:
            cure = "empty the cache that it comes through, or shard the data again" if "::" in self.tar else ""
            raise InputError(f"its tar is not the one of the index: {cure or 'shard the data again'}")
        return content

    def _read(self) -> bytes:
        try:
            with open_plain(self.tar) as file:
                if self.start + self.size > os.fstat(file.fileno()).st_size:
                    raise InputError("its tar is shorter than it was when it was looked through")
                file.seek(self.start)
                return file.read(self.size)
        except OSError as error:
            raise InputError(f"its tar could not be read: {error.strerror}") from error


def fetched(address: str, start: int = 0, size: int | None = None) -> bytes:
    """What lies at an address that fsspec can open, from a byte on.

    Args:
        address: With ``::`` in it through a cache on a local disk, as ``blockcache::s3://bucket/train-000000.tar``.
        start: Bytes before it.
        size: Bytes of it; ``None`` for all.

    Raises:
        InputError: If fsspec is not installed, or what is there cannot be read or is shorter.
    """
    try:
        import fsspec
    except ModuleNotFoundError:
        raise InputError("it is at an address, which fsspec opens: pip install fsspec, and what it asks for") from None
    try:
        system, path = fsspec.core.url_to_fs(address)
        content: bytes = system.cat_file(path, start, None if size is None else start + size)
    except FileNotFoundError:
        raise InputError("there is no such file") from None
    except Exception as error:  # of any library below fsspec
        raise InputError(reason(error).rstrip(".")) from error
    if size is not None and len(content) > size:
        raise InputError("whole files come from there, and no parts of them: read it through simplecache::")
    if size is not None and len(content) < size:
        raise InputError("its tar is shorter than it was when it was looked through")
    return content


def members_of(path: str) -> Iterator[Stored]:
    """The files of a tar, in their order; no content is read.

    Args:
        path: Of the tar.

    Raises:
        InputError: If it is none, packed, or not whole.
    """
    try:
        with open_plain(path) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            size = os.fstat(file.fileno()).st_size
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # which would keep them all
                if not 0 <= member.size <= size - member.offset_data:
                    raise InputError(f"{path} is no whole tar: {quoted(member.name)} would end behind it.")
                if member.isreg() and not member.issparse() and not is_junk(Path(member.name).name):
                    yield Stored(path, member.name, member.offset_data, member.size)
            file.seek(archive.offset)
            if file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:  # where it says nothing of that
                raise InputError(
                    f"{path} is no whole tar: its end is missing, or what begins at {archive.offset:,} is damaged."
                )
    except (tarfile.TarError, OSError, ValueError) as error:
        raise InputError(f"{path} is no whole tar ({error}).") from error
