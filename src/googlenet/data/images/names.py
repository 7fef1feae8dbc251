"""What files say of themselves: by names, which are pictures, which cannot be read, and which folders are parts of the
data; by headers, how much memory and time a picture takes."""

from __future__ import annotations

import io
import re
import struct
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ...errors import InputError
from ...limits import AT_A_FRACTION, DECODED, DECODED_EACH, ICON, MAX_PIXELS, SCANNED, SCANNED_EACH, SLOW, SLOW_EACH
from ..walk import extension_of, format_of

if TYPE_CHECKING:
    from PIL import Image

# Of Pillow's registry: documents, films and measurements, and drawings that another program would have to run for.
_NO_PICTURES = frozenset(
    {".pdf", ".ps", ".eps", ".wmf", ".emf", ".mpg", ".mpeg", ".h5", ".hdf", ".grib", ".bufr", ".iim"}
)
# The same: of telescopes, games and programs, and wrappers of other formats. Nobody learns from them, and each is one
# more reader that a stranger can exhaust.
_RARE = frozenset({".fit", ".fits", ".flc", ".fli", ".ftc", ".ftu", ".gbr", ".pxr", ".dcx", ".cur", ".xpm", ".pcd"})
# Packages that teach Pillow a format when they are imported.
_PLUGINS = ("pillow_heif.HeifImagePlugin", "pillow_jxl")

_ZEROS = 64  # bytes at the end of a file
_JPEG, _SCAN, _END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"  # where one begins, its pixels, and its end

_HEIF = "HEIC is read where pillow-heif is installed (pip install pillow-heif); or save it as JPEG"
_JXL = "JPEG XL is read where pillow-jxl-plugin is installed (pip install pillow-jxl-plugin); or save it as JPEG"
_RAW = "a camera's raw file, which has to be developed: save it as JPEG, PNG or TIFF"
_DRAWING = "a drawing of lines, not of pixels: save it as PNG"
_PROJECT = "a drawing program's own format: save it as PNG"
_OTHER = "a format that is not read: save it as PNG or JPEG"
UNREAD = {
    **dict.fromkeys((".heic", ".heif", ".heics", ".heifs", ".hif"), _HEIF),
    ".jxl": _JXL,
    **dict.fromkeys((".raw", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".dng", ".orf"), _RAW),
    **dict.fromkeys((".rw2", ".raf", ".pef", ".srw", ".x3f", ".3fr", ".erf", ".kdc", ".dcr", ".mrw", ".iiq"), _RAW),
    **dict.fromkeys((".svg", ".svgz", ".eps", ".wmf", ".emf", ".ai", ".cdr"), _DRAWING),
    **dict.fromkeys((".psd", ".psb", ".xcf", ".kra", ".ora", ".clip", ".afphoto", ".pdn"), _PROJECT),
    **dict.fromkeys((".exr", ".hdr", ".jxr", ".wdp", ".hdp", ".bpg", ".flif", ".jls", ".dcm", ".dicom"), _OTHER),
    **dict.fromkeys(_RARE, _OTHER),
    **dict.fromkeys((".avif", ".avifs", ".webp", ".jp2", ".j2k", ".jpx"), _OTHER),
}
"""Extensions of pictures, and why those are left out that Pillow, as it is installed, does not read."""

_PARTS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validate", "validation", "dev", "development"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation", "evaluate", "holdout", "heldout"), "test"),
}
_AROUND = re.compile(r"(?<=.)(set|split|part|data|images|imgs|(19|20)\d\d)$")


def part_of(name: str) -> str | None:
    """Which part of the data is called so, ``"train"``, ``"val"`` or ``"test"``: in any case, as ``Training_Set``,
    ``val2017`` or ``02_val`` too."""
    word = re.sub(r"[\W_]+", "", re.sub(r"^\d+[\W_]+", "", name.casefold()))
    return _PARTS.get(word) or _PARTS.get(_AROUND.sub("", word))


def readable() -> frozenset[str]:
    """Extensions of the pictures that Pillow reads here, with what is installed beside it."""
    from PIL import Image

    _load_plugins()
    known = Image.registered_extensions().items()
    return frozenset(end for end, kind in known if kind in Image.OPEN or kind == "MPO") - _NO_PICTURES - _RARE


def formats() -> frozenset[str]:
    """Names of the formats of those pictures, as Pillow calls them."""
    from PIL import Image

    read = readable()
    return frozenset(kind for end, kind in Image.registered_extensions().items() if end in read)


def extensions() -> frozenset[str]:
    """Of all files that are, or by their names claim to be, pictures."""
    return readable() | UNREAD.keys()


