"""Shards: tars of labelled pictures as the package ``webdataset`` writes and reads them, with an index beside them.

A picture is ``KEY.jpg`` (or another ending) with ``KEY.cls``, the number of its class. What ``googlenet shard`` writes
has ``shards.json`` and an index beside every tar, which say where each picture lies, what it is, and what was found
when it was looked through: so a set is read by place, in any order, and nothing is decoded before it is wanted. Tars of
others are gone through by their heads.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from PIL import Image

from .... import files
from ....errors import InputError, parsed, quoted, short
from ....limits import CLASSES, LABEL, MAX_PIXELS
from ...parallel import ahead
from ...protocol import BadFile, Dataset, Watch
from ...walk import files_in
from ..crops import centre_square
from ..dataset import SMALL_SIDE, ImageSet, enlarged
from ..decode import glance, look, open_picture, to_pixels
from ..names import extensions, part_of
from ..stored import Stored, members_of

INDEX, VERSION = "shards.json", 1
_OURS = re.compile(r"(train|val|test)-\d{6}\.tar(\.index\.jsonl)?|\..*")  # of what was stopped
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


def are_shards(folder: Path) -> bool:
    """Whether a folder holds shards and nothing that could be pictures of classes."""
    return folder.is_dir() and ((folder / INDEX).is_file() or any(path.suffix == ".tar" for path in files_in(folder)))


def find_shards(folder: Path, watch: Watch, max_pixels: int = MAX_PIXELS) -> Dataset:
    """The pictures of a folder of shards: of parts by the names of the tars (``train-000000.tar``), else to learn from.

    Args:
        folder: Of them.
        watch: Wraps the tars while they are gone through, for a progress bar.
        max_pixels: That a picture may have, see :func:`~googlenet.data.images.decode.open_picture`.

    Raises:
        InputError: If there is nothing to learn from, or a tar is damaged.
    """
    tars, bad = [path for path in files_in(folder) if path.suffix == ".tar"], list[BadFile]()
    if (folder / INDEX).is_file():
        classes, indexed = _read_index(folder)
        rows = {part: [row for name in names for row in _read_rows(folder, name)] for part, names in indexed.items()}
        notes: tuple[str, ...] = ()
    else:
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
    return Dataset(str(folder), classes, sets.get("train"), sets.get("val"), sets.get("test"), notes, tuple(bad))


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
def _read_index(folder: Path) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The classes, and the tars of each part."""
    path = folder / INDEX
    row = files.read_json(path)
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


def _read_rows(folder: Path, name: str) -> Iterator[Row]:
    path = folder / f"{name}.index.jsonl"
    try:
        with files.open_plain(path) as file:
            for line in file:
                member, start, size, label, side, grey, digest = parsed(line)
                numbers = (start, size, label, side)
                if not all(isinstance(n, int) and n >= 0 for n in numbers) or not isinstance(member, str):
                    raise ValueError("a row holds no places")
                yield Row(Stored(str(folder / name), member, start, size), label, side, bool(grey), str(digest))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is damaged or missing ({short(error)}): shard the data again.") from error


def write_shards(data: Dataset, folder: Path, most: int, watch: Watch) -> dict[str, int]:
    """Writes the pictures of a data set as shards, in an order by chance, so that each shard is like the whole.

    Files go in as they are, what is in memory as PNG. A shard appears when it is whole, ``shards.json`` at the end;
    what was stopped before that is begun again in the same folder.

    Args:
        data: Of pictures.
        folder: To write into; new.
        most: Bytes of a shard, about.
        watch: Wraps the pictures while they are written, for a progress bar.

    Returns:
        How many shards each part has.

    Raises:
        InputError: If the data are no pictures, or the folder holds something.
    """
    if data.kind != "picture":
        raise InputError(f"Shards hold pictures, and {data.name} has {data.kind}s.")
    if folder.exists() and (not folder.is_dir() or not all(_OURS.fullmatch(path.name) for path in folder.iterdir())):
        raise InputError(f"{folder} holds something already. Name a new folder.")
    names: dict[str, list[str]] = {}
    for part, chosen in data.parts.items():
        assert isinstance(chosen, ImageSet)
        short_name = {"validation": "val"}.get(part, part)
        order = torch.randperm(len(chosen), generator=torch.Generator().manual_seed(0)).tolist()
        names[short_name] = []
        writer: _Shard | None = None
        for at, row in enumerate(watch(order, f"sharding {part}")):
            if writer is None:
                writer = _Shard(folder / f"{short_name}-{len(names[short_name]):06d}.tar")
            writer.add(f"{at:09d}", *_content(chosen, row), int(chosen.labels[row]))
            if writer.size >= most or at == len(order) - 1:
                writer.close()
                names[short_name].append(writer.path.name)
                writer = None
    row = {"version": VERSION, "kind": "picture", "classes": list(data.classes), "parts": names}
    files.write_bytes(folder / INDEX, json.dumps(row, ensure_ascii=False).encode())
    return {part: len(found) for part, found in names.items()}


def _content(pictures: ImageSet, row: int) -> tuple[bytes, str]:
    """A picture as the content of a file, and its ending."""
    source = pictures.sources[row] if pictures.sources else None
    if isinstance(source, (str, Path)):
        with files.open_plain(source) as file:
            return file.read(), Path(source).suffix.lower() or ".jpg"
    if isinstance(source, Stored):
        return source.content(), PurePosixPath(source.name).suffix.lower()
    assert pictures.pixels is not None
    drawn = io.BytesIO()
    pixels = pictures.pixels[row].permute(1, 2, 0).numpy()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(drawn, "PNG")
    return drawn.getvalue(), ".png"


class _Shard:
    """A tar that is being written, and its index."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, list[Any]()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._file.tell()

    def add(self, key: str, content: bytes, ending: str, label: int) -> None:
        """A picture with the number of its class."""
        start = self._put(f"{key}{ending}", content)
        self._put(f"{key}.cls", str(label).encode())
        found = look(content)
        self.rows.append([f"{key}{ending}", start, len(content), label, found.side, found.grey, files.digest(content)])

    def _put(self, name: str, content: bytes) -> int:
        """Where the content begins."""
        head = tarfile.TarInfo(name)
        head.size = len(content)
        before = self._file.tell()
        self._tar.addfile(head, io.BytesIO(content))
        return before + tarfile.BLOCKSIZE

    def close(self) -> None:
        """Writes both files; the index first, so that no tar of ours is without one."""
        self._tar.close()
        lines = "".join(json.dumps(row) + "\n" for row in self.rows)
        files.write_bytes(self.path.with_name(f"{self.path.name}.index.jsonl"), lines.encode())
        files.write_bytes(self.path, self._file.getvalue())
