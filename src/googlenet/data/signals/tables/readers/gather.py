"""Signals of a table as they are read: those that can be, and of the others why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy.typing as npt

from .....errors import InputError
from ....protocol import BadFile
from ...rows import SignalRows, SignalTable, label_text, unquoted
from ..schema import Schema

_PERHAPS_MISSING = frozenset({"na", "n/a", "#n/a", "null", "none", "-"})  # labels that may say that there is none


@dataclass
class Gathered:
    """The signals of a table, row by row; one that cannot be read stops none of the others.

    Attributes:
        path: The file.
        labelled: Whether every signal must have a label.
        whole_numbers: Whether a label ``1.0000e+00`` is ``1``, as in the archives' files; else labels are text.
        missing: Words that say that a label is missing.
        bad: Place of a signal among all of them to why it cannot be read.
        ids: Of all signals, where they have any; one that cannot be read may have none.
    """

    path: Path
    labelled: bool
    whole_numbers: bool = False
    missing: Sequence[str] = ()
    bad: dict[int, BadFile] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = SignalRows(self.path, self.labelled)
        self.total = 0

    def add(
        self, row: int, values: npt.ArrayLike, label: str | None, group: str | None, wrong: str | None = None
    ) -> None:
        """Adds a signal, or why there is none.

        Args:
            row: Where it stands in the file.
            values: See :meth:`~googlenet.data.signals.rows.SignalRows.add`.
            label: As the file writes it; ``None`` if it has no labels.
            group: The same of its group.
            wrong: Why it cannot be read, if that is known.
        """
        try:
            if wrong is not None:
                raise InputError(wrong)
            self.rows.add(row, values, self._named(label, self.missing), self._named(group))
        except InputError as error:
            self.bad[self.total] = BadFile(f"{self.path}:{row}", str(error))
        self.total += 1

    def _named(self, text: str | None, missing: Sequence[str] = ()) -> str | None:
        """The label or group that a cell stands for."""
        if text is None:
            return None
        if text.lower() in map(str.lower, missing):
            return ""
        return label_text(text) if self.whole_numbers else unquoted(text)

    def table(self, layout: str, schema: Schema, notes: Sequence[str] = ()) -> SignalTable:
        """All of them.

        Args:
            layout: How the table was read.
            schema: The same, for the next one.
            notes: What else is to be said.

        Raises:
            InputError: If there is no signal, or none to learn from.
        """
        signals = self.rows.signals
        if not self.total:
            raise InputError(f"{self.path} holds no signals: there is no row below the header.")
        if not signals and self.labelled:
            raise InputError(self.bad[0].reason)
        lengths = [signal.shape[1] for signal in signals]
        schema = replace(schema, lengths=(min(lengths, default=0), max(lengths, default=0)))
        known = [name for at, name in enumerate(self.ids) if name or at not in self.bad]
        named = len(set(known)) == len(known) and len(self.ids) == self.total and all(known) and bool(known)
        labels = tuple(self.rows.labels) if len(self.rows.labels) == len(signals) and signals else None
        return SignalTable(
            tuple(signals),
            labels,
            tuple(self.rows.groups) if self.rows.groups else None,
            tuple(self.rows.names),
            layout,
            schema,
            dict(self.bad),
            tuple(self.ids) if named else None,
            (*notes, *_doubted(self.rows.labels)),
        )


def _doubted(labels: Sequence[str]) -> Iterator[str]:
    """What to say of labels that may be none."""
    for word, rows in Counter(label for label in labels if label.lower() in _PERHAPS_MISSING).items():
        verb = "rows have" if rows > 1 else "row has"
        yield (
            f"{rows:,} {verb} the label {word!r}, taken for a class. If it says that there is none: --missing {word}."
        )
