"""torchvision's ``googlenet``: its state dicts and ``.pth`` files, to ours and back, every key and shape asserted."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ....arch.variants import GOOGLENET_TORCHVISION
from ....errors import InputError
from ....files import write_bytes
from ...checkpoint import Header, Weights, check_tensors, is_safetensors
from ..parameters import LayerParameters, Shape, layer_parameters
from .state_dicts import is_pickled, state_dict_of

_STEM = {("conv1", "conv"): "conv1", ("conv2", "reduce"): "conv2", ("conv2", "conv"): "conv3"}
_BRANCHES = {"1x1": "branch1", "3x3": "branch2", "5x5": "branch3", "pool": "branch4"}
_TYPICAL = "inception3a.branch1.conv.weight"
Row = tuple[str, str, Shape]


def from_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's ``googlenet`` state dict, renamed for ``googlenet_torchvision``.

    The tensors are passed through, not copied. Auxiliary classifiers may be there or not.

    Args:
        state_dict: From ``torchvision.models.googlenet(...).state_dict()`` or its ``.pth`` file.

    Raises:
        InputError: For a key that is missing, left over or of another shape.
    """
    return _from(state_dict, "This state dict")


def to_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of :func:`from_torchvision`; torchvision loads the result with ``strict=True``.

    Args:
        state_dict: From a ``googlenet_torchvision`` network.

    Raises:
        InputError: For a key that is missing, left over or of another shape.
    """
    table = list(_table(state_dict, "classifier", "features.conv1.conv.conv", "auxiliary."))
    check_tensors(state_dict, {ours: shape for ours, _, shape in table}, "This state dict")
    return {theirs: state_dict[ours] for ours, theirs, _ in table}


def recognises(path: Path) -> bool:
    """Whether it is a file of ``torch.save``, or safetensors of other people's with torchvision's names."""
    if is_pickled(path):
        return True
    if not is_safetensors(path):
        return False
    try:
        with safe_open(path, framework="pt") as file:
            return any(name.endswith(_TYPICAL) for name in file.keys())  # noqa: SIM118 (it is no dictionary)
    except SafetensorError:
        return False


def read(path: Path) -> Weights:
    """torchvision's state dict, however it is kept (:mod:`~googlenet.weights.foreign.pytorch.state_dicts`).

    Raises:
        InputError: If it holds something else, or reading it would run code.
    """
    found = state_dict_of(path, [theirs for _, theirs, _ in _rows(False)], "torchvision's googlenet")
    try:
        tensors = _from(found.tensors, str(path))
    except InputError as error:
        if "fc.weight" in found.tensors:
            raise
        raise InputError(
            f"{error} The classifier that can be read is one linear layer, fc.weight and fc.bias; where another name "
            "holds just that, give it this one and save the state dict again."
        ) from error
    classes, channels = len(tensors["classifier.bias"]), tensors["features.conv1.conv.conv.weight"].shape[1]
    auxiliary = any(name.startswith("auxiliary.") for name in tensors)
    header = Header(GOOGLENET_TORCHVISION, classes, channels, auxiliary)
    return Weights(header, tensors, found.notes)


def write(weights: Weights, path: Path) -> None:
    """Writes a ``.pth`` file that torchvision's network loads with ``strict=True``, atomically.

    Raises:
        InputError: If the weights are of another architecture, or it cannot be written.
    """
    if weights.header.arch.stages != GOOGLENET_TORCHVISION.stages:
        raise InputError(f"{weights.header.arch.name} is not torchvision's network; .pth is for googlenet_torchvision.")
    content = io.BytesIO()
    torch.save(to_torchvision(weights.tensors), content)
    write_bytes(path, content.getvalue())


def _from(state_dict: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    table = list(_table(state_dict, "fc", "conv1.conv", "aux"))
    check_tensors(state_dict, {theirs: shape for _, theirs, shape in table}, where)
    return {ours: state_dict[theirs] for ours, theirs, _ in table}


def _table(state_dict: Mapping[str, Tensor], last: str, first: str, auxiliary: str) -> Iterator[Row]:
    """The rows of a network with as many classes, channels and classifiers as this one.

    Args:
        state_dict: By names of either side.
        last: Name of its classifier.
        first: Name of its first convolution.
        auxiliary: What names of auxiliary classifiers begin with.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in state_dict.items()}
    others = (shape for name, shape in shapes.items() if name.startswith(auxiliary) and name.endswith("fc2.bias"))
    classes = shapes.get(f"{last}.bias", next(others, ()))
    kernel = shapes.get(f"{first}.weight", ())
    return _rows(
        any(name.startswith(auxiliary) for name in shapes),
        classes[0] if len(classes) == 1 else 1000,
        kernel[1] if len(kernel) == 4 else 3,
    )


def _rows(auxiliary: bool, classes: int = 1000, channels: int = 3) -> Iterator[Row]:
    """Our name, torchvision's and its shape, for every tensor of the network."""
    for layer in layer_parameters(GOOGLENET_TORCHVISION, classes, channels, auxiliary):
        theirs = _layer_name(layer)
        for ours, shape in layer.tensors().items():
            part = ours.removeprefix(f"{layer.ours}.").replace("norm.", "bn.")
            yield ours, f"{theirs}.{part}", shape


def _layer_name(layer: LayerParameters) -> str:
    """torchvision's name of a layer with weights."""
    if layer.auxiliary:
        return f"aux{layer.auxiliary}.{layer.part}"
    if layer.branch:
        place = f"inception{layer.name}.{_BRANCHES[layer.branch]}"
        # The other branches are sequences: reduce and conv, or pool and conv.
        return place if layer.branch == "1x1" else f"{place}.{int(layer.part == 'conv')}"
    return _STEM[layer.name, layer.part] if layer.name else "fc"
