"""OpenVINO: the fastest engine on a CPU, and its own pair of files (``.xml`` and ``.bin``)."""

from __future__ import annotations

import errno
import json
import warnings
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino

from ...errors import InputError
from .engine import Array, Engine, Floats

if TYPE_CHECKING:
    from ..pipeline import WholeNetwork

NOTES = "googlenet"  # the key of the notes in the model's run-time information


class OpenVinoEngine(Engine):
    """Computes with OpenVINO on the CPU, a stream for each core.

    Args:
        model: From :func:`convert` or a file.
        bf16: Whether to compute in bfloat16 where the processor does, as is right for pictures.
    """

    def __init__(self, model: openvino.Model, bf16: bool) -> None:
        core = openvino.Core()
        bf16 = bf16 and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32"}
        compiled = core.compile_model(model, "CPU", settings)
        self.name = f"OpenVINO, {'bf16' if bf16 else 'fp32'}"
        self._free: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
            self._free.put(compiled.create_infer_request())

    def __call__(self, inputs: Array) -> Floats:
        """Probabilities ``(n, classes)``; see :class:`~googlenet.inference.engines.engine.Engine`."""
        request = self._free.get()
        try:
            found = request.infer([inputs], share_inputs=True, share_outputs=True)
            return np.array(found[0])
        finally:
            self._free.put(request)


def engine_of(network: WholeNetwork) -> OpenVinoEngine:
    """The engine of networks in memory."""
    return OpenVinoEngine(convert(network), network.reads_pictures)


def convert(network: WholeNetwork) -> openvino.Model:
    """The network as OpenVINO's graph, in float32, for any number of examples."""
    from .torch import folded

    example = network.example(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing a network whose checks of shapes are Python's
        model = openvino.convert_model(folded(network), example_input=example)
    model.reshape({0: [-1, *example.shape[1:]]})
    model.inputs[0].set_names({"inputs"})
    model.outputs[0].set_names({"probabilities"})
    return model


def write(network: WholeNetwork, notes: dict[str, Any], path: Path, calibration: Array | None) -> None:
    """Writes the pair of files, weights in float32, or in 8 bits."""
    if calibration is None:
        model = convert(network)
    else:
        # By way of ONNX: of OpenVINO's own graph, NNCF makes one that answers wrongly on more than one stream (2026.4).
        from . import onnx

        model = openvino.Core().read_model(onnx.quantized(network, calibration).SerializeToString())
    model.set_rt_info(json.dumps(notes, ensure_ascii=False), NOTES)
    try:
        openvino.save_model(model, path, compress_to_fp16=False)
    except RuntimeError as error:  # what OpenVINO makes of a full disk
        raise OSError(errno.EIO, str(error).strip().splitlines()[-1]) from error


def read(path: Path, exact: bool = False) -> tuple[OpenVinoEngine, dict[str, Any]]:
    """The engine of a pair of files, and the notes that lie in it.

    Args:
        path: The ``.xml``.
        exact: Compute in float32 even where bfloat16 is faster.

    Raises:
        InputError: If one is missing, damaged or not ours.
    """
    for part in (path, path.with_suffix(".bin")):
        if not part.exists():
            raise InputError(f"There is no file {part}.")
    try:
        model = openvino.Core().read_model(path)
    except RuntimeError as error:
        raise InputError(f"{path} is not a whole model of OpenVINO's ({str(error).splitlines()[0]}).") from error
    if not model.has_rt_info(NOTES):
        raise InputError(f"{path} does not say which classes it tells apart; export it with googlenet export.")
    notes: dict[str, Any] = json.loads(model.get_rt_info(NOTES).astype(str))
    reads_pictures = notes["preprocessing"].get("kind") != "signal"
    return OpenVinoEngine(model, bf16=reads_pictures and not exact), notes
