"""ONNX, the file that most programs read, and ONNX Runtime as the engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import onnxruntime

from ...data.protocol import Array, Floats
from ...errors import InputError, reason
from ...files import read_bytes
from ...limits import EXPORTED
from ...weights.foreign.protobuf import Damaged
from .engine import NOTES, Backend, Engine, Notes, seal
from .onnx_graph import examined

if TYPE_CHECKING:
    import onnx

    from ..pipeline import Pipeline


class OnnxEngine(Engine):
    """Computes with ONNX Runtime on the CPU, in the precision of the file; a core for each call.

    It has no threads of its own, and so survives a fork.

    Args:
        model: The content of a file.
    """

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        self.name = "ONNX Runtime"

    def __call__(self, inputs: Array) -> Floats:
        """Probabilities ``(n, classes)``; see :class:`~googlenet.inference.engines.engine.Engine`."""
        probabilities: Floats = self.session.run(None, {self.input: inputs})[0]
        return probabilities


class OnnxBackend(Backend):
    """ONNX Runtime and ``.onnx``."""

    def engine_of(self, pipeline: Pipeline) -> OnnxEngine:
        """The engine of networks in memory."""
        return OnnxEngine(convert(pipeline).SerializeToString())

    def write(self, pipeline: Pipeline, notes: Notes, path: Path, calibration: Array | None) -> OnnxEngine:
        """Writes one file with the weights in it; ``inputs`` and ``probabilities`` are its ends.

        Args:
            pipeline: From prepared examples to probabilities.
            notes: To lie in the file.
            path: The file.
            calibration: Prepared examples, for 8 bits; ``None`` for float32.
        """
        model = convert(pipeline) if calibration is None else quantized(pipeline, calibration)
        entry = model.metadata_props.add()
        entry.key, entry.value = NOTES, notes.to_json()
        path.write_bytes(model.SerializeToString())
        seal(path)
        return self.read(path)[0]

    def read(self, path: Path) -> tuple[OnnxEngine, Notes]:
        """The engine of a file, and the notes that lie in it."""
        if not path.exists():
            raise InputError(f"There is no file {path}.")
        try:
            content = read_bytes(path, EXPORTED)
            graph = examined(content)
        except (Damaged, UnicodeDecodeError) as error:
            raise InputError(
                f"{path} is no ONNX file that googlenet exports: {error}. Export the run again with googlenet export."
            ) from error
        except OSError as error:
            raise InputError(f"{path} could not be read: {error.strerror}.") from error
        notes = Notes.from_json(graph.metadata.get(NOTES), path)
        notes.check_sealed(path, content)
        notes.check(path, graph.input[1:], graph.output[1:], graph.size)
        try:
            return OnnxEngine(content), notes  # the very bytes that were looked at
        except Exception as error:
            raise InputError(f"{path} is not a whole ONNX file ({reason(error)}).") from error


BACKEND = OnnxBackend()


def quantized(pipeline: Pipeline, calibration: Array) -> onnx.ModelProto:
    """The pipeline with convolutions in 8 bits, by NNCF's post-training quantization.

    Args:
        pipeline: From prepared examples to probabilities.
        calibration: Prepared examples ``(n, …)``, on which the ranges of activations are seen.

    Raises:
        InputError: If NNCF is not installed, or cannot do it, as with the members of signals.
    """
    try:
        import nncf
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: pip install 'googlenet[quantize]'.") from None
    examples = nncf.Dataset([{"inputs": calibration[row : row + 1]} for row in range(len(calibration))])
    graph = convert(pipeline)
    try:
        model: onnx.ModelProto = nncf.quantize(graph, examples, subset_size=len(calibration))
    except (AttributeError, KeyError, RuntimeError) as error:  # what it raises at a graph that it does not know
        raise InputError(
            f"NNCF cannot put this network into 8 bits ({error}). Export it in float32: leave --int8 out."
        ) from error
    return model


def convert(pipeline: Pipeline) -> onnx.ModelProto:
    """The pipeline as ONNX's graph, in float32, for any number of examples."""
    import torch

    from .torch import EXPORTING, program

    with EXPORTING:
        graph = torch.onnx.export(
            program(pipeline), dynamo=True, input_names=["inputs"], output_names=["probabilities"], verbose=False
        )
    assert graph is not None
    return graph.model_proto
