"""TensorFlow's ``inception5h``, Lucid's and Distill's InceptionV1: its frozen graph to ours, every constant asserted.

The file is ``tensorflow_inception_graph.pb`` of ``inception5h.zip``, or Lucid's ``InceptionV1.pb``; names, widths and
attributes are those of its nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ....arch.spec import Arch, Layer, ResponseNorm
from ....arch.variants import INCEPTION5H
from ....errors import InputError
from ...checkpoint import Header, Weights, check_tensors
from .. import preprocessing
from ..parameters import LayerParameters, Shape, layer_parameters
from ..protobuf import Damaged
from .graph_def import Node, is_graph, nodes_of
from .tensor_bundle import sentences

CLASSES = 1008
_CONVOLUTIONS = {"conv1": "conv2d0", "reduce": "conv2d1", "conv": "conv2d2"}
_HEADS = {"conv": "head{}_bottleneck", "fc1": "nn{}", "fc2": "softmax{}"}
_NORMS = {"norm1": "localresponsenorm0", "norm2": "localresponsenorm1"}
_QUIRKS = (
    "Its classes are in an order of their own, named in imagenet_comp_graph_label_strings.txt beside the graph.",
    "4a has 204 channels of 3×3 where the paper has 208, and 5a reduces to 48 before its 5×5 where the paper has 32.",
)

recognises = is_graph


def read(path: Path) -> Weights:
    """The graph of ``inception5h``, with or without its auxiliary classifiers.

    The response norms are what their nodes say: TensorFlow's radius and its factor of each square, where ours is of
    the squares' mean.

    Raises:
        InputError: If it is missing, damaged, or of another network.
    """
    nodes = nodes_of(path)
    with sentences(path):
        constants = {name: node.constant(path) for name, node in nodes.items() if name.endswith(("_w", "_b"))}
        arch = _arch(nodes, path)
    auxiliary = any(name.startswith(("head", "nn")) for name in constants)
    last = constants.get("softmax2_b")
    classes = last.shape[0] if last is not None and len(last.shape) == 1 else CLASSES
    layers = layer_parameters(arch, classes, auxiliary=auxiliary)
    rows = [row for layer in layers for row in _rows(layer)]
    shapes = {name: torch.empty(each.shape, device="meta") for name, each in constants.items()}
    check_tensors(shapes, {theirs: shape for _, theirs, shape in rows}, str(path))
    tensors = {ours: torch.from_numpy(np.asarray(constants[theirs], np.float32)) for ours, theirs, _ in rows}
    for layer in layers:
        name = f"{layer.ours}.weight" if layer.is_linear else f"{layer.ours}.conv.weight"
        tensors[name] = _turned(tensors[name], layer)
    header = Header(arch, classes, 3, auxiliary, {"preprocessing": preprocessing.INCEPTION5H.to_dict()})
    return Weights(header, tensors, _QUIRKS)


def _turned(weight: Tensor, layer: LayerParameters) -> Tensor:
    """A kernel ``(*kernel, in, out)`` or a matrix ``(in, out)`` with outputs and inputs in front.

    The first linear layer of an auxiliary classifier reads a map whose channels lie behind its rows and columns there
    and in front of them here.
    """
    if not layer.is_linear:
        return weight.permute(3, 2, 0, 1).contiguous()
    if layer.part == "fc1":
        head = next(head for head in INCEPTION5H.auxiliary if head.after == layer.name)
        map_last = weight.reshape(head.grid, head.grid, head.channels, -1)
        return map_last.permute(3, 2, 0, 1).flatten(1).contiguous()
    return weight.T.contiguous()


def _rows(layer: LayerParameters) -> Iterator[tuple[str, str, Shape]]:
    """Our name, the graph's and its shape, for the weight and the bias of a layer."""
    out, into, *kernel = layer.weight
    place = layer.ours if layer.is_linear else f"{layer.ours}.conv"
    yield f"{place}.weight", f"{_name(layer)}_w", (*kernel, into, out)
    yield f"{place}.bias", f"{_name(layer)}_b", (out,)


def _name(layer: LayerParameters) -> str:
    """The graph's name of a layer."""
    if layer.auxiliary:
        return _HEADS[layer.part].format(layer.auxiliary - 1)
    if not layer.name:
        return "softmax2"
    if not layer.branch:
        return _CONVOLUTIONS[layer.name if layer.name in _CONVOLUTIONS else layer.part]
    if layer.branch == "pool":
        return f"mixed{layer.name}_pool_reduce"
    return f"mixed{layer.name}_{layer.branch}{'_bottleneck' if layer.part == 'reduce' else ''}"


def _arch(nodes: Mapping[str, Node], path: Path) -> Arch:
    """The variant with the response norms of the graph."""

    def as_there(layer: Layer) -> Layer:
        return _norm(layer, nodes, path) if isinstance(layer, ResponseNorm) else layer

    stages = (replace(stage, layers=tuple(map(as_there, stage.layers))) for stage in INCEPTION5H.stages)
    return replace(INCEPTION5H, stages=tuple(stages))


def _norm(layer: ResponseNorm, nodes: Mapping[str, Node], path: Path) -> ResponseNorm:
    """A response norm as its node has it; what it leaves out is TensorFlow's default.

    Raises:
        InputError: If there is no such node.
    """
    node = nodes.get(_NORMS[layer.name])
    if node is None or node.op != "LRN":
        raise InputError(f"{path} is not the graph of inception5h: it has no LRN called {_NORMS[layer.name]}.")
    radius = node.integer("depth_radius", 5)
    if not 0 < radius < 64:
        raise Damaged(f"the radius of {node.name} is {radius}")
    size = 2 * radius + 1
    alpha = round(size * node.real("alpha", 1.0), 9)
    return ResponseNorm(layer.name, size, alpha, node.real("beta", 0.5), node.real("bias", 1.0))
