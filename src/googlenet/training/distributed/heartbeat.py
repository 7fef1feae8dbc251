"""Signs of life between processes: a host that is cut off closes no connection, and those that wait for it would wait
on for as long as their library lets them."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from torch.distributed.distributed_c10d import Store

BEAT = 5.0  # seconds between two signs
PATIENCE = 60.0  # seconds without one after which a process is given up
LEFT = 1 << 40  # signs at once: of a process that is done


@contextmanager
def heartbeat(store: Store, rank: int, size: int) -> Iterator[None]:
    """Ends this process with a sentence once another has given no sign for :data:`PATIENCE`; ``torchrun`` then starts
    those again that are left. Nothing else ends a call that waits for one that is gone. On one machine there is no
    need: the connections of one that ends are closed.

    Args:
        store: That all of them see. A connection of its own is made, for the others' may wait.
        rank: This process.
        size: How many there are.
    """
    signs, counts, heard = store.clone(), [0] * size, [math.inf] * size  # of one that is yet to come: waited for
    done, through = threading.Event(), threading.Event()

    def beat() -> None:
        with suppress(RuntimeError):  # the store is gone: nobody is heard of then
            while not done.is_set():
                signs.add(f"signs of {rank}", 1)
                for other in range(size):
                    count = signs.add(f"signs of {other}", 0)
                    if count != counts[other] or count >= LEFT:
                        counts[other], heard[other] = count, time.monotonic()
                done.wait(BEAT)
            if through.is_set():  # one that failed is waited for, and missed
                signs.add(f"signs of {rank}", LEFT)

    def watch() -> None:
        before = time.monotonic()
        while not done.wait(BEAT / 5):
            now = time.monotonic()
            if now - before > 2 * BEAT:  # this process was stopped for a while, and perhaps all were
                heard[:] = [max(one, now) if one < math.inf else one for one in heard]
            before = now
            silent = [other for other in range(size) if now - heard[other] > PATIENCE]
            if silent:
                _give_up(rank, silent)

    beating = threading.Thread(target=beat, daemon=True)
    beating.start()
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
        through.set()
    finally:
        done.set()
        beating.join(BEAT)


def _give_up(rank: int, silent: list[int]) -> NoReturn:
    if os.environ.get("LOCAL_RANK", "0") == "0":  # one speaks on every machine
        lost = "the others" if rank in silent else f"process {silent[0]}"
        said = f"Nothing was heard of {lost} for {PATIENCE:.0f} s: this training cannot go on with what is left"
        sys.stderr.write(f"googlenet: {said}. Go on from the last checkpoint with --resume.\n")
        sys.stderr.flush()
    os._exit(1)
