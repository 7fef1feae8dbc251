"""From runs and weight files to predictors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .data.pictures import Preprocessing
from .data.signals import SignalPreprocessing
from .errors import InputError
from .image_predictor import ImagePredictor
from .model import GoogLeNet, load_model
from .runfolder import WEIGHTS
from .signal_predictor import SignalPredictor


def predictor_for(
    models: Sequence[GoogLeNet], classes: Sequence[str], preprocessing: Preprocessing | SignalPreprocessing
) -> ImagePredictor | SignalPredictor:
    """The predictor for what the networks read."""
    if isinstance(preprocessing, SignalPreprocessing):
        return SignalPredictor(models, classes, preprocessing)
    return ImagePredictor(models, classes, preprocessing)


def load(*runs: str | Path) -> ImagePredictor | SignalPredictor:
    """A predictor from run folders or weight files; several average their probabilities.

    Raises:
        InputError: If one is missing, has no classes, or they do not have the same classes and input.
    """
    models, kinds = [], []
    for run in runs:
        path = Path(run)
        if path.is_dir():
            path = path / WEIGHTS
            if not path.exists():
                raise InputError(
                    f"{run} has no {WEIGHTS}: it is not a run, or not a finished one "
                    "(googlenet train --resume finishes it)."
                )
        model, header = load_model(path)
        if "classes" not in header.extra or "preprocessing" not in header.extra:
            raise InputError(f"{path} does not say which classes it tells apart; use weights from a run.")
        models.append(model)
        kinds.append((tuple(header.extra["classes"]), header.extra["preprocessing"]))
    for run, kind in zip(runs, kinds, strict=True):
        if kind[0] != kinds[0][0] or kind[1] != kinds[0][1]:
            raise InputError(f"{run} has other classes or another input size than {runs[0]}.")
    return predictor_for(models, kinds[0][0], _preprocessing(kinds[0][1]))


def _preprocessing(row: dict[str, Any]) -> Preprocessing | SignalPreprocessing:
    return SignalPreprocessing.from_dict(row) if row.get("kind") == "signal" else Preprocessing.from_dict(row)
