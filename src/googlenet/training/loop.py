"""The training loop. Reads top to bottom: what is trained, an epoch, what is kept, what is written."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import nll_loss
from torch.nn.modules.batchnorm import _BatchNorm

from .. import files
from ..arch.cost import check_size
from ..data.images.folders import ImageData
from ..data.signals.dataset import SignalData
from ..data.splits import fingerprint
from ..errors import InputError
from ..nn import layers
from ..nn.googlenet import GoogLeNet, mean_probabilities
from ..weights.create import create_model, save_weights
from .distributed import World
from .learner import Learner, in_bf16
from .recipe import Recipe
from .runs import CHECKPOINT, METRICS, RUN, WEIGHTS
from .schedule import Clock, learning_rate
from .state import State
from .task import Task

Report = Callable[[str, dict[str, Any]], None]
CHECKPOINT_SECONDS = 2.0  # where epochs are shorter, not each is written


def train(
    task: Task,
    recipe: Recipe,
    run: Path,
    world: World,
    resume: bool,
    report: Report,
    start: GoogLeNet | None = None,
) -> GoogLeNet:
    """Trains a network and writes the run: weights, metrics, and what prediction needs.

    A run that was stopped at any moment loses at most the epoch it was in, or a few seconds where epochs are
    shorter; resumed on the CPU with as many threads, it ends in the same weights bit for bit.

    Args:
        task: The data, from :func:`~googlenet.training.task.task_for`.
        recipe: How.
        run: Folder to write.
        world: The processes, from :func:`~googlenet.training.distributed.joined`.
        resume: Whether to go on from the folder's checkpoint, if it has one.
        report: Called with ``"step"`` and ``"epoch"`` and numbers, for progress.
        start: The network to go on from, see :func:`~googlenet.training.transfer.start_from`; by default a fresh one.

    Returns:
        The network with its final weights, in evaluation mode.

    Raises:
        InputError: For data that cannot be trained on, or a checkpoint of other data or another recipe.
        Diverged: If the loss becomes infinite or not a number; the last checkpoint stays.
    """
    state = fresh_state(task, recipe, world) if start is None else pretrained_state(start, task, recipe, world)
    record = run_record(task, recipe)
    if resume and (run / CHECKPOINT).exists():
        _check_same_examples(run, record)
        state.restore(run / CHECKPOINT, recipe)
    if world.leads:
        run.mkdir(parents=True, exist_ok=True)
        files.write_json(run / RUN, record)

    written, written_at = state.epoch, time.perf_counter()
    for row in epochs(task, state, recipe, world, report):
        if world.leads:
            if time.perf_counter() - written_at > CHECKPOINT_SECONDS:
                write_epoch(run, state, recipe)
                written, written_at = state.epoch, time.perf_counter()
            report("epoch", row | {"epochs": recipe.epochs})
        world.wait()
    if world.leads and written < state.epoch:
        write_epoch(run, state, recipe)

    final = finished(task, state, recipe, world)
    if world.leads:
        preprocessing = task.preprocessing.to_dict()
        save_weights(final, run / WEIGHTS, classes=task.data.classes, preprocessing=preprocessing)
    return final


def fresh_state(task: Task, recipe: Recipe, world: World) -> State:
    """A training that has not begun: the network as the recipe has it, its running mean, its optimizer."""
    torch.manual_seed(recipe.seed)
    model = create_model(
        recipe.arch,
        len(task.data.classes),
        task.channels,
        width=recipe.width,
        auxiliary=recipe.aux_weight > 0,
        dropout=recipe.dropout,
        members=recipe.members,
    )
    return State.beginning(_placed(model, task, world), recipe)


def pretrained_state(model: GoogLeNet, task: Task, recipe: Recipe, world: World) -> State:
    """A training of a network that came with weights, which has not begun."""
    torch.manual_seed(recipe.seed)
    return State.beginning(_placed(model, task, world), recipe, pretrained=True)


def _placed(model: GoogLeNet, task: Task, world: World) -> GoogLeNet:
    check_size(model.arch, task.size)
    placed: GoogLeNet = model.to(
        world.device,
        memory_format=layers.MEMORY_FORMAT[model.arch.dims],  # type: ignore[call-overload]
    )
    return placed


def epochs(task: Task, state: State, recipe: Recipe, world: World, report: Report) -> Iterator[dict[str, Any]]:
    """Trains epoch by epoch, from where the state stands; yields a row of metrics after each."""
    data = task.data
    assert data.train is not None
    batch_size = min(recipe.batch_size, len(data.train) // world.size * world.size)
    if batch_size < 2 * world.size:
        raise InputError(
            f"{data.name} has too few examples to train on ({len(data.train)}; batch_size {recipe.batch_size}): batch "
            "norm needs 2 in each process."
        )
    if batch_size % world.size:
        raise InputError(f"batch_size {batch_size} cannot be shared equally by {world.size} processes.")
    learner = Learner(state, recipe, world, _class_weights(data, recipe))
    steps = len(data.train) // batch_size
    clock = Clock(recipe, steps, sum(row["seconds"] for row in state.history))

    progress = world.first(clock.progress(state.step))
    while (epoch := state.epoch) < recipe.epochs and progress < 1:
        started = time.perf_counter()
        torch.manual_seed(recipe.seed + 1_000_003 * (epoch + 1) + world.rank)
        totals = torch.zeros(2, device=world.device)
        losses = [row["loss"] for row in state.history]
        state.model.train()
        if recipe.freeze == "norms":
            for norm in _norms(state.model):
                norm.eval()
        for step, batch in enumerate(task.training_batches(epoch, batch_size, world), start=1):
            rate = learning_rate(recipe, progress, losses)
            totals += learner.step(batch, rate, where=f"epoch {epoch + 1}, batch {step}")
            progress = world.first(clock.progress(state.step))
            loss, accuracy = (totals / step).tolist()
            speed = step * batch_size / (time.perf_counter() - started)
            place = {"epoch": epoch + 1, "epochs": recipe.epochs, "step": step, "steps": steps}
            report("step", place | {"loss": loss, "accuracy": accuracy, "examples_per_second": speed})
            if progress >= 1:
                break
        loss, accuracy = world.mean(totals / step).tolist()
        row = {"epoch": epoch + 1, "loss": loss, "accuracy": accuracy, "learning_rate": rate}
        state.epoch = epoch + 1
        if world.leads and data.validation is not None:
            row |= validate(averaged(state), task, world, learner.bf16)
        row["seconds"] = round(time.perf_counter() - started, 2)
        state.history.append(row)
        yield row


def averaged(state: State) -> GoogLeNet:
    """A copy of the network with the running mean of its weights."""
    old = state.model
    model = GoogLeNet(old.arch, old.num_classes, old.in_channels, len(old.auxiliary) > 0)
    model.load_state_dict(state.mean.tensors)
    device = next(state.model.parameters()).device
    placed: GoogLeNet = model.to(device, memory_format=layers.MEMORY_FORMAT[model.arch.dims])  # type: ignore[call-overload]
    return placed


@torch.no_grad()
def finished(task: Task, state: State, recipe: Recipe, world: World) -> GoogLeNet:
    """The network to keep, in evaluation mode: the running mean of the weights, and where batches were few and small
    batch-norm statistics of the training part, at these weights, instead of the running ones."""
    model = averaged(state)
    if recipe.freeze == "norms":
        return model.eval()
    norms = _norms(model)
    momenta, seen = [norm.momentum for norm in norms], 0
    for inputs in task.calibration_batches(state.step * recipe.batch_size // 10):  # takes a thirtieth of the time
        seen += len(inputs)
        for norm in norms:
            norm.momentum = len(inputs) / seen  # so that every example counts alike
        with torch.autocast(world.device.type, torch.bfloat16, enabled=in_bf16(recipe, world.device)):
            model(inputs.to(world.device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model.eval()


@torch.inference_mode()
def validate(model: GoogLeNet, task: Task, world: World, bf16: bool) -> dict[str, float]:
    """Loss and accuracy on the validation part."""
    assert task.data.validation is not None
    model.eval()
    loss = correct = 0.0
    for batch in task.validation_batches():
        labels = batch.labels.to(world.device)
        with torch.autocast(world.device.type, torch.bfloat16, enabled=bf16):
            probabilities = mean_probabilities(model(batch.inputs.to(world.device)))
        loss += float(nll_loss(probabilities.clamp(min=1e-12).log(), labels, reduction="sum"))
        correct += int((probabilities.argmax(1) == labels).sum())
    count = len(task.data.validation)
    return {"validation_loss": loss / count, "validation_accuracy": correct / count}


def write_epoch(run: Path, state: State, recipe: Recipe) -> None:
    """Checkpoint first, then metrics: a crash in between loses a line that the next epoch writes again."""
    state.save(run / CHECKPOINT, recipe)
    lines = "".join(files.json_line(row) for row in state.history)
    files.write_bytes(run / METRICS, lines.encode())


def run_record(task: Task, recipe: Recipe) -> dict[str, Any]:
    """What ``run.json`` says: everything that made this run, and what prediction needs."""
    from .._version import __version__

    data = task.data
    parts = {part: getattr(data, part) for part in ("train", "validation", "test")}
    return {
        "googlenet": __version__,
        "torch": str(torch.__version__),
        "data": data.name,
        "fingerprint": fingerprint(data),
        "examples": {part: len(images) for part, images in parts.items() if images is not None},
        "bad_files": [dataclasses.asdict(bad) for bad in data.bad],
        "classes": list(data.classes),
        "preprocessing": task.preprocessing.to_dict(),
        "recipe": recipe.to_dict(),
    }


def _check_same_examples(run: Path, record: dict[str, Any]) -> None:
    """Refuses to go on with other examples: what is held out now may have been learned from before."""
    before = files.read_json(run / RUN)
    if any(before.get(key, record[key]) != record[key] for key in ("fingerprint", "examples")):
        raise InputError(
            f"{run} learned from other examples than {record['data']} holds now. Bring the data back as they were, or "
            "train into another folder."
        )


def _norms(model: nn.Module) -> list[_BatchNorm]:
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


def _class_weights(data: ImageData | SignalData, recipe: Recipe) -> Tensor | None:
    """Inverse frequencies with a mean of 1 over the pictures, if the recipe balances by weights."""
    if recipe.balance != "weights" or data.train is None:
        return None
    counts = np.bincount(data.train.labels.numpy(), minlength=len(data.classes))
    return torch.tensor(counts.sum() / (len(counts) * counts), dtype=torch.float32)
