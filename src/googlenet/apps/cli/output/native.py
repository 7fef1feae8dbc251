"""What libraries below Python write on standard error by themselves, past everything that Python has for warnings."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def silence() -> None:
    """Has libtiff, which Pillow brings, keep to itself what it thinks of a damaged picture: it names no file, and the
    picture's own reason is shown. The logs of PyTorch's C++ say errors alone.

    It holds for the whole process, so it is for programs, which own theirs.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    found = find_spec("PIL")
    if found is None or found.origin is None:
        return
    package = Path(found.origin).parent
    bundled = [*package.parent.glob("pillow.libs/libtiff*"), *package.glob(".dylibs/libtiff*")]
    for name in (*map(str, bundled), "libtiff.so.6", "libtiff.so.5"):
        with suppress(OSError, AttributeError):  # no such library here
            library = ctypes.CDLL(name)
            for handler in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
                handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
                handler(None)
            return
