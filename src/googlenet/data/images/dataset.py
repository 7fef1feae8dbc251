"""Labelled pictures and their batches: drawn, decoded ahead on every core, augmented all at once.

Everything random about a picture follows from (seed, epoch, its number), never from threads or processes,
so that a run can be repeated, resumed or split over processes and see the same pictures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...arch.spec import IMAGENET_MEAN, IMAGENET_STD
from ...errors import InputError
from ...files import digest, digest_of
from ..parallel import ahead, available_cores
from ..protocol import Batch, Example, Preprocessing, Settings
from .augmentation import Augmentation, augmented
from .crops import centre_square, random_square
from .decode import Pixels, open_picture, to_pixels
from .preprocessing import ImagePreprocessing, normalised

SMALL_SIDE = 64  # a picture with no longer side is "small": kept in memory, whole
SMALLEST = 24  # smaller ones are enlarged to a multiple of their size that is at least this


@dataclass(frozen=True)
class ImageSet:
    """Pictures and their labels; an :class:`~googlenet.data.protocol.ExampleSet`.

    Attributes:
        labels: ``(N,)``, int64.
        names: Path of each picture, or set and number for a built-in one.
        pixels: ``(N, channels, size, size)``, uint8, where they are kept in memory; else ``None``, and
            ``names`` are the files to read.
        channels: 1 if every picture is grey, else 3.
        mirror: Whether a mirror image keeps its meaning, as far as is known.
        groups: What must stay on one side of a split; pictures have none.
        on_disk: Whether ``names`` are files, also where their pixels are kept in memory.
    """

    kind: ClassVar[str] = "picture"

    labels: Tensor
    names: tuple[str, ...]
    pixels: Tensor | None = None
    channels: int = 3
    mirror: bool = True
    groups: tuple[str, ...] = ()
    on_disk: bool = False

    def __len__(self) -> int:
        return len(self.names)

    @property
    def recipe(self) -> str:
        """``"small"`` for small pictures in memory, else ``"photos"``."""
        return "small" if self.pixels is not None and self.pixels.shape[-1] <= SMALL_SIDE else "photos"

    @cached_property
    def contents(self) -> tuple[str, ...]:
        """Of the files, else of the pixels."""
        if self.on_disk:
            with ThreadPoolExecutor(available_cores()) as pool:
                return tuple(pool.map(digest_of, self.names))
        assert self.pixels is not None
        return tuple(digest(picture.tobytes()) for picture in self.pixels.numpy())

    def subset(self, rows: Sequence[int]) -> ImageSet:
        """Those rows, in that order."""
        index = torch.as_tensor(rows, dtype=torch.long)
        pixels = None if self.pixels is None else self.pixels[index]
        names = tuple(self.names[row] for row in rows)
        part = dataclasses.replace(self, labels=self.labels[index], names=names, pixels=pixels)
        if "contents" in vars(self):  # no file is read twice for them
            vars(part)["contents"] = tuple(self.contents[row] for row in rows)
        return part

    def fitted(self, settings: Settings) -> ImagePreprocessing:
        """Pictures in memory by their own statistics, others by ImageNet's."""
        mirror = settings.flip and self.mirror
        if self.pixels is not None:
            sample = self.pixels[:10_000].double().div(255)
            mean, std = tuple(sample.mean((0, 2, 3)).tolist()), tuple(sample.std((0, 2, 3)).tolist())
            size = self.pixels.shape[-1]
            return ImagePreprocessing(self.pixels.shape[1], size, size, mean, std, mirror)
        if self.channels == 3:
            return ImagePreprocessing(3, 224, 256, IMAGENET_MEAN, IMAGENET_STD, mirror)
        return ImagePreprocessing(1, 224, 256, (sum(IMAGENET_MEAN) / 3,), (sum(IMAGENET_STD) / 3,), mirror)

    def adapted(self, given: Preprocessing | None, settings: Settings) -> ImagePreprocessing:
        """As the network wants it, whatever size and colour they have."""
        if given is None:
            raise InputError(
                "These weights do not say how they read pictures. Write a file that does: googlenet convert WEIGHTS "
                "NEW.safetensors, with --mean and --std."
            )
        return dataclasses.replace(_for_pictures(given), mirror=settings.flip and self.mirror)

    def loader(self, preprocessing: Preprocessing, settings: Settings) -> ImageLoader:
        """Batches of these."""
        return ImageLoader(self, _for_pictures(preprocessing), settings)

    def examples(self, preprocessing: Preprocessing, crops: int = 1) -> Iterator[Example]:
        """Files as they are, pixels in memory as the network wants them."""
        if self.pixels is None:
            yield from (Example(name, name) for name in self.names)
        elif crops > 1:
            pictures = self.pixels.numpy().transpose(0, 2, 3, 1)
            yield from (Example(name, picture) for name, picture in zip(self.names, pictures, strict=True))
        else:
            names = iter(self.names)
            for some in torch.split(self.pixels, 1000):
                for picture in as_wanted(some, _for_pictures(preprocessing)).numpy():
                    yield Example(next(names), inputs=picture)


