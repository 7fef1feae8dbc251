"""OpenVINO: the fastest engine on a CPU, and its own pair of files (``.xml`` and ``.bin``)."""

from __future__ import annotations

import errno
import os
from math import prod
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np
import openvino
from openvino import opset8

from ...data.kinds import preprocessing_from
from ...data.parallel import available_cores
from ...data.protocol import Array, Floats
from ...errors import InputError, reason
from ...files import read_bytes
from ...limits import EXPORTED
from ...weights.foreign.protobuf import Damaged
from .engine import NOTES, Backend, Engine, Notes, Size, check_process, seal
from .openvino_graph import check_xml

if TYPE_CHECKING:
    from ..pipeline import Pipeline


BATCH = 2  # examples for which sizes are worked out
# The first to ask has OpenVINO load NumPy's interface; of two threads that are the first, each waits for the other.
openvino.Type.f32.to_dtype()


class OpenVinoEngine(Engine):
    """Computes with OpenVINO on the CPU, a stream for each core.

    Args:
        model: From :func:`convert` or a file.
        bf16: Whether to compute in bfloat16 where the processor does.
    """

    def __init__(self, model: openvino.Model, bf16: bool) -> None:
        core = openvino.Core()
        bf16 = bf16 and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        settings = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
            "INFERENCE_NUM_THREADS": available_cores(),
        }
        compiled = core.compile_model(model, "CPU", settings)
        self.name = f"OpenVINO, {'bf16' if bf16 else 'fp32'}"
        self._process = os.getpid()
        self._free: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
            self._free.put(compiled.create_infer_request())

    def __call__(self, inputs: Array) -> Floats:
        """Probabilities ``(n, classes)``; see :class:`~googlenet.inference.engines.engine.Engine`.

        Raises:
            InputError: In a process that was forked from the one that loaded it.
        """
        check_process(self._process, "OpenVINO")
        request = self._free.get()
        try:
            found = request.infer([inputs], share_inputs=True, share_outputs=True)
            return np.array(found[0])
        finally:
            self._free.put(request)


class OpenVinoBackend(Backend):
    """OpenVINO and its pair of files."""

    def engine_of(self, pipeline: Pipeline) -> OpenVinoEngine:
        """The engine of networks in memory."""
        return OpenVinoEngine(convert(pipeline), pipeline.preprocessing.bf16)

    def write(self, pipeline: Pipeline, notes: Notes, path: Path, calibration: Array | None) -> OpenVinoEngine:
        """Writes the pair of files, weights in float32, or in 8 bits.

        Args:
            pipeline: From prepared examples to probabilities.
            notes: To lie in the file.
            path: The file.
            calibration: Prepared examples, for 8 bits; ``None`` for float32.
        """
        if calibration is None:
            model = convert(pipeline)
        else:
            # By way of ONNX: of OpenVINO's own graph, NNCF makes one that answers wrongly on more than one stream
            # (2026.4).
            from .onnx import quantized

            model = openvino.Core().read_model(quantized(pipeline, calibration).SerializeToString())
            _state_shapes(model)
        model.set_rt_info(notes.to_json(), NOTES)
        try:
            openvino.save_model(model, path, compress_to_fp16=False)
        except RuntimeError as error:  # what OpenVINO makes of a full disk
            raise OSError(errno.EIO, reason(error, -1)) from error
        seal(path, path.with_suffix(".bin"))
        return OpenVinoEngine(_model(*_parts(path), path), bf16=False)

    def read(self, path: Path) -> tuple[OpenVinoEngine, Notes]:
        """The engine of a pair of files, and the notes that lie in it.

        Args:
            path: The ``.xml``.
        """
        xml, weights = _parts(path)
        model = _model(xml, weights, path)
        try:
            text = model.get_rt_info(NOTES).astype(str) if model.has_rt_info(NOTES) else None
        except (RuntimeError, UnicodeDecodeError) as error:
            raise InputError(f"{path} does not say which classes it tells apart: its notes are no text.") from error
        notes = Notes.from_json(text, path)
        notes.check_sealed(path, xml, weights)
        _check(model, notes, path)
        return OpenVinoEngine(model, preprocessing_from(notes.preprocessing).bf16), notes


