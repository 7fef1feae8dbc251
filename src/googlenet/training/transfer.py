"""From given weights to a network for other data."""

from __future__ import annotations

import dataclasses

import torch

from ..data.images.folders import ImageData
from ..data.images.pictures import Preprocessing
from ..data.signals.dataset import SignalData
from ..errors import InputError
from ..nn.googlenet import GoogLeNet
from ..weights.checkpoint import Weights, network_of
from ..weights.create import read_source
from .recipe import Recipe
from .task import Task, task_for


def task_and_start(data: ImageData | SignalData, recipe: Recipe) -> tuple[Task, GoogLeNet | None]:
    """The data as the loop sees it, and the network that the recipe's weights give; ``None`` for a fresh one.

    Raises:
        InputError: If there are no such weights, or they do not fit the data.
    """
    if not recipe.weights:
        return task_for(data, recipe), None
    weights = read_source(recipe.weights)
    arch = weights.header.arch
    if (recipe.arch, recipe.width, recipe.members) != (arch.name, arch.width, arch.members):
        raise InputError(
            f"{recipe.weights} holds {arch.name} at width {arch.width:g}: leave --arch, --width and --members out."
        )
    return transfer_task(data, recipe, weights), start_from(weights, len(data.classes), recipe)


def transfer_task(data: ImageData | SignalData, recipe: Recipe, weights: Weights) -> Task:
    """The data as a network with those weights reads them.

    Pictures are prepared as the weights want it, whatever size and colour they have; a signal is prepared by the
    statistics of its own data, as the network has seen many kinds.

    Raises:
        InputError: If the network reads data of another kind, or of another number of channels.
    """
    header = weights.header
    if isinstance(data, ImageData):
        row = header.extra.get("preprocessing")
        if row is None or row.get("kind") == "signal":
            raise InputError(f"These weights ({header.arch.name}) do not say how they read pictures.")
        preprocessing = Preprocessing.from_dict(row)
        mirror = recipe.flip and data.mirror
        return task_for(data, recipe, dataclasses.replace(preprocessing, mirror=mirror))
    if header.arch.dims != 1:
        raise InputError(f"These weights ({header.arch.name}) read pictures, and {data.name} holds signals.")
    task = task_for(data, recipe)
    if task.channels != header.in_channels:
        raise InputError(
            f"These weights read {header.in_channels} channels (differences among them), and {data.name} has "
            f"{task.channels}."
        )
    return task


def fitted_to(recipe: Recipe, weights: Weights) -> Recipe:
    """The recipe with what the weights decide: architecture, width, members, and auxiliary classifiers only where there
    are trained ones."""
    header = weights.header
    aux_weight = recipe.aux_weight if header.auxiliary else 0.0
    arch = header.arch
    return dataclasses.replace(recipe, arch=arch.name, width=arch.width, members=arch.members, aux_weight=aux_weight)


def start_from(weights: Weights, classes: int, recipe: Recipe) -> GoogLeNet:
    """The network with those weights and a fresh classifier; with auxiliary classifiers where they will be trained."""
    header, tensors = weights.header, weights.tensors
    auxiliary = header.auxiliary and recipe.aux_weight > 0 and recipe.freeze != "features"
    if not auxiliary:
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("auxiliary.")}
    arch = dataclasses.replace(header.arch, dropout=recipe.dropout)
    header = dataclasses.replace(header, arch=arch, auxiliary=auxiliary)
    model = network_of(Weights(header, tensors))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model.reset_classifier(classes)
    return model
