"""The index of shards, in a folder or at an address: ``shards.json`` has the classes and, part by part, the tars with
their numbers of pictures; beside every tar a row for each picture says where it lies and what it is."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..... import files
from .....errors import InputError, parsed, short
from ....parallel import ahead
from ....walk import is_elsewhere, where_instead
from ...stored import Stored, fetched

INDEX, VERSION, ROWS = "shards.json", 2, ".index.jsonl"  # of a folder, and of a tar of it
PARTS = ("train", "val", "test")
_DIGEST = re.compile(r"[0-9a-f]{16}")
_SECRET = re.compile(r"://[^/@]*:[^/@]*@")


@dataclass(frozen=True)
class Row:
    """A picture of a shard.

    Attributes:
        stored: Where it lies.
        label: The number of its class.
        side: The longer one, pixels; 0 if that is not known.
        grey: Whether it has no colours.
    """

    stored: Stored
    label: int
    side: int = 0
    grey: bool = False


def read_index(folder: str) -> tuple[tuple[str, ...], dict[str, list[Row]]]:
    """The classes, and the pictures of each part; none of them is opened.

    Args:
        folder: Or its address.

    Raises:
        InputError: If there is no index, or it is damaged, or does not fit the tars.
    """
    if _SECRET.search(folder):
        raise InputError("The address has a password in it, which a run would keep. Put it where fsspec looks for it.")
    if folder.endswith(".tar"):
        raise InputError(f"{folder} is one shard: name the folder in which it lies, or its address.")
    path = _place(folder, INDEX)
    row = _read_elsewhere(folder, path) if is_elsewhere(folder) else files.read_json(path)
    try:
        classes, parts = _contents(row)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({short(error)}): shard the data again.") from error
    read = partial(_read_rows, folder)
    return classes, {part: [row for some in ahead(read, tars.items()) for row in some] for part, tars in parts.items()}


def _place(folder: str, name: str) -> str:
    """A file of a folder. In a chain of addresses it is below the first that has a path: ``simplecache::s3://bucket``,
    ``zip://shards::s3://bucket/all.zip``."""
    if not is_elsewhere(folder):
        return str(Path(folder) / name)
    links = folder.split("::")
    at = next(at for at, link in enumerate(links) if "://" in link)
    links[at] += name if links[at].endswith("/") else f"/{name}"
    return "::".join(links)


def _read_elsewhere(folder: str, path: str) -> Any:
    try:
        return parsed(fetched(path))
    except InputError as error:
        said = f"{folder} is {where_instead(folder)}, unless there are shards."
        raise InputError(f"{path} could not be read: {error}. {said}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {short(error)}.") from error


def _contents(row: Any) -> tuple[tuple[str, ...], Mapping[str, Mapping[str, int]]]:
    """The classes, and the tars of each part with how many pictures each has. Raises what damaged records raise."""
    if [row["version"], row["kind"]] != [VERSION, "picture"] or row["version"] is True:
        raise ValueError("it is of another version of googlenet, or no index")
    classes, parts = row["classes"], row["parts"]
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise ValueError("its classes are none")
    tars = [pair for of_part in parts.values() for pair in of_part.items()]
    if not all(Path(name).name == name and type(count) is int and count > 0 for name, count in tars):
        raise ValueError("its tars are none")
    if set(parts) - set(PARTS) or len(dict(tars)) < len(tars) or len(set(classes)) < len(classes):
        raise ValueError("it names something twice, or a part that there is not")
    return tuple(classes), parts


def _read_rows(folder: str, of_tar: tuple[str, int]) -> list[Row]:
    """The pictures of a tar, which are as many as ``shards.json`` says."""
    name, count = of_tar
    path, tar = _place(folder, f"{name}{ROWS}"), _place(folder, name)
    try:
        with io.BytesIO(fetched(path)) if is_elsewhere(path) else files.open_plain(path) as file:
            rows = [_row(tar, line) for line in file]
        ends = [0, *(row.stored.start + row.stored.size for row in rows)]
        if len(rows) != count or any(row.stored.start < end for row, end in zip(rows, ends, strict=False)):
            raise ValueError(f"it has {len(rows):,} rows in their order, and {count:,} are wanted")
        if not is_elsewhere(tar) and Path(tar).stat().st_size < ends[-1]:
            raise ValueError("its tar is shorter")
        return rows
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} is missing: copy it there again, or shard the data again.") from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        again = ", or empty the cache that it comes through" if "::" in folder else ""
        raise InputError(f"{path} or its tar is damaged or missing ({short(error)}): shard again{again}.") from error


def _row(tar: str, line: bytes) -> Row:
    """A line of the index of a tar."""
    member, start, size, label, side, grey, digest = parsed(line)
    if not all(type(n) is int and n >= 0 for n in (start, size, label, side)) or type(grey) is not bool:
        raise ValueError("a row holds no places")
    if not isinstance(member, str) or not _DIGEST.fullmatch(digest):
        raise ValueError("a row holds no name or no digest")
    return Row(Stored(tar, member, start, size, digest), label, side, grey)
