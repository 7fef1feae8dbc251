"""Data written as shards."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from PIL import Image

from ..... import files
from .....errors import InputError
from ....protocol import Dataset, Watch
from ....walk import extension_of
from ...dataset import ImageSet
from ...decode import look
from ...stored import Stored
from .index import INDEX, ROWS, VERSION

_OURS = re.compile(rf"(train|val|test)-\d{{6}}\.tar({re.escape(ROWS)})?")


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
    for left in left_in(folder):
        left.unlink()
    parts: dict[str, dict[str, int]] = {}
    for part, chosen in data.parts.items():
        assert isinstance(chosen, ImageSet)
        name = {"validation": "val"}.get(part, part)
        order = torch.randperm(len(chosen), generator=torch.Generator().manual_seed(0)).tolist()
        parts[name] = {}
        writer: _Shard | None = None
        for at, row in enumerate(watch(order, f"sharding {part}")):
            if writer is None:
                writer = _Shard(folder / f"{name}-{len(parts[name]):06d}.tar")
            writer.add(f"{at:09d}", *_content(chosen, row), int(chosen.labels[row]))
            if writer.size >= most or at == len(order) - 1:
                writer.close()
                parts[name][writer.path.name] = len(writer.rows)
                writer = None
    row = {"version": VERSION, "kind": "picture", "classes": list(data.classes), "parts": parts}
    files.write_bytes(folder / INDEX, json.dumps(row).encode())
    return {part: len(found) for part, found in parts.items()}


def left_in(folder: Path) -> list[Path]:
    """What a sharding that was stopped has left in a folder.

    Raises:
        InputError: If there is anything else.
    """
    if not folder.exists():
        return []
    found = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else [folder]
    names = {path.name for path in found}
    for name in names:
        whole = not name.endswith(".tar") or f"{name}{ROWS}" in names  # the index of a tar of ours is there before it
        if not _OURS.fullmatch(name) or not whole:
            raise InputError(f"{folder} holds something already. Name a new folder.")
    return found


def _content(pictures: ImageSet, row: int) -> tuple[bytes, str]:
    """A picture as the content of a file, and its ending."""
    source = pictures.sources[row] if pictures.sources else None
    if isinstance(source, (str, Path)):
        with files.open_plain(source) as file:
            return file.read(), extension_of(Path(source)) or ".jpg"
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
        files.write_bytes(self.path.with_name(f"{self.path.name}{ROWS}"), lines.encode())
        files.write_bytes(self.path, self._file.getvalue())
