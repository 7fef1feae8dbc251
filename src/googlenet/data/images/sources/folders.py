"""Labelled pictures, found in folders and tables, and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ....errors import InputError, count
from ....limits import MAX_PIXELS
from ...parallel import available_cores
from ...protocol import BadFile, Dataset, Watch, unwatched
from ...walk import called_twice, extension_of, files_in, folders_in, is_elsewhere, passed_over, walk
from ..crops import centre_square
from ..dataset import SMALL_SIDE, ImageSet, enlarged
from ..decode import Look, look, notes_on, open_picture, to_pixels
from ..names import extensions, part_of
from .shards import are_shards, find_shards
from .tables.table import Labelled, Rows, read_table


def claims(source: str) -> bool:
    """Whatever is a folder or a file, if no other kind claims it."""
    return Path(source).exists()


def find(source: str, watch: Watch, columns: Any) -> Dataset:
    """:func:`find_images`, for :data:`~googlenet.data.kinds.KINDS`.

    Args:
        source: A path that is claimed.
        watch: Wraps the list of files while they are checked.
        columns: See :class:`~googlenet.data.find.Columns`.

    Raises:
        InputError: For an option that pictures do not have.
    """
    for option in ("group", "channel"):
        if getattr(columns, option) is not None:
            raise InputError(f"--{option} is for tables of signals, and {source} is of pictures. Leave it out.")
    if (is_elsewhere(source) or Path(source).is_dir()) and (columns.target or columns.path):
        raise InputError(f"--target and --path-column are for tables, and {source} is a folder. Leave them out.")
    return find_images(source, watch, columns.path, columns.target, columns.max_pixels or MAX_PIXELS)


def find_images(
    source: str | Path,
    watch: Watch = unwatched,
    path: str | None = None,
    target: str | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Dataset:
    """Finds, checks and labels the pictures of a folder or a table.

    Args:
        source: A folder ``class/picture``, or with ``train``, ``val`` or ``test`` of those; a folder of shards
            or its address (:func:`~.shards.find_shards`); or a table (:func:`~.tables.table.read_table`).
        watch: Wraps the list of files while they are checked, for a progress bar.
        path: Column of the paths.
        target: Column of the labels.
        max_pixels: That a file may have, see :func:`~googlenet.data.images.decode.open_picture`.

    Raises:
        InputError: If there is no such thing, or no picture that can be read.
    """
    if are_shards(source):
        return find_shards(source, watch, max_pixels)
    source = Path(source)
    if not source.exists():
        raise InputError(f"There is no folder, table or built-in data set {str(source)!r}.")
    found = read_table(source, path, target) if source.is_file() else _in_folders(source)
    files = [file for rows in found.parts.values() for file, _ in rows]
    good, unreadable = _checked([file for file in files if file not in found.bad], watch, max_pixels)
    bad = tuple(BadFile(file, reason) for file, reason in (found.bad | unreadable).items())
    if not good:
        raise _no_pictures(source, len(files), bad)
    classes = tuple(sorted({label for rows in found.parts.values() for _, label in rows}))
    parts = {part: [row for row in rows if row[0] in good] for part, rows in found.parts.items()}
    sets = _image_sets(parts, classes, good, max_pixels)
    notes = (*found.notes, *_notes_on_classes(classes, parts), *notes_on(good.values()))
    return Dataset(str(source), classes, sets.get("train"), sets.get("val"), sets.get("test"), notes, bad)


def _no_pictures(source: Path, listed: int, bad: Sequence[BadFile]) -> InputError:
    left_out = f" ({count(len(bad), 'file')} left out, {bad[0].path}: {bad[0].reason})" if bad else ""
    what = "no picture that can be read" if listed else "no pictures in folders of classes"
    todo = "" if source.is_file() else f" Put them in one folder per class, such as {source}/cat/1.jpg."
    return InputError(f"{source} has {what}{left_out}.{todo}")


# ------------------------------------------------------------------------------------------------ folders
def _in_folders(root: Path) -> Labelled:
    """The pictures of a folder of classes, or of a folder of parts that are such folders."""
    found, parts = Labelled(), _parts_in(root)
    empty, others = [], Counter[str]()
    if parts:
        _sort_out(files_in(root), found)
        empty = [top for top in folders_in(root) if top not in parts.values()]
    for part, top in (parts or {"train": root}).items():
        _sort_out(files_in(top), found)
        found.notes += called_twice(folders_in(top))
        found.parts[part] = []
        for folder in folders_in(top):
            pictures, rest = _sort_out(walk(folder), found, "")
            found.parts[part] += [(str(path), folder.name) for path in pictures]
            empty += [] if pictures else [folder]
            others.update(extension_of(path) or "without an extension" for path in rest)
    found.notes += _notes_on_folders(root, empty, others)
    found.notes += [] if parts else _notes_on_depth(root)
    return found


def _notes_on_folders(root: Path, empty: Sequence[Path], others: Counter[str]) -> Iterator[str]:
    yield from passed_over(root)
    if empty:
        names = ", ".join(str(folder.relative_to(root)) for folder in empty)
        yield f"Left out, for there is no picture in it: {names}."
    if others:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in others.most_common())
        yield f"Not read, for they are no pictures by their names: {counts}."


def _parts_in(root: Path) -> dict[str, Path]:
    """The folders that are parts of the data; none where they are classes.

    Raises:
        InputError: If two folders are one part, or beside parts there is something else.
    """
    parts, classes, plain = _told_apart(root)
    if not parts:
        _refuse_no_classes(root, classes, plain)
        return {}
    if beside := [*classes, *plain]:
        raise InputError(
            f"{root}: {_named(parts)} {'is a part' if len(parts) == 1 else 'are parts'} of the data, with a folder for "
            f"each class, and {_named(beside)} beside has pictures that are in no part. Put them into one, such as "
            f"{parts[0] / beside[0].name}, or take them out; or, if {parts[0].name!r} is a class, put its pictures "
            "directly into it."
        )
    chosen: dict[str, Path] = {}
    for top in parts:
        part = str(part_of(top.name))
        if part in chosen:
            raise InputError(f"{root}: {_named([chosen[part], top])} are both the part {part}. Keep one, or join them.")
        chosen[part] = top
    return chosen


def _told_apart(root: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Folders that are parts, folders that are called as parts and are classes, and the other classes.

    A folder called ``train`` is a part if it holds folders of pictures, and a class if it holds pictures.
    """
    tops = folders_in(root)
    called = [top for top in tops if part_of(top.name)]
    plain = [top for top in tops if top not in called and _holds_pictures(top)]
    direct = list(filter(_has_pictures, called))
    nested = [top for top in called if any(map(_holds_pictures, folders_in(top)))]
    classes = [top for top in direct if plain or top not in nested]
    return [top for top in nested if top not in classes], classes, plain


