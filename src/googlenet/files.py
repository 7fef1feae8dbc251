"""Files that are whole or not there: written under a temporary name, flushed to disk, then renamed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import limits
from .errors import InputError, parsed
from .limits import unpacked

fcntl: Any = import_module("fcntl") if find_spec("fcntl") else None  # not on Windows, where nothing is swept

_TEMPORARY, _FRESH = ".googlenet", ".googlenet-fresh-"  # how what is being written is called, as nothing else is
_LEFT = re.compile(rf"\..+\.[0-9a-f]{{16}}{re.escape(_TEMPORARY)}|{re.escape(_FRESH)}[a-z0-9_]{{8}}")


def open_plain(path: str | Path) -> io.BufferedReader:
    """Opens a file for reading that is one: a device, a pipe or a socket could be without end, and is not waited for.

    Raises:
        InputError: If it is something else than a plain file.
        OSError: If there is none, or it cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        _check_plain(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def check_plain(path: str | Path) -> None:
    """That a library may open a file, see :func:`open_plain`; one that is not there is for the library to miss.

    Raises:
        InputError: If it is something else than a plain file.
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return
    _check_plain(path, mode)


def read_bytes(path: str | Path, most: int) -> bytes:
    """What a plain file holds.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        InputError: If it is no plain file, or larger.
        OSError: If there is none, or it cannot be read.
    """
    with open_plain(path) as file:
        content = file.read(min(os.fstat(file.fileno()).st_size, most) + 1)  # room for no more than there is
    if len(content) > most:
        raise InputError(f"{path} is larger than such files are, {most:,} bytes. Is it the right one?")
    return content


def _check_plain(path: str | Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
        raise InputError(f"{path} is no plain file, but {kind}. Name a file.")


def write_bytes(path: str | Path, content: bytes) -> None:
    """Replaces ``path`` by ``content``; a crash at any moment leaves the old file or the new one.

    Raises:
        InputError: If the disk is full or the folder cannot be written; what was there stays.
    """
    path = Path(path)
    if not path.name or (path.exists() and not path.is_file()):
        raise InputError(f"{path} is no plain file, and stays as it is. Name another file.")
    sweep(path.parent)
    try:
        descriptor, temporary = _new_file(path)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _hold(file.fileno())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _flush(path.parent)
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror}. What was there is untouched.") from error


def unused(path: Path) -> Path:
    """A name beside ``path`` for what is to take its place, which nobody has; :func:`sweep` knows it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}{_TEMPORARY}")


