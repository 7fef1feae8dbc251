"""Caffe's ``.caffemodel`` files of BVLC's GoogLeNet (ImageNet, Places205): to ours and back, every layer asserted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ....arch.spec import Arch
from ....arch.variants import GOOGLENET
from ....data.images.preprocessing import ImagePreprocessing
from ....errors import InputError
from ....files import open_plain, read_bytes, write_bytes
from ....limits import PROTOBUF
from ...checkpoint import Header, Weights, check_tensors
from ..parameters import LayerParameters, Shape, layer_parameters
from ..preprocessing import BVLC
from ..protobuf import Damaged
from .binary import Blob, Network, decode, encode
from .prototxt import convolution_name, deploy_prototxt

_FIRST = "features.conv1.conv.conv.weight"
_HEAD_PARTS = {"conv": "conv", "fc1": "fc", "fc2": "classifier"}
_BLOBS = ("weight", "bias")
_STARTS = (b"\x0a", b"\x12", b"\xa2")  # first bytes of a NetParameter: of its name, of a layer, old or new


def recognises(path: Path) -> bool:
    """Whether it is a file by the suffix ``.caffemodel``, or one of any name whose bytes are a network of Caffe."""
    if not path.is_file() or path.suffix == ".caffemodel":
        return path.is_file()
    with open_plain(path) as file:
        if file.read(1) not in _STARTS:
            return False
    try:
        return bool(decode(read_bytes(path, PROTOBUF)).blobs)
    except Damaged:
        return False


def read(path: Path) -> Weights:
    """A ``.caffemodel`` file of GoogLeNet at any width, with or without auxiliary classifiers.

    What the weights read is red, green, blue as all of ours do: the first convolution is turned round.

    Raises:
        InputError: If it is missing, damaged, or of another network.
    """
    try:
        network = decode(read_bytes(path, PROTOBUF))
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}.") from error
    except Damaged as error:
        raise InputError(f"{path} is no whole file of Caffe: {error}. Fetch or write it again.") from error
    if not network.blobs:
        raise InputError(f"{path} holds no layer with weights; it is empty or no .caffemodel file. Fetch it again.")
    auxiliary = any(name.startswith(("loss1/", "loss2/")) for name in network.blobs)
    classes = network.blobs["loss3/classifier"][-1].size if "loss3/classifier" in network.blobs else 1000
    arch = GOOGLENET.scaled(_width(network.blobs, auxiliary))
    found, wanted = _as_tensors(network.blobs), {}
    tensors = {}
    for ours, theirs, shape in _table(arch, classes, auxiliary):
        wanted[theirs] = shape
        if theirs in found:
            found[theirs] = tensors[ours] = _without_leading_ones(found[theirs], len(shape))
    check_tensors(found, wanted, str(path))
    tensors[_FIRST] = tensors[_FIRST].flip(1)
    preprocessing = preprocessing_of(network.mean)
    header = Header(arch, classes, 3, auxiliary, {"preprocessing": preprocessing.to_dict()})
    return Weights(header, tensors, quirks_of(preprocessing))


def write(weights: Weights, path: Path) -> None:
    """Writes ``.caffemodel``, and beside it ``.prototxt``, the network for inference; each atomically.

    Caffe's networks read pixels from 0 to 255 minus a mean. Weights whose preprocessing divides by something else
    have that put into their first convolution; all others stay as they are, bit for bit. Auxiliary classifiers are
    in the ``.caffemodel`` if the weights have them; the ``.prototxt`` leaves them out, as BVLC's does.

    Raises:
        InputError: If the weights are not of ``googlenet``, or it cannot be written.
    """
    header = weights.header
    _check_arch(header.arch, header.in_channels)
    table = list(_table(header.arch, header.num_classes, header.auxiliary))
    check_tensors(weights.tensors, {ours: shape for ours, _, shape in table}, "This set of weights")
    row = header.extra.get("preprocessing")
    preprocessing = ImagePreprocessing.from_dict(dict(row)) if row else preprocessing_of(())
    blobs: dict[str, list[Blob]] = {}
    for ours, theirs, _ in table:
        tensor = weights.tensors[ours].detach().cpu().float()
        if ours == _FIRST:
            scale = 255 * np.array(preprocessing.std)  # exactly 1 for what was read from Caffe's files
            tensor = (tensor / torch.from_numpy(scale).float().view(1, 3, 1, 1)).flip(1)
        blobs.setdefault(theirs.rsplit(" ", 1)[0], []).append(tensor.contiguous().numpy())
    mean = tuple(255 * value for value in reversed(preprocessing.mean))
    values = ", ".join(f"{value:g}" for value in mean)
    note = f"data: blue, green and red from 0 to 255, minus {values}"
    write_bytes(path, encode("GoogleNet", Network(blobs, mean)))
    text = deploy_prototxt(header.arch, header.num_classes, note, preprocessing.size)
    write_bytes(path.with_suffix(".prototxt"), text.encode())


def layer_name(layer: LayerParameters) -> str:
    """BVLC's name of a layer with weights."""
    if layer.auxiliary:
        return f"loss{layer.auxiliary}/{_HEAD_PARTS[layer.part]}"
    return convolution_name(layer.name, layer.branch, layer.part) if layer.name else "loss3/classifier"


