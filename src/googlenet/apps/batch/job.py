"""A large prediction from end to end: planned, computed by whoever does that, summed up."""

from __future__ import annotations

import hashlib
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
        of: How many parts there are to be.
    """

    parts: int
    rows: int
    errors: int
    labels: dict[str, int]
    of: int


Watch = Callable[[Iterator[tuple[int, Counts]], int, Plan], Iterator[tuple[int, Counts]]]


def predict_parts(
    asked: Asked, lines: Iterable[str], watch: Watch, told: Callable[[str], None] = lambda sentence: None
) -> Summary:
    """Labels all inputs that are not labelled yet.

    Args:
        asked: What, and where to.
        lines: Of standard input, for ``-``.
        watch: Wraps the parts while they are computed; it is told how many there will be.
        told: Called with what is to be said before.

    Returns:
        What there is now.

    Raises:
        InputError: If something of it cannot be done; what is done stays.
    """
    if asked.on not in ("processes", "ray") and not asked.on.startswith("ray://"):
        raise InputError(f"--on is processes, ray or ray://HOST:PORT, not {asked.on!r}.")
    if asked.form == "parquet":
        check_parquet()
    plan, lay_there = _plan(asked, lines)
    if lay_there:
        told(
            f"Going on with the inputs that were written down in {asked.out / PLAN}; what came since is not among them."
        )
    missing = plan.missing()
    if asked.part is not None:
        if asked.part > plan.parts:
            return Summary(0, 0, 0, {}, plan.parts)  # there are fewer inputs than parts
        missing = [part for part in missing if part == asked.part]
    for _ in watch(_computed(asked, plan, missing), len(missing), plan):
        pass
    left = plan.missing()
    found = _sum(plan, set(range(1, plan.parts + 1)).difference(left))
    if not left:
        row = json.dumps(asdict(found), ensure_ascii=False, indent=1)
        files.write_bytes(asked.out / SUMMARY, f"{row}\n".encode())
    return found


def _plan(asked: Asked, lines: Iterable[str]) -> tuple[Plan, bool]:
    """The plan that lies there, or a new one; the network is looked at only for that."""
    place, network = str(Path.cwd()), asked.network.digest
    wanted = Plan(asked.out, tuple(asked.inputs), place, "", asked.parts, network, asked.form, asked.top, (), ())
    there = (asked.out / PLAN).exists()
    extensions = () if there else tuple(asked.network.load().preprocessing.extensions)
    heard = _Heard(lines if "-" in asked.inputs else ())
    return planned(asked.out, entries_of(asked.inputs, heard, extensions), wanted, heard.digest)


class _Heard:
    """Lines of standard input, and a digest of all of them."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self._hash, self._any = iter(lines), hashlib.blake2b(digest_size=8), False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._any = True
            self._hash.update(line.strip().encode("utf-8", "surrogateescape") + b"\n")
            yield line

    def digest(self) -> str:
        """Of what came and what is still to come; empty if that is nothing."""
        for _ in self:
            pass
        return self._hash.hexdigest() if self._any else ""


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
    counts = [plan.counted(part) for part in parts]
    labels = Counter[str]()
    for each in counts:
        labels.update(each["labels"])
    rows, errors = (sum(each[name] for each in counts) for name in ("rows", "errors"))
    return Summary(len(counts), rows, errors, dict(labels.most_common()), plan.parts)
