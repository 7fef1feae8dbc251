"""Keeps the memory of one step for the next."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of <malloc.h>


@cache
def keep_memory() -> None:
    """Asks the C library, where it is glibc, to keep freed memory for this process.

    Otherwise it gives large blocks back to the system, which clears them page by page when they are wanted again; a
    training wants the same blocks at every step.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_MMAP_MAX, 0)
            mallopt(_M_TRIM_THRESHOLD, -1)
