"""The windows of a recording, one after the other, as they are read: memory stays that of a few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ....errors import InputError
from ...protocol import Example
from ..rows import Signal
from .readers.formats import open_recordings
from .recording import Recording, Samples
from .resample import length_at, resampled
from .units import in_units
from .windows import Windows


def opened(path: str | Path, windows: Windows) -> list[Recording]:
    """The recordings of a file that is to be read as a network reads them; of one that does not say its rate it is the
    network's.

    Raises:
        InputError: If it cannot be read, lacks a channel, or is shorter than a window.
    """
    found = [in_units(each, windows) for each in open_recordings(Path(path), windows.rate, windows.said)]
    for recording in found:
        recording.rows(windows.channels)
        if length_at(recording, windows.rate) < windows.window:
            raise InputError(
                f"{recording.path} has {recording.seconds:g} s, and a window has {windows.window / windows.rate:g} s: "
                "it is too short."
            )
    return found


def examples(path: str | Path, windows: Windows) -> Iterator[Example]:
    """The windows of a file, named by their seconds; what cannot be read is an example with an error."""
    try:
        for recording in opened(path, windows):
            yield from examples_of(recording, windows)
    except InputError as error:
        yield Example(str(path), error=str(error))


def examples_of(recording: Recording, windows: Windows) -> Iterator[Example]:
    """The windows of a recording, named by their seconds.

    Raises:
        InputError: If it cannot be read to its end.
    """
    blocks = resampled(recording, windows.rate, windows.channels)
    if not windows.window:
        yield Example(str(recording.path), np.concatenate(list(blocks), axis=1).astype(np.float32))
        return
    starts = places(recording, windows)
    for start, signal in zip(starts, cut(blocks, iter(starts), windows.window), strict=True):
        first, last = start / windows.rate, (start + windows.window) / windows.rate
        yield Example(f"{recording.path} {first:g}-{last:g} s", signal)


def places(recording: Recording, windows: Windows) -> list[int] | range:
    """The first samples of the windows that are to be answered: one hop after the other; of a network that learned
    from moments around those that the recording has marked, if it has."""
    length = length_at(recording, windows.rate)
    if windows.centred and recording.marks:
        middles = sorted(round((mark.start + mark.end) / 2 * windows.rate) for mark in recording.marks)
        starts = (middle - windows.window // 2 for middle in middles)
        return [start for start in starts if 0 <= start <= length - windows.window]
    return windows.starts(length)


def cut(blocks: Iterable[Samples], starts: Iterator[int], window: int) -> Iterator[Signal]:
    """The windows that begin at rising places, from samples that come block by block.

    Args:
        blocks: ``(channels, n)``, one after the other.
        starts: First samples, none before the one before it.
        window: Samples of each.
    """
    wanted = next(starts, None)
    held: Samples | None = None
    begins = 0  # place of the first sample that is held
    for block in blocks:
        held = block if held is None else np.concatenate([held, block], axis=1)
        while wanted is not None and wanted + window <= begins + held.shape[1]:
            yield held[:, wanted - begins : wanted - begins + window].astype(np.float32)
            wanted = next(starts, None)
        if wanted is None:
            return
        passed = min(max(0, wanted - begins), held.shape[1])
        held, begins = held[:, passed:], begins + passed
