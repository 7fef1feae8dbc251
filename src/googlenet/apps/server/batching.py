"""A bounded queue of examples, and the threads that compute what waits in it together."""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...data.parallel import available_cores
from ...data.protocol import Example, Floats
from ...errors import InputError
from ...inference.predictor import Predictor


class Full(Exception):
    """As many examples wait as may."""


class TooMany(InputError):
    """A request holds more examples than may ever wait."""


@dataclass(frozen=True)
class Answer:
    """What a network says of one example.

    Attributes:
        example: It.
        probabilities: ``(classes,)``; ``None`` if it cannot be read.
        error: Why it cannot be read.
        doubts: What there is to say of how it was read.
    """

    example: Example
    probabilities: Floats | None = None
    error: str | None = None
    doubts: tuple[str, ...] = ()


@dataclass(eq=False)
class _Job:
    """The examples of one request, of which some may be answered already."""

    predictor: Predictor
    examples: Sequence[Example]
    future: Future[list[Answer]] = field(default_factory=Future)
    answers: dict[int, Answer] = field(default_factory=dict)
    taken: int = 0  # by threads that compute
    since: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)  # several threads may answer it, and one ends it


class Batcher:
    """Answers requests from a queue: what waits is computed together, on every core.

    Args:
        most: Examples that may wait.
        waited: Called with the seconds that a request waited before its first example was taken.
        queued: Called with the number of examples that wait, whenever it is another.
    """

    def __init__(
        self,
        most: int,
        waited: Callable[[float], None] = lambda seconds: None,
        queued: Callable[[int], None] = lambda examples: None,
    ) -> None:
        self.most = most
        self._waited, self._queued = waited, queued
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._change = threading.Condition()
        self._ended = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(available_cores())]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Examples in the queue."""
        return self._waiting

    def check(self, examples: int) -> None:
        """Raises TooMany for more examples than may ever wait, so that nobody makes them in vain."""
        if examples > self.most:
            raise TooMany(f"The request holds too many examples; send at most {self.most:,} at once (--max-queue).")

    def submit(self, predictor: Predictor, examples: Sequence[Example]) -> Future[list[Answer]]:
        """Puts the examples of a request in the queue. To cancel what comes back takes out those that still wait.

        Args:
            predictor: That answers all of them.
            examples: Of the request; one or more.

        Raises:
            Full: If there is no room for them now.
            TooMany: If there never is.
        """
        self.check(len(examples))
        job = _Job(predictor, examples)
        with self._change:
            if self._ended or self._waiting + len(examples) > self.most:
                raise Full
            self._jobs.append(job)
            self._count(len(examples))
            self._change.notify()
        job.future.add_done_callback(lambda done: self._take_out(job) if done.cancelled() else None)
        return job.future

    def close(self) -> None:
        """Answers what waits, and ends the threads."""
        with self._change:
            self._ended = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._jobs or self._ended)
                if not self._jobs:
                    return
                group = self._next()
            if group:
                _compute(group)

    def _next(self) -> list[tuple[_Job, int]]:
        """Examples to compute together, taken out of the queue: of what waits the share of one thread."""
        predictor = self._jobs[0].predictor
        share = min(predictor.batch, max(1, math.ceil(self._waiting / len(self._threads))))
        group: list[tuple[_Job, int]] = []
        while self._jobs and len(group) < share and self._jobs[0].predictor is predictor:
            job = self._jobs[0]
            if not job.taken:
                self._waited(time.monotonic() - job.since)
            number = min(share - len(group), len(job.examples) - job.taken)
            group += [(job, job.taken + at) for at in range(number)]
            job.taken += number
            if job.taken == len(job.examples):
                self._jobs.popleft()
        self._count(-len(group))
        if self._jobs:
            self._change.notify()
        return group

    def _take_out(self, job: _Job) -> None:
        with self._change:
            if job in self._jobs:
                self._jobs.remove(job)
                self._count(job.taken - len(job.examples))

    def _count(self, more: int) -> None:
        self._waiting += more
        self._queued(self._waiting)


def _compute(group: Sequence[tuple[_Job, int]]) -> None:
    """Answers examples of one predictor, and ends the requests that are answered by that."""
    try:
        answers = _answers(group[0][0].predictor, [job.examples[at] for job, at in group])
    except BaseException as error:  # whatever it is, somebody waits to hear of it
        for job in {job for job, _ in group}:
            _end(job, error)
        return
    for (job, at), answer in zip(group, answers, strict=True):
        with job.lock:
            job.answers[at] = answer
            whole = len(job.answers) == len(job.examples)
        if whole:
            _end(job, [job.answers[row] for row in range(len(job.examples))])


def _end(job: _Job, result: list[Answer] | BaseException) -> None:
    """Gives a request its answer, unless it has one, or nobody waits any longer."""
    with job.lock:
        if job.future.done() or not job.future.set_running_or_notify_cancel():
            return
        if isinstance(result, BaseException):
            job.future.set_exception(result)
        else:
            job.future.set_result(result)


def _answers(predictor: Predictor, examples: Sequence[Example]) -> list[Answer]:
    """What a network says of examples that are computed together."""
    with doubts() as heard:
        chunk, probabilities = predictor.answer(examples)
    if heard and len(examples) > 1:  # whose doubt it is shows one by one
        return [answer for example in examples for answer in _answers(predictor, [example])]
    rows = iter(np.ascontiguousarray(probabilities))
    return [
        Answer(example, None, error) if error is not None else Answer(example, next(rows), None, tuple(heard))
        for example, error in zip(chunk.examples, chunk.errors, strict=True)
    ]


_heard: Any = threading.local()


@contextmanager
def doubts() -> Iterator[list[str]]:
    """What this thread is warned of, once :func:`hear_doubts` has been called."""
    before = getattr(_heard, "said", None)
    _heard.said = said = list[str]()
    try:
        yield said
    finally:
        _heard.said = before


def hear_doubts() -> None:
    """Has this process keep the program's own warnings for the answers that they are of (:func:`doubts`)."""
    shown = warnings.showwarning

    def keep(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        said = getattr(_heard, "said", None)
        if said is None:
            shown(message, category, *place, **more)
        elif str(message) not in said:
            said.append(str(message))

    warnings.showwarning = keep
    warnings.filterwarnings("always", category=RuntimeWarning, module=r"googlenet\b")
