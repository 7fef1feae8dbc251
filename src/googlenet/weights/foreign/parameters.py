"""The layers of a network that hold parameters, one by one, so that each foreign format only has to name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...arch.spec import (
    Arch,
    Auxiliary,
    AveragePool,
    Branch,
    InceptionSpec,
    Layer,
    MaxPool,
    ResponseNorm,
    entry_for,
)
from ...errors import InputError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerParameters:
    """Parameters of a convolution with the norm that follows it, or of a linear layer.

    Attributes:
        ours: Its name in our state dicts, such as ``features.3a.branches.5x5.reduce`` or ``classifier``.
        name: The layer of the architecture that it belongs to, such as ``3a``; of an auxiliary classifier the one
            that it reads; ``""`` for the classifier.
        branch: The branch of its module, such as ``5x5``; ``""`` outside of modules.
        part: ``reduce`` or ``conv`` in the features; ``conv``, ``fc1`` or ``fc2`` in an auxiliary classifier;
            ``""`` for the classifier.
        weight: Shape of its weight: ``(out, in, *kernel)``, or ``(out, in)`` of a linear layer.
        norm: Whether batch norm follows, in place of a bias.
        auxiliary: Its auxiliary classifier, from 1 in depth order; 0 for none.
    """

    ours: str
    name: str
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


def layer_parameters(
    arch: Arch, num_classes: int = 1000, in_channels: int = 3, auxiliary: bool = True
) -> list[LayerParameters]:
    """Every convolution and linear layer in the order of the network, auxiliary classifiers in front of the last.

    Args:
        arch: An architecture of stems and modules: without bottlenecks, shortcuts and members.
        num_classes: Width of the classifier.
        in_channels: Channels of the input.
        auxiliary: Whether its auxiliary classifiers are there.

    Raises:
        InputError: For another architecture, and for a kind of layer that :data:`LAYERS` does not have.
    """
    if arch.members > 1 or any(stage.residual for stage in arch.stages):
        raise _without_names(arch)
    found: list[LayerParameters] = []
    channels, widths = in_channels, {}
    for layer in arch.layers():
        of_layer, channels = entry_for(layer, LAYERS, "what gives names to parameters")(arch, layer, channels)
        found += of_layer
        widths[layer.name] = channels
    for number, head in enumerate(arch.auxiliary if auxiliary else (), start=1):
        found += _of_auxiliary(arch, head, number, widths[head.after], num_classes)
    return [*found, LayerParameters("classifier", "", "", "", (num_classes, channels), False)]


# ----------------------------------------------------------------- by kind of layer
Found = tuple[list[LayerParameters], int]
"""A layer's parameters and the channels that it gives."""


def _of_branch(arch: Arch, layer: Branch, channels: int) -> Found:
    return _of_path(arch, f"features.{layer.name}", layer.name, "", layer, channels), layer.channels or channels


def _of_module(arch: Arch, module: InceptionSpec, channels: int) -> Found:
    if module.bottleneck:
        raise _without_names(arch)
    found, width = [], 0
    for branch in module.branches:
        place = f"features.{module.name}.branches.{branch.name}"
        found += _of_path(arch, place, module.name, branch.name, branch, channels)
        width += branch.channels or channels
    return found, width


def _of_nothing(arch: Arch, layer: Layer, channels: int) -> Found:
    """A pool or response norm: no parameters, as many channels as come in."""
    return [], channels


LAYERS: dict[type[Layer], Callable[[Arch, Any, int], Found]] = {
    Branch: _of_branch,
    InceptionSpec: _of_module,
    MaxPool: _of_nothing,
    AveragePool: _of_nothing,
    ResponseNorm: _of_nothing,
}
"""Kind of layer to the function that gives its parameters and the channels behind it, from the channels before it."""


def _of_path(arch: Arch, ours: str, layer: str, name: str, branch: Branch, channels: int) -> list[LayerParameters]:
    found = []
    for part, out, kernel in (("reduce", branch.reduce, 1), ("conv", branch.channels, branch.kernel)):
        if out is not None:
            weight = (out, channels, *[kernel] * arch.dims)
            found.append(LayerParameters(f"{ours}.{part}", layer, name, part, weight, arch.norm == "batch"))
            channels = out
    return found


def _of_auxiliary(arch: Arch, head: Auxiliary, number: int, channels: int, num_classes: int) -> list[LayerParameters]:
    cells = head.channels * head.grid**arch.dims
    weights = {
        "conv": (head.channels, channels, *[1] * arch.dims),
        "fc1": (head.hidden, cells),
        "fc2": (num_classes, head.hidden),
    }
    return [
        LayerParameters(
            f"auxiliary.{head.after}.{part}",
            head.after,
            "",
            part,
            weight,
            part == "conv" and arch.norm == "batch",
            number,
        )
        for part, weight in weights.items()
    ]


def _without_names(arch: Arch) -> InputError:
    return InputError(
        f"{arch.name} has bottlenecks, shortcuts or members, for which no one else has names; only .safetensors and "
        ".onnx files can hold it."
    )
