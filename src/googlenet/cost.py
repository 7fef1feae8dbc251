"""What an architecture costs, exactly and without running it: shapes, parameters, multiply-adds, receptive
fields, and what its 1×1 reductions save. Plain arithmetic on an :class:`~googlenet.arch.Arch`; no PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .arch import Arch, Auxiliary, Branch, InceptionSpec, Layer, MaxPool, ResponseNorm
from .errors import InputError
from .shapes import output_size
from .variants import find_arch

Size = tuple[int, ...]


@dataclass(frozen=True)
class LayerCost:
    """One layer: a convolution with its norm, a pool, a linear layer.

    Attributes:
        name: Path within the network, ``"3a/3x3/reduce"``.
        type: What it is, with kernel and stride: ``"conv 3×3/1"``.
        output: ``(channels, *spatial)``.
        params: Trainable numbers (weights, biases, the scale and shift of batch norm).
        macs: Multiply-adds for one input.
        receptive_field: Input samples along one axis that an output sees, the border ignored.
        stride: Input samples between neighbouring outputs.
    """

    name: str
    type: str
    output: Size
    params: int
    macs: int
    receptive_field: int
    stride: int


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


@dataclass(frozen=True)
class Cost:
    """The cost of a whole network for one input.

    Attributes:
        arch: Name of the architecture.
        input: ``(channels, *spatial)``.
        rows: From the first layer to the classifier, then the auxiliary classifiers.
    """

    arch: str
    input: Size
    rows: tuple[Row, ...]

    @property
    def params(self) -> int:
        """Parameters without auxiliary classifiers."""
        return sum(row.params for row in self.rows if row.type != "auxiliary")

    @property
    def params_with_aux(self) -> int:
        """Parameters with auxiliary classifiers."""
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-adds for one input without auxiliary classifiers."""
        return sum(row.macs for row in self.rows if row.type != "auxiliary")

    @property
    def macs_with_aux(self) -> int:
        """Multiply-adds for one input with auxiliary classifiers."""
        return sum(row.macs for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: ``arch, input, rows, params, params_with_aux, macs, macs_with_aux``."""
        totals = {key: getattr(self, key) for key in ("params", "params_with_aux", "macs", "macs_with_aux")}
        return asdict(self) | totals


def cost(
    arch: str | Arch,
    input_size: Sequence[int] | None = None,
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
) -> Cost:
    """Counts what a network costs.

    Args:
        arch: A name from :func:`googlenet.list_models`, or an architecture.
        input_size: Size along each spatial axis; the architecture's own by default.
        in_channels: Channels of the input.
        num_classes: Width of the classifier.

    Raises:
        InputError: For an unknown name, or a size of another rank or below the minimum.

    Example:
        >>> cost("googlenet").params
        6998552
    """
    arch = find_arch(arch) if isinstance(arch, str) else arch
    size = arch.input_size if input_size is None else tuple(input_size)
    check_size(arch, size)
    meter = _Meter(arch.norm == "batch", in_channels, size)
    rows, auxiliary_rows = [], []
    heads = {aux.after: aux for aux in arch.auxiliary}
    for layer in arch.layers():
        row, meter = _ROWS[type(layer)](meter, layer)
        rows.append(row)
        if layer.name in heads:
            auxiliary_rows.append(_auxiliary(meter, heads[layer.name], num_classes))
    pooled = meter.pool("pool5", "average pool", max(meter.size), 1, (1,) * arch.dims)
    linear = pooled.linear("linear", num_classes)
    rows += [_single(pooled.done[-1]), _single(linear.done[-1])]
    return Cost(arch.name, (in_channels, *size), tuple(rows + auxiliary_rows))


def check_size(arch: Arch, size: Size) -> None:
    """Raises InputError unless the network can take inputs of that spatial size."""
    shown = "×".join(map(str, size))
    if len(size) != arch.dims:
        raise InputError(f"{arch.name} takes {arch.dims} spatial axes, not {len(size)} ({shown}).")
    if min(size) < (minimum := minimum_size(arch)):
        raise InputError(f"{arch.name} needs at least {minimum} samples along every spatial axis, not {shown}.")


def minimum_size(arch: Arch) -> int:
    """The smallest legal input size along an axis: every layer still has an output."""
    size = 1
    while not _fits(arch, size):
        size += 1
    return size


def _fits(arch: Arch, n: int) -> bool:
    for layer in arch.layers():
        if isinstance(layer, Branch):
            n = output_size(n, layer.kernel, layer.stride, layer.kernel // 2)
        elif isinstance(layer, MaxPool):
            n = output_size(n, layer.kernel, layer.stride, layer.padding, ceil=layer.ceil)
        if n < 1:
            return False
    return True


@dataclass(frozen=True)
class _Meter:
    """Where the arithmetic stands: channels, size, receptive field and stride, and the layers behind it."""

    batch_norm: bool
    channels: int
    size: Size
    receptive_field: int = 1
    stride: int = 1
    done: tuple[LayerCost, ...] = ()

    def conv(self, name: str, channels: int, kernel: int = 1, stride: int = 1) -> _Meter:
        size = tuple(output_size(n, kernel, stride, kernel // 2) for n in self.size)
        weights = channels * self.channels * kernel ** len(size)
        return self._after(
            name,
            f"conv {_window(kernel, len(size))}/{stride}",
            channels,
            size,
            params=weights + channels * (2 if self.batch_norm else 1),
            macs=weights * math.prod(size),
            kernel=kernel,
            stride=stride,
        )

    def pool(self, name: str, kind: str, kernel: int, stride: int, size: Size) -> _Meter:
        kind = f"{kind} {_window(kernel, len(size))}/{stride}"
        return self._after(name, kind, self.channels, size, kernel=kernel, stride=stride)

    def linear(self, name: str, units: int) -> _Meter:
        inputs = self.channels * math.prod(self.size)
        params = (inputs + 1) * units
        return self._after(name, "linear", units, (), params=params, macs=inputs * units)

    def _after(
        self,
        name: str,
        kind: str,
        channels: int,
        size: Size,
        params: int = 0,
        macs: int = 0,
        kernel: int = 1,
        stride: int = 1,
    ) -> _Meter:
        field, step = self.receptive_field + (kernel - 1) * self.stride, self.stride * stride
        layer = LayerCost(name, kind, (channels, *size), params, macs, field, step)
        return _Meter(self.batch_norm, channels, size, field, step, (*self.done, layer))

    def restart(self) -> _Meter:
        """The same place, with no layers behind it."""
        return _Meter(self.batch_norm, self.channels, self.size, self.receptive_field, self.stride)


def _window(kernel: int, dims: int) -> str:
    return "×".join([str(kernel)] * dims)


def _branch(meter: _Meter, branch: Branch, prefix: str = "") -> _Meter:
    if branch.pool:
        meter = meter.pool(f"{prefix}pool", "max pool", branch.pool, 1, meter.size)
    if branch.reduce:
        meter = meter.conv(f"{prefix}reduce", branch.reduce)
    if branch.channels is not None:
        meter = meter.conv(f"{prefix}conv", branch.channels, branch.kernel, branch.stride)
    return meter


def _single(layer: LayerCost) -> Row:
    return Row(**asdict(layer), layers=(layer,))


def _conv_row(meter: _Meter, branch: Branch) -> tuple[Row, _Meter]:
    after = _branch(meter.restart(), branch, prefix=f"{branch.name}/")
    return _row(branch.name, after.done[-1].type, after), after


def _pool_row(meter: _Meter, pool: MaxPool) -> tuple[Row, _Meter]:
    size = tuple(output_size(n, pool.kernel, pool.stride, pool.padding, ceil=pool.ceil) for n in meter.size)
    after = meter.restart().pool(pool.name, "max pool", pool.kernel, pool.stride, size)
    return _single(after.done[-1]), after


def _norm_row(meter: _Meter, norm: ResponseNorm) -> tuple[Row, _Meter]:
    after = meter.restart().pool(norm.name, "response norm", 1, 1, meter.size)
    layer = after.done[-1]
    return _single(LayerCost(**asdict(layer) | {"type": "response norm"})), after


def _inception_row(meter: _Meter, spec: InceptionSpec) -> tuple[Row, _Meter]:
    start = meter.restart()
    ends = [_branch(start, branch, prefix=f"{spec.name}/{branch.name}/") for branch in spec.branches]
    after = _Meter(
        meter.batch_norm,
        sum(end.channels for end in ends),
        meter.size,
        max(end.receptive_field for end in ends),
        meter.stride,
        tuple(layer for end in ends for layer in end.done),
    )
    naive_ends = [_branch(start, branch) for branch in _without_reductions(spec)]
    naive = tuple(layer for end in naive_ends for layer in end.done)
    row = _row(
        spec.name,
        "inception",
        after,
        saved_params=sum(layer.params for layer in naive) - sum(layer.params for layer in after.done),
        saved_macs=sum(layer.macs for layer in naive) - sum(layer.macs for layer in after.done),
    )
    return row, after


def _without_reductions(spec: InceptionSpec) -> list[Branch]:
    """The naive module with the same kernels and widths: no reduction, and a pool without projection."""
    return [
        Branch(branch.name, None, pool=branch.pool)
        if branch.pool
        else Branch(branch.name, branch.channels, branch.kernel, branch.stride)
        for branch in spec.branches
    ]


def _auxiliary(meter: _Meter, spec: Auxiliary, num_classes: int) -> Row:
    grid = (spec.grid,) * len(meter.size)
    window, stride = spec.pool or (max(1, round(max(meter.size) / spec.grid)),) * 2
    after = (
        meter.restart()
        .pool(f"aux {spec.after}/pool", "average pool", window, stride, grid)
        .conv(f"aux {spec.after}/conv", spec.channels)
        .linear(f"aux {spec.after}/fc1", spec.hidden)
        .linear(f"aux {spec.after}/fc2", num_classes)
    )
    return _row(f"aux {spec.after}", "auxiliary", after)


def _row(name: str, kind: str, after: _Meter, saved_params: int = 0, saved_macs: int = 0) -> Row:
    return Row(
        name,
        kind,
        (after.channels, *after.size),
        sum(layer.params for layer in after.done),
        sum(layer.macs for layer in after.done),
        after.receptive_field,
        after.stride,
        after.done,
        saved_params,
        saved_macs,
    )


_ROWS: dict[type[Layer], Any] = {
    Branch: _conv_row,
    MaxPool: _pool_row,
    ResponseNorm: _norm_row,
    InceptionSpec: _inception_row,
}
