"""ONNX, the file that most programs read, and ONNX Runtime as the engine."""

from __future__ import annotations

import json
import logging
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnxruntime

from ...errors import InputError
from .engine import Array, Engine, Floats

if TYPE_CHECKING:
    import onnx

    from ..pipeline import WholeNetwork

NOTES = "googlenet"  # the key of the notes in the file's metadata


class OnnxEngine(Engine):
    """Computes with ONNX Runtime on the CPU, in the precision of the file; a core for each call.

    Args:
        model: A file, or its content.
    """

    def __init__(self, model: str | bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        self.name = "ONNX Runtime"

    def __call__(self, inputs: Array) -> Floats:
        """Probabilities ``(n, classes)``; see :class:`~googlenet.inference.engines.engine.Engine`."""
        probabilities: Floats = self.session.run(None, {self.input: inputs})[0]
        return probabilities


def engine_of(network: WholeNetwork) -> OnnxEngine:
    """The engine of networks in memory."""
    return OnnxEngine(convert(network).SerializeToString())


def write(network: WholeNetwork, notes: dict[str, Any], path: Path, calibration: Array | None) -> None:
    """Writes one file with the weights in it; ``inputs`` and ``probabilities`` are its ends."""
    model = convert(network) if calibration is None else quantized(network, calibration)
    entry = model.metadata_props.add()
    entry.key, entry.value = NOTES, json.dumps(notes, ensure_ascii=False)
    path.write_bytes(model.SerializeToString())


def quantized(network: WholeNetwork, calibration: Array) -> onnx.ModelProto:
    """The network with convolutions in 8 bits, by NNCF's post-training quantization.

    Args:
        network: From prepared examples to probabilities.
        calibration: Prepared examples ``(n, …)``, on which the ranges of activations are seen.

    Raises:
        InputError: If NNCF is not installed.
    """
    try:
        import nncf
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: pip install 'googlenet[quantize]'.") from None
    nncf.set_log_level(logging.ERROR)
    examples = nncf.Dataset([{"inputs": calibration[row : row + 1]} for row in range(len(calibration))])
    model: onnx.ModelProto = nncf.quantize(convert(network), examples, subset_size=len(calibration))
    return model


def convert(network: WholeNetwork) -> onnx.ModelProto:
    """The network as ONNX's graph, in float32, for any number of examples."""
    import torch

    from .torch import program

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = torch.onnx.export(
            program(network),
            dynamo=True,
            input_names=["inputs"],
            output_names=["probabilities"],
            verbose=False,
        )
    assert graph is not None
    return graph.model_proto


def read(path: Path, exact: bool = False) -> tuple[OnnxEngine, dict[str, Any]]:
    """The engine of a file, and the notes that lie in it.

    Args:
        path: The file.
        exact: Float32, as is always so.

    Raises:
        InputError: If it is missing, damaged or not ours.
    """
    if not path.exists():
        raise InputError(f"There is no file {path}.")
    try:
        engine = OnnxEngine(os.fspath(path))
    except Exception as error:
        raise InputError(f"{path} is not a whole ONNX file ({str(error).splitlines()[0]}).") from error
    notes = engine.session.get_modelmeta().custom_metadata_map.get(NOTES)
    if notes is None:
        raise InputError(f"{path} does not say which classes it tells apart; export it with googlenet export.")
    return engine, json.loads(notes)
