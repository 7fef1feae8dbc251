"""Random changes that keep the meaning of a picture, for a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .preprocessing import ImagePreprocessing, normalised


@dataclass(frozen=True)
class Augmentation:
    """Random changes that keep the meaning of a picture.

    Attributes:
        crop: Whether to cut a random area and aspect out of the picture (paper, section 6); otherwise the
            centre is used.
        flip: Whether to mirror every other picture.
        shift: Largest shift along either axis, pixels.
        cutout: Side of a square that is blanked at a random place, pixels; 0 for none.
        colour: Largest relative change of brightness, contrast and saturation.
    """

    crop: bool = False
    flip: bool = False
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
    n = len(pixels)
    x = normalised(pixels, preprocessing)

    def whole(low: int, high: int) -> Tensor:
        return torch.randint(low, high, (batch,), generator=generator)[mine]

    if augmentation.colour:
        x = _coloured(x, augmentation.colour, torch.rand(3, batch, generator=generator)[:, mine], preprocessing)
    if augmentation.flip:
        x = torch.where(whole(0, 2).view(n, 1, 1, 1) > 0, x.flip(3), x)
    blank = -torch.tensor(preprocessing.mean).div(torch.tensor(preprocessing.std)).view(1, -1, 1, 1)
    if shift := augmentation.shift:
        x = _shifted(x, whole(-shift, shift + 1), whole(-shift, shift + 1), blank)
    if side := augmentation.cutout:
        size = x.shape[-1]
        inside = _square(whole(0, size), side, size)[:, :, None] & _square(whole(0, size), side, size)[:, None]
        x = x.masked_fill(inside[:, None], 0.0)
    return x.contiguous(memory_format=torch.channels_last)


def _shifted(x: Tensor, down: Tensor, right: Tensor, blank: Tensor) -> Tensor:
    """Each picture moved by whole pixels; what comes in is black, as the border of a small picture is."""
    size = torch.arange(x.shape[-1])
    rows, columns = size[None] - down[:, None], size[None] - right[:, None]
    n = torch.arange(len(x))[:, None, None]
    inside = ((rows >= 0) & (rows < len(size)))[:, :, None] & ((columns >= 0) & (columns < len(size)))[:, None]
    moved = x.permute(0, 2, 3, 1)[n, rows.clamp(0, len(size) - 1)[:, :, None], columns.clamp(0, len(size) - 1)[:, None]]
    return torch.where(inside[:, None], moved.permute(0, 3, 1, 2), blank)


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
