"""A fitted estimator as a file of weights, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..inference.load import load_pipeline
from ..inference.pipeline import Pipeline
from ..training.recipe import SIGNALS, Recipe
from ..weights.checkpoint import WEIGHTS, is_safetensors, read_header
from .labels import classes_from_dict, classes_to_dict, names_of

SUFFIX = ".safetensors"
LEARNED = ("n_features_in_", "feature_names_in_", "channel_names_", "axis_")  # of the examples, where they have them


def save_fitted(estimator: Any, path: str | Path, pipeline: Pipeline) -> None:
    """Writes the network, and all that the estimator is.

    Args:
        estimator: It is fitted.
        path: The file.
        pipeline: Its network.

    Raises:
        InputError: For a name that says another format, and what cannot be written; nothing is written then.
    """
    if Path(path).suffix != SUFFIX:
        raise InputError(f"{path} does not end in {SUFFIX}: name the file {Path(path).name}{SUFFIX}, as its format is.")
    learned = {name: getattr(estimator, name) for name in LEARNED if hasattr(estimator, name)}
    if "feature_names_in_" in learned:
        learned["feature_names_in_"] = learned["feature_names_in_"].tolist()
    pipeline.save(
        path,
        classes=names_of(estimator.classes_),
        recipe=estimator.recipe_.to_dict(),
        estimator={
            "classes": classes_to_dict(estimator.classes_),
            "parameters": _parameters(estimator.get_params(deep=False)),
            "learned": learned,
        },
    )


def _parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Of the constructor, as JSON. A callback and a generator of random numbers stay behind."""
    found = {name: value for name, value in given.items() if name != "callback"}
    recipe, weights, classes = found["recipe"], found["weights"], found["class_weight"]
    if isinstance(recipe, Recipe):
        found["recipe"] = {"whole": recipe.to_dict()}
    elif isinstance(recipe, Mapping):
        found["recipe"] = {"changes": {name: _plain(value) for name, value in recipe.items()}}
    found["weights"] = None if weights is None else str(weights)
    if isinstance(classes, Mapping):
        labels = classes_to_dict(np.array(list(classes)))
        found["class_weight"] = {"classes": labels, "values": [float(value) for value in classes.values()]}
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (str, int, float, bool, dict, type(None))) else None


def load_fitted(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters of an estimator, and all else that it keeps, from what :func:`save_fitted` wrote or a run.

    Raises:
        InputError: If there is no such file, or it says something else.
    """
    pipeline, classes = load_pipeline(path)
    file = Path(path) / WEIGHTS if Path(path).is_dir() else Path(path)
    extra: Mapping[str, Any] = read_header(file).extra if is_safetensors(file) else {}
    state: dict[str, Any] = {"_pipeline": pipeline, "history_": []}
    try:
        recipe = Recipe(**extra["recipe"]) if "recipe" in extra else None
        state["recipe_"] = recipe or SIGNALS
        row = extra.get("estimator")
        if row is None:  # of a run, or of before
            state["classes_"] = np.array(extra.get("labels", classes))
            return {"recipe": recipe}, state
        state["classes_"] = classes_from_dict(row["classes"])
        state |= {name: row["learned"][name] for name in LEARNED if name in row["learned"]}
        parameters = _parameters_from(row["parameters"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} does not describe an estimator as googlenet does it ({error!r}).") from error
    if len(state["classes_"]) != len(classes):
        raise InputError(f"{path} is damaged: it names {len(state['classes_'])} labels of {len(classes)} classes.")
    if "feature_names_in_" in state:
        state["feature_names_in_"] = np.array(state["feature_names_in_"], object)
    return parameters, state


def _parameters_from(row: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(row)
    recipe, weights = found["recipe"], found["class_weight"]
    if isinstance(recipe, Mapping):
        found["recipe"] = Recipe(**recipe["whole"]) if "whole" in recipe else dict(recipe["changes"])
    if isinstance(weights, Mapping):
        found["class_weight"] = dict(
            zip(classes_from_dict(weights["classes"]).tolist(), weights["values"], strict=True)
        )
    return found
