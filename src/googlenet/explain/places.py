"""Places inside a network by name: a layer (``4c``, ``conv2``), a branch of a module (``4c.5x5``), its 1×1 reduction
(``4c.5x5.reduce``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..arch.spec import Arch, InceptionSpec
from ..errors import InputError, unknown
from ..nn.blocks import Inception
from ..nn.googlenet import GoogLeNet

REDUCE = "reduce"


@dataclass(frozen=True)
class Place:
    """Where something comes out of a part of a network.

    Attributes:
        layer: Of the architecture, such as ``"4c"``.
        branch: Of that Inception module; ``None`` for all of them, concatenated.
        reduced: Whether behind the 1×1 reduction of the branch, and not at its end.
    """

    layer: str
    branch: str | None = None
    reduced: bool = False

    def __str__(self) -> str:
        return ".".join([self.layer, *([self.branch] if self.branch else []), *([REDUCE] if self.reduced else [])])


def find_place(arch: Arch, text: str) -> Place:
    """The place of that name.

    Args:
        arch: Of the network.
        text: A layer, ``LAYER.BRANCH`` or ``LAYER.BRANCH.reduce``.

    Raises:
        InputError: If there is none; the sentence suggests the nearest name.
    """
    layer, *rest = str(text).split(".")
    layers = {each.name: each for each in arch.layers()}
    if layer not in layers:
        raise unknown("layer", layer, layers)
    if not rest:
        return Place(layer)
    found = layers[layer]
    if not isinstance(found, InceptionSpec):
        raise InputError(f"{layer} is no Inception module and has no branches; name it alone.")
    branches = {branch.name: branch for branch in found.branches}
    if rest[0] not in branches:
        raise unknown(f"branch of {layer}", rest[0], branches)
    if len(rest) == 1:
        return Place(layer, rest[0])
    if rest[1:] != [REDUCE] or not branches[rest[0]].reduce:
        raise InputError(f"There is no {text}: behind a branch's name stands {REDUCE!r}, where it has a 1×1 in front.")
    return Place(layer, rest[0], True)


def last_place(arch: Arch) -> str:
    """Where methods look that look inside, if nobody says: at the last Inception module, or else the last layer."""
    return (arch.module_names() or [layer.name for layer in arch.layers()])[-1]


def branch_places(arch: Arch) -> dict[str, list[Place]]:
    """Every branch of every Inception module, by the module's name, in order.

    Raises:
        InputError: If it has none.
    """
    modules = [layer for layer in arch.layers() if isinstance(layer, InceptionSpec)]
    if not modules:
        raise InputError("The network has no Inception module, and so no branches; --method cam shows where it looks.")
    return {module.name: [Place(module.name, branch.name) for branch in module.branches] for module in modules}


def module_at(model: GoogLeNet, place: Place) -> nn.Module:
    """What is called there: its output is what comes out."""
    layer = model.features[place.layer]
    if place.branch is None:
        return layer
    assert isinstance(layer, Inception)
    branch = layer.branches[place.branch]
    return branch.get_submodule(REDUCE) if place.reduced else branch


@contextmanager
def outputs_at(model: GoogLeNet, places: Sequence[Place]) -> Iterator[dict[Place, Tensor]]:
    """Yields a dictionary in which every call of the network, while the context lasts, leaves what comes out at places.

    Args:
        model: Any network.
        places: Of it.
    """
    found: dict[Place, Tensor] = {}

    def keep(place: Place) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            found[place] = output

        return hook

    handles = [module_at(model, place).register_forward_hook(keep(place)) for place in places]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
