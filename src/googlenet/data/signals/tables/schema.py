"""The schema of a table of signals: what each of its columns means."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ....errors import InputError, count, nearest, quoted, short
from ..rows import listing
from .names import Run, ends

VERSION = 1
OTHER_STEP = 0.2  # of the time between two samples: by so much it differs from the usual one


@dataclass(frozen=True)
class TableColumns:
    """What a user said of the columns of a table; what is not said is found out.

    Attributes:
        target: The labels.
        group: Examples of one group stay on one side of a split.
        channel: Of a table with a sample a row: which channel it belongs to.
        id: Which signal a row belongs to, or is.
        time: Of a table with a sample a row: when it was taken.
        ignore: Columns that are nothing of the sort, and no samples.
        label: Where the label stands in a row of a table without a header: ``first`` or ``last``.
        header: Whether the first row may name the columns.
        missing: Words that say that a value is missing.
    """

    target: str | None = None
    group: str | None = None
    channel: str | None = None
    id: str | None = None
    time: str | None = None
    ignore: tuple[str, ...] = ()
    label: str | None = None
    header: bool = True
    missing: tuple[str, ...] = ()

    def named(self) -> dict[str, str]:
        """Option to the column that it names."""
        options = ("target", "group", "channel", "id", "time")
        return {f"--{option}": name for option in options if (name := getattr(self, option)) is not None}

    def refuse(self, path: object, reason: str, *kept: str) -> None:
        """Raises the sentence for what was said of columns that a file does not have.

        Args:
            path: The file.
            reason: Why it has none.
            *kept: Options that it has a use for.
        """
        given = self.named() | ({"--ignore": self.ignore[0]} if self.ignore else {})
        for option, name in given.items():
            if option not in kept:
                raise InputError(f"{path} has no column {quoted(name)} for {option}: {reason}. Leave {option} out.")


UNSAID = TableColumns()


@dataclass(frozen=True)
class Channel:
    """A channel of the signals.

    Attributes:
        name: Empty for the only one of a table that does not name it.
        columns: Of its samples, in order, where they are no run; one column in a table with a sample a row.
        run: Of its samples in a table with a signal a row.
    """

    name: str
    columns: tuple[str, ...] = ()
    run: Run | None = None

    def __len__(self) -> int:
        return len(self.columns if self.run is None else self.run.numbers)


@dataclass(frozen=True)
class Schema:
    """What each column of a table of signals means.

    Attributes:
        layout: ``wide`` (a signal a row), ``long`` (a sample a row) or ``rows`` (a signal a row, without a header).
        channels: In the order in which a network reads them.
        target: Column of the labels.
        group: Column of the groups.
        id: Column that says which signal a row is or belongs to.
        time: Column of a long table by which its samples are ordered; ``None`` for the order of the file.
        channel: Column of a long table that says which channel a row belongs to.
        ignored: Columns that are none of these, each with the reason.
        label: Where the label stands in a row without a header: ``first``, ``last`` or ``none``.
        lengths: Samples of the shortest and of the longest signal.
        missing: Words that say that a value is missing, beside the usual ones.
        step: Of the time between two samples, of the signal in the middle; 0 where that is not known.
        units: Of each channel, as a row below the header says; empty where none is said.
    """

    layout: str
    channels: tuple[Channel, ...] = ()
    target: str | None = None
    group: str | None = None
    id: str | None = None
    time: str | None = None
    channel: str | None = None
    ignored: tuple[tuple[str, str], ...] = ()
    label: str | None = None
    lengths: tuple[int, int] = (0, 0)
    missing: tuple[str, ...] = ()
    step: float = 0.0
    units: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """The columns that are read as text."""
        named = (self.target, self.group, self.channel, self.id, self.time)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @property
    def header(self) -> tuple[str, ...]:
        """Every column that it names."""
        runs = [each.columns if each.run is None else map(each.run.column, each.run.numbers) for each in self.channels]
        return (*self.roles, *(name for columns in runs for name in columns), *(name for name, _ in self.ignored))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the channels."""
        return tuple(channel.name for channel in self.channels)

    @property
    def fixed(self) -> int | None:
        """The length of every signal; ``None`` where they differ, or are not known."""
        least, most = self.lengths
        return least if least == most and least > 0 else None

    def with_missing(self, words: Sequence[str]) -> Schema:
        """With those words for what is missing, too."""
        return replace(self, missing=tuple(dict.fromkeys((*self.missing, *words))))

    def said(self) -> str:
        """The end of the sentence that says how the table was read."""
        left = [name for name, _ in self.ignored]
        few = [f", column {quoted(name)} left out" for name in left]
        return "".join(
            [
                f", labels in column {quoted(self.target)}" if self.target else "",
                f", groups in column {quoted(self.group)}" if self.group else "",
                *(few if len(left) <= 6 else [f", {len(left)} columns left out"]),
            ]
        )

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Column and meaning, for people."""
        if self.layout == "rows":
            place = {"first": "first cell", "last": "last cell"}.get(self.label or "")
            label = [(place, "the label")] if place else []
            return (*label, ("all other cells" if place else "all cells", "samples, in order"))
        roles = {
            self.target: "the label",
            self.group: "the group: its rows stay on one side of a split",
            self.id: "names the signal",
            self.time: "the time, by which samples are ordered",
            self.channel: f"names the channel: {listing(self.names)}",
        }
        found = [(name, what) for name, what in roles.items() if name is not None]
        seen = set[tuple[str, ...]]()
        for channel in self.channels:
            run = channel.run
            columns = channel.columns if run is None else tuple(map(run.column, run.numbers))
            if columns not in seen:
                seen.add(columns)
                named = (
                    f"channel {quoted(channel.name)}" if len(self.channels) > 1 and self.channel is None else "samples"
                )
                found.append((ends(columns), named))
        return (*found, *((name or "(no name)", f"left out: {why}") for name, why in self.ignored))

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        channels = [
            {"name": channel.name}
            | ({"columns": list(channel.columns)} if channel.run is None else {"run": channel.run.to_dict()})
            for channel in self.channels
        ]
        return {"version": VERSION} | asdict(replace(self, channels=())) | {"channels": channels}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Schema:
        """Reads what :meth:`to_dict` gave.

        Raises:
            ValueError: For one of a later version.
        """
        if row.get("version", VERSION) > VERSION:
            raise ValueError(f"a schema of version {row['version']}")
        texts = {name: row.get(name) for name in ("target", "group", "id", "time", "channel", "label")}
        if other := [text for text in texts.values() if not (text is None or isinstance(text, str))]:
            raise ValueError(f"a column that is called {short(repr(other[0]))}")
        if not row["channels"] and row["layout"] != "rows":
            raise ValueError("a table without channels")
        step = float(row.get("step", 0))
        if not 0 <= step < math.inf:
            raise ValueError(f"samples {step} apart")
        return cls(
            str(row["layout"]),
            tuple(_channel(each) for each in row["channels"]),
            **texts,
            ignored=tuple((str(name), str(why)) for name, why in row.get("ignored", ())),
            lengths=(int(row["lengths"][0]), int(row["lengths"][1])),
            missing=tuple(map(str, row.get("missing", ()))),
            step=step,
            units=tuple(map(str, row.get("units", ()))),
        )


def _channel(row: Mapping[str, Any]) -> Channel:
    run = None if row.get("run") is None else Run.from_dict(row["run"])
    return Channel(str(row["name"]), tuple(map(str, row.get("columns", ()))), run)


def units_of(columns: Sequence[Sequence[str]], units: Mapping[str, str]) -> tuple[str, ...]:
    """The unit of each channel; "" where its columns have none, or several.

    Args:
        columns: Of each channel.
        units: Column to its unit.
    """
    found = [{units.get(name, "") for name in names} for names in columns]
    return tuple(each.pop() if len(each) == 1 else "" for each in found) if units else ()


def channels_said(channels: Sequence[Channel]) -> str:
    """Such as "2 channels (a, b)"."""
    return f"{count(len(channels), 'channel')} ({listing([channel.name for channel in channels])})"


def check_given(path: object, header: Sequence[str], wanted: TableColumns) -> None:
    """That a header names no column twice, and the options one column each.

    Args:
        path: The file.
        header: Of it.
        wanted: What the user said.

    Raises:
        InputError: With the sentence.
    """
    known = set(header)
    twice = next((name for name, times in Counter(header).items() if times > 1 and name), None)
    if twice is not None:
        raise InputError(f"{path}: the header has the column {quoted(twice)} twice. Rename one.")
    given = wanted.named()
    for option, name in (*given.items(), *(("--ignore", name) for name in wanted.ignore)):
        if name not in known:
            raise InputError(f"{path}, {option}: {_no_column(name, header)}")
    first: dict[str, str] = {}
    for option, name in given.items():
        if first.setdefault(name, option) != option:
            raise InputError(f"{path}: {first[name]} and {option} name the same column. Each needs its own.")
    both = next((name for name in given.values() if name in wanted.ignore), None)
    if both is not None:
        raise InputError(f"{path}: the column {quoted(both)} is named with --ignore and with another option.")


def _no_column(name: str, header: Sequence[str]) -> str:
    """The message of an unknown column, without a list of a thousand samples."""
    near = next((known for known in header if known.lower() == name.lower()), None) or nearest(name, header)
    hint = f"Did you mean {quoted(near)}?" if near is not None else f"There are: {listing(header)}."
    return f"There is no column {quoted(name)}. {hint}"
