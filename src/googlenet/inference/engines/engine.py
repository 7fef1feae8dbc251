"""What computes probabilities from prepared examples, whichever library does it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ...data.parallel import ahead

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Item = TypeVar("Item")


class Chunk(NamedTuple):
    """Some examples, read and prepared.

    Attributes:
        names: Of every one.
        errors: Why one cannot be read, or ``None``.
        inputs: ``(n, …)``, what the network reads, of those that can.
    """

    names: list[str]
    errors: list[str | None]
    inputs: Array


class Engine(ABC):
    """A network, ready to run.

    Attributes:
        name: For people, such as ``OpenVINO, bf16``.
        pixels: Of the pictures that are best computed together.
    """

    name: str
    pixels = 8 * 224 * 224

    @abstractmethod
    def __call__(self, inputs: Array) -> Floats:
        """Probabilities ``(n, classes)`` of prepared examples: ``(n, channels, size, size)`` uint8, or
        ``(n, channels, length)`` float32; n is 1 or more. Several threads may call at once."""

    def map(self, read: Callable[[Item], Chunk], items: Iterable[Item]) -> Iterator[tuple[Chunk, Floats]]:
        """What ``read`` makes of each item, in order, with its probabilities: every core reads one and computes it.

        One thread for reading and computing keeps all cores busy without any waiting for another; memory stays
        that of a few chunks.
        """

        def work(item: Item) -> tuple[Chunk, Floats]:
            chunk = read(item)
            return chunk, self.of(chunk)

        return ahead(work, items)

    def of(self, chunk: Chunk) -> Floats:
        """Probabilities of a chunk, which may be empty."""
        return self(chunk.inputs) if len(chunk.inputs) else np.zeros((0, 0), np.float32)
