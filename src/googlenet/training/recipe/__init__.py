"""Recipes: every hyper-parameter of a training, as data."""

from .fields import LENGTH, SWITCHES, Recipe
from .rows import INCEPTIONTIME, PAPER, PHOTOS, RECIPES, SIGNALS, SMALL, SMALL_LONG, VOLUMES, find_recipe

__all__ = [
    "INCEPTIONTIME",
    "LENGTH",
    "PAPER",
    "PHOTOS",
    "RECIPES",
    "SIGNALS",
    "SMALL",
    "SMALL_LONG",
    "SWITCHES",
    "VOLUMES",
    "Recipe",
    "find_recipe",
]
