"""Which format reads what: one function opens any recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from .....errors import InputError
from .....files import check_plain, check_unpacked
from .....limits import SAMPLE
from ...tables.schema import UNSAID, TableColumns
from ..recording import Recording
from . import arrays, audio, edf, long_table, physionet

# What is a recording whatever else is asked for.
RECORDINGS: dict[str, Callable[..., Recording]] = {
    ".wav": audio.open_wav,
    ".flac": audio.open_audio,
    ".edf": edf.open_edf,
    ".bdf": edf.open_edf,
    ".hea": physionet.open_wfdb,
}
# The same, for files that may lack the rate.
UNTIMED: dict[str, Callable[..., Recording]] = {
    ".mat": arrays.open_mat,
    ".h5": arrays.open_hdf5,
    ".hdf5": arrays.open_hdf5,
}
# What is a recording if the user says so (--window).
ARRAYS: dict[str, Callable[..., Recording]] = {".npy": arrays.open_npy}
TABLES = (".csv", ".tsv", ".txt", ".parquet")
EXTENSIONS = (*RECORDINGS, *UNTIMED)


def open_recordings(path: Path, rate: float | None = None, said: TableColumns = UNSAID) -> list[Recording]:
    """The recordings of a file: several of a table with ids, of all others one.

    Args:
        path: The file.
        rate: Of a file that does not say its own.
        said: Of the columns of a table.

    Raises:
        InputError: As of :func:`open_recording`.
    """
    if path.suffix.lower() not in TABLES or not path.is_file():
        replace(said, target=None, group=None).refuse(path, "it is no table")
        return [open_recording(path, rate)]
    with sentences(path):
        return long_table.open_table(path, rate, said)


def open_recording(path: Path, rate: float | None = None) -> Recording:
    """A recording, ready to be read.

    Args:
        path: Its file.
        rate: Of a file that does not say its own.

    Raises:
        InputError: If it is missing, damaged, cut short, empty, or of no format that is known.
    """
    kind = path.suffix.lower()
    known = RECORDINGS | {name: partial(opened, rate=rate) for name, opened in (UNTIMED | ARRAYS).items()}
    check_plain(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty.")
    if kind not in known:
        raise InputError(
            f"{path}: recordings are read from {', '.join((*known, *TABLES))}, not from {kind or 'no extension'!r}."
        )
    with sentences(path):
        found = known[kind](path)
        if kind != ".hea":  # whose samples lie beside it
            check_unpacked(path, SAMPLE * len(found.channels) * found.length, "Perhaps its header is damaged")
        if found.length > 0:
            found.read(found.length - 1, found.length)  # of one that is cut short the last sample is missing
    if found.length == 0 or not found.channels:
        raise InputError(f"{path} has no samples.")
    if not 0 < found.rate < float("inf"):
        raise InputError(f"{path} says that its sampling rate is {found.rate:g} Hz; that cannot be.")
    return found


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Whatever is raised becomes a sentence: a damaged file fails in a hundred ways, in the libraries of others."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{error.filename or path} could not be read: {error.strerror or error}.") from error
    except Exception as error:
        said = str(error).split(". ")[0] or type(error).__name__
        raise InputError(f"{path} is damaged, or is no {path.suffix[1:].upper()} file ({said.rstrip('.')}).") from error
