"""Weights of the catalogue on this machine: fetched once, checked, kept under ``GOOGLENET_HOME``.

``GOOGLENET_MIRROR`` names places that are tried before the origin, folders or URLs, to which the file's name is
added. ``GOOGLENET_OFFLINE=1`` forbids the network.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from filelock import FileLock

from ... import limits
from ...errors import InputError
from ...files import home, offline, open_plain, write_bytes
from ..catalogue import Record
from .archive import extract

Progress = Callable[[int, int | None], None]

ATTEMPTS = 5
PAUSE = 1.0  # seconds before the second attempt, twice that before the third, …
TIMEOUT = 30.0  # seconds without a byte
BLOCK = 1 << 18
SHIPPED = Path(__file__).parents[1] / "shipped"


class Broken(OSError):
    """A transfer that ended early or gave something else than was announced; worth another attempt."""


TRANSIENT = (Broken, urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


def folder() -> Path:
    """Where weights are kept: ``$GOOGLENET_HOME/weights``, by default ``~/.cache/googlenet/weights``."""
    return home() / "weights"


def path_of(record: Record) -> Path:
    """Where its file is, or would be."""
    return (folder() if record.url else SHIPPED) / record.file


def fetch(record: Record, progress: Progress = lambda done, total: None) -> Path:
    """The file of a record, downloaded if it is not here.

    Of several processes one downloads and the others wait for as long as that takes: there is no limit, since nobody
    knows how slow a network is, and the lock, ``.NAME.lock`` beside the file, goes with the process that holds it. An
    interrupted download goes on where it stopped. The file appears under its name only whole and with the hash that
    its origin publishes.

    Args:
        record: From the catalogue.
        progress: Called with the bytes that are here and the bytes there will be, if that is known.

    Raises:
        InputError: Without a network, on a full disk, or if what comes has another hash; the sentence says where to
            put the file by hand.
    """
    target = path_of(record)
    if target.exists():
        return target
    if not record.url:
        raise InputError(f"{target} is part of this package and is missing; install googlenet again.")
    origin = record.url.rsplit("/", 1)[-1]
    archive = target.with_name(origin) if record.member else target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if target.exists():
                return target
            part = archive.with_name(f"{archive.name}.part")
            _download_anywhere(record, origin, part, progress)
    except OSError as error:
        raise _unwritable(target, error) from error
    return target


def verify(record: Record) -> str:
    """What the file's hash says, as a sentence.

    Raises:
        InputError: If it is not here, or another file than its origin publishes.
    """
    path = path_of(record)
    if not path.exists():
        raise InputError(f"{record.name} is not here; get it with: googlenet weights fetch {record.name}")
    checked(record)
    found = digest("sha256", path)
    fetched = ", as it was fetched" if _pin(path).is_file() else ""
    if not record.digest or record.member:
        return f"{path}: sha256 {found}{fetched}; its origin publishes no hash of this file."
    _check(record, path)
    return f"{path}: sha256 {found}{fetched}, as {record.digest} wants."


def checked(record: Record) -> Path:
    """Its file, which is as it was when it was fetched: origins publish the beginning of a hash, an old one or none.

    A file that was put there by hand is what it is.

    Raises:
        InputError: If it has been changed.
    """
    path = path_of(record)
    try:
        with open_plain(_pin(path)) as file:
            wanted = file.read(64).decode("ascii", "replace")
    except FileNotFoundError:
        return path
    found = digest("sha256", path)
    if found != wanted:
        raise InputError(
            f"{path} is not the file that was fetched: its sha256 was {wanted} and is {found}. Delete it, and get it "
            f"again with: googlenet weights fetch {record.name}"
        )
    return path


def _pin(path: Path) -> Path:
    """Where the hash is kept that a file had when it was fetched."""
    return path.with_name(f".{path.name}.sha256")


# ----------------------------------------------------------------- downloading
def _download_anywhere(record: Record, origin: str, part: Path, progress: Progress) -> None:
    """Puts the record's file in its place, from the first mirror or origin that has it."""
    mirrors = os.environ.get("GOOGLENET_MIRROR", "").replace(",", " ").split()
    places = [f"{_as_url(mirror).rstrip('/')}/{origin}" for mirror in mirrors] + [record.url]
    if offline():
        places = [place for place in places if place.startswith("file://")]
    reasons = ["GOOGLENET_OFFLINE is set"] if not places else []
    for place in places:
        if not record.digest:  # nothing would tell that two places gave halves of two files
            part.unlink(missing_ok=True)
        try:
            _download(place, part, progress, _most(record))
            _check(record, part)
            fresh = extract(part, record.member, path_of(record)) if record.member else part
            write_bytes(_pin(path_of(record)), digest("sha256", fresh).encode())
            fresh.replace(path_of(record))
            part.unlink(missing_ok=True)
            return
        except InputError as error:
            reasons.append(f"{place}: {str(error).rstrip('.')}")
        except (*TRANSIENT, ValueError) as error:  # ValueError: no URL
            reasons.append(f"{place}: {getattr(error, 'reason', None) or error}")
    by_hand = f", unpack {record.member} from it" if record.member else ""
    raise InputError(
        f"{record.name} could not be fetched ({'; '.join(reasons)}). Get {record.url} another way{by_hand} and put it "
        f"at {path_of(record)}."
    )


