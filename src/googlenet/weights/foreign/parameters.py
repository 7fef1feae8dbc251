"""The layers of a network that hold weights, one by one, so that each foreign format only has to name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...arch.spec import Arch, Branch, InceptionSpec
from ...errors import InputError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Unit:
    """A convolution with what follows it, or a linear layer.

    Attributes:
        ours: Its name in our state dicts, such as ``features.3a.branches.5x5.reduce`` or ``classifier``.
        layer: The layer of the architecture that it belongs to, such as ``3a``; of an auxiliary classifier the one
            that it reads; ``""`` for the classifier.
        branch: The branch of its module, such as ``5x5``; ``""`` outside of modules.
        part: ``reduce`` or ``conv`` in the features; ``conv``, ``fc1`` or ``fc2`` in an auxiliary classifier;
            ``""`` for the classifier.
        weight: Shape of its weight: ``(out, in, *kernel)``, or ``(out, in)`` of a linear layer.
        norm: Whether batch norm follows, in place of a bias.
        auxiliary: Its auxiliary classifier, from 1 in depth order; 0 for none.
    """

    ours: str
    layer: str
    branch: str
    part: str
    weight: Shape
    norm: bool
    auxiliary: int = 0

    @property
    def is_linear(self) -> bool:
        """Whether it is a linear layer."""
        return len(self.weight) == 2

    def tensors(self) -> dict[str, Shape]:
        """Names in our state dicts and shapes."""
        place = self.ours if self.is_linear else f"{self.ours}.conv"
        channels = self.weight[:1]
        found = {f"{place}.weight": self.weight}
        if not self.norm:
            return found | {f"{place}.bias": channels}
        vectors = ("weight", "bias", "running_mean", "running_var")
        return (
            found
            | {f"{self.ours}.norm.{name}": channels for name in vectors}
            | {f"{self.ours}.norm.num_batches_tracked": ()}
        )


def units(arch: Arch, num_classes: int = 1000, in_channels: int = 3, auxiliary: bool = True) -> Iterator[Unit]:
    """Every convolution and linear layer in the order of the network, auxiliary classifiers in front of the last.

    Args:
        arch: An architecture of stems and modules: without bottlenecks, shortcuts and members.
        num_classes: Width of the classifier.
        in_channels: Channels of the input.
        auxiliary: Whether its auxiliary classifiers are there.

    Raises:
        InputError: For another architecture; no foreign format has those.
    """
    layers = list(arch.layers())
    modules = [layer for layer in layers if isinstance(layer, InceptionSpec)]
    if arch.members > 1 or any(m.bottleneck for m in modules) or any(stage.residual for stage in arch.stages):
        raise InputError(f"{arch.name} has bottlenecks, shortcuts or members; only safetensors files can hold it.")
    norm = arch.norm == "batch"
    heads = {aux.after: aux for aux in arch.auxiliary} if auxiliary else {}
    widths: dict[str, int] = {}
    channels = in_channels

    def path(ours: str, layer: str, branch: Branch, name: str) -> Iterator[Unit]:
        read = channels
        for part, out, kernel in (("reduce", branch.reduce, 1), ("conv", branch.channels, branch.kernel)):
            if out is not None:
                yield Unit(f"{ours}.{part}", layer, name, part, (out, read, *[kernel] * arch.dims), norm)
                read = out

    for layer in layers:
        if isinstance(layer, Branch):
            yield from path(f"features.{layer.name}", layer.name, layer, "")
            channels = layer.channels or channels
        elif isinstance(layer, InceptionSpec):
            for branch in layer.branches:
                yield from path(f"features.{layer.name}.branches.{branch.name}", layer.name, branch, branch.name)
            channels = sum(branch.channels or channels for branch in layer.branches)
        widths[layer.name] = channels
    for number, aux in enumerate(heads.values(), start=1):
        ours, cells = f"auxiliary.{aux.after}", aux.channels * aux.grid**arch.dims
        yield Unit(
            f"{ours}.conv", aux.after, "", "conv", (aux.channels, widths[aux.after], *[1] * arch.dims), norm, number
        )
        yield Unit(f"{ours}.fc1", aux.after, "", "fc1", (aux.hidden, cells), False, number)
        yield Unit(f"{ours}.fc2", aux.after, "", "fc2", (num_classes, aux.hidden), False, number)
    yield Unit("classifier", "", "", "", (num_classes, channels), False)
