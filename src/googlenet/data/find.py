"""From what a user types to data: a data set by name or path, and paths of files one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, unknown
from .builtin import BUILTIN
from .kinds import KINDS
from .protocol import Dataset, Watch, unwatched


@dataclass(frozen=True)
class Columns:
    """Which columns of a table, or arrays of an NPZ, mean what; ``None`` to find out from their names.

    Attributes:
        target: The labels.
        group: Examples of one group stay on one side of a split.
        channel: Of a table with a sample a row: which channel it belongs to.
    """

    target: str | None = None
    group: str | None = None
    channel: str | None = None


def find_data(source: str, watch: Watch = unwatched, columns: Columns = Columns()) -> Dataset:
    """A built-in data set by name, or what the first kind of :data:`~googlenet.data.kinds.KINDS` finds that claims it.

    Args:
        source: A name or a path.
        watch: Wraps the list of files while they are checked, for a progress bar.
        columns: Of a table.

    Raises:
        InputError: If it is nothing of the sort, or has nothing to learn from.
    """
    if source in BUILTIN:
        return BUILTIN[source]()
    for kind in KINDS.values():
        if kind.claims(source):
            return kind.find(source, watch, columns)
    if not Path(source).exists() and "/" not in source and "." not in source:
        raise unknown("folder, table or built-in data set", source, BUILTIN)
    raise InputError(f"There is no folder, table or built-in data set {source!r}.")


def expand(inputs: Iterable[str], lines: Iterable[str], extensions: Collection[str]) -> Iterator[str]:
    """Paths, one by one: files as they are, folders walked for files with those extensions, globs expanded, ``-``
    from ``lines``. A folder or a glob in which there is nothing comes out as it is, for its reader to complain of.

    Args:
        inputs: As typed.
        lines: Of standard input.
        extensions: Lower case, with the dot.
    """
    for text in inputs:
        if text == "-":
            yield from (line.strip() for line in lines if line.strip())
        else:
            yield from _expanded(text, extensions)


def _expanded(text: str, extensions: Collection[str]) -> list[str]:
    path = Path(text)
    if path.is_dir():
        return [str(found) for found in sorted(path.rglob("*")) if found.suffix.lower() in extensions] or [text]
    if any(letter in text for letter in "*?[") and not path.exists():
        root = Path(path.anchor) if path.is_absolute() else Path()
        return [str(found) for found in sorted(root.glob(str(path.relative_to(path.anchor))))] or [text]
    return [text]
