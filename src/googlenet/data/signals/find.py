"""Labelled signals, found in tables."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from ...errors import InputError, count
from ..images.sources.tables.table import lists_pictures
from ..protocol import Dataset, Watch
from ..walk import is_junk
from .dataset import SignalSet
from .files import find_parts, read_parts
from .recordings import find as recordings
from .rows import SignalTable, is_number, listing
from .tables.match import said_to_network
from .tables.schema import UNSAID, Schema, TableColumns

MANY = 10  # classes, from which numbers may be measurements


def claims(source: str) -> bool:
    """Whether that is, by its look, a table or a pair of tables of signals or recordings, and not pictures."""
    path = Path(source)
    if path.is_file():
        return not lists_pictures(path)
    folder = path if path.is_dir() else path.parent
    stem = "*" if path.is_dir() else glob.escape(path.name)
    return any(not is_junk(found.name) for found in folder.glob(f"{stem}_TRAIN.*")) or recordings.claims(source)


def find(source: str, watch: Watch, columns: Any) -> Dataset:
    """:func:`find_signals`, or recordings, for :data:`~googlenet.data.kinds.KINDS`.

    Args:
        source: A path that is claimed.
        watch: Wraps the list of files while they are checked.
        columns: See :class:`~googlenet.data.find.Columns`.
    """
    if columns.cut.asked or recordings.claims(source):
        return recordings.find_recordings(source, watch, columns)
    like = getattr(columns.like, "schema", None)
    return find_signals(source, columns, like, columns.known)


def find_signals(
    source: str, columns: TableColumns = UNSAID, like: Schema | None = None, known: Sequence[str] = ()
) -> Dataset:
    """Reads a pair ``NAME_TRAIN``, ``NAME_TEST``, or one table, see :func:`~.files.read_file`.

    Args:
        source: A file, ``FOLDER/NAME`` or a folder, see :func:`~.files.find_parts`. A file on which a network is
            measured is read alone, whatever lies beside it.
        columns: What the user said of the columns.
        like: Of what a network learned from that is to read these.
        known: Classes that a network knows that is to be measured on these; empty if one is to learn from them.

    Raises:
        InputError: For a table that cannot be read, labels that are no classes, or parts with different numbers of
            channels.
    """
    tables = read_parts(_files(source, known), columns, like)
    labels = {part: _labels(source, part, table) for part, table in tables.items()}
    if not known:
        _check_labels(source, labels)
    classes = _ordered(set(labels["train"]).union(*(set(found) & set(known) for found in labels.values())))
    channels = {len(signal) for table in tables.values() for signal in table.signals}
    if len(channels) > 1:
        raise InputError(f"The signals of {source} have different numbers of channels: {sorted(channels)}.")
    sets = {part: _set(source, part, table, labels[part], classes) for part, table in tables.items()}
    layout = tables["train"].layout
    notes = [f"Read as {'' if layout.startswith(('NPZ', 'rows')) else 'a '}{layout}."]
    for table in tables.values():
        notes += [*table.notes, *(said_to_network(source, table, like) if known else ())]
    notes = list(dict.fromkeys(notes))
    notes += [*_said_of_labels(labels, classes), *_copies(sets["train"])]
    bad = tuple(bad for table in tables.values() for bad in table.bad.values())
    schema = tables["train"].schema
    meanings = () if schema is None else schema.rows()
    return Dataset(
        source, classes, sets["train"], sets.get("validation"), sets.get("test"), tuple(notes), bad, meanings
    )


def _files(source: str, known: Sequence[str]) -> dict[str, Path]:
    """Of the parts; the file that is named, alone, where a network is measured on it."""
    path = Path(source)
    return {"train": path} if known and path.is_file() else find_parts(path)


def _labels(source: str, part: str, table: SignalTable) -> tuple[str, ...]:
    if table.labels is None:
        raise InputError(f"The {part} part of {source} has no labels; name their column with --target.")
    return table.labels


def _set(source: str, part: str, table: SignalTable, labels: Sequence[str], classes: Sequence[str]) -> SignalSet:
    """The signals of a part whose class is known."""
    numbers = {name: number for number, name in enumerate(classes)}
    rows = [row for row, label in enumerate(labels) if label in numbers]
    if not rows:
        raise InputError(
            f"No signal of the {part} part of {source} is of a class of its training part: it has "
            f"{listing(sorted(set(labels)))}, and that {listing(list(classes))}."
        )
    whole = torch.tensor([numbers.get(label, -1) for label in labels])
    return SignalSet(whole, table.names, table.signals, table.groups or (), table.schema).subset(rows)


def _check_labels(source: str, labels: dict[str, tuple[str, ...]]) -> None:
    """That labels are classes, which signals share, and no measurements."""
    train, test = labels["train"], labels.get("test", ())
    counts = Counter(train)
    shown = f"({listing(list(counts)[:3])}, ...)"
    hint = "A classifier learns classes that signals share: name the column of the labels with --target."
    if 2 < len(counts) == len(train) and len(set(test)) == len(test):
        raise InputError(f"The labels of {source} are all different {shown}: a number to predict, or an id? {hint}")
    if len(counts) > MANY and all(map(is_number, counts)):
        whole = all(float(label).is_integer() for label in counts)
        alone = sum(times == 1 for times in counts.values())
        if (not whole and 10 * len(counts) > len(train)) or (not test and 2 * alone > len(counts)):
            raise InputError(
                f"The {len(train):,} labels of {source} are {len(counts):,} different numbers {shown}: a number to "
                f"predict? {hint}"
            )


def _said_of_labels(labels: dict[str, tuple[str, ...]], classes: Sequence[str]) -> list[str]:
    """What there is to say of classes that are in one part alone."""
    notes = []
    for part in (part for part in labels if part != "train"):
        for name, times in Counter(label for label in labels[part] if label not in classes).items():
            notes.append(
                f"{count(times, 'signal')} of the {part} part {'is' if times == 1 else 'are'} left out: the training "
                f"part has nothing of the class {name!r}."
            )
        absent = [repr(name) for name in classes if name not in labels[part]]
        if absent:
            notes.append(f"The {part} part has nothing of the class {listing(absent)}: that is not measured.")
    return notes


def _copies(train: SignalSet) -> list[str]:
    """What there is to say of signals that are there more than once."""
    differ, total = len(set(train.contents)), len(train)
    if differ == total:
        return []
    return [
        f"{count(total - differ, 'signal')} of {total:,} repeat another (by content): {differ:,} differ; "
        "copies stay together."
    ]


def _ordered(labels: Iterable[str]) -> tuple[str, ...]:
    """Numbers by size, else by name."""
    try:
        return tuple(sorted(labels, key=lambda label: (float(label), label)))
    except ValueError:
        return tuple(sorted(labels))
