"""A table against the schema of what a network learned from: columns are found by name, or it is said what lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ....errors import InputError, count, quoted
from ..rows import SignalTable, listing
from ..sources.source import Source
from .names import bears, ends
from .readers.wide import Columns, missing_samples
from .rules import find_schema
from .schema import OTHER_STEP, Channel, Schema, TableColumns, check_given
from .shape import columns_of


def matched(source: Source, wanted: TableColumns, labelled: bool, learned: Schema) -> tuple[Schema, list[str]]:
    """The schema of a table with a header as a network is to read it, and what is to be said of it.

    Args:
        source: The table.
        wanted: What the user said of it.
        labelled: Whether there must be labels.
        learned: Of what the network learned from.

    Raises:
        InputError: If a column is missing, or cannot be told.
    """
    wanted = replace(wanted, missing=learned.with_missing(wanted.missing).missing)
    known = Columns(source) if learned.layout == "wide" else None
    if known is not None and any(known.of(channel)[0] for channel in learned.channels):
        channels = tuple(_same_samples(source, known, channel, learned) for channel in learned.channels)
        return _with_roles(source, wanted, labelled, replace(learned, channels=channels))
    if learned.layout == "long" and _has_samples(source, learned):
        for option, name in (("--id", learned.id), ("--time", learned.time), ("--channel", learned.channel)):
            if name is not None and name not in source.header and getattr(wanted, option[2:]) is None:
                raise InputError(
                    f"{source.path} has no column {quoted(name)}, by which the table was read that the network "
                    f"learned from ({option}); its columns are {listing(source.header)}."
                )
        return _with_roles(source, wanted, labelled, learned)
    return _another_layout(source, wanted, labelled, learned)


def _has_samples(source: Source, learned: Schema) -> bool:
    """Whether a table has the samples of a long one; raises the sentence if it has only some."""
    names = list(dict.fromkeys(name for channel in learned.channels for name in channel.columns))
    known = set(source.header)
    lacking = [name for name in names if name not in known]
    if lacking and (len(lacking) < len(names) or learned.id in source.header):
        raise InputError(
            f"{source.path} has no column {listing(lacking)}, which the network reads; its columns are "
            f"{listing(source.header)}."
        )
    return not lacking


def _same_samples(source: Source, known: Columns, channel: Channel, learned: Schema) -> Channel:
    """A channel of a wide table, with the samples that a file has of it."""
    _, lacking = known.of(channel)
    run = channel.run
    if run is None:
        if lacking:
            raise InputError(missing_samples(source, lacking, channel))
        return channel
    here = sorted(known.numbered(run))
    more = sorted(set(here) - set(run.numbers))
    if learned.fixed is None:  # signals of many lengths: the table has as many columns as its longest
        shorter, longer = sorted((tuple(here), run.numbers), key=len)
        if longer[: len(shorter)] == shorter:
            return replace(channel, run=replace(run, numbers=tuple(here)))
    if lacking:
        raise InputError(missing_samples(source, lacking, channel))
    if more:
        raise InputError(
            f"{source.path} has {count(len(more), 'sample')} more, {run.column(more[0])} first, than the "
            f"{len(run.numbers):,} that the network learned from. Remove those columns, if they are none."
        )
    return channel


def _with_roles(source: Source, wanted: TableColumns, labelled: bool, schema: Schema) -> tuple[Schema, list[str]]:
    """The schema with those of its other columns that a file has, and what is to be said of the rest."""
    header = set(source.header)
    if not labelled and wanted.target not in header:
        wanted = replace(wanted, target=None)
    check_given(source.path, source.header, wanted)
    roles: dict[str, Any] = {
        role: getattr(wanted, role) or (name if (name := getattr(schema, role)) in header else None)
        for role in ("target", "group", "id", "time", "channel")
    }
    if labelled and roles["target"] is None:
        raise InputError(
            f"{source.path} has no column {quoted(schema.target)}, which held the labels that the network learned "
            f"from. Name it with --target; there are {listing(source.header)}."
        )
    schema = replace(schema, **roles, missing=wanted.missing, ignored=())
    beside = _beside(source, schema)
    if schema.layout == "wide" and schema.id is None:
        schema = replace(schema, id=_names_rows(source, beside))
    return replace(schema, ignored=tuple((n, "the network knows none such") for n in beside if n != schema.id)), []


def _beside(source: Source, schema: Schema) -> list[str]:
    """The columns of a table that have no meaning in a schema."""
    known = {*schema.roles, *(name for channel in schema.channels for name in channel.columns)}
    used = Columns(source)
    known.update(name for channel in schema.channels for name in used.of(channel)[0])
    return [name for name in source.header if name and name not in known]


def _names_rows(source: Source, beside: Sequence[str]) -> str | None:
    """A column that names every row of a wide table."""
    for name, column in columns_of(source, beside).items():
        if (bears(name) or column.text) and column.different == len(column.codes):
            return name
    return None


def surplus(schema: Schema, learned: Schema, path: object) -> list[str]:
    """What is to be said of columns that were not in the table that a network learned from.

    Args:
        schema: Of a table that it is to read.
        learned: Of the one it learned from.
        path: Of the table.
    """
    known = {*learned.roles, *(name for name, _ in learned.ignored)}
    new = [name for name, _ in schema.ignored if name and name not in known]
    if not new:
        return []
    return [f"{path}: left out, for the network learned from none such: {listing(new)}."]


def _another_layout(source: Source, wanted: TableColumns, labelled: bool, learned: Schema) -> tuple[Schema, list[str]]:
    """The schema of a table that has none of the columns of samples, by the rules; its channels as the network's."""
    found, notes = find_schema(source, wanted, labelled)
    _check_wide(source, found, learned)
    if len(found.channels) == len(learned.channels) == 1 and found.channel is None:
        here, before = found.channels[0].columns, learned.channels[0].columns
        if found.layout == learned.layout == "long" and here != before:
            notes.append(f"{source.path}: {listing(here)} is read, and the network learned from {listing(before)}.")
        return found, notes
    places = {channel.name: channel for channel in found.channels}
    if found.channel is None and set(places) == set(learned.names):
        return replace(found, channels=tuple(places[name] for name in learned.names)), notes
    if found.channel is not None and len(found.channels) == 1 and learned.names:
        values = found.channels[0].columns
        return replace(found, channels=tuple(Channel(name, values) for name in learned.names)), notes
    reads = (
        listing(learned.names) if any(learned.names) else f"{count(len(learned.channels), 'channel')} without a name"
    )
    raise InputError(
        f"{source.path} has the channels {listing(found.names)}, and the network reads {reads}: they cannot be matched "
        "by name."
    )


