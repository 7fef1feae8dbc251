"""What the training loop needs to know of its data, the same for pictures and for signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from ..data.images.batches import Augmentation, Batch, epoch_order, plain_batches, training_batches
from ..data.images.folders import SMALL as SMALL_SIDE
from ..data.images.folders import ImageData
from ..data.images.pictures import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from ..data.signals.batches import Stretch, views
from ..data.signals.batches import training_batches as signal_batches
from ..data.signals.dataset import SignalData
from ..data.signals.preprocessing import SignalPreprocessing
from ..data.signals.rows import Signal
from ..errors import InputError
from .distributed import World
from .recipe import PHOTOS, SIGNALS, SMALL, Recipe


class Task(Protocol):
    """Data as the loop sees it.

    Attributes:
        channels: Of the network's input.
        size: Of the network's input.
    """

    channels: int
    size: tuple[int, ...]

    @property
    def data(self) -> ImageData | SignalData:
        """The data set; it has a training part."""

    @property
    def preprocessing(self) -> Preprocessing | SignalPreprocessing:
        """What the network is to see."""

    def training_batches(self, epoch: int, batch_size: int, world: World) -> Iterator[Batch]:
        """This process's share of the batches of an epoch."""

    def validation_batches(self) -> Iterator[Batch]:
        """The validation part, in order, unchanged."""

    def calibration_batches(self, most: int) -> Iterator[Tensor]:
        """Inputs of the training part, unchanged, about ``most`` of them, from which to take batch-norm statistics at
        the end; none where the running ones are of thousands of batches."""


def task_for(
    data: ImageData | SignalData, recipe: Recipe, preprocessing: Preprocessing | SignalPreprocessing | None = None
) -> Task:
    """The data as the loop sees it.

    Args:
        data: With a training part.
        recipe: How to train.
        preprocessing: What a network that is to be trained on has seen; ``None`` to fit it to the data.

    Raises:
        InputError: If the recipe or the preprocessing is not for data of this kind.
    """
    if isinstance(data, SignalData):
        if preprocessing is None or isinstance(preprocessing, SignalPreprocessing):
            return SignalTask(data, recipe, preprocessing)
    elif preprocessing is None or isinstance(preprocessing, Preprocessing):
        return ImageTask(data, recipe, preprocessing)
    raise InputError("The network reads signals and the data are pictures, or the other way round.")


def default_recipe(data: ImageData | SignalData) -> Recipe:
    """The recipe for data of this kind and size."""
    if isinstance(data, SignalData):
        return SIGNALS
    return SMALL if data.size and data.size <= SMALL_SIDE else PHOTOS


class ImageTask:
    """Pictures: small ones by their own statistics, others by ImageNet's."""

    def __init__(self, data: ImageData, recipe: Recipe, preprocessing: Preprocessing | None) -> None:
        self.data, self.recipe = data, recipe
        self.preprocessing = preprocessing or self._preprocessing()
        self.channels = self.preprocessing.channels
        self.size: tuple[int, ...] = (self.preprocessing.size,) * 2
        self.augmentation = Augmentation(
            recipe.crop, recipe.flip and data.mirror, recipe.shift, recipe.cutout, recipe.colour
        )

    def _preprocessing(self) -> Preprocessing:
        data, mirror = self.data, self.recipe.flip and self.data.mirror
        if data.size and data.train is not None and data.train.pixels is not None:
            sample = data.train.pixels[:10_000].double().div(255)
            mean, std = tuple(sample.mean((0, 2, 3)).tolist()), tuple(sample.std((0, 2, 3)).tolist())
            return Preprocessing(data.channels, data.size, data.size, mean, std, mirror)
        if data.channels == 3:
            return Preprocessing(3, 224, 256, IMAGENET_MEAN, IMAGENET_STD, mirror)
        return Preprocessing(1, 224, 256, (sum(IMAGENET_MEAN) / 3,), (sum(IMAGENET_STD) / 3,), mirror)

    def training_batches(self, epoch: int, batch_size: int, world: World) -> Iterator[Batch]:
        """This process's share of the batches of an epoch."""
        assert self.data.train is not None
        recipe = self.recipe
        order = epoch_order(self.data.train.labels, recipe.seed, epoch, recipe.balance == "sampler")
        return training_batches(
            self.data.train,
            self.preprocessing,
            self.augmentation,
            order,
            batch_size,
            recipe.seed,
            epoch,
            world.rank,
            world.size,
        )

    def validation_batches(self) -> Iterator[Batch]:
        """The validation part, in order, unchanged."""
        assert self.data.validation is not None
        return plain_batches(self.data.validation, self.preprocessing, 250)

    def calibration_batches(self, most: int) -> Iterator[Tensor]:
        """None: trainings on pictures are long."""
        return iter(())


class SignalTask:
    """Signals: all of them in memory, at one length that follows from those of the training part."""

    def __init__(self, data: SignalData, recipe: Recipe, preprocessing: SignalPreprocessing | None) -> None:
        assert data.train is not None
        if recipe.cutmix or recipe.balance == "sampler":
            raise InputError("cutmix and balance=sampler are for pictures; leave them out for signals.")
        signals = data.train.signals
        self.data, self.recipe = data, recipe
        length = network_length(signals, recipe.longest)
        self.preprocessing = preprocessing or SignalPreprocessing.fitted(signals, length, recipe.differences)
        self.channels = self.preprocessing.inputs
        self.size: tuple[int, ...] = (self.preprocessing.length,)
        self.inputs = torch.from_numpy(self.preprocessing.array(signals))

    def training_batches(self, epoch: int, batch_size: int, world: World) -> Iterator[Batch]:
        """This process's share of the batches of an epoch."""
        assert self.data.train is not None
        recipe = self.recipe
        return signal_batches(
            self.inputs,
            self.data.train.labels,
            self.data.channels,
            batch_size,
            recipe.members,
            Stretch(recipe.slice, recipe.warp),
            recipe.seed,
            epoch,
            world.rank,
            world.size,
        )

    def validation_batches(self) -> Iterator[Batch]:
        """The validation part, in order, unchanged."""
        part = self.data.validation
        assert part is not None
        for rows in torch.split(torch.arange(len(part)), 64):
            inputs = torch.from_numpy(self.preprocessing.array([part.signals[row] for row in rows.tolist()]))
            yield Batch(views(inputs, self.data.channels, self.recipe.members), part.labels[rows], rows)

    def calibration_batches(self, most: int) -> Iterator[Tensor]:
        """Signals of the training part, shuffled, since a file may be sorted by class: ``most``, but at least 64."""
        rows = torch.randperm(len(self.inputs), generator=torch.Generator().manual_seed(0))
        for batch in torch.split(rows[: max(64, most)], 64):
            yield views(self.inputs[batch], self.data.channels, self.recipe.members)


def network_length(signals: Sequence[Signal], longest: int) -> int:
    """Samples that the network reads, from 8 to ``longest``: four of five signals are no longer."""
    lengths = sorted(int(signal.shape[1]) for signal in signals)
    return max(8, min(longest, lengths[4 * (len(lengths) - 1) // 5]))
