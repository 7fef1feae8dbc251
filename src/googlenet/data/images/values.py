"""What the numbers of a picture mean: the axes of an array, and which value is white where there are more than 8 bits.

White is known by mode and header. What they do not say is not guessed from the pixels: no picture is brighter because
its largest value is small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from ...errors import InputError

Pixels = npt.NDArray[np.uint8]

SIXTEEN_BITS = 65535
BITS, COMPRESSION, PHOTOMETRIC, PLANES, SAMPLE_FORMAT = 258, 259, 262, 284, 339  # tags of TIFF
_UNSIGNED = "which of them is white; save it as unsigned ones, of which"
LARGEST = (281, 341)  # MaxSampleValue, SMaxSampleValue
CHANNELS_LAST, CHANNELS_FIRST = (1, 3, 4), (1, 3)
_AT_ONCE = 1 << 20  # pixels that are converted at once


class Levels(NamedTuple):
    """What the numbers of a picture mean.

    Attributes:
        white: The value that is white.
        black: The value that is black.
    """

    white: float
    black: float = 0.0


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
    last = values.ndim == 3 and values.shape[2] in CHANNELS_LAST
    first = values.ndim == 3 and values.shape[0] in CHANNELS_FIRST
    if first and last:
        raise InputError(f"{shown} may have its channels first or last; give it as a picture of Pillow's")
    if values.ndim != 2 and not first and not last:
        raise InputError(
            f"{shown}; a picture is (height, width), (height, width, channels) or (channels, height, width)"
        )
    if values.dtype != np.uint8:
        values = _shares(values, shown)
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
        InputError: For three planes where grey pictures are wanted: one picture in colour, or three grey ones; and for
            ``(N, height, 2)``, which may be one grey picture with its transparency.
    """
    if values.ndim == 4:
        return list(values)
    if values.ndim == 3 and values.shape[-1] == 2:
        raise InputError(
            f"An array {values.shape} is one grey picture with its transparency or {len(values)} of two columns: give "
            "(height, width, 4), or (N, height, width, 1)."
        )
    if values.ndim != 3 or 0 in values.shape or values.shape[-1] in CHANNELS_LAST:
        return None
    if values.shape[0] == 3 and channels == 1:
        raise InputError(
            f"An array {values.shape} is one picture in colour or three grey ones: give (height, width, 3), or "
            "(3, 1, height, width)."
        )
    return None if values.shape[0] in CHANNELS_FIRST else list(values)


def levels_of(image: Image.Image) -> Levels | None:
    """What the numbers of a picture of more than 8 bits mean; ``None`` for 8 bits, which Pillow reads.

    Whole numbers go to 65535, as PNG and PGM have them and as Pillow writes its mode ``I``; floats go to 1. A TIFF of
    12 bits goes to 4095, and one whose header names the largest value (MaxSampleValue, SMaxSampleValue) of another
    number of bits, to that. The significant bits of a PNG (sBIT) are the high ones and change nothing.

    Args:
        image: Perhaps not decoded yet, with the header that its file had.

    Raises:
        InputError: If the header says that white is something that cannot be known, or is lost in reading.
    """
    tags = getattr(image, "tag_v2", {})
    bits, named = _largest(tags.get(BITS)), max(_largest(tags.get(tag)) for tag in LARGEST)
    signed = _largest(tags.get(SAMPLE_FORMAT)) == 2
    if not image.mode.startswith("I") and image.mode != "F":
        if signed:
            raise InputError(f"it is of signed numbers, and nothing says {_UNSIGNED} 255 is white")
        if bits > 8:
            _check_high_bits(bits, named, tags)
        return None
    if _is_white(named):
        white = named
    elif image.mode == "F":
        white = 1.0
    elif bits == 16 and signed:
        raise InputError(f"it is of signed numbers of 16 bits, and nothing says {_UNSIGNED} 65535 is white")
    else:
        white = float(2**bits - 1 if 8 < bits < 16 else SIXTEEN_BITS)
    return Levels(0.0, white) if tags.get(PHOTOMETRIC) == 0 else Levels(white)


def _check_high_bits(bits: float, named: float, tags: Mapping[int, Any]) -> None:
    """That the high 8 bits of each colour are what Pillow gives: of planes that are not packed it gives one half."""
    if _largest(tags.get(COMPRESSION)) == 1 and _largest(tags.get(PLANES)) == 2:
        raise InputError(f"it is of {bits:g} bits with a plane for each colour; save it with 8 bits a colour")
    if _is_white(named) and named < 2**bits - 1:
        raise InputError(
            f"its header says that of {bits:g} bits {named:g} is white, and colours are read by their high bits; "
            "save it with 8 bits a colour"
        )


