"""State dicts of other people's GoogLeNets, to ours and back, every key and shape asserted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from ..arch import Arch, Branch, InceptionSpec
from ..errors import InputError
from ..model import GoogLeNet
from ..variants import GOOGLENET_TORCHVISION
from .checkpoint import check_tensors

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
    ours = _renamed(state_dict, names)
    _check(ours)
    return ours


def to_torchvision(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of :func:`from_torchvision`; torchvision loads the result with ``strict=True``.

    Args:
        state_dict: From a ``googlenet_torchvision`` network.

    Raises:
        InputError: For a key that is missing, left over or of another shape.
    """
    theirs = _renamed(state_dict, dict(_names(_has_aux(state_dict, "auxiliary."))))
    _check(state_dict)
    return theirs


def _has_aux(state_dict: Mapping[str, Tensor], prefix: str) -> bool:
    return any(key.startswith(prefix) for key in state_dict)


def _check(state_dict: Mapping[str, Tensor]) -> None:
    """Raises InputError unless these are the tensors of ``googlenet_torchvision``, shape by shape."""
    classes = state_dict["classifier.bias"].shape[0]
    with torch.device("meta"):
        model = GoogLeNet(GOOGLENET_TORCHVISION, classes, auxiliary=_has_aux(state_dict, "auxiliary."))
    check_tensors(state_dict, model.state_dict(), "This state dict")


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
    arch = GOOGLENET_TORCHVISION
    for ours, theirs in _units(arch, auxiliary):
        yield f"{ours}.conv.weight", f"{theirs}.conv.weight"
        for part in _NORM:
            yield f"{ours}.norm.{part}", f"{theirs}.bn.{part}"
    linears = [("classifier", "fc")]
    if auxiliary:
        for number, aux in enumerate(arch.auxiliary, start=1):
            linears += [(f"auxiliary.{aux.after}.{fc}", f"aux{number}.{fc}") for fc in ("fc1", "fc2")]
    for ours, theirs in linears:
        for part in ("weight", "bias"):
            yield f"{ours}.{part}", f"{theirs}.{part}"


def _units(arch: Arch, auxiliary: bool) -> Iterator[tuple[str, str]]:
    """Pairs of names of the convolution units. torchvision numbers those of the stem and of a branch."""
    stem = 0
    for layer in arch.layers():
        if isinstance(layer, Branch):
            for part in _parts(layer):
                stem += 1
                yield f"features.{layer.name}.{part}", f"conv{stem}"
        elif isinstance(layer, InceptionSpec):
            for number, branch in enumerate(layer.branches, start=1):
                theirs = f"inception{layer.name}.branch{number}"
                parts = (["pool"] if branch.pool else []) + _parts(branch)
                for place, part in enumerate(parts):
                    if part != "pool":
                        ours = f"features.{layer.name}.branches.{branch.name}.{part}"
                        yield ours, theirs if len(parts) == 1 else f"{theirs}.{place}"
    if auxiliary:
        for number, aux in enumerate(arch.auxiliary, start=1):
            yield f"auxiliary.{aux.after}.conv", f"aux{number}.conv"


def _parts(branch: Branch) -> list[str]:
    return ["reduce", "conv"] if branch.reduce else ["conv"]
