"""Which columns of a table are those of one with a sample a row, and whether it is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ....errors import InputError, quoted, short
from ..rows import listing
from .names import IDS, TIMES, bears, ends, is_clock
from .roles import WIDE, Roles, called
from .schema import Channel, Schema
from .shape import (
    Column,
    Shape,
    blocks_of,
    is_constant_within,
    is_second_clock,
    numbers_rows,
    owns_rows,
    restarts,
    rows_of,
    shape_of,
)


def long_columns(roles: Roles) -> tuple[str, str | None] | None:
    """The columns of ids and times of a long table; ``None`` for a wide one."""
    wanted = roles.wanted
    free = [name for name in roles.free() if name != roles.target and name in roles.columns]
    if wanted.time is not None or wanted.channel is not None:
        return _said_long(roles, free)
    identity = wanted.id or called(free, IDS)
    column = None if identity is None else roles.columns[identity]
    if column is not None and column.different == len(column.codes):
        return None
    shape = _shape(roles, free, column)
    if shape is None:
        _check_not_one(roles, free)
        _check_no_blocks(roles, free)
        return None
    if not _rather_long(roles, shape):
        return None
    _check_time(roles, shape)
    if shape.time is None:
        roles.notes.append(f"No column says when a sample was taken: the order of {roles.path.name} is kept.")
    return shape.id, shape.time


def _shape(roles: Roles, free: Sequence[str], identity: Column | None) -> Shape | None:
    """What may make a table long: names, else its shape, else that the user named its ids."""
    wanted = roles.wanted.id
    if identity is not None:
        rows = len(identity.codes) / identity.different
        time = called([name for name in free if name != identity.name], TIMES)
        if time is not None:
            return Shape(identity.name, time, rows)
    choices = {*free, wanted}
    shape = shape_of({name: column for name, column in roles.columns.items() if name in choices}, wanted)
    if shape is None and identity is not None and wanted is not None:
        return Shape(wanted, None, rows)
    return shape


def _said_long(roles: Roles, free: Sequence[str]) -> tuple[str, str | None]:
    """The columns of a table that is long, for the user named its times or channels."""
    wanted = roles.wanted
    identity = wanted.id or called(free, IDS) or _likely_id(roles, free)
    option = "--time" if wanted.time is not None else "--channel"
    if identity is None:
        raise InputError(
            f"{roles.path}: {option} is for a table of one sample a row, with a column that says which signal a row "
            f"belongs to (--id); it has the columns {listing(roles.source.header)}."
        )
    rest = [name for name in free if name != identity]
    time = wanted.time or called(rest, TIMES) or next((n for n in rest if roles.may_be_time(n)), None)
    if time is None:
        roles.notes.append(f"No column says when a sample was taken: the order of {roles.path.name} is kept.")
    return identity, time


def _likely_id(roles: Roles, free: Sequence[str]) -> str | None:
    """The column that repeats in blocks within which the times rise; else one that is called as ids are."""
    time = roles.wanted.time
    if roles.wanted.channel is None and time is not None:
        shape = shape_of({name: roles.columns[name] for name in (*free, time)}, None, time)
        if shape is not None:
            return shape.id
    return next((name for name in free if bears(name)), None)


def _rather_long(roles: Roles, shape: Shape) -> bool:
    """Whether blocks of rows are signals, and not numbered columns beside them."""
    if not roles.runs:
        return True
    width, clock = len(roles.runs[0]), shape.time is not None and roles.may_be_time(shape.time)
    if width < WIDE and shape.rows >= 2 * width:
        return True
    again = clock and restarts(roles.columns[shape.id], roles.columns[str(shape.time)])
    if shape.time is None or (not again and (2 * shape.rows < width or (not clock and shape.rows < 2 * width))):
        return False
    shown = ends([at.name for at in roles.runs[0]])
    raise InputError(
        f"{roles.path}: a row may be a signal of the samples {shown}, or one sample of a signal of its own "
        f"{quoted(shape.id)}. If a row is a signal, say --ignore {short(shape.time)}; if it is a sample, --id "
        f"{short(shape.id)} --time {short(shape.time)}."
    )


def _check_time(roles: Roles, shape: Shape) -> None:
    """That a column is one of times by its name or its equal steps, and no channel that rises."""
    if shape.time is None or roles.wanted.time is not None or is_clock(shape.time):
        return
    if not is_second_clock(roles.columns[shape.time], roles.columns[shape.id].codes):
        raise InputError(
            f"{roles.path}: {quoted(shape.time)} rises in unequal steps within each {quoted(shape.id)}: times, or a "
            f"channel? If they are times, say --time {short(shape.time)}; if not, add a column of times (0, 1, 2, "
            "...), called time."
        )


def _check_not_one(roles: Roles, free: Sequence[str]) -> None:
    """That a table is not one recording whose label changes in time."""
    times = [name for name in free if roles.may_be_time(name)]
    if roles.runs or not times or roles.target is None or len(free) > WIDE * 2:
        return
    column = roles.columns[roles.target]
    changes = int((column.codes[1:] != column.codes[:-1]).sum())
    if roles.counts_time(times[0]) and changes < len(column.codes) / 4:
        raise InputError(
            f"{roles.path}: its rows are samples in the order of {quoted(times[0])}, and no column says which signal "
            f"one belongs to. Name it with --id; a recording whose {quoted(roles.target)} changes is cut with --window."
        )


def _check_no_blocks(roles: Roles, free: Sequence[str]) -> None:
    """That rows beside an id which repeats in long blocks are signals, and no samples of a few channels."""
    width = len(roles.runs[0]) if roles.runs else 0
    for name in free:
        starts = blocks_of(roles.columns[name]) if width and bears(name) else None
        total = len(roles.columns[name].codes)
        if starts is None or rows_of(starts, total) < 2 * width:
            continue
        if roles.target is None or is_constant_within(roles.columns[roles.target], roles.columns[name].codes):
            raise InputError(
                f"{roles.path}: a row may be a signal, or one sample of the signal of its {quoted(name)}. If a row is "
                f"a signal, say --group {short(name)} (or --ignore {short(name)}); if it is a sample, say --id "
                f"{short(name)}."
            )


def long_schema(roles: Roles, identity: str, time: str | None) -> Schema:
    """The schema of a table with a sample a row.

    Args:
        roles: What is known of its columns.
        identity: The column that says which signal a row belongs to.
        time: The column of times.

    Raises:
        InputError: If it cannot be told which columns are samples.
    """
    wanted = roles.wanted
    samples = _samples(roles, identity, time)
    if not samples:
        raise InputError(f"{roles.path} has no column of samples; its columns are {listing(roles.source.header)}.")
    if wanted.channel is not None and len(samples) > 1:
        raise InputError(
            f"{roles.path}: with --channel there is one column of values, but there are {listing(samples)}. "
            "Leave out those that are none (--ignore)."
        )
    named = wanted.channel is None and len(samples) > 1
    channels = tuple(Channel(name if named else "", (name,)) for name in samples)
    return Schema("long", channels, roles.target, wanted.group, identity, time, wanted.channel)


def _samples(roles: Roles, identity: str, time: str | None) -> list[str]:
    """The columns of samples of a long table; notes why the others are none."""
    taken = {roles.target, roles.wanted.group, roles.wanted.channel, identity, time}
    codes = roles.columns[identity].codes
    taken |= set(roles.ignored)
    rest = [name for name in roles.source.header if name not in taken]
    tested = {name: roles.columns[name] for name in rest if name in roles.columns}  # the others are numbered, and many
    reasons: dict[str, Callable[[Column], bool]] = {
        "text": lambda column: column.text,
        "it numbers the rows": numbers_rows,
        f"one value for each {quoted(identity)}": lambda column: is_constant_within(column, codes),
    }
    for why, found in reasons.items():
        _leave_out(roles, rest, [name for name, column in tested.items() if found(column)], why)
    _check_one_owner(roles, identity, tested)
    if time is not None:
        clocks = [name for name, column in tested.items() if is_second_clock(column, codes)]
        _leave_out(roles, rest, clocks, "it counts time, too")
    return [name for name in rest if name not in roles.ignored]


def _check_one_owner(roles: Roles, identity: str, tested: Mapping[str, Column]) -> None:
    """That the ids of signals are not given again by every patient or session."""
    codes = roles.columns[identity].codes
    owner = next((name for name in tested if name not in roles.ignored and owns_rows(tested[name], codes)), None)
    if owner is not None:
        raise InputError(
            f"{roles.path}: the signals by column {quoted(identity)} have several {quoted(owner)} each, as if ids "
            f"were given again for every one. Join both in one column, and name it with --id; if {quoted(owner)} does "
            f"not matter, say --ignore {short(owner)}."
        )


def _leave_out(roles: Roles, rest: Sequence[str], names: Sequence[str], why: str) -> None:
    """Notes that columns are no samples, unless none would be left."""
    found = {name: why for name in names if name not in roles.ignored}
    if any(name not in found and name not in roles.ignored for name in rest) or why == "text":
        roles.ignored |= found
