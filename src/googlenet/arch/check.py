"""Whether an architecture that a file describes is one that can be built: types, ranges, names, work.

What a variant of ours says of itself is trusted; what comes from a file is looked at here before it is built.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

from .. import limits
from ..errors import InputError, is_number, short
from .cost import cost
from .spec import Arch, Auxiliary, Branch, InceptionSpec, Layer, MaxPool

# By the name of a field: the least and the most that it may be. All other whole numbers are from 1 to limits.KERNEL.
RANGES: Mapping[str, tuple[int, int]] = {
    "channels": (1, limits.CHANNELS),
    "reduce": (1, limits.CHANNELS),
    "bottleneck": (1, limits.CHANNELS),
    "hidden": (1, limits.CHANNELS),
    "padding": (0, limits.KERNEL),
    "pool": (1, limits.WINDOW),
    "window": (1, limits.WINDOW),
    "size": (1, limits.WINDOW),
    "grid": (1, limits.WINDOW),
    "members": (1, limits.MEMBERS),
    "dims": (1, 3),
    "input_size": (1, limits.INPUT),
}
_NAME = re.compile(rf"[A-Za-z0-9_ -]{{1,{limits.NAME}}}")


def _is_whole(value: Any, name: str) -> bool:
    least, most = RANGES.get(name, (1, limits.KERNEL))
    return type(value) is int and least <= value <= most


def _is_text(value: Any, name: str) -> bool:
    if not isinstance(value, str):
        return False
    return name == "description" or _NAME.fullmatch(value) is not None


def _is_row(value: Any, name: str) -> bool:
    return isinstance(value, tuple) and bool(value) and all(_is_whole(each, name) for each in value)


# What may stand in a field, by its annotation. A field of another kind is one that nobody has thought of yet.
KINDS: Mapping[str, Callable[[Any, str], bool]] = {
    "str": _is_text,
    "int": _is_whole,
    "float": lambda value, _: type(value) in (int, float) and is_number(value) and abs(value) <= 1e6,
    "bool": lambda value, _: type(value) is bool,
    "int | None": lambda value, name: value is None or _is_whole(value, name),
    "tuple[int, ...]": _is_row,
    "tuple[int, int] | None": lambda value, name: value is None or (_is_row(value, name) and len(value) == 2),
    "Literal['same', 'tensorflow']": lambda value, _: value in ("same", "tensorflow"),
    "int | Literal['tensorflow']": lambda value, name: value == "tensorflow" or _is_whole(value, name),
    "Literal['none', 'batch']": lambda value, _: value in ("none", "batch"),
    "tuple[Layer, ...]": lambda value, _: isinstance(value, tuple),
    "tuple[Stage, ...]": lambda value, _: isinstance(value, tuple) and bool(value),
    "tuple[Branch, ...]": lambda value, _: isinstance(value, tuple) and 0 < len(value) <= limits.BRANCHES,
    "tuple[Auxiliary, ...]": lambda value, _: isinstance(value, tuple) and len(value) <= limits.LAYERS,
}


def check_arch(arch: Arch) -> None:
    """That a network of it can be built.

    Raises:
        InputError: Of the first thing that no architecture has.
    """
    layers = list(arch.layers())
    if not 0 < len(layers) <= limits.LAYERS:
        raise InputError(f"A network has 1 to {limits.LAYERS:,} layers, not {len(layers):,}.")
    if len(arch.input_size) != arch.dims:
        raise InputError(f"An architecture of {arch.dims} axes has as many sizes, not {arch.input_size!r}.")
    parts: list[object] = [arch, *arch.stages, *layers, *arch.auxiliary]
    for part in [*parts, *_branches(layers)]:
        _check_fields(part)
    for what, names in (("layer", [layer.name for layer in layers]), ("stage", [s.name for s in arch.stages])):
        _check_different(what, names)
    for layer in layers:
        if isinstance(layer, InceptionSpec):
            _check_different(f"branch of {layer.name}", [branch.name for branch in layer.branches])
    _check_heads(arch.auxiliary, {layer.name for layer in layers})
    for branch in _branches(layers):
        if branch.dilation * (branch.kernel - 1) > limits.KERNEL:
            raise InputError(f"Branch {branch.name!r} would see {branch.dilation} × {branch.kernel} samples.")


def check_work(arch: Arch, spatial: Sequence[int], in_channels: int, weights: int) -> None:
    """That a network needs no more than its weights make plausible: a small file may not ask for gigabytes, or hours.

    Args:
        arch: The architecture.
        spatial: Size of an input along each axis.
        in_channels: Of it.
        weights: Bytes that its weights have.

    Raises:
        InputError: If its largest map, or the arithmetic for one input, is out of all proportion.
    """
    found = cost(arch, spatial, in_channels=in_channels, num_classes=1)
    maps = [prod(layer.output) for row in found.rows for layer in row.layers or (row,)]
    check_size(4 * max(prod(found.input), *maps), found.macs + sum(maps) * _widest(arch) ** arch.dims, weights)


def check_size(largest: int, work: int, weights: int) -> None:
    """That what a network computes is in proportion to its weights.

    Args:
        largest: Bytes of its largest map, for one input.
        work: Multiply-adds for one input, about.
        weights: Bytes that its weights have.

    Raises:
        InputError: If it is not.
    """
    if largest > limits.MAP * weights + limits.MAP_SLACK:
        raise InputError(f"A layer would give {largest:,} bytes for one input, with {weights:,} bytes of weights.")
    if work > limits.WORK * weights + limits.WORK_SLACK:
        raise InputError(f"One input would take {work:,} multiply-adds, with {weights:,} bytes of weights.")


def _widest(arch: Arch) -> int:
    """The widest window of a pool or a response norm along an axis."""
    layers: list[Any] = [*arch.layers(), *_branches(tuple(arch.layers()))]
    found = [getattr(layer, name, None) for layer in layers for name in ("pool", "window", "size")]
    pools = [layer.kernel for layer in layers if isinstance(layer, MaxPool)]
    return max(1, *pools, *(int(value) for value in found if value is not None))


def _check_fields(part: Any) -> None:
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        kind = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", "")
        if kind not in KINDS:
            raise InputError(f"{type(part).__name__}.{field.name} is of a kind that is never read from files.")
        if not KINDS[kind](value, field.name):
            raise InputError(f"{type(part).__name__}.{field.name} cannot be {short(repr(value))}.")


def _branches(layers: Sequence[Layer]) -> Iterator[Branch]:
    """Every branch, in a module or alone."""
    for layer in layers:
        if isinstance(layer, Branch):
            yield layer
        elif isinstance(layer, InceptionSpec):
            yield from layer.branches


def _check_different(what: str, names: Sequence[str]) -> None:
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise InputError(f"Two are called {twice!r}, and every {what} has a name of its own.")


def _check_heads(heads: Sequence[Auxiliary], layers: set[str]) -> None:
    _check_different("auxiliary classifier", [head.after for head in heads])
    lost = next((head.after for head in heads if head.after not in layers), None)
    if lost is not None:
        raise InputError(f"An auxiliary classifier reads {lost!r}, and there is no such layer.")
