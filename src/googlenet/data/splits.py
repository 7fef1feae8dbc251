"""Holding a part of the training data out; an epoch's batches; and which examples are the same, by what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..errors import InputError, count
from .parallel import steps_of
from .protocol import Dataset, ExampleSet, Settings

Rows = npt.NDArray[np.int64]
HELD_OUT = 0.2  # of data that are not split
FEW, MANY = 500, 4000  # examples from which some are held out to calibrate; of members
FEW_TO_CALIBRATE, MANY_TO_CALIBRATE = 130, 2000


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


def with_held_out(data: Dataset, settings: Settings) -> Dataset:
    """The data with a validation part: a fifth of the training part where there is nothing to evaluate on, and where
    there is a test part, what :func:`to_calibrate` says. As they are where they have one, or none is wanted.

    Args:
        data: With a training part.
        settings: Whether probabilities are calibrated, for how many members; and the seed of the draw.
    """
    if data.validation is not None or data.train is None:
        return data
    if data.test is None:
        return hold_out(data, HELD_OUT, settings.seed)
    count = to_calibrate(data.train, settings)
    return hold_out(data, count / len(data.train), settings.seed) if count else data


def to_calibrate(part: ExampleSet, settings: Settings) -> int:
    """How many examples to hold out for :mod:`~googlenet.inference.calibration.temperature` alone: a tenth up to
    :data:`FEW_TO_CALIBRATE`, then a thirtieth, up to :data:`MANY_TO_CALIBRATE`. None of few examples, of groups, of so
    many classes that each could not give one, or of members that leave some out in turn.

    Args:
        part: To learn from.
        settings: Of the training.
    """
    turns = settings.members > 1 and len(part) < MANY
    if not settings.calibrate or turns or part.groups or len(part) < FEW:
        return 0
    count = min(MANY_TO_CALIBRATE, max(len(part) // 30, min(len(part) // 10, FEW_TO_CALIBRATE)))
    first, _ = _once(part.contents)
    classes = int((np.bincount(part.labels.numpy()[first]) >= 2).sum())
    return count if 0 < classes <= count * len(first) // len(part) else 0


def units_of(part: ExampleSet) -> Rows:
    """What belongs together, groups and copies of one example: a number for each example, ``(N,)``, from 0 on."""
    _, place = _once(part.contents)
    return np.unique(_joined(part.groups, place), return_inverse=True)[1] if part.groups else place


def alike(part: ExampleSet) -> tuple[str, ...]:
    """:func:`units_of` examples, as names, where it is said how sure a figure of them is: those of one count as one.
    Nothing where each is apart.

    Args:
        part: Some examples.
    """
    names = tuple(map(str, units_of(part).tolist()))
    return names if part.groups or len(set(names)) < len(names) else ()


def counted(part: ExampleSet) -> str:
    """The end of a sentence that counts examples: of how many groups they are, or how many differ."""
    number = len(set(alike(part)))
    return "" if not number else f", of {count(number, 'group')}" if part.groups else f", of which {number:,} differ"


def folds_of(part: ExampleSet, count: int, seed: int) -> Rows:
    """Which of ``count`` members leaves each example out, ``(N,)``: each class in equal parts; groups together, and
    copies of one example. -1, for none, where a member would be left without a class.

    Args:
        part: To learn from.
        count: Of members.
        seed: Of the draw.
    """
    units, classes = units_of(part), part.labels.numpy()
    first = np.unique(units, return_index=True)[1]
    holders = {label: np.unique(units[classes == label]) for label in np.unique(classes)}
    draws, folds, taken = np.random.default_rng(seed), np.full(len(first), -1), 0
    for label in holders:
        own = draws.permutation(np.flatnonzero(classes[first] == label))
        folds[own] = (taken + np.arange(len(own))) % count
        taken += len(own)
    for held in holders.values():
        if len(np.unique(folds[held])) == 1:
            folds[held] = -1
    found: Rows = folds[units]
    return found


def hold_out(data: Dataset, share: float, seed: int) -> Dataset:
    """Moves a seeded, stratified share of the training part to the validation part.

    A class with one example, by content, stays in training. Examples of one group stay together, and copies of one
    example, unless there is little else: then a note says so.

    Args:
        data: With a training part.
        share: To hold out, between 0 and 1.
        seed: Of the draw.

    Raises:
        InputError: If too few examples would be left.
    """
    assert data.train is not None
    part, labels = data.train, data.train.labels.numpy()
    _, place = _once(part.contents)
    notes = data.notes
    if not part.groups and not _wanted(_rarest(labels, place), share) and _wanted(labels, share):
        place = np.arange(len(labels))
        said = "Too few examples differ: some that are held out are copies of ones that are learned from."
        notes = (*notes, said)
    if part.groups:
        kept, held = _grouped(data.name, labels, _joined(part.groups, place), share, seed)
    else:
        apart = _with_every_class(labels, place, *_stratified(data.name, _rarest(labels, place), share, seed))
        kept, held = (np.flatnonzero(np.isin(place, units)) for units in apart)
    train, validation = (part.subset(np.sort(rows).tolist()) for rows in (kept, held))
    return replace(data, train=train, validation=validation, notes=(*notes, *_lonely(data, labels, place)))


def _lonely(data: Dataset, labels: Rows, place: Rows) -> Iterator[str]:
    """What to say of classes that have one example, by content."""
    names = [repr(data.classes[label]) for label in np.flatnonzero(np.bincount(_pairs(labels, place)[:, 0]) == 1)]
    if names:
        yield f"There is a single {data.kind} of {', '.join(names)}: it is learned from, and none is measured."


def _once(contents: Sequence[str]) -> tuple[Rows, Rows]:
    """The rows that are no copies of earlier ones, and for each row which of those it is."""
    numbers: dict[str, int] = {}
    place = np.array([numbers.setdefault(content, len(numbers)) for content in contents], np.int64)
    return np.unique(place, return_index=True)[1], place


def _pairs(labels: Rows, place: Rows) -> Rows:
    """Each label with each example, by content, that has it, once: ``(n, 2)``."""
    return np.unique(np.stack([labels, place], axis=1), axis=0)


def _rarest(labels: Rows, place: Rows) -> Rows:
    """The label of each example, by content: where copies have several, the one that fewest examples have."""
    pairs = _pairs(labels, place)
    of, where = pairs[np.argsort(np.bincount(pairs[:, 0])[pairs[:, 0]], kind="stable")].T
    found: Rows = of[np.unique(where, return_index=True)[1]]
    return found


def _with_every_class(labels: Rows, place: Rows, kept: Rows, held: Rows) -> tuple[Rows, Rows]:
    """Examples, by content, to learn from and to hold out, so that the first are of every class."""
    of, where = _pairs(labels, place).T
    lost = np.setdiff1d(of, of[np.isin(where, kept)])
    back = [where[of == label][0] for label in lost]
    return np.append(kept, back).astype(np.int64), np.setdiff1d(held, back)


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
