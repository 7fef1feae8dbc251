"""What a network loses when a part of it is switched off: its accuracy over a set, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ...data.protocol import Array
from ...errors import InputError, count
from ...inference.pipeline import Pipeline
from ...nn.googlenet import GoogLeNet
from ..logits import only_network
from ..places import Place, branch_places, module_at, outputs_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Fill = Literal["mean", "zero"]
FILLS: tuple[Fill, ...] = ("mean", "zero")
AUXILIARY = "auxiliary classifiers"
BATCH = 64


@dataclass(frozen=True)
class Ablation:
    """Accuracy with parts of a network switched off.

    Attributes:
        count: Examples.
        accuracy: With everything on.
        fill: What stands in place of a part: ``"mean"``, each channel's over the set and its places, or ``"zero"``.
        without: By part, the accuracy without it: modules (``"4c"``), branches (``"4c.5x5"``) and, where the network
            has them, ``"auxiliary classifiers"``, which are not asked when it answers: their influence ends with the
            training.
    """

    count: int
    accuracy: float
    fill: Fill
    without: Mapping[str, float]

    @property
    def lost(self) -> dict[str, float]:
        """By part, how much accuracy is lost without it; below 0 where it is better so."""
        return {part: self.accuracy - accuracy for part, accuracy in self.without.items()}

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        kept = {"count": self.count, "accuracy": self.accuracy, "fill": self.fill}
        return kept | {"without": dict(self.without), "lost": self.lost}

    def figure(self) -> Figure:
        """The accuracy that is lost, module by branch."""
        from ..figures import heat_map

        rows: dict[str, dict[str, float]] = {}
        for part, lost in self.lost.items():
            module, _, branch = part.partition(".")
            if part != AUXILIARY:
                rows.setdefault(module, {})[branch or "whole"] = 100 * lost
        title = f"Accuracy lost without a part ({self.fill} in its place)"
        return heat_map(title, rows, f"percentage points of {self.accuracy:.1%}, {count(self.count, 'example')}")


def ablation(
    pipeline: Pipeline,
    inputs: Array,
    labels: Sequence[int],
    fill: Fill = "mean",
    watch: Callable[[Sequence[Any], str], Any] = lambda items, description: items,
) -> Ablation:
    """Switches every branch and every module off in turn.

    Args:
        pipeline: Of one network.
        inputs: Prepared examples ``(N, *input_shape)``.
        labels: ``N`` classes by number: the right answers.
        fill: What stands in place of a part.
        watch: Wraps the list of parts while they are gone through.

    Raises:
        InputError: For another ``fill``, several networks, or no example.
    """
    model = only_network(pipeline)
    if fill not in FILLS:
        raise InputError(f"A part that is off is replaced by its {' or by '.join(FILLS)}, not {fill!r}.")
    if not len(inputs):
        raise InputError("There is no example to measure on.")
    right = np.asarray(labels)
    places = [place for name, branches in branch_places(model.arch).items() for place in (Place(name), *branches)]
    means = _means(pipeline, model, places, inputs) if fill == "mean" else {}
    accuracy = _accuracy(pipeline, inputs, right)
    without = {}
    for place in watch(places, "parts switched off"):
        with _off(model, place, means.get(place)):
            without[str(place)] = _accuracy(pipeline, inputs, right)
    if model.auxiliary:
        without[AUXILIARY] = accuracy
    return Ablation(len(inputs), accuracy, fill, without)


def _batches(inputs: Array) -> Iterator[Tensor]:
    for start in range(0, len(inputs), BATCH):
        yield torch.from_numpy(inputs[start : start + BATCH])


@torch.inference_mode()
def _accuracy(pipeline: Pipeline, inputs: Array, labels: Any) -> float:
    device = next(pipeline.parameters()).device
    guesses = [pipeline(part.to(device)).argmax(1).cpu().numpy() for part in _batches(inputs)]
    return float((np.concatenate(guesses) == labels).mean())


@torch.inference_mode()
def _means(pipeline: Pipeline, model: GoogLeNet, places: Sequence[Place], inputs: Array) -> dict[Place, Tensor]:
    """The mean of every channel at every place, over examples and positions."""
    sums: dict[Place, Tensor] = {}
    device = next(pipeline.parameters()).device
    with outputs_at(model, places) as found:
        for part in _batches(inputs):
            pipeline(part.to(device))  # of the views that there are the last: they have about the same means
            for place, values in found.items():
                mean = values.flatten(2).mean(2).sum(0)
                sums[place] = sums[place] + mean if place in sums else mean
    return {place: total / len(inputs) for place, total in sums.items()}


@contextmanager
def _off(model: GoogLeNet, place: Place, mean: Tensor | None) -> Iterator[None]:
    """Has a part give its mean, or zeros, while the context lasts."""

    def replace(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        if mean is None:
            return torch.zeros_like(output)
        return mean.to(output.dtype).view(1, -1, *[1] * (output.ndim - 2)).expand_as(output)

    handle = module_at(model, place).register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()
