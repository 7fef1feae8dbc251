"""A large prediction from end to end: planned, computed by whoever does that, summed up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ... import files
from ...errors import InputError
from .entries import entries_of
from .label import Counts, Network, check_parquet, label_part
from .plan import PLAN, Plan, planned

SUMMARY = "summary.json"


@dataclass(frozen=True)
class Asked:
    """What is to be done.

    Attributes:
        network: What labels.
        inputs: As typed.
        out: Folder of the results.
        parts: How many to cut the inputs into.
        form: ``jsonl`` or ``parquet``.
        top: Labels of each.
        part: The only one to compute, from 1; ``None`` for all that are not there.
        on: ``processes``, ``ray`` or ``ray://…``.
        workers: Processes.
    """

    network: Network
    inputs: Sequence[str]
    out: Path
    parts: int
    form: str = "jsonl"
    top: int = 5
    part: int | None = None
    on: str = "processes"
    workers: int = 1


@dataclass(frozen=True)
class Summary:
    """What all parts hold.

    Attributes:
        parts: How many are there.
        rows: In all of them.
        errors: Rows that say why an input cannot be read.
        labels: How often each label was the most probable.
    """

    parts: int
    rows: int
    errors: int
    labels: dict[str, int]


Watch = Callable[[Iterator[tuple[int, Counts]], int, Plan], Iterator[tuple[int, Counts]]]


def predict_parts(asked: Asked, lines: Iterable[str], watch: Watch) -> Summary:
    """Labels all inputs that are not labelled yet.

    Args:
        asked: What, and where to.
        lines: Of standard input, for ``-``.
        watch: Wraps the parts while they are computed; it is told how many there will be.

    Returns:
        What there is now; of one part, of that.

    Raises:
        InputError: If something of it cannot be done; what is done stays.
    """
    if asked.on not in ("processes", "ray") and not asked.on.startswith("ray://"):
        raise InputError(f"--on is processes, ray or ray://HOST:PORT, not {asked.on!r}.")
    if asked.form == "parquet":
        check_parquet()
    plan = _plan(asked, lines)
    missing = plan.missing()
    if asked.part is not None:
        if asked.part > plan.parts:
            return Summary(0, 0, 0, {})  # there are fewer inputs than parts
        missing = [part for part in missing if part == asked.part]
    for _ in watch(_computed(asked, plan, missing), len(missing), plan):
        pass
    if plan.missing():
        return _sum(plan, [asked.part] if asked.part is not None else [])
    found = _sum(plan, range(1, plan.parts + 1))
    files.write_bytes(asked.out / SUMMARY, (json.dumps(asdict(found), ensure_ascii=False, indent=1) + "\n").encode())
    return found


def _plan(asked: Asked, lines: Iterable[str]) -> Plan:
    """The plan that lies there, or a new one; the network is looked at only for that."""
    wanted = Plan(asked.out, tuple(asked.inputs), asked.network.digest, asked.form, asked.top, (), ())
    there = (asked.out / PLAN).exists()
    extensions = () if there else tuple(asked.network.load().preprocessing.extensions)
    return planned(asked.out, entries_of(asked.inputs, lines, extensions), asked.parts, wanted)


def _computed(asked: Asked, plan: Plan, parts: Sequence[int]) -> Iterator[tuple[int, Counts]]:
    if not parts:
        return
    if asked.part is not None:
        predictor = asked.network.load()
        for part in parts:
            yield part, label_part(predictor, plan, part)
    elif asked.on == "processes":
        from .processes import computed

        yield from computed(asked.network, plan, parts, asked.workers)
    else:
        from .on_ray import computed as on_ray

        yield from on_ray(asked.network, plan, parts, None if asked.on == "ray" else asked.on)


def _sum(plan: Plan, parts: Iterable[int]) -> Summary:
    """What some parts hold, as their counts say."""
    rows = errors = number = 0
    labels = Counter[str]()
    for part in parts:
        counts = files.read_json(plan.counts(part))
        try:
            rows, errors, number = rows + int(counts["rows"]), errors + int(counts["errors"]), number + 1
            labels.update({str(name): int(count) for name, count in counts["labels"].items()})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{plan.counts(part)} is damaged: remove it and {plan.path(part).name}, and go on."
            ) from error
    return Summary(number, rows, errors, dict(labels.most_common()))
