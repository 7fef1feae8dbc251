"""A long row of items, worked on in groups and a few ahead, on every core."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``map(work, items)``, in order, a few items ahead on every core; memory stays bounded."""
    workers = os.cpu_count() or 1
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
