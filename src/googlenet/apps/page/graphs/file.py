"""The file that the page reads: the network as ONNX, and what the page has to know of it.

The graph answers. Two more, which compute what branches contribute, lie in the metadata without the weights: a protocol
buffer that is written behind another one is part of it, and so the page puts the weights of the first behind each.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper
from torch import Tensor, nn

from ....arch.serial import to_json
from ....errors import InputError
from ....explain.logits import only_network
from ....inference.export import LARGEST
from ....inference.pipeline import Pipeline
from ....nn.rewrites import fold_norms
from .builder import Constants
from .convert import IR_VERSION, OPSET, graph_of
from .network import SwitchedNetwork, channel_ranges, defaults, switches_of
from .path import POINTS, NeutralNetwork, PathNetwork, edges_of

NOTES = "googlenet-page"  # the key of the notes in the file's metadata
PATH, NEUTRAL = "googlenet-page-path", "googlenet-page-neutral"  # of the further graphs
VERSION = 1
COMPARED = 4  # inputs on which probabilities are compared with PyTorch's
CLOSE = 0.01  # of what a graph gives, by its norm: the distance from PyTorch's; a gradient jumps where a unit switches


@dataclass(frozen=True)
class _Part:
    """A function of the file.

    Attributes:
        function: It.
        inputs: Of no meaning, by name.
        outputs: Names of what it gives.
    """

    function: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: Sequence[str]

    def graph(self, constants: Constants) -> onnx.GraphProto:
        """It as ONNX's; see :func:`~.convert.graph_of`."""
        return graph_of(self.function, self.inputs, self.outputs, constants)


def model_of(pipeline: Pipeline, classes: tuple[str, ...]) -> bytes:
    """The file, compared with PyTorch.

    Args:
        pipeline: Of one network, for pictures or signals.
        classes: Names, in the order of the probabilities.

    Raises:
        InputError: If it cannot be shown, or a graph does not compute what PyTorch computes.
    """
    model = only_network(pipeline)
    if model.arch.dims == 3:
        raise InputError("The page shows pictures and signals, and this network reads volumes.")
    parts, constants = _parts(pipeline), Constants()
    answer = parts[NOTES].graph(constants)
    _compare(parts[NOTES], _model(answer))
    _compare_probabilities(pipeline, _model(answer))
    metadata = {NOTES: json.dumps(_notes(pipeline, classes), ensure_ascii=False)}
    for key in (PATH, NEUTRAL):
        lean = _model(parts[key].graph(Constants(constants)))
        _compare(parts[key], lean + _weights_of(answer))
        metadata[key] = base64.b64encode(lean).decode()
    return _model(answer, metadata)


def _parts(pipeline: Pipeline) -> dict[str, _Part]:
    """The functions of the file."""
    model, preprocessing = only_network(pipeline), pipeline.preprocessing
    folded, example = fold_norms(model), pipeline.example(1)
    view = preprocessing.views(example, model.arch.members)[0].contiguous()
    direction = torch.linspace(-1, 1, model.num_classes)
    answer, switches = (
        SwitchedNetwork(folded, preprocessing, pipeline.calibration, pipeline.opinions),
        defaults(switches_of(model)),
    )
    places = torch.linspace(0, 1, POINTS)
    path = {"input": example, "start": 0.1 * view, "places": places, "direction": direction}
    return {
        NOTES: _Part(answer, {"input": example, "switches": switches}, answer.outputs),
        PATH: _Part(PathNetwork(folded, preprocessing), path, ("shares", "values")),
        NEUTRAL: _Part(NeutralNetwork(folded), {"point": view, "direction": direction}, ("value", "slope")),
    }


def _notes(pipeline: Pipeline, classes: tuple[str, ...]) -> dict[str, Any]:
    model = only_network(pipeline)
    view = pipeline.preprocessing.views(pipeline.example(1), model.arch.members)[0]
    return {
        "version": VERSION,
        "kind": pipeline.preprocessing.kind,
        "classes": list(classes),
        "preprocessing": pipeline.preprocessing.to_dict(),
        "arch": json.loads(to_json(model.arch)),
        "in_channels": model.in_channels,
        "input_shape": list(pipeline.preprocessing.input_shape),
        "view_shape": list(view.shape[1:]),
        "modules": channel_ranges(model),
        "switches": [asdict(switch) for switch in switches_of(model)],
        "edges": [asdict(edge) for edge in edges_of(model)],
        "points": POINTS,
        "competing": bool(pipeline.opinions),
    }


def _model(graph: onnx.GraphProto, metadata: Mapping[str, str] | None = None) -> bytes:
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, producer_name="googlenet", opset_imports=opset, ir_version=IR_VERSION)
    helper.set_model_props(model, dict(metadata or {}))
    content: bytes = model.SerializeToString()
    return content


def _weights_of(graph: onnx.GraphProto) -> bytes:
    """A model of constants alone, to be put behind one that lacks them."""
    content: bytes = onnx.ModelProto(graph=onnx.GraphProto(initializer=graph.initializer)).SerializeToString()
    return content


def _session(written: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # a further graph does not need all the weights
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(written, options, providers=["CPUExecutionProvider"])


def _compare(part: _Part, written: bytes) -> None:
    """Raises InputError if a graph does not give what its function does."""
    found = _session(written).run(None, {name: value.numpy() for name, value in part.inputs.items()})
    wanted = [each.detach().numpy() for each in part.function(*part.inputs.values())]
    for name, ours, theirs in zip(part.outputs, found, wanted, strict=True):
        size = max(float(np.linalg.norm(theirs)), 1e-3)
        _refuse(name, float(np.linalg.norm(ours - theirs)) / size, CLOSE)


def _compare_probabilities(pipeline: Pipeline, written: bytes) -> None:
    session = _session(written)
    switches = defaults(switches_of(only_network(pipeline))).numpy()
    for row in torch.chunk(pipeline.example(COMPARED), COMPARED):
        found = session.run(["probabilities"], {"input": row.numpy(), "switches": switches})[0]
        with torch.inference_mode():
            wanted = pipeline(row).numpy()
        _refuse("probabilities", float(np.abs(found - wanted).max()), LARGEST)


def _refuse(name: str, difference: float, most: float) -> None:
    if not difference <= most:
        raise InputError(
            f"The page's graph differs from PyTorch's by {difference:.2g} in {name}, more than {most:.2g}; nothing was "
            "written. Please report this."
        )
