"""Labelled pictures, found in folders and tables, and checked."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import InputError
from ..parallel import available_cores
from ..protocol import BadFile, Dataset, Watch, unwatched
from .crops import centre_square
from .dataset import SMALL_SIDE, ImageSet, enlarged
from .decode import EXTENSIONS, open_picture, to_pixels


def claims(source: str) -> bool:
    """Whatever is a folder or a file, if no other kind claims it."""
    return Path(source).exists()


def find(source: str, watch: Watch, columns: Any) -> Dataset:
    """:func:`find_images`, for :data:`~googlenet.data.kinds.KINDS`.

    Args:
        source: A path that is claimed.
        watch: Wraps the list of files while they are checked.
        columns: See :class:`~googlenet.data.find.Columns`.
    """
    return find_images(source, watch)


def find_images(source: str | Path, watch: Watch = unwatched) -> Dataset:
    """Finds, checks and labels the pictures of a folder or a CSV.

    Args:
        source: A folder ``class/picture``; a folder with ``train`` and ``val`` or ``test`` of those; or a
            CSV with a header and the columns ``path`` and ``label`` (paths relative to the CSV).
        watch: Wraps the list of files while they are checked, for a progress bar.

    Raises:
        InputError: If there is no such thing, no picture, a single class, or a class left empty.
    """
    source = Path(source)
    if not source.exists():
        raise InputError(f"There is no folder, table or built-in data set {str(source)!r}.")
    parts = _table(source) if source.is_file() else _folders(source)
    files = [path for rows in parts.values() for path, _ in rows]
    if not files:
        raise InputError(f"{source} has no pictures. Put them in one folder per class, such as {source}/cat/1.jpg.")
    good, bad = _checked(files, watch)
    classes = tuple(sorted({label for rows in parts.values() for _, label in rows}))
    _check_classes(source, parts, classes, set(good), bad)

    channels = 1 if all(grey for _, grey in good.values()) else 3
    longest = max(side for side, _ in good.values())
    size = enlarged(longest) if longest <= SMALL_SIDE else None
    sets = {
        part: _image_set([(p, label) for p, label in rows if p in good], classes, channels, size)
        for part, rows in parts.items()
    }
    return Dataset(str(source), classes, sets.get("train"), sets.get("val"), sets.get("test"), bad=bad)


def _folders(root: Path) -> dict[str, list[tuple[str, str]]]:
    """Part ("train", "val", "test") to rows of path and class."""
    aliases = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val"}
    aliases["test"] = "test"
    folders = [folder for folder in sorted(root.iterdir()) if folder.is_dir() and folder.name[0] != "."]
    named = {aliases[f.name.lower()]: f for f in folders if f.name.lower() in aliases}
    split = named if "train" in named else {"train": root}
    return {
        part: [
            (str(path), folder.name)
            for folder in sorted(top.iterdir())
            if folder.is_dir() and folder.name[0] != "."
            for path in _pictures_in(folder)
        ]
        for part, top in split.items()
    }


def _pictures_in(folder: Path) -> list[Path]:
    """Files that are, or by their extension claim to be, pictures; an unreadable one is found out later."""
    return sorted(
        Path(where) / name
        for where, _, names in os.walk(folder)
        for name in names
        if Path(name).suffix.lower() in EXTENSIONS
    )


def _table(table: Path) -> dict[str, list[tuple[str, str]]]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        try:
            reader = csv.DictReader(file)
            rows = list(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"{table} is not a CSV table ({error}).") from error
        columns = reader.fieldnames or []
    if not {"path", "label"} <= set(columns):
        raise InputError(
            f"{table} needs a header with the columns path and label; it has {', '.join(columns) or 'none'}."
        )
    parts: dict[str, list[tuple[str, str]]] = {"train": []}
    for number, row in enumerate(rows, start=2):
        if not row["path"] or not row["label"]:
            raise InputError(f"{table}, line {number}: path or label is empty.")
        part = row.get("split") or "train"
        if part not in ("train", "val", "test"):
            raise InputError(f"{table}, line {number}: split is train, val or test, not {part!r}.")
        parts.setdefault(part, []).append((str(table.parent / row["path"]), row["label"]))
    return parts


def _checked(files: Sequence[str], watch: Watch) -> tuple[dict[str, tuple[int, bool]], tuple[BadFile, ...]]:
    """Those that can be read, with their longer side and whether they are grey; and the others."""
    good: dict[str, tuple[int, bool]] = {}
    bad: dict[str, str] = {}
    with ThreadPoolExecutor(available_cores()) as pool:
        looks = pool.map(_look, files)
        for path in watch(files, "checking"):
            look = next(looks)
            if isinstance(look, str):
                bad[path] = look
            else:
                good[path] = look
    return good, tuple(map(BadFile, bad.keys(), bad.values()))


def _look(path: str) -> tuple[int, bool] | str:
    from PIL import Image

    try:
        open_picture(path, at_least=1)  # a JPEG at an eighth of its size is read whole all the same
        with Image.open(path) as image:
            return max(image.size), image.mode in ("1", "L", "I", "I;16", "F", "I;16B")
    except InputError as error:
        return str(error)


def _check_classes(
    source: Path,
    parts: dict[str, list[tuple[str, str]]],
    classes: tuple[str, ...],
    good: set[str],
    bad: tuple[BadFile, ...],
) -> None:
    hint = f" ({len(bad)} files could not be read, {bad[0].path}: {bad[0].reason})" if bad else ""
    if not good:
        raise InputError(f"{source} has no picture that can be read{hint}.")
    if len(classes) < 2:
        raise InputError(f"{source} has a single class, {classes[0]!r}; a classifier needs two or more.")
    for name in classes:
        if not any(path in good for path, label in parts["train"] if label == name):
            raise InputError(f"Class {name!r} of {source} has no picture left to learn from{hint}.")


def _image_set(
    rows: list[tuple[str, str]], classes: tuple[str, ...], channels: int, size: int | None
) -> ImageSet | None:
    if not rows:
        return None
    labels = torch.tensor([classes.index(label) for _, label in rows])
    names = tuple(path for path, _ in rows)
    pixels = None
    if size:
        pixels = torch.from_numpy(
            np.stack([to_pixels(centre_square(open_picture(path, channels), size, size)) for path in names])
        )
    return ImageSet(labels, names, pixels, channels, on_disk=True)
