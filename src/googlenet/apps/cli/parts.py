"""Very many files: the options that cut them into parts, how far those are, and what they came to."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import InputError, several

if TYPE_CHECKING:
    from ..batch.label import Counts, Network
    from ..batch.plan import Plan

SHOWN = 5  # labels of the summary
PARTS = "Very many files"
PartsOutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder of numbered parts, for any number.", rich_help_panel=PARTS),
]
PartsOption = Annotated[
    int | None,
    typer.Option("--parts", min=1, max=1_000_000, help="How many parts to cut into.", rich_help_panel=PARTS),
]
PartOption = Annotated[
    str | None,
    typer.Option("--part", metavar="K/N", help="Compute part K of N alone, as one of N jobs.", rich_help_panel=PARTS),
]
OnOption = Annotated[
    str | None,
    typer.Option("--on", help="What computes: processes, ray or ray://HOST:PORT.", rich_help_panel=PARTS),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, max=1024, help="Processes, which share the cores.", rich_help_panel=PARTS),
]


@dataclass(frozen=True)
class Parts:
    """How very many files are labelled, as typed."""

    out: Path | None
    parts: int | None
    part: str | None
    on: str | None
    workers: int | None

    def wanted(self, form: str | None, others: Mapping[str, object]) -> bool:
        """Whether predictions are to be written in parts.

        Args:
            form: Of what is written.
            others: Options that are for all else, by name.

        Raises:
            InputError: If what is asked for does not go together.
        """
        if self.out is None:
            if form == "parquet":
                raise InputError(
                    "Parquet is written in parts, into a folder: name it with --out DIR, and say --parts N."
                )
            if (self.parts, self.part, self.on, self.workers) != (None,) * 4:
                raise InputError("Parts are written into a folder: name it with --out DIR.")
            return False
        if given := [name for name, value in others.items() if value]:
            raise InputError(f"{given[0]} is for one list of predictions; leave it out beside --out.")
        if form not in (None, "jsonl", "parquet"):
            raise InputError(f"Parts are written in jsonl or parquet, not in {form}.")
        if (self.parts is None) == (self.part is None):
            raise InputError("Say either into how many parts to cut (--parts N), or which one to compute (--part K/N).")
        if self.part is not None and (self.on, self.workers) != (None, None):
            raise InputError("One part is computed by this process; leave --on and --workers out beside --part.")
        return True

    def numbers(self) -> tuple[int, int | None]:
        """How many parts, and which alone. Raises InputError if that is no such number."""
        if self.parts is not None:
            return self.parts, None
        found = re.fullmatch(r"([1-9][0-9]{0,6})/([1-9][0-9]{0,6})", self.part or "", re.ASCII)
        if found is None or int(found[1]) > int(found[2]):
            raise InputError(f"--part is K/N, such as 3/100: the third of a hundred, and not {self.part!r}.")
        return int(found[2]), int(found[1])


def say_passed_over(inputs: Sequence[str]) -> None:
    """Which folders below those that are named are not looked into, on standard error.

    Args:
        inputs: As typed.
    """
    from ...data.walk import passed_over
    from .output.screen import beside

    for folder in (Path(word) for word in inputs if Path(word).is_dir()):
        for said in passed_over(folder):
            beside(said)


def label_parts(parts: Parts, network: Network, inputs: Sequence[str], form: str | None, top: int) -> int:
    """Labels very many files; the exit status, which is 1 if some could not be read.

    Args:
        parts: As typed.
        network: What labels.
        inputs: As typed.
        form: ``jsonl`` or ``parquet``; ``None`` for the first.
        top: Labels of each.
    """
    from ..batch.job import Asked, predict_parts
    from .output.screen import beside, shown

    say_passed_over(inputs)
    number, part = parts.numbers()
    assert parts.out is not None
    on, workers = parts.on or "processes", parts.workers or 1
    asked = Asked(network, inputs, parts.out, number, form or "jsonl", top, part, on, workers)
    found = predict_parts(asked, sys.stdin or (), _watch, beside)
    labels = several([f"{shown(label)} {count:,}" for label, count in list(found.labels.items())[:SHOWN]])
    of = f"{found.parts:,} parts" if found.parts == found.of else f"{found.parts:,} of {found.of:,} parts so far"
    counts = f"{found.rows:,} rows in {of}, {found.errors:,} errors"
    more = ", …" if len(found.labels) > SHOWN else ""
    beside(f"{shown(str(parts.out))}: {counts}{'; ' * bool(labels)}{labels}{more}")
    return int(found.errors > 0)


def _watch(done: Iterator[tuple[int, Counts]], count: int, plan: Plan) -> Iterator[tuple[int, Counts]]:
    """Parts as they are written, with a bar."""
    from .output.screen import beside
    from .progress import progress_over

    if count < plan.parts:
        beside(f"{plan.parts - count:,} of {plan.parts:,} parts are there or left to others; computing {count:,}.")
    rows, failed, began = 0, 0, perf_counter()
    with progress_over("parts") as update:
        for number, (part, counts) in enumerate(done, start=1):
            rows, failed = rows + counts["rows"], failed + counts["errors"]
            rate = rows / max(perf_counter() - began, 1e-9)
            update(number, f"{number:,} of {count:,}  {rows:,} rows, {rate:,.0f}/s  {failed:,} errors", count)
            yield part, counts