def _check_wide(source: Source, found: Schema, learned: Schema) -> None:
    """That a wide table has the samples that a network learned from."""
    if found.layout == learned.layout == "wide":
        first = learned.channels[0]
        names = first.columns if first.run is None else [*map(first.run.column, first.run.numbers)]
        raise InputError(
            f"{source.path} has none of the columns {ends(names)} that the network learned from; its columns are "
            f"{listing(source.header)}."
        )
    if found.layout == "wide" and learned.fixed is not None and len(found.channels[0]) != learned.fixed:
        raise InputError(
            f"{source.path} has {count(len(found.channels[0]), 'sample')} a row, and the network learned from signals "
            f"of {learned.fixed}."
        )


def said_to_network(path: str | Path, table: SignalTable, learned: Schema | None) -> list[str]:
    """What is to be said of signals that a network is to read, and that may be others than it learned from.

    Args:
        path: Of the table.
        table: As it was read.
        learned: Of what the network learned from; ``None`` if that is not known.
    """
    if learned is None:
        names = [] if table.schema is None else table.schema.names
        if len(names) < 2:
            return []
        return [
            f"{path}: the network does not know its channels by name, and reads them as they stand: {listing(names)}."
        ]
    if table.schema is None and len(learned.names) > 1:
        return [
            f"{path} does not name its channels, and the network learned from {listing(learned.names)}: they are read "
            "in that order."
        ]
    units = () if table.schema is None else table.schema.units
    return [
        *_said_of_units(path, units, learned),
        *_said_of_step(path, table, learned),
        *_said_of_lengths(path, table, learned),
    ]


def _said_of_units(path: str | Path, units: Sequence[str], learned: Schema) -> Iterator[str]:
    """Of channels in another unit than those learned from."""
    for name, here, before in zip(learned.names, units, learned.units, strict=False):
        if here and before and here != before:
            of = f"channel {quoted(name)}" if name else "the signals"
            yield (
                f"{path}: its row of units says {quoted(here)} for {of}, and the network learned from "
                f"{quoted(before)}: nothing is converted."
            )


def _said_of_step(path: str | Path, table: SignalTable, learned: Schema) -> Iterator[str]:
    """Of times between samples that are others than those learned from."""
    step = 0.0 if table.schema is None else table.schema.step
    if step and learned.step and abs(step / learned.step - 1) > OTHER_STEP:
        yield (
            f"{path}: samples are {step:g} apart in time, and those that the network learned from {learned.step:g}: "
            "another rate, or unit of time? They are read one after the other, whatever their times."
        )


def _said_of_lengths(path: str | Path, table: SignalTable, learned: Schema) -> list[str]:
    fixed, lengths = learned.fixed, sorted({signal.shape[1] for signal in table.signals})
    if fixed is None or lengths in ([], [fixed]):
        return []
    shown = " to ".join(str(length) for length in dict.fromkeys((lengths[0], lengths[-1])))
    return [
        f"{path}: signals of {shown} samples, and the network learned from signals of {fixed}. A shorter one is "
        "followed by zeros, a longer one squeezed: take care that they were taken at the same rate."
    ]
