"""Batches of signals for networks that train side by side, each with its own order of the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..images.batches import Batch


@dataclass(frozen=True)
class Stretch:
    """Random changes of a signal's time axis, for every other pair of members.

    Attributes:
        slice: Smallest share of a signal that is cut out and stretched to the whole length; 1 for all of it.
        warp: Largest local shift of time, as a share of the length.
    """

    slice: float = 1.0
    warp: float = 0.0


def views(x: Tensor, channels: int, members: int) -> Tensor:
    """What each member sees of ``(N, 2C, L)``, or of ``(N, C, L)`` without differences: those of all side by side.

    Even members see the signal and its difference, odd ones the signal alone; a single one sees both.

    Args:
        x: From :meth:`~googlenet.data.signals.preprocessing.SignalPreprocessing.array`.
        channels: Of the signal, C.
        members: Networks side by side.
    """
    seen = x[:, None].repeat(1, members, 1, 1)
    _hide_differences(seen, channels)
    return seen.flatten(1, 2)


def training_batches(
    inputs: Tensor,
    labels: Tensor,
    channels: int,
    batch_size: int,
    members: int,
    stretch: Stretch,
    seed: int,
    epoch: int,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Batch]:
    """The batches of an epoch: inputs as of :func:`views`, labels and rows ``(n, members)``;
    ``(n,)`` for a single member.

    Args:
        inputs: ``(N, 2C, L)`` or ``(N, C, L)``, prepared, see :mod:`~googlenet.data.signals.preprocessing`.
        labels: ``(N,)``.
        channels: Of the signal, C.
        batch_size: Signals a step for each member, over all processes.
        members: Networks side by side.
        stretch: What to change at random.
        seed: Of the run.
        epoch: Number of the epoch.
        rank: This process.
        world: Number of processes; each gets every ``world``-th signal of a batch.
    """
    draws = np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0]
    generator = torch.Generator().manual_seed(int(draws >> 1))
    orders = torch.stack([torch.randperm(len(inputs), generator=generator) for _ in range(members)], dim=1)
    for step in range(len(inputs) // batch_size):
        rows = orders[step * batch_size : (step + 1) * batch_size]
        x = inputs[rows]
        _hide_differences(x, channels)
        x = _stretched(x, stretch, generator)[rank::world]
        rows = rows[rank::world]
        if members == 1:
            rows = rows[:, 0]
        yield Batch(x.flatten(1, 2), labels[rows], rows)


def _hide_differences(seen: Tensor, channels: int) -> None:
    """Zeroes the differences of odd members, if there are any, in place; ``(N, members, 2C, L)``."""
    seen[:, 1::2, channels:] = 0


def _stretched(x: Tensor, stretch: Stretch, generator: torch.Generator) -> Tensor:
    """``(N, members, 2C, L)`` with the time of members 2, 3, 6, 7, … cut and warped."""
    chosen = [member for member in range(x.shape[1]) if member % 4 >= 2]
    if not chosen or (stretch.slice == 1 and not stretch.warp):
        return x
    n, _, _, length = x.shape

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, len(chosen), 1, generator=generator)

    share = uniform(stretch.slice, 1.0)
    time = torch.linspace(0, 1, length)
    bend = uniform(-1, 1) * stretch.warp * torch.sin(torch.pi * (time * uniform(1, 3) + uniform(0, 2)))
    place = ((uniform(0, 1) * (1 - share) + share * (time + bend)) * (length - 1)).clamp(0, length - 1)
    before = place.floor().clamp(max=max(0, length - 2)).long()
    part = (place - before)[:, :, None]
    old = x[:, chosen]
    index = before[:, :, None].expand(-1, -1, x.shape[2], -1)
    x[:, chosen] = torch.lerp(old.gather(3, index), old.gather(3, (index + 1).clamp(max=length - 1)), part)
    return x
