"""From what a user types to files: folders walked, links followed, patterns matched; what systems leave is left out."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from pathlib import Path

from ..errors import InputError
from ..files import open_plain

# What file systems, synchronisers, programs and downloads leave in people's folders; in any case.
JUNK = (
    ".*",  # hidden: .DS_Store, ._name.jpg, .ipynb_checkpoints, .Trash-1000, .AppleDouble, .git, .@__thumb
    *("__macosx", "icon\r", "network trash folder", "temporary items"),
    *("thumbs.db", "ehthumbs*.db", "desktop.ini", "$recycle.bin", "found.[0-9][0-9][0-9]"),
    *("system volume information", "lost+found", "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot"),
    *("~snapshot", "__pycache__", "_gsdata_", "picasa.ini", "zbthumbnail.info", "thumbs.db:*"),
    *(UNFINISHED := ("~$*", "*~", "*.bak", "*.tmp", "*.part", "*.partial", "*.crdownload")),  # of files, as a rule
)
# How files of predictions and figures begin, whatever they are called; a table of labels or signals begins otherwise.
_RESULTS = re.compile(
    rb'"?input"?,"?error\b.*|start,end,label,probability\b.*|\{"(input|start)": .*|<!doctype html>.*'
    rb"|(?=[^\n]*[A-DF-Za-df-z/])[^\n]+  (error: |[^\n]* s  [^\n]* [01]\.\d{3}\s"
    rb"|(?![-+.\d]+\s)[^\n]*[^ \n] [01]\.\d{3}\s).*",
    re.DOTALL,
)
_JUNK, _UNFINISHED = (re.compile("|".join(map(fnmatch.translate, names))) for names in (JUNK, UNFINISHED))
_ANYWHERE = re.compile(r"([a-z][a-z0-9+.-]*::)*[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_EXTENSION = re.compile(r"\.[a-z][a-z0-9]{0,9}")
# First bytes of pictures, by which a file without an extension says what it is.
_BEGINNINGS = {
    rb"\xff\xd8\xff": ".jpg",
    rb"\x89PNG\r\n\x1a\n": ".png",
    rb"GIF8[79]a": ".gif",
    rb"BM.{4}\0{4}": ".bmp",
    rb"II\*\0|MM\0\*": ".tif",
    rb"RIFF.{4}WEBP": ".webp",
    rb".{4}ftypavi[fs]": ".avif",
    rb".{4}ftyp(hei[cxms]|mif1)": ".heic",
    rb"\0\0\0\x0cjP  ": ".jp2",
}


def is_elsewhere(text: str) -> bool:
    """Whether that is an address of any kind, as fsspec has them: ``s3://…``, ``blockcache::s3://…``."""
    return _ANYWHERE.match(text) is not None


def where_instead(address: str) -> str:
    """What an address is, and what to do where files of this machine alone are read."""
    if address.lower().startswith("file:"):
        return "an address; name the file or folder itself, without file://"
    return "an address on the network; download it first, and name the file"


def is_pattern(text: str) -> bool:
    """Whether that is no file, and may be a pattern that files match."""
    return glob.has_magic(text) and not os.path.lexists(text)


def why_missing(text: str) -> str | None:
    """Why there is no file of that name, where the name itself tells."""
    if is_elsewhere(text):
        return where_instead(text)
    if "\0" in text:
        return "no name of a file, for it holds a NUL"
    if is_pattern(text) and next(glob.iglob(text, recursive=True), None) is None:  # noqa: PTH207
        return "nothing matches this pattern, and there is no file of that name"
    return None


def is_junk(name: str) -> bool:
    """Whether a file or folder of that name is nobody's data, see :data:`JUNK`."""
    return _JUNK.fullmatch(name.casefold()) is not None


def passed_over(folder: Path) -> Iterator[str]:
    """What to say of folders in one, at any depth, that may hold data after all: they are called as unfinished files
    are.

    Raises:
        InputError: If a folder cannot be listed.
    """
    found = [os.path.join(where, name) for where, _ in walked(folder) for name in _listed(where)[1]]  # noqa: PTH118
    unfinished = [path for path in map(Path, found) if _UNFINISHED.fullmatch(path.name.casefold())]
    if passed := sorted(str(path.relative_to(folder)) for path in unfinished):
        yield f"Passed over, for they are called as copies and unfinished files are: {', '.join(map(repr, passed))}."


def called_twice(folders: Iterable[Path]) -> Iterator[str]:
    """What to say of folders of several names that are one, by links."""
    names: dict[str, list[Path]] = {}
    for folder in folders:
        names.setdefault(os.path.realpath(folder), []).append(folder)
    for several in names.values():
        if len(several) > 1:
            yield f"{' and '.join(map(str, several))} are one folder, by links: what is in it counts under each name."


def folders_in(folder: Path) -> list[Path]:
    """The folders, and links to folders, that lie directly in one, sorted; none that leads back to it."""
    inside = [Path(entry.path) for entry in _entries(folder) if _is_folder(entry)]
    return [path for path in inside if not path.is_symlink() or not folder.resolve().is_relative_to(path.resolve())]


def files_in(folder: Path) -> list[Path]:
    """The files that lie directly in a folder, sorted."""
    return [Path(entry.path) for entry in _entries(folder) if not _is_folder(entry)]


