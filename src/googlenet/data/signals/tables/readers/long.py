"""Tables with a header and a sample a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .....errors import InputError, count, quoted
from ...rows import SignalTable, blank, listing
from ...sources.archives.stated import Padded
from ...sources.source import Cells, Source
from ...sources.text.dates import moments
from ...sources.text.numbers import Numbers
from ..schema import OTHER_STEP, Channel, Schema, units_of
from .gather import Gathered

Rows = npt.NDArray[np.intp]
_GAP = 3  # times the usual time between two samples
_SELDOM = 8  # samples to a step back in time: where there are more, the rows have no order
_STRAY = 3  # rows without an id that are left out, such as a line below the table


def read_long(source: Source, schema: Schema, labelled: bool, notes: Sequence[str] = ()) -> SignalTable:
    """The rows of every id as a signal, in the order of time.

    Args:
        source: The table.
        schema: Its columns; if one names the channel, ``channels`` is the one of the values, or a channel for each.
        labelled: Whether every signal must have a label.
        notes: What else is to be said of it.

    Raises:
        InputError: If there is no signal to learn from, or the rows are no signals.
    """
    columns = tuple(dict.fromkeys(name for channel in schema.channels for name in channel.columns))
    cells = source.read(schema.roles, columns, frozenset(schema.missing))
    if not cells.rows:
        raise InputError(f"{source.path} holds no signals: there is no row below the header.")
    blank(cells.numbers, schema.missing)
    reader = _Reader(source, cells, schema, labelled)
    gathered = reader.read()
    schema = reader.schema
    names = schema.names
    listed = f" ({listing(names)})" if len(names) > 1 else ""
    order = f"in the order of column {quoted(schema.time)}" if schema.time else "in the order of the file"
    layout = (
        f"long table: one sample a row, {count(gathered.total, 'signal')} by column {quoted(schema.id)} {order}, "
        f"{count(len(names), 'channel')}{listed}, {gathered.rows.lengths}{schema.said()}{source.said}"
    )
    units = units_of([channel.columns for channel in schema.channels], cells.units)
    return gathered.table(layout, replace(schema, step=reader.step, units=units), (*notes, *reader.gaps()))


class _Reader:
    """The cells of a long table, and what is wrong with which of its rows."""

    def __init__(self, source: Source, cells: Cells, schema: Schema, labelled: bool) -> None:
        assert schema.id is not None
        path = source.path
        self.path, self.cells, self.labelled = path, cells, labelled
        self.wrong = dict(cells.bad)
        self.identity = cells.texts[schema.id]
        self._check_named(schema.id)
        for role in filter(None, (schema.id, schema.channel)):
            for at, cell in enumerate(cells.texts[role] if not all(cells.texts[role]) else ()):
                if not cell:
                    self.wrong.setdefault(at, f"{path}, row {cells.rows[at]}: column {quoted(role)} is empty.")
        self.schema = schema = self._with_channels(schema)
        self.padded = Padded(path)
        self.times = self._moments(schema.time, source.numbers)
        self.steps: dict[str, tuple[float, float]] = {}  # of each signal: the one in the middle, and the largest
        self.back: dict[str, int] = {}  # row at which the times of a signal step back
        self.kinds = np.zeros(len(cells.rows), np.intp)
        if schema.channel is not None:
            places = {name: at for at, name in enumerate(schema.names)}
            self.kinds = np.array([places.get(cell, -1) for cell in cells.texts[schema.channel]])

    def _check_named(self, column: str) -> None:
        """That more than a few rows say which signal they belong to: of the others each would lack a part."""
        if all(self.identity):
            return
        empty = [row for row, cell in zip(self.cells.rows, self.identity, strict=True) if not cell]
        if len(empty) > max(_STRAY, len(self.identity) / 100):
            raise InputError(
                f"{self.path}: column {quoted(column)} is empty in {len(empty):,} of {len(self.identity):,} rows, the "
                f"first is row {empty[0]}: merged cells? Fill them down, so that each row names its signal."
            )

    def _with_channels(self, schema: Schema) -> Schema:
        """The schema, with a channel for each value of the column that names them."""
        if schema.channel is None:
            return schema
        found = dict.fromkeys(cell for cell in self.cells.texts[schema.channel] if cell)
        if schema.channels[0].name:
            lacking = [name for name in schema.names if name not in found]
            if lacking:
                raise InputError(
                    f"{self.path} has no channel {listing(lacking)} in column {quoted(schema.channel)}, which the "
                    f"network reads; it has {listing(list(found))}."
                )
            return schema
        values = schema.channels[0].columns
        return replace(schema, channels=tuple(Channel(name, values) for name in found))

    def _moments(self, name: str | None, numbers: Numbers) -> npt.NDArray[np.float64]:
        """Times as numbers that sort as they do; without a column of times the order of the file."""
        if name is None:
            return np.arange(len(self.cells.rows), dtype=np.float64)
        found, wrong = moments(self.path, self.cells.rows, self.cells.texts[name], name, numbers)
        self.wrong = wrong | self.wrong
        return found

    def read(self) -> Gathered:
        """Every signal."""
        places = {name: at for at, name in enumerate(dict.fromkeys(self.identity))}
        codes = np.array([places[cell] for cell in self.identity])
        if self.labelled and len(places) == len(codes) > 1:
            raise InputError(
                f"{self.path}: every row has a {quoted(self.schema.id)} of its own, so every signal has one sample. "
                f"If a row is a whole signal, leave {quoted(self.schema.time or self.schema.channel)} out (--ignore)."
            )
        gathered = Gathered(self.path, self.labelled, missing=self.schema.missing)
        order = np.lexsort((self.kinds, self.times, codes))
        for members in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
            self._add(gathered, members)
        return gathered

    @property
    def step(self) -> float:
        """Of time, of the signal in the middle; 0 where there are no times."""
        found = float(np.median([step for step, _ in self.steps.values()])) if self.steps else 0.0
        return found if found < math.inf else 0.0

    def gaps(self) -> Iterator[str]:
        """What there is to say of signals whose times leap."""
        yield from self._other_steps()
        if self.back:
            name, row = next(iter(self.back.items()))
            yield (
                f"In {len(self.back):,} of {count(len(self.steps), 'signal')} column {quoted(self.schema.time)} steps "
                f"back, such as in {quoted(name)} at row {row}: rows are sorted by it. Was a clock set back, or did a "
                "counter begin anew? Then write times that rise."
            )
        torn = [name for name, (step, most) in self.steps.items() if most > _GAP * step]
        if torn:
            yield (
                f"{len(torn):,} of {count(len(self.steps), 'signal')} leap in column {quoted(self.schema.time)}, such "
                f"as {quoted(torn[0])}: what is behind a gap is joined to what is before it. A row without values "
                "keeps the place of a sample."
            )

    def _other_steps(self) -> Iterator[str]:
        """What there is to say of signals that were taken at another rate than most."""
        usual = self.step
        others = {n: step for n, (step, _) in self.steps.items() if usual and abs(step / usual - 1) > OTHER_STEP}
        if others:
            name, step = next(iter(others.items()))
            yield (
                f"{len(others):,} of {count(len(self.steps), 'signal')} have samples at another step in column "
                f"{quoted(self.schema.time)}, such as {quoted(name)} of {step:g}, where the usual one is {usual:g}: "
                "another rate, or unit of time? They are read one after the other, whatever their times."
            )

    def _note_back(self, members: Rows) -> None:
        """Keeps where the times of a signal, which rise in the file as a rule, step back."""
        in_file = members[np.lexsort((members, self.kinds[members]))]
        back = np.flatnonzero((np.diff(self.times[in_file]) < 0) & (np.diff(self.kinds[in_file]) == 0))
        if 0 < back.size <= len(members) / _SELDOM:
            self.back[self.identity[members[0]]] = self.cells.rows[in_file[back[0] + 1]]

    def _add(self, gathered: Gathered, members: Rows) -> None:
        """Adds the signal of those rows."""
        what = f"signal {quoted(self.identity[members[0]])}"
        first = int(members.min())
        rows = np.sort(members).tolist() if self.wrong else ()
        wrong = next((self.wrong[at] for at in rows if at in self.wrong), None)
        label = group = None
        signal: npt.NDArray[np.float64] = np.zeros((1, 0))
        if wrong is None:
            try:
                label, group = (self._constant(what, name, members) for name in (self.schema.target, self.schema.group))
                signal = self._signal(what, members[self.kinds[members] >= 0])
            except InputError as error:
                if self.labelled:
                    raise
                wrong = str(error)
        gathered.add(self.cells.rows[first], signal, label, group, wrong)
        gathered.ids.append(self.identity[members[0]])

    def _signal(self, what: str, members: Rows) -> npt.NDArray[np.float64]:
        """``(channels, length)``."""
        cells, times, kinds = self.cells, self.times, self.kinds
        same = np.flatnonzero((np.diff(times[members]) == 0) & (np.diff(kinds[members]) == 0))
        if same.size:
            one, two = sorted(cells.rows[members[same[0] + step]] for step in (0, 1))
            hint = "Remove one." if self.schema.channel else "If they are channels, name their column with --channel."
            assert self.schema.time is not None
            time = cells.texts[self.schema.time][members[same[0]]]
            raise InputError(f"{self.path}: {what} has time {time} twice, in rows {one} and {two}. {hint}")
        if self.schema.time is not None:
            self._note_back(members)
            leaps = np.diff(np.unique(times[members]))
            if leaps.size:
                self.steps[self.identity[members[0]]] = float(np.median(leaps)), float(leaps.max())
        if self.schema.channel is None:
            return cells.numbers[members].T
        if self.schema.time is None:  # of each channel in the order of the file
            column = _counted(kinds[members])
            moments = np.arange(column.max(initial=-1) + 1)
        else:
            moments, column = np.unique(times[members], return_inverse=True)
        self.padded.take(f"{self.path}: {what}", len(self.schema.channels), len(moments))
        signal = np.full((len(self.schema.channels), len(moments)), np.nan)
        signal[kinds[members], column] = cells.numbers[members, 0]
        return signal

    def _constant(self, what: str, name: str | None, members: Rows) -> str | None:
        """The cell that a column has in all rows of a signal."""
        if name is None:
            return None
        cells = self.cells.texts[name]
        first = int(members.min())
        known = cells[first]
        rows = members.tolist()
        if all(map(known.__eq__, map(cells.__getitem__, rows))):
            return known
        for at in sorted(rows):
            if cells[at] != cells[first]:
                hint = "A label that changes within a recording is for --window." if name == self.schema.target else ""
                hint = hint if cells[at] and cells[first] else "Merged cells? Fill them down."
                both = f"{quoted(cells[first])} and {quoted(cells[at])} in column {quoted(name)}"
                where = f"in rows {self.cells.rows[first]} and {self.cells.rows[at]}"
                raise InputError(f"{self.path}: {what} has {both}, {where}. A signal has one. {hint}".rstrip())
        return cells[first]


def _counted(kinds: Rows) -> Rows:
    """How many of its own kind stand before each."""
    order = np.argsort(kinds, kind="stable")
    starts = np.flatnonzero(np.diff(kinds[order], prepend=-1))
    found = np.empty(len(kinds), np.intp)
    found[order] = np.arange(len(kinds)) - np.repeat(starts, np.diff([*starts.tolist(), len(kinds)]))
    return found
