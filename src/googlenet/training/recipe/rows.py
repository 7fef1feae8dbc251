"""The recipes, one row each. Adding one here is all it takes."""

from __future__ import annotations

import dataclasses

from ...errors import unknown
from .fields import Recipe

PHOTOS = Recipe(
    "photos",
    arch="googlenet_bn",
    epochs=60,
    batch_size=64,
    learning_rate=2e-3,
    colour=0.3,
)
SMALL = Recipe(
    "small",
    arch="googlenet_shallow",
    width=0.8,
    epochs=22,
    min_steps=250,
    batch_size=128,
    optimizer="muon",
    learning_rate=6e-3,
    warmup=0.2,
    momentum=0.95,
    label_smoothing=0.05,
    aux_weight=0.0,
    dropout=0.1,
    crop=False,
    shift=2,
    cutout=8,
)
# Colour asks for more modules, and for longer steps, most of them of smaller pictures; docs/tried.md.
SMALL_COLOUR = dataclasses.replace(
    SMALL,
    name="small-colour",
    arch="googlenet_short",
    width=0.5,
    learning_rate=0.015,
    momentum=0.9,
    weight_decay=0.1,
    label_smoothing=0.15,
    dropout=0.0,
    cutout=6,
    whiten=True,
    growth=0.6,
)
SIGNALS = Recipe(
    "signals",
    arch="googlenet_1d",
    epochs=25,
    class_epochs=0.6,
    min_steps=400,
    batch_size=16,
    learning_rate=5e-3,
    warmup=0.3,
    weight_decay=0.01,
    label_smoothing=0.1,
    ema=0.0,
    aux_weight=0.0,
    dropout=0.0,
    crop=False,
    flip=False,
    slice=0.9,
    warp=0.02,
    gain=0.4,
    members=4,
    competing=256,
)
# Windows of recordings are many, and alike where they overlap; their classes are seldom of one size. An eighth of the
# arithmetic, so that a night is labelled in seconds.
RECORDINGS = dataclasses.replace(
    SIGNALS,
    name="recordings",
    width=0.5,
    members=2,
    competing=0,
    epochs=8,
    class_epochs=0.0,
    min_steps=1000,
    batch_size=32,
    balance="weights",
)
VOLUMES = Recipe(
    "volumes",
    arch="googlenet_3d",
    width=0.5,
    epochs=30,
    min_steps=250,
    batch_size=32,
    learning_rate=2e-3,
    warmup=0.2,
    label_smoothing=0.05,
    aux_weight=0.0,
    dropout=0.2,
    crop=False,
    flip=False,
    shift=1,
)
# InceptionTime as published (Fawaz et al. 2020, section 4.2): five networks, Adam, the whole signal.
INCEPTIONTIME = Recipe(
    "inceptiontime",
    arch="inceptiontime",
    epochs=1500,
    batch_size=64,
    learning_rate=1e-3,
    schedule="plateau",
    warmup=0.0,
    weight_decay=0.0,
    label_smoothing=0.0,
    clip=0.0,
    ema=0.0,
    aux_weight=0.0,
    dropout=0.0,
    crop=False,
    flip=False,
    longest=100_000,
    differences=False,
    members=5,
    calibrate=False,
    precision="fp32",
)
# The paper's section 6: asynchronous SGD, momentum 0.9, 4 % less every 8 epochs, Polyak averaging.
PAPER = Recipe(
    "paper",
    arch="googlenet",
    epochs=250,
    batch_size=32,
    optimizer="sgd",
    learning_rate=0.01,
    schedule="step",
    warmup=0.0,
    weight_decay=2e-4,
    label_smoothing=0.0,
    clip=0.0,
    ema=0.9999,
    colour=0.4,
    calibrate=False,
)
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (PHOTOS, SMALL, SMALL_COLOUR, SIGNALS, RECORDINGS, VOLUMES, INCEPTIONTIME, PAPER)
}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        InputError: If there is none; the sentence suggests the nearest name.
    """
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]
