"""Batches of signals for networks that train side by side, each with its own order of the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from ..protocol import Batch, Settings
from ..splits import batches_of
from .preparation.members import show_in_place
from .preparation.preprocessing import SignalPreprocessing
from .rows import Signal


@dataclass(frozen=True)
class SignalLoader:
    """Batches of signals, which are all in memory; a :class:`~googlenet.data.protocol.Loader`.

    Attributes:
        signals: Each ``(channels, length)``.
        labels: ``(N,)``.
        preprocessing: What the network wants.
        settings: How to change them, and for how many members.
        folds: ``(N,)``: the member that never sees each; ``None`` where all see all.
    """

    signals: tuple[Signal, ...]
    labels: Tensor
    preprocessing: SignalPreprocessing
    settings: Settings
    folds: Tensor | None = None

    @cached_property
    def inputs(self) -> Tensor:
        """All of them, prepared."""
        return torch.from_numpy(self.preprocessing.array(self.signals))

    def training(self, epoch: int, batch_size: int, rank: int = 0, world: int = 1, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, each member's in its own order.

        Args:
            epoch: Its number.
            batch_size: Examples a step, over all processes, at most.
            rank: This process.
            world: Number of processes.
            first: Batches to leave out.
        """
        settings = self.settings
        changes = Changes(settings.slice, settings.warp, settings.gain)
        place = (settings.seed, epoch, rank, world)
        batches = signal_batches(
            self.inputs, self.labels, self.preprocessing, batch_size, settings.members, changes, *place, self.folds
        )
        return islice(batches, first, None)  # chance goes on from batch to batch

    def plain(self, batch_size: int | None = None, rows: Tensor | None = None) -> Iterator[Batch]:
        """Every signal once, in order, or those of ``rows``, unchanged; members that leave some out see others twice
        in their place."""
        rows = torch.arange(len(self.signals)) if rows is None else rows
        if self.folds is not None:
            yield from self._plain_apart(rows, batch_size or 64)
            return
        for piece in torch.split(rows, batch_size or 64):
            prepared = torch.from_numpy(self.preprocessing.array([self.signals[row] for row in piece.tolist()]))
            yield Batch(self.preprocessing.views(prepared, self.settings.members)[0], self.labels[piece], piece)

    def _plain_apart(self, rows: Tensor, batch_size: int) -> Iterator[Batch]:
        """:meth:`plain` where every member has signals of its own."""
        assert self.folds is not None
        members = range(self.settings.members)
        own = torch.stack([_as_many(rows[self.folds[rows] != member], len(rows)) for member in members], dim=1)
        for piece in torch.split(own, batch_size):
            x = self.inputs[piece]
            show_in_place(x, self.preprocessing.channels, self.preprocessing.own)
            yield Batch(x.flatten(1, 2), self.labels[piece], piece)

    def leaving_out(self, folds: Tensor) -> SignalLoader:
        """The same, where each member never learns from some.

        Args:
            folds: ``(N,)``: the number of the member.
        """
        return replace(self, folds=folds)


@dataclass(frozen=True)
class Changes:
    """Random changes of a signal: of its time axis, for every other pair of members, and of its strength.

    Attributes:
        slice: Smallest share of a signal that is cut out and stretched to the whole length; 1 for all of it.
        warp: Largest local shift of time, as a share of the length.
        gain: Deviation of the logarithm of a factor for each channel, where some members see each to its own scale.
    """

    slice: float = 1.0
    warp: float = 0.0
    gain: float = 0.0


def signal_batches(
    inputs: Tensor,
    labels: Tensor,
    preprocessing: SignalPreprocessing,
    batch_size: int,
    members: int,
    changes: Changes,
    seed: int,
    epoch: int,
    rank: int = 0,
    world: int = 1,
    folds: Tensor | None = None,
) -> Iterator[Batch]:
    """The batches of an epoch: inputs as of :meth:`~.preparation.preprocessing.SignalPreprocessing.views`, labels and
    rows ``(n, members)``; ``(n,)`` for a single member.

    Args:
        inputs: ``(N, 2C, L)`` or ``(N, C, L)``, prepared, see :mod:`~googlenet.data.signals.preparation.preprocessing`.
        labels: ``(N,)``.
        preprocessing: By which they were prepared.
        batch_size: Signals a step for each member, over all processes, at most.
        members: Networks side by side.
        changes: What to change at random.
        seed: Of the run.
        epoch: Number of the epoch.
        rank: This process.
        world: Number of processes; each gets every ``world``-th signal of a batch.
        folds: As of :class:`SignalLoader`. A member that leaves some out has as many steps, and sees others more often.
    """
    draws = np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0]
    generator = torch.Generator().manual_seed(int(draws >> 1))
    orders = torch.stack([_order(len(inputs), folds, member, generator) for member in range(members)], dim=1)
    for rows in batches_of(orders, batch_size):
        x = inputs[rows]
        if preprocessing.own:
            _amplified(x, preprocessing.channels, changes.gain, generator)
        show_in_place(x, preprocessing.channels, preprocessing.own)
        x = _stretched(x, changes, generator)[rank::world]
        rows = rows[rank::world]
        if members == 1:
            rows = rows[:, 0]
        yield Batch(x.flatten(1, 2), labels[rows], rows)


def _order(count: int, folds: Tensor | None, member: int, generator: torch.Generator) -> Tensor:
    """The rows ``(count,)`` as a member sees them in an epoch."""
    if folds is None:
        return torch.randperm(count, generator=generator)
    own = torch.nonzero(folds != member)[:, 0]
    rounds = [own[torch.randperm(len(own), generator=generator)] for _ in range(-(-count // len(own)))]
    return torch.cat(rounds)[:count]


def _as_many(rows: Tensor, count: int) -> Tensor:
    """Rows ``(count,)``: these, and from the first on again."""
    return rows.repeat(-(-count // len(rows)))[:count]


def _amplified(x: Tensor, channels: int, gain: float, generator: torch.Generator) -> None:
    """Every channel of ``(N, members, inputs, L)``, with its difference, stronger or weaker, in place."""
    factor = torch.exp(gain * torch.randn(*x.shape[:2], channels, generator=generator))
    x *= factor.repeat(1, 1, x.shape[2] // channels)[..., None]


def _stretched(x: Tensor, stretch: Changes, generator: torch.Generator) -> Tensor:
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
