"""What an estimator learns from, and what in an example decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..data.kinds import example_set, number_of
from ..data.protocol import Dataset, ExampleSet, Preprocessing
from ..errors import InputError
from ..explain.explainer import Explainer
from ..explain.explanation import Explanations
from ..inference.pipeline import Pipeline
from .labels import Labels, check_order, names_of, read_labels, weights_of_examples


def learning_data(
    estimator: Any, X: Any, y: Any, sample_weight: Any, like: Preprocessing | None
) -> tuple[Dataset, Tensor | None, Labels]:
    """The training part without what has no weight, what each of its examples counts, and the classes.

    Args:
        estimator: Its ``class_weight`` is asked, and it may keep what it sees of the features.
        X: The examples.
        y: ``(N,)``.
        sample_weight: ``(N,)``, or ``None``.
        like: What the network reads already, if there is one.

    Raises:
        ValueError: For examples, labels or weights that cannot be learned from.
    """
    given = read_labels(y)
    check_order(X, y)
    if number_of(X) != len(given):
        raise ValueError(f"There are {number_of(X)} examples and {len(given)} labels: inconsistent numbers of samples.")
    weights = weights_of_examples(given, sample_weight, estimator.class_weight)
    rows = np.arange(len(given)) if weights is None else np.flatnonzero(weights)
    classes, places = np.unique(given[rows], return_inverse=True)
    labels = np.zeros(len(given), np.int64)
    labels[rows] = places
    part = example_set(X, torch.from_numpy(labels), like, estimator)
    if len(classes) < 2:
        raise InputError(f"There is one class, {classes.tolist()[0]!r}; a classifier needs two classes or more.")
    counts = None
    if weights is not None:
        part, weights = part.subset(rows.tolist()), weights[rows]
        if np.ptp(weights):
            counts = torch.from_numpy(weights / weights.mean()).float()
    return Dataset("the data", names_of(classes), part), counts, classes


def places_of(labels: Labels, classes: Labels) -> npt.NDArray[np.int64]:
    """Where each label is among the classes.

    Raises:
        InputError: If one is not there.
    """
    known = {label: place for place, label in enumerate(classes.tolist())}
    found = [known.get(label, -1) for label in labels.tolist()]
    if -1 in found:
        raise InputError(f"The network does not know the label {labels[found.index(-1)]}; it knows {list(known)}.")
    return np.array(found, np.int64)


def explanations(
    pipeline: Pipeline,
    part: ExampleSet,
    labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    method: str,
    at: str | None,
) -> Explanations:
    """Maps of examples.

    Args:
        pipeline: The network.
        part: The examples.
        labels: ``(N,)``, the class to explain in each, by number.
        classes: Their names.
        method: See :func:`~googlenet.explain.maps.attribution.attributions`.
        at: The same.
    """
    if len(labels) != len(part):
        raise InputError(f"There are {len(part)} examples and {len(labels)} labels to explain.")
    explainer = Explainer.of(pipeline, classes)
    examples = map(explainer.prepared, part.examples(pipeline.preprocessing))
    each = (
        explainer.explained(example, method, classes[label], at=at)
        for example, label in zip(examples, labels.tolist(), strict=True)
    )
    return Explanations(tuple(each))