def walk(folder: Path) -> list[Path]:
    """The files below a folder, at any depth, sorted.

    Links are followed, each real folder is read once, and none from which a link leads back to where it lies.

    Raises:
        InputError: If a folder cannot be listed.
    """
    return sorted(Path(where, name) for where, names in walked(folder) for name in names if not is_junk(name))


def walked(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The folders that :func:`walk` goes through, each with the names of its files; however deep they lie.

    Raises:
        InputError: If a folder cannot be listed.
    """
    seen: set[tuple[int, int]] = set()
    above = {_identity(str(each)) for each in Path(os.path.realpath(folder)).parents}
    waiting, links = [str(folder)], list[str]()
    while waiting or links:  # links wait until the real folders around them are read
        if not waiting:
            waiting, links = links[::-1], []
        where = waiting.pop()
        place = _identity(where)
        if place in seen or place in above:
            continue
        seen.add(place)
        names, folders = _listed(where)
        yield where, names
        inside = [os.path.join(where, name) for name in folders if not is_junk(name)]  # noqa: PTH118
        links += [path for path in inside if os.path.islink(path)]  # noqa: PTH114
        waiting += reversed([path for path in inside if not os.path.islink(path)])  # noqa: PTH114


def _identity(folder: str) -> tuple[int, int]:
    """Which folder that is, by whatever name."""
    try:
        about = Path(folder).stat()
    except OSError as error:
        raise _unlisted(error) from error
    return about.st_dev, about.st_ino


def _listed(folder: str) -> tuple[list[str], list[str]]:
    """Names of the files and of the folders in one, the folders sorted."""
    try:
        with os.scandir(folder) as entries:
            kinds = [(entry.name, _is_folder(entry)) for entry in entries]
    except OSError as error:
        raise _unlisted(error) from error
    return [name for name, inside in kinds if not inside], sorted(name for name, inside in kinds if inside)


def expand(inputs: Iterable[str], lines: Iterable[str], extensions: Collection[str]) -> Iterator[str]:
    """Paths, one by one: files as they are, folders walked for files with those extensions, globs expanded, ``-``
    from ``lines``. A folder or a glob in which there is nothing comes out as it is, for its reader to complain of.

    Args:
        inputs: As typed.
        lines: Of standard input.
        extensions: Lower case, with the dot.
    """
    given = list(inputs)
    for text in given:
        if len(given) > 1 and is_junk(name := Path(text).name) and not name.startswith("."):
            continue  # a shell's * brings it along, and nothing that is hidden
        if text == "-":
            yield from (line.strip() for line in lines if line.strip())
        else:
            yield from _expanded(text, extensions)


def _expanded(text: str, extensions: Collection[str]) -> list[str]:
    path = Path(text)
    if os.path.isdir(text):  # noqa: PTH112  of a name too long for a path as well
        return [str(found) for found in walk(path) if extension_of(found) in extensions] or [text]
    if is_pattern(text):
        matches = (_expanded(str(found), extensions) if found.is_dir() else [str(found)] for found in _matching(path))
        return list(chain.from_iterable(matches)) or [text]
    return [text]


def _matching(pattern: Path) -> Iterator[Path]:
    """What a glob matches, sorted; of junk only what it names."""
    root = Path(pattern.anchor) if pattern.is_absolute() else Path()
    try:
        matches = sorted(root.glob(str(pattern.relative_to(pattern.anchor))))
    except (ValueError, RecursionError, OSError) as error:
        raise InputError(
            f"{pattern} is no pattern of names of files: ** stands alone between slashes, for folders within folders, "
            "as in **/*.png."
        ) from error
    for found in matches:
        if not any(is_junk(part) for part in found.parts if part not in pattern.parts):
            yield found


def is_read(output: Path, word: str) -> bool:
    """Whether a file to write is there and is one that is read: itself, what a pattern matches, in a folder of data,
    by whatever links, or in the folder of a run.

    Args:
        output: It. What begins as results of before do is no data of a folder.
        word: What is read, as a user called it.
    """
    if not output.is_file():
        return False
    path = Path(word)
    if not path.exists():
        return is_pattern(word) and any(is_read(output, found) for found in glob.iglob(word, recursive=True))  # noqa: PTH207
    if not path.is_dir():
        return output.samefile(path)
    if (path / "run.json").exists() and output.parent.samefile(path):
        return True
    return any(map(output.samefile, filter(Path.exists, walk(path)))) and not _RESULTS.fullmatch(_beginning(output))


def extension_of(path: Path) -> str:
    """A file's extension, lower case, with the dot; of one without any that of :func:`format_of`."""
    suffix = path.suffix.lower()
    return suffix if _EXTENSION.fullmatch(suffix) else format_of(path)


def format_of(path: Path) -> str:
    """The extension of the format in which a file begins; "" if that is not known, or it cannot be read."""
    start = _beginning(path)
    return next((kind for begins, kind in _BEGINNINGS.items() if re.match(begins, start, re.DOTALL)), "")


def _beginning(path: Path) -> bytes:
    """The first bytes of a file; none if it cannot be read."""
    try:
        with open_plain(path) as file:
            return file.read(4096)
    except (OSError, ValueError, InputError):  # of a name that can be none
        return b""


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not is_junk(entry.name)), key=lambda entry: Path(entry.path))
    except OSError as error:
        raise _unlisted(error) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112


def _unlisted(error: OSError) -> InputError:
    return InputError(f"The folder {error.filename} cannot be listed: {error.strerror}.")
