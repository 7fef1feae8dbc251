"""Holding a part of the training data out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .protocol import Dataset

Rows = npt.NDArray[np.int64]


def fingerprint(data: Dataset) -> str:
    """Which examples there are, by their files' names and labels, wherever they lie and however they are split."""
    parts = data.parts.values()
    names = (Path(name).name for part in parts for name in part.names)
    labels = (data.classes[label] for part in parts for label in part.labels.tolist())
    rows = (f"{name}\t{label}" for name, label in zip(names, labels, strict=True))
    return hashlib.sha256("\n".join(sorted(rows)).encode(errors="surrogateescape")).hexdigest()[:16]


def hold_out(data: Dataset, share: float, seed: int) -> Dataset:
    """Moves a seeded, stratified share of the training part to the validation part.

    A class with one example stays in training. Examples of one group stay together.

    Args:
        data: With a training part.
        share: To hold out, between 0 and 1.
        seed: Of the draw.

    Raises:
        InputError: If too few examples would be left.
    """
    assert data.train is not None
    labels, groups = data.train.labels.numpy(), data.train.groups
    split = _grouped(data.name, labels, groups, share, seed) if groups else _stratified(data.name, labels, share, seed)
    kept, held = (np.sort(rows).tolist() for rows in split)
    return replace(data, train=data.train.subset(kept), validation=data.train.subset(held))


def _stratified(name: str, labels: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    from sklearn.model_selection import train_test_split

    counts = np.bincount(labels)
    rows = np.arange(len(labels))
    lonely = rows[counts[labels] < 2]
    rest = rows[counts[labels] >= 2]
    wanted = max(round(share * len(rest)), int((counts >= 2).sum()))
    if len(rest) - wanted < int((counts >= 2).sum()):
        raise InputError(f"{name} has too few examples ({len(labels)}) to hold {share:.0%} of them out.")
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