def unread(source: Any) -> str | None:
    """Why a file is not read, by its name; ``None`` where it has to be opened to know.

    A name may be wrong: what begins as a picture that is read is one. A raw file begins as a TIFF, with a small view.
    """
    end = extension_of(Path(source)) if isinstance(source, (str, Path)) else ""
    if end not in UNREAD or end in readable() or format_of(Path(source)) in readable() - {".tif"}:
        return None
    return UNREAD[end]


@cache
def _load_plugins() -> None:
    for name in _PLUGINS:
        try:
            import_module(name)
        except ImportError:
            continue


# ------------------------------------------------------------------------------------------------ headers
# Bytes a pixel that a format's reader takes beside the picture that it makes: whole frames, and wider numbers.
_BESIDE = {"WEBP": 12, "JPEG2000": 20, "AVIF": 10, "HEIF": 10, "JXL": 10, "BLP": 12, "ICNS": 24}
_BESIDE |= dict.fromkeys(("QOI", "DDS", "MSP", "SGI", "BMP", "DIB"), 4)
_MOVING = 8  # the same of a PNG that moves
_NARROW = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}  # bytes a pixel; four of all others
_ROW = 12  # bytes that a row takes beside its pixels: its address, and what fills it up
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_PNG, _J2K = b"\x89PNG\r\n\x1a\n", b"\xff\x4f\xff\x51"


def check_size(image: Image.Image, stored: int, most: int, in_colour: bool = False) -> None:
    """Refuses a picture that takes more memory or time than its file is worth, before it is decoded.

    Args:
        image: As it is to be decoded.
        stored: Its pixels in the file.
        most: How many may be decoded.
        in_colour: Whether what is grey is to be made RGB.

    Raises:
        InputError: If it is too large.
    """
    inside = _inside(image)
    area, stored = max(image.width * image.height, inside), max(stored, inside)
    if area > most or stored > AT_A_FRACTION * most:
        raise _bomb(stored, most)
    own = _NARROW.get(image.mode, 4)
    plain = image.mode in ("L", "RGB") and "transparency" not in image.info
    made = 0 if plain else 1 if image.mode[0] in "1IF" else 4
    spread = 4 if in_colour and (made or own) == 1 else 0
    copies = [each for each in (own, made, spread) if each]
    needed = area * sum(copies) + _ROW * image.height * len(copies)
    _check_memory(image, stored, needed + round(stored * _beside(image)), most)
    if image.format == "BLP" and _content(image).startswith(b"BLP1\0\0\0\0"):  # of any size
        raise InputError("a picture of a game's with a JPEG in it: save it as PNG or JPEG")
    if stored > _by_python(image):
        raise InputError(f"a picture of {stored:,} pixels in {_file_size(image):,} bytes, more than it can hold")
    if (scans := _scans(image)) * stored > SCANNED + SCANNED_EACH * _file_size(image):
        raise InputError(f"a picture in {scans:,} scans, which takes more time than pictures do; save it anew")


def check_turned(image: Image.Image, made: Image.Image, stored: int, most: int) -> None:
    """The same of the copy that a picture is turned into.

    Args:
        image: Of the file.
        made: That is to be turned.
        stored: Its pixels in the file.
        most: How many may be decoded.

    Raises:
        InputError: If it is too large.
    """
    needed = made.width * made.height * _NARROW.get(made.mode, 4) + _ROW * max(made.size)
    _check_memory(image, stored, 2 * needed, most)


