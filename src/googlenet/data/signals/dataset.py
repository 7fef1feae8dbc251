"""Labelled signals and their batches, for networks that train side by side, each with its own order of the data."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ...files import digest
from ..protocol import Array, Batch, Example, Floats, Preprocessing, Settings
from .preprocessing import SignalPreprocessing
from .rows import Signal, count
from .tables.schema import Schema

PLACES = 512
SUMS = ("mean", "deviation", "first sample", "last sample", "number of missing samples")


@dataclass(frozen=True)
class SignalSet:
    """Signals and their labels; an :class:`~googlenet.data.protocol.ExampleSet`.

    Attributes:
        labels: ``(N,)``, int64.
        names: Where each signal comes from.
        signals: Each ``(channels, length)``, of any length; NaN where a value is missing.
        groups: What must stay on one side of a split, such as the patient; empty if nothing must.
        schema: Of the table that they come from; ``None`` if they come from none.
    """

    kind: ClassVar[str] = "signal"

    labels: Tensor
    names: tuple[str, ...]
    signals: tuple[Signal, ...]
    groups: tuple[str, ...] = ()
    schema: Schema | None = None

    def __len__(self) -> int:
        return len(self.signals)

    @property
    def recipe(self) -> str:
        """``"signals"``."""
        return "signals"

    @cached_property
    def contents(self) -> tuple[str, ...]:
        """Of the samples: as float32, in which runs have known them from the beginning; as float64 where float32 would
        make one of what differs."""
        return tuple(digest(_bytes(signal)) for signal in self.signals)

    def summaries(self) -> dict[str, Array]:
        """Of every channel its mean, deviation, first and last sample, and what is missing; the length; and samples
        that every signal has, at most :data:`PLACES`."""
        length = np.array([signal.shape[1] for signal in self.signals], np.float64)
        found: dict[str, Array] = {"the length": length}
        places = np.unique(np.linspace(0, length.min() - 1, PLACES).astype(int))
        for channel in range(len(self.signals[0])):
            of = f" of channel {channel + 1}" if len(self.signals[0]) > 1 else ""
            few = np.array([np.nan_to_num(np.asarray(x[channel][places], np.float64)) for x in self.signals])
            sums = np.array([_sums(x[channel]) for x in self.signals])
            found |= {f"the {what}{of}": sums[:, at] for at, what in enumerate(SUMS)}
            found |= {f"sample {place + 1}{of}": few[:, at] for at, place in enumerate(places)}
        return found

    def subset(self, rows: Sequence[int]) -> SignalSet:
        """Those rows, in that order."""
        return SignalSet(
            self.labels[torch.as_tensor(rows, dtype=torch.long)],
            tuple(self.names[row] for row in rows),
            tuple(self.signals[row] for row in rows),
            tuple(self.groups[row] for row in rows) if self.groups else (),
            self.schema,
        )

    def fitted(self, settings: Settings) -> SignalPreprocessing:
        """By the statistics of these, at a length that follows from theirs."""
        length = network_length(self.signals, settings.longest)
        longest = max(signal.shape[1] for signal in self.signals)
        if longest > settings.longest:
            factor = longest / length
            warnings.warn(
                f"Signals of up to {longest:,} samples are squeezed to {length:,}, {factor:.3g} to one: what changes "
                f"within fewer than {2 * factor:,.0f} samples is lost. If that is what tells them apart, cut them into "
                "windows (--window).",
                RuntimeWarning,
                stacklevel=2,
            )
        fitted = SignalPreprocessing.fitted(self.signals, length, settings.differences)
        uncertain = settings.gain > 0 and fitted.channels > 1 and bool(fitted.mean)
        return replace(fitted, schema=self.schema, own=uncertain and not scale_tells(self, fitted))

    def adapted(self, given: Preprocessing | None, settings: Settings) -> SignalPreprocessing:
        """By the statistics of these, whatever the network read before: it has seen many kinds."""
        if given is not None:
            _for_signals(given)
        return self.fitted(settings)

    def loader(self, preprocessing: Preprocessing, settings: Settings) -> SignalLoader:
        """Batches of these."""
        if settings.cutmix or settings.balance == "sampler":
            raise InputError("cutmix and balance=sampler are for pictures; leave them out for signals.")
        self._say_glitches(_for_signals(preprocessing))
        return SignalLoader(self, _for_signals(preprocessing), settings)

    def examples(self, preprocessing: Preprocessing, crops: int = 1) -> Iterator[Example]:
        """Every signal."""
        return map(Example, self.names, self.signals)

    def _say_glitches(self, preprocessing: SignalPreprocessing) -> None:
        """Warns of samples that a network will not see as they are."""
        counts, first = [], ""
        for name, signal in zip(self.names, self.signals, strict=True):
            if len(signal) != preprocessing.channels:
                continue  # which its preparation complains of
            found = np.argwhere(preprocessing.glitches(signal)).tolist()
            if found:
                counts.append(len(found))
                channel, sample = found[0]
                of_channel = f" of channel {channel + 1}" if len(signal) > 1 else ""
                first = first or f"{name}, sample {sample + 1}{of_channel}, is {signal[channel, sample]:.6g}"
        if counts:
            warnings.warn(
                f"Glitches, far beyond all other samples: {count(sum(counts), 'sample')} in {len(counts):,} of "
                f"{count(len(self), 'signal')}. They are taken for missing, or clipped where they are many. The first: "
                f"{first}.",
                RuntimeWarning,
                stacklevel=3,
            )


def _sums(channel: Array) -> tuple[float, ...]:
    """:data:`SUMS` of one channel of a signal; zeros where it holds nothing."""
    known = channel[np.isfinite(channel)].astype(np.float64)
    if not known.size:
        return (0.0, 0.0, 0.0, 0.0, float(channel.size))
    return (float(known.mean()), float(known.std()), known[0], known[-1], float(channel.size - known.size))


@dataclass(frozen=True)
class SignalLoader:
    """Batches of signals, which are all in memory; a :class:`~googlenet.data.protocol.Loader`.

    Attributes:
        part: The signals.
        preprocessing: What the network wants.
        settings: How to change them, and for how many members.
    """

    part: SignalSet
    preprocessing: SignalPreprocessing
    settings: Settings

    @cached_property
    def inputs(self) -> Tensor:
        """All of them, prepared."""
        return torch.from_numpy(self.preprocessing.array(self.part.signals))

    def training(self, epoch: int, batch_size: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """The batches of an epoch, each member's in its own order.

        Args:
            epoch: Its number.
            batch_size: Examples a step, over all processes.
            rank: This process.
            world: Number of processes.
        """
        settings = self.settings
        changes = Changes(settings.slice, settings.warp, settings.gain)
        place = (settings.seed, epoch, rank, world)
        return signal_batches(
            self.inputs, self.part.labels, self.preprocessing, batch_size, settings.members, changes, *place
        )

    def plain(self, batch_size: int | None = None) -> Iterator[Batch]:
        """Every signal once, in order, unchanged."""
        for rows in torch.split(torch.arange(len(self.part)), batch_size or 64):
            signals = [self.part.signals[row] for row in rows.tolist()]
            yield Batch(self._seen(torch.from_numpy(self.preprocessing.array(signals))), self.part.labels[rows], rows)

    def calibration(self, most: int) -> Iterator[Tensor]:
        """Shuffled, since a file may be sorted by class: ``most``, but at least 64."""
        rows = torch.randperm(len(self.inputs), generator=torch.Generator().manual_seed(0))
        for batch in torch.split(rows[: max(64, most)], 64):
            yield self._seen(self.inputs[batch])

    def _seen(self, inputs: Tensor) -> Tensor:
        return self.preprocessing.views(inputs, self.settings.members)[0]


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
) -> Iterator[Batch]:
    """The batches of an epoch: inputs as of
    :meth:`~googlenet.data.signals.preprocessing.SignalPreprocessing.views`, labels and rows ``(n, members)``;
    ``(n,)`` for a single member.

    Args:
        inputs: ``(N, 2C, L)`` or ``(N, C, L)``, prepared, see :mod:`~googlenet.data.signals.preprocessing`.
        labels: ``(N,)``.
        preprocessing: By which they were prepared.
        batch_size: Signals a step for each member, over all processes.
        members: Networks side by side.
        changes: What to change at random.
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
        if preprocessing.own:
            _amplified(x, preprocessing.channels, changes.gain, generator)
        preprocessing.show_members(x)
        x = _stretched(x, changes, generator)[rank::world]
        rows = rows[rank::world]
        if members == 1:
            rows = rows[:, 0]
        yield Batch(x.flatten(1, 2), labels[rows], rows)


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


