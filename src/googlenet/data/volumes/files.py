"""NPZ files of volumes, and of volumes or pictures in MedMNIST's layout.

MedMNIST's files (Yang et al. 2023) hold ``train_images``, ``train_labels`` and the same for ``val`` and ``test``; those
of two dimensions are pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import InputError
from ...files import check_unpacked
from ...limits import EXAMPLE, PICTURE
from ..images.arrays import PICTURE_SIDE, picture_set
from ..images.dataset import SMALL_SIDE, enlarged
from ..protocol import Array, Dataset, ExampleSet, Watch
from .dataset import VolumeSet
from .npz import check_examples, read_npz, shapes_of

PARTS = {"train": "train", "val": "validation", "test": "test"}


def claims(source: str) -> bool:
    """Whether it is an NPZ file in MedMNIST's layout, or one with an array ``(N, C, D, H, W)``."""
    shapes = shapes_of(Path(source)) if source.lower().endswith(".npz") else {}
    return any(f"{part}_images" in shapes for part in PARTS) or any(len(shape) == 5 for shape in shapes.values())


def find(source: str, watch: Watch, columns: Any) -> Dataset:
    """The labelled volumes (or, in MedMNIST's layout, pictures) of an NPZ file.

    Args:
        source: A file that :func:`claims` claims: arrays ``X`` and ``y``, or MedMNIST's.
        watch: Not asked: there is one file.
        columns: ``target`` names the array of labels instead of ``y``.

    Raises:
        InputError: If arrays are missing or do not fit together.
    """
    arrays = read_npz(Path(source))
    pairs = {part: (f"{part}_images", f"{part}_labels") for part in PARTS if f"{part}_images" in arrays}
    layout = "MedMNIST's layout" if pairs else "one array"
    if not pairs:
        volumes = [name for name, values in arrays.items() if values.ndim == 5]
        if len(volumes) > 1:
            raise InputError(f"{source} has more than one array of volumes: {', '.join(volumes)}. Keep one.")
        pairs = {"train": (volumes[0], columns.target or "y")}
    _check_parts(source, {images: arrays[images] for images, _ in pairs.values()})
    labels = {part: _labels(source, arrays, *names) for part, names in pairs.items()}
    _check_alike(source, {pairs[part][1]: found for part, found in labels.items()})
    classes = np.unique(np.concatenate(list(labels.values())))
    parts = {
        PARTS[part]: _part(source, images, arrays[images], np.searchsorted(classes, labels[part]))
        for part, (images, _) in pairs.items()
    }
    shown = ", ".join(f"{images} {arrays[images].shape}" for images, _ in pairs.values())
    kind = next(iter(parts.values())).kind
    notes = (f"Read as {kind}s in {layout}: {shown}.",)
    train, validation, test = (parts.get(part) for part in PARTS.values())
    return Dataset(source, tuple(map(str, classes)), train, validation, test, notes)


def _labels(source: str, arrays: dict[str, Array], images: str, labels: str) -> Array:
    if labels not in arrays:
        raise InputError(f"{source} has no array {labels} of labels for {images}; name another with --target.")
    found, count = arrays[labels], len(arrays[images])
    if found.shape not in ((count,), (count, 1)):
        raise InputError(f"{source}: {labels} has the shape {found.shape}, and {images} holds {count} examples.")
    return _as_classes(f"{source}: {labels}", found.reshape(-1))


def _as_classes(name: str, labels: Array) -> Array:
    """Labels as whole numbers or texts.

    Raises:
        InputError: If they are something else: numbers with a fraction are to be predicted, not told apart.
    """
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all() or (labels != np.rint(labels)).any() or (np.abs(labels) >= 2.0**63).any():
            raise InputError(
                f"{name} holds fractions or missing values, or numbers beyond 64 bits; classes are whole numbers or "
                "texts."
            )
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "u" and labels.size and labels.max() <= np.iinfo(np.int64).max:
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "biuU" or (labels.dtype.kind == "U" and (labels == "").any()):
        raise InputError(f"{name} holds {labels.dtype}, or an empty text; classes are whole numbers or texts.")
    return labels


def _check_alike(source: str, labels: dict[str, Array]) -> None:
    """That all labels are numbers, or all texts."""
    if len({found.dtype.kind for found in labels.values()}) > 1:
        types = ", ".join(f"{name} {found.dtype}" for name, found in labels.items())
        raise InputError(f"{source}: the labels of its parts are of different kinds ({types}). Write them alike.")


def _check_parts(source: str, parts: dict[str, Array]) -> None:
    """That every part has examples, and all are of one shape and one type."""
    first = next(iter(parts.values()))
    for name, images in parts.items():
        if images.size == 0:
            raise InputError(f"{source}: {name} {images.shape} holds no examples. Leave the part out.")
        if images.shape[1:] != first.shape[1:]:
            raise InputError(f"{source}: {name} holds examples {images.shape[1:]}, and others are {first.shape[1:]}.")
        if images.dtype.kind == first.dtype.kind == "u" and images.dtype != first.dtype:
            raise InputError(
                f"{source}: {name} is of {images.dtype}, and others are of {first.dtype}: each has another white. "
                "Save them in one type."
            )
        if images.ndim == 4 and images.shape[3] != 3 and (images.shape[3] in (1, 4) or images.shape[1] in (1, 3)):
            raise InputError(
                f"{source}: {name} {images.shape} may be pictures with their channels first or last, or flat volumes. "
                "Grey pictures are (N, H, W), colour (N, H, W, 3), volumes (N, D, H, W) or (N, C, D, H, W)."
            )


def _part(source: str, images: str, values: Array, labels: Array) -> ExampleSet:
    """A set of volumes; of pictures where there are no more than two dimensions beside number and colour."""
    truth, name = torch.from_numpy(labels).long(), f"{source}:{images}"
    flat = values.ndim == 3 or (values.ndim == 4 and values.shape[3] == 3)
    check_examples(Path(source), values, each=PICTURE if flat else EXAMPLE)
    names = tuple(f"{name}:{row}" for row in range(len(values)))
    if flat:
        _check_enlarged(source, values)
        return picture_set(list(values), names, truth)
    volumes = values[:, None] if values.ndim == 4 else values
    if volumes.ndim != 5 or volumes.dtype.kind not in "uf":
        raise InputError(
            f"{name} is (N, D, H, W) or (N, C, D, H, W) of unsigned integers or floats, not {values.dtype} of shape "
            f"{values.shape}."
        )
    return VolumeSet(truth, names, volumes)


def _check_enlarged(source: str, pictures: Array) -> None:
    """That small pictures stay in memory when they have their size in it."""
    longest, colours = max(pictures.shape[1:3]), 3 if pictures.ndim == 4 else 1
    side = enlarged(longest) if longest <= SMALL_SIDE else PICTURE_SIDE
    half = len(pictures) * colours * side**2 // 2  # the pictures as they are take the other
    check_unpacked(source, half, f"They take {side}×{side} pixels each in memory: split them into several files")
