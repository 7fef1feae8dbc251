"""Architectures as JSON text, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from ..errors import InputError, parsed, short
from .check import check_arch
from .spec import (
    LAYER_TYPES,
    Arch,
    Auxiliary,
    AveragePool,
    Branch,
    InceptionSpec,
    Layer,
    MaxPool,
    ResponseNorm,
    Stage,
    entry_for,
)

_NAMES: Mapping[type[Layer], str] = {kind: name for name, kind in LAYER_TYPES.items()}


def to_json(arch: Arch) -> str:
    """The architecture as text; every layer says its type, by the names of :data:`~googlenet.arch.spec.LAYER_TYPES`."""
    row = dataclasses.asdict(arch)
    for stage, written in zip(arch.stages, row["stages"], strict=True):
        written["layers"] = [
            {"type": entry_for(layer, _NAMES, "JSON")} | dataclasses.asdict(layer) for layer in stage.layers
        ]
    return json.dumps(row, separators=(",", ":"))


def from_json(text: str) -> Arch:
    """Reads what :func:`to_json` wrote, now or before layers said their types.

    Raises:
        InputError: If the text does not describe an architecture, or has a layer of an unknown type.
    """
    try:
        row = parsed(text)
        row["input_size"] = tuple(row["input_size"])
        row["stages"] = tuple(
            Stage(stage["name"], tuple(_layer(layer) for layer in stage["layers"]), stage["residual"])
            for stage in row["stages"]
        )
        row["auxiliary"] = tuple(
            Auxiliary(**aux | {"pool": tuple(aux["pool"]) if aux["pool"] else None}) for aux in row["auxiliary"]
        )
        arch = Arch(**row)
    except InputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"This is not an architecture that googlenet wrote: {short(error)}.") from error
    check_arch(arch)
    return arch


def _layer(row: dict[str, Any]) -> Layer:
    """A layer from its fields, of which younger ones may be missing."""
    fields = {key: value for key, value in row.items() if key != "type"}
    kind = LAYER_TYPES.get(row["type"]) if "type" in row else _guessed_type(fields)
    if kind is None:
        raise InputError(
            f"Layer {row.get('name')!r} is of the type {row['type']!r}, which this googlenet does not know "
            f"(it knows {', '.join(LAYER_TYPES)}). If a newer one wrote it, update googlenet."
        )
    if kind is InceptionSpec:
        fields["branches"] = tuple(Branch(**branch) for branch in fields["branches"])
    return kind(**fields)


def _guessed_type(row: dict[str, Any]) -> type[Layer]:
    """The type of a layer from before layers said theirs: no two of those share all the fields that they need."""
    for kind in (Branch, InceptionSpec, MaxPool, AveragePool, ResponseNorm):
        fields = dataclasses.fields(kind)
        needed = {field.name for field in fields if field.default is dataclasses.MISSING}
        if needed <= set(row) <= {field.name for field in fields}:
            return kind
    raise ValueError(f"unknown layer {row.get('name')!r}")
