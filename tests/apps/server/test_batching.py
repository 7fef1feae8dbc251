"""The queue: what waits is computed together, within its bound, and every request gets its own answers."""

import threading
import warnings
from concurrent.futures import wait
from types import SimpleNamespace

import anyio
import numpy as np
import pytest

from googlenet.apps.server import batching
from googlenet.apps.server.batching import Batcher, Full, TooMany, hear_doubts
from googlenet.apps.server.handlers import _read
from googlenet.apps.server.people.files import Sent, examples_of, examples_of_json
from googlenet.data.protocol import Example
from googlenet.errors import InputError
from googlenet.inference.engines.engine import Chunk

WAIT = 60


class Fake:
    """A predictor that says the number that an example is; it computes when it may."""

    def __init__(self, batch=4, open_=True):
        self.batch = batch
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.groups = []
        if open_:
            self.gate.set()

    def answer(self, examples):
        self.groups.append([example.content for example in examples])
        self.entered.release()
        assert self.gate.wait(WAIT)
        if any(example.content == "crash" for example in examples):
            raise InputError("it crashed")
        errors = ["bad" if example.content == "bad" else None for example in examples]
        for example in examples:
            if example.content == 13:
                warnings.warn("unlucky", RuntimeWarning, stacklevel=1)
        good = [example.content for example, error in zip(examples, errors, strict=True) if error is None]
        return Chunk(examples, errors, np.zeros(0)), np.array(good, float).reshape(-1, 1)


@pytest.fixture
def batcher(monkeypatch):
    monkeypatch.setattr(batching, "available_cores", lambda: 1)
    made = []

    def make(most=8):
        made.append(Batcher(most))
        return made[-1]

    yield make
    for each in made:
        each.close()


def examples(*contents):
    return [Example(str(content), content) for content in contents]


def numbers(future):
    return [None if answer.probabilities is None else answer.probabilities[0] for answer in future.result(WAIT)]


def held(batcher, predictor):
    """Has the one thread compute something, so that all else waits."""
    first = batcher.submit(predictor, examples(0))
    assert predictor.entered.acquire(timeout=WAIT)
    return first


def test_what_waits_is_computed_together_and_given_back_apart(batcher):
    queue, predictor = batcher(), Fake(4, open_=False)
    first = held(queue, predictor)
    futures = [queue.submit(predictor, examples(at, at + 20)) for at in range(1, 4)]
    predictor.gate.set()
    assert [numbers(future) for future in (first, *futures)] == [[0], [1, 21], [2, 22], [3, 23]]
    assert predictor.groups[:3] == [[0], [1, 21, 2, 22], [3, 23]]


def test_beyond_its_bound_there_is_no_room(batcher):
    queue, predictor = batcher(4), Fake(4, open_=False)
    first = held(queue, predictor)
    second = queue.submit(predictor, examples(1, 2, 3))
    with pytest.raises(Full):
        queue.submit(predictor, examples(4, 5))
    third = queue.submit(predictor, examples(4))
    assert queue.waiting == 4
    with pytest.raises(TooMany, match="at most 4 at once"):
        queue.submit(predictor, examples(*range(5)))
    queue.check(4)
    with pytest.raises(TooMany):
        queue.check(5)
    predictor.gate.set()
    assert [numbers(future) for future in (first, second, third)] == [[0], [1, 2, 3], [4]]
    assert queue.waiting == 0


def test_what_nobody_waits_for_is_not_computed(batcher):
    queue, predictor = batcher(4), Fake(1, open_=False)
    first = held(queue, predictor)
    gone = queue.submit(predictor, examples(1, 2))
    last = queue.submit(predictor, examples(3))
    assert gone.cancel() and queue.waiting == 1
    predictor.gate.set()
    assert numbers(first) == [0] and numbers(last) == [3]
    assert predictor.groups == [[0], [3]]