def _refuse_no_classes(root: Path, parts: Sequence[Path], plain: Sequence[Path]) -> None:
    """Refuses parts that hold pictures and no classes, and classes that hold parts."""
    _refuse_turned(root, plain)
    if parts and not plain:
        raise InputError(
            f"{root}: {_named(parts)} {'holds' if len(parts) == 1 else 'hold'} pictures and no folder for each class. "
            f"Put them in one folder per class, such as {parts[0]}/cat/1.jpg."
        )


def _refuse_turned(root: Path, plain: Sequence[Path]) -> None:
    inside = {top: list(filter(_holds_pictures, folders_in(top))) for top in plain}
    named = {top: {part_of(each.name) for each in folders} for top, folders in inside.items()}
    alone = all(found and None not in found for found in named.values()) and not any(map(_has_pictures, plain))
    turned = next((top for top, found in named.items() if alone or len(found - {None}) > 1), None)
    if turned is not None:
        some = next(each for each in inside[turned] if part_of(each.name))
        raise InputError(
            f"{root} has its parts inside of its classes, such as {some}. Turn that around: "
            f"{root / some.name / turned.name}."
        )


def _notes_on_depth(root: Path) -> Iterator[str]:
    """What to say where all classes hold folders of the same names and no pictures: those may be the classes."""
    tops = folders_in(root)
    names = [sorted(each.name for each in folders_in(top)) for top in tops]
    if not tops or any(len(each) < 2 or each != names[0] for each in names) or any(map(_has_pictures, tops)):
        return
    inside = ", ".join(names[0])
    if len(tops) == 1:
        yield f"Read as one class, with folders in it ({inside}): if those are the classes, name {tops[0]}."
    else:
        yield (
            f"All the classes hold folders of the same names ({inside}): if those are the classes, and what holds them "
            "parts of the data, call the parts train, val and test."
        )


