"""Labels examples: what a user gave in, labels with probabilities out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..data.kinds import as_array, as_list
from ..data.parallel import groups
from ..data.protocol import Array, Example, Floats, Preprocessing
from ..data.walk import why_missing
from ..errors import InputError, is_number, short, whole
from .calibration.temperature import UNKNOWN, Calibration
from .engines.engine import Chunk, Engine
from .prediction import Prediction, Wanted, answered


class Predictor:
    """Labels examples. Needs no PyTorch unless its engine does. Several threads may use one.

    A *source* is a path, or the bytes of a file or an opened one, a picture of Pillow's, an array or a tensor:

    - pictures ``(height, width)``, ``(height, width, channels)`` or ``(channels, height, width)``, of uint8 or of
      floats from 0 to 1, or N of them in one array;
    - signals ``(length,)`` or ``(channels, length)``, or N of them; a path of signals is a table, each row an example;
    - volumes ``(channels, depth, height, width)``, or N of them.

    What an array was taken for is said in :attr:`Prediction.taken_for`; what cannot be read, or may be read in two
    ways, has the reason in :attr:`Prediction.error`.

    Attributes:
        engine: What computes.
        classes: Class names in the order of the probabilities.
        preprocessing: What the network reads.
        calibration: What is known of how sure it is of right labels.
        learned: By each network, :func:`~googlenet.training.runs.origin.digest_said`; nothing where nobody knows.
        batch: Views that are read and computed together.

    Args:
        engine: From prepared examples to probabilities.
        classes: Class names in the order of the probabilities.
        preprocessing: What the network reads.
        calibration: What is known of how sure it is of right labels.
        learned: By each network, what it says of what it learned from.
    """

    def __init__(
        self,
        engine: Engine,
        classes: Sequence[str],
        preprocessing: Preprocessing,
        calibration: Calibration = UNKNOWN,
        learned: Sequence[str] = (),
    ) -> None:
        self.engine = engine
        self.classes = tuple(classes)
        self.preprocessing = preprocessing
        self.calibration = calibration
        self.learned = tuple(learned)
        self.batch = min(preprocessing.most, max(1, engine.pixels // prod(preprocessing.input_shape[1:])))

    def predict(
        self, sources: Any, top: int = 5, *, reject_below: float | None = None, coverage: float | None = None
    ) -> list[Prediction]:
        """Labels examples.

        Args:
            sources: One source or many.
            top: How many labels to give for each.
            reject_below: Probability that a label needs, to be one; see :attr:`Prediction.rejected`.
            coverage: How often :attr:`Prediction.labels` are to hold the right label at least, such as 0.95, over
                examples like those that were held out at training.

        Returns:
            One prediction for each example, in order.

        Raises:
            InputError: For numbers that are none, a coverage for which too few examples were held out, and one of
                windows of recordings.
        """
        return list(self.stream(self._sources(sources), self.wanted(top, reject_below, coverage)))

    def wanted(self, top: int = 5, reject_below: float | None = None, coverage: float | None = None) -> Wanted:
        """How much is said of an example.

        Args:
            top: As of :meth:`predict`.
            reject_below: The same.
            coverage: The same.
        """
        if reject_below is not None and not (is_number(reject_below) and 0 <= reject_below <= 1):
            raise InputError(f"A label is rejected below a probability, from 0 to 1, not {short(repr(reject_below))}.")
        windows = getattr(self.preprocessing, "windows", None)
        if coverage is not None and windows is not None and windows.window:
            raise InputError("Neighbouring windows of a recording are alike, and no coverage can be promised for them.")
        least = None if coverage is None else self.calibration.least(coverage, "this network")
        return Wanted(whole("top", top), reject_below, least)

    def stream(self, sources: Iterable[Any], wanted: Wanted) -> Iterator[Prediction]:
        """:meth:`predict` for any number of sources: memory stays that of a few batches.

        Args:
            sources: Any number of them, taken as they are needed.
            wanted: How much to say of each.
        """
        for chunk, probabilities in self.results(self._examples(sources)):
            rows = iter(probabilities)
            for example, error in zip(chunk.examples, chunk.errors, strict=True):
                yield answered(example, error, next(rows) if error is None else None, self.classes, wanted)

    def probabilities(self, sources: Any) -> Floats:
        """Probabilities ``(n, classes)``, float32, of examples.

        Args:
            sources: As of :meth:`predict`.

        Raises:
            InputError: At the first that cannot be read.
        """
        return self.gathered(self.examples(sources))

    def gathered(self, examples: Iterable[Example], crops: int = 1) -> Floats:
        """Probabilities ``(n, classes)`` of all of some examples.

        Args:
            examples: Of a set.
            crops: See :meth:`results`.

        Raises:
            InputError: At the first that cannot be read.
        """
        parts = [np.zeros((0, len(self.classes)), np.float32)]
        for chunk, probabilities in self.results(examples, crops):
            for example, error in zip(chunk.examples, chunk.errors, strict=True):
                if error is not None:
                    raise InputError(f"{example.name} cannot be read: {error.rstrip('.')}.")
            parts.append(probabilities)
        return np.concatenate(parts)

    def results(self, examples: Iterable[Example], crops: int = 1) -> Iterator[tuple[Chunk, Floats]]:
        """Chunks of examples, and the probabilities ``(n, classes)`` of those that can be read.

        Args:
            examples: Any number of them.
            crops: Of each picture, over which its probabilities are averaged.

        Raises:
            InputError: For a number of crops that there is not for this kind of data.
        """
        check_crops(self.preprocessing, crops)

        def read(group: Sequence[Example]) -> Chunk:
            return self._read(group, crops)

        for chunk, found in self.engine.map(read, groups(examples, max(1, self.batch // crops))):
            yield self._checked(chunk, found, crops)

    def answer(self, group: Sequence[Example]) -> tuple[Chunk, Floats]:
        """:meth:`results` for few examples, computed together by the thread that asks.

        Args:
            group: At most :attr:`batch` of them.
        """
        chunk = self._read(group)
        return self._checked(chunk, self.engine.of(chunk))

    def _read(self, group: Sequence[Example], crops: int = 1) -> Chunk:
        inputs: list[Array] = []
        errors: list[str | None] = []
        for example in group:
            errors.append(None)
            try:
                inputs.append(read_example(example, self.preprocessing, crops))
            except InputError as error:
                errors[-1] = str(error)
        return Chunk(group, errors, np.concatenate(inputs) if inputs else np.zeros(0, np.uint8))

    def _checked(self, chunk: Chunk, found: Floats, crops: int = 1) -> tuple[Chunk, Floats]:
        """A chunk with the probabilities of what could be read, over its crops."""
        if len(chunk.inputs) and found.shape[1] != len(self.classes):
            raise InputError(
                f"The network tells {found.shape[1]} classes apart, and {len(self.classes)} are named: the file "
                "that it comes from is damaged."
            )
        return _finite(chunk, found.reshape(-1, crops, len(self.classes)).mean(1))

    def examples(self, sources: Any) -> Iterator[Example]:
        """The examples of sources, not read yet; one that cannot be has its error.

        Args:
            sources: As of :meth:`predict`.
        """
        return self._examples(self._sources(sources))

    def _sources(self, given: Any) -> Iterable[Any]:
        """Many sources as they are; one, or an array of N, as a list."""
        given = as_list(given)
        if isinstance(given, np.ndarray):
            parts = self.preprocessing.split(given)
            return [given] if parts is None else parts
        one = (
            isinstance(given, (str, Path, bytes, bytearray, memoryview))
            or hasattr(given, "read")
            or hasattr(given, "convert")
        )
        return [given] if one or not isinstance(given, Iterable) else given

    def _examples(self, sources: Iterable[Any]) -> Iterator[Example]:
        for number, source in enumerate(sources):
            if isinstance(source, str) and (reason := why_missing(source)) is not None:
                yield Example(source, error=reason)
                continue
            try:
                yield from self.preprocessing.examples(as_array(source), f"#{number}")
            except InputError as error:
                yield Example(f"#{number}", error=str(error))


def _finite(chunk: Chunk, found: Floats) -> tuple[Chunk, Floats]:
    """The same, where examples of which the network says no numbers are errors, too."""
    good = np.asarray(np.isfinite(found).all(axis=1))
    if good.all():
        return chunk, found
    read = [at for at, error in enumerate(chunk.errors) if error is None]
    errors = list(chunk.errors)
    for at in np.flatnonzero(~good).tolist():
        errors[read[at]] = "the network gives no numbers for it: its weights are damaged, or its values too large"
    crops = len(chunk.inputs) // len(good)
    return Chunk(chunk.examples, errors, chunk.inputs[np.repeat(good, crops)]), found[good]


def read_example(example: Example, preprocessing: Preprocessing, crops: int = 1) -> Array:
    """An example as a network reads it, ``(crops, *input_shape)``.

    Args:
        example: Perhaps prepared already.
        preprocessing: Of the network.
        crops: Of a picture.

    Raises:
        InputError: With the reason why it cannot be read.
    """
    if example.error is not None:
        raise InputError(example.error)
    if example.inputs is not None:
        return example.inputs[None]
    with np.errstate(over="ignore", invalid="ignore"):
        inputs = preprocessing.read(example.content, crops)
    if inputs.dtype.kind == "f" and not np.isfinite(inputs).all():
        raise InputError("its values are too large for what the network has learned from")
    return inputs


def check_crops(preprocessing: Preprocessing, crops: int) -> None:
    """Raises the sentence for a number of crops that there is not for this kind of data."""
    if crops in preprocessing.crops:
        return
    if len(preprocessing.crops) == 1:
        raise InputError(
            "Crops are cut from pictures that are larger than what a network sees, and for this one "
            f"{preprocessing.kind}s are not: leave --crops out."
        )
    *few, most = map(str, preprocessing.crops)
    raise InputError(f"The number of crops is {', '.join(few)} or {most}, not {crops}.")
