"""The plan of a large prediction: a list of all inputs, and where each part of it begins.

It is written once, before anything is computed: whoever computes a part, today or after a fall, reads the same rows.
The list has a line of JSON an input: a path, or, of a member of a tar, where it lies. The places of the parts are
bytes, so that a part is found without reading those before it.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from ... import files
from ...data.images.stored import Stored
from ...errors import InputError, parsed, short
from ...limits import PARTS

LIST, PLAN, LOCK = "inputs.jsonl", "plan.json", ".plan.lock"
ENDINGS = {"jsonl": ".jsonl", "parquet": ".parquet"}
VERSION = 1


Entry = str | Stored


@dataclass(frozen=True)
class Plan:
    """What is to be computed.

    Attributes:
        folder: Where it and its results lie.
        inputs: As they were typed.
        place: Where relative ones begin.
        lines: A digest of the names that standard input had; empty where it was not asked.
        asked: How many parts were wanted; there are no more than inputs.
        network: A digest of what labels.
        form: ``jsonl`` or ``parquet``.
        top: Labels of each.
        starts: Bytes of the list at which each part begins, and its end.
        rows: How many inputs lie before each part, and all.
    """

    folder: Path
    inputs: Sequence[str]
    place: str
    lines: str
    asked: int
    network: str
    form: str
    top: int
    starts: Sequence[int]
    rows: Sequence[int]

    @property
    def parts(self) -> int:
        """How many there are, numbered from 1."""
        return len(self.starts) - 1

    def path(self, part: int) -> Path:
        """Of a part's results."""
        return self.folder / f"part-{part:05d}{ENDINGS[self.form]}"

    def counts(self, part: int) -> Path:
        """Of what there is to sum up of a part; it is written before the part is."""
        return self.folder / "counts" / f"{part:05d}.json"

    def missing(self) -> list[int]:
        """The parts that are not there, whole and with their counts."""
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(self.folder)}
        return [
            part
            for part in range(1, self.parts + 1)
            if (size := sizes.get(self.path(part).name)) is None or self.counted(part).get("bytes") != size
        ]

    def counted(self, part: int) -> dict[str, Any]:
        """What there is to sum up of a part; nothing if that is not there or damaged."""
        try:
            found = files.read_json(self.counts(part))
            rows, errors, labels = found["rows"], found["errors"], found["labels"]
            numbers = (rows, errors, *labels.values())
            return found if all(isinstance(number, int) and number >= 0 for number in numbers) else {}
        except (InputError, KeyError, AttributeError):
            return {}

    def entries(self, part: int) -> Iterator[Entry]:
        """The inputs of a part."""
        with files.open_plain(self.folder / LIST) as file:
            file.seek(self.starts[part - 1])
            while file.tell() < self.starts[part]:
                try:
                    yield _entry(file.readline())
                except (ValueError, TypeError, RecursionError) as error:
                    raise InputError(
                        f"{self.folder / LIST} is damaged: remove {self.folder}, and begin again."
                    ) from error


def planned(folder: Path, entries: Iterable[Entry], asked: Plan, lines: Callable[[], str]) -> tuple[Plan, bool]:
    """The plan of a folder: what lies there, or else a new one.

    Args:
        folder: Of the results; it is made if it is not there.
        entries: The inputs, in order; taken only where there is no plan.
        asked: What a plan that lies there has to agree with.
        lines: The digest of standard input, once all of it was taken.

    Returns:
        It, and whether it lay there.

    Raises:
        InputError: If the folder holds another plan or something else, or there is no input.
    """
    _check_folder(folder)
    with FileLock(folder / LOCK):  # of several that begin at once one plans
        (folder / "counts").mkdir(exist_ok=True)
        if (folder / PLAN).exists():
            return _agreed(read_plan(folder), replace(asked, lines=lines())), True
        starts = _write_list(folder / LIST, entries)
        count = len(starts) - 1
        if not count:
            raise InputError("There is nothing to label: the inputs name no file.")
        parts = min(asked.asked, count)
        cuts = [count * part // parts for part in range(parts + 1)]
        plan = replace(asked, lines=lines(), starts=[starts[cut] for cut in cuts], rows=cuts)
        row = {"version": VERSION, **asdict(plan)}
        del row["folder"]
        files.write_bytes(folder / PLAN, json.dumps(row).encode())
    return plan, False


def read_plan(folder: Path) -> Plan:
    """The plan of a folder.

    Raises:
        InputError: If it is none.
    """
    path = folder / PLAN
    row = files.read_json(path)
    try:
        if row.pop("version") != VERSION:
            raise ValueError("it is of another version")
        plan = Plan(folder, **row)
        whole = all(isinstance(n, int) and n >= 0 for each in (plan.starts, plan.rows) for n in each)
        if not whole or len(plan.starts) != len(plan.rows) or not 0 < plan.parts <= PARTS or plan.form not in ENDINGS:
            raise ValueError("its parts are no parts")
        if list(plan.starts) != sorted(plan.starts) or plan.starts[-1] != (folder / LIST).stat().st_size:
            raise ValueError(f"{LIST} is not as long as it says")
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f"{path} is damaged ({short(error)}): remove {folder}, and begin again.") from error
    return plan


def _agreed(plan: Plan, asked: Plan) -> Plan:
    """A plan that lies there, if it is what is asked for."""
    others = (("inputs", "of other inputs"), ("network", "by another network"), ("top", "with another --top"))
    for name, meant in (*others, ("lines", "of another list on standard input")):
        if _plain(getattr(plan, name)) != _plain(getattr(asked, name)):
            raise InputError(f"{plan.folder} holds predictions {meant}. Name another folder (--out).")
    if plan.place != asked.place and any(not os.path.isabs(name) for name in plan.inputs):  # noqa: PTH117
        raise InputError(f"{plan.folder} holds predictions of what lies below {plan.place}. Go on from there.")
    if plan.form != asked.form:
        raise InputError(f"{plan.folder} holds predictions in {plan.form}. Go on with --format {plan.form}.")
    if plan.asked != asked.asked:
        raise InputError(f"{plan.folder} was cut into {plan.asked} parts. Go on with as many (--parts {plan.asked}).")
    return plan


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value


def _check_folder(folder: Path) -> None:
    """Makes it. Raises InputError if it cannot be made, or holds what is no plan."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {entry.name for entry in os.scandir(folder)}
    except OSError as error:
        raise InputError(f"{folder} cannot be a folder: {error.strerror}. Name another (--out).") from error
    strange = sorted(name for name in names if name not in (LIST, LOCK, "counts") and not name.startswith("."))
    if strange and PLAN not in names:
        raise InputError(f"{folder} holds {strange[0]}, which is of no prediction. Name a new folder (--out).")


def _write_list(path: Path, entries: Iterable[Entry]) -> array[int]:
    """Writes the list; the bytes at which its lines begin, and its end."""
    starts = array("Q", [0])
    with files.fresh(path) as new, new.open("wb") as file:
        for entry in entries:
            row = entry if isinstance(entry, str) else [entry.tar, entry.name, entry.start, entry.size]
            line = json.dumps(row).encode() + b"\n"
            file.write(line)
            starts.append(starts[-1] + len(line))
        file.flush()
        os.fsync(file.fileno())
    return starts


def _entry(line: bytes) -> Entry:
    row = parsed(line)
    return row if isinstance(row, str) else Stored(*row)
