"""Parts computed by processes of this machine: one that is killed is replaced, and its part done again."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from ...data.parallel import available_cores
from ...errors import InputError
from .label import Counts, Network, label_part
from .plan import Plan

PATIENCE = 10.0  # seconds for a process that has nothing to do to end
ATTEMPTS = 5  # at a part whose process was killed


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    part: int | None = None


def computed(network: Network, plan: Plan, parts: Sequence[int], workers: int = 1) -> Iterator[tuple[int, Counts]]:
    """Computes parts, in any order, and tells of each when it is written.

    Args:
        network: What labels.
        plan: Of all parts.
        parts: Numbers of those to compute.
        workers: Processes, which share the cores.

    Raises:
        InputError: If a part cannot be computed, or the process that computes it is killed again and again.
    """
    pool = _Pool(network, plan, list(reversed(parts)), _shares(min(workers, len(parts))))
    try:
        while pool.busy:
            pool.give()
            for worker in pool.heard():
                done = pool.taken(worker)
                if done is not None:
                    yield done
    finally:
        for worker in pool.workers:
            _stop(worker, PATIENCE if worker.part is None else 0)


class _Pool:
    """Processes, each with the part that it computes, and the parts that wait."""

    def __init__(self, network: Network, plan: Plan, waiting: list[int], cores: Sequence[Sequence[int]]) -> None:
        self.network, self.plan, self.waiting, self.cores = network, plan, waiting, cores
        self.tried = Counter[int]()
        self.workers = [_start(network, plan, share) for share in cores]

    @property
    def busy(self) -> bool:
        """Whether there is something left to do."""
        return bool(self.waiting) or any(worker.part is not None for worker in self.workers)

    def give(self) -> None:
        """A part for everyone who has none."""
        for worker in self.workers:
            if worker.part is None and self.waiting:
                worker.part = self.waiting.pop()
                with suppress(OSError):  # it was killed, which is heard of
                    worker.connection.send(worker.part)

    def heard(self) -> list[_Worker]:
        """Those that have said something, or were killed; it is waited for."""
        said = wait([worker.connection for worker in self.workers])
        return [worker for worker in self.workers if worker.connection in said]

    def taken(self, worker: _Worker) -> tuple[int, Counts] | None:
        """The part that one has written; ``None`` of one that was killed, whose place another takes.

        Raises:
            InputError: With what stopped it.
        """
        part = worker.part
        try:
            said = worker.connection.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return None
        if isinstance(said, str):
            raise InputError(said)
        assert part is not None
        worker.part = None
        return part, said

    def _replace(self, worker: _Worker) -> None:
        at = self.workers.index(worker)
        code = _stop(worker, PATIENCE)
        self.workers[at] = _start(self.network, self.plan, self.cores[at])
        if worker.part is not None:
            self.waiting.append(worker.part)
            self.tried[worker.part] += 1
            _check_attempts(worker.part, self.tried[worker.part], code)


def _check_attempts(part: int, tried: int, code: int | None) -> None:
    if tried >= ATTEMPTS:
        how = f"killed (signal {-code})" if code is not None and code < 0 else f"ended (status {code})"
        raise InputError(
            f"The process that computes part {part} was {how} {tried} times; the memory may not be enough. What is "
            "done stays: the same command goes on."
        )


def _shares(workers: int) -> list[list[int]]:
    """The cores of each process."""
    if not hasattr(os, "sched_getaffinity"):
        return [[] for _ in range(workers)]
    cores = sorted(os.sched_getaffinity(0))[: max(available_cores(), workers)]
    return [cores[at::workers] or [cores[at % len(cores)]] for at in range(workers)]


def _start(network: Network, plan: Plan, cores: Sequence[int]) -> _Worker:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_work, args=(theirs, network, plan, cores), daemon=True
    )
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _stop(worker: _Worker, patience: float = 0.0) -> int | None:
    """Ends one, which may finish what it does; its exit status, if it had ended before."""
    worker.process.join(0 if worker.process.is_alive() else None)
    code = worker.process.exitcode
    worker.connection.close()
    worker.process.join(patience)
    worker.process.kill()
    worker.process.join()
    return code


def _work(connection: Connection, network: Network, plan: Plan, cores: Sequence[int]) -> None:
    """What a process does: parts, until nobody asks for another."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, which tells who started it as well
    if cores:
        os.sched_setaffinity(0, cores)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer: Any
    try:
        predictor = network.load()
        while True:
            part = connection.recv()
            connection.send(label_part(predictor, plan, part))
    except (EOFError, BrokenPipeError):  # who asked is gone
        return
    except InputError as error:
        answer = str(error)
    except OSError as error:
        answer = f"{error.filename or 'A file'} could not be read or written: {error.strerror}."
    except Exception as error:
        answer = f"A part could not be computed: {type(error).__name__}: {error}."
    with suppress(OSError):
        connection.send(answer)


def _end_with_parent() -> None:
    """Ends this process where the one that started it is killed: who gives the command again computes the same part."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
