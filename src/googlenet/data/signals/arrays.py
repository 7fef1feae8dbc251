"""Signals that users hold in memory."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import validate_data
from torch import Tensor

from ..protocol import Preprocessing
from .dataset import SignalSet
from .rows import Signal

SQUARE = 8  # signals with as many samples as channels, from this many on, may well be pictures


def holds(X: Any) -> bool:
    """Whatever no other kind holds."""
    return True


def example_set(X: Any, labels: Tensor, like: Preprocessing | None, estimator: Any) -> SignalSet:
    """Signals from ``(N, L)``, ``(N, C, L)``, a data frame, or a list of arrays.

    Args:
        X: The signals.
        labels: ``(N,)``.
        like: What the network reads; ``None`` for a fresh one, which learns what its features are.
        estimator: Of scikit-learn's kind, whose ``n_features_in_`` and ``feature_names_in_`` are set or checked.

    Raises:
        ValueError: For anything else, and for infinite values.
    """
    signals = _signals(X, estimator, like is None)
    return SignalSet(labels, tuple(f"example {row}" for row in range(len(signals))), signals)


def _signals(X: Any, estimator: Any, reset: bool) -> tuple[Signal, ...]:
    rows = _nested(X)
    if rows is None:
        array = validate_data(estimator, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan", allow_nd=True)
        if array.ndim > 3:
            raise ValueError(f"Signals are (N, length) or (N, channels, length), not {array.shape}.")
        if reset and array.ndim == 3 and array.shape[1] == array.shape[2] >= SQUARE:
            warnings.warn(
                f"An array {array.shape} that is not of uint8 is taken for signals of {array.shape[1]} channels; grey "
                "pictures are of uint8, or (N, 1, height, width).",
                RuntimeWarning,
                stacklevel=2,
            )
        return tuple(array[:, None] if array.ndim == 2 else array)
    signals = tuple(np.atleast_2d(np.asarray(row, dtype=np.float64)) for row in rows)
    channels = {signal.shape[0] for signal in signals}
    if len(channels) != 1 or any(signal.ndim != 2 or signal.shape[1] == 0 for signal in signals):
        raise ValueError("Signals in a list are arrays (length,) or (channels, length) with the same channels.")
    if any(np.isinf(signal).any() for signal in signals):
        raise ValueError("Input X contains infinity or a value too large for float64.")
    return signals


def _nested(X: Any) -> Sequence[Any] | None:
    """The rows of a list of arrays, or of a frame whose cells hold series (sktime's ``nested_univ``)."""
    if isinstance(X, (list, tuple)) and len(X) > 0 and all(hasattr(row, "shape") and row.ndim in (1, 2) for row in X):
        return X
    if hasattr(X, "iloc") and len(X) > 0 and hasattr(X.iloc[0, 0], "__len__") and not isinstance(X.iloc[0, 0], str):
        return [_stacked([np.asarray(cell, dtype=np.float64) for cell in row]) for row in X.to_numpy()]
    return None


def _stacked(channels: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Channels of one signal, shorter ones with missing values at their end."""
    length = max(len(channel) for channel in channels)
    return np.stack([np.pad(c, (0, length - len(c)), constant_values=np.nan) for c in channels])
