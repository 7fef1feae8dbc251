"""What to compute on, in which precision, and with which memory."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

import torch

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of <malloc.h>


def best_device() -> torch.device:
    """CUDA, else MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def computes_in_bf16(device: torch.device) -> bool:
    """Whether the hardware multiplies in bfloat16, rather than converting to float32 and back."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        has = torch.cpu.get_capabilities()
        return bool(has.get("avx512_bf16") or has.get("amx_bf16") or has.get("bf16"))
    return False


@cache
def keep_memory() -> None:
    """Asks the C library, where it is glibc, to keep freed memory for this process.

    Otherwise it gives large blocks back to the system, which clears them page by page when they are wanted again; a
    training wants the same blocks at every step.

    It holds for the whole process, so it is for programs, which own theirs: the command line calls it, nothing below
    does.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_MMAP_MAX, 0)
            mallopt(_M_TRIM_THRESHOLD, -1)
