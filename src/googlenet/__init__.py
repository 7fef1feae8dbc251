"""GoogLeNet, the Inception v1 family, exactly as published, for images, signals and volumes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .arch import Arch, Branch, inception
from .cost import cost
from .errors import InputError
from .variants import list_models

if TYPE_CHECKING:
    from .blocks import Inception
    from .estimator import GoogLeNetClassifier
    from .model import GoogLeNet, GoogLeNetOutput, create_model, save_weights
    from .prediction import Prediction, Predictor
    from .predictor import load
    from .weights.sources import load_model

__version__ = "0.1.0"
__all__ = [
    "Arch",
    "Branch",
    "GoogLeNet",
    "GoogLeNetClassifier",
    "GoogLeNetOutput",
    "Inception",
    "InputError",
    "Prediction",
    "Predictor",
    "cost",
    "create_model",
    "inception",
    "list_models",
    "load",
    "load_model",
    "save_weights",
]

# Names that need PyTorch, and where they live: imported at first use, so that `import googlenet` is quick.
_HEAVY = {
    "GoogLeNet": "model",
    "GoogLeNetClassifier": "estimator",
    "GoogLeNetOutput": "model",
    "Inception": "blocks",
    "Prediction": "prediction",
    "Predictor": "prediction",
    "create_model": "model",
    "load": "predictor",
    "load_model": "weights.sources",
    "save_weights": "model",
}


def __getattr__(name: str) -> object:
    if name not in _HEAVY:
        raise AttributeError(f"module 'googlenet' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HEAVY[name]}", __name__), name)
