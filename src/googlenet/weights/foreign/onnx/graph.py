"""ONNX graphs of networks: ours, with every tensor under its own name, and the ONNX model zoo's ``inception_v1``."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ....arch.spec import Arch, Layer, MaxPool, ResponseNorm
from ....arch.variants import GOOGLENET
from ....errors import InputError, parsed, reason
from ....files import open_plain, read_bytes, write_bytes
from ....limits import PROTOBUF
from ...checkpoint import Header, Weights, check_tensors, network_of, of_shapes_alone
from ..caffe.caffemodel import layer_name, quirks_of
from ..parameters import Shape, layer_parameters
from ..preprocessing import BVLC
from ..protobuf import Damaged, all_bytes, message_of, number_of, one_file

if TYPE_CHECKING:
    import onnx

COUNTERS = "counters"
"""Key of the metadata that holds what no node reads: how many batches each batch norm has seen, as JSON."""

_FORMAT = "googlenet"  # of the header, and the key of the notes in what `googlenet export` writes
_FIRST = "conv1/7x7_s2_w_0"  # a weight of the zoo's graph
_START = b"\x08"  # a ModelProto begins with the version of the format
_NODES = {"Conv": 57, "MaxPool": 13, "LRN": 2, "Concat": 9, "Gemm": 1}  # of the zoo's graph
_PARTS = ("w_0", "b_0")


def recognises(path: Path) -> bool:
    """Whether it is a file of the suffix ``.onnx`` that begins as such files do; needs no package ``onnx``."""
    if path.suffix != ".onnx" or not path.is_file():
        return False
    with open_plain(path) as file:
        return file.read(1) == _START


def read(path: Path) -> Weights:
    """The weights in an ONNX graph: one that :func:`write` wrote, or the ONNX model zoo's ``inception_v1``.

    Raises:
        InputError: If it is missing, damaged, of another network or an exported model, or ``onnx`` is not installed.
    """
    model = _load(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if metadata.get("format") == _FORMAT:
        return _read_ours(model, metadata, path)
    if _FORMAT in metadata:
        raise InputError(
            f"{path} is an exported model, from pixels to probabilities with batch norm folded, not weights; "
            "take model.safetensors of the run that it was exported from."
        )
    if _FIRST in _weights_by_name(model):
        return _read_zoo(model, path)
    raise InputError(
        f"{path} is an ONNX graph of another kind: its weights have neither the names that googlenet writes nor those "
        f"of the ONNX model zoo's inception_v1 ({_FIRST} and so on)."
    )


def write(weights: Weights, path: Path) -> None:
    """Writes an ONNX graph of the network in evaluation mode, atomically; :func:`read` gives back every bit.

    Its input is ``input``, ``(N, C, *spatial)`` in float32, normalised as the network wants it, for any N. Its outputs
    are ``logits``, and of each auxiliary classifier ``aux_4a`` and so on. Weights and statistics are initialisers
    under the names of our state dicts; batch norm stays a node.

    Raises:
        InputError: If it cannot be written, or ``onnx`` is not installed.
    """
    _require()
    from .nodes import model_of

    state = {name: tensor.cpu() for name, tensor in network_of(weights).state_dict().items()}
    counters = {name: int(tensor) for name, tensor in state.items() if not tensor.is_floating_point()}
    arrays = {name: tensor.numpy() for name, tensor in state.items() if name not in counters}
    model = model_of(weights.header, arrays, weights.header.input_size)
    for key, value in (weights.header.to_metadata() | {COUNTERS: json.dumps(counters)}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    write_bytes(path, model.SerializeToString())


def initializers(path: Path) -> dict[str, Tensor]:
    """Every tensor that lies in an ONNX file of any network.

    Raises:
        InputError: If it is missing or damaged, or ``onnx`` is not installed.
    """
    return _tensors(_load(path), path)


# ----------------------------------------------------------------- ours
def _read_ours(model: onnx.ModelProto, metadata: Mapping[str, str], path: Path) -> Weights:
    from .nodes import CONSTANT

    header = Header.from_metadata(metadata, path)
    try:
        counters = {name: torch.tensor(int(value)) for name, value in parsed(metadata[COUNTERS]).items()}
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InputError(f"{path} does not say whole what it is of: its metadata was changed ({error}).") from error
    wanted = {name: tuple(tensor.shape) for name, tensor in of_shapes_alone(header).state_dict().items()}
    found = _tensors(model, path) | counters
    tensors = {name: tensor for name, tensor in found.items() if not name.startswith(CONSTANT)}
    check_tensors(tensors, wanted, str(path))
    return Weights(header, {name: tensors[name] for name in wanted})


# ----------------------------------------------------------------- the ONNX model zoo's inception_v1
def _read_zoo(model: onnx.ModelProto, path: Path) -> Weights:
    """BVLC's network, which went through Caffe2 into the ONNX model zoo (``vision/classification/inception_v1``)."""
    arch = _zoo_arch(model, path)
    names = {
        f"{layer_name(layer)}_{part}": (ours, shape)
        for layer in layer_parameters(arch, auxiliary=False)
        for (ours, shape), part in zip(layer.tensors().items(), _PARTS, strict=True)
    }
    given = _zoo_tensors(model, {name: shape for name, (_, shape) in names.items()}, path)
    tensors = {ours: given[name] for name, (ours, _) in names.items()}
    first = names[_FIRST][0]
    tensors[first] = tensors[first].flip(1)
    quirks = list(quirks_of(BVLC))
    if arch != GOOGLENET:
        quirks.append(
            "The graph's pools drop the last, partial window that Caffe's keep (maps of 55, 27, 13 and 6 for 56, 28, "
            "14 and 7), and so does the architecture here; create_model('googlenet') has the pools that the "
            "weights were trained with."
        )
    return Weights(Header(arch, 1000, 3, False, {"preprocessing": BVLC.to_dict()}), tensors, tuple(quirks))


