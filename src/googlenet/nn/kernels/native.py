"""Builds the native operators with the system's C++ compiler at first use, and keeps the result.

Plain C functions over pointers, called through ctypes: nothing depends on PyTorch's binary interface, so a
build serves every version of PyTorch and takes a second or two. It is kept in ``GOOGLENET_HOME`` (by default
``~/.cache/googlenet``) under a name made of the sources, the compiler's version and the processor's features.
Where there is no compiler, or ``GOOGLENET_KERNELS=off``, PyTorch's own operators run.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import warnings
from functools import cache
from pathlib import Path

from ...files import home

HERE = Path(__file__).parent
FLAGS = (
    *("-std=c++17", "-O3", "-march=native", "-fopenmp", "-fPIC", "-shared"),
    *("-fno-trapping-math", "-fno-math-errno", "-Wno-psabi"),
)


@cache
def library(name: str) -> ctypes.CDLL | None:
    """The compiled ``NAME.cpp`` of this folder; ``None``, said once, if it cannot be built here."""
    if os.environ.get("GOOGLENET_KERNELS", "on").lower() == "off":
        return None
    try:
        source = HERE / f"{name}.cpp"
        built = _built(source)
        try:
            return ctypes.CDLL(str(built))
        except OSError:  # cut short, by a machine that stopped before it was on the disk
            built.unlink()
            return ctypes.CDLL(str(_built(source)))
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        warnings.warn(
            f"The native operator {name} could not be built ({reason.strip().splitlines()[0]}); "
            "PyTorch's own runs, more slowly. GOOGLENET_KERNELS=off silences this.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None


def _built(source: Path) -> Path:
    found = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if not found:
        raise OSError("there is no C++ compiler")
    compiler = shlex.split(found)  # CXX may be a command with options
    version = subprocess.run([*compiler, "--version"], check=True, capture_output=True, text=True).stdout
    sources = [path.read_text() for path in (source, *sorted(HERE.glob("*.h")))]
    kind = "\n".join([*sources, version, " ".join(FLAGS), _processor()])
    folder = home() / "kernels"
    built = folder / f"{source.stem}-{hashlib.sha256(kind.encode()).hexdigest()[:16]}.so"
    if not built.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fresh = Path(scratch) / built.name
            command = [*compiler, *FLAGS, str(source), "-o", str(fresh)]
            subprocess.run(command, check=True, capture_output=True, text=True)
            fresh.replace(built)
    return built


def _processor() -> str:
    """What ``-march=native`` depends on: a build must not be taken to another kind of processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return next((line for line in lines if line.startswith(("flags", "Features"))), "") + platform.machine()
