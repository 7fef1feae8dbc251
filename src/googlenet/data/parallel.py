"""A long row of items, worked on in groups and a few ahead, on every core that this process may use."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CGROUPS = Path("/sys/fs/cgroup")


def available_cores(cgroups: Path = CGROUPS) -> int:
    """Cores that this process may use, 1 or more: by its affinity, and by the quota of its control group.

    Args:
        cgroups: Where the control groups' files are; of version 2, or of version 1 in the folder ``cpu``.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(affinity, _quota(cgroups))))


def _quota(cgroups: Path) -> float:
    """Cores' worth of time that the control group may take; infinite without a limit."""
    try:
        if (cgroups / "cpu.max").exists():
            quota, period = (cgroups / "cpu.max").read_text().split()
        else:
            quota, period = ((cgroups / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        share = float(quota) / float(period)
    except (OSError, ValueError, ZeroDivisionError):  # no such files, or "max"
        return math.inf
    return share if share > 0 else math.inf


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``map(work, items)``, in order, a few items ahead on every core; memory stays bounded.

    Args:
        work: Called in threads.
        items: Taken by the caller's thread.
    """
    workers = available_cores()
    source = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque(pool.submit(work, item) for item in islice(source, workers + 1))
        try:
            while waiting:
                done = waiting.popleft().result()
                for item in islice(source, 1):
                    waiting.append(pool.submit(work, item))
                yield done
        finally:
            for future in waiting:
                future.cancel()


def groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, that many at a time; the last group may be smaller."""
    source = iter(items)
    while group := list(islice(source, size)):
        yield group


def steps_of(examples: int, batch_size: int) -> int:
    """Batches of an epoch: as few as hold no more than ``batch_size`` each, and never a single example."""
    return max(1, min(-(-examples // batch_size), examples // 2))
