"""Tars that others wrote, of which there is no index: gone through by their heads."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .....errors import InputError, quoted, several, short
from .....limits import CLASSES, LABEL
from ....protocol import BadFile, Watch
from ....walk import files_in
from ...decode import glance
from ...names import extensions, part_of
from ...stored import Stored, members_of
from .index import INDEX, ROWS, Row

LABELS = (".cls", ".cls2", ".label")  # endings of the number of a class


def tars_in(folder: Path) -> list[Path]:
    """Those directly in a folder, sorted."""
    return [path for path in files_in(folder) if path.suffix == ".tar"]


def scan(folder: Path, watch: Watch) -> tuple[dict[str, list[Row]], list[BadFile], list[str]]:
    """The pictures of each part, those that cannot be read, and what there is to say of the names of the tars.

    Args:
        folder: Of them.
        watch: Wraps the tars while they are gone through, for a progress bar.

    Raises:
        InputError: If a tar is damaged, or one of those that ``googlenet shard`` was stopped at.
    """
    tars, bad = tars_in(folder), list[BadFile]()
    if any(tar.with_name(f"{tar.name}{ROWS}").exists() for tar in tars):
        raise InputError(f"{folder} has no {INDEX}: what wrote these shards was stopped. Begin it again.")
    rows = defaultdict[str, list[Row]](list)
    for tar in watch(tars, "indexing"):
        rows[_part(tar) or "train"] += _scanned(tar, bad)
    without = [tar.name for tar in tars if _part(tar) is None]
    said = [f"{several(without)} name no part, and are learned from."] if 0 < len(without) < len(tars) else []
    return dict(rows), bad, said


def _part(tar: Path) -> str | None:
    """Which part a tar is of, by the last word of its name that says one: ``imagenet-val-000000.tar``."""
    words = re.split(r"[-_.\s]+", tar.stem)
    return next((part for word in reversed(words) if (part := part_of(word))), None)


def _scanned(tar: Path, bad: list[BadFile]) -> Iterator[Row]:
    """The labelled pictures of a tar, by heads and labels; ``bad`` gets those that cannot be read."""
    known = extensions()
    together: dict[str, dict[str, Stored]] = {}
    for member in members_of(str(tar)):
        path = PurePosixPath(member.name)
        stem, _, ending = path.name.partition(".")  # as webdataset has it: a key ends at its first dot
        parts = together.setdefault(str(path.parent / stem), {})
        if parts.setdefault(f".{ending.lower()}", member) is not member:
            raise InputError(f"{tar}: {quoted(member.name)} stands in it twice. Give each example a key of its own.")
    for key, parts in together.items():
        pictures = [member for ending, member in parts.items() if f".{ending.rpartition('.')[2]}" in known]
        label = next((parts[ending] for ending in LABELS if ending in parts), None)
        if not pictures:
            continue
        if label is None:
            bad += [BadFile(str(each), f"no label stands beside it ({', '.join(LABELS)})") for each in pictures]
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
