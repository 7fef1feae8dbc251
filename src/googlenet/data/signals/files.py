"""Files of signals: the one function that reads them all, and the one that finds train and test parts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ...errors import InputError, nearest
from ...files import check_plain
from ..protocol import Example
from ..walk import files_in
from .rows import SignalTable, listing
from .sources.archives.arff import ArffGrid, read_arff
from .sources.archives.ts import read_ts
from .sources.formats import EXTENSIONS, FRAMES, TEXTS, kind_of
from .sources.frames import FrameSource, SheetGrid
from .sources.npz import parts_of, read_npz
from .sources.source import Source
from .sources.text.columns import CsvSource
from .sources.text.marks import TextGrid
from .sources.text.table import Table
from .tables.match import matched, said_to_network, surplus
from .tables.readers.bare import read_bare
from .tables.readers.long import read_long
from .tables.readers.wide import read_wide
from .tables.rules import find_schema
from .tables.schema import UNSAID, Schema, TableColumns

__all__ = [
    "EXTENSIONS",
    "SignalTable",
    "examples_of",
    "find_parts",
    "is_part",
    "read_file",
    "read_parts",
    "read_signals",
]

TRAIN, TEST = "_TRAIN", "_TEST"


def read_signals(
    path: str | Path,
    target: str | None = None,
    group: str | None = None,
    channel: str | None = None,
    labelled: bool = True,
) -> SignalTable:
    """:func:`read_file`, for who has little to say of its columns.

    Args:
        path: The file.
        target: Column of the labels. ``None`` looks for one.
        group: Column of the groups: signals of a group (a patient, a machine) belong together.
        channel: Column that names the channel, in a table with a row per sample and one column of values.
        labelled: Whether labels must be there.

    Raises:
        InputError: With file, row and what to do, at the first thing that cannot be read.
    """
    return read_file(path, TableColumns(target, group, channel), labelled)


def read_file(
    path: str | Path, columns: TableColumns = UNSAID, labelled: bool = True, learned: Schema | None = None
) -> SignalTable:
    """Reads the signals of a file of any of the ``EXTENSIONS``.

    What each column of a table means is found by the rules of :mod:`~.tables.rules`, or, where a network learned from
    such a table, by its names.

    Args:
        path: The file.
        columns: What the user said of its columns.
        labelled: Whether labels must be there. If not, they are read where they are, ``target`` may be missing, and a
            signal that cannot be read stops none of the others.
        learned: Of what a network learned from that is to read these.

    Raises:
        InputError: With file, row and what to do, if it cannot be read, or a column is missing.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file of signals.")
    check_plain(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    kind = kind_of(path)
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty.")
        if kind in TEXTS:
            return _read_cells(Table(TextGrid(path)), columns, labelled, learned)
        if kind == ".xlsx":
            return _read_cells(Table(SheetGrid(path)), columns, labelled, learned)
        if kind in FRAMES:
            return _read_table(FrameSource(path), columns, labelled, learned)
        if kind == ".arff" and not (grid := ArffGrid(path)).nested:
            if learned is None and columns.target is None:
                columns = replace(columns, target=grid.target)
            return _read_table(CsvSource(Table(grid)), columns, labelled, learned)
        return _read_other(path, kind, columns if labelled else replace(columns, target=None), labelled)
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error


def read_parts(
    paths: Mapping[str, Path], columns: TableColumns = UNSAID, learned: Schema | None = None
) -> dict[str, SignalTable]:
    """The parts of a data set, each with its labels: of two files, or of an NPZ that holds both.

    Args:
        paths: Of the parts, see :func:`find_parts`.
        columns: What the user said of the columns.
        learned: Of what a network learned from that is to read these.

    Raises:
        InputError: If a part cannot be read.
    """
    inside = parts_of(paths["train"])
    if inside:
        return {part: _read_other(paths["train"], ".npz", columns, True, part) for part in inside}
    tables: dict[str, SignalTable] = {}
    for part, path in paths.items():
        tables[part] = read_file(path, columns, learned=learned)
        learned = learned or tables[part].schema  # the test part is read as the training part
    return tables


def _read_other(path: Path, kind: str, columns: TableColumns, labelled: bool, part: str | None = None) -> SignalTable:
    """Files whose format says what each thing is."""
    if columns.label is not None or not columns.header:
        raise InputError(f"{path}: --label-first, --label-last and --no-header are for text tables. Leave them out.")
    if kind == ".npz":
        columns.refuse(path, f"{kind} files have no such columns", "--target", "--group")
        return read_npz(path, columns.target, columns.group, labelled, part)
    if kind == ".arff":
        columns.refuse(path, f"{kind} files have no such columns", "--target")
        return read_arff(path, columns.target, labelled)
    columns.refuse(path, f"{kind} files do not name columns")
    return read_npz(path, None, None, labelled) if kind == ".npy" else read_ts(path, labelled)


def _read_cells(table: Table, columns: TableColumns, labelled: bool, learned: Schema | None) -> SignalTable:
    names = (*columns.named().values(), *columns.ignore, *(() if learned is None else learned.header))
    if columns.header and table.has_header(names):
        return _read_table(CsvSource(table), columns, labelled, learned)
    reason = "it has no header that names its columns (--label-first and --label-last say where the label is)"
    (columns if labelled else replace(columns, target=None)).refuse(table.path, reason)
    return read_bare(table, columns, labelled, learned)


def _read_table(source: Source, columns: TableColumns, labelled: bool, learned: Schema | None) -> SignalTable:
    """A table with a header, one signal a row ("wide") or one sample a row ("long")."""
    if columns.label is not None and columns.target is None:
        columns = replace(columns, target=source.header[0 if columns.label == "first" else -1])
    if learned is None:
        schema, notes = find_schema(source, columns, labelled)
    else:
        schema, notes = matched(source, columns, labelled, learned)
        notes = [*notes, *surplus(schema, learned, source.path)]
    return (read_long if schema.layout == "long" else read_wide)(source, schema, labelled, notes)


def examples_of(path: str | Path, learned: Schema | None) -> Iterator[Example]:
    """The signals of a file for a network, in order, each called by its id where it has one; one that cannot be read
    is an error of its own.

    Args:
        path: The file.
        learned: Of what the network learned from, if that is known.

    Raises:
        InputError: If none can be read.

    Warns:
        RuntimeWarning: Of what is left out, or was guessed.
    """
    table = read_file(path, labelled=False, learned=learned)
    for note in (*table.notes, *said_to_network(path, table, learned)):
        warnings.warn(note, RuntimeWarning, stacklevel=2)
    rows = iter(zip(table.names, table.signals, strict=True))
    for at in range(len(table.signals) + len(table.bad)):
        bad = table.bad.get(at)
        name, signal = (bad.path, None) if bad is not None else next(rows)
        name = f"{path}:{table.ids[at]}" if table.ids and table.ids[at] else name
        yield Example(name, signal) if bad is None else Example(name, error=bad.reason)


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
    if source.exists():
        check_plain(source)
    near = nearest(source.name, [*beside, *_files(source.parent)])
    hint = f" Did you mean {source.parent / near}?" if near is not None else ""
    raise InputError(f"There is no {source}, and no {source}{TRAIN}{EXTENSIONS[0]} (or {_other()}).{hint}")


def is_part(path: str | Path) -> bool:
    """Whether a file is called ``NAME_TRAIN`` or ``NAME_TEST``, as the archives' are, which hold labels."""
    return _stem(Path(path)).upper().endswith((TRAIN, TEST))


def _stem(path: Path) -> str:
    """The name without its extension, and without that of what is packed in ``.csv.gz``."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


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
        if _stem(path).upper().endswith(TRAIN):
            found.setdefault(_stem(path)[: -len(TRAIN)], path)
    return found


def _with_test(train: Path) -> dict[str, Path]:
    parts = {"train": train}
    name, word = _stem(train)[: -len(TRAIN)], _stem(train)[-len(TRAIN) :]
    if word.upper() == TRAIN:
        same_case = {TRAIN.lower(): TEST.lower(), TRAIN.title(): TEST.title()}.get(word, TEST)
        tests = [
            train.with_name(name + same_case + kind) for kind in (train.name.removeprefix(_stem(train)), *EXTENSIONS)
        ]
        test = next((path for path in tests if path.is_file()), None)
        parts |= {} if test is None else {"test": test}
    return parts
