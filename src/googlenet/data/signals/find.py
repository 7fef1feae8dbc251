"""Labelled signals, found in tables."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

import torch

from ...errors import InputError
from ..images.tables.table import lists_pictures
from ..protocol import Dataset, Watch
from ..walk import is_junk
from .dataset import SignalSet
from .files import find_parts, read_signals
from .rows import SignalTable


def claims(source: str) -> bool:
    """Whether that is, by its look, a table or a pair of tables of signals, and not pictures."""
    path = Path(source)
    if path.is_file():
        return not lists_pictures(path)
    folder = path if path.is_dir() else path.parent
    stem = "*" if path.is_dir() else glob.escape(path.name)
    return any(not is_junk(found.name) for found in folder.glob(f"{stem}_TRAIN.*"))


def find(source: str, watch: Watch, columns: Any) -> Dataset:
    """:func:`find_signals`, for :data:`~googlenet.data.kinds.KINDS`.

    Args:
        source: A path that is claimed.
        watch: Wraps the list of files while they are checked.
        columns: See :class:`~googlenet.data.find.Columns`.
    """
    return find_signals(source, columns.target, columns.group, columns.channel)


def find_signals(
    source: str, target: str | None = None, group: str | None = None, channel: str | None = None
) -> Dataset:
    """Reads a pair ``NAME_TRAIN``, ``NAME_TEST``, or one table, see :func:`~.files.read_signals`.

    Args:
        source: A file, ``FOLDER/NAME`` or a folder, see :func:`~.files.find_parts`.
        target: Column of the labels.
        group: Column of the groups.
        channel: Column that names the channel.

    Raises:
        InputError: For a table that cannot be read, a class of the test part that the training
            part does not have, or parts with different numbers of channels.
    """
    tables = {part: read_signals(path, target, group, channel) for part, path in find_parts(source).items()}
    labels = {part: _labels(source, part, table) for part, table in tables.items()}
    classes = _ordered(set(labels["train"]))
    strangers = sorted(set(labels.get("test", ())) - set(classes))
    if strangers:
        raise InputError(f"The test part of {source} has the class {strangers[0]!r}, which the training part has not.")
    channels = {len(signal) for table in tables.values() for signal in table.signals}
    if len(channels) > 1:
        raise InputError(f"The signals of {source} have different numbers of channels: {sorted(channels)}.")
    sets = {
        part: SignalSet(
            torch.tensor([classes.index(label) for label in labels[part]]),
            table.names,
            table.signals,
            table.groups or (),
        )
        for part, table in tables.items()
    }
    layout = tables["train"].layout
    return Dataset(source, classes, sets["train"], None, sets.get("test"), _notes(sets, layout))


def _labels(source: str, part: str, table: SignalTable) -> tuple[str, ...]:
    if table.labels is None:
        raise InputError(f"The {part} part of {source} has no labels; name their column with --target.")
    return table.labels


def _notes(sets: dict[str, SignalSet], layout: str) -> tuple[str, ...]:
    """What to say aloud: the layout, and signals that are in both parts."""
    notes = [f"Read as a {layout}."]
    if "test" in sets:
        seen = {signal.tobytes() for signal in sets["train"].signals}
        twice = [name for name, x in zip(sets["test"].names, sets["test"].signals, strict=True) if x.tobytes() in seen]
        if twice:
            notes.append(
                f"{len(twice)} signals of the test part are in the training part too, the first at {twice[0]}."
            )
    return tuple(notes)


def _ordered(labels: set[str]) -> tuple[str, ...]:
    """Numbers by size, else by name."""
    try:
        return tuple(sorted(labels, key=float))
    except ValueError:
        return tuple(sorted(labels))
