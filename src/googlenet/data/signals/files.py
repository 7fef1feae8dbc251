"""Files of signals: the one function that reads them all, and the one that finds train and test parts."""

from __future__ import annotations

import difflib
from pathlib import Path

from ...errors import InputError
from ..walk import files_in
from .archive import read_arff, read_ts, read_ucr
from .rows import SignalTable, is_text, listing
from .sources import CsvSource, ParquetSource, first_row, has_header, read_npz
from .tables import read_table

__all__ = ["EXTENSIONS", "SignalTable", "find_parts", "is_part", "read_signals"]

TEXTS = (".tsv", ".txt", ".csv")
EXTENSIONS = (".tsv", ".ts", ".txt", ".csv", ".arff", ".parquet", ".npz")  # the first of a name is taken
TRAIN, TEST = "_TRAIN", "_TEST"


def read_signals(
    path: str | Path,
    target: str | None = None,
    group: str | None = None,
    channel: str | None = None,
    labelled: bool = True,
) -> SignalTable:
    """Reads the signals of a file of any of the ``EXTENSIONS``.

    Text without a header is the UCR format: label first, then samples. A table with a header has a row per
    signal, or, if it has a column of ids and one of times, a row per sample.

    Args:
        path: The file.
        target: Column of the labels. ``None`` takes label, class, target or y, else the only one that holds text.
        group: Column of the groups: signals of a group (a patient, a machine) belong together.
        channel: Column that names the channel, in a table with a row per sample and one column of values.
        labelled: Whether labels must be there. If not, they are read where they are, ``target`` may be missing,
            and numbers without a header are samples, all of them.

    Raises:
        InputError: With file, row and what to do, at the first thing that cannot be read.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file of signals.")
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    if kind not in EXTENSIONS:
        raise InputError(f"{path}: signals are read from {', '.join(EXTENSIONS)}, not from {kind or 'no extension'!r}.")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty.")
        if kind in TEXTS:
            return _read_text(path, target, group, channel, labelled)
        if kind == ".parquet":
            return read_table(ParquetSource(path), target, group, channel, labelled)
        _refuse(path, f"{kind} files have no channel columns", channel=channel)
        if kind == ".npz":
            return read_npz(path, target, group, labelled)
        _refuse(path, f"{kind} files have no groups", group=group)
        if kind == ".arff":
            return read_arff(path, target, labelled)
        _refuse(path, f"{kind} files do not name the label", target=target if labelled else None)
        return read_ts(path, labelled)
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error


def _read_text(path: Path, target: str | None, group: str | None, channel: str | None, labelled: bool) -> SignalTable:
    first = first_row(path)
    if has_header(path, first, (target, group, channel)):
        return read_table(CsvSource(path), target, group, channel, labelled)
    reason = "it has no header that names its columns, and the label is the first cell of a row"
    _refuse(path, reason, target=target if labelled else None, group=group, channel=channel)
    return read_ucr(path, labelled, labelled or is_text(first[0]))


def _refuse(path: Path, reason: str, **options: str | None) -> None:
    for option, name in options.items():
        if name is not None:
            raise InputError(f"{path} has no column {name!r} for --{option}: {reason}. Leave --{option} out.")


def find_parts(source: str | Path) -> dict[str, Path]:
    """Finds the files of a data set.

    Args:
        source: A file; ``FOLDER/NAME`` where there is ``FOLDER/NAME_TRAIN.tsv`` (or ``.ts``, ``.txt``, ...); or a
            folder with ``NAME_TRAIN.tsv``: of its own name, or of a single one.

    Returns:
        ``train``, and ``test`` if there is a ``NAME_TEST`` beside it. A file of another name is ``train`` alone.

    Raises:
        InputError: If there is no such file, or more than one.
    """
    source = Path(source)
    if source.is_file():
        return _with_test(source)
    inside = _trains(source)
    if source.is_dir():
        if source.resolve().name in inside:
            return _with_test(inside[source.resolve().name])
        if len(inside) == 1:
            return _with_test(next(iter(inside.values())))
    beside = _trains(source.parent)
    if source.name in beside:
        return _with_test(beside[source.name])
    if inside:
        names = listing([str(source / name) for name in sorted(inside)])
        raise InputError(f"{source} holds {len(inside)} data sets. Name one: {names}.")
    if source.is_dir():
        raise InputError(f"{source} has no file of signals called NAME{TRAIN}{EXTENSIONS[0]} (or {_other()}).")
    near = difflib.get_close_matches(source.name, [*beside, *_files(source.parent)], n=1)
    hint = f" Did you mean {source.parent / near[0]}?" if near else ""
    raise InputError(f"There is no {source}, and no {source}{TRAIN}{EXTENSIONS[0]} (or {_other()}).{hint}")


def is_part(path: str | Path) -> bool:
    """Whether a file is called ``NAME_TRAIN`` or ``NAME_TEST``, as the archives' are, which hold labels."""
    return Path(path).stem.upper().endswith((TRAIN, TEST))


def _other() -> str:
    return ", ".join(EXTENSIONS[1:])


def _files(folder: Path) -> list[str]:
    """Names of the files that may hold signals."""
    if not folder.is_dir():
        return []
    return [path.name for path in files_in(folder) if path.suffix.lower() in EXTENSIONS and path.is_file()]


def _trains(folder: Path) -> dict[str, Path]:
    """NAME to ``NAME_TRAIN.tsv``, or to the first of the other extensions."""
    found: dict[str, Path] = {}
    for path in sorted(map(folder.joinpath, _files(folder)), key=lambda path: EXTENSIONS.index(path.suffix.lower())):
        if path.stem.upper().endswith(TRAIN):
            found.setdefault(path.stem[: -len(TRAIN)], path)
    return found


def _with_test(train: Path) -> dict[str, Path]:
    parts = {"train": train}
    name, word = train.stem[: -len(TRAIN)], train.stem[-len(TRAIN) :]
    if word.upper() == TRAIN:
        same_case = {TRAIN.lower(): TEST.lower(), TRAIN.title(): TEST.title()}.get(word, TEST)
        tests = [train.with_name(name + same_case + kind) for kind in (train.suffix, *EXTENSIONS)]
        test = next((path for path in tests if path.is_file()), None)
        parts |= {} if test is None else {"test": test}
    return parts
