"""Tables with a header: which column means what, and from columns to signals."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from .rows import SignalRows, SignalTable, count, is_number, listing

LABELS = ("label", "class", "target", "y")
IDS = ("id", "series", "signal", "case")
TIMES = ("time", "timestamp", "t", "index", "step", "sample")
ROW_NUMBERS = frozenset({"", "unnamed: 0", "index"})  # that pandas writes: no samples
_NOR_PATHS = " of signals, and none of paths of pictures (such as path, or named with --path-column)"
_CHANNEL = re.compile(r"(.+?)[_.\-: /\[]+(\d+)\]?")


@dataclass(frozen=True)
class Cells:
    """A table in memory.

    Attributes:
        rows: Where each row stands in the file.
        texts: Column to its cells.
        numbers: ``(rows, columns)``, the other columns.
    """

    rows: Sequence[int]
    texts: dict[str, list[str]]
    numbers: npt.NDArray[np.float32]


class Source(Protocol):
    """A table in a file."""

    path: Path
    header: list[str]

    def text_columns(self) -> list[str]:
        """Cells with a cell that is neither a number nor missing."""

    def read(self, texts: Sequence[str], numbers: Sequence[str]) -> Cells:
        """Reads those columns as text, and those as numbers.

        Raises:
            InputError: At a row of another length, or at a cell that is no number.
        """


@dataclass
class _Roles:
    """Which column means what."""

    target: str | None = None
    group: str | None = None
    channel: str | None = None
    id: str | None = None
    time: str | None = None
    samples: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def texts(self) -> list[str]:
        return [name for name in (self.target, self.group, self.channel, self.id, self.time) if name is not None]

    def said(self) -> str:
        """The end of the sentence that says how the table was read."""
        parts = [
            f", labels in column {self.target!r}" if self.target else "",
            f", groups in column {self.group!r}" if self.group else "",
            *(f", column {name!r} left out" for name in self.left_out),
        ]
        return "".join(parts)


def read_table(
    source: Source, target: str | None, group: str | None, channel: str | None, labelled: bool
) -> SignalTable:
    """Reads a table with a header, one signal a row ("wide") or one sample a row ("long").

    Args:
        source: The table.
        target: Column of the labels; ``None`` looks for one.
        group: Column of the groups.
        channel: Column of a long table that says which channel a row belongs to.
        labelled: Whether there must be labels.

    Raises:
        InputError: If a column is unknown or cannot be told, or at the first cell that cannot be read.
    """
    roles = _roles(source, target, group, channel, labelled)
    columns = source.read(roles.texts(), roles.samples)
    if not columns.rows:
        raise InputError(f"{source.path} holds no signals: there is no row below the header.")
    rows = SignalRows(source.path, labelled)
    layout = _long(rows, columns, roles) if roles.time is not None else _wide(rows, columns, roles)
    return rows.table(layout + roles.said(), "name the column with --target")


def _roles(source: Source, target: str | None, group: str | None, channel: str | None, labelled: bool) -> _Roles:
    header, path = source.header, source.path
    if not labelled and target not in header:
        target = None
    _check_given(source, {"--target": target, "--group": group, "--channel": channel})
    roles = _Roles(target, group, channel)
    identity = _named(header, IDS, roles)
    time = _named(header, TIMES, roles)
    if identity is not None and time is not None:
        roles.id, roles.time = identity, time
    elif channel is not None:
        raise InputError(
            f"{path}: --channel is for a table of one sample a row, with a column id and a column time; "
            f"it has the columns {listing(header)}."
        )
    # Beside an id, a column "signal" may well be a channel; without one, it names the row.
    no_samples = ROW_NUMBERS if roles.id is not None else ROW_NUMBERS | set(IDS)
    roles.left_out = [name for name in header if name.lower() in no_samples and name not in roles.texts()]
    if target is None:
        roles.target = _find_target(source, roles, labelled)
    roles.samples = [name for name in header if name not in (*roles.texts(), *roles.left_out)]
    if not roles.samples:
        raise InputError(f"{path} has no column of samples{_NOR_PATHS}; its columns are {listing(header)}.")
    return roles


def _check_given(source: Source, options: dict[str, str | None]) -> None:
    """That the header names no column twice, and the options one column each."""
    header, path = source.header, source.path
    twice = next((name for name, times in Counter(header).items() if times > 1 and name), None)
    if twice is not None:
        raise InputError(f"{path}: the header has the column {twice!r} twice. Rename one.")
    given = {option: name for option, name in options.items() if name is not None}
    for option, name in given.items():
        if name not in header:
            raise InputError(f"{path}, {option}: {_no_column(name, header)}")
    if len(set(given.values())) < len(given):
        raise InputError(f"{path}: {' and '.join(given)} name the same column. Each needs its own.")


def _no_column(name: str, header: Sequence[str]) -> str:
    """The message of an unknown column, without a list of a thousand samples."""
    near = [known for known in header if known.lower() == name.lower()] or difflib.get_close_matches(name, header, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {listing(header)}."
    return f"There is no column {name!r}. {hint}"


def _named(header: Sequence[str], names: Iterable[str], roles: _Roles) -> str | None:
    """The first column, in the order of ``names``, that has that name and no role yet."""
    taken = (*roles.texts(), *roles.left_out)
    return next((c for name in names for c in header if c.lower() == name and c not in taken), None)


def _find_target(source: Source, roles: _Roles, labelled: bool) -> str | None:
    header = [name.lower() for name in source.header]
    # Beside x or z, y is an axis.
    named = _named(source.header, LABELS[:-1] if {"x", "z"} & set(header) else LABELS, roles)
    if named is not None:
        return named
    taken = (*roles.texts(), *roles.left_out)
    texts = [name for name in source.text_columns() if name not in taken]
    if len(texts) == 1:
        return texts[0]
    if not labelled:
        return None
    if texts:
        raise InputError(
            f"{source.path}: the columns {listing(texts)} hold text, and any may be the label. Name it with --target."
        )
    raise InputError(
        f"{source.path}: no column is named {', '.join(LABELS[:-1])} or {LABELS[-1]}, and none holds text. "
        f"Name the column of the labels with --target; there are {listing(source.header)}."
    )


def _wide(rows: SignalRows, columns: Cells, roles: _Roles) -> str:
    """Adds every row as a signal; returns the layout."""
    channels = _channels_of(roles.samples)
    index = np.array(list(channels.values()) if channels else [range(len(roles.samples))])
    for at, row in enumerate(columns.rows):
        label, group = (None if name is None else columns.texts[name][at] for name in (roles.target, roles.group))
        rows.add(row, columns.numbers[at][index], label, group)
    named = f"{len(channels)} channels ({listing(list(channels))}), " if channels else ""
    return f"wide table: one signal a row, {named}{rows.lengths}"


def _channels_of(names: Sequence[str]) -> dict[str, list[int]]:
    """Of columns such as ``x_0 x_1 ... y_0 y_1 ...``: channel to its columns in order. Else empty."""
    found: dict[str, dict[int, int]] = {}
    for column, name in enumerate(names):
        match = _CHANNEL.fullmatch(name)
        if match is None or int(match[2]) in found.get(match[1], {}):
            return {}
        found.setdefault(match[1], {})[int(match[2])] = column
    lengths = {frozenset(samples) for samples in found.values()}
    if len(found) < 2 or len(lengths) > 1 or len(lengths.pop()) < 2:
        return {}
    return {name: [samples[index] for index in sorted(samples)] for name, samples in found.items()}


def _long(rows: SignalRows, columns: Cells, roles: _Roles) -> str:
    """Adds the rows of every id as a signal, in the order of time; returns the layout."""
    assert roles.id is not None and roles.time is not None
    path, texts = rows.path, columns.texts
    _check_long(path, columns, roles)
    times = _moments(path, columns.rows, texts[roles.time], roles.time)
    ids, codes = _coded(texts[roles.id])
    names, kinds = (roles.samples, np.zeros_like(codes)) if roles.channel is None else _coded(texts[roles.channel])
    if len(ids) == len(codes) > 1:
        raise InputError(
            f"{path}: every row has a {roles.id!r} of its own, so every signal has one sample. If a row is a "
            f"whole signal, remove the column {roles.time!r}."
        )

    order = np.lexsort((kinds, times, codes))
    for members in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        what = f"signal {texts[roles.id][members[0]]!r}"
        same = np.flatnonzero((np.diff(times[members]) == 0) & (np.diff(kinds[members]) == 0))
        if same.size:
            one, two = sorted(columns.rows[members[same[0] + step]] for step in (0, 1))
            hint = "Remove one." if roles.channel else "If they are channels, name their column with --channel."
            raise InputError(
                f"{path}: {what} has time {texts[roles.time][members[same[0]]]} twice, in rows {one} and {two}. {hint}"
            )
        label, group = (_constant(path, columns, what, name, members) for name in (roles.target, roles.group))
        signal = columns.numbers[members].T
        if roles.channel is not None:
            moments, column = np.unique(times[members], return_inverse=True)
            signal = np.full((len(names), len(moments)), np.nan, np.float32)
            signal[kinds[members], column] = columns.numbers[members, 0]
        rows.add(columns.rows[members.min()], signal, label, group)
    listed = f" ({listing(names)})" if len(names) > 1 else ""
    return (
        f"long table: one sample a row, {count(len(ids), 'signal')} by column {roles.id!r} in the order of column "
        f"{roles.time!r}, {count(len(names), 'channel')}{listed}, {rows.lengths}"
    )


def _check_long(path: Path, columns: Cells, roles: _Roles) -> None:
    if roles.channel is not None and len(roles.samples) > 1:
        raise InputError(
            f"{path}: with --channel there is one column of values, but there are {listing(roles.samples)}."
        )
    for role in filter(None, (roles.id, roles.channel)):
        empty = next((row for row, cell in zip(columns.rows, columns.texts[role], strict=True) if not cell), None)
        if empty is not None:
            raise InputError(f"{path}, row {empty}: column {role!r} is empty.")


def _coded(cells: Sequence[str]) -> tuple[list[str], npt.NDArray[np.intp]]:
    """The different cells in the order in which they come, and the place of each row's there."""
    places = {name: at for at, name in enumerate(dict.fromkeys(cells))}
    return list(places), np.array([places[cell] for cell in cells])


