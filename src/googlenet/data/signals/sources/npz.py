"""Arrays of signals in files of NumPy: NPZ, and NPY without labels."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import InputError, count, unknown
from ...volumes.npz import arrays_of, check_examples, claims_of, mapped
from ..rows import SignalRows, SignalTable, label_text, listing

Array = npt.NDArray[Any]
_SAMPLES = ("x", "data", "signals", "signal")
_LABELS = ("y", "labels", "label", "target", "targets")
_GROUPS = ("group", "groups")
_PARTS = {
    "train": ("train", "training", "tr"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "te", "eval"),
}
_CLEAR = 4  # an array (n, a, b) with a so many times b is of a samples and b channels


def parts_of(path: Path) -> tuple[str, ...]:
    """Of an NPZ of ``X_train``, ``y_train``, ``X_val``, ``X_test``, ... or ``train_x``, ...: which of ``train``,
    ``validation`` and ``test`` it holds; nothing for another file.

    Raises:
        InputError: If it is damaged.
    """
    if path.suffix.lower() != ".npz":
        return ()
    split = [_split(name) for name in claims_of(path)]
    parts = tuple(part for part in _PARTS if any(part == of and name in _SAMPLES for name, of in split))
    return parts if "train" in parts else ()


def _split(name: str) -> tuple[str, str | None]:
    """``X_train`` or ``train_x`` to ``x`` and ``train``; another name to itself and ``None``."""
    words = name.lower().split("_")
    for word, rest in ((words[-1], words[:-1]), (words[0], words[1:])):
        part = next((part for part, names in _PARTS.items() if word in names), None)
        if part is not None and rest:
            return "_".join(rest), part
    return name.lower(), None


def read_npz(path: Path, target: str | None, group: str | None, labelled: bool, part: str | None = None) -> SignalTable:
    """Arrays ``X`` ``(n, length)`` or ``(n, channels, length)``, ``y`` ``(n,)`` and perhaps ``group`` ``(n,)``.

    Args:
        path: An NPZ; or an NPY, which is X alone. If the arrays have other names, there is one of two or three
            dimensions, and one of one.
        target: Name of the array of labels, instead of ``y``.
        group: Name of the array of groups, instead of ``group``.
        labelled: Whether every signal must have a label.
        part: Of :func:`parts_of`; the arrays are ``X_train``, ``y_train``, ... then.

    Raises:
        InputError: If the arrays cannot be told, or do not fit together.
    """
    if path.suffix.lower() == ".npy":
        return _read_npy(path, labelled)
    if part is None and (parts := parts_of(path)):
        raise InputError(
            f"{path} holds {count(len(parts), 'part')}, {listing(parts)}. Save the signals that are meant as X, "
            f"in a file of their own."
        )
    arrays = arrays_of(path)
    chosen = _choose(path, arrays, (target, group), labelled, part)
    values, axes = _channels_first(path, chosen.samples, _numbers(path, chosen.samples, arrays))
    rows = SignalRows(path, labelled)
    labels, as_labels = _labels(path, chosen, arrays, len(values))
    groups = None if chosen.groups is None else _texts(_aligned(path, chosen, chosen.groups, arrays, len(values)))
    for at, signal in enumerate(values):
        rows.add(at + 1, signal, *(None if texts is None else texts[at] for texts in (labels, groups)))
    channels = 1 if values.ndim == 2 else values.shape[1]
    said = f"NPZ arrays: signals in {chosen.samples}{axes}, {count(channels, 'channel')}, {rows.lengths}"
    left = [name for name in arrays if name not in (chosen.samples, chosen.labels, chosen.groups, *chosen.others)]
    table = rows.table(said + as_labels + _left_out(left), "it needs an array y")
    return replace(table, notes=_said_of_axes(chosen.samples, values, axes))


def _left_out(names: Sequence[str]) -> str:
    return f", {', '.join(names)} left out" if names else ""


@dataclass(frozen=True)
class _Chosen:
    """Names of arrays: of signals, of labels, of groups, and of those of other parts."""

    samples: str
    labels: str | None
    groups: str | None
    others: Collection[str] = ()


def _choose(
    path: Path,
    arrays: Mapping[str, Array | None],
    given: tuple[str | None, str | None],
    labelled: bool,
    part: str | None,
) -> _Chosen:
    target, group = given
    for option, name in (("--target", target), ("--group", group)):
        if name is not None and name not in arrays and (labelled or option == "--group"):
            raise InputError(f"{path}, {option}: {unknown('array', name, arrays)}")
    if part:
        return _of_part(path, arrays, part)
    groups = group or _named(arrays, _GROUPS)
    rest = {name: values for name, values in arrays.items() if name != groups}
    labels = target if target in arrays else _named(rest, _LABELS)
    samples = _named(rest, _SAMPLES) or _only(path, rest, "X", (2, 3), labels)
    if samples is None:
        raise InputError(f"{path} has no array X of signals: it has {_shapes(arrays)}.")
    return _Chosen(samples, labels or _only(path, rest, "y", (1,), samples), groups)


def _of_part(path: Path, arrays: Mapping[str, Array | None], part: str) -> _Chosen:
    """The arrays whose names say so."""
    samples, labels, groups = (_named(arrays, names, part) for names in (_SAMPLES, _LABELS, _GROUPS))
    if samples is None or labels is None:
        lacking = "X" if samples is None else "y"
        raise InputError(f"{path} has no array {lacking}_{part}: it has {_shapes(arrays)}.")
    return _Chosen(samples, labels, groups, [name for name in arrays if _split(name)[1] is not None])


def _named(arrays: Mapping[str, Array | None], names: Sequence[str], part: str | None = None) -> str | None:
    """The first array of those names, in any case, in that part."""
    return next((own for name in names for own in arrays if _split(own) == (name, part)), None)


def _only(
    path: Path, arrays: Mapping[str, Array | None], name: str, dimensions: Sequence[int], other: str | None
) -> str | None:
    """The only array of so many dimensions, else ``None``."""
    found = {
        own: len(values)
        for own, values in arrays.items()
        if own != other and values is not None and values.ndim in dimensions
    }
    beside = arrays.get(other or "")
    if len(found) > 1 and beside is not None:  # axes of time and the like are as long as a signal
        found = {own: length for own, length in found.items() if length == len(beside)} or found
    if len(found) > 1:
        raise InputError(f"{path} has no array {name}, and more than one that may be it: {_shapes(arrays)}.")
    return next(iter(found), None)


def _numbers(path: Path, name: str, arrays: Mapping[str, Array | None]) -> Array:
    values = arrays[name]
    if values is None:
        raise _objects(path, name, "signals of unequal length: fill them up with NaN to the same length")
    return _checked(path, name, values)


def _checked(path: Path, name: str, values: Array) -> Array:
    if values.dtype.kind not in "fiub" or values.ndim not in (2, 3):
        hint = f" A single signal is {name}[None]." if values.ndim == 1 and values.dtype.kind in "fiub" else ""
        raise InputError(
            f"{path}: {name} has to be numbers of shape (n, length) or (n, channels, length), "
            f"not {values.dtype} of shape {values.shape}.{hint}"
        )
    check_examples(path, values, np.dtype(np.float64).itemsize)
    return values


def _channels_first(path: Path, name: str, values: Array) -> tuple[Array, str]:
    """``(n, channels, length)``, and what was turned."""
    if values.ndim == 2 or values.shape[1] <= values.shape[2]:
        return values, ""
    _, rows, columns = values.shape
    if columns == 1 or rows >= _CLEAR * columns:
        return values.transpose(0, 2, 1), f" (n, length, channels) = {values.shape}"
    raise InputError(
        f"{path}: {name} has the shape {values.shape}, which may be {rows} channels of {columns} samples, or {columns} "
        f"channels of {rows} samples. For the second, save {name}.transpose(0, 2, 1); for the first, fill the signals "
        f"up with NaN to {rows} samples."
    )


def _said_of_axes(name: str, values: Array, turned: str) -> tuple[str, ...]:
    """That channels may be the other axis, where they are many."""
    if turned or values.ndim == 2 or values.shape[1] == 1 or values.shape[2] >= _CLEAR * values.shape[1]:
        return ()
    _, channels, length = values.shape
    return (
        f"{name} of the shape {values.shape} is taken for (n, channels, length). If it is (n, length, channels), "
        f"signals of {channels} samples in {length} channels, save {name}.transpose(0, 2, 1), filled up with NaN to "
        f"{length} samples.",
    )


def _labels(path: Path, chosen: _Chosen, arrays: Mapping[str, Array | None], rows: int) -> tuple[list[str] | None, str]:
    """The label of every signal, and where they stand."""
    name = chosen.labels
    in_groups = f", groups in {chosen.groups}" if chosen.groups else ""
    if name is None:
        return None, in_groups
    values = _aligned(path, chosen, name, arrays, rows)
    if values.ndim == 1:
        return _texts(values), f", labels in {name}{in_groups}"
    return [str(at) for at in values.argmax(axis=1).tolist()], f", labels in {name} (one-hot){in_groups}"


def _aligned(path: Path, chosen: _Chosen, name: str, arrays: Mapping[str, Array | None], rows: int) -> Array:
    """An array of one entry for each signal, or of a one-hot row for each."""
    values = arrays[name]
    if values is None:
        raise _objects(path, name, f"texts: save {name}.astype(str)")
    if values.shape == (rows, 1):
        values = values[:, 0]
    one_hot = name == chosen.labels and values.ndim == 2 and values.shape[0] == rows and values.dtype.kind in "fiub"
    if values.shape == (rows,) or (one_hot and ((values == 0) | (values == 1)).all() and (values.sum(1) == 1).all()):
        return values
    raise InputError(
        f"{path}: {chosen.samples} holds {count(rows, 'signal')}, so {name} has to have the shape "
        f"({rows},), not {values.shape}."
    )


def _objects(path: Path, name: str, what: str) -> InputError:
    return InputError(
        f"{path}: {name} holds Python objects, not numbers; loading them could run any code. Perhaps they are {what}."
    )


def _read_npy(path: Path, labelled: bool) -> SignalTable:
    if labelled:
        raise InputError(
            f"{path} has no labels, only signals. Save both in one file: numpy.savez('signals.npz', X=..., y=...)."
        )
    loaded = mapped(path)
    if loaded is None:
        raise _objects(path, "it", "signals of unequal length: fill them up with NaN to the same length")
    values, axes = _channels_first(path, "it", _checked(path, "it", loaded))
    rows = SignalRows(path, labelled)
    for at, signal in enumerate(values):
        rows.add(at + 1, signal)
    channels = 1 if values.ndim == 2 else values.shape[1]
    return rows.table(f"NPY array{axes}: {count(channels, 'channel')}, {rows.lengths}")


def _shapes(arrays: Mapping[str, Array | None]) -> str:
    shapes = (f"{name} {'of objects' if values is None else values.shape}" for name, values in arrays.items())
    return ", ".join(shapes) or "no arrays"


def _texts(values: Array) -> list[str]:
    """What every entry says; a whole number as such."""
    if values.dtype.kind in "fiub":
        return [
            "" if isinstance(value, float) and math.isnan(value) else label_text(str(value))
            for value in values.tolist()
        ]
    if values.dtype.kind == "S":
        return [value.decode(errors="replace").strip() for value in values.tolist()]
    return [str(value).strip() for value in values]
