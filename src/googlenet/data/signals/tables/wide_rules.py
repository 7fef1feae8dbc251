"""Which columns of a table with a signal a row are its samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ....errors import InputError, quoted, short
from ..rows import listing
from .names import Place, bears, ends, is_clock, numbered, run_of, words
from .roles import Roles
from .schema import Channel, Schema

_COUNTED = ("ch", "chan", "channel", "sensor", "lead", "electrode", "axis", "dim")  # what a number of a channel follows
_COLUMNS = 8  # names that are numbers by no chance
_MOMENTS = ("t", "time", "step", "frame")  # what a number of a sample follows
_MONTHS = "january february march april may june july august september october november december"
_MONTH = "|".join([*_MONTHS.split(), *(month[:3] for month in _MONTHS.split()), "sept"])
_TIMED = re.compile(  # what stands before the last number of a date, a month, a quarter, a time of day, or 0,5 seconds
    rf"(19|20)\d\d[-/._ ]*[qmw]?|((19|20)\d\d[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}|q[1-4]|w\d\d?|{_MONTH})[-/._ ]*"
    r"|\d{1,2}:(\d\d:)?|\d+ ?(h|min|m)|.*\d,",
    re.IGNORECASE,
)
_NOR_PATHS = " of signals, and none of paths of pictures (such as path, or named with --path-column)"


def wide_schema(roles: Roles) -> Schema:
    """The schema of a table with a signal a row.

    Raises:
        InputError: If it cannot be told which columns are samples.
    """
    _check_not_near(roles)
    free = [name for name in roles.free() if name != roles.target and name not in roles.sampled]
    identity = roles.wanted.id or _identity(roles, free)
    free = [name for name in free if name != identity]
    if roles.runs:
        channels = tuple(_channel(roles, places) for places in roles.runs)
        _check_not_times(roles)
        _check_channels(roles, channels)
        _check_not_turned(roles)
        _check_not_channels(roles, free)
        _check_first(roles, free)
        why = {name: _why_beside(roles, name) for name in free}
    else:
        samples = _without_run(roles, free)
        channels = (Channel("", tuple(samples)),)
        why = {name: "text" if roles.columns[name].text else "by its name" for name in free if name not in samples}
    roles.ignored |= why
    return Schema("wide", channels, roles.target, roles.wanted.group, identity)


def _without_run(roles: Roles, free: Sequence[str]) -> list[str]:
    """The samples of a table without numbered columns, if the user said which columns are none."""
    samples = [name for name in free if not roles.columns[name].text and not bears(name) and not is_clock(name)]
    if not samples:
        columns = listing(roles.source.header)
        raise InputError(f"{roles.path} has no column of samples{_NOR_PATHS}; its columns are {columns}.")
    if roles.wanted.ignore:
        return samples
    clock = next((name for name in roles.free() if name in roles.columns and roles.may_be_time(name)), None)
    if clock is not None:
        raise InputError(
            f"{roles.path}: a row looks like one sample, taken at {quoted(clock)}, but no column says which signal it "
            "belongs to. Name it with --id; if it takes several, join them in one."
        )
    raise InputError(
        f"{roles.path}: the columns {listing(samples)} are no run of numbered ones (such as v0, v1, v2), so it cannot "
        "be told which are samples. Name those that are none with --ignore: the others are then samples, in their "
        "order. For a table of one sample a row name --id and --time."
    )


def _why_beside(roles: Roles, name: str) -> str:
    what = "text beside the numbered columns" if roles.columns[name].text else "beside the numbered columns"
    shared = roles.columns[name].different < len(roles.columns[name].codes)
    hint = f" (--group {short(name)} keeps its rows on one side)" if shared and bears(name) else ""
    return what + hint


def _identity(roles: Roles, free: Sequence[str]) -> str | None:
    """A column beside the samples that names every row: called as ids are, or of text."""
    for name in free:
        column = roles.columns[name]
        one = column.different == len(column.codes)
        if one and (bears(name) or column.text) and name != roles.wanted.group:
            return name
    return None


def _channel(roles: Roles, places: Sequence[Place]) -> Channel:
    """The channel that a run is."""
    again = next((pair for pair in pairwise(places) if pair[0].number == pair[1].number), None)
    if again is not None:
        raise InputError(
            f"{roles.path}: the columns {quoted(again[0].name)} and {quoted(again[1].name)} have the same number. "
            "Rename one."
        )
    _check_order(roles, places)
    run = run_of(places)
    numbers = run.numbers
    steps = {two - one for one, two in pairwise(numbers)}
    if len(steps) > 1 and all(number.is_integer() for number in numbers):
        step = min(steps)
        span = (numbers[-1] - numbers[0]) / step
        gaps = int(span) + 1 - len(numbers)
        if span.is_integer() and 0 < gaps <= len(numbers) / 4:
            known = set(numbers)
            first = next(n for n in (numbers[0] + at * step for at in range(int(span))) if n not in known)
            roles.notes.append(
                f"The columns {ends([at.name for at in places])} lack {gaps}, {run.column(first)} first: those "
                "around a gap are read as neighbours."
            )
    return Channel(run.label if len(roles.runs) > 1 else "", run=run)


def _check_order(roles: Roles, places: Sequence[Place]) -> None:
    """That the numbers of samples are their order, where the file has another."""
    filed = sorted(places, key=lambda at: roles.order[at.name])
    names = ends([at.name for at in filed])
    back = [two.number < one.number for one, two in pairwise(filed)]
    if all(":" in at.name for at in places) and sum(back) == 1:
        why = "pass midnight, so that their order is not that of the times"
    elif all(back) and all(at.name.rstrip("0123456789").endswith("-") for at in places):
        why = "count down, unless the dash before their numbers is that of a minus"
    elif any(back) and _are_values([at.number for at in places], [at.name for at in places]):
        raise InputError(
            f"{roles.path}: the header {names} holds numbers in no order. If it is a signal, say --no-header; else "
            "name the columns v0, v1, v2, ..."
        )
    else:
        return
    raise InputError(f"{roles.path}: the columns {names} {why}. Rename them in their order, such as v0, v1, v2, ...")


def _are_values(numbers: Sequence[float], names: Sequence[str]) -> bool:
    """Whether names are numbers as samples are: with fractions, or below zero, and unevenly spaced."""
    if len(numbers) < _COLUMNS or not all(name.lstrip("-+")[:1].isdigit() and ":" not in name for name in names):
        return False
    steps = [two - one for one, two in pairwise(sorted(numbers))]
    even = max(steps) - min(steps) <= 1e-6 * max(steps)
    return not even and any(not number.is_integer() or number < 0 for number in numbers)


def _check_not_channels(roles: Roles, beside: Sequence[str]) -> None:
    """That rows are no samples of channels that are called so, taken one after the other."""
    prefix = words(roles.runs[0][0].key[0])
    if len(roles.runs) > 1 or roles.wanted.ignore or not prefix or prefix[-1] not in _COUNTED:
        return
    clock = next((name for name in beside if roles.counts_time(name)), None)
    target = None if roles.target is None else roles.columns[roles.target].codes
    blocks = target is not None and 8 * int((target[1:] != target[:-1]).sum()) < len(target)
    if clock is None and (not blocks or any(map(bears, beside))):
        return
    shown = ends([at.name for at in roles.runs[0]])
    why = f"taken at {quoted(clock)}" if clock else f"for {quoted(roles.target)} keeps its value over many rows"
    raise InputError(
        f"{roles.path}: a row looks like one sample of the channels {shown}, {why}. If it is, add a column that says "
        "which signal a row belongs to (--id), or cut the recording (--window 2s); if a row is a signal, "
        f"{f'say --ignore {short(clock)}' if clock else 'rename the columns (v0, v1, ...)'}."
    )


def _check_channels(roles: Roles, channels: Sequence[Channel]) -> None:
    """That the channels have the same samples, and names of their own."""
    first = channels[0]
    for other in channels[1:]:
        assert first.run is not None
        assert other.run is not None
        if other.run.numbers != first.run.numbers and len(set(first.run.numbers) ^ set(other.run.numbers)) > 0:
            lacking = sorted(set(first.run.numbers) - set(other.run.numbers))
            raise InputError(
                f"{roles.path}: the channels {quoted(first.name)} and {quoted(other.name)} are numbered differently: "
                f"there is no {quoted(other.run.column(lacking[0]))}. Rename the columns, or leave some out (--ignore)."
            )


def _check_not_times(roles: Roles) -> None:
    """That channels are none of the years, months or hours in the names of the samples of one."""
    before = [numbered(places[0].name) for places in roles.runs]
    if len(before) > 1 and all(parts is not None and _TIMED.fullmatch(parts[0].strip()) for parts in before):
        first, last = roles.runs[0][0].name, roles.runs[-1][-1].name
        raise InputError(
            f"{roles.path}: the columns {quoted(first)} … {quoted(last)} may be the times of one channel, and would be "
            f"{len(before):,} channels by their last numbers. Rename them in their order, such as v0, v1, v2, ..., "
            "or, if they are channels, such as ch1_0, ch1_1, ..., ch2_0."
        )


def _check_not_turned(roles: Roles) -> None:
    """That the last number of a column is that of its sample, and not of its channel."""
    first, many = roles.runs[0], len(roles.runs)
    before = words(first[0].key[0])
    if many == 1 or not before or not all(any(map(str.isdigit, places[0].key[0])) for places in roles.runs):
        return
    if before[-1] in _COUNTED or (before[0] in _MOMENTS and many > len(first)):
        raise InputError(
            f"{roles.path}: the columns {ends([at.name for at in first])} may be samples of one channel, or one sample "
            f"of {len(first)} channels. Rename all so that the last number is that of the sample, such as ch1_t0."
        )


def _check_first(roles: Roles, beside: Sequence[str]) -> None:
    """That no column is the first of a run that pandas numbered: ``x, x.1, x.2, ...``"""
    first = {(name.casefold(), ""): name for name in reversed(beside)}
    for places in roles.runs:
        name = first.get(places[0].key)
        if name is not None and places[0].number == 1 and places[0].name == f"{name}.1":
            raise InputError(
                f"{roles.path}: the column {quoted(name)} may be the first sample of "
                f"{ends([at.name for at in places])}. If it is, rename it to {short(name)}.0; if not, say --ignore "
                f"{short(name)}."
            )


def _check_not_near(roles: Roles) -> None:
    """That no numbered columns are nearly as many as the samples."""
    near = roles.near
    if near is not None:
        one, two = (ends([at.name for at in places]) for places in (roles.runs[0], near))
        raise InputError(
            f"{roles.path}: the numbered columns {one} and {two} are not equally many, so they are no channels. "
            f"Leave out those that are no samples (--ignore {short(near[0].name)} ...), or add what is missing."
        )
