"""Tables with a header and a signal a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .....errors import InputError, count, quoted
from ...rows import SignalTable, blank, listing
from ...sources.source import Source
from ..names import Run, place
from ..schema import Channel, Schema, channels_said, units_of
from .gather import Gathered


class Columns:
    """The columns of a file, by their names and by their numbers.

    Args:
        source: The table.
    """

    def __init__(self, source: Source) -> None:
        self._path, self._known = source.path, set(source.header)
        self._numbered: dict[tuple[str, str], dict[float, list[str]]] = {}
        for name in source.header:
            at = place(name)
            if at is not None:
                self._numbered.setdefault(at.key, {}).setdefault(at.number, []).append(name)

    def numbered(self, run: Run) -> dict[float, str]:
        """Number to name of those of a run: of several, such as ``v1`` and ``v_1``, the one that is written as its are.

        Raises:
            InputError: If none of several is.
        """
        found = {}
        for number, names in self._numbered.get(run.key, {}).items():
            exact = run.column(number)
            if len(names) > 1 and exact not in names:
                raise InputError(f"{self._path}: columns {listing(names)} may each be {quoted(exact)}; leave one out.")
            found[number] = exact if exact in names else names[0]
        return found

    def of(self, channel: Channel) -> tuple[list[str], list[str]]:
        """Those of a channel of a table with a signal a row, in order, and the names of those that lack."""
        if channel.run is None:
            known = self._known
            return [name for name in channel.columns if name in known], [n for n in channel.columns if n not in known]
        here, numbers = self.numbered(channel.run), channel.run.numbers
        return [here[n] for n in numbers if n in here], [channel.run.column(n) for n in numbers if n not in here]


def read_wide(source: Source, schema: Schema, labelled: bool, notes: Sequence[str] = ()) -> SignalTable:
    """Every row as a signal.

    Args:
        source: The table.
        schema: Its columns.
        labelled: Whether every signal must have a label.
        notes: What else is to be said of it.

    Raises:
        InputError: If there is no signal to learn from.
    """
    columns: list[list[str]] = []  # of each channel
    known = Columns(source)
    for channel in schema.channels:
        found, lacking = known.of(channel)
        if lacking:
            raise InputError(missing_samples(source, lacking, channel))
        columns.append(found)
    cells = source.read(schema.roles, [name for names in columns for name in names], frozenset(schema.missing))
    schema = replace(schema, units=units_of(columns, cells.units))
    blank(cells.numbers, schema.missing)
    gathered = Gathered(source.path, labelled, missing=schema.missing)
    shape = (len(schema.channels), -1)
    texts = [cells.texts.get(name or "") for name in (schema.target, schema.group, schema.id)]
    for at, row in enumerate(cells.rows):
        label, group, identity = (None if column is None else column[at] for column in texts)
        values, wrong = cells.numbers[at].reshape(shape), cells.bad.get(at)
        gathered.add(row, values, label, group, wrong)
        if identity is not None:
            gathered.ids.append(identity)
    named = f"{channels_said(schema.channels)}, " if len(schema.channels) > 1 else ""
    called = f", named by column {quoted(schema.id)}" if schema.id else ""
    layout = f"wide table: one signal a row, {named}{gathered.rows.lengths}{schema.said()}{called}{source.said}"
    return gathered.table(layout, schema, notes)


def missing_samples(source: Source, lacking: Sequence[str], channel: Channel) -> str:
    """The sentence for columns of samples that a file has not.

    Args:
        source: The table.
        lacking: Their names.
        channel: Theirs.
    """
    of = f" of channel {quoted(channel.name)}" if channel.name else ""
    return (
        f"{source.path} has no column {listing(lacking)}: {count(len(lacking), 'sample')}{of} of "
        f"{len(channel):,} that the network learned from. Its columns are {listing(source.header)}."
    )
