"""Weights from one format to another, read back and compared, also by the other side's program where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from .. import files
from ..errors import InputError
from ..nn.googlenet import mean_probabilities
from . import formats
from .checkpoint import Weights, network_of
from .create import read_source
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


def convert(source: str | Path, target: str | Path, bf16: bool = False) -> Conversion:
    """Writes weights in another format, reads them back, and compares the networks.

    Args:
        source: A run, a weights file of any format, or a name of the catalogue.
        target: The file to write; its suffix says the format.
        bf16: Whether to keep the numbers in bfloat16, half the size; safetensors only.

    Raises:
        InputError: If a tensor is missing, left over or of another shape, the format has no names for the network, or
            what was written does not compute the same; a file that was there stays then.

    Example:
        >>> from googlenet.weights.convert import convert
        >>> convert("googlenet_small.fashion_mnist", "small.safetensors", bf16=True).numbers
        1517731
    """
    original, target = read_source(source), Path(target)
    weights = _in_bf16(original, target) if bf16 else original
    with files.fresh(target) as new:
        formats.write(weights, new)
        again = formats.read(new)
        found = differences(weights, again, new)
        for name, difference in found.items():
            if not difference <= WITHIN:  # not a number neither
                raise InputError(f"{name}, {target} would give other probabilities, by {difference:.2g}; not written.")
    notes = []
    if bf16:
        moved = differences(original, again, target)["read back"]
        notes.append(f"In bfloat16 the probabilities are up to {moved:.1g} away from what they were.")
    if weights.header.arch.transform_input and not again.header.arch.transform_input:
        notes.append(
            f"{target.suffix} does not say that the input is transformed: tell its reader transform_input=True."
        )
    count = sum(tensor.numel() for tensor in again.tensors.values())
    return Conversion(target, len(again.tensors), count, found, weights.quirks, tuple(notes))


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
