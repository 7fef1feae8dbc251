"""What names say: which files are pictures, which of those cannot be read, and which folders are parts of the data."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ..walk import extension_of, format_of

# Of Pillow's registry: documents, films and measurements, and drawings that another program would have to run for.
_NO_PICTURES = frozenset(
    {".pdf", ".ps", ".eps", ".wmf", ".emf", ".mpg", ".mpeg", ".h5", ".hdf", ".grib", ".bufr", ".iim"}
)
# Packages that teach Pillow a format when they are imported.
_PLUGINS = ("pillow_heif.HeifImagePlugin", "pillow_jxl")

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
    return frozenset(end for end, kind in known if kind in Image.OPEN or kind == "MPO") - _NO_PICTURES


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
