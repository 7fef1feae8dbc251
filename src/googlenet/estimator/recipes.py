"""The recipe of an estimator: whole, by name, or as changes to the one that fits the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..errors import InputError, unknown
from ..training.recipe import RECIPES, Recipe, find_recipe

Given = Recipe | str | Mapping[str, Any] | None
FIELDS = tuple(field.name for field in dataclasses.fields(Recipe) if field.name not in ("name", "seed"))
PREFIX = "recipe__"


def recipe_for(given: Given, default: str) -> Recipe:
    """The recipe that was asked for.

    Args:
        given: A recipe, the name of one, changes by field, or ``None``.
        default: Name of the one that fits the data.

    Raises:
        InputError: For an unknown name or field, or a value that does not fit it.
    """
    if isinstance(given, Recipe):
        return given
    if isinstance(given, Mapping):
        return _changed(find_recipe(default), given)
    return find_recipe(default if given is None else str(given))


def recipe_with(given: Given, changes: Mapping[str, Any]) -> Given:
    """What was asked for, with fields changed.

    Args:
        given: See :func:`recipe_for`.
        changes: By field.

    Raises:
        InputError: For an unknown field, or a value that does not fit it.
    """
    for name in changes:
        if name not in FIELDS:
            raise unknown("recipe field", name, FIELDS)
    if given is None or isinstance(given, Mapping):
        return {**(given or {}), **changes}
    return _changed(recipe_for(given, ""), changes)


def fields_of(given: Given) -> dict[str, Any]:
    """By field: what was asked for, as far as it is known without data."""
    if isinstance(given, Mapping):
        return dict(given)
    recipe = RECIPES.get(given) if isinstance(given, str) else given
    return {name: getattr(recipe, name) for name in FIELDS} if isinstance(recipe, Recipe) else {}


def _changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Epochs that are asked for are all there are, as on the command line."""
    if "epochs" in changes:
        changes = {"class_epochs": 0.0, "min_steps": 0} | dict(changes)
    if "seed" in changes:
        raise InputError("The seed of a recipe is not used: set random_state.")
    return recipe.with_changes({name: str(value) for name, value in changes.items()})
