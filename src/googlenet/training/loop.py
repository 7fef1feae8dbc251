"""The training loop. Reads top to bottom: what is trained, an epoch, a step, what is written."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .. import files, nd
from ..cost import check_size
from ..data.batches import Augmentation, Batch, epoch_order, plain_batches, training_batches
from ..data.images import ImageData
from ..data.pictures import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from ..device import computes_in_bf16
from ..errors import InputError
from ..model import GoogLeNet, create_model, save_weights
from ..runfolder import CHECKPOINT, METRICS, RUN, WEIGHTS
from .distributed import World
from .recipe import Recipe
from .state import RunningMean, State, make_optimizer

Report = Callable[[str, dict[str, Any]], None]


class Diverged(InputError):
    """The loss became infinite or not a number."""


def preprocessing_for(data: ImageData, recipe: Recipe) -> Preprocessing:
    """What the network is to see: small pictures by their own statistics, others by ImageNet's."""
    mirror = recipe.flip and data.mirror
    if data.size and data.train is not None and data.train.pixels is not None:
        sample = data.train.pixels[:10_000].double().div(255)
        mean, std = tuple(sample.mean((0, 2, 3)).tolist()), tuple(sample.std((0, 2, 3)).tolist())
        return Preprocessing(data.channels, data.size, data.size, mean, std, mirror)
    if data.channels == 3:
        return Preprocessing(3, 224, 256, IMAGENET_MEAN, IMAGENET_STD, mirror)
    return Preprocessing(1, 224, 256, (sum(IMAGENET_MEAN) / 3,), (sum(IMAGENET_STD) / 3,), mirror)