def _most(record: Record) -> int:
    """Bytes that what lies at its origin may have."""
    return limits.FETCHED if record.size is None else int((record.size + 0.001) * limits.MB)  # as it is rounded


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection within the web, and none that gives up a connection nobody can listen to."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        allowed = ("https:",) if req.full_url.lower().startswith("https:") else ("http:", "https:")
        if not newurl.lower().startswith(allowed):
            raise InputError(f"it redirects to {newurl}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opened(request: urllib.request.Request) -> Any:
    """The answer of a server, or a local file; no other scheme."""
    opener = urllib.request.OpenerDirector()
    web = (urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler, _Redirects)
    errors = (urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPErrorProcessor, urllib.request.UnknownHandler)
    for handler in (*web, *errors, urllib.request.FileHandler):
        opener.add_handler(handler())
    return opener.open(request, timeout=TIMEOUT)


def _download(url: str, part: Path, progress: Progress, most: int) -> None:
    """Into ``part``, going on from what it holds, with some patience.

    Raises:
        OSError: What stopped the last attempt.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _transfer(url, part, progress, most)
        except urllib.error.HTTPError as error:
            error.close()  # it is an answer, with a connection
            if error.code == 416:  # what lies here is longer than the file: begin again
                part.unlink(missing_ok=True)
            elif error.code < 500 and error.code != 429:
                raise
            last: Exception = error
        except TRANSIENT as error:
            if not url.startswith("http"):  # what is not on this machine now will not be in a second
                raise
            last = error
        if attempt + 1 < ATTEMPTS:
            time.sleep(PAUSE * 2**attempt)
    raise last


def _transfer(url: str, part: Path, progress: Progress, most: int) -> None:
    here = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "googlenet"})  # noqa: S310 (see _opened)
    if here and url.startswith("http"):
        request.add_header("Range", f"bytes={here}-")
    with _opened(request) as answer:
        resumed = getattr(answer, "status", None) == 206
        here = here if resumed else 0
        length = answer.headers.get("Content-Length")
        total = here + int(length) if length else None
        with _part_file(part, resumed) as file:
            while block := _read(answer):
                if here + len(block) > most:
                    part.unlink()
                    raise InputError(f"it is longer than the file that was published, {most:,} bytes")
                file.write(block)
                here += len(block)
                progress(here, total)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and here != total:
        raise Broken(f"the connection ended after {here:,} of {total:,} bytes")


def _part_file(part: Path, resumed: bool) -> IO[bytes]:
    """A file that is gone on with, or begun; never one that a link leads to, or a pipe."""
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    held = os.open(part, flags | getattr(os, "O_BINARY", 0) | (os.O_APPEND if resumed else os.O_TRUNC), 0o666)
    if not stat.S_ISREG(os.fstat(held).st_mode):
        os.close(held)
        raise OSError(errno.EINVAL, "it is no plain file")
    return os.fdopen(held, "ab" if resumed else "wb")


def _read(answer: Any) -> bytes:
    """The next block; whatever goes wrong in it is the network's fault, not the disk's."""
    try:
        block: bytes = answer.read(BLOCK)
    except OSError as error:  # no route to host, TLS
        raise Broken(f"the connection broke: {error.strerror or error}") from error
    return block


def _as_url(mirror: str) -> str:
    return mirror if "://" in mirror else Path(mirror).expanduser().resolve().as_uri()


def _check(record: Record, path: Path) -> None:
    """Raises InputError, and deletes what was being fetched, if the hash is another."""
    algorithm, _, wanted = record.digest.partition(":")
    if not algorithm:
        return
    found = digest(algorithm, path)
    if not found.startswith(wanted):
        if path.suffix == ".part":
            path.unlink()
        raise InputError(
            f"{path.name.removesuffix('.part')} is not the file that its origin publishes: its {algorithm} is {found} "
            f"and should begin with {wanted}. Fetch {record.name} again, or from another place (GOOGLENET_MIRROR)."
        )


def digest(algorithm: str, path: Path) -> str:
    """Of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


# ----------------------------------------------------------------- disk
def _unwritable(target: Path, error: OSError) -> InputError:
    if error.errno == errno.ENOSPC:
        return InputError(
            f"The disk of {target.parent} is full. Free some space, or choose another folder with GOOGLENET_HOME; what "
            "came so far is kept and the download goes on from there."
        )
    return InputError(f"{target} could not be written: {error.strerror or error}. GOOGLENET_HOME chooses the folder.")
