"""TF-slim's ``inception_v1``: its checkpoints to ours, every variable and shape asserted.

The network and its names are those of ``research/slim/nets/inception_v1.py`` in TensorFlow's models, the published
weights ``inception_v1_2016_08_28``. Its batch norm has no scale, so ours is one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ....arch.variants import GOOGLENET_SLIM
from ....errors import InputError
from ...checkpoint import Header, Weights, check_tensors
from ..parameters import LayerParameters, layer_parameters
from ..preprocessing import SLIM
from .tensor_bundle import Variable, is_table, table_of, variables

SCOPE = "InceptionV1"
WITH_BACKGROUND = 1001

_STEM = {"conv1": "Conv2d_1a_7x7", "reduce": "Conv2d_2b_1x1", "conv": "Conv2d_2c_3x3"}
_BRANCHES = {"1x1": "Branch_0", "3x3": "Branch_1", "5x5": "Branch_2", "pool": "Branch_3"}
_NORM = {"bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
_OF_TRAINING = ("global_step", "beta1_power", "beta2_power")


def recognises(path: Path) -> bool:
    """Whether it is a checkpoint of TensorFlow: its prefix, a part of it, or a V1 file."""
    return is_table(table_of(path))


def read(path: Path) -> Weights:
    """A checkpoint of ``inception_v1``, V1 or V2; 1001 classes become 1000, see :func:`without_background`.

    Args:
        path: The prefix ``x.ckpt``, or a file of the checkpoint.

    Raises:
        InputError: If it is missing, damaged, or of another network.
    """
    weights = from_slim(variables(path), str(path))
    return without_background(weights) if weights.header.num_classes == WITH_BACKGROUND else weights


def from_slim(found: Mapping[str, Variable | npt.NDArray[Any]], where: str = "This checkpoint") -> Weights:
    """The variables of ``inception_v1`` as weights of ``googlenet_slim``.

    What training keeps beside the network is left out and counted in the quirks: ``global_step``, and slots of
    optimizers and moving averages, whose names are a variable's of the network with a part more.

    Args:
        found: By TensorFlow's names.
        where: They are from; for the sentence.

    Raises:
        InputError: If a variable is missing, left over or of another shape.
    """
    biases = found.get(f"{SCOPE}/Logits/Conv2d_0c_1x1/biases", np.zeros(0))
    classes = biases.shape[0] if len(biases.shape) == 1 else 0
    layers = layer_parameters(GOOGLENET_SLIM, classes)
    pairs = [pair for layer in layers for pair in _names(layer)]
    wanted = {theirs: shape for _, theirs, shape in pairs}
    others = [name for name in found if name in _OF_TRAINING or name.rpartition("/")[0] in wanted]
    shapes = {name: torch.empty(found[name].shape, device="meta") for name in found if name not in others}
    check_tensors(shapes, wanted, where)
    tensors = {ours: _tensor(np.asarray(found[theirs], np.float32)) for ours, theirs, _ in pairs}
    for layer in layers:
        if layer.norm:
            tensors[f"{layer.ours}.norm.weight"] = torch.ones(layer.weight[0])
            tensors[f"{layer.ours}.norm.num_batches_tracked"] = torch.tensor(0)
        else:
            tensors[f"{layer.ours}.weight"] = tensors[f"{layer.ours}.weight"].flatten(1)
    header = Header(GOOGLENET_SLIM, classes, 3, False, {"preprocessing": SLIM.to_dict()})
    if not others:
        return Weights(header, tensors)
    left_out = f"{len(others)} of {len(found)} variables, such as {others[0]}"
    return Weights(header, tensors, (f"Left out, since only training needs them: {left_out}.",))


def without_background(weights: Weights) -> Weights:
    """The same weights without class 0, which TF-slim keeps for "none of these" and no training picture has.

    Raises:
        InputError: If there is no class besides.
    """
    classes = weights.header.num_classes - 1
    if classes < 1:
        raise InputError("These weights have one class; without it there is none.")
    last = {name: weights.tensors[name][1:].clone() for name in ("classifier.weight", "classifier.bias")}
    return Weights(
        dataclasses.replace(weights.header, num_classes=classes),
        {**weights.tensors, **last},
        (
            *weights.quirks,
            f"Class 0 of {classes + 1}, TF-slim's background, was left out; class 1 is 0 now, and so on.",
        ),
    )


def _tensor(values: npt.NDArray[np.float32]) -> Tensor:
    """Of a vector, or of a convolution's ``(*kernel, in, out)``, which becomes ``(out, in, *kernel)``."""
    return torch.from_numpy(np.ascontiguousarray(values.transpose(3, 2, 0, 1) if values.ndim == 4 else values))


def _names(layer: LayerParameters) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Our name, TF-slim's and its shape, for every variable of a layer."""
    out, into, *kernel = layer.weight
    theirs = f"{SCOPE}/{_scope(layer)}"
    if not layer.norm:
        yield f"{layer.ours}.weight", f"{theirs}/weights", (1, 1, into, out)
        yield f"{layer.ours}.bias", f"{theirs}/biases", (out,)
        return
    yield f"{layer.ours}.conv.weight", f"{theirs}/weights", (*kernel, into, out)
    for ours, name in _NORM.items():
        yield f"{layer.ours}.norm.{ours}", f"{theirs}/BatchNorm/{name}", (out,)


def _scope(layer: LayerParameters) -> str:
    """TF-slim's scope of a layer within the network's."""
    if not layer.name:
        return "Logits/Conv2d_0c_1x1"
    if not layer.branch:
        return _STEM[layer.name if layer.name in _STEM else layer.part]
    module = f"{layer.name[:-1]}{chr(ord(layer.name[-1]) + 1)}"  # our 3a is its 3b
    first = layer.part == "reduce" or layer.branch == "1x1"
    kernel = "x".join(map(str, layer.weight[2:]))
    # The third branch of its Mixed_5b alone has two convolutions that are called 0a.
    letter = "a" if first or (layer.name, layer.branch) == ("5a", "5x5") else "b"
    return f"Mixed_{module}/{_BRANCHES[layer.branch]}/Conv2d_0{letter}_{kernel}"
