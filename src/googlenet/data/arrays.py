"""What users hold in memory, as signals or as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from sklearn.utils.validation import validate_data
from torch import Tensor

from ..errors import InputError
from .images.folders import SMALL, enlarged
from .images.pictures import centre_square, open_picture, to_pixels
from .signals.rows import Signal

EstimatorInput = npt.ArrayLike | Sequence[Any]
PICTURE_SIDE = 224


def is_images(X: Any) -> bool:
    """Whether these are pictures: ``(N, C, H, W)``, or a list of paths or PIL images."""
    if getattr(X, "ndim", 0) == 4:
        return True
    return isinstance(X, (list, tuple)) and len(X) > 0 and isinstance(X[0], (str, Path, Image.Image))


def images_from(X: Any, size: int | None) -> Tensor:
    """``(N, 1 or 3, side, side)``, uint8.

    Args:
        X: See :func:`is_images`; arrays are uint8 or in [0, 1].
        size: Side that the network wants; ``None`` for that of the pictures, or 224 where they are larger than small.

    Raises:
        InputError: For arrays of another kind, and for pictures that cannot be read.
    """
    if getattr(X, "ndim", 0) != 4:
        opened = [open_picture(x, 3) if isinstance(x, (str, Path)) else x.convert("RGB") for x in X]
        side = size or _side(max(max(image.size) for image in opened))
        return torch.from_numpy(np.stack([to_pixels(centre_square(image, side, side)) for image in opened]))
    array = np.asarray(X)
    if array.shape[1] not in (1, 3):
        raise InputError(f"Pictures are (N, 1 or 3, height, width), not {array.shape}.")
    if array.dtype != np.uint8:
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise InputError("Pictures that are not uint8 have values from 0 to 1.")
        array = np.rint(array * 255).astype(np.uint8)
    side = size or _side(max(array.shape[2:]))
    if array.shape[2:] == (side, side):
        return torch.from_numpy(np.ascontiguousarray(array))
    pictures = (Image.fromarray(np.squeeze(x.transpose(1, 2, 0))) for x in array)
    pixels = np.stack([to_pixels(centre_square(picture, side, side)) for picture in pictures])
    return torch.from_numpy(pixels)


def _side(longest: int) -> int:
    return enlarged(longest) if longest <= SMALL else PICTURE_SIDE


def signals_from(estimator: Any, X: Any, reset: bool) -> tuple[Signal, ...]:
    """Signals ``(channels, length)`` from ``(N, L)``, ``(N, C, L)``, a data frame, or a list of arrays.

    Args:
        estimator: Whose ``n_features_in_`` and ``feature_names_in_`` are set or checked.
        X: The signals.
        reset: Whether they are set.

    Raises:
        ValueError: For anything else, and for infinite values.
    """
    rows = _nested(X)
    if rows is None:
        array = validate_data(estimator, X, reset=reset, dtype=np.float32, ensure_all_finite="allow-nan", allow_nd=True)
        if array.ndim > 3:
            raise ValueError(f"Signals are (N, length) or (N, channels, length), not {array.shape}.")
        return tuple(array[:, None] if array.ndim == 2 else array)
    signals = tuple(np.atleast_2d(np.asarray(row, dtype=np.float32)) for row in rows)
    channels = {signal.shape[0] for signal in signals}
    if len(channels) != 1 or any(signal.ndim != 2 or signal.shape[1] == 0 for signal in signals):
        raise ValueError("Signals in a list are arrays (length,) or (channels, length) with the same channels.")
    if any(np.isinf(signal).any() for signal in signals):
        raise ValueError("Input X contains infinity or a value too large for float32.")
    return signals


def _nested(X: Any) -> Sequence[Any] | None:
    """The rows of a list of arrays, or of a frame whose cells hold series (sktime's ``nested_univ``)."""
    if isinstance(X, (list, tuple)) and len(X) > 0 and all(hasattr(row, "shape") and row.ndim in (1, 2) for row in X):
        return X
    if hasattr(X, "iloc") and len(X) > 0 and hasattr(X.iloc[0, 0], "__len__") and not isinstance(X.iloc[0, 0], str):
        return [_stacked([np.asarray(cell, dtype=np.float32) for cell in row]) for row in X.to_numpy()]
    return None


def _stacked(channels: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Channels of one signal, shorter ones with missing values at their end."""
    length = max(len(channel) for channel in channels)
    return np.stack([np.pad(c, (0, length - len(c)), constant_values=np.nan) for c in channels])
