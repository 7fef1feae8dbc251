"""From given weights to a network for other data: trained on, or with a fresh classifier fitted to its features."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...data.kinds import preprocessing_from
from ...data.protocol import Batch, Dataset, Floats
from ...errors import InputError
from ...nn import layers
from ...nn.device import best_device
from ...nn.googlenet import GoogLeNet
from ...nn.rewrites import fold_norms
from ...weights.checkpoint import Weights, network_of
from ...weights.create import read_source, save_weights
from ..learner import in_bf16
from ..progress import now
from ..recipe import Recipe
from ..runs.folder import Run
from ..runs.records import EpochRow
from ..task import Task, learned_from, run_record, task_for, what_it_says

Labels = npt.NDArray[np.int64]

REGULARISATION = 0.01  # inverse strength, on standardised features


def task_and_start(data: Dataset, recipe: Recipe) -> tuple[Task, GoogLeNet | None]:
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


def transfer_task(data: Dataset, recipe: Recipe, weights: Weights) -> Task:
    """The data as a network with those weights reads them.

    Args:
        data: With a training part.
        recipe: How to train.
        weights: What to begin with.

    Raises:
        InputError: If the network reads data of another kind, or of another number of channels.

    Warns:
        RuntimeWarning: Of what the weights' file does not say and was guessed: how it reads pictures.
    """
    header = weights.header
    row = header.extra.get("preprocessing")
    assert data.train is not None
    for guess in weights.guesses:
        warnings.warn(guess, RuntimeWarning, stacklevel=1)
    given = None if row is None else preprocessing_from(dict(row))
    task = task_for(data, recipe, data.train.adapted(given, recipe))
    if len(task.size) != header.arch.dims:
        raise InputError(
            f"These weights ({header.arch.name}) read {header.arch.dims} dimensions, and {data.name} holds "
            f"{data.kind}s."
        )
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
    arch = header.arch
    return dataclasses.replace(
        recipe,
        arch=arch.name,
        width=arch.width,
        members=arch.members,
        aux_weight=recipe.aux_weight if header.auxiliary else 0.0,
        whiten=False,
    )


def start_from(weights: Weights, classes: int, recipe: Recipe) -> GoogLeNet:
    """The network with those weights and a fresh classifier; with auxiliary classifiers where they will be trained.

    Args:
        weights: What to begin with.
        classes: Width of the classifier.
        recipe: How it will be trained.
    """
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


def train_on_features(task: Task, model: GoogLeNet, run: Run) -> GoogLeNet:
    """Fits the classifier to the training part, everything before it as it is, and writes the run: seconds where
    everything else takes minutes.

    The features are those of the examples as they are, without random changes; of each one more for its mirror image,
    where that means the same.

    Args:
        task: With a training part.
        model: With a classifier for its classes.
        run: Folder to write.

    Returns:
        The network in evaluation mode.

    Raises:
        InputError: For networks of several members.
    """
    recipe, classifier = task.recipe, model.classifier
    if not isinstance(classifier, nn.Linear):
        raise InputError(
            f"--freeze features is for networks with one linear classifier, and {model.arch.name} has "
            f"{model.arch.members} members side by side: train it whole, in about that time."
        )
    if run.exists:
        run.check_goes_on(task.data, recipe)
    run.begin(run_record(task), learned_from(task))
    started = now()
    bf16 = in_bf16(recipe, best_device())
    inputs, labels = features(model, task.training.plain(64), task.preprocessing.mirror, bf16)
    weight, bias = fitted_classifier(inputs, labels, len(task.data.classes), recipe.balance != "none")
    with torch.no_grad():
        classifier.weight.copy_(weight)
        classifier.bias.copy_(bias)
    logits = torch.from_numpy(inputs) @ weight.T + bias
    truth = torch.from_numpy(labels)
    loss = float(nn.functional.cross_entropy(logits, truth))
    accuracy = float((logits.argmax(1) == truth).float().mean())
    run.write_history([EpochRow(1, loss, accuracy, round(now() - started, 2))])
    save_weights(model, run.weights, **what_it_says(task, run), calibration=None)  # which is still to be found
    return model.eval()


@torch.inference_mode()
def features(model: GoogLeNet, batches: Iterable[Batch], mirror: bool, bf16: bool) -> tuple[Floats, Labels]:
    """What the classifier reads: ``(n, num_features)`` and labels ``(n,)``; twice n with mirror images.

    Args:
        model: The network.
        batches: Examples, unchanged.
        mirror: Whether mirror images, along the last axis, mean the same.
        bf16: Whether to compute in bfloat16.
    """
    device = best_device()
    body = fold_norms(model)
    body.classifier = nn.Identity()
    body = body.to(device, memory_format=layers.MEMORY_FORMAT[model.arch.dims])  # type: ignore[call-overload]
    found, labels = [], []
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        for batch in batches:
            inputs = batch.inputs.to(device)
            for view in (inputs, inputs.flip(-1)) if mirror else (inputs,):
                found.append(body(view).float().cpu().numpy())
                labels.append(batch.labels.numpy())
    return np.concatenate(found), np.concatenate(labels)


def fitted_classifier(inputs: Floats, labels: Labels, classes: int, balanced: bool = False) -> tuple[Tensor, Tensor]:
    """The linear layer of a regularised logistic regression.

    Args:
        inputs: ``(n, num_features)``.
        labels: ``(n,)``, every class at least once.
        classes: How many there are.
        balanced: Whether they count alike, however many examples each has.

    Returns:
        Weight ``(classes, num_features)`` and bias ``(classes,)``.
    """
    from sklearn.linear_model import LogisticRegression  # here, as scikit-learn takes a second to load
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(inputs)
    model = LogisticRegression(C=REGULARISATION, max_iter=1000, class_weight="balanced" if balanced else None)
    model.fit(scaler.transform(inputs), labels)
    weight, bias = model.coef_ / scaler.scale_, model.intercept_
    if classes == 2:  # scikit-learn keeps one row for two classes
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    bias = bias - weight @ scaler.mean_
    return torch.from_numpy(weight).float(), torch.from_numpy(bias).float()
