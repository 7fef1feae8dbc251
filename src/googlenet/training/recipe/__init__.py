"""Recipes: every hyper-parameter of a training, as data."""

from .budget import Plan, planned, seconds_to_learn, width_for
from .fields import BEGINS, LENGTH, SWITCHES, Recipe
from .rows import INCEPTIONTIME, PAPER, PHOTOS, RECIPES, SIGNALS, SMALL, VOLUMES, find_recipe

__all__ = [
    "BEGINS",
    "INCEPTIONTIME",
    "LENGTH",
    "PAPER",
    "PHOTOS",
    "RECIPES",
    "SIGNALS",
    "SMALL",
    "SWITCHES",
    "VOLUMES",
    "Plan",
    "Recipe",
    "find_recipe",
    "planned",
    "seconds_to_learn",
    "width_for",
]