def _table(arch: Arch, classes: int, auxiliary: bool) -> Iterator[tuple[str, str, Shape]]:
    """Our name, theirs and shape of every tensor; theirs is a layer and a blob, such as ``loss1/fc bias``."""
    for layer in layer_parameters(arch, classes, auxiliary=auxiliary):
        for (ours, shape), blob in zip(layer.tensors().items(), _BLOBS, strict=True):
            yield ours, f"{layer_name(layer)} {blob}", shape


def _as_tensors(layers: Mapping[str, Sequence[Blob]]) -> dict[str, Tensor]:
    return {
        f"{layer} {_BLOBS[index] if index < len(_BLOBS) else index}": torch.from_numpy(blob)
        for layer, blobs in layers.items()
        for index, blob in enumerate(blobs)
    }


def _without_leading_ones(tensor: Tensor, axes: int) -> Tensor:
    """Old files give every blob four axes, a bias ``(1, 1, 1, channels)``."""
    while tensor.ndim > axes and tensor.shape[0] == 1:
        tensor = tensor[0]
    return tensor


def _width(layers: Mapping[str, Sequence[Blob]], auxiliary: bool) -> float:
    """The roundest width at which the layers have as many channels as these; 1 if there is none."""

    def outputs(arch: Arch) -> dict[str, int]:
        named = {layer_name(each): each.weight[0] for each in layer_parameters(arch, auxiliary=auxiliary)}
        return {name: count for name, count in named.items() if name in layers and not name.endswith("classifier")}

    full = outputs(GOOGLENET)
    found = {name: layers[name][-1].size for name in full}
    # Counts are rounded to multiples of 8, at least 8.
    low = max([(count - 4) / full[name] for name, count in found.items() if count > 8], default=0.0)
    high = min([(count + 4) / full[name] for name, count in found.items()], default=2.0)
    for digits in range(6):
        width = round((low + high) / 2, digits)
        if width > 0 and outputs(GOOGLENET.scaled(width)) == found:
            return width
    return 1.0


def preprocessing_of(mean: tuple[float, ...]) -> ImagePreprocessing:
    """What stands before a network that subtracts ``mean`` (blue, green, red; BVLC's if it does not say)."""
    if len(mean) != 3 or not np.isfinite(mean).all():
        return BVLC
    return replace(BVLC, mean=tuple(value / 255 for value in reversed(mean)))


def quirks_of(preprocessing: ImagePreprocessing) -> tuple[str, ...]:
    """What is peculiar to weights that Caffe trained."""
    mean = ", ".join(f"{255 * value:g}" for value in preprocessing.mean)
    return (
        "The first convolution in the file reads blue, green, red; here it is turned round to red, green, blue.",
        f"The network reads pixels from 0 to 255 with a mean subtracted ({mean}), which its preprocessing does.",
    )


def _check_arch(arch: Arch, in_channels: int) -> None:
    same = replace(
        GOOGLENET.scaled(arch.width),
        name=arch.name,
        description=arch.description,
        input_size=arch.input_size,
        dropout=arch.dropout,
        norm_eps=arch.norm_eps,
    )
    if arch != same or in_channels != 3:
        raise InputError(
            f"{arch.name} with {in_channels} input channels cannot be a .caffemodel file: Caffe's layers are those of "
            "googlenet on pictures in colour (response norm, biases, true 5×5 branches). Use .safetensors or .onnx."
        )
