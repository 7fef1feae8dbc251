"""Labelled pictures: found in folders, tables or built-in sets, checked, and split."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from .pictures import EXTENSIONS, centre_square, open_picture, to_pixels

SMALL = 64  # a picture with no longer side is "small": kept in memory, whole
SMALLEST = 24  # smaller ones are enlarged to a multiple of their size that is at least this

Watch = Callable[[Sequence[Any], str], Any]


@dataclass(frozen=True)
class BadFile:
    """A file that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class ImageSet:
    """Pictures and their labels.

    Attributes:
        labels: ``(N,)``, int64.
        names: Path of each picture, or set and number for a built-in one.
        pixels: ``(N, channels, size, size)``, uint8, where they are kept in memory; else ``None``, and
            ``names`` are the files to read.
    """

    labels: Tensor
    names: tuple[str, ...]
    pixels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.names)

    def subset(self, rows: Sequence[int]) -> ImageSet:
        """Those rows, in that order."""
        index = torch.as_tensor(rows, dtype=torch.long)
        pixels = None if self.pixels is None else self.pixels[index]
        return ImageSet(self.labels[index], tuple(self.names[i] for i in rows), pixels)


@dataclass(frozen=True)
class ImageData:
    """A data set, ready for training or evaluation.

    Attributes:
        name: What the user called it.
        classes: Class names; a label is a position here.
        train: Pictures to learn from.
        validation: Held out, looked at after every epoch.
        test: Held out, looked at once, at the end.
        channels: 1 if every picture is grey, else 3.
        size: Side of the pictures if all are small, else ``None``.
        mirror: Whether a mirror image keeps its meaning, as far as is known.
        notes: What the reader of the data wants to say; nothing, of pictures.
        bad: Files that were left out.
    """

    name: str
    classes: tuple[str, ...]
    train: ImageSet | None
    validation: ImageSet | None
    test: ImageSet | None
    channels: int
    size: int | None
    mirror: bool = True
    notes: tuple[str, ...] = ()
    bad: tuple[BadFile, ...] = field(default=())

    @property
    def held_out(self) -> ImageSet:
        """What to evaluate on: the test part, else the validation part, else everything.

        Raises:
            InputError: If the data set has no pictures.
        """
        for part in (self.test, self.validation, self.train):
            if part is not None:
                return part
        raise InputError(f"{self.name} has no picture to evaluate on.")


def find_images(source: str | Path, watch: Watch = lambda items, _: items) -> ImageData:
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
    looks = _check_all(files, watch)
    bad = tuple(BadFile(path, look) for path, look in looks.items() if isinstance(look, str))
    good = {path: look for path, look in looks.items() if not isinstance(look, str)}
    classes = tuple(sorted({label for rows in parts.values() for _, label in rows}))
    _check_classes(source, parts, classes, set(good), bad)

    channels = 1 if all(grey for _, grey in good.values()) else 3
    longest = max(side for side, _ in good.values())
    size = enlarged(longest) if longest <= SMALL else None
    sets = {
        part: _image_set([(p, label) for p, label in rows if p in good], classes, channels, size)
        for part, rows in parts.items()
    }
    return ImageData(
        str(source), classes, sets.get("train"), sets.get("val"), sets.get("test"), channels, size, bad=bad
    )


def enlarged(side: int) -> int:
    """The size at which a small picture enters the network: its own, or a multiple that is ≥ 24."""
    return side * -(-SMALLEST // side)


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


def _check_all(files: Sequence[str], watch: Watch) -> dict[str, tuple[int, bool] | str]:
    """Path to (longer side, whether it is grey), or to the reason why it cannot be read."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        looks = pool.map(_look, files)
        return {path: next(looks) for path in watch(files, "checking")}


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
    return ImageSet(labels, names, pixels)
