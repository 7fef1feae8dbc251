"""PhysioNet's WFDB: a header (``.hea``), samples beside it, and perhaps beats and rhythms (``.atr``); by ``wfdb``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .....errors import InputError
from ..recording import Mark, Recording, Samples, checked, library, numbered

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
    length, rate = int(head.sig_len or 0), float(head.fs)
    names = tuple(head.sig_name) if getattr(head, "sig_name", None) else _names(wfdb, name)

    def read(start: int, stop: int) -> Samples:
        found = wfdb.rdrecord(name, sampfrom=start, sampto=stop).p_signal
        return checked(found.T, path, start, stop)

    marks, remarks = _marks(wfdb, path, length / rate)
    units = tuple(unit or "" for unit in getattr(head, "units", None) or ())
    units = units if len(units) == len(names) else ()
    return Recording(path, names, rate, length, read, marks, remarks, head.base_datetime, units=units)


def _names(wfdb: Any, name: str) -> tuple[str, ...]:
    """Of a record of several segments, or one that does not name its channels."""
    record = wfdb.rdrecord(name, sampto=1)
    return tuple(record.sig_name) if record.sig_name else numbered(record.n_sig)


def _marks(wfdb: Any, path: Path, seconds: float) -> tuple[tuple[Mark, ...], tuple[str, ...]]:
    if not path.with_suffix(".atr").is_file():
        return (), ()
    try:
        found = wfdb.rdann(str(path.with_suffix("")), "atr")
    except Exception as error:  # a damaged file fails in many ways
        raise InputError(f"{path.with_suffix('.atr')} is damaged ({error}).") from error
    rate = found.fs or wfdb.rdheader(str(path.with_suffix(""))).fs
    rows = list(zip((found.sample / rate).tolist(), found.symbol, found.aux_note, strict=True))
    beats = tuple(Mark(at, at, symbol) for at, symbol, _ in rows if symbol in BEATS)
    changes = [(at, note.strip("(\0 ")) for at, _, note in rows if note.startswith("(")]
    ends = [*(at for at, _ in changes), seconds][1:]
    rhythms = tuple(Mark(at, end, note) for (at, note), end in zip(changes, ends, strict=True) if end > at)
    if beats:
        said = f"{path}: the labels are its {len(beats):,} beats; its rhythms are left out." if rhythms else ""
        return beats, (said,) if said else ()
    return rhythms, ()
