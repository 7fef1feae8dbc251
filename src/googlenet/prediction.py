"""What a network says of an example, and the part of a predictor that does not depend on what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from . import nd
from .device import best_device
from .model import GoogLeNet, mean_probabilities


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
    """Labels examples with one network, or with the mean probability of several (the paper's ensembles).

    Attributes:
        classes: Class names in the order of the probabilities.
        extensions: Of the files that it reads.

    Args:
        models: Networks with the same classes.
        classes: Class names in the order of the logits.
    """

    bf16 = False
    extensions: Collection[str] = ()

    def __init__(self, models: Sequence[GoogLeNet], classes: Sequence[str]) -> None:
        self.device = best_device()
        self.classes = tuple(classes)
        self.models = [
            model.to(self.device, memory_format=nd.MEMORY_FORMAT[model.arch.dims]).eval()  # type: ignore[call-overload]
            for model in models
        ]

    @torch.inference_mode()
    def mean_of(self, views: Callable[[GoogLeNet], Sequence[Tensor]]) -> Tensor:
        """Probabilities ``(n, classes)``, float32, on the CPU: the mean over networks and the views that each gets."""
        found = []
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            for model in self.models:
                found += [mean_probabilities(model(view.to(self.device))) for view in views(model)]
        return (sum(found[1:], found[0]) / len(found)).cpu()

    def best(self, names: Sequence[str], probabilities: Tensor, top: int) -> Iterator[Prediction]:
        """Predictions from probabilities ``(n, classes)``."""
        best = probabilities.topk(min(top, len(self.classes)))
        for name, values, labels in zip(names, best.values.tolist(), best.indices.tolist(), strict=True):
            pairs = zip(labels, values, strict=True)
            yield Prediction(name, tuple((self.classes[label], value) for label, value in pairs))
