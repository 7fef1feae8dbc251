"""Every kind of weights file: how it is recognised, read and written."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ..errors import InputError
from .checkpoint import Weights


@dataclass(frozen=True)
class WeightsFormat:
    """A kind of weights file.

    Attributes:
        module: Of this folder, with ``recognises(path)``, ``read(path)`` and, where there is a suffix,
            ``write(weights, path)``.
        suffix: Of the files that are written; ``None`` where they are only read.
        description: For people.
    """

    module: str
    suffix: str | None
    description: str

    def load(self) -> ModuleType:
        """The module."""
        return importlib.import_module(f".{self.module}", __package__)


# In the order in which they are asked: state dicts of others may lie in safetensors too.
WEIGHTS_FORMATS: dict[str, WeightsFormat] = {
    "torchvision": WeightsFormat("foreign.pytorch.torchvision", ".pth", "torchvision's state dict"),
    "safetensors": WeightsFormat("checkpoint", ".safetensors", "ours: safetensors with the architecture in it"),
    "inception5h": WeightsFormat(
        "foreign.tensorflow.inception5h", None, "TensorFlow's graph of inception5h, Lucid's InceptionV1"
    ),
    "caffe": WeightsFormat("foreign.caffe.caffemodel", ".caffemodel", "Caffe's network, with a .prototxt beside it"),
    "slim": WeightsFormat("foreign.tensorflow.slim", None, "TF-slim's checkpoint of inception_v1"),
    "onnx": WeightsFormat("foreign.onnx.graph", ".onnx", "an ONNX graph"),
}


def identify_format(path: Path) -> str:
    """The format of a weights file, by its content.

    Raises:
        InputError: If there is no such file or it is none of them.
    """
    if not path.exists() and not path.with_name(f"{path.name}.index").exists():  # a TensorFlow checkpoint is a prefix
        raise InputError(f"There is no weights file {path}.")
    try:
        for name, form in WEIGHTS_FORMATS.items():
            if form.load().recognises(path):
                return name
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}.") from error
    kinds = "; ".join(form.description for form in WEIGHTS_FORMATS.values())
    raise InputError(f"{path} is no weights file that can be read. Those are: {kinds}.")


def read(path: Path) -> Weights:
    """The weights in a file of any format.

    Raises:
        InputError: If it is missing, damaged, or of another network.
    """
    weights: Weights = WEIGHTS_FORMATS[identify_format(path)].load().read(path)
    return weights


def write(weights: Weights, path: Path) -> None:
    """Writes weights in the format that the suffix names.

    Raises:
        InputError: For another suffix, and for weights of a network that the format has no names for.
    """
    for form in WEIGHTS_FORMATS.values():
        if form.suffix is not None and form.suffix == path.suffix:
            form.load().write(weights, path)
            return
    suffixes = ", ".join(form.suffix for form in WEIGHTS_FORMATS.values() if form.suffix)
    raise InputError(f"The suffix of {path} says nothing about its format; use one of {suffixes}.")