def train(data: ImageData, recipe: Recipe, run: Path, world: World, resume: bool, report: Report) -> GoogLeNet:
    """Trains a network and writes the run: weights, metrics, and what prediction needs.

    A run that was stopped at any moment loses at most the epoch it was in; resumed on the CPU with as many
    threads, it ends in the same weights bit for bit.

    Args:
        data: Pictures.
        recipe: How.
        run: Folder to write.
        world: The processes, from :func:`~googlenet.training.distributed.joined`.
        resume: Whether to go on from the folder's checkpoint, if it has one.
        report: Called with ``"step"`` and ``"epoch"`` and numbers, for progress.

    Returns:
        The network with its final weights, in evaluation mode.

    Raises:
        InputError: For data that cannot be trained on.
        Diverged: If the loss becomes infinite or not a number; the last checkpoint stays.
    """
    assert data.train is not None
    batch_size = min(recipe.batch_size, len(data.train) // world.size * world.size)
    if batch_size < 2 * world.size:
        raise InputError(f"{data.name} has too few pictures to train on ({len(data.train)}).")
    if batch_size % world.size:
        raise InputError(f"batch_size {batch_size} cannot be shared equally by {world.size} processes.")

    torch.manual_seed(recipe.seed)
    model = create_model(
        recipe.arch,
        len(data.classes),
        data.channels,
        width=recipe.width,
        auxiliary=recipe.aux_weight > 0,
        dropout=recipe.dropout,
    )
    preprocessing = preprocessing_for(data, recipe)
    check_size(model.arch, (preprocessing.size,) * model.arch.dims)
    model = model.to(world.device, memory_format=nd.MEMORY_FORMAT[model.arch.dims])  # type: ignore[call-overload]
    state = State(model, RunningMean(model, recipe.ema), make_optimizer(model, recipe))
    if resume and (run / CHECKPOINT).exists():
        state.restore(run / CHECKPOINT, recipe)
    learner = Learner(state, recipe, world, _class_weights(data, recipe))
    augmentation = Augmentation(recipe.crop, recipe.flip and data.mirror, recipe.shift, recipe.cutout, recipe.colour)
    steps = len(data.train) // batch_size
    if world.leads:
        run.mkdir(parents=True, exist_ok=True)
        files.write_json(run / RUN, run_record(data, recipe, preprocessing))

    for epoch in range(state.epoch, recipe.epochs):
        started = time.perf_counter()
        torch.manual_seed(recipe.seed + 1_000_003 * (epoch + 1) + world.rank)
        order = epoch_order(data.train.labels, recipe.seed, epoch, recipe.balance == "sampler")
        totals = torch.zeros(2, device=world.device)
        batches = training_batches(
            data.train,
            preprocessing,
            augmentation,
            order,
            batch_size,
            recipe.seed,
            epoch,
            world.rank,
            world.size,
        )
        state.model.train()
        for step, batch in enumerate(batches):
            rate = learning_rate(recipe, state.step, steps)
            totals += learner.step(batch, rate, where=f"epoch {epoch + 1}, batch {step + 1}")
            loss, accuracy = (totals / (step + 1)).tolist()
            speed = (step + 1) * batch_size / (time.perf_counter() - started)
            progress = {"epoch": epoch + 1, "epochs": recipe.epochs, "step": step + 1, "steps": steps}
            report("step", progress | {"loss": loss, "accuracy": accuracy, "images_per_second": speed})
        loss, accuracy = world.mean(totals / steps).tolist()
        row = {"epoch": epoch + 1, "loss": loss, "accuracy": accuracy, "learning_rate": rate}
        state.epoch = epoch + 1
        if world.leads:
            if data.validation is not None:
                row |= validate(averaged(state), data, preprocessing, world, learner.bf16)
            row["seconds"] = round(time.perf_counter() - started, 2)
            state.history.append(row)
            write_epoch(run, state, recipe)
            report("epoch", row | {"epochs": recipe.epochs})
        world.wait()

    final = averaged(state).eval()
    if world.leads:
        save_weights(final, run / WEIGHTS, classes=data.classes, preprocessing=preprocessing.to_dict())
    return final


class Learner:
    """One step: forward, loss, backward, update."""

    def __init__(self, state: State, recipe: Recipe, world: World, class_weights: Tensor | None) -> None:
        self.state, self.recipe, self.world = state, recipe, world
        self.class_weights = None if class_weights is None else class_weights.to(world.device)
        self.network = world.wrap(state.model)
        self.bf16 = recipe.precision == "bf16" or (recipe.precision == "auto" and computes_in_bf16(world.device))

    def step(self, batch: Batch, rate: float, where: str) -> Tensor:
        """Trains on a batch; returns its loss and accuracy as one tensor ``(2,)``."""
        recipe, state = self.recipe, self.state
        inputs, labels = batch.inputs.to(self.world.device), batch.labels.to(self.world.device)
        inputs, targets = mixed(inputs, labels, state.model.num_classes, recipe)
        with torch.autocast(self.world.device.type, torch.bfloat16, enabled=self.bf16):
            output = self.network(inputs, return_aux=True)
        loss = self._loss(output.logits, targets)
        for aux in output.aux:
            loss = loss + recipe.aux_weight * self._loss(aux, targets)
        if not torch.isfinite(loss):
            raise Diverged(_diagnosis(state.model, inputs, float(loss), where))

        state.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        if recipe.clip:
            nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        state.optimizer.step()
        state.step += 1
        state.mean.update(state.model, state.step)
        accuracy = (output.logits.argmax(1) == labels).float().mean()
        return torch.stack([loss.detach(), accuracy])

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(
            logits.float(), targets, weight=self.class_weights, label_smoothing=self.recipe.label_smoothing
        )


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The learning rate of a step: a linear climb, then a cosine to zero or the paper's steps."""
    total = recipe.epochs * steps_per_epoch
    climb = recipe.warmup * total
    if step < climb:
        return recipe.learning_rate * (step + 1) / (climb + 1)
    if recipe.schedule == "step":
        return float(recipe.learning_rate * 0.96 ** (step // steps_per_epoch // 8))
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - climb) / max(1, total - climb)))


