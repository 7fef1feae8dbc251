"""What an architecture costs, exactly and without running it: shapes, parameters, multiply-adds, receptive
fields, and what its 1×1 reductions save. Plain arithmetic on an :class:`~googlenet.arch.spec.Arch`; no PyTorch.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import InputError, whole
from ..limits import INPUT
from .cost_rows import Row, auxiliary_row, repeated, row_of, shortcut_row, single, size_after
from .cursor import Cursor, Size
from .spec import Arch
from .variants import find_arch


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
        in_channels: Channels of the input; of each member's, where the architecture has several.
        num_classes: Width of the classifier.

    Raises:
        InputError: For an unknown name, or a size of another rank or below the minimum.

    Example:
        >>> cost("googlenet").params
        6998552
    """
    arch = arch if isinstance(arch, Arch) else find_arch(arch)
    in_channels, num_classes = whole("in_channels", in_channels), whole("num_classes", num_classes)
    size = arch.input_size if input_size is None else _size(arch, input_size)
    check_size(arch, size)
    cursor = Cursor(arch.norm == "batch", in_channels, size)
    rows, auxiliary_rows = [], []
    heads = {aux.after: aux for aux in arch.auxiliary}
    for stage in arch.stages:
        entry = cursor
        for layer in stage.layers:
            row, cursor = row_of(cursor, layer)
            rows.append(row)
            if layer.name in heads:
                auxiliary_rows.append(auxiliary_row(cursor, heads[layer.name], num_classes))
        if stage.residual:
            rows.append(shortcut_row(entry, cursor, stage))
    pooled = cursor.pool("pool5", "average pool", max(cursor.size), 1, (1,) * arch.dims)
    linear = pooled.linear("linear", num_classes)
    rows += [single(pooled.done[-1]), single(linear.done[-1])]
    every = tuple(repeated(row, arch.members) for row in rows + auxiliary_rows)
    return Cost(arch.name, (in_channels * arch.members, *size), every)


def _size(arch: Arch, given: Sequence[int]) -> Size:
    """A size along each axis, as a user gave it."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        axes = ", ".join(["size"] * arch.dims)
        raise InputError(f"input_size has a number for every spatial axis, ({axes}) for {arch.name}, not {given!r}.")
    return tuple(whole("A size in input_size", number) for number in given)


def check_size(arch: Arch, size: Size) -> None:
    """Raises InputError unless the network can take inputs of that spatial size."""
    shown = "×".join(map(str, size))
    if len(size) != arch.dims:
        raise InputError(f"{arch.name} takes {arch.dims} spatial axes, not {len(size)} ({shown}).")
    if min(size) < (minimum := minimum_size(arch)):
        raise InputError(f"{arch.name} needs at least {minimum} samples along every spatial axis, not {shown}.")


def minimum_size(arch: Arch) -> int:
    """The smallest legal input size along an axis: every layer still has an output."""
    most = 1
    while not _fits(arch, most):
        if most > INPUT:
            raise InputError(f"{arch.name} needs more than {INPUT:,} samples along an axis, more than can be read.")
        most *= 2
    least = most // 2 + 1  # half of it was too small
    return least + bisect_left(range(least, most), True, key=lambda size: _fits(arch, size))


def _fits(arch: Arch, n: int) -> bool:
    for layer in arch.layers():
        n = size_after(layer, n)
        if n < 1:
            return False
    return True
