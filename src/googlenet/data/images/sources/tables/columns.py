"""Which columns of a table of pictures are the paths and the labels; what is not known is asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from .....errors import InputError, quoted, several, unknown
from ...names import extensions

PATHS = ("path", "filepath", "imagepath", "imgpath", "filename", "imagefile", "imagename", "file", "image", "img")
LABELS = ("label", "class", "target", "category")
_END = re.compile(r"(\.[A-Za-z]\w*)\s*$")

Cells = Sequence[Sequence[str]]  # of the rows below the header


def plain(name: str) -> str:
    """A column's name without case, blanks and lines: ``Image_Path`` is ``imagepath``."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def ends_in(cell: str, extensions: Collection[str]) -> bool:
    """Whether a cell is, by its end, the path of a file with one of those extensions."""
    end = _END.search(cell)
    return end is not None and end[1].lower() in extensions


def column_of(rows: Cells, place: int) -> list[str]:
    """The cells of a column, without blanks around them; "" where a row is too short."""
    return [row[place].strip() if place < len(row) else "" for row in rows]


def chosen(
    table: Path, names: Sequence[str], rows: Cells, path: str | None, target: str | None
) -> tuple[int, int, list[str]]:
    """The places of the paths and of the labels, and what is to be said of the choice.

    Args:
        table: For what is said of it.
        names: Of its columns.
        rows: Below the header.
        path: Column of the paths; ``None`` looks for one of :data:`PATHS`.
        target: Column of the labels; ``None`` looks for one of :data:`LABELS`.

    Raises:
        InputError: If there is none, or there are several that say different things.
    """
    paths, other_paths = _place(table, names, rows, path, PATHS, "--path-column")
    labels, others = _place(table, names, rows, target, LABELS, "--target")
    if paths is None or labels is None:
        raise InputError(_lacking(table, names, rows, paths is None))
    if paths == labels:
        raise InputError(f"{table}: --path-column and --target name the same column. Each needs its own.")
    return (
        paths,
        labels,
        [
            *(
                f"Column {quoted(names[place])} holds paths too, and is not used (--path-column)."
                for place in other_paths
            ),
            *(
                f"Column {quoted(names[place])} tells the same classes apart, and is not used (--target)."
                for place in others
            ),
        ],
    )


def _place(
    table: Path, names: Sequence[str], rows: Cells, given: str | None, known: Sequence[str], option: str
) -> tuple[int | None, list[int]]:
    """Where the column is that was named, else the first that has a known name, and the others that have one."""
    if given is None:
        plains = [plain(name) for name in names]
        places = [place for name in known for place, other in enumerate(plains) if other == name]
        places = [place for place in places if any(column_of(rows, place))] or places[:1]
    elif given in names:
        places = [place for place, name in enumerate(names) if name == given]
    else:
        raise InputError(f"{table}, {option}: {unknown('column', given, names)}")
    _refuse_several(table, names, rows, places, option)
    return (places[0] if places else None), places[1:]


def _refuse_several(table: Path, names: Sequence[str], rows: Cells, places: Sequence[int], option: str) -> None:
    """Refuses columns that may all be meant and do not say the same."""
    for other in places[1:]:
        if _differ(column_of(rows, places[0]), column_of(rows, other)):
            first, second = names[places[0]], names[other]
            if first == second:
                raise InputError(f"{table} has two columns called {quoted(first)}, which differ. Rename one.")
            raise InputError(
                f"{table}: columns {quoted(first)} and {quoted(second)} may both be meant, and differ. Name one with "
                f"{option}."
            )


def _differ(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two columns put the rows into different groups."""
    pairs = set(zip(one, other, strict=True))
    return not len(pairs) == len(set(one)) == len(set(other))


def _lacking(table: Path, names: Sequence[str], rows: Cells, no_path: bool) -> str:
    """What a table lacks to be one of pictures."""
    ends, names = extensions(), [" ".join(name.split()) for name in names]  # a cell may go over several lines
    if len(names) == 1 and (words := len(rows[0][0].split())) > 1:
        return (
            f"{table} has {words} words in a row, such as {quoted(rows[0][0])}, and nothing that separates cells: "
            "write a comma or a tab between path and label, and above them a header, path,label."
        )
    if any(ends_in(name, ends) for name in names):
        return f"{table} has no header: write path,label, or what else the columns hold, above its first line."
    if no_path:
        likely = [
            name for place, name in enumerate(names) if any(ends_in(cell, ends) for cell in column_of(rows[:20], place))
        ]
        hint = f"; name it with --path-column {quoted(likely[0])}" if likely else "; name another with --path-column"
        return (
            f"{table} needs a header with a column of paths (path, filename, file or image{hint}); it has the columns "
            f"{several(names)}."
        )
    return (
        f"{table} needs a header with a column of labels ({', '.join(LABELS)}; name another with --target); it has the "
        f"columns {several(names)}."
    )
