"""Random changes that keep the meaning of a picture, for a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .preprocessing import ImagePreprocessing, normalised


@dataclass(frozen=True)
class Augmentation:
    """Random changes that keep the meaning of a picture.

    Attributes:
        crop: Whether to cut a random area and aspect out of the picture (paper, section 6); otherwise the
            centre is used.
        shift: Largest shift along either axis, pixels; what comes in at an edge is mirrored there.
        cutout: Side of a square that is blanked at a random place, pixels; 0 for none.
        colour: Largest relative change of brightness, contrast and saturation.
    """

    crop: bool = False
    shift: int = 0
    cutout: int = 0
    colour: float = 0.0


def augmented(
    pixels: Tensor,
    augmentation: Augmentation,
    preprocessing: ImagePreprocessing,
    generator: torch.Generator,
    batch: int,
    mine: slice,
) -> Tensor:
    """A batch, changed at random and normalised.

    Args:
        pixels: ``(n, channels, size, size)``, uint8: the rows ``mine`` of the whole batch.
        augmentation: What to change.
        preprocessing: Mean and deviation.
        generator: Draws are made for the whole batch, so that they do not depend on the split.
        batch: Pictures in the whole batch.
        mine: Which of them are here.
    """
    x = normalised(pixels, preprocessing)

    def whole(low: int, high: int) -> Tensor:
        return torch.randint(low, high, (batch,), generator=generator)[mine]

    if augmentation.colour:
        x = _coloured(x, augmentation.colour, torch.rand(3, batch, generator=generator)[:, mine], preprocessing)
    if shift := augmentation.shift:
        x = _shifted(x, whole(-shift, shift + 1), whole(-shift, shift + 1))
    if side := augmentation.cutout:
        size = x.shape[-1]
        inside = _square(whole(0, size), side, size)[:, :, None] & _square(whole(0, size), side, size)[:, None]
        x = x.masked_fill(inside[:, None], 0.0)
    return x.contiguous(memory_format=torch.channels_last)


def mirrored(count: int, seed: int, epoch: int) -> Tensor:
    """Which pictures an epoch shows mirrored, ``(count,)``: about half, and in the next epoch the others, so that two
    epochs show all that there is (Jordan 2024, section 3.6).

    Args:
        count: Of pictures.
        seed: Of the run.
        epoch: Its number.
    """
    generator = torch.Generator().manual_seed(mixed_seed(seed, 0, 0))
    return (torch.randint(2, (count,), generator=generator) + epoch) % 2 == 1


def mixed_seed(seed: int, epoch: int, step: int) -> int:
    """One 63-bit seed from three numbers.

    Args:
        seed: Of the run.
        epoch: Its number.
        step: What is drawn in it.
    """
    return int(np.random.SeedSequence((seed, epoch, step)).generate_state(1, np.uint64)[0] >> 1)


def _shifted(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Each picture moved by whole pixels, mirrored where it ends: black bars would tell how far it was moved."""
    last = x.shape[-1] - 1
    places = ((torch.arange(last + 1) - by[:, None]).remainder(2 * last) for by in (down, right))
    rows, columns = (last - (last - place).abs() for place in places)
    n = torch.arange(len(x))[:, None, None]
    return x.permute(0, 2, 3, 1)[n, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def _square(centre: Tensor, side: int, size: int) -> Tensor:
    place = torch.arange(size)[None]
    first = (centre - side // 2)[:, None]
    return (place >= first) & (place < first + side)


def _coloured(x: Tensor, strength: float, draws: Tensor, preprocessing: ImagePreprocessing) -> Tensor:
    """Brightness, contrast and saturation, each by a factor from 1 − strength to 1 + strength."""
    brightness, contrast, saturation = (1 + strength * (2 * draws - 1)).view(3, -1, 1, 1, 1)
    std = torch.tensor(preprocessing.std).view(1, -1, 1, 1)
    mean = torch.tensor(preprocessing.mean).view(1, -1, 1, 1)
    x = (x * std + mean) * brightness
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * saturation
    middle = x.mean(dim=(1, 2, 3), keepdim=True)
    x = (middle + (x - middle) * contrast).clamp(0, 1)
    return (x - mean) / std
