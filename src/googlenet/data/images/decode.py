"""One picture: from a file, bytes, an opened picture or an array to 8-bit pixels, grey or RGB."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from ...errors import InputError
from ...limits import AT_A_FRACTION, MAX_PIXELS
from .names import formats, unread
from .values import CHANNELS_LAST, Levels, Pixels, eight_bits, from_array, levels_of

Source = str | Path | bytes | IO[bytes] | Image.Image | npt.NDArray[Any]


def open_picture(
    source: Source, channels: int = 3, at_least: int | None = None, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Decodes a picture: first frame, upright by its EXIF orientation, 8 bits, grey or RGB.

    This is the one reader: whoever looks at a picture, in training or later, looks through it. Transparent pixels are
    laid on white. More than 8 bits are read by :func:`~googlenet.data.images.values.levels_of`.

    Args:
        source: JPEG, PNG, WebP, GIF, BMP, TIFF and what else Pillow reads: a path, the bytes of a file or an opened
            one; a picture of Pillow's; or an array, see :func:`~googlenet.data.images.values.from_array`.
        channels: 1 for grey, 3 for RGB.
        at_least: A JPEG that is not decoded yet may be decoded at a fraction of its size, its sides still this long or
            longer.
        max_pixels: That are decoded, at most; pictures in memory may have more.

    Raises:
        InputError: With the reason, if it cannot be read whole, or what its numbers mean cannot be known.
    """
    if isinstance(source, np.ndarray):
        source = from_array(source)
    with _opened(source) as image:
        area = image.width * image.height
        if at_least and image is not source:
            image.draft(None, (at_least, at_least))
        if getattr(image, "tile", None):  # not decoded yet
            _check_size(image, area, max_pixels)
        return _seen(image, channels)


class Look(NamedTuple):
    """What is known of a picture once it has been read.

    Attributes:
        side: The longer one, pixels.
        grey: Whether it has no colours.
        deep: What its numbers mean where they have more than 8 bits, and the largest of them.
    """

    side: int
    grey: bool
    deep: tuple[Levels, float] | None = None


def look(source: Source, max_pixels: int = MAX_PIXELS) -> Look:
    """Reads a picture whole, a JPEG at an eighth of its size.

    Raises:
        InputError: As of :func:`open_picture`.
    """
    open_picture(source, 3, 1, max_pixels)
    with _opened(source) as image:
        levels, side = levels_of(image), max(image.size)
        deep = (levels, float(np.max(np.asarray(image)))) if levels else None
        return Look(side, Image.getmodebase(image.mode) == "L", deep)


def notes_on(looks: Iterable[Look]) -> tuple[str, ...]:
    """Sentences that say what was taken for white in pictures of more than 8 bits."""
    values: dict[float, list[float]] = {}
    for levels, largest in (found.deep for found in looks if found.deep):
        values.setdefault(max(levels), []).append(largest)
    return tuple(
        f"{len(found)} {'pictures have' if len(found) > 1 else 'picture has'} more than 8 bits: {white:g} is taken for "
        f"white, and the largest value is {max(found):g}."
        for white, found in sorted(values.items())
    )


def longest_side(source: Source) -> int:
    """Of a picture, pixels; nothing is decoded.

    Raises:
        InputError: If it cannot be opened.
    """
    if isinstance(source, np.ndarray):
        return max(from_array(source).size)
    with _opened(source) as image:
        return max(image.size)


def to_pixels(image: Image.Image) -> Pixels:
    """``(channels, height, width)``, 8 bits."""
    values = np.asarray(image)
    return values[None] if values.ndim == 2 else np.ascontiguousarray(values.transpose(2, 0, 1))


def taken_for(source: Any) -> str:
    """What an object that has no name of its own was taken for, in words."""
    if isinstance(source, np.ndarray):
        places = {2: "height × width", 3: "height × width × channels"}
        if source.ndim == 3 and source.shape[-1] not in CHANNELS_LAST:
            places[3] = "channels × height × width"
        scale = ", from 0 to 1" if source.dtype.kind == "f" else ""
        return f"{source.dtype} array {source.shape}: {places.get(source.ndim, 'no picture')}{scale}"
    if isinstance(source, Image.Image):
        return f"picture of Pillow's, {source.width}×{source.height}, mode {source.mode}"
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"the bytes of a file, {len(source):,}"
    return "an opened file" if hasattr(source, "read") else type(source).__name__


