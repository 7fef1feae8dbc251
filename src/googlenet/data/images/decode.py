"""One picture: from a file, bytes, an opened picture or an array to 8-bit pixels, grey or RGB."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from ...errors import InputError
from .names import unread

Pixels = npt.NDArray[np.uint8]
Source = str | Path | bytes | IO[bytes] | Image.Image | npt.NDArray[Any]

# Above this many pixels a picture is taken for a decompression bomb.
MAX_PIXELS = 100_000_000
_CHANNELS_LAST, _CHANNELS_FIRST = (1, 3, 4), (1, 3)


def open_picture(source: Source, channels: int = 3, at_least: int | None = None) -> Image.Image:
    """Decodes a picture: first frame, upright by its EXIF orientation, 8 bits, grey or RGB.

    Transparent pixels are laid on white. 16-bit pictures keep their high byte.

    Args:
        source: JPEG, PNG, WebP, GIF, BMP, TIFF and what else Pillow reads: a path, the bytes of a file or an opened
            one; a picture of Pillow's; or an array, see :func:`from_array`.
        channels: 1 for grey, 3 for RGB.
        at_least: A JPEG may be decoded at a fraction of its size, its sides still this long or longer.

    Raises:
        InputError: With the reason, if it cannot be read whole.
    """
    if isinstance(source, np.ndarray):
        source = from_array(source)
    with _explained(source):
        if reason := unread(source):
            raise InputError(reason)
        if isinstance(source, Image.Image):
            return _upright(source, channels)
        file = io.BytesIO(source) if isinstance(source, (bytes, bytearray, memoryview)) else source
        with Image.open(file) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(
                    f"decompression bomb: {image.width}×{image.height} pixels, more than "
                    f"{MAX_PIXELS // 1_000_000} million"
                )
            if at_least:
                image.draft("RGB" if channels == 3 else "L", (at_least, at_least))
            return _upright(image, channels)


def from_array(values: npt.NDArray[Any]) -> Image.Image:
    """A picture from ``(height, width)``, ``(height, width, 1, 3 or 4)`` or ``(1 or 3, height, width)``.

    Args:
        values: uint8, or floats in [0, 1].

    Raises:
        InputError: For another type, another shape, one that can be read in two ways, or other values.
    """
    shown = f"an array of {values.dtype} with the shape {values.shape}"
    if values.size == 0:
        raise InputError(f"{shown} has no pixels")
    last = values.ndim == 3 and values.shape[2] in _CHANNELS_LAST
    first = values.ndim == 3 and values.shape[0] in _CHANNELS_FIRST
    if first and last:
        raise InputError(f"{shown} may have its channels first or last; give it as a picture of Pillow's")
    if values.ndim != 2 and not first and not last:
        raise InputError(
            f"{shown}; a picture is (height, width), (height, width, channels) or (channels, height, width)"
        )
    if values.dtype != np.uint8:
        values = _eight_bits(values, shown)
    if values.ndim == 3:
        values = values if last else values.transpose(1, 2, 0)
        values = values[..., 0] if values.shape[2] == 1 else values
    return Image.fromarray(np.ascontiguousarray(values))


def split_array(values: npt.NDArray[Any], channels: int) -> list[npt.NDArray[Any]] | None:
    """The pictures of an array that holds N of them; ``None`` where it is one picture, or none.

    Args:
        values: ``(N, height, width)``, ``(N, height, width, channels)`` or ``(N, channels, height, width)``.
        channels: That the network reads.

    Raises:
        InputError: For three planes where grey pictures are wanted: one picture in colour, or three grey ones.
    """
    if values.ndim == 4:
        return list(values)
    if values.ndim != 3 or 0 in values.shape or values.shape[-1] in _CHANNELS_LAST:
        return None
    if values.shape[0] == 3 and channels == 1:
        raise InputError(
            f"An array {values.shape} is one picture in colour or three grey ones: give (height, width, 3), or "
            "(3, 1, height, width)."
        )
    return None if values.shape[0] in _CHANNELS_FIRST else list(values)


def to_pixels(image: Image.Image) -> Pixels:
    """``(channels, height, width)``, 8 bits."""
    values = np.asarray(image)
    return values[None] if values.ndim == 2 else np.ascontiguousarray(values.transpose(2, 0, 1))


def taken_for(source: Any) -> str:
    """What an object that has no name of its own was taken for, in words."""
    if isinstance(source, np.ndarray):
        places = {2: "height × width", 3: "height × width × channels"}
        if source.ndim == 3 and source.shape[-1] not in _CHANNELS_LAST:
            places[3] = "channels × height × width"
        scale = "" if source.dtype == np.uint8 else ", from 0 to 1"
        return f"{source.dtype} array {source.shape}: {places.get(source.ndim, 'no picture')}{scale}"
    if isinstance(source, Image.Image):
        return f"picture of Pillow's, {source.width}×{source.height}, mode {source.mode}"
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"the bytes of a file, {len(source):,}"
    return "an opened file" if hasattr(source, "read") else type(source).__name__


@contextmanager
def _explained(source: Any) -> Iterator[None]:
    """Whatever Pillow says of a picture, as the reason why it cannot be read."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(_reason(source, error)) from error


def _eight_bits(values: npt.NDArray[Any], shown: str) -> Pixels:
    if values.dtype.kind != "f":
        raise InputError(f"{shown}; a picture is of uint8, or of floats from 0 to 1")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise InputError(f"{shown} and values outside of [0, 1]; a picture is of uint8, or of floats from 0 to 1")
    return np.rint(values.astype(np.float64) * 255).astype(np.uint8)


def _upright(image: Image.Image, channels: int) -> Image.Image:
    """Decoded, turned upright, in 8 bits, grey or RGB."""
    image.load()
    if 0 in image.size:
        raise InputError(f"a picture of {image.width}×{image.height} has no pixels")
    image = ImageOps.exif_transpose(image)
    mode = "RGB" if channels == 3 else "L"
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        if values.max(initial=0) > 255:
            values = values / 257
        image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8), "L")
    elif "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def _reason(source: Any, error: Exception) -> str:
    """Why something is no picture, in a few words."""
    match error:
        case FileNotFoundError():
            return "no such file"
        case PermissionError():
            return "no permission to read it"
        case IsADirectoryError():
            return (
                "a folder, not a picture; in folders, .bmp, .gif, .jpg, .png, .tif, .webp and the like are looked for"
            )
        case Image.DecompressionBombError():
            return "decompression bomb: far more pixels than a picture has"
        case UnidentifiedImageError():
            return "empty file" if _is_empty(source) else "not a picture in a format that can be read"
        case _ if "truncated" in str(error) or "Truncated" in str(error) or isinstance(error, EOFError):
            return "truncated: the file ends in the middle of the picture"
        case AttributeError() | TypeError() | ValueError() if not isinstance(source, (str, Path, bytes, Image.Image)):
            return (
                f"{type(source).__name__} is no picture: give a path, bytes, a file, a picture of Pillow's or an array"
            )
        case _:
            return f"damaged: {error}"


def _is_empty(source: Any) -> bool:
    if isinstance(source, (str, Path)):
        return Path(source).stat().st_size == 0
    return isinstance(source, (bytes, bytearray, memoryview)) and len(source) == 0
