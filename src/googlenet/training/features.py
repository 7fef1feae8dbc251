"""Training the classifier alone, on features that are computed once: seconds where everything else takes minutes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from .. import files
from ..data.images.batches import Batch, plain_batches
from ..errors import InputError
from ..nn import layers
from ..nn.device import best_device
from ..nn.googlenet import GoogLeNet
from ..nn.rewrites import fold_norms
from ..weights.create import save_weights
from .learner import in_bf16
from .loop import run_record
from .recipe import Recipe
from .runs import METRICS, RUN, WEIGHTS
from .task import ImageTask, Task

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

REGULARISATION = 0.01  # inverse strength, on standardised features


def train_on_features(task: Task, model: GoogLeNet, recipe: Recipe, run: Path) -> GoogLeNet:
    """Fits the classifier to the training part, everything before it as it is, and writes the run.

    The features are those of the pictures as they are, without random changes; of each one more for its mirror image,
    where that means the same.

    Args:
        task: Pictures, with a training part.
        model: With a classifier for their classes.
        recipe: Its seed, and what the run is to say of itself.
        run: Folder to write.

    Returns:
        The network in evaluation mode.

    Raises:
        InputError: For signals.
    """
    if not isinstance(task, ImageTask):
        raise InputError("--freeze features is for pictures; signals are trained whole in about that time.")
    assert task.data.train is not None
    run.mkdir(parents=True, exist_ok=True)
    files.write_json(run / RUN, run_record(task, recipe))
    started = time.perf_counter()
    batches = plain_batches(task.data.train, task.preprocessing, 64)
    bf16 = in_bf16(recipe, best_device())
    inputs, labels = features(model, batches, task.preprocessing.mirror, bf16)
    weight, bias = fitted_classifier(inputs, labels, len(task.data.classes), recipe.balance != "none")
    with torch.no_grad():
        assert isinstance(model.classifier, nn.Linear)
        model.classifier.weight.copy_(weight)
        model.classifier.bias.copy_(bias)
    logits = torch.from_numpy(inputs) @ weight.T + bias
    truth = torch.from_numpy(labels)
    row = {
        "epoch": 1,
        "loss": float(nn.functional.cross_entropy(logits, truth)),
        "accuracy": float((logits.argmax(1) == truth).float().mean()),
        "seconds": round(time.perf_counter() - started, 2),
    }
    files.write_bytes(run / METRICS, files.json_line(row).encode())
    save_weights(model, run / WEIGHTS, classes=task.data.classes, preprocessing=task.preprocessing.to_dict())
    return model.eval()


@torch.inference_mode()
def features(model: GoogLeNet, batches: Iterable[Batch], mirror: bool, bf16: bool) -> tuple[Floats, Labels]:
    """What the classifier reads: ``(n, num_features)`` and labels ``(n,)``; twice n with mirror images."""
    device = best_device()
    body = fold_norms(model)
    body.classifier = nn.Identity()
    body = body.to(device, memory_format=layers.MEMORY_FORMAT[model.arch.dims])  # type: ignore[call-overload]
    found, labels = [], []
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        for batch in batches:
            inputs = batch.inputs.to(device)
            for view in (inputs, inputs.flip(3)) if mirror else (inputs,):
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
    scaler = StandardScaler().fit(inputs)
    model = LogisticRegression(C=REGULARISATION, max_iter=1000, class_weight="balanced" if balanced else None)
    model.fit(scaler.transform(inputs), labels)
    weight, bias = model.coef_ / scaler.scale_, model.intercept_
    if classes == 2:  # scikit-learn keeps one row for two classes
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    bias = bias - weight @ scaler.mean_
    return torch.from_numpy(weight).float(), torch.from_numpy(bias).float()
