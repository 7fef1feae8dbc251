"""What a network says of an example, and the part of a predictor that does not depend on what it looks at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .engines.engine import Chunk, Engine, Floats


@dataclass(frozen=True)
class Prediction:
    """What a network says of a picture or a signal.

    Attributes:
        input: The path, or the position of an array.
        top: Labels and probabilities, most probable first; empty if it cannot be read.
        error: Why it cannot be read.
    """

    input: str
    top: tuple[tuple[str, float], ...] = ()
    error: str | None = None

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.top[0][0]

    @property
    def probability(self) -> float:
        """Its probability."""
        return self.top[0][1]

    def to_dict(self) -> dict[str, Any]:
        """A row of JSON: ``input, label, probability, top``, or ``input, error``."""
        if self.error is not None:
            return {"input": self.input, "error": self.error}
        top = [{"label": label, "probability": probability} for label, probability in self.top]
        return {"input": self.input, "label": self.label, "probability": self.probability, "top": top}


class Predictor:
    """Labels examples. Needs no PyTorch unless its engine does.

    Attributes:
        engine: What computes.
        classes: Class names in the order of the probabilities.
        extensions: Of the files that it reads.

    Args:
        engine: From prepared examples to probabilities.
        classes: Class names in the order of the probabilities.
    """

    extensions: Collection[str] = ()

    def __init__(self, engine: Engine, classes: Sequence[str]) -> None:
        self.engine = engine
        self.classes = tuple(classes)

    def labelled(self, results: Iterable[tuple[Chunk, Floats]], top: int) -> Iterator[Prediction]:
        """Predictions, in order, from chunks and the probabilities ``(n, classes)`` of those without an error."""
        for chunk, probabilities in results:
            best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
            rows = iter(zip(best.tolist(), np.take_along_axis(probabilities, best, 1).tolist(), strict=True))
            for name, error in zip(chunk.names, chunk.errors, strict=True):
                if error is not None:
                    yield Prediction(name, error=error)
                else:
                    yield Prediction(
                        name, tuple((self.classes[k], value) for k, value in zip(*next(rows), strict=True))
                    )
