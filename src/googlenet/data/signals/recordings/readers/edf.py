"""EDF and EDF+, BDF and BDF+, with their annotations; read by ``edfio``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from .....errors import InputError
from .....files import open_plain
from ..recording import Mark, Recording, Samples, library

_HEADER, _PER_SIGNAL, _BEFORE_COUNTS = 256, 256, 216  # bytes


def open_edf(path: Path) -> Recording:
    """A file of EDF or BDF. Channels of a lower rate are drawn out to the highest along straight lines.

    Raises:
        InputError: If it is cut short, has gaps in time, or no channel.
    """
    file = _file_of(path)
    if "+D" in file.reserved and not file.is_continuous:
        raise InputError(f"{path} has gaps in time (EDF+D); write it as continuous parts, a file each.")
    if not file.signals:
        raise InputError(f"{path} holds annotations and no channel.")
    rate = max(signal.sampling_frequency for signal in file.signals)
    slow = [signal.label for signal in file.signals if signal.sampling_frequency != rate]
    remarks = (f"{path}: {', '.join(slow)} of a lower rate drawn out to {rate:g} Hz.",) if slow else ()
    length = round(file.duration * rate)

    def read(start: int, stop: int) -> Samples:
        try:
            return np.stack([_read(signal, file.duration, rate, start, stop) for signal in file.signals])
        except ValueError as error:
            raise InputError(f"{path} is damaged: its header does not fit what is in it.") from error

    names = _unique([signal.label for signal in file.signals])
    units = tuple(signal.physical_dimension for signal in file.signals)
    return Recording(path, names, rate, length, read, _marks(file), remarks, _began(file), units=units)


def annotations_of(path: Path) -> tuple[Mark, ...]:
    """The marks of a file that may hold nothing else.

    Raises:
        InputError: If there is none.
    """
    marks = _marks(_file_of(path))
    if not marks:
        raise InputError(f"{path} holds no annotations.")
    return marks


def _file_of(path: Path) -> Any:
    """What ``edfio`` makes of a file that is whole."""
    edfio = library("edfio", path)
    _check_whole(path)
    bdf = path.suffix.lower() == ".bdf"
    return (edfio.read_bdf if bdf else edfio.read_edf)(path, header_encoding="latin-1")


def _marks(file: Any) -> tuple[Mark, ...]:
    return tuple(
        Mark(float(each.onset), float(each.onset + (each.duration or 0.0)), each.text) for each in file.annotations
    )


def _began(file: Any) -> datetime | None:
    """When; ``None`` where the date is left out, to keep a patient unknown."""
    try:
        found: datetime = file.startdatetime
    except ValueError:
        return None
    return found


def _check_whole(path: Path) -> None:
    """Raises InputError unless there are as many records as the header says."""
    size = path.stat().st_size
    with open_plain(path) as file:
        head = file.read(_HEADER)
        try:
            records, signals = int(head[236:244]), int(head[252:256])
            file.seek(_HEADER + signals * _BEFORE_COUNTS)
            each = [int(file.read(8)) for _ in range(signals)]
        except ValueError as error:
            raise InputError(f"{path} is no EDF file, or its header is damaged.") from error
    if signals < 0 or min(each, default=1) < 1:
        raise InputError(
            f"{path} is no EDF file, or its header is damaged: a channel of {min(each, default=0)} samples."
        )
    samples = sum(each)
    width = 3 if path.suffix.lower() == ".bdf" else 2
    wanted = _HEADER + signals * _PER_SIGNAL + max(0, records) * samples * width
    if size < wanted:
        raise InputError(f"{path} is cut short: its header says {wanted:,} bytes, and {size:,} are there.")
    if records < 1 and signals:
        raise InputError(f"{path} has no record, or does not say how many: its recording did not end in order.")


def _read(signal: Any, seconds: float, rate: float, start: int, stop: int) -> Samples:
    """A stretch of a channel at the rate of the recording, ``(n,)``."""
    found: Samples
    own = signal.sampling_frequency
    if own == rate:
        found = signal.get_data_slice(start / rate, stop / rate)
        return found
    places = np.arange(start, stop) * (own / rate)
    first, last = int(places[0]), min(round(seconds * own), int(places[-1]) + 2)
    first = min(first, last - 1)
    found = np.interp(places, np.arange(first, last), signal.get_data_slice(first / own, last / own))
    return found


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Names, of which each is there once."""
    return tuple(
        f"{name} ({names[:at].count(name) + 1})" if name in names[:at] else name for at, name in enumerate(names)
    )
