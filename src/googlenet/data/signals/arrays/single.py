"""One signal in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...protocol import Example


def single(source: Any, name: str, channels: int) -> Example:
    """A signal ``(length,)`` or ``(channels, length)`` as an example; the error of what is none.

    Args:
        source: What a user holds in memory.
        name: Of the example.
        channels: That the network reads, for the message.
    """
    try:
        values = np.asarray(source)
        shown = f"{values.dtype} array {values.shape}: "
        if values.dtype.kind == "c":
            reason = "a signal is of real numbers; give the parts of complex ones as channels"
            return Example(name, error=shown + reason)
        signal = values.astype(np.float64)
    except (TypeError, ValueError):
        kind = type(source).__name__
        return Example(name, error=f"{kind} is no signal: give a table's path or an array of numbers")
    if signal.ndim not in (1, 2) or signal.size == 0:
        return Example(name, error=f"{shown}a signal is (length,) or ({channels}, length)")
    places = "length" if signal.ndim == 1 else "channels × length"
    return Example(name, np.atleast_2d(signal), taken_for=f"{shown}{places}")