@dataclass(frozen=True)
class ImageLoader:
    """Batches of pictures; a :class:`~googlenet.data.protocol.Loader`.

    Attributes:
        images: The pictures.
        preprocessing: What the network wants.
        settings: How to draw and change them.
    """

    images: ImageSet
    preprocessing: ImagePreprocessing
    settings: Settings

    def training(self, epoch: int, batch_size: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Augmented batches of an epoch, shuffled.

        Args:
            epoch: Its number.
            batch_size: Examples a step, over all processes.
            rank: This process.
            world: Number of processes.
        """
        settings, images = self.settings, self.images
        flip = settings.flip and images.mirror
        augmentation = Augmentation(settings.crop, flip, settings.shift, settings.cutout, settings.colour)
        order = epoch_order(images.labels, settings.seed, epoch, settings.balance == "sampler")
        pieces = [order[start : start + batch_size] for start in range(0, len(order) - batch_size + 1, batch_size)]

        def load(piece: Tensor) -> Pixels:
            return np.stack([self._drawn(row, epoch, augmentation) for row in piece.tolist()])

        shares = (piece[rank::world] for piece in pieces)
        for step, pixels in enumerate(self._pixels(shares, load)):
            generator = torch.Generator().manual_seed(_mixed(settings.seed, epoch, 2 + step))
            rows = pieces[step]
            mine = slice(rank, None, world)
            inputs = augmented(pixels, augmentation, self.preprocessing, generator, len(rows), mine)
            yield Batch(inputs, images.labels[rows[mine]], rows[mine])

    def plain(self, batch_size: int | None = None) -> Iterator[Batch]:
        """Every picture once, in order, its centre, unchanged."""
        rows = torch.split(torch.arange(len(self.images)), batch_size or 250)
        size, resize = self.preprocessing.size, self.preprocessing.resize

        def load(piece: Tensor) -> Pixels:
            opened = (self._opened(row, resize) for row in piece.tolist())
            return np.stack([to_pixels(centre_square(image, size, resize)) for image in opened])

        for piece, pixels in zip(rows, self._pixels(rows, load), strict=True):
            yield Batch(normalised(pixels, self.preprocessing), self.images.labels[piece], piece)

    def calibration(self, most: int) -> Iterator[Tensor]:
        """None: trainings on pictures are long."""
        return iter(())

    def _drawn(self, row: int, epoch: int, augmentation: Augmentation) -> Pixels:
        """A picture of a file as an epoch shows it, before it is changed together with its batch."""
        draws = np.random.default_rng((self.settings.seed, epoch, row))
        size = self.preprocessing.size
        image = self._opened(row, 2 * size)
        if augmentation.crop:
            return to_pixels(random_square(image, size, draws))
        return to_pixels(centre_square(image, size, self.preprocessing.resize))

    def _opened(self, row: int, at_least: int) -> Image.Image:
        """The picture of a file that could be read when the data were looked through."""
        path = self.images.names[row]
        try:
            return open_picture(path, self.preprocessing.channels, at_least=at_least)
        except InputError as error:
            raise InputError(f"{path} cannot be read any more: {error}.") from error

    def _pixels(self, pieces: Iterable[Tensor], load: Callable[[Tensor], Pixels]) -> Iterator[Tensor]:
        """``(n, channels, size, size)`` of each piece: from memory, or loaded ahead on every core.

        No thread but the caller's runs an operator of PyTorch's: each that does starts OpenMP threads of its own,
        and with more of those than cores every parallel region of a training step waits to be woken.
        """
        pixels = self.images.pixels
        if pixels is not None:
            return (as_wanted(pixels[piece], self.preprocessing) for piece in pieces)
        return map(torch.from_numpy, ahead(load, pieces))


def epoch_order(labels: Tensor, seed: int, epoch: int, balanced: bool) -> Tensor:
    """The rows of an epoch in random order; if ``balanced``, drawn so that classes come equally often.

    Args:
        labels: ``(N,)``.
        seed: Of the run.
        epoch: Its number.
        balanced: Whether to draw, with repetition.
    """
    generator = torch.Generator().manual_seed(_mixed(seed, epoch, 1))
    if not balanced:
        return torch.randperm(len(labels), generator=generator)
    weights = 1.0 / torch.bincount(labels)[labels]
    return torch.multinomial(weights, len(labels), replacement=True, generator=generator)


def as_wanted(pixels: Tensor, preprocessing: ImagePreprocessing) -> Tensor:
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


def enlarged(side: int) -> int:
    """The size at which a small picture enters the network: its own, or a multiple that is ≥ 24."""
    return side * -(-SMALLEST // side)


def _for_pictures(preprocessing: Preprocessing) -> ImagePreprocessing:
    if not isinstance(preprocessing, ImagePreprocessing):
        raise InputError(f"The network reads {preprocessing.kind}s, and these data are pictures.")
    return preprocessing


def _mixed(seed: int, epoch: int, step: int) -> int:
    """One 63-bit seed from three numbers."""
    return int(np.random.SeedSequence((seed, epoch, step)).generate_state(1, np.uint64)[0] >> 1)