def mixed(inputs: Tensor, labels: Tensor, classes: int, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Mixup or CutMix where the recipe says so (each time one of both); targets become shares then."""
    kinds = [kind for kind in ("mixup", "cutmix") if getattr(recipe, kind) > 0]
    if not kinds:
        return inputs, labels
    kind = kinds[int(torch.randint(len(kinds), ()))]
    alpha = torch.tensor(float(getattr(recipe, kind)))
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    partner = torch.randperm(len(inputs), device=inputs.device)
    if kind == "mixup":
        inputs = torch.lerp(inputs[partner], inputs, share)
    else:
        height, width = inputs.shape[2:]
        half_height, half_width = (round(n * math.sqrt(1 - share) / 2) for n in (height, width))
        y, x = int(torch.randint(height, ())), int(torch.randint(width, ()))
        top, left = max(0, y - half_height), max(0, x - half_width)
        patch = (..., slice(top, y + half_height), slice(left, x + half_width))
        inputs = inputs.clone()
        inputs[patch] = inputs[partner][patch]
        share = 1 - inputs[0, 0][patch].numel() / (height * width)
    ones = nn.functional.one_hot(labels, classes).float()
    return inputs, torch.lerp(ones[partner], ones, share)


def averaged(state: State) -> GoogLeNet:
    """A copy of the network with the running mean of its weights."""
    model = GoogLeNet(
        state.model.arch, state.model.num_classes, state.model.in_channels, len(state.model.auxiliary) > 0
    )
    model.load_state_dict(state.mean.tensors)
    device = next(state.model.parameters()).device
    placed: GoogLeNet = model.to(device, memory_format=nd.MEMORY_FORMAT[model.arch.dims])  # type: ignore[call-overload]
    return placed


@torch.inference_mode()
def validate(
    model: GoogLeNet, data: ImageData, preprocessing: Preprocessing, world: World, bf16: bool
) -> dict[str, float]:
    """Loss and accuracy on the validation part."""
    assert data.validation is not None
    model.eval()
    loss = correct = 0.0
    for batch in plain_batches(data.validation, preprocessing, 250):
        labels = batch.labels.to(world.device)
        with torch.autocast(world.device.type, torch.bfloat16, enabled=bf16):
            logits = model(batch.inputs.to(world.device))
        loss += float(cross_entropy(logits.float(), labels, reduction="sum"))
        correct += int((logits.argmax(1) == labels).sum())
    count = len(data.validation)
    return {"validation_loss": loss / count, "validation_accuracy": correct / count}


def write_epoch(run: Path, state: State, recipe: Recipe) -> None:
    """Checkpoint first, then metrics: a crash in between loses a line that the next epoch writes again."""
    state.save(run / CHECKPOINT, recipe)
    lines = "".join(files.json_line(row) for row in state.history)
    files.write_bytes(run / METRICS, lines.encode())


def run_record(data: ImageData, recipe: Recipe, preprocessing: Preprocessing) -> dict[str, Any]:
    """What ``run.json`` says: everything that made this run, and what prediction needs."""
    from .. import __version__

    parts = {part: getattr(data, part) for part in ("train", "validation", "test")}
    return {
        "googlenet": __version__,
        "torch": str(torch.__version__),
        "data": data.name,
        "pictures": {part: len(images) for part, images in parts.items() if images is not None},
        "bad_files": [dataclasses.asdict(bad) for bad in data.bad],
        "classes": list(data.classes),
        "preprocessing": preprocessing.to_dict(),
        "recipe": recipe.to_dict(),
    }


def _class_weights(data: ImageData, recipe: Recipe) -> Tensor | None:
    """Inverse frequencies with a mean of 1 over the pictures, if the recipe balances by weights."""
    if recipe.balance != "weights" or data.train is None:
        return None
    counts = np.bincount(data.train.labels.numpy(), minlength=len(data.classes))
    return torch.tensor(counts.sum() / (len(counts) * counts), dtype=torch.float32)


@torch.no_grad()
def _diagnosis(model: GoogLeNet, inputs: Tensor, loss: float, where: str) -> str:
    """The sentence about a loss that is no number: where it began and what to try."""
    if not torch.isfinite(inputs).all():
        began = "the pictures of this batch themselves hold values that are no numbers"
    else:
        began = "every layer's output is finite, so it began in the loss"
        for name, output in model.intermediates(inputs, list(model.features)).items():
            if not torch.isfinite(output).all():
                began = f"it began in layer {name}"
                break
    return (
        f"The loss became {loss} at {where}: {began}. The last checkpoint is untouched. "
        "Try a smaller learning_rate, a longer warmup, clip=1, or precision=fp32."
    )
