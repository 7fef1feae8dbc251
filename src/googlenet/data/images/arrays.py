"""Pictures that users hold in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...errors import InputError
from ..protocol import Preprocessing
from .dataset import SMALL_SIDE, ImageSet, enlarged, for_pictures
from .decode import longest_side
from .preprocessing import ImagePreprocessing

PICTURE_SIDE = 224
FILES = (str, Path, bytes, bytearray, memoryview)
# Signals may be (N, channels, length) too. Of these types they hardly ever are, and pictures mostly.
GREY_TYPES = ("uint8", "uint16", "bool")


def holds(X: Any) -> bool:
    """Whether these are pictures.

    They are if ``X`` has four axes, or three of unsigned bytes: ``(N, height, width)``. They are if it is a list in
    which there is a path, the bytes of a file, a picture of Pillow's, an array of three axes, or one of two axes of
    unsigned bytes. Other arrays of three axes, and of two in a list, are signals.
    """
    if isinstance(X, (list, tuple)):
        return any(_is_picture(x) for x in X)
    return getattr(X, "ndim", 0) == 4 or (getattr(X, "ndim", 0) == 3 and str(X.dtype) in GREY_TYPES)


def example_set(X: Any, labels: Tensor, like: Preprocessing | None, estimator: Any = None) -> ImageSet:
    """Pictures of one size, kept in memory.

    Args:
        X: See :func:`holds`.
        labels: ``(N,)``.
        like: What the network reads; ``None`` for the pictures' own size, or 224 where they are larger than small.
        estimator: Not asked: pictures have no features of their own.

    Raises:
        InputError: For arrays of another kind, and for pictures that cannot be read.
    """
    if getattr(X, "ndim", 0) == 3 and X.dtype != np.uint8:
        raise InputError(
            f"An array {X.shape} of {X.dtype} may be grey pictures or signals of {X.shape[1]} channels: give pictures "
            "as uint8, (N, height, width), and signals as floats."
        )
    if getattr(X, "ndim", 0) == 3 and X.shape[2] in (1, 3, 4):
        raise InputError(f"An array {X.shape} may be one picture or many: give (N, height, width, channels).")
    return picture_set(list(X), [f"example {row}" for row in range(len(X))], labels, like)


def picture_set(
    sources: Sequence[Any], names: Sequence[str], labels: Tensor, like: Preprocessing | None = None
) -> ImageSet:
    """Pictures of one size, kept in memory, read as a network reads them.

    Args:
        sources: What :func:`~googlenet.data.images.decode.open_picture` takes.
        names: Of each.
        labels: ``(N,)``.
        like: As of :func:`example_set`.

    Raises:
        InputError: For the first that cannot be read.
    """
    want = _own(sources, names) if like is None else for_pictures(like)
    pixels = np.empty((len(sources), *want.input_shape), np.uint8)
    for row, source in enumerate(sources):
        pixels[row] = _named(names[row], want.read, source)[0]
    return ImageSet(labels, tuple(names), torch.from_numpy(pixels), want.channels, sources=tuple(sources))


def _own(sources: Sequence[Any], names: Sequence[str]) -> ImagePreprocessing:
    """Of pictures as they are: their longest side, or 224; grey where all are grey arrays."""
    longest = max(_named(name, longest_side, source) for name, source in zip(names, sources, strict=True))
    side = enlarged(longest) if longest <= SMALL_SIDE else PICTURE_SIDE
    return ImagePreprocessing(1 if all(map(_is_grey, sources)) else 3, side, side)


def _named(name: str, read: Any, source: Any) -> Any:
    try:
        return read(source)
    except InputError as error:
        raise InputError(f"{name} cannot be read as a picture: {error}.") from error


def _is_grey(source: Any) -> bool:
    """Whether it is an array without colours; files and pictures of Pillow's are read in colour."""
    return isinstance(source, np.ndarray) and (source.ndim == 2 or 1 in (source.shape[0], source.shape[-1]))


def _is_picture(x: Any) -> bool:
    if isinstance(x, (*FILES, Image.Image)) or hasattr(x, "read"):
        return True
    dims = getattr(x, "ndim", 0)
    return dims == 3 or (dims == 2 and str(getattr(x, "dtype", "")) in GREY_TYPES)
