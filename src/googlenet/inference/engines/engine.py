"""What computes probabilities from prepared examples, and what the library that does it brings."""

from __future__ import annotations

import hashlib
import json
import os
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np

from ...arch.check import check_size
from ...arch.cost import cost
from ...arch.serial import from_json
from ...data.kinds import preprocessing_from
from ...data.parallel import ahead
from ...data.protocol import Array, Example, Floats
from ...errors import InputError, parsed, short
from ...limits import BESIDE, MEMBERS
from ..calibration.temperature import Calibration

if TYPE_CHECKING:
    from ..pipeline import Pipeline

Item = TypeVar("Item")
NOTES = "googlenet"  # the key under which notes lie in a file's own metadata
VERSION = 1  # of the notes
_DIGEST = re.compile("(?:[0-9a-f]{64})?")
UNSEALED = "0" * 64  # in place of what is not known before the file is written


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


@dataclass(frozen=True)
class Notes:
    """What an exported file says of itself.

    Attributes:
        classes: Names in the order of the probabilities.
        preprocessing: As its ``to_dict`` gives it.
        arch: Of every network, as :func:`~googlenet.arch.serial.to_json` gives it, parsed.
        calibration: As its ``to_dict`` gives it; its temperature is in the graph already.
        learned: By each network, :func:`~googlenet.training.runs.origin.digest_said`; none in files of older versions.
        version: Of these notes.
        digest: SHA-256 of the file, where :data:`UNSEALED` is in its place; empty in files of older versions.
    """

    classes: Sequence[str]
    preprocessing: dict[str, Any]
    arch: Sequence[Mapping[str, Any]] = ()
    calibration: Mapping[str, Any] = field(default_factory=dict)
    learned: Sequence[str] = ()
    version: int = VERSION
    digest: str = UNSEALED

    def to_json(self) -> str:
        """As text; :meth:`from_json` is its inverse."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | None, path: Path) -> Notes:
        """Reads what :meth:`to_json` wrote; ``path`` is for the sentence.

        Raises:
            InputError: If there are no notes, or others.
        """
        try:
            row = parsed(text or "")
            classes, preprocessing = row["classes"], dict(row["preprocessing"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"{path} does not say which classes it tells apart; export it with googlenet export."
            ) from error
        version = row.get("version", VERSION)
        if version != VERSION:
            raise InputError(f"{path} is of version {short(version)}; this googlenet reads {VERSION}. Export it again.")
        archs = row.get("arch", ())
        if not isinstance(archs, (list, tuple)) or len(archs) > MEMBERS:
            raise InputError(f"{path} is damaged: the architectures in it are no list.")
        digest, learned = row.get("digest", ""), row.get("learned", ())
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise InputError(f"{path} is damaged: its digest is none.")
        if not isinstance(learned, (list, tuple)) or not all(isinstance(each, str) for each in learned):
            raise InputError(f"{path} is damaged: what it says of what it learned from is no list.")
        calibration = Calibration.from_dict(row.get("calibration", {}), path).to_dict()
        return cls(class_names(classes, path), preprocessing, archs, calibration, tuple(learned), version, digest)

    def check_sealed(self, path: Path, *content: bytes) -> None:
        """That a file is as it was written.

        Args:
            path: Of the file, for the sentence.
            content: Of it, and of what lies beside.

        Raises:
            InputError: If it was changed.
        """
        first, *others = content
        if self.digest and _digest(first.replace(self.digest.encode(), UNSEALED.encode()), *others) != self.digest:
            raise InputError(
                f"{path} is damaged: it was changed after it was written. Export the run again with googlenet export."
            )

    def check(self, path: Path, given: Sequence[int], gives: Sequence[int], size: Size) -> None:
        """That a graph is of a network as these notes describe it, and no larger or slower than such a one is.

        Args:
            path: Of the file, for the sentence.
            given: Shape of an example that it reads.
            gives: Shape of what it says of one.
            size: Of the graph.

        Raises:
            InputError: If it is not.
        """
        shape = preprocessing_from(self.preprocessing).input_shape
        try:
            check_size(size.largest, size.work, size.weights)
        except InputError as error:
            raise InputError(f"{path} is no network that was exported here. {error}") from error
        if tuple(given) != tuple(shape):
            raise InputError(f"{path} is damaged: it reads {tuple(given)}, and its notes say {tuple(shape)}.")
        if tuple(gives) != (len(self.classes),):
            raise InputError(
                f"{path} is damaged: it names {len(self.classes)} classes, and gives {tuple(gives)} probabilities."
            )
        try:
            archs = [from_json(json.dumps(row)) for row in self.arch]
            known = [cost(arch, shape[1:], in_channels=shape[0], num_classes=len(self.classes)) for arch in archs]
        except InputError as error:
            raise InputError(f"{path} is no network that was exported here. {error}") from error
        most = sum(found.params_with_aux for found in known)
        if archs and size.numbers > 2 * most + BESIDE:
            raise InputError(
                f"{path} is no network that was exported here: it holds {size.numbers:,} numbers, and its notes are of "
                f"one with {most:,}."
            )


def seal(*paths: Path) -> None:
    """Has the notes in the first of some files, just written, tell the digest of them all."""
    first, *others = (path.read_bytes() for path in paths)
    before, _, behind = first.rpartition(UNSEALED.encode())
    paths[0].write_bytes(before + _digest(first, *others).encode() + behind)


def _digest(*content: bytes) -> str:
    return hashlib.sha256(b"".join(content)).hexdigest()


class Size(NamedTuple):
    """How large a graph is.

    Attributes:
        numbers: Of all its constants.
        weights: Bytes of them.
        largest: Bytes of its largest result, for one example.
        work: Multiply-adds for one example, about.
    """

    numbers: int
    weights: int
    largest: int
    work: int


def class_names(found: Any, source: str | Path) -> tuple[str, ...]:
    """The names of classes that a file holds; ``source`` is for the sentence.

    Raises:
        InputError: If they are not a list of different texts.
    """
    if not isinstance(found, (list, tuple)) or not all(isinstance(name, str) for name in found):
        raise InputError(f"{source} is damaged: the classes in it are no list of names.")
    if len(set(found)) < len(found) or not found:
        raise InputError(f"{source} is damaged: it names a class twice, or none.")
    return tuple(found)


class Backend(Protocol):
    """A library that computes pipelines, and its file format."""

    def engine_of(self, pipeline: Pipeline) -> Engine:
        """The engine of networks in memory."""

    def write(self, pipeline: Pipeline, notes: Notes, path: Path, calibration: Array | None) -> Engine:
        """Writes a pipeline for other programs.

        Args:
            pipeline: From prepared examples to probabilities.
            notes: To lie in the file.
            path: The file.
            calibration: Prepared examples, for 8-bit weights and activations; ``None`` for float32.

        Returns:
            The engine of what was written, in float32, to compare with.

        Raises:
            InputError: If the format has no 8 bits, or a library is missing.
            OSError: If it cannot be written.
        """

    def read(self, path: Path) -> tuple[Engine, Notes]:
        """The engine of a file that :meth:`write` wrote, and its notes.

        Raises:
            InputError: If it is missing, damaged or not ours.
        """


def check_process(process: int, library: str) -> None:
    """Raises InputError in a child that was forked from the process that loaded a library: its threads are not there,
    and it would wait for them without end."""
    if os.getpid() != process:
        raise InputError(
            f"{library} was loaded before this process was forked, and its threads do not survive that. Start "
            "processes with multiprocessing.get_context('spawn')."
        )