def test_one_that_is_half_computed_may_go_too(batcher):
    queue, predictor = batcher(4), Fake(1, open_=False)
    half = queue.submit(predictor, examples(1, 2, 3))
    assert predictor.entered.acquire(timeout=WAIT)
    assert half.cancel() and queue.waiting == 0
    predictor.gate.set()
    assert numbers(queue.submit(predictor, examples(4))) == [4]
    assert predictor.groups == [[1], [4]]


def test_each_request_is_answered_by_the_predictor_that_it_came_for(batcher):
    queue, old, new = batcher(), Fake(8, open_=False), Fake(8)
    first = held(queue, old)
    futures = [queue.submit(predictor, examples(at)) for at, predictor in enumerate((old, old, new, old))]
    old.gate.set()
    assert [numbers(future) for future in (first, *futures)] == [[0], [0], [1], [2], [3]]
    assert (old.groups, new.groups) == ([[0], [0, 1], [3]], [[2]])


def test_errors_and_crashes_are_answers(batcher):
    queue, predictor = batcher(), Fake()
    found = queue.submit(predictor, examples(1, "bad", 2)).result(WAIT)
    assert [answer.error for answer in found] == [None, "bad", None]
    with pytest.raises(InputError, match="crashed"):
        queue.submit(predictor, examples("crash")).result(WAIT)
    assert numbers(queue.submit(predictor, examples(3))) == [3]


def test_a_doubt_is_of_the_example_that_it_is_about(batcher):
    with warnings.catch_warnings():
        shown = warnings.showwarning
        hear_doubts()
        warnings.simplefilter("always")
        try:
            found = batcher().submit(Fake(), examples(12, 13, 14)).result(WAIT)
        finally:
            warnings.showwarning = shown
    assert [answer.doubts for answer in found] == [(), ("unlucky",), ()]
    assert [answer.probabilities[0] for answer in found] == [12, 13, 14]


def test_what_waits_at_the_end_is_answered(batcher):
    queue, predictor = batcher(), Fake(1, open_=False)
    futures = [queue.submit(predictor, examples(at)) for at in range(4)]
    closing = threading.Thread(target=queue.close)
    closing.start()
    predictor.gate.set()
    closing.join(WAIT)
    assert wait(futures, WAIT).not_done == set()
    assert [numbers(future) for future in futures] == [[0], [1], [2], [3]]
    with pytest.raises(Full):
        queue.submit(predictor, examples(5))


def test_every_one_of_many_threads_gets_its_own():
    queue, predictor = Batcher(10_000), Fake(7)
    found = {}

    def ask(start):
        for at in range(start, start + 50):
            found[at] = numbers(queue.submit(predictor, examples(at, -at)))

    threads = [threading.Thread(target=ask, args=(1000 * at,)) for at in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    queue.close()
    assert found == {at: [at, -at] for start in range(1, 9) for at in range(1000 * start, 1000 * start + 50)}


def test_no_more_examples_are_made_than_may_wait():
    """Of a file that holds any number of them."""
    made = []

    def endless(source, name):
        for at in range(10**9):
            made.append(at)
            yield Example(name, at)

    preprocessing = SimpleNamespace(tensors=lambda: [SimpleNamespace(datatype="BYTES")], examples=endless)
    assert len(examples_of([Sent("a.png", b"content")], preprocessing, 7)) == 8 == len(made)
    assert len(examples_of_json(b'{"inputs": [' + b",".join([b'"AAAA"'] * 9) + b"]}", preprocessing, 3)) == 4


def test_a_thread_that_nobody_waits_for_counts_until_it_is_done():
    gate, service = threading.Event(), SimpleNamespace(reading=anyio.CapacityLimiter(1))

    async def asked():
        with anyio.move_on_after(0.05) as scope:
            await _read(service, lambda: [gate.wait(30)])
        assert scope.cancelled_caught and service.reading.borrowed_tokens == 1
        gate.set()
        with anyio.fail_after(30):
            while service.reading.borrowed_tokens:
                await anyio.sleep(0.01)
            assert (await _read(service, lambda: [1]))[0] == [1] and not service.reading.borrowed_tokens

    anyio.run(asked)
