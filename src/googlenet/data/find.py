"""From what a user types to data: a data set by name or path."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ..errors import InputError, count, short, unknown
from ..files import check_plain
from ..limits import NAME_OF_FILE
from .builtin import BUILTIN
from .images.names import extensions
from .kinds import KINDS
from .protocol import Dataset, ExampleSet, Preprocessing, Watch, unwatched
from .signals.files import EXTENSIONS
from .signals.recordings.windows import Cut
from .signals.rows import is_number
from .signals.tables.schema import TableColumns
from .walk import extension_of, is_elsewhere


@dataclass(frozen=True)
class Columns(TableColumns):
    """Which columns of a table, or arrays of an NPZ, mean what (``None`` to find out), and how large a picture may be.

    Attributes:
        path: Of a table of pictures: their paths.
        cut: Of recordings: how they are cut into windows, and where their labels are.
        max_pixels: That the file of a picture may have, see :func:`~googlenet.data.images.decode.open_picture`.
        like: How a network reads its examples that is to read these: by the columns that it learned from.
        known: Classes that a network knows that is to be measured on these; empty if one is to learn from them.
    """

    path: str | None = None
    max_pixels: int | None = None
    cut: Cut = field(default_factory=Cut)
    like: Preprocessing | None = None
    known: tuple[str, ...] = ()


def find_data(source: str, watch: Watch = unwatched, columns: Columns = Columns()) -> Dataset:
    """A built-in data set by name, or what the first kind of :data:`~googlenet.data.kinds.KINDS` finds that claims it.

    Args:
        source: A name, a path, or the address of shards.
        watch: Wraps the list of files while they are checked, for a progress bar.
        columns: Of a table.

    Raises:
        InputError: If it is nothing of the sort, or has nothing to learn from.
    """
    data = _found(source, watch, columns)
    return replace(data, notes=(*_said_of_alike(data.classes), *_said_of_groups(data), *data.notes))


def _found(source: str, watch: Watch, columns: Columns) -> Dataset:
    if not source.strip():
        raise InputError("The name of the data is empty; . is the folder where you are.")
    if source in BUILTIN:
        if columns.cut.asked:
            raise InputError(f"Windows, rates and annotations are for recordings, and {source} has none.")
        return BUILTIN[source]()
    if is_elsewhere(source):
        return KINDS["picture"].find(source, watch, columns)
    _check_path(source)
    _refuse_file(Path(source))
    if columns.path is not None and Path(source).exists():
        return KINDS["picture"].find(source, watch, columns)
    if columns.cut.asked and Path(source).exists():
        return KINDS["signal"].find(source, watch, columns)
    for kind in KINDS.values():
        if kind.claims(source):
            return kind.find(source, watch, columns)
    if not Path(source).exists() and "/" not in source and "." not in source:
        raise unknown("folder, table or built-in data set", source, BUILTIN)
    raise InputError(f"There is no folder, table or built-in data set {source!r}.")


def _said_of_alike(classes: Sequence[str]) -> Iterator[str]:
    """Of classes that may be meant for one."""
    for names, how in _alike(classes):
        yield f"The classes {names} differ {how} alone; they are kept apart."


def _said_of_groups(data: Dataset) -> Iterator[str]:
    """Of groups that may be meant for one, and of those on both sides of a split that the data bring."""
    parts = [set(part.groups) for part in data.parts.values()]
    every = sorted(set[str]().union(*parts))
    if pairs := list(_alike(every)):
        names, how = pairs[0]
        more = ", and so do others" if len(pairs) > 1 else ""
        yield f"The groups {names} differ {how} alone{more}; they are kept apart."
    both = [group for group in every if sum(group in part for part in parts) > 1]
    if both:
        verb = "are" if len(both) > 1 else "is"
        yield (
            f"{count(len(both), 'group')} {verb} in more than one part, such as {short(both[0])!r}: what is measured "
            "is of groups that are learned from, and says nothing of others."
        )


def _alike(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names that may be meant for one, joined, and how they differ: they are the same number, or the same letters."""
    alike: dict[str | Decimal, list[str]] = {}
    for name in names:
        alike.setdefault(_meaning(name), []).append(name)
    for same in alike.values():
        if len(same) > 1:
            how = "in the form of a number" if all(map(is_number, same)) else "in case, blanks or forms of letters"
            yield " and ".join(map(repr, same)), how


def _meaning(name: str) -> str | Decimal:
    """The number that it is, exactly, or else its letters."""
    plain = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    try:
        return Decimal(plain) if is_number(plain) else plain
    except InvalidOperation:  # an exponent of twenty digits
        return plain


def _check_path(source: str) -> None:
    if not os.path.lexists(source) and len(os.fsencode(source)) > NAME_OF_FILE:
        raise InputError(f"The name of the data is longer than a path may be: {short(source)}")
    if not Path(source).is_dir():
        check_plain(source)


_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")
_NETWORKS = (".safetensors", ".pth", ".pt", ".pt2", ".ckpt", ".onnx", ".caffemodel", ".pb")
_TEXTS = (".json", ".jsonl", ".xml", ".yaml", ".yml", ".html", ".htm", ".pdf", ".docx", ".md")


def _refuse_file(path: Path) -> None:
    """Raises InputError for a file that can be no table, by its name, and says what is wanted in its place."""
    name = path.name.lower()
    if (name.endswith(EXTENSIONS) and not name.endswith(".tar.gz")) or not path.is_file():
        return
    ends = (path.suffix.lower(), extension_of(path))
    wanted = "a folder with a folder for each class, such as photos/cat/1.jpg, a table (.csv), or an NPZ of X and y"
    if ends[0] == ".tar":
        raise InputError(f"{path} is an archive. Of shards name the folder; unpack any other, and name what was in it.")
    if ends[0] in _ARCHIVES:
        raise InputError(f"{path} is an archive, and those are not read: unpack it, and name what was in it.")
    if ends[0] in _NETWORKS:
        raise InputError(f"{path} is a network by its name, and no data. Data are {wanted}.")
    if ends[0] in _TEXTS:
        raise InputError(f"{path} is no table by its name, and {ends[0]} is not read. Data are {wanted}.")
    if ends[1] in extensions():
        raise InputError(f"{path} is a single picture by its name, and has no label. Data are {wanted}.")


def to_learn_from(data: Dataset) -> ExampleSet:
    """The training part of data that a network can learn from.

    Raises:
        InputError: If there is none, a single class, or a class of which it has nothing.
    """
    notes = " ".join(("", *data.notes))
    if data.train is None:
        parts = " and ".join(data.parts)
        raise InputError(f"{data.name} has no part called train to learn from, only {parts}. Add one.{notes}")
    if len(data.classes) < 2:
        raise InputError(f"{data.name} has a single class, {data.classes[0]!r}; a classifier needs two or more.{notes}")
    for name in data.classes:
        if not name.isprintable() and name != name.encode(errors="replace").decode():
            raise InputError(f"The class {name!r} of {data.name} has a name that is no text. Rename it.")
    learned = set(data.train.labels.tolist())
    for number, name in enumerate(data.classes):
        if number not in learned:
            bad = data.bad
            hint = f" ({count(len(bad), 'file')} left out, {bad[0].path}: {bad[0].reason})" if bad else ""
            said = next((f" {note}" for note in data.notes if repr(name) in note), "")
            raise InputError(f"Class {name!r} of {data.name} has no {data.kind} to learn from{hint}.{said}")
    return data.train
