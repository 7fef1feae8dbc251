"""Labelled windows of recordings: views of what lies on the disk, prepared as they are needed."""

from __future__ import annotations

import dataclasses
import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np
import torch
from torch import Tensor

from ....errors import InputError
from ....files import digest
from ...protocol import Array, Example, Floats, Preprocessing, Settings
from ..batches import SignalLoader
from ..dataset import SignalSet
from ..preparation.preprocessing import SignalPreprocessing
from ..rows import Signal
from .recording import Recording
from .resample import length_at, resampled
from .windows import Windows

MOST, LEAST = 2000, 64  # windows from which statistics are taken
NUMBERS = 1 << 22  # in them, about; and in those that are looked at before they are let go of


@dataclass(frozen=True)
class Kept:
    """A recording at the rate of the windows, in a nameless temporary file that is gone with it.

    Attributes:
        values: ``(channels, n)``, float32, read from the file as they are looked at.
        file: That they lie in.
    """

    values: Floats
    file: mmap.mmap

    def release(self) -> None:
        """Lets go of what was looked at: it is read again when it is looked at again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self.file.madvise(mmap.MADV_DONTNEED)


def _take(file: int, size: int) -> None:
    """Makes a file so large; where the disk is full that is an error, and not one at the moment it is written to."""
    if hasattr(os, "posix_fallocate") and size:
        os.posix_fallocate(file, 0, size)
    else:
        os.truncate(file, size)


def kept_on_disk(recording: Recording, windows: Windows) -> Kept:
    """Reads a recording once, from beginning to end.

    Raises:
        InputError: If the recording cannot be read, or the disk is full.
    """
    shape = (len(windows.channels), length_at(recording, windows.rate))
    size = 4 * shape[0] * shape[1]
    try:
        with tempfile.TemporaryFile() as file:
            _take(file.fileno(), size)
            kept = Kept(np.frombuffer(place := mmap.mmap(file.fileno(), size), np.float32).reshape(shape), place)
            at = written = 0
            for block in resampled(recording, windows.rate, windows.channels):
                with np.errstate(over="ignore"):  # what is too large is infinite, and is refused by its reader
                    kept.values[:, at : at + block.shape[1]] = block
                at += block.shape[1]
                written += block.size
                if written > NUMBERS:
                    kept.release()
                    written = 0
    except OSError as error:
        raise InputError(
            f"{recording.path} needs {size:,} bytes in the folder for temporary files ({tempfile.gettempdir()}), and "
            f"could not be kept there: {error.strerror}."
        ) from error
    return kept


@dataclass(frozen=True)
class WindowSet(SignalSet):
    """Windows of recordings, or whole ones, and their labels; an :class:`~googlenet.data.protocol.ExampleSet`.

    Attributes:
        windows: How they were cut.
        kept: Where the signals lie.
    """

    windows: Windows = field(kw_only=True)
    kept: tuple[Kept, ...] = ()

    @property
    def recipe(self) -> str:
        """``"recordings"``; whole ones are signals like others."""
        return "recordings" if self.windows.window else "signals"

    @cached_property
    def contents(self) -> tuple[str, ...]:
        """Of the samples; of a flat line, of which there are many alike, of its name too."""
        return tuple(
            digest(np.ascontiguousarray(signal).tobytes() + (name.encode() if _is_flat(signal) else b""))
            for name, signal in self._each()
        )

    def summaries(self) -> dict[str, Array]:
        """As of :class:`~googlenet.data.signals.dataset.SignalSet`, of few windows at a time."""
        if not self.windows.window:
            return super().summaries()
        parts = []
        for rows in np.array_split(np.arange(len(self)), -(-len(self) // self._few)):
            parts.append(SignalSet.summaries(self.subset(rows.tolist())))
            _release(self.kept)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def subset(self, rows: Sequence[int]) -> WindowSet:
        """Those rows, in that order."""
        return dataclasses.replace(self, **vars(super().subset(rows)))

    def fitted(self, settings: Settings) -> SignalPreprocessing:
        """By the statistics of some of them, evenly chosen, with how they were cut."""
        most = min(len(self), MOST, max(LEAST, NUMBERS // self.signals[0].size))
        chosen = np.linspace(0, len(self) - 1, most).round().astype(int).tolist()
        few = SignalSet(self.labels[chosen], (), tuple(np.array(self.signals[row]) for row in chosen))
        _release(self.kept)
        return dataclasses.replace(few.fitted(settings), windows=self.windows)

    def loader(self, preprocessing: Preprocessing, settings: Settings) -> SignalLoader:
        """Batches of these."""
        plain = super().loader(preprocessing, settings)
        return WindowLoader(plain.signals, plain.labels, plain.preprocessing, settings, kept=self.kept)

    def examples(self, preprocessing: Preprocessing, crops: int = 1) -> Iterator[Example]:
        """Every window."""
        for name, signal in self._each():
            yield Example(name, np.array(signal))

    @property
    def _few(self) -> int:
        """Windows that are looked at before they are let go of."""
        return max(1, NUMBERS // self.signals[0].size)

    def _each(self) -> Iterator[tuple[str, Signal]]:
        """Every name and window; memory stays that of few."""
        for number, each in enumerate(zip(self.names, self.signals, strict=True), start=1):
            yield each
            if number % self._few == 0:
                _release(self.kept)
        _release(self.kept)


def _is_flat(signal: Signal) -> bool:
    return bool(np.all((signal == signal[:, :1]) | np.isnan(signal)))


def _release(kept: Sequence[Kept]) -> None:
    for each in kept:
        each.release()


@dataclass(frozen=True)
class WindowLoader(SignalLoader):
    """Batches of windows, each prepared when it is wanted; a :class:`~googlenet.data.protocol.Loader`.

    Attributes:
        kept: Where the signals lie.
    """

    kept: tuple[Kept, ...] = ()

    @cached_property
    def inputs(self) -> Tensor:
        """What stands for a tensor of all of them: it has a length, and gives what is asked for."""
        return cast(Tensor, _Prepared(self.signals, self.preprocessing, self.kept))


@dataclass(frozen=True)
class _Prepared:
    signals: tuple[Signal, ...]
    preprocessing: SignalPreprocessing
    kept: tuple[Kept, ...]

    def __len__(self) -> int:
        return len(self.signals)

    def __getitem__(self, rows: Tensor) -> Tensor:
        once, place = np.unique(rows.numpy(), return_inverse=True)
        prepared = self.preprocessing.array([self.signals[row] for row in once.tolist()])
        _release(self.kept)
        return torch.from_numpy(prepared[place.reshape(rows.shape)])
