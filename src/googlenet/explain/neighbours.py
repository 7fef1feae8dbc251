"""The examples that a network has learned from and sees as most like another: neighbours by its last features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ..data.protocol import Array, Floats
from ..inference.pipeline import Pipeline
from .logits import view_of


@dataclass(frozen=True)
class Neighbour:
    """An example of a set that is like one that was asked about.

    Attributes:
        row: In the set.
        similarity: The cosine of both features, at most 1.
    """

    row: int
    similarity: float


@torch.inference_mode()
def features(pipeline: Pipeline, inputs: Array) -> Floats:
    """What the classifiers read: the last maps' means over places, of several networks side by side.

    Args:
        pipeline: The networks.
        inputs: Prepared examples ``(N, *input_shape)``.

    Returns:
        ``(N, features)``, float32.
    """
    found = [
        model.pool(model.forward_features(view_of(pipeline.reading_of(model), inputs, model))).float().cpu()
        for model in pipeline.networks
    ]
    return np.asarray(torch.cat(found, 1).numpy(), np.float32)


def nearest(asked: Floats, known: Iterable[Floats], count: int = 5) -> list[list[Neighbour]]:
    """The rows of a set whose features have the greatest cosine with those of each that is asked about.

    Args:
        asked: ``(N, features)``.
        known: Parts ``(n, features)`` of a set, in order; one is held at a time.
        count: How many of each.

    Returns:
        For each of the N, the most similar first; of equal ones the first of the set.
    """
    kept: list[list[Neighbour]] = [[] for _ in asked]
    queries, start = _unit(asked), 0
    for part in known:
        cosines = queries @ _unit(part).T
        for mine, row in zip(kept, cosines, strict=True):
            best = np.argsort(-row, kind="stable")[:count].tolist()
            mine += [Neighbour(start + at, float(row[at])) for at in best]
            mine.sort(key=lambda each: (-each.similarity, each.row))
            del mine[count:]
        start += len(part)
    return kept


def _unit(values: Floats) -> npt.NDArray[np.float64]:
    long = values.astype(np.float64)
    unit: npt.NDArray[np.float64] = long / np.maximum(np.linalg.norm(long, axis=1, keepdims=True), 1e-12)
    return unit
