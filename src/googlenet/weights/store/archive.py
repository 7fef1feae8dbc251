"""One file out of an archive, within limits: where it is written is not for it to say."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
import zlib
from pathlib import Path

from ... import limits
from ...errors import InputError

BLOCK = 1 << 18


class _Bounded(io.RawIOBase):
    """What unpacks from an archive, up to a limit: a small file may unpack to more than any disk holds."""

    def __init__(self, packed: gzip.GzipFile, most: int) -> None:
        self.packed, self.left = packed, most

    def read(self, size: int = -1) -> bytes:
        block = self.packed.read(min(size, BLOCK) if size >= 0 else BLOCK)
        self.left -= len(block)
        if self.left < 0:
            raise tarfile.ReadError("it unpacks to too much")
        return block


def extract(archive: Path, member: str, target: Path) -> Path:
    """One file out of an archive, beside ``target``, once the whole archive has been read.

    Args:
        archive: A tar, packed by gzip; one that is none, damaged or without the file is deleted.
        member: The name of the file in it.
        target: What the file will be called.

    Raises:
        InputError: If the archive does not hold it as a plain file.
        OSError: On a full disk; the archive stays.
    """
    fresh = target.with_name(f"{target.name}.fresh")
    fresh.unlink(missing_ok=True)
    try:
        with gzip.open(archive) as packed:
            whole = _Bounded(packed, limits.unpacked(archive.stat().st_size))
            with tarfile.open(fileobj=whole, mode="r|") as tar:
                entry = next((entry for entry in tar if entry.name == member), None)
                source = None if entry is None or not entry.isreg() or entry.issparse() else tar.extractfile(entry)
                if source is None:
                    raise KeyError(member)
                with source, fresh.open("xb") as file:
                    shutil.copyfileobj(source, file)
                    file.flush()
                    os.fsync(file.fileno())
            while whole.read():  # to its end, where its checksum is
                pass
    except (tarfile.TarError, EOFError, KeyError, zlib.error, gzip.BadGzipFile) as error:
        archive.unlink()
        fresh.unlink(missing_ok=True)
        raise InputError(
            f"{archive.name.removesuffix('.part')} is no archive that holds {member}, or it is damaged."
        ) from error
    except OSError:  # a full disk
        fresh.unlink(missing_ok=True)
        raise
    return fresh
