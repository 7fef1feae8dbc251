"""What a recording is, whatever file it lies in: channels, a rate, and samples that are read a stretch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import InputError

Samples = npt.NDArray[np.float64]  # (channels, n), NaN where a value is missing
BLOCK = 1 << 18  # numbers that are read at once, about


@dataclass(frozen=True)
class Mark:
    """What somebody said of a stretch, or of a moment, of a recording.

    Attributes:
        start: Seconds from the beginning.
        end: The same; equal to ``start`` for a moment, such as a heart beat.
        label: What it is.
    """

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class Recording:
    """A recording that is there to be read.

    Attributes:
        path: Its file.
        channels: Their names, each once.
        rate: Samples a second.
        length: Samples of each channel.
        read: From the first sample and the one behind the last to ``(channels, n)``; opens the file and closes it.
        marks: Labels that the file itself brings.
        remarks: What its reader wants to say.
        began: When, if it says so; with a time zone if it names one.
        group: What it stays together with in a split, where its file says so.
        units: Of each channel, as the file writes it; empty where it says none.
        first: Seconds at which its own times begin, where they are numbers.
    """

    path: Path
    channels: tuple[str, ...]
    rate: float
    length: int
    read: Callable[[int, int], Samples]
    marks: tuple[Mark, ...] = ()
    remarks: tuple[str, ...] = ()
    began: datetime | None = None
    group: str = ""
    units: tuple[str, ...] = ()
    first: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.length / self.rate

    def rows(self, names: tuple[str, ...]) -> list[int]:
        """Where those channels are in what is read.

        Raises:
            InputError: If one is not there.
        """
        missing = [name for name in names if name not in self.channels]
        if missing:
            raise InputError(
                f"{self.path} has no channel {missing[0]!r}, which is read here; it has {', '.join(self.channels)}."
            )
        return [self.channels.index(name) for name in names]

    def blocks(self, start: int, size: int) -> Iterator[Samples]:
        """All samples from one on, that many at a time."""
        for first in range(start, self.length, size):
            yield self.read(first, min(first + size, self.length))


def library(name: str, path: Path) -> Any:
    """A reader's library.

    Raises:
        InputError: If it is not installed; the sentence says how to get it.
    """
    try:
        return import_module(name)
    except (ImportError, OSError) as error:  # soundfile raises OSError where its own library is missing
        raise InputError(f"{path}: to read {path.suffix} files: pip install 'googlenet[signals]'") from error


def checked(samples: Samples, path: Path, start: int, stop: int) -> Samples:
    """Samples that were read, if they are all there.

    Args:
        samples: ``(channels, n)``.
        path: They are from.
        start: The first that was wanted.
        stop: The one behind the last.

    Raises:
        InputError: If there are fewer than the file said.
    """
    if samples.shape[1] != stop - start:
        there = start + samples.shape[1]
        raise InputError(f"{path} is cut short: it says that it has more samples than the {there:,} that are there.")
    return samples


def numbered(count: int) -> tuple[str, ...]:
    """Names of channels that have none: those of one file fit those of another with as many."""
    return ("mono",) if count == 1 else tuple(f"{number} of {count}" for number in range(1, count + 1))
