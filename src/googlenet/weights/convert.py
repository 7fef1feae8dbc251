"""Weights from one format to another, read back and compared, also by the other side's program where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from .. import files
from ..data.images.preprocessing import ImagePreprocessing
from ..data.kinds import preprocessing_from
from ..data.walk import is_read
from ..errors import InputError
from ..nn.googlenet import mean_probabilities
from . import formats
from .checkpoint import Weights, network_of
from .create import kernels_of, read_source
from .foreign.runtimes import other_side

WITHIN = 1e-4  # probabilities of what was written may differ by so much


@dataclass(frozen=True)
class Conversion:
    """What a conversion came to.

    Attributes:
        target: The file that was written.
        tensors: How many are in it.
        numbers: How many numbers are in those.
        differences: By who read the file, ``"read back"`` or a program's name: the largest difference between its
            probabilities and those of the source, on inputs drawn at random.
        quirks: Sentences about what is peculiar to the weights.
        notes: Sentences about what the format does not say and its reader must be told.
    """

    target: Path
    tensors: int
    numbers: int
    differences: Mapping[str, float]
    quirks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How the network of a file reads pictures, where the file does not say it; ``None`` leaves it as it is.

    Attributes:
        mean: Per channel, of pixels scaled to [0, 1].
        std: Per channel, of pixels scaled to [0, 1].
        size: Side of the square that the network sees, pixels.
        transform_input: See :class:`~googlenet.arch.spec.Arch`.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    size: int | None = None
    transform_input: bool | None = None


def convert(source: str | Path, target: str | Path, bf16: bool = False, reading: Reading | None = None) -> Conversion:
    """Writes weights in another format, reads them back, and compares the networks.

    Args:
        source: A run, a weights file of any format, or a name of the catalogue.
        target: The file to write; its suffix says the format.
        bf16: Whether to keep the numbers in bfloat16, half the size; safetensors only.
        reading: What the source does not say of how it reads pictures.

    Raises:
        InputError: If a tensor is missing, left over or of another shape, the format has no names for the network or
            no place for how it reads, or what was written does not compute the same; a file that was there stays then.

    Example:
        >>> from googlenet.weights.convert import convert
        >>> convert("googlenet_small.fashion_mnist", "small.safetensors", bf16=True).numbers
        1517731
    """
    original, target = read_source(source), Path(target)
    if is_read(target, str(source)):
        raise InputError(f"{target} would replace what is read, or is of the run. Name another file.")
    kernels_of(original, source)  # which go with the network, or are refused
    original = original if reading is None else told(original, reading)
    weights = _in_bf16(original, target) if bf16 else original
    with files.fresh(target) as new:
        formats.write(weights, new)
        again = formats.read(new)
        _check_told(reading, weights, again, target)
        found = differences(weights, again, new)
        for name, difference in found.items():
            if not difference <= WITHIN:  # not a number neither
                raise InputError(f"{name}, {target} would give other probabilities, by {difference:.2g}; not written.")
    notes = list(original.guesses) if "preprocessing" in again.header.extra else []
    if reading is not None:
        read = preprocessing_from(weights.header.extra["preprocessing"]).described()
        notes.append(f"It reads pictures of {read}; transform_input is {weights.header.arch.transform_input}.")
    if original.competing and not again.competing:
        notes.append("The competing kernels that answer with the network stay behind: what is written is the network.")
    if bf16:
        moved = differences(original, again, target)["read back"]
        notes.append(f"In bfloat16 the probabilities are up to {moved:.1g} away from what they were.")
    if weights.header.arch.transform_input and not again.header.arch.transform_input:
        notes.append(
            f"{target.suffix} does not say that the input is transformed: tell its reader transform_input=True."
        )
    count = sum(tensor.numel() for tensor in again.tensors.values())
    return Conversion(target, len(again.tensors), count, found, weights.quirks, tuple(notes))


def told(weights: Weights, reading: Reading) -> Weights:
    """The weights of pictures with what is told of how they read them; nothing is guessed any more.

    Raises:
        InputError: If it does not fit the network, or mean and deviation are known neither from there nor from here.
    """
    header = weights.header
    if header.arch.dims != 2:
        raise InputError(f"--mean, --std, --size and --transform-input are for pictures, not for {header.arch.name}.")
    row = header.extra.get("preprocessing")
    if row is None and (reading.mean is None or reading.std is None):
        raise InputError("These weights do not say how they read pictures: give both --mean and --std.")
    old = ImagePreprocessing(header.in_channels) if row is None else ImagePreprocessing.from_dict(dict(row))
    mean = _for_channels("--mean", reading.mean, header.in_channels) or old.mean
    std = _for_channels("--std", reading.std, header.in_channels, least=1e-6) or old.std
    size = reading.size or (header.arch.input_size[0] if row is None else old.size)
    new = replace(old, mean=mean, std=std, size=size, resize=round(size * old.resize / old.size))
    transform = header.arch.transform_input if reading.transform_input is None else reading.transform_input
    header = replace(
        header,
        arch=replace(header.arch, transform_input=transform),
        extra={**header.extra, "preprocessing": new.to_dict()},
    )
    return replace(weights, header=header, guesses=())


def _for_channels(
    option: str, values: tuple[float, ...] | None, channels: int, least: float = 0.0
) -> tuple[float, ...] | None:
    """The values, if there are any and they are of pixels from 0 to 1, a number a channel."""
    if values is not None and (len(values) != channels or not all(least <= value <= 1 for value in values)):
        raise InputError(
            f"{option} is of pixels scaled to [0, 1], a number for each of {channels} channels, not "
            f"{', '.join(f'{value:g}' for value in values)}; what is of pixels from 0 to 255 is divided by 255."
        )
    return values


def _check_told(reading: Reading | None, weights: Weights, again: Weights, target: Path) -> None:
    """Raises the sentence for a format that has no place for what was told."""
    if reading is None:
        return
    row, kept = (each.header.extra.get("preprocessing") for each in (weights, again))
    if kept is None or preprocessing_from(kept) != preprocessing_from(row):
        raise InputError(f"{target.suffix} has no place for how pictures are read; write .safetensors.")


@torch.inference_mode()
def differences(weights: Weights, again: Weights, path: Path) -> dict[str, float]:
    """How far the probabilities of weights that were written and read again, and those of whoever else runs the file,
    are from those of the original, each reading the same input in its own way.

    Args:
        weights: What was written.
        again: The same, read from the file.
        path: The file.

    Returns:
        By who read the file: the largest difference.
    """
    header = weights.header
    shape = (2, header.in_channels * header.arch.members, *header.input_size)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    arch = replace(again.header.arch, transform_input=header.arch.transform_input)  # .pth has no place for it
    reread = network_of(replace(again, header=replace(again.header, arch=arch)))
    answers = {"read back": mean_probabilities(reread(_as_read_by(again, weights, x)))}
    answers |= [answer for answer in [other_side(path, header, x)] if answer is not None]
    wanted = mean_probabilities(network_of(weights)(x))
    return {name: float((found - wanted).abs().max()) for name, found in answers.items()}


def _in_bf16(weights: Weights, target: Path) -> Weights:
    if target.suffix != ".safetensors":
        raise InputError("--bf16 is for .safetensors; the other formats keep float32.")
    halved = {name: t.bfloat16() if t.is_floating_point() else t for name, t in weights.tensors.items()}
    return replace(weights, tensors=halved)


def _as_read_by(reader: Weights, writer: Weights, x: Tensor) -> Tensor:
    """What one set of weights reads of the pixels that are x to another."""
    rows = [weights.header.extra.get("preprocessing") for weights in (writer, reader)]
    if reader.header.arch.dims != 2 or None in rows:
        return x
    (mean, std), (other_mean, other_std) = (
        [torch.tensor(row[name]).view(-1, 1, 1) for name in ("mean", "std")] for row in rows if row is not None
    )
    return (x * std + mean - other_mean) / other_std
