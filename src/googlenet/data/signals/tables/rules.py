"""The rules by which the columns of a table are told from each other; docs/signals.md has them on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....errors import InputError
from ..rows import listing
from .names import IDS, LABELS, ROW_NUMBERS, TIMES, Place, bears, ends, is_clock, run_of, runs
from .schema import Channel, Schema, TableColumns, check_given
from .shape import Column, Shape, columns_of, is_constant_within, is_second_clock, shape_of
from .source import Source

_WIDE = 8  # numbered columns from which a table is hardly one of so many channels
_NOR_PATHS = " of signals, and none of paths of pictures (such as path, or named with --path-column)"


def find_schema(source: Source, wanted: TableColumns, labelled: bool) -> tuple[Schema, list[str]]:
    """What each column of a table means, and what is to be said of it.

    Args:
        source: The table.
        wanted: What the user said.
        labelled: Whether there must be labels.

    Raises:
        InputError: If a column is unknown, or it cannot be told what one means.
    """
    return _Rules(source, wanted, labelled).schema()


class _Rules:
    """A table whose schema is looked for."""

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
        self.runs = self._main_runs()
        self.sampled = {at.name for places in self.runs for at in places}
        self.columns = self._beside()
        if any(not len(column.codes) for column in self.columns.values()):
            raise InputError(f"{self.path} holds no signals: there is no row below the header.")
        self.target = wanted.target or self._find_target()

    def schema(self) -> tuple[Schema, list[str]]:
        """The schema, and what is to be said."""
        shape = self._long()
        found = self._wide() if shape is None else self._as_long(*shape)
        return replace(found, ignored=tuple(self.ignored.items()), missing=self.wanted.missing), self.notes

    def _free(self) -> list[str]:
        """Columns that the user said nothing of."""
        taken = {*self.wanted.named().values(), *self.ignored}
        return [name for name in self.source.header if name not in taken]

    def _main_runs(self) -> list[list[Place]]:
        """The longest runs of numbered columns: the channels of a wide table."""
        found = [places for places in runs(self._free()).values() if len(places) > 1]
        longest = max(map(len, found), default=0)
        main = [places for places in found if len(places) == longest]
        near = next((places for places in found if longest / 2 < len(places) < longest), None)
        if near is not None:
            one, two = (ends([at.name for at in places]) for places in (main[0], near))
            raise InputError(
                f"{self.path}: the numbered columns {one} and {two} are not equally many, so they are no channels. "
                f"Leave out those that are no samples (--ignore {near[0].name} ...), or add what is missing."
            )
        return main

    def _beside(self) -> dict[str, Column]:
        """The columns that are in no run, in memory; all of a table that may be long."""
        few = sum(map(len, self.runs)) <= _WIDE
        names = [n for n in self.source.header if n and n not in self.wanted.ignore and (few or n not in self.sampled)]
        return columns_of(self.source, names)

    def _find_target(self) -> str | None:
        header = [name.lower() for name in self.source.header]
        # Beside x or z, y is an axis.
        names = LABELS[:-1] if {"x", "z"} & set(header) else LABELS
        free = [name for name in self._free() if name not in self.sampled]
        named = next((column for name in names for column in free if column.lower() == name), None)
        if named is not None:
            return named
        if not self.labelled:
            return None
        texts = [n for n in free if self.columns[n].text and not bears(n) and n.lower() not in (*IDS, *TIMES)]
        texts = [name for name in texts if self.columns[name].moments is None]
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

    # ------------------------------------------------------------------------------------------------ long tables
    def _long(self) -> tuple[str, str | None] | None:
        """The columns of ids and times of a long table; ``None`` for a wide one."""
        wanted = self.wanted
        free = [name for name in self._free() if name != self.target and name in self.columns]
        if wanted.time is not None or wanted.channel is not None:
            return self._said_long(free)
        identity = wanted.id or _called(free, IDS)
        shape = None
        if identity is not None:
            column = self.columns[identity]
            different, total = column.different, len(column.codes)
            if different == total:
                return None
            time = _called([name for name in free if name != identity], TIMES)
            if time is not None:
                shape = Shape(identity, time, total / different)
        if shape is None:
            choices = {*free, *([] if wanted.id is None else [wanted.id])}
            shape = shape_of({name: self.columns[name] for name in self.columns if name in choices}, wanted.id)
        if shape is None and wanted.id is not None:
            shape = Shape(wanted.id, None, total / different)
        if shape is None:
            self._check_not_one(free)
            return None
        if not self._rather_long(shape):
            return None
        if shape.time is None:
            self.notes.append(f"No column says when a sample was taken: the order of {self.path.name} is kept.")
        return shape.id, shape.time

    def _said_long(self, free: Sequence[str]) -> tuple[str, str | None]:
        """The columns of a table that is long, for the user named its times or channels."""
        wanted = self.wanted
        identity = wanted.id or _called(free, IDS)
        if identity is None:
            clear = {name: self.columns[name] for name in [*free, *([wanted.time] if wanted.time else [])]}
            shape = None if wanted.channel else shape_of(clear, None, wanted.time)
            identity = shape.id if shape else next((name for name in free if bears(name)), None)
        option = "--time" if wanted.time is not None else "--channel"
        if identity is None:
            raise InputError(
                f"{self.path}: {option} is for a table of one sample a row, with a column that says which signal a row "
                f"belongs to (--id); it has the columns {listing(self.source.header)}."
            )
        rest = [name for name in free if name != identity]
        time = wanted.time or _called(rest, TIMES) or next((n for n in rest if self._may_be_time(n)), None)
        if time is None:
            self.notes.append(f"No column says when a sample was taken: the order of {self.path.name} is kept.")
        return identity, time

    def _may_be_time(self, name: str) -> bool:
        return is_clock(name) and self.columns[name].moments is not None

    def _rather_long(self, shape: Shape) -> bool:
        """Whether blocks of rows are signals, and not numbered columns beside them."""
        if not self.runs:
            return True
        width, clock = len(self.runs[0]), shape.time is not None and self._may_be_time(shape.time)
        if width < _WIDE and shape.rows >= 2 * width:
            return True
        if 2 * shape.rows < width or (not clock and shape.rows < 2 * width) or shape.time is None:
            return False
        shown = ends([at.name for at in self.runs[0]])
        raise InputError(
            f"{self.path}: a row may be a signal of the samples {shown}, or one sample of a signal of its own "
            f"{shape.id!r}. If a row is a signal, say --ignore {shape.time}; if it is a sample, --id {shape.id} --time "
            f"{shape.time}."
        )

    def _check_not_one(self, free: Sequence[str]) -> None:
        """That a table is not one recording whose label changes in time."""
        times = [name for name in free if self._may_be_time(name)]
        if self.runs or not times or self.target is None or len(free) > _WIDE * 2:
            return
        column = self.columns[self.target]
        changes = int((column.codes[1:] != column.codes[:-1]).sum())
        moments = self.columns[times[0]].moments
        if (
            moments is not None
            and len(moments) > 4
            and changes < len(moments) / 4
            and (moments[1:] > moments[:-1]).all()
        ):
            raise InputError(
                f"{self.path}: its rows are samples in the order of {times[0]!r}, and no column says which signal one "
                f"belongs to. Name it with --id; a recording whose {self.target!r} changes in time is cut with --window."
            )

    def _as_long(self, identity: str, time: str | None) -> Schema:
        """The schema of a long table."""
        wanted = self.wanted
        roles = {self.target, wanted.group, wanted.channel, identity, time}
        codes = self.columns[identity].codes
        rest = [name for name in self.source.header if name not in roles and name not in self.ignored]
        samples = []
        constant = {n for n in rest if is_constant_within(self.columns[n], codes) and len(rest) > 1}
        for name in rest:
            column = self.columns[name]
            if column.text:
                self.ignored[name] = "text"
            elif name in constant and constant != set(rest):
                self.ignored[name] = f"one value for each {identity!r}"
            elif is_second_clock(column, codes) and (bool(time) or self._may_be_time(name)):
                self.ignored[name] = "it counts time, too"
            else:
                samples.append(name)
        if not samples:
            raise InputError(f"{self.path} has no column of samples; its columns are {listing(self.source.header)}.")
        if wanted.channel is not None and len(samples) > 1:
            raise InputError(
                f"{self.path}: with --channel there is one column of values, but there are {listing(samples)}. "
                "Leave out those that are none (--ignore)."
            )
        named = wanted.channel is None and len(samples) > 1
        channels = tuple(Channel(name if named else "", (name,)) for name in samples)
        return Schema("long", channels, self.target, wanted.group, identity, time, wanted.channel)

    # ------------------------------------------------------------------------------------------------ wide tables
    def _wide(self) -> Schema:
        """The schema of a wide table."""
        free = [name for name in self._free() if name != self.target and name not in self.sampled]
        identity = self.wanted.id or self._identity(free)
        free = [name for name in free if name != identity]
        if self.runs:
            channels = tuple(self._channel(places) for places in self.runs)
            self._check_channels(channels)
            why = {name: self._why_beside(name) for name in free}
        else:
            samples = [name for name in free if not self.columns[name].text and not bears(name) and not is_clock(name)]
            if not samples:
                columns = listing(self.source.header)
                raise InputError(f"{self.path} has no column of samples{_NOR_PATHS}; its columns are {columns}.")
            if not self.wanted.ignore:
                raise InputError(
                    f"{self.path}: the columns {listing(samples)} are no run of numbered ones (such as v0, v1, v2), so "
                    "it cannot be told which are samples. Name those that are none with --ignore: the others are then "
                    "samples, in their order. For a table of one sample a row name --id and --time."
                )
            channels = (Channel("", tuple(samples)),)
            why = {name: "text" if self.columns[name].text else "by its name" for name in free if name not in samples}
        self.ignored |= why
        return Schema("wide", channels, self.target, self.wanted.group, identity)

    def _why_beside(self, name: str) -> str:
        what = "text beside the numbered columns" if self.columns[name].text else "beside the numbered columns"
        shared = self.columns[name].different < len(self.columns[name].codes)
        hint = f" (--group {name} keeps its rows on one side)" if shared and bears(name) else ""
        return what + hint

    def _identity(self, free: Sequence[str]) -> str | None:
        """A column beside the samples that names every row: called as ids are, or of text."""
        for name in free:
            column = self.columns[name]
            one = column.different == len(column.codes)
            if one and (bears(name) or column.text) and name != self.wanted.group:
                return name
        return None

    def _channel(self, places: Sequence[Place]) -> Channel:
        """The channel that a run is."""
        again = next((pair for pair in zip(places, places[1:], strict=False) if pair[0].number == pair[1].number), None)
        if again is not None:
            raise InputError(
                f"{self.path}: the columns {again[0].name!r} and {again[1].name!r} have the same number. Rename one."
            )
        run = run_of(places)
        numbers = run.numbers
        steps = {two - one for one, two in zip(numbers, numbers[1:], strict=False)}
        if len(steps) > 1 and all(number.is_integer() for number in numbers):
            step = min(steps)
            span = (numbers[-1] - numbers[0]) / step
            gaps = int(span) + 1 - len(numbers)
            if span.is_integer() and 0 < gaps <= len(numbers) / 4:
                known = set(numbers)
                first = next(n for n in (numbers[0] + at * step for at in range(int(span))) if n not in known)
                self.notes.append(
                    f"The columns {ends([at.name for at in places])} lack {gaps}, {run.column(first)} first: those "
                    "around a gap are read as neighbours."
                )
        return Channel(run.label if len(self.runs) > 1 else "", run=run)

    def _check_channels(self, channels: Sequence[Channel]) -> None:
        """That the channels have the same samples, and names of their own."""
        first = channels[0]
        for other in channels[1:]:
            assert first.run is not None
            assert other.run is not None
            if other.run.numbers != first.run.numbers and len(set(first.run.numbers) ^ set(other.run.numbers)) > 0:
                lacking = sorted(set(first.run.numbers) - set(other.run.numbers))
                raise InputError(
                    f"{self.path}: the channels {first.name!r} and {other.name!r} are numbered differently: there is "
                    f"no {other.run.column(lacking[0])!r}. Rename the columns, or leave some out (--ignore)."
                )


def _called(names: Sequence[str], called: Sequence[str]) -> str | None:
    """The first column, in the order of ``called``, that has that name."""
    return next((name for word in called for name in names if name.lower() == word), None)