def _constant(path: Path, columns: Cells, what: str, name: str | None, members: npt.NDArray[np.intp]) -> str | None:
    """The cell that a column has in all rows of a signal."""
    if name is None:
        return None
    cells = columns.texts[name]
    first = min(members)
    for at in members:
        if cells[at] != cells[first]:
            raise InputError(
                f"{path}: {what} has {cells[first]!r} and {cells[at]!r} in column {name!r}, in rows "
                f"{columns.rows[first]} and {columns.rows[at]}. A signal has one."
            )
    label: str = cells[first]
    return label


def _moments(path: Path, rows: Sequence[int], cells: Sequence[str], name: str) -> npt.NDArray[np.float64]:
    """Times as numbers that sort as they do: all are numbers, or all are ISO dates."""
    dated = not is_number(cells[0]) if cells else False
    known: dict[str, float] = {}
    for row, cell in zip(rows, cells, strict=True):
        if cell in known:
            continue
        try:
            if not dated and not is_number(cell):
                raise ValueError
            known[cell] = _seconds(cell) if dated else float(cell)
        except ValueError as error:
            wanted = "a date such as 2026-01-31 12:00:00" if dated else "a number"
            raise InputError(f"{path}, row {row}: column {name!r} holds {cell!r}, which is not {wanted}.") from error
    return np.array([known[cell] for cell in cells], np.float64)


def _seconds(cell: str) -> float:
    moment = datetime.fromisoformat(cell)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
