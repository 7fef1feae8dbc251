"""One picture: from a file, bytes, an opened picture or an array to 8-bit pixels, grey or RGB."""

from __future__ import annotations

import errno
import io
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from ...errors import InputError, count
from ...files import open_plain
from ...limits import MAX_PIXELS
from .names import CHECKS, check_size, check_turned, formats, unread
from .stored import Stored
from .values import CHANNELS_LAST, Levels, Pixels, extremes, from_array, levels_of, seen, turned_by

_ONE = threading.Lock()  # held by whoever decodes a large picture
_LARGE = 16_000_000  # pixels
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)

Source = str | Path | bytes | IO[bytes] | Image.Image | npt.NDArray[Any] | Stored


class Whole(bytes):
    """The content of a file that is decoded in its whole size, as who sends pixels has decoded it."""


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
    with decoded(source, channels, at_least, max_pixels, in_colour=channels == 3) as image:
        return image.convert("RGB") if channels == 3 and image.mode == "L" else image


@contextmanager
def decoded(
    source: Source,
    channels: int = 3,
    at_least: int | None = None,
    max_pixels: int = MAX_PIXELS,
    in_colour: bool = False,
) -> Iterator[Image.Image]:
    """:func:`open_picture` for what is cut out of a picture: one without colours stays grey, which takes a quarter.

    Of large pictures one is held at a time, whatever the number of threads.

    Args:
        source: The same.
        channels: The same; :func:`to_pixels` makes three of one.
        at_least: The same.
        max_pixels: The same.
        in_colour: Whether the caller makes three channels of what is grey, which takes more memory.

    Raises:
        InputError: The same.
    """
    if isinstance(source, np.ndarray):
        source = from_array(source)
    with _opened(source) as image:
        stored = image.width * image.height
        if at_least and image is not source and not isinstance(source, Whole):
            image.draft(None, (at_least, at_least))
        waits = image is not source or bool(getattr(image, "tile", None))  # not decoded yet
        if waits:
            check_size(image, stored, max_pixels, in_colour)
        with _ONE if stored > _LARGE else nullcontext():
            found = seen(image, channels)
            turn = turned_by(image)  # now, as a TIFF is turned when it is decoded
            if turn is not None and waits:
                check_turned(image, found, stored, max_pixels)
            yield found if turn is None else found.transpose(turn)


class Look(NamedTuple):
    """What is known of a picture once it has been read.

    Attributes:
        side: The longer one, pixels.
        grey: Whether it has no colours.
        deep: What its numbers mean where they have more than 8 bits, and the largest of them.
        several: Whether it has more pages or frames than the first, which is read.
    """

    side: int
    grey: bool
    deep: tuple[Levels, float] | None = None
    several: bool = False


def look(source: Source, max_pixels: int = MAX_PIXELS) -> Look:
    """Reads a picture whole, a JPEG at an eighth of its size.

    Raises:
        InputError: As of :func:`open_picture`.
    """
    with decoded(source, 3, 1, max_pixels):
        pass
    with _opened(source) as image:
        levels, side = levels_of(image), max(image.size)
        deep = (levels, extremes(image)[1]) if levels else None
        return Look(side, Image.getmodebase(image.mode) == "L", deep, _has_several(image))


def _has_several(image: Image.Image) -> bool:
    """Whether there are pages or frames behind the first; the second picture in a photo of a telephone is none."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except Exception:  # what lies behind the first is damaged
        return True


def notes_on(looks: Iterable[Look]) -> Iterator[str]:
    """Sentences that say what was taken for white in pictures of more than 8 bits, and that pages were not read."""
    several, values = 0, dict[float, list[float]]()
    for found in looks:
        several += found.several
        if found.deep:
            values.setdefault(max(found.deep[0]), []).append(found.deep[1])
    if several:
        yield f"{count(several, 'picture')} of several pages or frames: the first is read, and no other."
    for white, largest in sorted(values.items()):
        have = "pictures have" if len(largest) > 1 else "picture has"
        yield f"{len(largest)} {have} more than 8 bits: {white:g} is taken for white, the largest is {max(largest):g}."


def glance(source: Source) -> Look:
    """What is known of a picture of 8 bits by its head; nothing is decoded.

    Raises:
        InputError: If it cannot be opened.
    """
    with _opened(source) as image:
        return Look(max(image.size), Image.getmodebase(image.mode) == "L")


def longest_side(source: Source) -> int:
    """Of a picture, pixels; nothing is decoded.

    Raises:
        InputError: If it cannot be opened.
    """
    if isinstance(source, np.ndarray):
        return max(from_array(source).size)
    with _opened(source) as image:
        return max(image.size)


def to_pixels(image: Image.Image, channels: int = 3) -> Pixels:
    """``(channels, height, width)``, 8 bits; a grey picture is the same in each.

    Args:
        image: What :func:`decoded` gave, or a part of it.
        channels: That are wanted.
    """
    values = np.asarray(image)
    if values.ndim == 2:
        return np.repeat(values[None], channels, 0)
    return np.ascontiguousarray(values.transpose(2, 0, 1))


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
        file = _undecoded(source.content() if isinstance(source, Stored) else source)
        if isinstance(file, Image.Image):
            yield file
        elif isinstance(file, (str, Path)):
            if Path(file).is_dir():
                raise IsADirectoryError
            if Path(file).exists() and not Path(file).is_file():
                raise InputError("not a plain file, but a device, a pipe or a socket")
            with open_plain(file) as opened:
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
                    if name in CHECKS:
                        CHECKS[name](file)
                        file.seek(0)
                    return factory(file, "")
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue
    raise UnidentifiedImageError


@contextmanager
def _explained(source: Any) -> Iterator[None]:
    """Whatever Pillow says of a picture, as the reason why it cannot be read; a machine that gives no more is none."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _EXHAUSTED:
            raise
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
