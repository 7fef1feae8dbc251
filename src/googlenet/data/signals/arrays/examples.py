"""Signals from arrays, lists and frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data
from torch import Tensor

from ....errors import InputError
from ...protocol import Preprocessing
from ..dataset import SignalSet
from ..preparation.preprocessing import SignalPreprocessing
from ..tables.schema import Channel, Schema
from . import frames
from .axes import channels_axis, known_channels_axis, stated_axis
from .frames import Floats64, numbers

FINITE = {"dtype": np.float64, "ensure_all_finite": "allow-nan"}


def holds(X: Any) -> bool:
    """Whatever no other kind holds."""
    return True


def example_set(X: Any, labels: Tensor, like: Preprocessing | None, estimator: Any) -> SignalSet:
    """Signals in float64 from arrays, lists and frames.

    - ``(N, L)`` of one channel; ``(N, C, L)`` or ``(N, L, C)``, see :func:`~.axes.channels_axis`;
    - a list of ``(L,)``, ``(C, L)`` or ``(L, C)`` of any lengths, or of frames of time × variables;
    - a frame with a signal a row and a sample a column; one whose cells are series; one whose rows have two index
      levels, signal and time.

    Args:
        X: The signals.
        labels: ``(N,)``.
        like: What the network reads; ``None`` for a fresh one, which learns what its signals are.
        estimator: Of scikit-learn's kind; its ``axis`` is asked. ``axis_``, ``channel_names_``, ``n_features_in_`` and
            ``feature_names_in_`` are set in it or checked.

    Raises:
        ValueError: For anything else, for what may be read in two ways, and for infinite values.

    Warns:
        RuntimeWarning: Of what was guessed.
    """
    reader = _Reader(estimator, like.channels if isinstance(like, SignalPreprocessing) else None, like is None)
    signals: tuple[Any, ...] = reader.signals(X)
    names = tuple(f"example {row}" for row in range(len(signals)))
    schema = None if like is not None else _schema(signals, getattr(estimator, "channel_names_", None))
    return SignalSet(labels, names, signals, schema=schema)


def _schema(signals: Sequence[Floats64], names: Sequence[str] | None) -> Schema | None:
    """What a table has to hold for a network that learned from these; ``None`` for channels without names."""
    if names is None and len(signals[0]) > 1:
        return None
    lengths = [signal.shape[1] for signal in signals]
    channels = tuple(map(Channel, names or [""]))
    return Schema("rows", channels, lengths=(min(lengths), max(lengths)))


class _Reader:
    """Reads signals for an estimator that learns what they are, or knows it.

    Args:
        estimator: Of scikit-learn's kind.
        channels: That its network reads; ``None`` where that is not known.
        reset: Whether it learns.
    """

    def __init__(self, estimator: Any, channels: int | None, reset: bool) -> None:
        self.estimator, self.channels, self.reset = estimator, channels, reset
        self.stated = stated_axis(estimator)

    def signals(self, X: Any) -> tuple[Floats64, ...]:
        """Each ``(channels, length)``, float64."""
        if isinstance(X, (str, bytes, Path)):
            raise InputError("X is text. Read the file first, or use googlenet train and googlenet predict.")
        if frames.is_frame(X):
            return self._frame(X)
        if isinstance(X, (list, tuple)) and len(X) and not _regular(X):
            return self._list(X)
        return self._array(X)

    def _frame(self, X: Any) -> tuple[Floats64, ...]:
        if frames.levels(X) > 1:
            return self._timed(frames.instances(X)[1])
        if len(X) and frames.is_nested(X):
            return self._finished(self._named(frames.nested_signals(X), list(X.columns)))
        frames.check_numbers(X)
        if self.reset:
            frames.check_samples(list(X.columns))
        return self._flat(X)

    def _timed(self, given: Sequence[Any]) -> tuple[Floats64, ...]:
        return self._finished(self._named(*frames.timed_signals(given)))

    def _list(self, rows: Sequence[Any]) -> tuple[Floats64, ...]:
        if all(map(frames.is_frame, rows)):
            return self._timed(rows)
        for number, row in enumerate(rows):
            frames.check_rising(row, f"signal {number}")
        signals = [numbers(row, f"Signal {number}") for number, row in enumerate(rows)]
        if all(signal.ndim == 0 for signal in signals):
            raise _one_signal(f"({len(signals)},)")
        if odd := [signal.shape for signal in signals if signal.ndim not in (1, 2) or not signal.size]:
            raise InputError(f"Signals in a list are (length,) or (channels, length), not {odd[0]}.")
        if all(signal.ndim == 1 for signal in signals):
            return self._finished([signal[None] for signal in signals])
        signals = _of_two_axes(signals)
        return self._finished(self._turned(signals, [signal.shape for signal in signals]))

    def _array(self, X: Any) -> tuple[Floats64, ...]:
        if isinstance(X, (list, tuple)) and len(X):
            X = np.asarray(X)
        dims, kind = getattr(X, "ndim", 2), getattr(getattr(X, "dtype", None), "kind", "")
        if kind in tuple("MmV"):
            numbers(X, "X")  # says what it holds
        if dims == 1:
            raise _one_signal(str(X.shape))
        if dims == 2:
            return self._finished(_of_cells(X)) if kind == "O" and _has_series(X) else self._flat(X)
        array = check_array(X, ensure_2d=False, allow_nd=True, estimator=self.estimator, input_name="X", **FINITE)
        if array.ndim != 3:
            raise InputError(
                f"Signals are (N, length), (N, channels, length) or (N, length, channels), not {array.shape}."
            )
        signals = self._turned(array, [array.shape[1:]])
        if self.reset and signals[0].shape[0] == 1:  # the same as (N, length), which has features
            validate_data(self.estimator, np.concatenate(signals), skip_check_array=True)
        return self._finished(signals)

    def _flat(self, X: Any) -> tuple[Floats64, ...]:
        """Signals ``(N, length)`` of one channel."""
        if self.channels not in (None, 1):
            raise InputError(
                f"X of the shape {tuple(X.shape)} holds signals of one channel, and the network reads {self.channels} "
                "channels; one signal of several is (1, channels, length)."
            )
        found = validate_data(self.estimator, X, reset=self.reset, **FINITE)
        return tuple(found[:, None])

    def _turned(self, signals: Any, shapes: Sequence[tuple[int, ...]]) -> list[Floats64]:
        """Signals of two axes with channels first."""
        if self.channels is None:
            axis = channels_axis(shapes, self.stated)
            if self.reset:
                self.estimator.axis_ = axis
        else:
            known = getattr(self.estimator, "axis_", self.stated)
            axis = known_channels_axis(shapes, self.channels, known)
        return [signal.T if axis == "channels_last" else signal for signal in signals]

    def _named(self, signals: list[Floats64], names: list[Any]) -> list[Floats64]:
        """Signals whose channels have names, in the order of the fit."""
        texts = [str(name) for name in names] if all(isinstance(name, str) for name in names) else None
        if self.reset:
            if texts is not None:
                self.estimator.channel_names_ = texts
            return signals
        known = getattr(self.estimator, "channel_names_", None)
        if texts is None or known is None or texts == known:
            return signals
        if sorted(texts) != sorted(known):
            raise InputError(f"X has the channels {', '.join(texts)}, and those learned from were {', '.join(known)}.")
        order = [texts.index(name) for name in known]
        return [signal[order] for signal in signals]

    def _finished(self, signals: Sequence[Floats64]) -> tuple[Floats64, ...]:
        """Signals that are finite and have the same channels."""
        wanted = self.channels or signals[0].shape[0]
        for number, signal in enumerate(signals):
            if signal.shape[0] != wanted or not signal.size:
                raise InputError(
                    f"Signal {number} has {signal.shape[0]} channels of {signal.shape[1]} samples; signals have the "
                    f"same channels, here {wanted}."
                )
            if np.isinf(signal).any():
                raise InputError(f"Input X contains infinity, in signal {number}; NaN is a missing value.")
        return tuple(signals)


def _regular(rows: Sequence[Any]) -> bool:
    """Whether a list is an array written down: lists of numbers of one length."""
    if not all(isinstance(row, (list, tuple)) for row in rows):
        return False
    try:
        return np.asarray(rows).ndim >= 2
    except ValueError:
        return False


def _of_two_axes(signals: Sequence[Floats64]) -> list[Floats64]:
    """Signals ``(length,)`` among others as those of one channel that the others are."""
    last = all(signal.ndim == 1 or signal.shape[1] == 1 < len(signal) for signal in signals)
    flat = (slice(None), None) if last else (None, slice(None))
    return [signal[flat] if signal.ndim == 1 else signal for signal in signals]


def _has_series(X: Any) -> bool:
    """Whether an array of objects, signals × channels, has series in its cells."""
    return X.size > 0 and hasattr(X[0, 0], "__len__") and not isinstance(X[0, 0], (str, bytes, dict))


def _of_cells(X: Any) -> list[Floats64]:
    return [frames.stacked([numbers(cell, f"Row {row}") for cell in cells]) for row, cells in enumerate(X)]


def _one_signal(shape: str) -> InputError:
    return InputError(
        f"X of the shape {shape} is one signal, and a set of them is wanted. Reshape your data: "
        "X.reshape(1, -1) is a set of one."
    )