def _has_pictures(folder: Path) -> bool:
    """Directly in it."""
    return bool(_pictures_among(files_in(folder)))


def _holds_pictures(folder: Path) -> bool:
    """At any depth."""
    return _has_pictures(folder) or bool(_pictures_among(walk(folder)))


def _pictures_among(files: Iterable[Path]) -> list[Path]:
    ends = extensions()
    return [path for path in files if extension_of(path) in ends]


def _sort_out(
    files: Sequence[Path], found: Labelled, reason: str = "it lies in no folder of a class"
) -> tuple[list[Path], list[Path]]:
    """Files that are, or by their names claim to be, pictures, and the others.

    Args:
        files: Of a folder. An unreadable picture is found out later; a link to nothing is left out here.
        found: What is left out.
        reason: Why the pictures are left out too; "" if they are not.
    """
    pictures = _pictures_among(files)
    chosen = set(pictures)
    rest = [path for path in files if path not in chosen]
    dangling = {path for path in rest if path.is_symlink() and not path.exists()}
    found.bad |= {str(path): "a link to what is not there" for path in sorted(dangling)}
    found.bad |= {str(path): reason for path in pictures if reason}
    return pictures, [path for path in rest if path not in dangling]


def _named(folders: Sequence[Path]) -> str:
    names = [repr(folder.name) for folder in folders]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# ------------------------------------------------------------------------------------------------ classes
def _notes_on_classes(classes: Sequence[str], parts: Rows) -> Iterator[str]:
    """Classes that a part lacks."""
    counts = {part: Counter(label for _, label in rows) for part, rows in parts.items() if rows}
    for part, held in counts.items():
        if missing := [name for name in classes if name not in held]:
            yield f"The part {part} has no picture of {', '.join(map(repr, missing))}."


# ------------------------------------------------------------------------------------------------ pictures
def _checked(files: Sequence[str], watch: Watch, max_pixels: int) -> tuple[dict[str, Look], dict[str, str]]:
    """Those that can be read, and what they are; and the others."""
    good: dict[str, Look] = {}
    bad: dict[str, str] = {}

    def looked(path: str) -> Look | str:
        try:
            return look(path, max_pixels)
        except InputError as error:
            return str(error)

    with ThreadPoolExecutor(available_cores()) as pool:
        looks = pool.map(looked, files)
        for path in watch(files, "checking"):
            found = next(looks)
            if isinstance(found, str):
                bad[path] = found
            else:
                good[path] = found
    return good, bad


def _image_sets(parts: Rows, classes: tuple[str, ...], good: dict[str, Look], max_pixels: int) -> dict[str, Any]:
    """The pictures part by part, all of one colour and, where they are kept in memory, one size."""
    channels = 1 if all(found.grey for found in good.values()) else 3
    longest = max(found.side for found in good.values())
    size = enlarged(longest) if longest <= SMALL_SIDE else None
    return {part: _image_set(rows, classes, channels, size, max_pixels) for part, rows in parts.items()}


def _image_set(
    rows: list[tuple[str, str]], classes: tuple[str, ...], channels: int, size: int | None, max_pixels: int
) -> ImageSet | None:
    if not rows:
        return None
    labels = torch.tensor([classes.index(label) for _, label in rows])
    names = tuple(path for path, _ in rows)
    pixels = None
    if size:
        opened = (open_picture(path, channels, 2 * size, max_pixels) for path in names)
        pixels = torch.from_numpy(np.stack([to_pixels(centre_square(image, size, size)) for image in opened]))
    return ImageSet(labels, names, pixels, channels, sources=names, max_pixels=max_pixels)
