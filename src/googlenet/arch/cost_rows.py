"""The rows of a cost table: what each type of layer makes of the place where the arithmetic stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .cursor import Cursor, LayerCost
from .shapes import output_size
from .spec import Auxiliary, AveragePool, Branch, InceptionSpec, Layer, MaxPool, ResponseNorm, Stage, entry_for


@dataclass(frozen=True)
class Row(LayerCost):
    """A row of the paper's Table 1: a module, a pool or a convolution with its reduction.

    Attributes:
        layers: Its layers.
        saved_params: Parameters that its 1×1 reductions and projection save against the naive module
            (paper, figure 2a) on the same input; 0 for rows without reductions.
        saved_macs: The same for multiply-adds.
    """

    layers: tuple[LayerCost, ...] = ()
    saved_params: int = 0
    saved_macs: int = 0


def _branch(cursor: Cursor, branch: Branch, prefix: str = "") -> Cursor:
    if branch.pool:
        cursor = cursor.pool(f"{prefix}pool", "max pool", branch.pool, 1, cursor.size)
    if branch.reduce:
        cursor = cursor.conv(f"{prefix}reduce", branch.reduce)
    if branch.channels is not None:
        cursor = cursor.conv(f"{prefix}conv", branch.channels, branch.kernel, branch.stride, branch.dilation)
    return cursor


def single(layer: LayerCost) -> Row:
    """A row of one layer."""
    return Row(**asdict(layer), layers=(layer,))


def _conv_row(cursor: Cursor, branch: Branch) -> tuple[Row, Cursor]:
    after = _branch(cursor.restart(), branch, prefix=f"{branch.name}/")
    return _row(branch.name, after.done[-1].type, after), after


def _pool_row(cursor: Cursor, pool: MaxPool) -> tuple[Row, Cursor]:
    size = tuple(size_after(pool, n) for n in cursor.size)
    after = cursor.restart().pool(pool.name, "max pool", pool.kernel, pool.stride, size)
    return single(after.done[-1]), after


def _average_row(cursor: Cursor, pool: AveragePool) -> tuple[Row, Cursor]:
    size = tuple(size_after(pool, n) for n in cursor.size)
    after = cursor.restart().pool(pool.name, "average pool", pool.window, pool.window, size)
    return single(after.done[-1]), after


def shortcut_row(entry: Cursor, end: Cursor, stage: Stage) -> Row:
    """The shortcut of a residual stage: what it costs, and where the sum stands.

    Args:
        entry: In front of the stage.
        end: Behind its last layer.
        stage: The stage.
    """
    conv = entry.restart().conv(f"{stage.name} shortcut", end.channels).done[-1]
    return single(
        LayerCost(
            conv.name, conv.type, (end.channels, *end.size), conv.params, conv.macs, end.receptive_field, end.stride
        )
    )


def repeated(row: Row, members: int) -> Row:
    """The row of that many networks side by side."""

    def times(layer: LayerCost) -> dict[str, Any]:
        channels, *size = layer.output
        return {"output": (channels * members, *size), "params": layer.params * members, "macs": layer.macs * members}

    layers = tuple(replace(layer, **times(layer)) for layer in row.layers)
    saved = {"saved_params": row.saved_params * members, "saved_macs": row.saved_macs * members}
    return replace(row, **{"layers": layers} | times(row) | saved)


def _norm_row(cursor: Cursor, norm: ResponseNorm) -> tuple[Row, Cursor]:
    after = cursor.restart().pool(norm.name, "response norm", 1, 1, cursor.size)
    layer = after.done[-1]
    return single(LayerCost(**asdict(layer) | {"type": "response norm"})), after


def _inception_row(cursor: Cursor, spec: InceptionSpec) -> tuple[Row, Cursor]:
    start = narrow = cursor.restart()
    if spec.bottleneck and cursor.channels > 1:
        narrow = start.conv(f"{spec.name}/bottleneck", spec.bottleneck, linear=True)
    ends = [
        _branch(start if branch.pool else narrow.restart(), branch, prefix=f"{spec.name}/{branch.name}/")
        for branch in spec.branches
    ]
    after = _concatenated(ends, narrow.done)
    naive = _concatenated([_branch(start, branch) for branch in _without_reductions(spec)])
    saved = {f"saved_{what}": _sum(naive, what) - _sum(after, what) for what in ("params", "macs")}
    return _row(spec.name, "inception", after, **saved), after


def _concatenated(ends: Sequence[Cursor], before: tuple[LayerCost, ...] = ()) -> Cursor:
    """Where branches that started together meet again; ``before`` are the layers that they share."""
    return replace(
        ends[0],
        channels=sum(end.channels for end in ends),
        receptive_field=max(end.receptive_field for end in ends),
        done=before + tuple(layer for end in ends for layer in end.done),
    )


def _sum(cursor: Cursor, what: str) -> int:
    """The parameters (``"params"``) or multiply-adds (``"macs"``) of the layers behind the cursor."""
    return sum(getattr(layer, what) for layer in cursor.done)


def _without_reductions(spec: InceptionSpec) -> list[Branch]:
    """The naive module with the same kernels and widths: no reduction, and a pool without projection."""
    return [
        Branch(branch.name, None, pool=branch.pool)
        if branch.pool
        else Branch(branch.name, branch.channels, branch.kernel, branch.stride, dilation=branch.dilation)
        for branch in spec.branches
    ]


def auxiliary_row(cursor: Cursor, spec: Auxiliary, num_classes: int) -> Row:
    """The row of an auxiliary classifier.

    Args:
        cursor: Behind the module whose output it reads.
        spec: The auxiliary classifier.
        num_classes: That it tells apart.
    """
    grid = (spec.grid,) * len(cursor.size)
    window, stride = spec.pool or (max(1, round(max(cursor.size) / spec.grid)),) * 2
    after = (
        cursor.restart()
        .pool(f"aux {spec.after}/pool", "average pool", window, stride, grid)
        .conv(f"aux {spec.after}/conv", spec.channels)
        .linear(f"aux {spec.after}/fc1", spec.hidden)
        .linear(f"aux {spec.after}/fc2", num_classes)
    )
    return _row(f"aux {spec.after}", "auxiliary", after)


def _row(name: str, kind: str, after: Cursor, saved_params: int = 0, saved_macs: int = 0) -> Row:
    return Row(
        name,
        kind,
        (after.channels, *after.size),
        _sum(after, "params"),
        _sum(after, "macs"),
        after.receptive_field,
        after.stride,
        after.done,
        saved_params,
        saved_macs,
    )


# ----------------------------------------------------------------- by type of layer
def row_of(cursor: Cursor, layer: Layer) -> tuple[Row, Cursor]:
    """The row of a layer, and where the arithmetic stands behind it."""
    return entry_for(layer, ROWS, "the cost table")(cursor, layer)


def size_after(layer: Layer, n: int) -> int:
    """Samples along an axis that a layer makes of n; below 1 where n is too small."""
    return entry_for(layer, SIZES, "the table of sizes")(layer, n)


ROWS: Mapping[type[Layer], Callable[[Cursor, Any], tuple[Row, Cursor]]] = {
    Branch: _conv_row,
    MaxPool: _pool_row,
    AveragePool: _average_row,
    ResponseNorm: _norm_row,
    InceptionSpec: _inception_row,
}
SIZES: Mapping[type[Layer], Callable[[Any, int], int]] = {
    Branch: lambda branch, n: -(-n // branch.stride),
    MaxPool: lambda pool, n: output_size(n, pool.kernel, pool.stride, pool.padding, ceil=pool.ceil),
    AveragePool: lambda pool, n: n // pool.window,
    ResponseNorm: lambda norm, n: n,
    InceptionSpec: lambda module, n: n,
}
