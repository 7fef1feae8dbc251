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
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ...arch.spec import IMAGENET_MEAN, IMAGENET_STD
from ...errors import InputError
from ...files import digest, digest_of
from ...limits import MAX_PIXELS
from ..parallel import ahead, available_cores
from ..protocol import Array, Batch, Example, Preprocessing, Settings
from ..splits import batches_of
from .augmentation import Augmentation, augmented, mirrored, mixed_seed
from .crops import random_square
from .decode import decoded, to_pixels
from .preprocessing import ImagePreprocessing, normalised
from .stored import Stored
from .values import Pixels

SMALL_SIDE = 64  # a picture with no longer side is "small": kept in memory, whole
SAMPLE = 10_000  # pictures whose statistics are taken, at most
SMALLEST = 24  # smaller ones are enlarged to a multiple of their size that is at least this
CONSTANT = 1e-3  # a channel that deviates less, a quarter of a grey level, is the same everywhere


@dataclass(frozen=True)
class ImageSet:
    """Pictures and their labels; an :class:`~googlenet.data.protocol.ExampleSet`.

    Attributes:
        labels: ``(N,)``, int64.
        names: Path of each picture, or set and number for a built-in one.
        pixels: ``(N, channels, size, size)``, uint8, where they are kept in memory; else ``None``.
        channels: 1 if every picture is grey, else 3.
        mirror: Whether a mirror image keeps its meaning, as far as is known.
        groups: What must stay on one side of a split; pictures have none.
        sources: What pixels were read from, or are to be read from: paths, pictures of Pillow's, arrays. Empty where
            there are but pixels, or where ``names`` are the paths.
        max_pixels: That a file may have, see :func:`~googlenet.data.images.decode.open_picture`.
    """

    kind: ClassVar[str] = "picture"

    labels: Tensor
    names: tuple[str, ...]
    pixels: Tensor | None = None
    channels: int = 3
    mirror: bool = True
    groups: tuple[str, ...] = ()
    sources: tuple[Any, ...] = ()
    max_pixels: int = MAX_PIXELS

    def __len__(self) -> int:
        return len(self.names)

    @property
    def recipe(self) -> str:
        """``"small"`` for small pictures in memory, ``"small-colour"`` if they are in colour, else ``"photos"``."""
        if self.pixels is None or self.pixels.shape[-1] > SMALL_SIDE:
            return "photos"
        return "small" if self.channels == 1 else "small-colour"

    @cached_property
    def contents(self) -> tuple[str, ...]:
        """Of the files, else of the pixels."""
        files = self.sources or (() if self.pixels is not None else self.names)
        if files and all(isinstance(file, (str, Path, Stored)) for file in files):
            with ThreadPoolExecutor(available_cores()) as pool:
                return tuple(pool.map(_digest_of, files))
        assert self.pixels is not None
        return tuple(digest(picture.tobytes()) for picture in self.pixels.numpy())

    def summaries(self) -> dict[str, Array]:
        """None: pictures are not looked through for shortcuts."""
        return {}

    def subset(self, rows: Sequence[int]) -> ImageSet:
        """Those rows, in that order."""
        index = torch.as_tensor(rows, dtype=torch.long)
        pixels = None if self.pixels is None else self.pixels[index]
        names = tuple(self.names[row] for row in rows)
        sources = tuple(self.sources[row] for row in rows) if self.sources else ()
        part = dataclasses.replace(self, labels=self.labels[index], names=names, pixels=pixels, sources=sources)
        if "contents" in vars(self):  # no file is read twice for them
            vars(part)["contents"] = tuple(self.contents[row] for row in rows)
        return part

    def fitted(self, settings: Settings) -> ImagePreprocessing:
        """Pictures in memory by their own statistics, others by ImageNet's."""
        mirror = settings.flip and self.mirror
        if self.pixels is not None:
            sample = self.pixels[:: -(-len(self.pixels) // SAMPLE)].double().div(255)  # of class after class
            mean, std = tuple(sample.mean((0, 2, 3)).tolist()), tuple(map(_scale, sample.std((0, 2, 3)).tolist()))
            channels, size = self.pixels.shape[1], self.pixels.shape[-1]
            return ImagePreprocessing(channels, size, size, mean, std, mirror, self.max_pixels)
        mean, std = IMAGENET_MEAN, IMAGENET_STD
        if self.channels == 1:
            mean, std = (sum(IMAGENET_MEAN) / 3,), (sum(IMAGENET_STD) / 3,)
        return ImagePreprocessing(self.channels, 224, 256, mean, std, mirror, self.max_pixels)

    def adapted(self, given: Preprocessing | None, settings: Settings) -> ImagePreprocessing:
        """As the network wants it, whatever size and colour they have."""
        if given is None:
            raise InputError(
                "These weights do not say how they read pictures. Write a file that does: googlenet convert WEIGHTS "
                "NEW.safetensors, with --mean and --std."
            )
        want = for_pictures(given)
        resize = want.resize if self.sources or self.pixels is None else want.size  # pixels alone are seen whole
        mirror = settings.flip and self.mirror
        return dataclasses.replace(want, resize=resize, mirror=mirror, max_pixels=self.max_pixels)

    def loader(self, preprocessing: Preprocessing, settings: Settings) -> ImageLoader:
        """Batches of these."""
        if settings.members > 1:
            raise InputError("members are networks for signals, side by side; leave them out for pictures.")
        return ImageLoader(self, for_pictures(preprocessing), settings)

    def in_memory(self, preprocessing: ImagePreprocessing) -> Tensor | None:
        """The pixels, if they are what a network sees of their sources, or all there is; ``None`` to read anew."""
        if self.pixels is None or not self.sources:
            return self.pixels
        whole = preprocessing.resize == preprocessing.size
        return self.pixels if whole and self.pixels.shape[1:] == preprocessing.input_shape else None

    def examples(self, preprocessing: Preprocessing, crops: int = 1) -> Iterator[Example]:
        """Sources as they are; pixels in memory as the network wants them."""
        pixels = self.in_memory(for_pictures(preprocessing))
        if pixels is None or (crops > 1 and self.sources):
            yield from map(Example, self.names, self.sources or self.names)
        elif crops > 1:
            yield from map(Example, self.names, pixels.numpy().transpose(0, 2, 3, 1))
        else:
            names = iter(self.names)
            for some in torch.split(pixels, 1000):
                for picture in as_wanted(some, for_pictures(preprocessing)).numpy():
                    yield Example(next(names), inputs=picture)


def _digest_of(file: str | Path | Stored) -> str:
    if not isinstance(file, Stored):
        return digest_of(file)
    try:
        return digest(file.content())
    except InputError as error:
        raise InputError(f"{file} cannot be read any more: {error}.") from error


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

    def training(self, epoch: int, batch_size: int, rank: int = 0, world: int = 1, first: int = 0) -> Iterator[Batch]:
        """Augmented batches of an epoch, shuffled.

        Args:
            epoch: Its number.
            batch_size: Examples a step, over all processes, at most.
            rank: This process.
            world: Number of processes.
            first: Batches to leave out, which are not read.
        """
        settings, images = self.settings, self.images
        augmentation = Augmentation(settings.crop, settings.shift, settings.cutout, settings.colour)
        flip = settings.flip and images.mirror
        flipped = mirrored(len(images), settings.seed, epoch) if flip else torch.zeros(len(images), dtype=torch.bool)
        order = epoch_order(images.labels, settings.seed, epoch, settings.balance == "sampler")
        pieces = batches_of(order, batch_size)

        def load(piece: Tensor) -> Pixels:
            return np.stack([self._drawn(row, epoch, augmentation) for row in piece.tolist()])

        shares = (piece[rank::world] for piece in pieces[first:])
        for step, pixels in enumerate(self._pixels(shares, load), start=first):
            generator = torch.Generator().manual_seed(mixed_seed(settings.seed, epoch, 2 + step))
            rows = pieces[step]
            mine = slice(rank, None, world)
            pixels = torch.where(flipped[rows[mine]].view(-1, 1, 1, 1), pixels.flip(3), pixels)
            inputs = augmented(pixels, augmentation, self.preprocessing, generator, len(rows), mine)
            yield Batch(inputs, images.labels[rows[mine]], rows[mine])

    def plain(self, batch_size: int | None = None, rows: Tensor | None = None) -> Iterator[Batch]:
        """Every picture once, in order, or those of ``rows``: its centre, unchanged."""
        pieces = torch.split(torch.arange(len(self.images)) if rows is None else rows, batch_size or 250)

        def load(piece: Tensor) -> Pixels:
            return np.concatenate([self._read(row, self.preprocessing.read) for row in piece.tolist()])

        for piece, pixels in zip(pieces, self._pixels(pieces, load), strict=True):
            yield Batch(normalised(pixels, self.preprocessing), self.images.labels[piece], piece)

    def leaving_out(self, folds: Tensor) -> ImageLoader:
        """Raises InputError: networks of pictures have no members."""
        raise InputError("Networks of pictures have no members side by side that could leave some out.")

    def _drawn(self, row: int, epoch: int, augmentation: Augmentation) -> Pixels:
        """A picture of a file as an epoch shows it, before it is changed together with its batch."""
        want = self.preprocessing
        if not augmentation.crop:
            pixels: Pixels = self._read(row, want.read)[0]
            return pixels
        draws = np.random.default_rng((self.settings.seed, epoch, row))

        def cut(source: Any) -> Pixels:
            with decoded(source, want.channels, 2 * want.size, want.max_pixels) as image:
                return to_pixels(random_square(image, want.size, draws), want.channels)

        return self._read(row, cut)

    def _read(self, row: int, read: Callable[[Any], Pixels]) -> Pixels:
        """What is read of a picture that could be read when the data were looked through."""
        try:
            return read((self.images.sources or self.images.names)[row])
        except InputError as error:
            raise InputError(f"{self.images.names[row]} cannot be read any more: {error}.") from error

    def _pixels(self, pieces: Iterable[Tensor], load: Callable[[Tensor], Pixels]) -> Iterator[Tensor]:
        """``(n, channels, size, size)`` of each piece: from memory, or loaded ahead on every core.

        No thread but the caller's runs an operator of PyTorch's: each that does starts OpenMP threads of its own,
        and with more of those than cores every parallel region of a training step waits to be woken.
        """
        pixels = self.images.in_memory(self.preprocessing)
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
    generator = torch.Generator().manual_seed(mixed_seed(seed, epoch, 1))
    if not balanced:
        return torch.randperm(len(labels), generator=generator)
    weights = 1.0 / torch.bincount(labels)[labels]
    return torch.multinomial(weights, len(labels), replacement=True, generator=generator)


def as_wanted(pixels: Tensor, preprocessing: ImagePreprocessing) -> Tensor:
    """Square pictures ``(n, channels, side, side)``, uint8, in the size and colours that a network reads."""
    if preprocessing.channels != pixels.shape[1]:
        grey = torch.tensor([19595, 38470, 7471]).view(1, 3, 1, 1)  # ITU-R 601 in shares of 65536, as Pillow has it
        if preprocessing.channels == 3:
            pixels = pixels.expand(-1, 3, -1, -1)
        else:
            pixels = ((pixels * grey).sum(1, keepdim=True) + 32768).div(65536, rounding_mode="floor").to(torch.uint8)
    size = (preprocessing.size, preprocessing.size)
    if pixels.shape[2:] == size:
        return pixels
    return torch.nn.functional.interpolate(pixels, size, mode="bilinear", antialias=True)


def enlarged(side: int) -> int:
    """The size at which a small picture enters the network: its own, or a multiple that is ≥ 24."""
    return side * -(-SMALLEST // side)


def _scale(deviation: float) -> float:
    """What a channel is divided by; one that is the same everywhere stays as it is."""
    return deviation if deviation > CONSTANT else 1.0


def for_pictures(preprocessing: Preprocessing) -> ImagePreprocessing:
    """It, if it is of pictures; else raises the sentence."""
    if not isinstance(preprocessing, ImagePreprocessing):
        raise InputError(f"The network reads {preprocessing.kind}s, and these data are pictures.")
    return preprocessing