def _check_memory(image: Image.Image, stored: int, needed: int, most: int) -> None:
    """Whoever asks for another number of pixels gets that, whatever memory it takes."""
    room = DECODED + DECODED_EACH * _file_size(image)
    if most == MAX_PIXELS and needed > room:
        raise _bomb(stored, stored * room // needed)


def _bomb(stored: int, most: int) -> InputError:
    return InputError(
        f"a decompression bomb, by its size: {stored:,} pixels, and {most:,} are decoded at most; if you trust it, "
        "allow more (--max-pixels), where the command has that, or make it smaller"
    )


def _by_python(image: Image.Image) -> int:
    """Pixels that a file may say it has, where Pillow decodes it in Python, a pixel at a time."""
    from PIL import Image

    codecs = {tile[0] for tile in getattr(image, "tile", None) or ()}
    if codecs.isdisjoint(Image.DECODERS):
        return MAX_PIXELS * AT_A_FRACTION
    return SLOW + SLOW_EACH * _file_size(image)


def _file(image: Image.Image) -> Any:
    """That of a picture which is not decoded; ``None`` where it has none."""
    file = getattr(image, "fp", None)
    return None if file is None or getattr(file, "closed", False) else file


def _file_size(image: Image.Image) -> int:
    if (file := _file(image)) is None:
        return 0
    place = file.tell()
    size = int(file.seek(0, io.SEEK_END))
    file.seek(place)
    return size


def _content(image: Image.Image) -> bytes:
    if (file := _file(image)) is None:
        return b""
    place = file.tell()
    file.seek(0)
    content = bytes(file.read())
    file.seek(place)
    return content


def _beside(image: Image.Image) -> float:
    """Bytes that reading takes for each pixel of the file, beside the picture."""
    if _is_progressive(image):  # the coefficients of all of it
        layers = [across * down for _, across, down, _ in getattr(image, "layer", [])]
        return float(2 * sum(layers) / max(layers, default=1))
    if image.format == "TIFF" and getattr(image, "tag_v2", {}).get(274, 1) != 1:  # it is turned as it is decoded
        return _NARROW.get(image.mode, 4)
    moves = image.format == "PNG" and getattr(image, "is_animated", False)
    return _MOVING if moves else _BESIDE.get(str(image.format), 0)


def _is_progressive(image: Image.Image) -> bool:
    return bool(image.info.get("progressive") or image.info.get("progression"))


def _scans(image: Image.Image) -> int:
    """How often a JPEG goes through all of its pixels."""
    content, at, scans = _content(image) if _is_progressive(image) else b"", 2, 0
    while (marker := _MARKER.search(content, at)) is not None and marker[1] != b"\xd9":
        scans += marker[1] == b"\xda"
        at = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2], "big")
    return max(1, scans)


def _inside(image: Image.Image) -> int:
    """Pixels of the largest picture that stands in a file and may be another than its header says: of icons of
    Apple's, in whose files are others, and of the tiles of a TIFF."""
    if image.format == "TIFF":
        tags = getattr(image, "tag_v2", {})
        return int(tags.get(322, 0)) * int(tags.get(323, 0))
    return _largest(_sides(_content(image))) if image.format == "ICNS" else 0


def _check_icon(file: IO[bytes]) -> None:
    """Refuses an icon of Windows' that holds a picture larger than icons are, which is decoded as it is opened."""
    content = file.read()
    entries = (content[at : at + 16] for at in range(6, 6 + 16 * int.from_bytes(content[4:6], "little"), 16))
    places = (int.from_bytes(entry[12:16], "little") for entry in entries)
    bitmaps = [content[at + 4 : at + 12] for at in places if content[at : at + 4] != _PNG[:4]]
    sides = _sides(content) + [struct.unpack("<II", each) for each in bitmaps if len(each) == 8]
    if (found := _largest(sides)) > ICON:
        raise InputError(
            f"a decompression bomb, by its size: an icon of {found:,} pixels, and {ICON:,} are decoded at most; save "
            "it as PNG"
        )


def _sides(content: bytes) -> list[tuple[int, int]]:
    """Width and height of each PNG and JPEG 2000 in a file."""
    places = [match.end() + 8 for match in re.finditer(re.escape(_PNG), content)]
    places += [match.end() + 4 for match in re.finditer(re.escape(_J2K), content)]
    return [struct.unpack(">II", content[at : at + 8]) for at in places if at + 8 <= len(content)]


def _largest(sides: list[tuple[int, int]]) -> int:
    return max(((width + _ROW) * height for width, height in sides), default=0)


def _check_end(file: IO[bytes]) -> None:
    """Refuses a file whose end is nothing but zeros, as of a copy that stopped: they are decoded without a word."""
    file.seek(max(0, file.seek(0, io.SEEK_END) - _ZEROS))
    if file.read().strip(b"\0"):
        return
    file.seek(0)
    content = file.read()
    filled = len(content.rstrip(b"\0"))
    if content.startswith(_JPEG):  # some cameras fill their files up behind the end
        whole = content.rfind(_SCAN) < content.rfind(_END)
    elif content.startswith(_PNG):
        whole = b"IEND" in content[-_ZEROS - 8 - (len(content) - filled) :]
    else:  # WebP of one colour was seen to end with a twentieth of zeros
        whole = filled > 0.75 * len(content)
    if not whole:
        raise InputError(f"it was not copied whole: behind byte {filled:,} of {len(content):,} there are only zeros")


CHECKS = {"ICO": _check_icon, "PNG": _check_end, "JPEG": _check_end, "WEBP": _check_end, "AVIF": _check_end}
"""Of a format of Pillow's, what is looked at before such a file is opened; each raises InputError."""
