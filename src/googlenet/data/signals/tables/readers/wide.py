"""Tables with a header and a signal a row."""

from __future__ import annotations

from collections.abc import Sequence

from .....errors import InputError
from ...rows import SignalTable, blank, count, listing
from ...sources.source import Source
from ..names import place
from ..schema import Channel, Schema, channels_said
from .gather import Gathered


def sample_columns(channel: Channel, header: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns of a channel in a file, in order, and those that it lacks.

    Args:
        channel: Of a table with a signal a row.
        header: Of the file.
    """
    if channel.run is None:
        known = set(header)
        return [name for name in channel.columns if name in known], [n for n in channel.columns if n not in known]
    here = {at.number: name for name in header if (at := place(name)) is not None and at.key == channel.run.key}
    numbers = channel.run.numbers
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
    columns: list[str] = []
    for channel in schema.channels:
        found, lacking = sample_columns(channel, source.header)
        if lacking:
            raise InputError(missing_samples(source, lacking, channel))
        columns += found
    cells = source.read(schema.roles, columns, frozenset(schema.missing))
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
    called = f", named by column {schema.id!r}" if schema.id else ""
    layout = f"wide table: one signal a row, {named}{gathered.rows.lengths}{schema.said()}{called}{source.said}"
    return gathered.table(layout, schema, notes)


def missing_samples(source: Source, lacking: Sequence[str], channel: Channel) -> str:
    """The sentence for columns of samples that a file has not.

    Args:
        source: The table.
        lacking: Their names.
        channel: Theirs.
    """
    of = f" of channel {channel.name!r}" if channel.name else ""
    return (
        f"{source.path} has no column {listing(lacking)}: {count(len(lacking), 'sample')}{of} of "
        f"{len(channel):,} that the network learned from. Its columns are {listing(source.header)}."
    )
