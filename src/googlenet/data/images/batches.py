"""Batches of normalised pictures: drawn, decoded ahead on every core, augmented all at once.

Everything random about a picture follows from (seed, epoch, its number), never from threads or processes,
so that a run can be repeated, resumed or split over processes and see the same pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..parallel import ahead
from .folders import ImageSet
from .pictures import Pixels, Preprocessing, centre_square, open_picture, random_square, to_pixels


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


class Batch(NamedTuple):
    """Inputs ``(n, channels, size, size)``, float32, normalised; labels ``(n,)``; rows of the set ``(n,)``."""

    inputs: Tensor
    labels: Tensor
    rows: Tensor


def epoch_order(labels: Tensor, seed: int, epoch: int, balanced: bool) -> Tensor:
    """The rows of an epoch in random order; if ``balanced``, drawn so that classes come equally often."""
    generator = torch.Generator().manual_seed(_mixed(seed, epoch, 1))
    if not balanced:
        return torch.randperm(len(labels), generator=generator)
    weights = 1.0 / torch.bincount(labels)[labels]
    return torch.multinomial(weights, len(labels), replacement=True, generator=generator)


def training_batches(
    images: ImageSet,
    preprocessing: Preprocessing,
    augmentation: Augmentation,
    order: Tensor,
    batch_size: int,
    seed: int,
    epoch: int,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Batch]:
    """Augmented batches of an epoch; the last, partial one is left out.

    Args:
        images: The training part.
        preprocessing: What the network wants.
        augmentation: What to change at random.
        order: Rows, from :func:`epoch_order`.
        batch_size: Pictures a step, over all processes.
        seed: Of the run.
        epoch: Number of the epoch.
        rank: This process.
        world: Number of processes; each gets every ``world``-th picture of a batch.
    """
    steps = len(order) // batch_size
    pieces = [order[step * batch_size : (step + 1) * batch_size] for step in range(steps)]

    def load(piece: Tensor) -> Pixels:
        def picture(row: int) -> Pixels:
            draws = np.random.default_rng((seed, epoch, row))
            size = preprocessing.size
            image = open_picture(images.names[row], preprocessing.channels, at_least=2 * size)
            if augmentation.crop:
                return to_pixels(random_square(image, size, draws))
            return to_pixels(centre_square(image, size, preprocessing.resize))

        return np.stack([picture(row) for row in piece.tolist()])

    def finish(step: int, pixels: Tensor) -> Batch:
        generator = torch.Generator().manual_seed(_mixed(seed, epoch, 2 + step))
        rows = pieces[step]
        inputs = augmented(pixels, augmentation, preprocessing, generator, len(rows), slice(rank, None, world))
        mine = rows[rank::world]
        return Batch(inputs, images.labels[mine], mine)

    for step, pixels in enumerate(_pixels(images, preprocessing, (piece[rank::world] for piece in pieces), load)):
        yield finish(step, pixels)


def plain_batches(images: ImageSet, preprocessing: Preprocessing, batch_size: int) -> Iterator[Batch]:
    """Every picture once, in order, its centre, unchanged."""
    rows = torch.split(torch.arange(len(images)), batch_size)

    def load(piece: Tensor) -> Pixels:
        size, resize = preprocessing.size, preprocessing.resize
        opened = (open_picture(images.names[row], preprocessing.channels, at_least=resize) for row in piece.tolist())
        return np.stack([to_pixels(centre_square(image, size, resize)) for image in opened])

    for piece, pixels in zip(rows, _pixels(images, preprocessing, rows, load), strict=True):
        yield Batch(normalised(pixels, preprocessing), images.labels[piece], piece)


def _pixels(
    images: ImageSet, preprocessing: Preprocessing, pieces: Iterable[Tensor], load: Callable[[Tensor], Pixels]
) -> Iterator[Tensor]:
    """``(n, channels, size, size)`` of each piece: from memory, or loaded ahead on every core.

    No thread but the caller's runs an operator of PyTorch's: each that does starts OpenMP threads of its own,
    and with more of those than cores every parallel region of a training step waits to be woken.
    """
    if images.pixels is not None:
        return (as_wanted(images.pixels[piece], preprocessing) for piece in pieces)
    return map(torch.from_numpy, ahead(load, pieces))


def as_wanted(pixels: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Square pictures ``(n, channels, side, side)``, uint8, in the size and colours that a network reads."""
    if preprocessing.channels != pixels.shape[1]:
        grey = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)  # ITU-R 601, as Pillow does
        if preprocessing.channels == 3:
            pixels = pixels.expand(-1, 3, -1, -1)
        else:
            pixels = (pixels * grey).sum(1, keepdim=True).round().to(torch.uint8)
    size = (preprocessing.size, preprocessing.size)
    if pixels.shape[2:] == size:
        return pixels
    return torch.nn.functional.interpolate(pixels, size, mode="bilinear", antialias=True)


def normalised(pixels: Tensor, preprocessing: Preprocessing) -> Tensor:
    """8-bit pixels to float32 with the mean subtracted and divided by the deviation, channels last."""
    mean = 255 * torch.tensor(preprocessing.mean, device=pixels.device).view(1, -1, 1, 1)
    std = 255 * torch.tensor(preprocessing.std, device=pixels.device).view(1, -1, 1, 1)
    return pixels.to(torch.float32, memory_format=torch.channels_last).sub_(mean).div_(std)


def augmented(
    pixels: Tensor,
    augmentation: Augmentation,
    preprocessing: Preprocessing,
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


def _coloured(x: Tensor, strength: float, draws: Tensor, preprocessing: Preprocessing) -> Tensor:
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


def _mixed(seed: int, epoch: int, step: int) -> int:
    """One 63-bit seed from three numbers."""
    return int(np.random.SeedSequence((seed, epoch, step)).generate_state(1, np.uint64)[0] >> 1)
