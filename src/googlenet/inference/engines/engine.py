"""What computes probabilities from prepared examples, whichever library does it."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from ...data.parallel import ahead
from ...data.protocol import Array, Example, Floats
from ...errors import InputError

Item = TypeVar("Item")


class Chunk(NamedTuple):
    """Some examples, read and prepared.

    Attributes:
        examples: All of them.
        errors: Why one cannot be read, or ``None``.
        inputs: ``(n, …)``, what the network reads, of those that can.
    """

    examples: Sequence[Example]
    errors: Sequence[str | None]
    inputs: Array


class Engine(Protocol):
    """A pipeline, ready to run. Several threads may call one at once.

    Attributes:
        name: For people, such as ``OpenVINO, bf16``.
        pixels: Of the pictures that are best computed together.
    """

    name: str
    pixels: int = 8 * 224 * 224

    @abstractmethod
    def __call__(self, inputs: Array) -> Floats:
        """Probabilities ``(n, classes)`` of prepared examples ``(n, *input_shape)``; n is 1 or more."""

    def map(self, read: Callable[[Item], Chunk], items: Iterable[Item]) -> Iterator[tuple[Chunk, Floats]]:
        """What ``read`` makes of each item, in order, with its probabilities: every core reads one and computes it.

        One thread for reading and computing keeps all cores busy without any waiting for another; memory stays
        that of a few chunks.

        Args:
            read: Called in threads.
            items: Taken by the caller's thread.
        """

        def work(item: Item) -> tuple[Chunk, Floats]:
            chunk = read(item)
            return chunk, self.of(chunk)

        return ahead(work, items)

    def of(self, chunk: Chunk) -> Floats:
        """Probabilities of a chunk, which may be empty."""
        return self(chunk.inputs) if len(chunk.inputs) else np.zeros((0, 0), np.float32)


def check_process(process: int, library: str) -> None:
    """Raises InputError in a child that was forked from the process that loaded a library: its threads are not there,
    and it would wait for them without end."""
    if os.getpid() != process:
        raise InputError(
            f"{library} was loaded before this process was forked, and its threads do not survive that. Start "
            "processes with multiprocessing.get_context('spawn'), or load the model in each."
        )
