"""The file that the page reads: the network as ONNX, and what the page has to know of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper

from ...arch.serial import to_json
from ...errors import InputError
from ...explain.logits import only_network
from ...files import write_bytes
from ...inference.export import LARGEST
from ...inference.pipeline import Pipeline
from .aten import IR_VERSION, OPSET, Constants, graph_of
from .network import SwitchedNetwork, channel_ranges, defaults, switches_of

NOTES = "googlenet-page"  # the key of the notes in the file's metadata
VERSION = 1
COMPARED = 4  # inputs on which the graph is compared with PyTorch


def model_of(pipeline: Pipeline, classes: tuple[str, ...]) -> bytes:
    """The file, compared with PyTorch.

    Args:
        pipeline: Of one network, for pictures or signals.
        classes: Names, in the order of the probabilities.

    Raises:
        InputError: If it cannot be shown, or the graph does not compute what PyTorch computes.
    """
    model = only_network(pipeline)
    if model.arch.dims == 3:
        raise InputError("The page shows pictures and signals, and this network reads volumes.")
    network = SwitchedNetwork(model, pipeline.preprocessing).eval()
    switches = defaults(switches_of(model))
    constants = Constants()
    graph = graph_of(network, {"input": pipeline.example(1), "switches": switches}, network.outputs, constants)
    graph.initializer.extend(constants.tensors.values())
    written = _written(graph, {NOTES: json.dumps(_notes(pipeline, classes), ensure_ascii=False)})
    _compare(written, pipeline, network)
    return written


def export_page(pipeline: Pipeline, classes: tuple[str, ...], path: Path) -> None:
    """Writes that file.

    Args:
        pipeline: As of :func:`model_of`.
        classes: The same.
        path: The file.

    Raises:
        InputError: As of :func:`model_of`, or if it cannot be written.
    """
    write_bytes(path, model_of(pipeline, classes))


def _written(graph: onnx.GraphProto, metadata: dict[str, str]) -> bytes:
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, producer_name="googlenet", opset_imports=opset, ir_version=IR_VERSION)
    helper.set_model_props(model, metadata)
    content: bytes = model.SerializeToString()
    return content


def _notes(pipeline: Pipeline, classes: tuple[str, ...]) -> dict[str, Any]:
    model = only_network(pipeline)
    return {
        "version": VERSION,
        "kind": pipeline.preprocessing.kind,
        "classes": list(classes),
        "preprocessing": pipeline.preprocessing.to_dict(),
        "arch": json.loads(to_json(model.arch)),
        "in_channels": model.in_channels,
        "input_shape": list(pipeline.preprocessing.input_shape),
        "modules": channel_ranges(model),
        "switches": [asdict(switch) for switch in switches_of(model)],
    }


def _compare(written: bytes, pipeline: Pipeline, network: SwitchedNetwork) -> None:
    """Raises InputError if what was written does not compute what PyTorch does."""
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    switches = defaults(switches_of(network.model)).numpy()
    for row in pipeline.example(COMPARED).split(1):
        found = session.run(["probabilities"], {"input": row.numpy(), "switches": switches})[0]
        with torch.inference_mode():
            wanted = pipeline(row).numpy()
        if not np.abs(found - wanted).max() <= LARGEST:
            raise InputError(
                f"The page's graph differs from PyTorch's by {np.abs(found - wanted).max():.2g} in a probability, more "
                f"than {LARGEST:g}; nothing was written. Please report this."
            )