@contextmanager
def _opened(source: Any) -> Iterator[Image.Image]:
    """A picture of which nothing is decoded yet, or one of Pillow's as it is; whatever is wrong is an InputError."""
    with _explained(source):
        if reason := unread(source):
            raise InputError(reason)
        file = _undecoded(source)
        if isinstance(file, Image.Image):
            yield file
        elif isinstance(file, (str, Path)):
            if Path(file).exists() and not Path(file).is_file() and not Path(file).is_dir():
                raise InputError("not a plain file, but a device, a pipe or a socket")
            with Path(file).open("rb") as opened:
                yield _identified(opened)
        else:
            yield _identified(io.BytesIO(file) if isinstance(file, (bytes, bytearray, memoryview)) else file)


def _undecoded(source: Any) -> Any:
    """The file of a JPEG that was opened and not decoded: it is seen as by its path, and left as it is."""
    if type(source) is not JpegImagePlugin.JpegImageFile or not source.tile or source.fp is None:
        return source
    place = source.fp.tell()
    source.fp.seek(0)
    content = source.fp.read()
    source.fp.seek(place)
    return content


def _identified(file: IO[bytes]) -> Image.Image:
    """As ``Image.open``, whose limit on pixels is one for the whole process; here every call has its own.

    Formats that are not read are not tried, whatever a file is called: some would start another program.
    """
    try:
        file.seek(0)
    except (AttributeError, io.UnsupportedOperation):
        file = io.BytesIO(file.read())
    prefix, read = file.read(16), formats()
    for known in (Image.preinit, Image.init):
        known()
        for name in Image.ID:
            factory, accept = Image.OPEN[name]
            try:
                taken = name in read and (accept is None or accept(prefix))
                if taken and not isinstance(taken, str):  # a text says why this format cannot be read here
                    file.seek(0)
                    return factory(file, "")
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue
    raise UnidentifiedImageError


def _check_size(image: Image.Image, area: int, most: int) -> None:
    """Refuses what is too large to be decoded, before it is.

    Args:
        image: As it is to be decoded.
        area: Its pixels in the file.
        most: How many may be decoded.
    """
    if image.width * image.height > most or area > AT_A_FRACTION * most:
        raise InputError(
            f"a decompression bomb, by its size: {area:,} pixels, and {most:,} are decoded at most; if you trust it, "
            "allow more (--max-pixels)"
        )


def _seen(image: Image.Image, channels: int) -> Image.Image:
    """Decoded, turned upright, on white, in 8 bits, grey or RGB."""
    clear = _clear(image)
    image.load()
    levels = levels_of(image)  # now, as the file of an icon may hold one of another mode
    if 0 in image.size:
        raise InputError(f"a picture of {image.width}×{image.height} has no pixels")
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if levels is not None:
        values = np.asarray(image)
        pixels = eight_bits(values, levels)
        if clear is not None:
            pixels[values == clear] = 255
        image = Image.fromarray(pixels)
    elif image.mode == "P" or image.has_transparency_data:
        image = _on_white(image, clear)
    if image.mode == "LAB":
        image = image.convert("RGB")
    return image.convert("RGB" if channels == 3 else "L")


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


def _on_white(image: Image.Image, clear: Any) -> Image.Image:
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    if clear != image.info.get("transparency"):
        image = image.copy()
        image.info["transparency"] = clear
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


@contextmanager
def _explained(source: Any) -> Iterator[None]:
    """Whatever Pillow says of a picture, as the reason why it cannot be read."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(_reason(source, error)) from error


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
            return f"damaged: {error or type(error).__name__}"


def _is_empty(source: Any) -> bool:
    if isinstance(source, (str, Path)):
        return Path(source).stat().st_size == 0
    return isinstance(source, (bytes, bytearray, memoryview)) and len(source) == 0