def _zoo_tensors(model: onnx.ModelProto, wanted: Mapping[str, Shape], path: Path) -> dict[str, Tensor]:
    """The graph's weights, by its names and of these shapes.

    Raises:
        InputError: If one is missing, left over or of another shape.
    """
    found = _tensors(model, path)
    filled = {node.output[0] for node in model.graph.node if node.op_type == "ConstantOfShape"}
    empty = [name for name in wanted if name in filled and name not in found]
    if empty:
        raise InputError(
            f"{path} holds no weights: {len(empty)} of them are left to be filled with one value ({empty[0]}), as in "
            "the test files of the package onnx. Fetch the file from the ONNX model zoo."
        )
    given = {name: tensor for name, tensor in found.items() if name in wanted or tensor.dtype != torch.int64}
    given = {name: _squeezed(tensor, wanted.get(name, ())) for name, tensor in given.items()}
    check_tensors(given, wanted, str(path))
    return given


def _zoo_arch(model: onnx.ModelProto, path: Path) -> Arch:
    """The published network with the pools of the graph.

    Raises:
        InputError: If the graph has other nodes than the zoo's.
    """
    nodes = Counter(node.op_type for node in model.graph.node)
    wrong = [f"{nodes[kind]} {kind} nodes, not {count}" for kind, count in _NODES.items() if nodes[kind] != count]
    if wrong:
        raise InputError(f"{path} has the names of BVLC's GoogLeNet but is another network: {', '.join(wrong)}.")
    rounds_up = [ceil for node in model.graph.node if (ceil := _rounds_up(node, path)) is not None]
    pools = [layer.name for layer in GOOGLENET.layers() if isinstance(layer, MaxPool)]
    if len(rounds_up) != len(pools):
        raise InputError(f"{path} has {len(rounds_up)} pools of stride 2, not {len(pools)} as BVLC's GoogLeNet has.")
    ceil_of = dict(zip(pools, rounds_up, strict=True))
    norm = ResponseNorm("")
    for node in model.graph.node:
        if node.op_type == "LRN":
            values = _attributes(node)
            found = (values["size"], values.get("alpha", 1e-4), values.get("beta", 0.75), values.get("bias", 1.0))
            if not all(map(_close, found, (norm.size, norm.alpha, norm.beta, norm.k))):
                raise InputError(f"{path} has another response norm than BVLC's GoogLeNet: {found}.")

    def with_pool(layer: Layer) -> Layer:
        return replace(layer, ceil=ceil_of[layer.name]) if isinstance(layer, MaxPool) else layer

    stages = [replace(stage, layers=tuple(map(with_pool, stage.layers))) for stage in GOOGLENET.stages]
    return replace(GOOGLENET, stages=tuple(stages))