def _eight_bits(values: npt.NDArray[Any], levels: Levels) -> Pixels:
    """The high 8 bits of whole numbers, and floats on the scale of 255."""
    top = max(levels)
    if values.dtype.kind == "f":
        pixels = np.rint(values.astype(np.float64) * (255 / top)).astype(np.uint8)
    else:
        pixels = (values.astype(np.int64) * 256 // int(top + 1)).astype(np.uint8)
    return 255 - pixels if levels.black else pixels


# ------------------------------------------------------------------------------------------------ to 8 bits
def seen(image: Image.Image, channels: int) -> Image.Image:
    """Decoded, on white, in 8 bits: grey where it has no colours or one channel is wanted, else RGB.

    It is converted a part at a time: beside the picture and what comes out there is never a third one.

    Args:
        image: Perhaps not decoded yet.
        channels: 1 or 3.

    Raises:
        InputError: If it has no pixels, or what its numbers mean cannot be known.
    """
    clear = _clear(image)
    image.load()
    levels = levels_of(image)  # now, as the file of an icon may hold one of another mode
    if 0 in image.size:
        raise InputError(f"a picture of {image.width}×{image.height} has no pixels")
    veiled = image.mode == "P" or image.has_transparency_data
    if levels is not None:
        low, high = extremes(image)
        if not (low >= 0 and high <= max(levels)):
            raise InputError(_out_of(low, high, max(levels)))
        wanted = "L"
    else:
        wanted = "L" if channels == 1 or (image.mode in ("1", "L") and not veiled) else "RGB"
    if image.mode == wanted and not veiled:
        return image
    made = Image.new(wanted, image.size)
    for place, part in _parts(image):
        if levels is not None:
            made.paste(_grey(part, levels, clear), place)
        else:
            white = _on_white(part, clear) if veiled else part
            made.paste((white.convert("RGB") if white.mode == "LAB" else white).convert(wanted), place)
    return made


def extremes(image: Image.Image) -> tuple[float, float]:
    """The smallest and the largest number of a picture of one channel; not a number if one of them is none."""
    found = [(float(part.min()), float(part.max())) for part in (np.asarray(each) for _, each in _parts(image))]
    return float(np.min([low for low, _ in found])), float(np.max([high for _, high in found]))


def turned_by(image: Image.Image) -> Image.Transpose | None:
    """How a picture is turned upright, by its EXIF orientation; ``None`` if it is."""
    return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _parts(image: Image.Image) -> Iterator[tuple[tuple[int, int], Image.Image]]:
    """Pieces of a picture, each with its place: neither a row nor a column is too long for one."""
    wide = min(image.width, _AT_ONCE)
    high = max(1, _AT_ONCE // wide)
    for top in range(0, image.height, high):
        for left in range(0, image.width, wide):
            right, bottom = min(image.width, left + wide), min(image.height, top + high)
            yield (left, top), image.crop((left, top, right, bottom))


def _grey(part: Image.Image, levels: Levels, clear: Any) -> Image.Image:
    values = np.asarray(part)
    pixels = _eight_bits(values, levels)
    if clear is not None:
        pixels[values == clear] = 255
    return Image.fromarray(pixels)


def _clear(image: Image.Image) -> Any:
    """The value, colour or palette that is transparent, on the scale of the pixels that Pillow makes."""
    clear = image.info.get("transparency")
    tile = getattr(image, "tile", None)
    match tile[0][3] if tile else None:  # how the pixels are stored
        case "L;2" if clear is not None:
            return clear * 85
        case "L;4" if clear is not None:
            return clear * 17
        case "RGB;16B" if clear is not None:
            return tuple(value >> 8 for value in clear)
    return clear


def _on_white(part: Image.Image, clear: Any) -> Image.Image:
    if part.mode in ("La", "RGBa"):
        part = part.convert(part.mode.upper())
    if clear != part.info.get("transparency"):
        part.info["transparency"] = clear
    if part.mode != "RGBA":
        part = part.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", part.size, "white"), part)


def _shares(values: npt.NDArray[Any], shown: str) -> Pixels:
    if values.dtype.kind != "f":
        raise InputError(f"{shown}; a picture is of uint8, or of floats from 0 to 1")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise InputError(f"{shown} and values outside of [0, 1]; a picture is of uint8, or of floats from 0 to 1")
    pixels = np.empty(values.shape, np.uint8)
    step = max(1, _AT_ONCE // max(1, values[:1].size))
    for start in range(0, len(values), step):
        pixels[start : start + step] = _eight_bits(values[start : start + step], Levels(1.0))
    return pixels


def _is_white(value: float) -> bool:
    """Whether a largest value is that of a number of bits, or 1; any other one is the largest that happened to be."""
    return value == 1 or (value >= 255 and value.is_integer() and (int(value) & (int(value) + 1)) == 0)


def _largest(value: Any) -> float:
    """Of a tag; 0 where it is not there."""
    numbers = value if isinstance(value, tuple) else (value,)
    return max((float(number) for number in numbers if number is not None), default=0.0)


def _out_of(low: float, high: float, top: float) -> str:
    if np.isnan(low + high):
        return "some of its values are no numbers (NaN); give each pixel a value"
    return (
        f"its values go from {low:g} to {high:g}, and nothing says which is white: such a picture goes from 0 to "
        f"{top:g}; save it with 8 or 16 bits, or as a TIFF whose header names white (SMaxSampleValue, such as 255)"
    )
