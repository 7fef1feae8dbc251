"""Labelled signals, and what is fitted to them."""

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

from ...errors import InputError, count
from ...files import digest
from ..protocol import Array, Example, Floats, Preprocessing, Settings
from .batches import SignalLoader
from .preparation.preprocessing import SignalPreprocessing
from .rows import Signal
from .tables.schema import Schema

PLACES = 512
SQUEEZED = 4  # to one: from there on the longest signals lose what others keep, and it is said
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
        if longest > settings.longest or longest > SQUEEZED * length:
            factor = longest / length
            warnings.warn(
                f"Signals of up to {longest:,} samples are squeezed to {length:,}, {factor:.3g} to one: what changes "
                f"within fewer than {2 * factor:,.0f} samples is lost. If that is what tells them apart, cut them "
                "into shorter windows (--window).",
                RuntimeWarning,
                stacklevel=2,
            )
        fitted = SignalPreprocessing.fitted(self.signals, length, settings.differences)
        uncertain = settings.gain > 0 and fitted.channels > 1 and bool(fitted.mean)
        return replace(fitted, schema=self.schema, longest=longest, own=uncertain and not scale_tells(self, fitted))

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
        return SignalLoader(self.signals, self.labels, _for_signals(preprocessing), settings)

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
    with np.errstate(over="ignore"):
        size, spread = np.abs(values).max(), np.ptp(values)
    return bool(1e-30 < size < 1e38 and (spread == 0 or spread > 1e-4 * size))


def _for_signals(preprocessing: Preprocessing) -> SignalPreprocessing:
    if not isinstance(preprocessing, SignalPreprocessing):
        raise InputError(f"The network reads {preprocessing.kind}s, and these data are signals.")
    return preprocessing
