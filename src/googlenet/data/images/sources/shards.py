"""Shards: tars of labelled pictures as the package ``webdataset`` writes and reads them, with an index beside them.

A picture is ``KEY.jpg`` (or another ending) with ``KEY.cls``, the number of its class. What ``googlenet shard`` writes
has ``shards.json`` and an index beside every tar, which say where each picture lies, what it is, and what was found
when it was looked through: so a set is read by place, in any order, and nothing is decoded before it is wanted. Tars of
others are gone through by their heads.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch

from .... import files
from ....errors import InputError, parsed, quoted, short
from ....limits import CLASSES, LABEL, MAX_PIXELS
from ...parallel import ahead
from ...protocol import BadFile, Dataset, Watch
from ...walk import files_in, is_elsewhere
from ..crops import centre_square
from ..dataset import SMALL_SIDE, ImageSet, enlarged
from ..decode import glance, open_picture, to_pixels
from ..names import extensions, part_of
from ..stored import Stored, fetched, members_of

INDEX, VERSION, ROWS = "shards.json", 1, ".index.jsonl"  # of a folder, and of a tar of it
LABELS = (".cls", ".cls2", ".label")  # endings of the number of a class


@dataclass(frozen=True)
class Row:
    """A picture of a shard.

    Attributes:
        stored: Where it lies.
        label: The number of its class.
        side: The longer one, pixels; 0 if that is not known.
        grey: Whether it has no colours.
        digest: Of its content; empty if that is not known.
    """

    stored: Stored
    label: int
    side: int = 0
    grey: bool = False
    digest: str = ""


def are_shards(source: str | Path) -> bool:
    """Whether a folder holds shards and nothing that could be pictures of classes; an address may hold but them."""
    if is_elsewhere(str(source)):
        return True
    folder = Path(source)
    return folder.is_dir() and ((folder / INDEX).is_file() or any(path.suffix == ".tar" for path in files_in(folder)))


def find_shards(source: str | Path, watch: Watch, max_pixels: int = MAX_PIXELS) -> Dataset:
    """The pictures of a folder of shards: of parts by the names of the tars (``train-000000.tar``), else to learn from.

    Args:
        source: The folder, or its address; there only with an index are they found.
        watch: Wraps the tars while they are gone through, for a progress bar.
        max_pixels: That a picture may have, see :func:`~googlenet.data.images.decode.open_picture`.

    Raises:
        InputError: If there is nothing to learn from, or a tar is damaged.
    """
    folder, bad, notes = str(source), list[BadFile](), tuple[str, ...]()
    if is_elsewhere(folder) or (Path(folder) / INDEX).is_file():
        classes, indexed = _read_index(folder)
        read = partial(_read_rows, folder)
        rows = {part: [row for some in ahead(read, names) for row in some] for part, names in indexed.items()}
    else:
        tars = [path for path in files_in(Path(folder)) if path.suffix == ".tar"]
        if any(tar.with_name(f"{tar.name}{ROWS}").exists() for tar in tars):
            raise InputError(f"{folder} has no {INDEX}: what wrote these shards was stopped. Begin it again.")
        found = defaultdict[str, list[Row]](list)
        for tar in watch(tars, "indexing"):
            found[_part(tar)] += _scanned(tar, bad)
        rows = dict(found)
        most = max((row.label for part in rows.values() for row in part), default=-1)
        classes = tuple(map(str, range(most + 1)))
        notes = (f"The classes of {folder} have no names; they are numbered, from 0 to {most}.",)
    if not any(rows.values()):
        raise InputError(
            f"{folder} has tars and no labelled picture in them: KEY.jpg with KEY.cls, the class's number."
        )
    sets = _sets(rows, classes, max_pixels)
    return Dataset(folder, classes, sets.get("train"), sets.get("val"), sets.get("test"), notes, tuple(bad))


def _part(tar: Path) -> str:
    """Which part a tar is of: what stands before its number."""
    return part_of(tar.stem.rpartition("-")[0] or tar.stem.rstrip("0123456789_")) or "train"


def _sets(rows: Mapping[str, Sequence[Row]], classes: Sequence[str], max_pixels: int) -> dict[str, ImageSet]:
    """The pictures part by part, all of one colour and, where they are small, in memory and of one size."""
    every = [row for part in rows.values() for row in part]
    wrong = next((row for row in every if row.label >= len(classes)), None)
    if wrong is not None:
        raise InputError(f"{wrong.stored} is of the class {wrong.label}, and there are {len(classes)}, from 0.")
    channels = 1 if all(row.grey for row in every) else 3
    longest = max(row.side for row in every)
    size = enlarged(longest) if 0 < longest <= SMALL_SIDE and all(row.side for row in every) else None
    return {part: _set(some, channels, size, max_pixels) for part, some in rows.items() if some}


def _set(rows: Sequence[Row], channels: int, size: int | None, max_pixels: int) -> ImageSet:
    sources = tuple(row.stored for row in rows)
    pixels = None
    if size is not None:

        def read(source: Stored) -> np.ndarray[Any, Any]:
            image = open_picture(source.content(), channels, 2 * size, max_pixels)
            return to_pixels(centre_square(image, size, size))

        pixels = torch.from_numpy(np.stack(list(ahead(read, sources))))
    labels = torch.tensor([row.label for row in rows])
    found = ImageSet(labels, tuple(map(str, sources)), pixels, channels, sources=sources, max_pixels=max_pixels)
    if all(row.digest for row in rows):  # nothing is read for them
        vars(found)["contents"] = tuple(row.digest for row in rows)
    return found


# ------------------------------------------------------------------------------------------------ tars of others
def _scanned(tar: Path, bad: list[BadFile]) -> Iterator[Row]:
    """The labelled pictures of a tar, by heads and labels; ``bad`` gets those that cannot be read."""
    known = extensions()
    together: dict[str, dict[str, Stored]] = {}
    for member in members_of(str(tar)):
        path = PurePosixPath(member.name)
        stem, _, ending = path.name.partition(".")  # as webdataset has it: a key ends at its first dot
        together.setdefault(str(path.parent / stem), {})[f".{ending.lower()}"] = member
    for key, parts in together.items():
        pictures = [member for ending, member in parts.items() if f".{ending.rpartition('.')[2]}" in known]
        label = next((parts[ending] for ending in LABELS if ending in parts), None)
        if not pictures or label is None:
            continue
        if len(pictures) > 1:
            names = ", ".join(each.name for each in pictures)
            raise InputError(f"{tar}: {quoted(key)} has several pictures ({names}), and one is wanted for each key.")
        try:
            seen = glance(pictures[0])
            yield Row(pictures[0], _label(label), seen.side, seen.grey)
        except InputError as error:
            bad.append(BadFile(str(pictures[0]), str(error)))


def _label(member: Stored) -> int:
    if member.size > LABEL:
        raise InputError(f"{member} is no number of a class: it has {member.size:,} bytes.")
    text = member.content().strip()
    if not text.isdigit() or int(text) >= CLASSES:
        raise InputError(f"{member} is no number of a class: {short(text.decode('latin-1'))}.")
    return int(text)


# ------------------------------------------------------------------------------------------------ ours
def _place(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if is_elsewhere(folder) else str(Path(folder) / name)


def _read_index(folder: str) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The classes, and the tars of each part."""
    path = _place(folder, INDEX)
    row = _read_elsewhere(folder, path) if is_elsewhere(folder) else files.read_json(path)
    try:
        if row["version"] != VERSION:
            raise ValueError("it is of another version")
        classes, parts = tuple(map(str, row["classes"])), row["parts"]
        named = all(isinstance(name, str) and Path(name).name == name for names in parts.values() for name in names)
        if not named or set(parts) - {"train", "val", "test"} or len(set(classes)) != len(classes):
            raise ValueError("its parts or classes are none")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({short(error)}): shard the data again.") from error
    return classes, {part: list(names) for part, names in parts.items()}


def _read_elsewhere(folder: str, path: str) -> Any:
    try:
        return parsed(fetched(path))
    except InputError as error:
        said = f"{folder} is an address on the network; download it first, and name the file."
        raise InputError(f"{said} Only shards are read from one, and of its {INDEX} {error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}.") from error


def _read_rows(folder: str, name: str) -> list[Row]:
    path, tar = _place(folder, f"{name}{ROWS}"), _place(folder, name)
    try:
        with io.BytesIO(fetched(path)) if is_elsewhere(path) else files.open_plain(path) as file:
            return [_row(tar, line) for line in file]
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is damaged or missing ({short(error)}): shard the data again.") from error


def _row(tar: str, line: bytes) -> Row:
    """A line of an index."""
    member, start, size, label, side, grey, digest = parsed(line)
    if not all(isinstance(n, int) and n >= 0 for n in (start, size, label, side)) or not isinstance(member, str):
        raise ValueError("a row holds no places")
    return Row(Stored(tar, member, start, size), label, side, bool(grey), str(digest))
