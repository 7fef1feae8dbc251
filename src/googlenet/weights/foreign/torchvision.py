"""torchvision's ``googlenet``: its state dicts and ``.pth`` files, to ours and back, every key and shape asserted."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ...arch.variants import GOOGLENET_TORCHVISION
from ...errors import InputError
from ...files import write_bytes
from ..checkpoint import Header, Weights, check_tensors
from .parameters import LayerParameters, layer_parameters

_STEM = {("conv1", "conv"): "conv1", ("conv2", "reduce"): "conv2", ("conv2", "conv"): "conv3"}
_BRANCHES = {"1x1": "branch1", "3x3": "branch2", "5x5": "branch3", "pool": "branch4"}
_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def from_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's ``googlenet`` state dict, renamed for ``googlenet_torchvision``.

    The tensors are passed through, not copied. Auxiliary classifiers may be there or not.

    Args:
        state_dict: From ``torchvision.models.googlenet(...).state_dict()`` or its ``.pth`` file.

    Raises:
        InputError: For a key that is missing, left over or of another shape.
    """
    names = {theirs: ours for ours, theirs in _names(_has_aux(state_dict, "aux1."))}
    return _checked(_renamed(state_dict, names))


def to_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of :func:`from_torchvision`; torchvision loads the result with ``strict=True``.

    Args:
        state_dict: From a ``googlenet_torchvision`` network.

    Raises:
        InputError: For a key that is missing, left over or of another shape.
    """
    theirs = _renamed(state_dict, dict(_names(_has_aux(state_dict, "auxiliary."))))
    _checked(state_dict)
    return theirs


def recognises(path: Path) -> bool:
    """Whether it is a file of ``torch.save``, of today or, a bare pickle, of before PyTorch 1.6."""
    if path.suffix not in (".pth", ".pt") or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) in (b"PK", b"\x80\x02")


def read(path: Path) -> Weights:
    """A ``.pth`` file with torchvision's state dict.

    Raises:
        InputError: If it holds something else.
    """
    try:
        theirs = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of bytes that only look like a pickle PyTorch raises whatever comes
        raise InputError(f"{path} is not a file of plain tensors ({str(error).splitlines()[0]}).") from error
    theirs = theirs.get("state_dict", theirs) if isinstance(theirs, dict) else theirs
    named = isinstance(theirs, dict) and all(isinstance(k, str) and isinstance(t, Tensor) for k, t in theirs.items())
    if not named or "fc.bias" not in theirs or theirs["fc.bias"].ndim != 1:
        raise InputError(f"{path} holds no state dict of torchvision's googlenet.")
    tensors = from_torchvision(theirs)
    auxiliary = _has_aux(tensors, "auxiliary.")
    return Weights(Header(GOOGLENET_TORCHVISION, len(tensors["classifier.bias"]), 3, auxiliary), tensors)


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


def _has_aux(state_dict: Mapping[str, Tensor], prefix: str) -> bool:
    return any(key.startswith(prefix) for key in state_dict)


def _checked(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Raises InputError unless these are the tensors of ``googlenet_torchvision``, shape by shape."""
    classes = len(tensors["classifier.bias"])
    layers = layer_parameters(GOOGLENET_TORCHVISION, classes, auxiliary=_has_aux(tensors, "auxiliary."))
    wanted = {name: shape for layer in layers for name, shape in layer.tensors().items()}
    check_tensors(tensors, wanted, "This state dict")
    return dict(tensors)


def _renamed(state_dict: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    missing = [key for key in names if key not in state_dict]
    left = [key for key in state_dict if key not in names]
    if missing or left:
        raise InputError(
            f"This is not a state dict of torchvision's network: {len(missing)} keys are missing "
            f"({', '.join(missing[:3])}) and {len(left)} are left over ({', '.join(left[:3])})."
        )
    return {names[key]: tensor for key, tensor in state_dict.items()}


def _names(auxiliary: bool) -> Iterator[tuple[str, str]]:
    """Pairs of our name and torchvision's, for every tensor of the network."""
    for layer in layer_parameters(GOOGLENET_TORCHVISION, auxiliary=auxiliary):
        theirs = _layer_name(layer)
        if layer.is_linear:
            yield from ((f"{layer.ours}.{part}", f"{theirs}.{part}") for part in ("weight", "bias"))
        else:
            yield f"{layer.ours}.conv.weight", f"{theirs}.conv.weight"
            yield from ((f"{layer.ours}.norm.{part}", f"{theirs}.bn.{part}") for part in _NORM)


def _layer_name(layer: LayerParameters) -> str:
    """torchvision's name of a layer with weights."""
    if layer.auxiliary:
        return f"aux{layer.auxiliary}.{layer.part}"
    if layer.branch:
        place = f"inception{layer.name}.{_BRANCHES[layer.branch]}"
        # The other branches are sequences: reduce and conv, or pool and conv.
        return place if layer.branch == "1x1" else f"{place}.{int(layer.part == 'conv')}"
    return _STEM[layer.name, layer.part] if layer.name else "fc"
