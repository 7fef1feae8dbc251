"""Builds the native operators with the system's C++ compiler at first use, and keeps the result.

Plain C functions over pointers, called through ctypes: nothing depends on PyTorch's binary interface, so a
build serves every version of PyTorch and takes a second or two. It is kept in ``GOOGLENET_HOME`` (by default
``~/.cache/googlenet``) under a name made of the sources, the compiler's version, the processor's features and its
own hash, and used again only while its content has that hash. It is kept nowhere, and built at every start, where
somebody else could write into that folder. Where there is no compiler, or ``GOOGLENET_KERNELS=off``, PyTorch's own
operators run.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from ... import limits
from ...files import home

HERE = Path(__file__).parent
FLAGS = (
    *("-std=c++17", "-O3", "-march=native", "-fopenmp", "-fPIC", "-shared"),
    *("-fno-trapping-math", "-fno-math-errno", "-Wno-psabi"),
)
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH  # what allows others to write


@cache
def library(name: str) -> ctypes.CDLL | None:
    """The compiled ``NAME.cpp`` of this folder; ``None``, said once, if it cannot be built here."""
    if os.environ.get("GOOGLENET_KERNELS", "on").lower() == "off":
        return None
    try:
        return _kept_or_built(HERE / f"{name}.cpp")
    except (OSError, subprocess.SubprocessError) as error:
        reason = str(getattr(error, "stderr", None) or error).strip() or "the compiler does not say why"
        warnings.warn(
            f"The native operator {name} could not be built ({reason.splitlines()[0]}); "
            "PyTorch's own runs, more slowly. GOOGLENET_KERNELS=off silences this.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None


def _kept_or_built(source: Path) -> ctypes.CDLL:
    compiler = _compiler()
    folder, of_this = _folder(), f"{source.stem}-{_key(source, compiler)}-"
    for kept in [] if folder is None else sorted(folder.glob(f"{of_this}*.so")):
        with suppress(OSError):
            if (found := _loaded(kept, kept.stem.removeprefix(of_this))) is not None:
                return found
    with tempfile.TemporaryDirectory(dir=_scratch(folder), ignore_cleanup_errors=True) as scratch:
        fresh = Path(scratch) / "fresh.so"
        _run([*compiler, *FLAGS, str(source), "-o", str(fresh)])
        fresh.chmod(0o700)
        digest = hashlib.sha256(fresh.read_bytes()).hexdigest()
        built = _loaded(fresh, digest)
        if built is None:
            raise OSError(f"{fresh} was changed as it was read")
        if folder is not None:
            with suppress(OSError):  # a full disk: it is built again
                fresh.replace(folder / f"{of_this}{digest}.so")
                for damaged in set(folder.glob(f"{of_this}*.so")) - {folder / f"{of_this}{digest}.so"}:
                    damaged.unlink()
    return built


def _loaded(path: Path, digest: str) -> ctypes.CDLL | None:
    """The library in a file of this user's whose content has that hash; ``None`` for any other.

    Raises:
        OSError: If there is no such file, or it is a link or no library.
    """
    held = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    loaded = None
    try:
        about = os.fstat(held)
        if stat.S_ISREG(about.st_mode) and _is_own(about) and about.st_size <= limits.NATIVE_LIBRARY:
            with open(held, "rb", closefd=False) as file:
                content = file.read(limits.NATIVE_LIBRARY)
            if hashlib.sha256(content).hexdigest() == digest:
                same = Path(f"/proc/self/fd/{held}")  # the file that was read, whatever has its name by now
                loaded = ctypes.CDLL(str(same if same.exists() else path))
        return loaded
    finally:
        if loaded is None:  # else it stays open: another library with this number would be taken for this one
            os.close(held)


# ----------------------------------------------------------------- where it is kept
def _folder() -> Path | None:
    """Where libraries are kept: a folder into which this user alone can write; ``None``, said once, without one."""
    place = home()
    try:
        folder = place.resolve() / "kernels"
        if folder.parent.parent == Path(tempfile.gettempdir()).resolve():  # of a user without a home, for one
            raise OSError(f"{place} lies among everybody's temporary files")
        folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        _check_private(folder)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself
        warnings.warn(
            f"Nothing native is kept, and it is compiled at every start: {getattr(error, 'strerror', None) or error}. "
            "GOOGLENET_HOME names another folder, GOOGLENET_KERNELS=off does without.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return folder


def _check_private(folder: Path) -> None:
    """Raises OSError if somebody else may put a file into a folder or the one around it, or others in their place.

    Args:
        folder: Without links in front of its own name.
    """
    for place in (folder, folder.parent):
        about = place.lstat()
        if not stat.S_ISDIR(about.st_mode):
            raise OSError(f"{place} is a link or no folder")
        if not _is_own(about):
            raise OSError(f"others may write into {place}; chmod go-w would change that if it is yours")
    for place in folder.parent.parents:
        mode = place.stat().st_mode
        if mode & _OF_OTHERS and not mode & stat.S_ISVTX:  # sticky: each can rename what is his own
            raise OSError(f"others may rename what lies in {place}")


def _is_own(about: os.stat_result) -> bool:
    """Whether a file or folder is this user's, and nobody else may write to it."""
    if not hasattr(os, "geteuid"):  # Windows, where rights are not in the mode
        return True
    return about.st_uid == os.geteuid() and not about.st_mode & _OF_OTHERS


def _scratch(folder: Path | None) -> Path | None:
    """Where to build: on the disk of the folder, so that a library moves there at once, else where the system says."""
    return folder if folder is not None and os.access(folder, os.W_OK) else None


# ----------------------------------------------------------------- the compiler
def _compiler() -> list[str]:
    """The command of the compiler. Raises OSError if there is none."""
    found = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if not found:
        raise OSError("there is no C++ compiler")
    try:
        command = shlex.split(found)  # CXX may be a command with options
    except ValueError as error:
        raise OSError(f"CXX is {found}, which is no command: {error}") from error
    if not command or "\0" in found:
        raise OSError(f"CXX is {found!r}, which is no command")
    return command


def _key(source: Path, compiler: Sequence[str]) -> str:
    """What a build depends on."""
    sources = [path.read_text() for path in (source, *sorted(HERE.glob("*.h")))]
    kind = "\n".join([*sources, _run([*compiler, "--version"]), " ".join(FLAGS), _processor()])
    return hashlib.sha256(kind.encode()).hexdigest()[:16]


def _run(command: Sequence[str]) -> str:
    """What a command prints. Raises OSError or SubprocessError if it fails, or is not done in time."""
    own_group = os.name == "posix"  # so that what it starts ends with it
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=own_group,
    )
    with process:
        try:
            out, said = process.communicate(timeout=limits.COMPILING)
        except BaseException as error:  # Ctrl-C too
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL) if own_group else process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise OSError(f"{command[0]} was not done in {limits.COMPILING} s") from error
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command), out, said)
    return out


def _processor() -> str:
    """What ``-march=native`` depends on: a build must not be taken to another kind of processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return next((line for line in lines if line.startswith(("flags", "Features"))), "") + platform.machine()
