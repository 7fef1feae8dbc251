"""Labelled signals: found in tables, brought to one length, and turned into what the network reads."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .images import BadFile
from .signal_files import find_parts, read_signals
from .signal_rows import Signal


@dataclass(frozen=True)
class SignalSet:
    """Signals and their labels.

    Attributes:
        labels: ``(N,)``, int64.
        names: Where each signal comes from.
        signals: Each ``(channels, length)``, of any length; NaN where a value is missing.
        groups: What must stay on one side of a split, such as the patient; empty if nothing must.
    """

    labels: Tensor
    names: tuple[str, ...]
    signals: tuple[Signal, ...]
    groups: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.signals)

    def subset(self, rows: Sequence[int]) -> SignalSet:
        """Those rows, in that order."""
        groups = tuple(self.groups[row] for row in rows) if self.groups else ()
        index = torch.as_tensor(rows, dtype=torch.long)
        return SignalSet(
            self.labels[index],
            tuple(self.names[row] for row in rows),
            tuple(self.signals[row] for row in rows),
            groups,
        )


@dataclass(frozen=True)
class SignalData:
    """A data set of signals, ready for training or evaluation.

    The fields are those of :class:`~googlenet.data.images.ImageData`, and ``notes``: what its readers want to say.
    """

    name: str
    classes: tuple[str, ...]
    train: SignalSet | None
    validation: SignalSet | None
    test: SignalSet | None
    channels: int
    notes: tuple[str, ...] = ()
    bad: tuple[BadFile, ...] = field(default=())

    @property
    def held_out(self) -> SignalSet:
        """What to evaluate on: the test part, else the validation part, else everything."""
        for part in (self.test, self.validation, self.train):
            if part is not None:
                return part
        raise InputError(f"{self.name} has no signal to evaluate on.")


def holds_signals(source: str) -> bool:
    """Whether that is, by its look, a table or a pair of tables of signals, and not pictures."""
    path = Path(source)
    if path.is_file():
        return path.suffix.lower() != ".csv" or not _lists_pictures(path)
    folder = path if path.is_dir() else path.parent
    stem = "*" if path.is_dir() else path.name
    return any(folder.glob(f"{glob.escape(stem) if stem != '*' else stem}_TRAIN.*"))


def _lists_pictures(table: Path) -> bool:
    with table.open(encoding="utf-8-sig", errors="replace") as file:
        return {"path", "label"} <= {name.strip() for name in file.readline().split(",")}


def find_signals(
    source: str, target: str | None = None, group: str | None = None, channel: str | None = None
) -> SignalData:
    """Reads a pair ``NAME_TRAIN``, ``NAME_TEST``, or one table, see :func:`~.signal_files.read_signals`.

    Raises:
        InputError: For a table that cannot be read, a single class, a class of the test part that the training
            part does not have, or parts with different numbers of channels.
    """
    tables = {part: read_signals(path, target, group, channel) for part, path in find_parts(source).items()}
    labels = {part: table.labels for part, table in tables.items()}
    for part, names in labels.items():
        if names is None:
            raise InputError(f"The {part} part of {source} has no labels; name their column with --target.")
    classes = _ordered(set(labels["train"] or ()))
    if len(classes) < 2:
        raise InputError(f"{source} has a single class, {classes[0]!r}; a classifier needs two or more.")
    strangers = sorted(set(labels.get("test") or ()) - set(classes))
    if strangers:
        raise InputError(f"The test part of {source} has the class {strangers[0]!r}, which the training part has not.")
    channels = {len(signal) for table in tables.values() for signal in table.signals}
    if len(channels) > 1:
        raise InputError(f"The signals of {source} have different numbers of channels: {sorted(channels)}.")
    place = {name: number for number, name in enumerate(classes)}
    sets = {
        part: SignalSet(
            torch.tensor([place[label] for label in table.labels or ()]),
            table.names,
            table.signals,
            table.groups or (),
        )
        for part, table in tables.items()
    }
    layout = tables["train"].layout
    return SignalData(source, classes, sets["train"], None, sets.get("test"), channels.pop(), _notes(sets, layout))


def _notes(sets: dict[str, SignalSet], layout: str) -> tuple[str, ...]:
    """What to say aloud: the layout, and signals that are in both parts."""
    notes = [f"Read as a {layout}."]
    if "test" in sets:
        seen = {signal.tobytes() for signal in sets["train"].signals}
        twice = [name for name, x in zip(sets["test"].names, sets["test"].signals, strict=True) if x.tobytes() in seen]
        if twice:
            notes.append(
                f"{len(twice)} signals of the test part are in the training part too, the first at {twice[0]}."
            )
    return tuple(notes)


def _ordered(labels: set[str]) -> tuple[str, ...]:
    """Numbers by size, else by name."""
    try:
        return tuple(sorted(labels, key=float))
    except ValueError:
        return tuple(sorted(labels))


@dataclass(frozen=True)
class SignalPreprocessing:
    """How a signal becomes what the network reads.

    Missing values are interpolated along time. Each channel is standardised by the training part's statistics; where
    the scales of its signals differ so much that the small ones would vanish beside the large, each by its own. A
    signal keeps its time scale: one that is shorter than ``length`` is followed by zeros, the mean, up to it; one
    that is longer is squeezed, with an antialiasing filter. Its first difference, to the same scale, is put beside it
    if the network is to see it.

    ``length`` is a property of the network, not of a batch, so a signal is read alike whatever others are beside it.

    Attributes:
        channels: Of the signal.
        length: Samples that the network reads.
        mean: Of every channel over the training part; empty where each signal is standardised by itself.
        std: Its standard deviation; 1 for a constant channel; empty like ``mean``.
        slope: Standard deviation of the standardised channel's first difference; 1 where that is 0. Empty
            where the network reads no differences.
    """

    channels: int
    length: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    slope: tuple[float, ...]

    @classmethod
    def fitted(cls, signals: Sequence[Signal], length: int, differences: bool = True) -> SignalPreprocessing:
        """From the training part, for signals of that length, with or without their differences."""
        channels = len(signals[0])
        mean: tuple[float, ...] = ()
        std: tuple[float, ...] = ()
        if not _scales_differ(signals):
            values = [np.concatenate(channel).astype(np.float64) for channel in zip(*signals, strict=True)]
            known = [channel[np.isfinite(channel)] for channel in values]
            mean = tuple(float(channel.mean()) if channel.size else 0.0 for channel in known)
            std = tuple(_or_one(float(channel.std()) if channel.size else 0.0) for channel in known)
        plain = cls(channels, length, mean, std, ())
        if not differences:
            return plain
        standard = [plain._standard(signal, row) for row, signal in enumerate(signals)]
        slopes = torch.cat([_differences(x) for x in standard], dim=1)
        return replace(plain, slope=tuple(_or_one(float(channel.std())) for channel in slopes))

    @property
    def inputs(self) -> int:
        """Channels that the network reads."""
        return self.channels + len(self.slope)

    def tensor(self, signals: Sequence[Signal]) -> Tensor:
        """``(N, inputs, length)``, float32: the channels, then their differences if any.

        Raises:
            InputError: For a signal with another number of channels, without samples, or with infinities.
        """
        return torch.stack([self._read(signal, row) for row, signal in enumerate(signals)])

    def _read(self, signal: Signal, row: int) -> Tensor:
        """``(inputs, length)``."""
        x = self._standard(signal, row)
        if self.slope:
            x = torch.cat([x, _differences(x) / torch.tensor(self.slope)[:, None]])
        return torch.nn.functional.pad(x, (0, self.length - x.shape[1]))

    def _standard(self, signal: Signal, row: int) -> Tensor:
        """``(channels, n)`` without gaps, to a mean of 0 and a deviation of 1, n at most ``length``."""
        if signal.ndim != 2 or signal.shape[0] != self.channels or signal.shape[1] == 0:
            raise InputError(
                f"Signal {row + 1} has the shape {signal.shape}; the network reads ({self.channels}, length)."
            )
        if np.isinf(signal).any():
            raise InputError(f"Signal {row + 1} has an infinite value.")
        x = torch.from_numpy(_filled(signal, self.mean or (0.0,) * self.channels))
        if x.shape[1] > self.length:
            size = (1, self.length)
            x = torch.nn.functional.interpolate(x[None, :, None], size, mode="bilinear", antialias=True)[0, :, 0]
        if not self.mean:
            return _standard_by_itself(x)
        mean, std = (torch.tensor(values)[:, None] for values in (self.mean, self.std))
        return (x - mean) / std

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        return {"kind": "signal"} | asdict(self)

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> SignalPreprocessing:
        """Reads what :meth:`to_dict` gave."""
        numbers = {key: tuple(row[key]) for key in ("mean", "std", "slope")}
        return cls(row["channels"], row["length"], **numbers)


def _scales_differ(signals: Sequence[Signal]) -> bool:
    """Whether in some channel a tenth of the signals vary more than ten times as much as another tenth."""
    for channel in zip(*signals, strict=True):
        known = [values[np.isfinite(values)].astype(np.float64) for values in channel]
        deviations = [values.std() for values in known if values.size and np.ptp(values) > 1e-6 * np.abs(values).max()]
        if deviations:
            small, large = np.quantile(deviations, (0.1, 0.9))
            if large > 10 * small:
                return True
    return False


def _standard_by_itself(x: Tensor) -> Tensor:
    """Each channel with a mean of 0 and a standard deviation of 1; zeros where it is constant."""
    centred = x - x.mean(1, keepdim=True)
    deviation = centred.square().mean(1, keepdim=True).sqrt()
    constant = deviation <= 1e-6 * x.abs().amax(1, keepdim=True)
    return torch.where(constant, 0.0, centred / torch.where(constant, 1.0, deviation))


def _differences(x: Tensor) -> Tensor:
    """Along time, as long as ``x``: the first is 0."""
    return torch.diff(x, dim=1, prepend=x[:, :1])


def _or_one(deviation: float) -> float:
    return deviation if deviation > 1e-12 else 1.0


def _filled(signal: Signal, mean: Sequence[float]) -> Signal:
    """Missing values interpolated between their neighbours; a channel with none at all is its mean."""
    missing = np.isnan(signal)
    if not missing.any():
        return np.ascontiguousarray(signal, dtype=np.float32)
    filled = signal.astype(np.float32, copy=True)
    time = np.arange(signal.shape[1])
    for channel, (values, gaps) in enumerate(zip(filled, missing, strict=True)):
        if gaps.all():
            values[:] = mean[channel]
        elif gaps.any():
            values[gaps] = np.interp(time[gaps], time[~gaps], values[~gaps])
    return filled
