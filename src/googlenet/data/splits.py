"""Holding a part of the training data out; an epoch's batches; and which examples are the same, by what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..errors import InputError
from .parallel import steps_of
from .protocol import Dataset

Rows = npt.NDArray[np.int64]
HELD_OUT = 0.2  # of data that are not split


def batches_of(order: Tensor, batch_size: int) -> tuple[Tensor, ...]:
    """An epoch's examples ``(N, …)`` as :func:`~.parallel.steps_of` batches, which differ by one at most: batch norm
    and the learning rate see no smaller one at the end, and none is left out.

    Args:
        order: Their rows, shuffled.
        batch_size: Examples a step, at most (one more where a batch of one would be left).
    """
    return order.tensor_split(steps_of(len(order), batch_size))


def fingerprint(data: Dataset) -> str:
    """Which examples there are in which part and order, by names, labels and contents; wherever the files lie."""
    return _hashed(
        f"{name}\t{Path(where).name}\t{data.classes[label]}\t{content}"
        for name, part in data.parts.items()
        for where, label, content in zip(part.names, part.labels.tolist(), part.contents, strict=True)
    )


def fingerprint_by_names(data: Dataset) -> str:
    """What runs of version 1 knew their examples by: names of files and labels, however they are split."""
    return _hashed(
        sorted(
            f"{Path(where).name}\t{data.classes[label]}"
            for part in data.parts.values()
            for where, label in zip(part.names, part.labels.tolist(), strict=True)
        )
    )


def _hashed(rows: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode(errors="surrogateescape")).hexdigest()[:16]


def copies(data: Dataset) -> tuple[str, ...]:
    """What there is to say of examples that occur more than once: in two parts, or under two labels."""
    parts: dict[str, dict[str, str]] = {}
    labels: dict[str, dict[int, str]] = {}
    for name, part in data.parts.items():
        for content, label, where in zip(part.contents, part.labels.tolist(), part.names, strict=True):
            parts.setdefault(content, {}).setdefault(name, where)
            labels.setdefault(content, {}).setdefault(label, where)
    notes = []
    for found, how in (
        (parts.values(), "in more than one part (by content), such as {}: what was learned from is not measured."),
        (labels.values(), "under more than one label (by content), such as {}: not all of them can be right."),
    ):
        if several := [list(places.values()) for places in found if len(places) > 1]:
            verb = "s are" if len(several) > 1 else " is"
            notes.append(f"{len(several):,} {data.kind}{verb} {how.format(' and '.join(several[0][:2]))}")
    return tuple(notes)


def with_held_out(data: Dataset, seed: int) -> Dataset:
    """The data as they are if they have a part to evaluate on, else with a fifth of the training part held out."""
    return hold_out(data, HELD_OUT, seed) if data.validation is None and data.test is None else data


def hold_out(data: Dataset, share: float, seed: int) -> Dataset:
    """Moves a seeded, stratified share of the training part to the validation part.

    A class with one example stays in training. Examples of one group stay together, and copies of one example, unless
    there is little else: then a note says so.

    Args:
        data: With a training part.
        share: To hold out, between 0 and 1.
        seed: Of the draw.

    Raises:
        InputError: If too few examples would be left.
    """
    assert data.train is not None
    part, labels = data.train, data.train.labels.numpy()
    first, place = _once(part.contents)
    notes = (*data.notes, *_lonely(data, labels))
    if part.groups:
        split = _grouped(data.name, labels, _joined(part.groups, place), share, seed)
        kept, held = (np.sort(rows).tolist() for rows in split)
    else:
        if not _wanted(labels[first], share) and _wanted(labels, share):
            first = place = np.arange(len(labels))
            notes = (
                *notes,
                "Too few examples differ: some that are held out are copies of ones that are learned from.",
            )
        split = _stratified(data.name, labels[first], share, seed)
        kept, held = (np.flatnonzero(np.isin(place, rows)).tolist() for rows in split)
    return replace(data, train=part.subset(kept), validation=part.subset(held), notes=notes)


def _lonely(data: Dataset, labels: Rows) -> Iterator[str]:
    """What to say of classes that have one example."""
    names = [repr(data.classes[label]) for label in np.flatnonzero(np.bincount(labels) == 1)]
    if names:
        yield f"There is a single {data.kind} of {', '.join(names)}: it is learned from, and none is measured."


def _once(contents: Sequence[str]) -> tuple[Rows, Rows]:
    """The rows that are no copies of earlier ones, and for each row which of those it is."""
    numbers: dict[str, int] = {}
    place = np.array([numbers.setdefault(content, len(numbers)) for content in contents], np.int64)
    return np.unique(place, return_index=True)[1], place


def _joined(groups: Sequence[str], place: Rows) -> tuple[str, ...]:
    """The groups; those that share an example are one, under the first of their names."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, numbers = np.unique(groups, return_inverse=True)
    size = len(names) + int(place.max()) + 1
    edges = coo_array((np.ones(len(place)), (numbers, len(names) + place)), shape=(size, size))
    whole = connected_components(edges, directed=False)[1][: len(names)]
    first = {component: name for name, component in zip(names[::-1].tolist(), whole[::-1].tolist(), strict=True)}
    return tuple(first[whole[number]] for number in numbers.tolist())


def _wanted(labels: Rows, share: float) -> int:
    """How many to hold out, one of every class that has two at least; 0 where there are too few."""
    counts = np.bincount(labels)
    rest, classes = int(counts[counts >= 2].sum()), int((counts >= 2).sum())
    wanted = max(round(share * rest), classes)
    return wanted if rest - wanted >= classes else 0


def _stratified(name: str, labels: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    from sklearn.model_selection import train_test_split

    counts = np.bincount(labels)
    rows = np.arange(len(labels))
    lonely = rows[counts[labels] < 2]
    rest = rows[counts[labels] >= 2]
    wanted = _wanted(labels, share)
    if not wanted:
        raise InputError(
            f"{name} has too few examples ({len(labels)}) to hold {share:.0%} of them out: each class needs two, one "
            "to learn from and one to measure with. Add some, or lay a part of their own (test) beside them."
        )
    kept, held = train_test_split(rest, test_size=wanted, stratify=labels[rest], random_state=seed)
    return np.concatenate([kept, lonely]), held


def _grouped(name: str, labels: Rows, groups: tuple[str, ...], share: float, seed: int) -> tuple[Rows, Rows]:
    from sklearn.model_selection import StratifiedGroupKFold

    folds = round(1 / share)
    if len(set(groups)) < folds:
        raise InputError(f"{name} has {len(set(groups))} groups; holding {share:.0%} out needs {folds} or more.")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    kept, held = next(splitter.split(np.zeros(len(labels)), labels, groups))
    if set(labels[kept]) != set(labels):
        raise InputError(f"{name} has a class whose signals are all in one group: it cannot be split by group.")
    return kept, held