def _rounds_up(node: onnx.NodeProto, path: Path) -> bool | None:
    """Whether a pool between modules keeps a last, partial window; ``None`` for other nodes.

    Of a 3×3 pool of stride 2, one row and column of padding at the end do just what ``ceil_mode`` does.
    """
    values = _attributes(node) if node.op_type == "MaxPool" else {}
    if values.get("strides") != [2, 2]:
        return None
    pads, ceil = list(values.get("pads", [0, 0, 0, 0])), bool(values.get("ceil_mode", 0))
    if values["kernel_shape"] != [3, 3] or (pads, ceil) not in (
        ([0, 0, 0, 0], False),
        ([0, 0, 0, 0], True),
        ([0, 0, 1, 1], False),
    ):
        raise InputError(f"{path} has a pool that BVLC's GoogLeNet has not: {values}.")
    return ceil or pads[2] == 1


def _squeezed(tensor: Tensor, shape: Shape) -> Tensor:
    """Caffe gives the classifier's weight two leading axes of length 1."""
    return tensor.reshape(shape) if tensor.shape == (1, 1, *shape) else tensor


# ----------------------------------------------------------------- reading graphs
def _require() -> None:
    try:
        import onnx  # noqa: F401
    except ModuleNotFoundError:
        raise InputError("onnx is not installed: pip install 'googlenet[deploy]'.") from None


def _load(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    _require()
    import onnx

    try:
        content = read_bytes(path, PROTOBUF)
        _check_whole(content)
        model = onnx.load_from_string(content)
        _check_names(model)
    except Exception as error:  # protobuf's own, and others for weights in a file beside it
        raise InputError(f"{path} is not a whole ONNX file ({reason(error)}).") from error
    if not model.graph.node:
        raise InputError(f"{path} is not a whole ONNX file: it holds no graph.")
    return model


def _check_whole(content: bytes) -> None:
    """That a file has no more parts than such files have, and all of its weights.

    Raises:
        Damaged: If not.
    """
    with one_file():
        for graph in map(message_of, all_bytes(message_of(memoryview(content)), 7)):
            for node in all_bytes(graph, 1):
                message_of(node)
            for tensor in map(message_of, all_bytes(graph, 5)):
                if 13 in tensor or number_of(tensor, 14):
                    raise Damaged("its weights lie in other files, which are not read")


def _check_names(model: onnx.ModelProto) -> None:
    """That names are text: others are bytes to Python.

    Raises:
        Damaged: If not.
    """
    names: list[object] = [tensor.name for tensor in model.graph.initializer]
    for node in model.graph.node:
        names += [node.name, node.op_type, *node.input, *node.output, *(each.name for each in node.attribute)]
    names += [text for entry in model.metadata_props for text in (entry.key, entry.value)]
    if not all(isinstance(name, str) for name in names):
        raise Damaged("its names are no text")


def _weights_by_name(model: onnx.ModelProto) -> set[str]:
    """Names that nodes read weights under: initialisers and what constant nodes fill."""
    filled = {node.output[0] for node in model.graph.node if not node.input or node.op_type == "ConstantOfShape"}
    return filled | {tensor.name for tensor in model.graph.initializer}


def _tensors(model: onnx.ModelProto, path: Path) -> dict[str, Tensor]:
    """The initialisers.

    Raises:
        InputError: If one has not as many bytes as its shape says.
    """
    from onnx import numpy_helper

    found = {}
    for tensor in model.graph.initializer:
        try:
            found[tensor.name] = torch.from_numpy(numpy_helper.to_array(tensor).copy())
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path} is damaged: {tensor.name} cannot be read ({error}).") from error
    return found


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _close(found: float, wanted: float) -> bool:
    return math.isclose(found, wanted, rel_tol=1e-6)
