"""Pictures that users hold in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...errors import InputError
from ..protocol import Preprocessing
from .crops import centre_square
from .dataset import SMALL_SIDE, ImageSet, enlarged
from .decode import open_picture, to_pixels

PICTURE_SIDE = 224


def holds(X: Any) -> bool:
    """Whether these are pictures: ``(N, C, H, W)``, or a list of paths or PIL images."""
    if getattr(X, "ndim", 0) == 4:
        return True
    return isinstance(X, (list, tuple)) and len(X) > 0 and isinstance(X[0], (str, Path, Image.Image))


def example_set(X: Any, labels: Tensor, like: Preprocessing | None, estimator: Any = None) -> ImageSet:
    """Pictures of one size, kept in memory.

    Args:
        X: See :func:`holds`; arrays are uint8 or in [0, 1].
        labels: ``(N,)``.
        like: What the network reads; ``None`` for the pictures' own size, or 224 where they are larger than small.
        estimator: Not asked: pictures have no features of their own.

    Raises:
        InputError: For arrays of another kind, and for pictures that cannot be read.
    """
    size = None if like is None else like.input_shape[-1]
    names = tuple(f"example {row}" for row in range(len(X)))
    pixels = _from_pictures(X, size) if getattr(X, "ndim", 0) != 4 else _from_array(np.asarray(X), size)
    return ImageSet(labels, names, pixels, pixels.shape[1])


def _from_pictures(X: Any, size: int | None) -> Tensor:
    opened = [open_picture(x, 3) if isinstance(x, (str, Path)) else x.convert("RGB") for x in X]
    side = size or _side(max(max(image.size) for image in opened))
    return torch.from_numpy(np.stack([to_pixels(centre_square(image, side, side)) for image in opened]))


def _from_array(array: np.ndarray[Any, Any], size: int | None) -> Tensor:
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
    return torch.from_numpy(np.stack([to_pixels(centre_square(picture, side, side)) for picture in pictures]))


def _side(longest: int) -> int:
    return enlarged(longest) if longest <= SMALL_SIDE else PICTURE_SIDE
