"""Files that no reader takes: the tensors that lie in them, and what their names and shapes tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ....files import open_plain
from ...checkpoint import WEIGHTS, recognises
from ..parameters import Shape
from ..safetensors import read_tensors
from ..tensorflow.graph_def import constants_of, is_graph
from ..tensorflow.tensor_bundle import FLOATS
from .state_dicts import is_pickled, tensors_of

Shapes = Mapping[str, Shape]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_UNTRAINED = ("running_mean", "running_var", "moving_mean", "moving_variance", "num_batches_tracked")


@dataclass(frozen=True)
class Survey:
    """What the shapes of tensors tell of a network of any origin. What they do not tell is ``None``.

    Attributes:
        classes: Width of the classifier.
        channels: Channels of the input.
        auxiliary: Names of the layers that only auxiliary classifiers have.
        norm: ``"batch norm"`` or ``"biases"``.
        third_kernel: Of the branch that the paper gives a 5×5 convolution.
        tensors: How many there are.
        parameters: Numbers in them that training changes.
    """

    classes: int | None
    channels: int | None
    auxiliary: tuple[str, ...]
    norm: str
    third_kernel: int | None
    tensors: int
    parameters: int


def is_keras(path: Path) -> bool:
    """Whether it is a file of Keras: HDF5, or an archive of the suffix ``.keras``."""
    with open_plain(path) as file:
        return file.read(len(_HDF5)) == _HDF5 or path.suffix == ".keras"


def tensors_in(path: Path) -> Mapping[str, Tensor]:
    """Every tensor that can be found in a file, by its name; none in a file of another kind.

    Raises:
        InputError: If it is a file of safetensors, ONNX or TensorFlow that is damaged.
    """
    if is_pickled(path):
        return tensors_of(path)
    if recognises(path):
        return read_tensors(path)[0]
    if is_graph(path):
        floats = {name: each for name, each in constants_of(path).items() if each.dtype in FLOATS}
        return {name: torch.from_numpy(np.asarray(each)) for name, each in floats.items()}
    if path.suffix == ".onnx":
        from ..onnx.graph import initializers

        return initializers(path)
    return {}


def survey(shapes: Shapes) -> Survey:
    """What shapes of tensors tell of a network at full width.

    In the paper's network only module 3a's third branch goes from 16 to 32 channels, only classifiers read 1024
    features, and only auxiliary ones have a layer from 2048 to 1024.

    Args:
        shapes: By name, in the file's order; kernels in front (TensorFlow, Keras) or behind (PyTorch, Caffe).
    """
    convolutions = [found for shape in shapes.values() if (found := _convolution(shape))]
    flat = {name: tuple(n for n in shape if n > 1) for name, shape in shapes.items()}
    return Survey(
        classes=_classes(list(flat.values())),
        channels=min((given for _, given, _ in convolutions), default=None),
        auxiliary=tuple(name for name, shape in flat.items() if sorted(shape) == [1024, 2048]),
        norm="batch norm" if any(name.endswith(("running_mean", "moving_mean")) for name in shapes) else "biases",
        third_kernel=next((kernel for out, given, kernel in convolutions if (given, out) == (16, 32)), None),
        tensors=len(shapes),
        parameters=count_parameters(shapes),
    )


def hints(tensors: Mapping[str, Tensor]) -> list[str]:
    """Sentences on tensors of an unknown network: what they probably are and what to do."""
    found = {_convolution(shape) for shape in shapes_of(tensors).values()}
    hints = []
    if any(name.startswith("model/") for name in tensors):
        hints.append(f"It is the state of a training to resume; the weights are in {WEIGHTS} beside it.")
    if any(name.startswith("features.") and ".branches." in name for name in tensors):
        hints.append("The names are those of a network of this package; write it with googlenet.save_weights.")
    if (32, 16, 3) in found and (32, 32, 3) in found:
        hints.append("Its third branch has two 3×3 convolutions in a row for the 5×5 one.")
    if not {(32, 16, 3), (32, 16, 5)} & found:
        hints.append(
            "It does not look like a GoogLeNet at full width: no convolution leads from 16 to 32 channels as in the "
            "third branch of module 3a."
        )
    return hints


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, Shape]:
    """Their shapes, by the same names."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def count_parameters(shapes: Shapes) -> int:
    """Numbers that training changes: all but the statistics of batch norms."""
    return sum(prod(shape) for name, shape in shapes.items() if not name.endswith(_UNTRAINED))


def _classes(shapes: list[Shape]) -> int | None:
    """The outputs of the last linear layer that reads 1024 features."""
    linear = [shape for shape in shapes if len(shape) == 2 and 1024 in shape and 2048 not in shape]
    outputs = [shape[0] if shape[1] == 1024 else shape[1] for shape in linear]
    return outputs[-1] if outputs else None


def _convolution(shape: Shape) -> tuple[int, int, int] | None:
    """Outputs, inputs and kernel of a square 2-D convolution; small sizes in front are a kernel."""
    if len(shape) != 4:
        return None
    if shape[0] == shape[1] < 16 and shape[2:] != shape[:2]:
        return shape[3], shape[2], shape[0]
    return (shape[0], shape[1], shape[2]) if shape[2] == shape[3] else None