BACKEND = OpenVinoBackend()


def convert(pipeline: Pipeline) -> openvino.Model:
    """The pipeline as OpenVINO's graph, in float32, for any number of examples."""
    from .torch import EXPORTING, program

    with EXPORTING:
        model = openvino.convert_model(program(pipeline))
    model.reshape({0: [-1, *pipeline.preprocessing.input_shape]})
    model.inputs[0].set_names({"inputs"})
    model.outputs[0].set_names({"probabilities"})
    return model


def _state_shapes(model: openvino.Model) -> None:
    """Has constants say the shapes of what does not depend on the number of examples: biases, which what reads ONNX
    leaves to be worked out."""
    for node in model.get_ops():
        if node.get_type_name() != "Reshape" or node.input_value(1).get_node().get_type_name() == "Constant":
            continue
        if node.output(0).get_partial_shape().is_static:
            stated = opset8.constant(np.array(list(node.output(0).get_shape()), np.int64))
            node.input(1).replace_source_output(stated.output(0))


def _parts(path: Path) -> tuple[bytes, bytes]:
    """The content of a pair of files."""
    found = []
    for part in (path, path.with_suffix(".bin")):
        if not part.exists():
            raise InputError(f"There is no file {part}.")
        try:
            found.append(read_bytes(part, EXPORTED))
        except OSError as error:
            raise InputError(f"{part} could not be read: {error.strerror}.") from error
    return found[0], found[1]


def _model(xml: bytes, weights: bytes, path: Path) -> openvino.Model:
    """The model of a pair of files that are looked at first."""
    try:
        check_xml(xml, len(weights))
        return openvino.Core().read_model(xml, weights)
    except Damaged as error:
        raise InputError(
            f"{path} is no model that googlenet exports: {error}. Export the run again with googlenet export."
        ) from error
    except RuntimeError as error:
        raise InputError(f"{path} is not a whole model of OpenVINO's ({reason(error)}).") from error


def _check(model: openvino.Model, notes: Notes, path: Path) -> None:
    """That a model is of a network as its notes describe it, worked out for a few examples.

    Raises:
        InputError: If it is not.
    """
    shape = preprocessing_from(notes.preprocessing).input_shape
    try:
        if len(model.inputs) != 1 or not model.outputs:
            raise RuntimeError("it has not one input and an output")
        model.reshape({0: [BATCH, *shape]})
        given, gives = (list(end[0].get_shape()) for end in (model.inputs, model.outputs))
        size = _size(model)
        model.reshape({0: [-1, *shape]})
    except RuntimeError as error:
        raise InputError(f"{path} is damaged: it does not read {tuple(shape)} ({reason(error, -1)}).") from error
    notes.check(path, given[1:], gives[1:], size)


def _size(model: openvino.Model) -> Size:
    numbers = weights = largest = work = 0
    for node in model.get_ops():
        sizes = [prod(output.get_shape()) for output in node.outputs()]
        if node.get_type_name() == "Constant":
            numbers, weights = numbers + sum(sizes), weights + sum(sizes) * 4
            continue
        largest = max([largest, *(4 * size for size in sizes)])
        kernels = [prod(each.get_shape()) for each in node.input_values()[1:2]] or [1]
        window = prod(node.get_attributes().get("kernel", ()) or (1,))
        channels = node.outputs()[0].get_shape()[1:2] if sizes else ()
        each = max(window, kernels[0] // max(1, prod(channels))) if "Conv" in node.get_type_name() else window
        work += sum(sizes) * max(1, each)
    return Size(numbers, weights, largest // BATCH, work // BATCH)