def scale_tells(part: SignalSet, preprocessing: SignalPreprocessing, most: int = 200) -> bool:
    """Whether the strength and level of channels tell classes apart: nearest neighbours are of one class more often to
    the common scale than to the signals' own, so much so that chance makes it once in twenty times (sign test).

    Args:
        part: Signals of several channels.
        preprocessing: To the common scale.
        most: Signals that are looked at, at most.
    """
    rows = torch.randperm(len(part), generator=torch.Generator().manual_seed(0))[:most]
    inputs = torch.from_numpy(preprocessing.array([part.signals[row] for row in rows.tolist()]))
    both = torch.unflatten(replace(preprocessing, own=True).views(inputs, 2)[0], 1, (2, -1))
    labels, right = part.labels[rows], []
    for signals in both[:, :, : preprocessing.channels].unbind(1):
        distances = torch.cdist(signals.flatten(1), signals.flatten(1), compute_mode="donot_use_mm_for_euclid_dist")
        right.append(labels[distances.fill_diagonal_(torch.inf).argmin(1)] == labels)
    common, own = (int((one & ~other).sum()) for one, other in (right, right[::-1]))
    ways = sum(math.comb(common + own, times) for times in range(common, common + own + 1))
    return ways < 0.05 * 2.0 ** (common + own)


def network_length(signals: Sequence[Signal], longest: int) -> int:
    """Samples that the network reads, from 8 to ``longest``: four of five signals are no longer."""
    lengths = sorted(int(signal.shape[1]) for signal in signals)
    return max(8, min(longest, lengths[4 * (len(lengths) - 1) // 5]))


def _bytes(signal: Signal) -> bytes:
    """What of a signal is hashed."""
    with np.errstate(over="ignore"):
        rounded = signal.astype(np.float32)
    held = [
        _holds(exact[~np.isnan(exact)], short[~np.isnan(exact)]) for exact, short in zip(signal, rounded, strict=True)
    ]
    return (rounded if all(held) else signal).tobytes()


def _holds(values: Signal, rounded: Floats) -> bool:
    """Whether float32 has room for what a channel holds: its range, its size, and how it varies."""
    if np.array_equal(values, rounded):
        return True
    size, spread = np.abs(values).max(), np.ptp(values)
    return bool(1e-30 < size < 1e38 and (spread == 0 or spread > 1e-4 * size))


def _for_signals(preprocessing: Preprocessing) -> SignalPreprocessing:
    if not isinstance(preprocessing, SignalPreprocessing):
        raise InputError(f"The network reads {preprocessing.kind}s, and these data are signals.")
    return preprocessing
