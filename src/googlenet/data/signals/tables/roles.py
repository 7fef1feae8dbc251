"""What the names of a table's columns say, and what the user said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....errors import InputError
from ..rows import listing
from ..sources.source import Source
from .names import IDS, LABELS, ROW_NUMBERS, TIMES, Place, bears, is_clock, runs
from .schema import TableColumns, check_given
from .shape import Column, columns_of

WIDE = 8  # numbered columns from which a table is hardly one of so many channels


class Roles:
    """A table whose schema is looked for: what the user said of its columns, and what their names say.

    Args:
        source: The table.
        wanted: What the user said.
        labelled: Whether there must be labels.

    Attributes:
        notes: What is to be said.
        order: Place of every column in the file.
        ignored: Columns that are none of anything, with the reason.
        runs: The longest runs of numbered columns: the channels of a wide table.
        near: A run that is nearly as long.
        sampled: All columns of ``runs``.
        columns: The columns beside them, in memory; those too where they are few.
        target: Column of the labels.
    """

    def __init__(self, source: Source, wanted: TableColumns, labelled: bool) -> None:
        if not labelled and wanted.target not in source.header:
            wanted = replace(wanted, target=None)
        check_given(source.path, source.header, wanted)
        self.source, self.wanted, self.labelled, self.path = source, wanted, labelled, source.path
        self.notes: list[str] = []
        self.ignored = dict.fromkeys(wanted.ignore, "--ignore")
        for name in source.header:
            if name.lower() in ROW_NUMBERS and name not in wanted.named().values():
                self.ignored.setdefault(name, "a row number" if name else "it has no name")
        self.order = {name: at for at, name in enumerate(source.header)}
        self.runs = self._main_runs()
        self.sampled = {at.name for places in self.runs for at in places}
        self.columns = self._beside()
        if any(not len(column.codes) for column in self.columns.values()):
            raise InputError(f"{self.path} holds no signals: there is no row below the header.")
        self.target = wanted.target or self._find_target()

    def free(self) -> list[str]:
        """Columns that the user said nothing of."""
        taken = {*self.wanted.named().values(), *self.ignored}
        return [name for name in self.source.header if name not in taken]

    def _main_runs(self) -> list[list[Place]]:
        """The longest runs of numbered columns: the channels of a wide table."""
        found = [places for places in runs(self.free()).values() if len(places) > 1]
        longest = max(map(len, found), default=0)
        main = [places for places in found if len(places) == longest]
        self.near = next((places for places in found if longest / 2 < len(places) < longest), None)
        return main

    def _beside(self) -> dict[str, Column]:
        """The columns that are in no run, in memory; all of a table that may be long."""
        few = sum(map(len, self.runs)) <= WIDE
        names = [n for n in self.source.header if n and n not in self.wanted.ignore and (few or n not in self.sampled)]
        return columns_of(self.source, names)

    def _find_target(self) -> str | None:
        header = [name.lower() for name in self.source.header]
        # Beside x or z, y is an axis.
        names = LABELS[:-1] if {"x", "z"} & set(header) else LABELS
        free = [name for name in self.free() if name not in self.sampled]
        named = next((column for name in names for column in free if column.lower() == name), None)
        if named is not None:
            return named
        if not self.labelled:
            return None
        texts = [name for name in free if self._may_be_label(name)]
        if len(texts) == 1:
            return texts[0]
        if texts:
            raise InputError(
                f"{self.path}: the columns {listing(texts)} hold text, and any may be the label. Name it with --target."
            )
        raise InputError(
            f"{self.path}: no column is named {', '.join(LABELS[:-1])} or {LABELS[-1]}, and none holds text that may "
            f"be labels. Name the column of the labels with --target; there are {listing(self.source.header)}."
        )

    def _may_be_label(self, name: str) -> bool:
        """Whether a column holds text, and neither its name nor its cells are those of ids and times."""
        column = self.columns[name]
        other = bears(name) or name.lower() in (*IDS, *TIMES)
        return column.text and not other and column.moments is None

    def may_be_time(self, name: str) -> bool:
        """Whether a column is, by its name and by its cells, one of times."""
        return is_clock(name) and self.columns[name].moments is not None

    def counts_time(self, name: str) -> bool:
        """Whether a column is one of times that rise from row to row, of more than a few."""
        moments = self.columns[name].moments if is_clock(name) else None
        return moments is not None and len(moments) > 4 and bool((moments[1:] > moments[:-1]).all())


def called(names: Sequence[str], words: Sequence[str]) -> str | None:
    """The first column, in the order of ``words``, that has that name.

    Args:
        names: Of the columns.
        words: In lower case.
    """
    return next((name for word in words for name in names if name.lower() == word), None)
