"""PhysioNet's WFDB: a header (``.hea``), samples beside it, and perhaps beats and rhythms (``.atr``); by ``wfdb``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .....errors import InputError
from .....files import check_plain, check_unpacked
from .....limits import SAMPLE
from ..recording import Mark, Recording, Samples, checked, library, numbered
from .notes import read_notes

# Symbols of WFDB's annotations that are beats, by its own table.
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")


def open_wfdb(path: Path) -> Recording:
    """The record of a header. Beats are marks of a moment; where there are none, rhythms are of a stretch.

    Raises:
        InputError: If the samples are missing or cut short.
    """
    wfdb = library("wfdb", path)
    name = str(path.with_suffix(""))
    head = wfdb.rdheader(name)
    _check_beside(wfdb, path, head)
    length, rate = int(head.sig_len or 0), float(head.fs)
    names = tuple(head.sig_name) if getattr(head, "sig_name", None) else _names(wfdb, name)

    names = tuple(own or other for own, other in zip(names, numbered(len(names)), strict=True))

    def read(start: int, stop: int) -> Samples:
        found = wfdb.rdrecord(name, sampfrom=start, sampto=stop).p_signal
        if found is None or found.shape[1] != len(names):
            raise InputError(f"{path} is damaged: it does not hold the {len(names)} channels that it names.")
        return checked(found.T, path, start, stop)

    marks, remarks = _marks(path, rate, length / rate)
    units = tuple(unit or "" for unit in getattr(head, "units", None) or ())
    units = units if len(units) == len(names) else ()
    return Recording(path, names, rate, length, read, marks, remarks, head.base_datetime, units=units)


def _check_beside(wfdb: Any, path: Path, head: Any) -> None:
    """That a record is of files that lie beside its header, and says no more of them than they can hold.

    Raises:
        InputError: If it names another place, from which anything could be read, or a record of records of records.
    """
    parts = [each for each in _listed(head, "seg_name") if each != "~"]
    heads = [head] if not hasattr(head, "seg_name") else []
    for part in parts:
        _check_name(path, f"{part}.hea")
        heads.append(wfdb.rdheader(str(path.parent / part)))
        if hasattr(heads[-1], "seg_name"):
            raise InputError(f"{path} names {part}, which is of several segments itself; that is not read.")
    for file in (files := sorted({str(file) for each in heads for file in _listed(each, "file_name") if file != "~"})):
        _check_name(path, file)
    size = sum((path.parent / file).stat().st_size for file in files if (path.parent / file).is_file())
    check_unpacked(path, SAMPLE * _claimed(head, heads), "Perhaps its header is damaged", size)


def _claimed(head: Any, heads: Sequence[Any]) -> int:
    """Samples that a record says it has, with those that are read to bring its channels together."""
    frames = [max(1, int(number or 1)) for each in heads for number in _listed(each, "samps_per_frame")]
    late = [abs(int(number or 0)) for each in heads for number in _listed(each, "skew")]
    wide = sum(frames) if heads == [head] else max(frames, default=1)
    return max(int(head.sig_len or 0), *late, 0) * max(1, int(head.n_sig or 0), wide)


def _listed(head: Any, field: str) -> list[Any]:
    """What a header says of each of its channels or segments; nothing where it says nothing."""
    return list(getattr(head, field, None) or ())


def _check_name(path: Path, name: str) -> None:
    if any(letter in name for letter in "/\\:\0") or name in ("", ".", ".."):
        raise InputError(f"{path} names {name!r}, which is no file beside it; lay the files of a record together.")
    check_plain(path.parent / name)


def _names(wfdb: Any, name: str) -> tuple[str, ...]:
    """Of a record of several segments, or one that does not name its channels."""
    record = wfdb.rdrecord(name, sampto=1)
    return tuple(record.sig_name) if record.sig_name else numbered(record.n_sig)


def _marks(path: Path, own_rate: float, seconds: float) -> tuple[tuple[Mark, ...], tuple[str, ...]]:
    if not path.with_suffix(".atr").is_file():  # a pipe and the like are none
        return (), ()
    said_rate, notes = read_notes(path.with_suffix(".atr"))
    rate = said_rate or own_rate
    beats = tuple(Mark(note.at / rate, note.at / rate, note.symbol) for note in notes if note.symbol in BEATS)
    changes = [(note.at / rate, note.text.strip("(\0 ")) for note in notes if note.text.startswith("(")]
    ends = [*(at for at, _ in changes), seconds][1:]
    rhythms = tuple(Mark(at, end, note) for (at, note), end in zip(changes, ends, strict=True) if end > at)
    if beats:
        said = f"{path}: the labels are its {len(beats):,} beats; its rhythms are left out." if rhythms else ""
        return beats, (said,) if said else ()
    return rhythms, ()
