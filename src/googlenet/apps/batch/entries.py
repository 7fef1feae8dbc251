"""From what a user types to inputs, one by one: however many there are, none is opened, and few are held."""

from __future__ import annotations

import csv
import io
import os
import re
import warnings
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ...data.images.sources.tables.columns import PATHS, plain
from ...data.images.sources.tables.paths import leading, resolved
from ...data.images.sources.tables.rows import beginning_of, dialect_of
from ...data.images.stored import members_of
from ...data.walk import extension_of, is_elsewhere, is_junk, is_pattern, walked
from ...errors import InputError, quoted, reason, several
from ...files import check_unpacked, open_plain
from ...limits import PATH
from .plan import Entry

TABLES = (".csv", ".tsv", ".parquet")  # of paths, where the network does not read tables itself
BATCH = 8192  # rows of a Parquet file at once
FIRST = 1000  # paths of a table by which the folder is found that they lead from
WRITTEN = re.compile(r"[\\%~]|^file:", re.IGNORECASE)  # in a path that may be written in another way than here
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


def entries_of(inputs: Iterable[str], lines: Iterable[str], extensions: Collection[str]) -> Iterator[Entry]:
    """The inputs that words name: files as they are, folders walked, patterns expanded, tars and tables of paths gone
    through, ``-`` from ``lines``, and what lies below addresses of fsspec's.

    Args:
        inputs: As typed.
        lines: Of standard input.
        extensions: Of the files that the network reads, lower case, with the dot.

    Raises:
        InputError: If a tar or a table cannot be read.
    """
    for text in inputs:
        if text == "-":
            yield from (line.strip() for line in lines if line.strip())
        elif is_elsewhere(text):
            yield from _remote(text, extensions)
        elif is_pattern(text):
            for found in _matching(text):
                yield from _local(found, extensions)
        else:
            yield from _local(text, extensions)


def names_many(text: str, extensions: Collection[str]) -> bool:
    """Whether a word names many files for :func:`entries_of` alone: a tar, a table of paths, an address."""
    return is_elsewhere(text) or (text.lower().endswith((".tar", *TABLES)) and not set(TABLES) & set(extensions))


def _local(text: str, extensions: Collection[str]) -> Iterator[Entry]:
    name = text.lower()
    if os.path.isdir(text):  # noqa: PTH112
        yield from _walked(text, extensions)
    elif name.endswith(PACKED):
        raise InputError(
            f"{text} is packed, and its files cannot be found one by one: unpack it, or name what was in it."
        )
    elif name.endswith(".tar"):
        yield from (each for each in members_of(text) if _ending(each.name) in extensions)
    elif name.endswith(TABLES) and not set(TABLES) & set(extensions):
        yield from _listed(text)
    else:
        yield text


def _walked(folder: str, extensions: Collection[str]) -> Iterator[str]:
    """The files below a folder, folder by folder."""
    for where, names in walked(Path(folder)):
        for name in sorted(names):
            if not is_junk(name) and _extension(where, name) in extensions:
                yield os.path.join(where, name)  # noqa: PTH118  a Path for each would take ten times as long


def _extension(where: str, name: str) -> str:
    return _ending(name) or extension_of(Path(where, name))


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122


def _matching(pattern: str) -> list[str]:
    import glob

    return sorted(glob.glob(pattern, recursive=True)) or [pattern]  # noqa: PTH207


def _listed(text: str) -> Iterator[str]:
    """Where the paths of a table lead: addresses as they are, others from the folder that is found by the first."""
    paths = iter(_of_parquet(text) if text.lower().endswith(".parquet") else _of_csv(text))
    first = list(islice(paths, FIRST))
    table = Path(text)
    base, notes = leading(table, [path for path in first if not _is_remote(path)]) or (table.parent, [])
    for note in notes:
        warnings.warn(f"{text}: {note}", RuntimeWarning, stacklevel=1)
    folder = "" if base == Path() else str(base)
    for path in chain(first, paths):
        if _is_remote(path):
            yield path
        else:
            yield resolved(base, path) if WRITTEN.search(path) else os.path.join(folder, path)  # noqa: PTH118


def _is_remote(path: str) -> bool:
    return is_elsewhere(path) and not path.lower().startswith("file:")


