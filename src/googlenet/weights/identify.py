"""Which GoogLeNet a file holds: what its tensors say, and what is peculiar to it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ..arch.spec import InceptionSpec, MaxPool
from ..errors import InputError
from . import formats
from .checkpoint import WEIGHTS, Weights, read_tensors
from .foreign import torchvision
from .foreign.parameters import Shape
from .store import digest

Shapes = Mapping[str, Shape]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PICKLE = b"\x80\x02"  # torch.save wrote such files before PyTorch 1.6
_UNTRAINED = ("running_mean", "running_var", "moving_mean", "moving_variance", "num_batches_tracked")
_KERAS = (
    "Files of Keras cannot be read here. In Keras, save {v.path: v.numpy() for v in model.weights} (v.name before "
    "Keras 3) with safetensors.numpy.save_file, and identify that file."
)


class Recorded(Protocol):
    """A record of the catalogue, as far as it matters here: its digest is such as ``sha256:1378be20``, or a prefix."""

    @property
    def name(self) -> str:
        """By which it is fetched."""

    @property
    def digest(self) -> str:
        """``"sha256:…"``, ``"sha1:…"`` or ``""``."""


@dataclass(frozen=True)
class Identity:
    """What a weights file turns out to be. What could not be found out is ``""`` or ``None``.

    Attributes:
        path: The file.
        format: A name from :data:`~googlenet.weights.formats.WEIGHTS_FORMATS`; ``""`` if it cannot be loaded.
        arch: The architecture.
        width: What its channels are multiplied by.
        classes: Width of the classifier.
        channels: Channels of the input.
        auxiliary: Its auxiliary classifiers: the modules that they read, or the names of their layers in the file.
        norm: ``"batch norm"`` or ``"biases"``.
        third_kernel: Of the branch that the paper gives a 5×5 convolution.
        tensors: How many there are.
        parameters: Numbers in them that training changes.
        sha256: Of the file.
        record: The catalogue's name for this very file.
        quirks: Sentences.
    """

    path: Path
    format: str = ""
    arch: str = ""
    width: float | None = None
    classes: int | None = None
    channels: int | None = None
    auxiliary: tuple[str, ...] = ()
    norm: str = ""
    third_kernel: int | None = None
    tensors: int = 0
    parameters: int = 0
    sha256: str = ""
    record: str = ""
    quirks: tuple[str, ...] = ()


def identify(path: Path) -> Identity:
    """Finds out what a weights file is, whether it can be loaded or not.

    Args:
        path: A file of any format, or a run folder.

    Raises:
        InputError: If there is no such file, or there are no tensors to be found in it.
    """
    from .catalogue import CATALOGUE

    path = path / WEIGHTS if path.is_dir() else path
    try:
        form = formats.format_of(path)
        weights: Weights = formats.WEIGHTS_FORMATS[form].load().read(path)
    except InputError as error:
        if not path.is_file():
            raise
        found = _of_strange(path, error)
    else:
        found = _of_weights(path, form, weights)
    digests = _digests(path)
    return replace(found, sha256=digests["sha256"], record=record_of(digests, CATALOGUE.values()))


def describe(identity: Identity) -> list[tuple[str, str]]:
    """Rows to print: what it is about and what was found, quirks last; what is unknown is left out."""
    form = formats.WEIGHTS_FORMATS.get(identity.format)
    kernel = identity.third_kernel
    width = "" if identity.width in (None, 1) else f", width {identity.width:g}"
    rows = {
        "file": str(identity.path),
        "format": form.description if form else "cannot be loaded",
        "network": identity.arch and identity.arch + width,
        "in the catalogue": identity.record,
        "classes": _number(identity.classes),
        "input channels": _number(identity.channels),
        "third branch": f"{kernel}×{kernel}" if kernel else "",
        "convolutions have": identity.norm,
        "auxiliary classifiers": ", ".join(identity.auxiliary) or ("none" if identity.tensors else ""),
        "tensors": f"{identity.tensors}, {identity.parameters:,} parameters" if identity.tensors else "",
        "sha256": identity.sha256,
    }
    return [row for row in rows.items() if row[1]] + [("note", quirk) for quirk in identity.quirks]


def record_of(digests: Mapping[str, str], records: Iterable[Recorded]) -> str:
    """The name of the record of a file with these digests; ``""`` for none.

    Args:
        digests: Hexadecimal, by algorithm.
        records: Of the catalogue.
    """
    for record in records:
        algorithm, _, wanted = record.digest.partition(":")
        if len(wanted) >= 8 and digests.get(algorithm, "").startswith(wanted.lower()):
            return record.name
    return ""


# ----------------------------------------------------------------- what can be loaded
def _of_weights(path: Path, form: str, weights: Weights) -> Identity:
    header = weights.header
    arch, shapes = header.arch, _shapes(weights.tensors)
    modules = [layer for layer in arch.layers() if isinstance(layer, InceptionSpec)]
    places = [f"features.{module.name}.branches.5x5.conv.conv.weight" for module in modules]
    third = next((shapes[place][-1] for place in places if place in shapes), None)
    fourth = next((layer for layer in arch.layers() if isinstance(layer, MaxPool) and layer.name == "pool4"), None)
    quirks = list(weights.quirks)
    if third == 3:
        quirks.append("The third branch has 3×3 where the paper has 5×5, a known error (pytorch/vision issue 906).")
    if fourth and fourth.kernel == 2:
        quirks.append("The fourth pool is 2×2 where the paper has 3×3.")
    if arch.transform_input:
        quirks.append("It takes ImageNet's normalisation and turns it into [-1, 1] by itself (transform_input).")
    if form == "torchvision":
        quirks.append(
            "If it is what torchvision publishes, it needs transform_input=True (pytorch/vision issue 4136) and its "
            "auxiliary classifiers were never trained (pytorch/vision pull request 828)."
        )
    if header.num_classes == 1001:
        quirks.append("1001 classes: the first is the background, and ImageNet's come after it.")
    return Identity(
        path,
        form,
        arch.name,
        arch.width,
        header.num_classes,
        header.in_channels,
        tuple(aux.after for aux in arch.auxiliary) if header.auxiliary else (),
        "batch norm" if arch.norm == "batch" else "biases",
        third,
        len(shapes),
        _parameters(shapes),
        quirks=tuple(quirks),
    )


# ----------------------------------------------------------------- what cannot
def _of_strange(path: Path, error: InputError) -> Identity:
    """By the names and shapes of its tensors.

    Raises:
        InputError: The one given, if there are none.
    """
    with path.open("rb") as file:
        start = file.read(len(_HDF5))
    if start == _HDF5 or path.suffix == ".keras":
        return Identity(path, quirks=(_KERAS,))
    tensors: Mapping[str, Tensor] = {}
    if path.suffix == ".safetensors":
        tensors = read_tensors(path)[0]
    elif path.suffix == ".onnx":
        tensors = formats.WEIGHTS_FORMATS["onnx"].load().initializers(path)
    elif zipfile.is_zipfile(path) or start.startswith(_PICKLE):
        tensors = _pickled(path)
    if not tensors:
        raise error
    return replace(survey(path, _shapes(tensors)), quirks=(str(error), *_hints(tensors)))


def survey(path: Path, shapes: Shapes) -> Identity:
    """What shapes of tensors tell of a network of any origin, at full width.

    In the paper's network only module 3a's third branch goes from 16 to 32 channels, only classifiers read 1024
    features, and only auxiliary ones have a layer from 2048 to 1024.

    Args:
        path: The file.
        shapes: By name, in the file's order; kernels in front (TensorFlow, Keras) or behind (PyTorch, Caffe).
    """
    convolutions = [found for shape in shapes.values() if (found := _convolution(shape))]
    flat = {name: tuple(n for n in shape if n > 1) for name, shape in shapes.items()}
    linear = [shape for shape in flat.values() if len(shape) == 2 and 1024 in shape and 2048 not in shape]
    outputs = [shape[0] if shape[1] == 1024 else shape[1] for shape in linear]
    normed = any(name.endswith(("running_mean", "moving_mean")) for name in shapes)
    return Identity(
        path,
        classes=outputs[-1] if outputs else None,
        channels=min((given for _, given, _ in convolutions), default=None),
        auxiliary=tuple(name for name, shape in flat.items() if sorted(shape) == [1024, 2048]),
        norm="batch norm" if normed else "biases",
        third_kernel=next((kernel for out, given, kernel in convolutions if (given, out) == (16, 32)), None),
        tensors=len(shapes),
        parameters=_parameters(shapes),
    )


def _hints(tensors: Mapping[str, Tensor]) -> list[str]:
    """Sentences on tensors of an unknown network."""
    found = {_convolution(shape) for shape in _shapes(tensors).values()}
    hints = []
    if all(name.startswith("module.") for name in tensors):
        hints.append("All names begin with 'module.', which DataParallel puts there; take it away and try again.")
    if any(name.startswith("model/") for name in tensors):
        hints.append(f"It is the state of a training to resume; the weights are in {WEIGHTS} beside it.")
    if _is_torchvision(tensors):
        hints.append("Names and shapes are torchvision's; write it with torch.save as .pth, and it can be loaded.")
    if (32, 16, 3) in found and (32, 32, 3) in found:
        hints.append("Its third branch has two 3×3 convolutions in a row for the 5×5 one.")
    if not {(32, 16, 3), (32, 16, 5)} & found:
        hints.append(
            "It does not look like a GoogLeNet at full width: no convolution leads from 16 to 32 channels as in the "
            "third branch of module 3a."
        )
    return hints


def _is_torchvision(tensors: Mapping[str, Tensor]) -> bool:
    try:
        torchvision.from_torchvision(tensors)
    except (InputError, KeyError):
        return False
    return True


def _pickled(path: Path) -> Mapping[str, Tensor]:
    """The state dict in a file of ``torch.save``, perhaps one dictionary further down."""
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # of bytes that only look like a pickle PyTorch raises whatever comes; the caller has a sentence
        return {}
    for inner in (found, *(found.values() if isinstance(found, dict) else ())):
        tensors = inner if isinstance(inner, dict) else {}
        tensors = {name: each for name, each in tensors.items() if isinstance(name, str) and isinstance(each, Tensor)}
        if tensors:
            return tensors
    return {}


# ----------------------------------------------------------------- arithmetic
def _convolution(shape: Shape) -> tuple[int, int, int] | None:
    """Outputs, inputs and kernel of a square 2-D convolution; small sizes in front are a kernel."""
    if len(shape) != 4:
        return None
    if shape[0] == shape[1] < 16 and shape[2:] != shape[:2]:
        return shape[3], shape[2], shape[0]
    return (shape[0], shape[1], shape[2]) if shape[2] == shape[3] else None


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, Shape]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _parameters(shapes: Shapes) -> int:
    return sum(prod(shape) for name, shape in shapes.items() if not name.endswith(_UNTRAINED))


def _digests(path: Path) -> dict[str, str]:
    """Of the file; of a TensorFlow checkpoint of several files, of the one with the data."""
    path = path if path.is_file() else path.with_name(f"{path.name}.data-00000-of-00001")
    algorithms = ("sha256", "sha1")
    if not path.is_file():
        return dict.fromkeys(algorithms, "")
    return {name: digest(name, path) for name in algorithms}


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
