"""Which part of the data a row of a table is in: by a column of their names, or by columns of yes and no."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from .....errors import InputError, count, quoted, short
from ...names import part_of
from .columns import Cells, column_of, plain

_SPLITS = ("split", "part", "partition", "subset", "set", "fold", "phase", "usage", "datasplit", "splitname", "dataset")
_YES = ("1", "1.0", "true", "yes", "y", "t", "x")
_NO = ("", "0", "0.0", "false", "no", "n", "f")

Flags = dict[str, tuple[str, list[str]]]  # name of a column to the part that it is of, and its cells


def parts_of_rows(
    table: Path, names: Sequence[str], rows: Cells, lines: Sequence[int], used: Sequence[int]
) -> tuple[list[str], str, list[str]]:
    """The part of each row, what names it in words ("" for nothing), and what is to be said of other columns.

    Args:
        table: For what is said of it.
        names: Of its columns.
        rows: Below the header.
        lines: Of the rows.
        used: The places of the paths and of the labels.

    Raises:
        InputError: If a cell of the column is no part, a row is in two parts, or two columns say different things.
    """
    columns = {place: column_of(rows, place) for place in range(len(names)) if place not in used}
    known = _known(names, columns)
    named = [place for place in known if any(map(part_of, columns[place])) or plain(names[place]) == "split"]
    flags = {place: part for place in columns if (part := _flag_of(names[place], columns[place]))}
    notes = [*_unused(names, columns, {*named, *flags}, known), *_without_part(names, columns, named)]
    found = {f"column {quoted(names[place])}": _named(table, names[place], columns[place], lines) for place in named}
    if flags:
        cells = {names[place]: (part, columns[place]) for place, part in flags.items()}
        found[_in_words(cells)] = _flagged(table, cells, lines)
    if not found:
        return ["train"] * len(rows), "", notes
    words = next(iter(found))
    _refuse_different(table, found, lines)
    return found[words], words, notes


def _known(names: Sequence[str], columns: dict[int, list[str]]) -> list[int]:
    """The columns with a usual name that are not empty, in the order of those names."""
    return [place for name in _SPLITS for place in columns if plain(names[place]) == name and any(columns[place])]


def _refuse_different(table: Path, found: dict[str, list[str]], lines: Sequence[int]) -> None:
    """Refuses columns that put a row into different parts."""
    words, parts = next(iter(found.items()))
    for other, theirs in found.items():
        if parts != theirs:
            line = next(line for line, *both in zip(lines, parts, theirs, strict=True) if both[0] != both[1])
            raise InputError(
                f"{table}, line {line}: {words} and {other} name different parts of the data. Keep one of them."
            )


def _in_words(flags: Flags) -> str:
    rest = " (the others are test)" if {part for part, _ in flags.values()} == {"train"} else ""
    return f"{'columns' if len(flags) > 1 else 'column'} {', '.join(map(repr, flags))}{rest}"


def _flag_of(name: str, cells: Sequence[str]) -> str | None:
    """The part of a column of yes and no, such as ``is_valid``; what is called ``valid`` alone may mean a good one."""
    word = plain(name)
    part = None if word == "valid" else part_of(word.removeprefix("is"))
    lower = {cell.casefold() for cell in cells}
    return part if part and lower <= {*_YES, *_NO} and lower != {""} else None


def _named(table: Path, name: str, cells: Sequence[str], lines: Sequence[int]) -> list[str]:
    found = []
    for line, cell in zip(lines, cells, strict=True):
        part = part_of(cell) if cell else "train"
        if part is None:
            raise InputError(f"{table}, line {line}: {short(name)} is train, val or test, not {quoted(cell)}.")
        found.append(part)
    return found


def _without_part(names: Sequence[str], columns: dict[int, list[str]], named: Sequence[int]) -> Iterator[str]:
    """Rows whose part is empty, where others are said to be learned from."""
    for place in named:
        cells = columns[place]
        if (empty := cells.count("")) and "train" in map(part_of, filter(None, cells)):
            yield f"Learned from, for column {quoted(names[place])} is empty there: {count(empty, 'row')}."


def _flagged(table: Path, flags: Flags, lines: Sequence[int]) -> list[str]:
    """The part whose column says yes. Where none does it is the training part, if that has no column of its own."""
    parts = [part for part, _ in flags.values()]
    rest = "train" if "train" not in parts else "test" if set(parts) == {"train"} else None
    found = []
    for number, line in enumerate(lines):
        yes = [name for name, (_, cells) in flags.items() if cells[number].casefold() in _YES]
        if len({flags[name][0] for name in yes}) > 1:
            raise InputError(f"{table}, line {line}: {' and '.join(map(repr, yes))} both say yes. A row has one part.")
        part = flags[yes[0]][0] if yes else rest
        if part is None:
            raise InputError(
                f"{table}, line {line}: none of {', '.join(map(repr, flags))} says yes. A row has one part."
            )
        found.append(part)
    return found


def _unused(names: Sequence[str], columns: dict[int, list[str]], used: set[int], known: Sequence[int]) -> Iterator[str]:
    """Columns that may be meant as parts and are not used."""
    for place, cells in columns.items():
        some = sorted({cell for cell in cells if cell})
        if place in used or not some:
            continue
        shown = ", ".join(map(repr, some[:3])) + (", …" if len(some) > 3 else "")
        if all(map(part_of, some)):
            yield f"Column {quoted(names[place])} holds {shown} and is not used: if those are parts, call it split."
        elif place in known or part_of(plain(names[place]).removeprefix("is")):
            yield (
                f"Column {quoted(names[place])} holds {shown} and is not used: parts of the data are called train, "
                "val and test, in a column called split."
            )
