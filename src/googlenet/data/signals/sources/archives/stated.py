"""What an archive's file states, by its header and times, held against its rows; signals of channels that differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..... import limits
from .....errors import InputError, quoted
from ...rows import Signal, is_number, label_text, listing
from ..text.dates import seconds


class Padded:
    """Channels of different lengths as signals, of which what is added stays in proportion to the file."""

    def __init__(self, path: Path) -> None:
        self._left = limits.unpacked(path.stat().st_size) // 8

    def __call__(self, where: str, values: Sequence[Sequence[float]]) -> Signal:
        """``(channels, length)`` of the longest, NaN behind the end of the others."""
        self.take(where, len(values), max(map(len, values)))
        return channels_of(values)

    def take(self, where: str, channels: int, length: int) -> None:
        """Room for one more signal.

        Args:
            where: It stands.
            channels: Of it.
            length: Of its longest channel.

        Raises:
            InputError: If the file has too few numbers for so many channels of that length.
        """
        self._left -= channels * length
        if self._left < 0:
            raise InputError(
                f"{where}: the {channels:,} channels differ too much in length, the longest has {length:,} samples: "
                "filled up to it they are far larger than the file. Cut them to windows."
            )


def channels_of(values: Sequence[Sequence[float]]) -> Signal:
    """``(channels, length)`` of the longest, NaN behind the end of the others."""
    signal = np.full((len(values), max(map(len, values))), np.nan, np.float64)
    for channel, row in zip(signal, values, strict=True):
        channel[: len(row)] = row
    return signal


def check_times(where: str, times: Sequence[Sequence[str]]) -> None:
    """That the times of samples rise, and are the same in every dimension: samples are read by their place.

    Args:
        where: They stand.
        times: Of each dimension.

    Raises:
        InputError: If it is not so.
    """
    for index, own in enumerate(times, start=1):
        moments = [float(time) if is_number(time) else seconds(time) for time in own]
        known = [moment for moment in moments if moment is not None]
        if len(known) == len(moments) and any(two <= one for one, two in pairwise(known)):
            raise InputError(f"{where}, dimension {index}: the times do not rise. Sort the samples by their times.")
        same = min(len(own), len(times[0]))
        if own[:same] != times[0][:same]:
            raise InputError(
                f"{where}, dimension {index} has other times than the first: bring both to the same moments."
            )


class Classes:
    """The classes that a header names: one after the other, where a name may be of several words."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._words = " ".join(names).split(" ")
        self._known: dict[int, set[str]] = {}  # number of words to all that follow each other

    def check(self, where: str, label: str, stated: str) -> None:
        """That the header knows a label, or it is missing.

        Args:
            where: It stands.
            label: As the row has it.
            stated: What in the header names the classes.

        Raises:
            InputError: If the header does not know it.
        """
        name = label_text(label)
        if self._names and name not in ("", "?") and not self._has(name):
            raise InputError(f"{where}: {stated} has no class {quoted(name)}. There are: {listing(self._names)}.")

    def _has(self, name: str) -> bool:
        many = name.count(" ") + 1
        if many > limits.WORDS:
            return False
        if many not in self._known:
            words = self._words
            self._known[many] = {" ".join(words[at : at + many]) for at in range(len(words) - many + 1)}
        return name in self._known[many]


def counted(prefix: str, start: int = 1) -> Callable[[int], str]:
    """Names the cell of an index, for messages."""
    return lambda index: f"{prefix} {start + index}"
