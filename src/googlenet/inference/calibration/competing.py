"""Competing kernels that answer with a network, fitted to its training part."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...data.protocol import ExampleSet, Floats
from ...data.splits import units_of
from ...nn.competing import CompetingKernels
from ...training.task import Task
from .temperature import Labels

MOST = 4096  # examples that kernels are fitted to


@dataclass(frozen=True)
class Opinion:
    """What competing kernels say beside a network.

    Attributes:
        kernels: Fitted to the whole training part.
        left_out: ``(N, classes)``: what they would say of each of its examples, had they not seen it; no numbers where
            they saw others alone.
    """

    kernels: CompetingKernels
    left_out: Floats


def opinion_of(task: Task) -> Opinion | None:
    """Kernels fitted to the training part; ``None`` where the recipe wants none.

    Args:
        task: Of signals, where it wants some.
    """
    recipe, part = task.recipe, task.data.train
    assert part is not None
    if not recipe.opines:
        return None
    classes, channels = len(task.data.classes), task.channels
    alone = channels - len(getattr(task.preprocessing, "slope", ()))
    kernels = CompetingKernels.drawn(channels, alone, task.size[0], recipe.competing, classes, recipe.seed)
    seen = _of_every_class(part.labels.numpy(), MOST, recipe.seed)
    part = part.subset(seen.tolist())
    weights = torch.ones(len(part)) if task.weights is None else task.weights[seen].float()
    if recipe.balance == "weights":
        weights = weights / torch.bincount(part.labels)[part.labels]
    left_out = np.full((task.examples, classes), np.nan, np.float32)
    left_out[seen] = kernels.fit(_prepared(part, task), part.labels, weights / weights.mean(), units_of(part)).numpy()
    return Opinion(kernels.eval(), left_out)


def _of_every_class(labels: Labels, most: int, seed: int) -> Labels:
    """Rows of ``most`` examples, in order: as large a share of each class, and one of each at least."""
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # class by class, drawn within each
    counts = np.bincount(labels)
    place = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen: Labels = np.sort(order[np.argsort(place / np.repeat(counts, counts), kind="stable")[:most]])
    return chosen


def _prepared(part: ExampleSet, task: Task) -> Iterator[Tensor]:
    """Signals as kernels read them, ``(n, inputs, length)`` each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what there is to say of them was said when networks read them
        loader = part.loader(task.preprocessing, task.recipe)
    return (batch.inputs[:, : task.channels] for batch in loader.plain())