def _new_file(path: Path) -> tuple[int, Path]:
    """A file beside ``path`` that was not there, whose name nobody can know before, opened for writing."""
    temporary = unused(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.open(temporary, flags, 0o666), temporary


def _hold(descriptor: int) -> bool:
    """Marks a file or folder as in use for as long as this process lives; whether it was free."""
    with suppress(OSError):
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def _flush(place: Path) -> None:
    """Has a file, or the names in a folder, outlive a machine that stops; not every system does that for folders."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if not place.is_dir():
            raise
    finally:
        os.close(descriptor)


@cache
def sweep(folder: Path) -> None:
    """Removes what killed processes left as they wrote, by names that only it has; once in the life of this one."""
    if fcntl is None:
        return
    for rest in (each for each in folder.glob(".*googlenet*") if _LEFT.fullmatch(each.name)):
        with suppress(OSError):
            descriptor = os.open(rest, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if _hold(descriptor):
                    shutil.rmtree(rest) if rest.is_dir() else rest.unlink()
            finally:
                os.close(descriptor)


def write_json(path: str | Path, value: Mapping[str, Any]) -> None:
    """:func:`write_bytes` for JSON; a file's name that is no text is written in JSON's own way."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode(errors="backslashreplace"))


def read_json(path: str | Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        InputError: If the file is missing or is not a JSON object.
    """
    try:
        value = parsed(read_bytes(path, limits.RECORD).decode())
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # of one nested too deep
        raise InputError(f"{path} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} does not hold a JSON object.")
    return value


def home() -> Path:
    """Where what is fetched and built is kept: ``GOOGLENET_HOME``, by default ``~/.cache/googlenet``; of a user without
    a home folder, as in some containers, a folder of that user's among the system's temporary ones.

    Raises:
        InputError: If ``GOOGLENET_HOME`` begins with a home folder that is not there, or the other is somebody else's.
    """
    if chosen := os.environ.get("GOOGLENET_HOME"):
        try:
            return Path(chosen).expanduser()
        except RuntimeError as error:
            raise InputError(f"GOOGLENET_HOME is {chosen}: {error} Name a folder in full.") from error
    with suppress(RuntimeError):
        return Path.home() / ".cache" / "googlenet"
    user = os.getuid() if hasattr(os, "getuid") else 0
    shared = Path(tempfile.gettempdir()) / f"googlenet-{user}"
    with suppress(FileNotFoundError):
        about = shared.lstat()
        if about.st_uid != user or not stat.S_ISDIR(about.st_mode):
            raise InputError(f"{shared} is somebody else's. Name a folder of yours with GOOGLENET_HOME.")
    return shared


def offline() -> bool:
    """Whether the network is forbidden, by ``GOOGLENET_OFFLINE=1``."""
    return os.environ.get("GOOGLENET_OFFLINE", "") not in ("", "0")


@contextmanager
def fresh(path: Path) -> Iterator[Path]:
    """Gives a path of that name in a temporary folder; what lies in the folder at the end moves beside ``path``.

    Nothing moves, and what was there stays, if anything is raised.

    Raises:
        InputError: If the disk is full, the folder cannot be written, or a part stands there already without ``path``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=_FRESH) as folder, _held(Path(folder)):
            yield Path(folder) / path.name
            _move(sorted(Path(folder).iterdir()), path)
    except InputError as error:  # who wrote there named what is gone
        said = str(error).replace(str(Path(folder) / path.name), str(path)).replace(str(Path(folder)), str(path.parent))
        raise InputError(said) from error
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror}.") from error


def _move(parts: Sequence[Path], path: Path) -> None:
    """Gives files, flushed to disk, their places beside ``path``: what one needs lies in those before it, so that the
    last that was there goes first, and never stands beside what is new."""
    for part in parts:
        if (there := path.with_name(part.name)).exists() and not path.exists():
            raise InputError(f"{there} is there, and no {path.name} that it is of. Remove it, or name another file.")
        _flush(part)
    if len(parts) > 1:
        path.with_name(parts[-1].name).unlink(missing_ok=True)
    for part in parts:
        part.replace(path.with_name(part.name))
    _flush(path.parent)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Marks a folder as in use."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _hold(descriptor)
        yield
    finally:
        os.close(descriptor)


def digest(content: bytes) -> str:
    """16 hexadecimal digits that say whether two contents are the same (BLAKE2b)."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def digest_of(path: str | Path) -> str:
    """:func:`digest` of a file.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        with open_plain(path) as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}.") from error


def json_line(row: Mapping[str, Any]) -> str:
    """A row of a ``.jsonl`` file."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def check_unpacked(path: str | Path, claimed: int, cure: str, size: int | None = None) -> None:
    """That a packed file unpacks to no more than such files do, see :func:`~googlenet.limits.unpacked`.

    Args:
        path: The file.
        claimed: Bytes that what is in it takes in memory, by what the file says.
        cure: What to do if it is no attack.
        size: Bytes of the file, where it has parts beside it.

    Raises:
        InputError: If it takes more.
    """
    size = Path(path).stat().st_size if size is None else size
    if claimed > unpacked(size):
        raise InputError(
            f"{path} has {size:,} bytes and says that it holds {claimed:,}, which is far more than such files do, and "
            f"is not read: {unpacked(size):,} are. {cure}."
        )
