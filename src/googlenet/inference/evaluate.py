"""How good a network is on labelled examples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..data.images.batches import as_wanted
from ..data.images.folders import ImageSet
from ..data.signals.dataset import SignalSet
from ..errors import InputError
from .images import ImagePredictor
from .signals import SignalPredictor

Floats = npt.NDArray[np.float64]


def predicted(
    predictor: ImagePredictor | SignalPredictor, part: ImageSet | SignalSet, classes: tuple[str, ...], crops: int = 1
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Probabilities ``(n, classes)`` and labels ``(n,)``, both in the order of the predictor's classes.

    Raises:
        InputError: If there are classes that the network does not know, or pictures for a network that reads
            signals or the reverse.
    """
    strangers = [name for name in classes if name not in predictor.classes]
    if strangers:
        raise InputError(
            f"The network does not know the class {strangers[0]!r}; it knows {', '.join(predictor.classes)}."
        )
    place = np.array([predictor.classes.index(name) for name in classes])
    return probabilities_of(predictor, part, crops), place[part.labels.numpy()]


def probabilities_of(predictor: ImagePredictor | SignalPredictor, part: ImageSet | SignalSet, crops: int = 1) -> Floats:
    """Probabilities ``(n, classes)`` of a whole set.

    Raises:
        InputError: If the set is of the other kind, or a picture cannot be read.
    """
    if isinstance(predictor, ImagePredictor):
        if not isinstance(part, ImageSet):
            raise InputError("The network reads pictures, and these data are not pictures.")
        return _of_pictures(predictor, part, crops).astype(np.float64)
    if not isinstance(part, SignalSet):
        raise InputError("The network reads signals, and these data are not signals.")
    if crops != 1:
        raise InputError("Crops are for pictures; leave --crops out for signals.")
    return predictor.probabilities(part.signals).astype(np.float64)


def _of_pictures(predictor: ImagePredictor, images: ImageSet, crops: int) -> npt.NDArray[np.float32]:
    pictures: Iterable[Any] = images.names
    if images.pixels is not None:
        if crops == 1:
            wanted = (as_wanted(pixels, predictor.preprocessing).numpy() for pixels in torch.split(images.pixels, 1000))
            return np.concatenate([predictor.probabilities(pixels) for pixels in wanted])
        pixels = images.pixels.numpy()
        pictures = (picture.transpose(1, 2, 0) for picture in pixels)
    parts = []
    for chunk, probabilities in predictor.stream_probabilities(pictures, crops):
        for name, error in zip(chunk.names, chunk.errors, strict=True):
            if error is not None:
                raise InputError(f"{name} could be read a moment ago and now it cannot: {error}.")
        parts.append(probabilities)
    return np.concatenate(parts)


def metrics(probabilities: Floats, labels: npt.NDArray[np.int64], classes: tuple[str, ...]) -> dict[str, Any]:
    """Metrics from probabilities.

    Args:
        probabilities: ``(n, classes)``, rows sum to 1.
        labels: ``(n,)``.
        classes: Names.

    Returns:
        ``top1`` and ``top5`` (``None`` below 5 classes): shares of pictures whose label is the most
        probable, or among the five most probable. ``nll``: mean negative log likelihood, nats. ``ece``:
        expected calibration error over 15 bins of equal width (Guo et al. 2017). ``count``. ``per_class``:
        ``label, precision, recall, f1, count``. ``confusion``: rows are true classes, columns predicted.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    guesses = order[:, 0]
    rows = np.arange(len(labels))
    count = len(classes)
    confusion = np.bincount(labels * count + guesses, minlength=count * count).reshape(count, count)
    right, support, given = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    return {
        "top1": float((guesses == labels).mean()),
        "top5": float((order[:, :5] == labels[:, None]).any(1).mean()) if len(classes) >= 5 else None,
        "nll": float(-np.log(np.clip(probabilities[rows, labels], 1e-12, 1)).mean()),
        "ece": expected_calibration_error(probabilities[rows, guesses], guesses == labels),
        "count": len(labels),
        "per_class": [
            {
                "label": name,
                "precision": float(right[i] / max(1, given[i])),
                "recall": float(right[i] / max(1, support[i])),
                "f1": float(2 * right[i] / max(1, given[i] + support[i])),
                "count": int(support[i]),
            }
            for i, name in enumerate(classes)
        ],
        "confusion": confusion.tolist(),
    }


def expected_calibration_error(confidence: Floats, correct: npt.NDArray[np.bool_], bins: int = 15) -> float:
    """Mean gap between confidence and accuracy, over bins of equal width (Guo et al. 2017, equation 3)."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(which, confidence - correct, minlength=bins)
    return float(np.abs(gaps).sum() / max(1, len(confidence)))