def _of_csv(text: str) -> Iterator[str]:
    try:
        encoding, start = beginning_of(Path(text))
        dialect = dialect_of(Path(text), start)
        with open_plain(text) as raw:
            file = io.TextIOWrapper(raw, encoding=encoding, newline="")
            rows = csv.reader(file, delimiter=dialect.mark, skipinitialspace=dialect.spaced, strict=True)
            yield from _cells_of(text, rows, dialect.named)
    except UnicodeDecodeError as error:
        raise InputError(f"{text} is no table in {encoding.removesuffix('-sig').upper()} ({error}).") from error
    except csv.Error as error:
        raise InputError(f"{text}, line {rows.line_num} is not a row of a table ({error}).") from error
    except OSError as error:
        raise InputError(f"{text} could not be read: {error.strerror or error}.") from error


def _cells_of(text: str, rows: Any, named: bool) -> Iterator[str]:
    """The column of paths; below a line that names what stands between cells, if there is one."""
    written = ([cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row))
    header = next(islice(written, int(named), None), [])
    if not header:
        raise InputError(f"{text} has no row.")
    at = _column(header, text)
    if at is None:  # one column, and no name above it
        at = 0
        yield from header
    for row in written:
        if any(row[len(header) :]):
            raise InputError(
                f"{text}, line {rows.line_num} has {len(row)} cells, the first {len(header)}. Put quotes around a cell "
                "with a comma."
            )
        if len(row) <= at or not row[at]:
            raise InputError(f"{text}, line {rows.line_num}: there is no path in it. Fill it in, or take the row out.")
        yield row[at]


def _of_parquet(text: str) -> Iterator[str]:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError:
        raise InputError("pyarrow is not installed: pip install 'googlenet[tables]'.") from None
    try:
        with open_plain(text) as raw, ParquetFile(raw) as file:
            names = file.schema_arrow.names
            at = _column(names, text)
            if at is None:
                raise InputError(f"{text} has no column of paths. Call it path.")
            leaf = next((n for n in range(len(file.schema)) if file.schema.column(n).path == names[at]), None)
            if leaf is None:
                raise InputError(f"The column {names[at]} of {text} is nested; a path is text.")
            groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            held = sum(group.column(leaf).total_uncompressed_size for group in groups)
            check_unpacked(Path(text), held, "If you trust it, save it as CSV")
        with open_plain(text) as raw, ParquetFile(raw, read_dictionary=[names[at]]) as file:
            for batch in file.iter_batches(columns=[names[at]], batch_size=BATCH):
                yield from _texts(batch.column(0), text)
    except (ArrowInvalid, OSError) as error:
        raise InputError(f"{text} is no whole Parquet file ({reason(error)}).") from error


def _texts(column: Any, text: str) -> Iterator[str]:
    """The cells of a column; one that stands in many rows is made once."""
    chunk = column.dictionary_encode() if not hasattr(column, "dictionary") else column
    known = chunk.dictionary.to_pylist()
    if any(not isinstance(path, str) or len(path) > PATH for path in known):
        raise InputError(f"{text} holds what is no path: text of at most {PATH:,} letters.")
    yield from (known[at] for at in chunk.indices.to_pylist() if at is not None)


def _column(names: list[str], text: str) -> int | None:
    """Where the paths are; ``None`` where there is one column without a name."""
    found = [at for at, name in enumerate(names) if plain(name) in PATHS]
    if len(found) == 1:
        return found[0]
    if len(names) == 1 and os.path.splitext(names[0])[1]:  # noqa: PTH122
        return None
    which = f"may be {several([names[at] for at in found])}" if found else f"are not found among {several(names)}"
    raise InputError(f"The paths in {text} {which}. Call one column path.")


def _remote(text: str, extensions: Collection[str]) -> Iterator[str]:
    """What lies at an address that fsspec can open, file by file."""
    try:
        import fsspec
    except ModuleNotFoundError:
        raise InputError(
            f"{text} is an address, which fsspec opens: pip install fsspec, and what it asks for."
        ) from None
    try:
        system, path = fsspec.core.url_to_fs(text)
        found = system.glob(path) if "*" in path else system.find(path)
    except Exception as error:  # of any library below it
        raise InputError(f"{text} could not be listed: {quoted(str(error))}.") from error
    for name in found:
        if name == path or os.path.splitext(name)[1].lower() in extensions:  # noqa: PTH122
            yield system.unstrip_protocol(name)
