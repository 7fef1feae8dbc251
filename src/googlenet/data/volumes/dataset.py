"""Sets of volumes and clips, and their batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...errors import InputError
from ...files import digest
from ..protocol import Array, Batch, Example, Preprocessing, Settings
from ..splits import batches_of
from .preprocessing import VolumePreprocessing

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class VolumeSet:
    """Volumes and their labels; an :class:`~googlenet.data.protocol.ExampleSet`.

    Attributes:
        labels: ``(N,)``, int64.
        names: Where each comes from.
        volumes: ``(N, C, D, H, W)``.
        groups: What must stay on one side of a split; volumes have none.
    """

    kind: ClassVar[str] = "volume"

    labels: Tensor
    names: tuple[str, ...]
    volumes: Array
    groups: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.volumes)

    @property
    def recipe(self) -> str:
        """``"volumes"``."""
        return "volumes"

    @cached_property
    def contents(self) -> tuple[str, ...]:
        """Of the voxels."""
        return tuple(digest(volume.tobytes()) for volume in self.volumes)

    def summaries(self) -> dict[str, Array]:
        """None: volumes are not looked through for shortcuts."""
        return {}

    def subset(self, rows: Sequence[int]) -> VolumeSet:
        """Those rows, in that order."""
        rows = list(rows)
        return VolumeSet(self.labels[rows], tuple(self.names[row] for row in rows), self.volumes[rows])

    def fitted(self, settings: Settings) -> VolumePreprocessing:
        """By the statistics of these."""
        return VolumePreprocessing.fitted(self.volumes, settings.flip)

    def adapted(self, given: Preprocessing | None, settings: Settings) -> VolumePreprocessing:
        """By the statistics of these: scanners differ more than what is to be seen."""
        if given is not None:
            _for_volumes(given)
        return self.fitted(settings)

    def loader(self, preprocessing: Preprocessing, settings: Settings) -> VolumeLoader:
        """Batches of these."""
        if settings.cutmix or settings.balance == "sampler":
            raise InputError("cutmix and balance=sampler are for pictures; leave them out for volumes.")
        if settings.members > 1:
            raise InputError("members are networks for signals, side by side; leave them out for volumes.")
        return VolumeLoader(self, _for_volumes(preprocessing), settings)

    def examples(self, preprocessing: Preprocessing, crops: int = 1) -> Iterator[Example]:
        """Every volume."""
        return map(Example, self.names, self.volumes)


@dataclass(frozen=True)
class VolumeLoader:
    """Batches of volumes, which are all in memory; a :class:`~googlenet.data.protocol.Loader`.

    Attributes:
        part: The volumes.
        preprocessing: What the network wants.
        settings: How to draw and change them.
    """

    part: VolumeSet
    preprocessing: VolumePreprocessing
    settings: Settings

    def training(self, epoch: int, batch_size: int, rank: int = 0, world: int = 1, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, shuffled, mirrored and shifted by whole voxels.

        Args:
            epoch: Its number.
            batch_size: Examples a step, over all processes, at most.
            rank: This process.
            world: Number of processes.
            first: Batches to leave out.
        """
        import torch

        settings = self.settings
        seed = np.random.SeedSequence((settings.seed, epoch)).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(seed >> 1))
        order = torch.randperm(len(self.part), generator=generator)
        for step, rows in enumerate(batches_of(order, batch_size)):
            turned = torch.randint(2, (len(rows),), generator=generator)
            shifts = torch.randint(-settings.shift, settings.shift + 1, (len(rows), 3), generator=generator)
            mine = slice(rank, None, world)
            if step < first:
                continue  # chance goes on from batch to batch
            batch = self._batch(rows[mine])
            for x, turn, shift in zip(batch.inputs, turned[mine].tolist(), shifts[mine].tolist(), strict=True):
                if settings.flip and turn:
                    x.copy_(x.flip(3))
                if any(shift):
                    x.copy_(_shifted(x, shift))
            yield batch

    def plain(self, batch_size: int | None = None, rows: Tensor | None = None) -> Iterator[Batch]:
        """Every volume once, in order, or those of ``rows``, unchanged."""
        import torch

        return map(self._batch, torch.split(torch.arange(len(self.part)) if rows is None else rows, batch_size or 32))

    def leaving_out(self, folds: Tensor) -> VolumeLoader:
        """Raises InputError: networks of volumes have no members."""
        raise InputError("Networks of volumes have no members side by side that could leave some out.")

    def _batch(self, rows: Tensor) -> Batch:
        import torch

        prepared = np.concatenate([self.preprocessing.read(self.part.volumes[row]) for row in rows.tolist()])
        return Batch(torch.from_numpy(prepared), self.part.labels[rows], rows)


def holds(X: Any) -> bool:
    """Whether these are volumes: ``(N, C, D, H, W)``."""
    return getattr(X, "ndim", 0) == 5


def example_set(X: Any, labels: Tensor, like: Preprocessing | None, estimator: Any) -> VolumeSet:
    """Volumes from an array ``(N, C, D, H, W)``.

    Args:
        X: The array: unsigned integers, or floats.
        labels: ``(N,)``.
        like: Not asked: a volume that does not fit is refused where it is read.
        estimator: Not asked: volumes have no features of their own.
    """
    return VolumeSet(labels, tuple(f"example {row}" for row in range(len(X))), np.asarray(X))


def _shifted(x: Tensor, shift: Sequence[int]) -> Tensor:
    """``(C, D, H, W)`` moved by whole voxels; what comes in is the mean."""
    moved = x.new_zeros(x.shape)
    ends = [
        (slice(max(s, 0), n + min(s, 0)), slice(max(-s, 0), n - max(s, 0)))
        for s, n in zip(shift, x.shape[1:], strict=True)
    ]
    moved[(slice(None), *(to for to, _ in ends))] = x[(slice(None), *(source for _, source in ends))]
    return moved


def _for_volumes(preprocessing: Preprocessing) -> VolumePreprocessing:
    if not isinstance(preprocessing, VolumePreprocessing):
        raise InputError(f"The network reads {preprocessing.kind}s, and these data are volumes.")
    return preprocessing
