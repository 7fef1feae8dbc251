"""One step of a training: examples mixed, forward, loss, backward, update; and the network that comes of them all."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, nll_loss
from torch.nn.modules.batchnorm import _BatchNorm

from ..data.protocol import Batch
from ..errors import InputError
from ..nn import layers
from ..nn.device import computes_in_bf16
from ..nn.googlenet import GoogLeNet, mean_probabilities
from .distributed import World
from .recipe import BEGINS, Recipe
from .state import State
from .task import Task

TOGETHER, SHOWN = 64, 4096  # examples whose statistics are taken together, and at most, when a training is over
ADVICE = "The last checkpoint is untouched. Try a smaller learning_rate, a longer warmup, clip=1, or precision=fp32."


class Diverged(InputError):
    """The loss became infinite or not a number."""


class Learner:
    """Trains a network batch by batch.

    Args:
        state: What is trained; a step changes it.
        recipe: How.
        world: The processes.
        class_weights: ``(classes,)``, of the loss, if any.
        weights: ``(N,)``, of each example in the loss, if any.
    """

    def __init__(
        self,
        state: State,
        recipe: Recipe,
        world: World,
        class_weights: Tensor | None,
        weights: Tensor | None = None,
    ) -> None:
        self.state, self.recipe, self.world = state, recipe, world
        self.class_weights = None if class_weights is None else class_weights.to(world.device)
        self.weights = weights
        self.network: Callable[..., Any] = world.wrap(state.model)
        if recipe.compile:
            self.network = torch.compile(self.network)
        self.bf16 = in_bf16(recipe, world.device)

    def step(self, batch: Batch, rate: float, where: str) -> Tensor:
        """Trains on a batch.

        On a CPU, where looking at a number costs nothing, a loss that is none stops before it spoils the weights;
        elsewhere :meth:`check` finds it at the next look.

        Args:
            batch: Examples.
            rate: Learning rate.
            where: In the training, for the sentence about a loss that is no number.

        Returns:
            Its loss and accuracy as one tensor ``(2,)``, which waits for no device.

        Raises:
            Diverged: If the loss is infinite or not a number.
        """
        recipe, state = self.recipe, self.state
        inputs, labels = batch.inputs.to(self.world.device), batch.labels.to(self.world.device)
        weights = None if self.weights is None else self.weights[batch.rows].to(self.world.device)
        inputs, targets = mixed(inputs, labels, state.model.num_classes, recipe, weights)
        with torch.autocast(self.world.device.type, torch.bfloat16, enabled=self.bf16):
            output = self.network(inputs, return_aux=True)
        share = self.world.share(len(labels))
        loss = self._loss(output.logits, targets, share)
        for aux in output.aux:
            loss = loss + recipe.aux_weight * self._loss(aux, targets, share)
        if loss.device.type == "cpu" and not torch.isfinite(loss):
            raise Diverged(f"{_diagnosis(state.model, inputs, float(loss.detach()), where)} {ADVICE}")

        state.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        if recipe.clip:
            nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip)
        for group in state.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        state.optimizer.step()
        state.step += 1
        state.mean.update(state.model, state.step)
        accuracy = (output.logits.argmax(-1) == labels).float().mean()
        return torch.stack([loss.detach(), share * accuracy])

    def check(self, loss: float, where: str) -> None:
        """Looks at a loss that was read from the device.

        Raises:
            Diverged: If it is infinite or not a number; it may have been so for some steps.
        """
        if not math.isfinite(loss):
            raise Diverged(f"The loss became {loss} at {where} or shortly before. {ADVICE}")

    def _loss(self, logits: Tensor, targets: Tensor, share: float | Tensor) -> Tensor:
        """This process's, so that the mean over processes is that of the whole batch."""
        targets = targets.flatten(0, logits.ndim - 2)
        if self.weights is not None:
            weights = targets.sum(-1)  # targets are shares of it
            each = cross_entropy(
                logits.float().flatten(0, -2),
                targets / weights.clamp(min=torch.finfo(weights.dtype).tiny)[:, None],  # one may be next to nothing
                weight=self.class_weights,
                label_smoothing=self.recipe.label_smoothing,
                reduction="none",
            )
            return share * (each * weights).mean()
        loss = cross_entropy(
            logits.float().flatten(0, -2),
            targets,
            weight=self.class_weights,
            label_smoothing=self.recipe.label_smoothing,
        )
        if self.class_weights is not None and not targets.is_floating_point():
            # It is over this process's sum of weights; what is wanted is over that of the whole batch.
            weight = self.class_weights[targets].sum()
            return loss * weight / self.world.mean(weight.clone())
        return share * loss


def in_bf16(recipe: Recipe, device: torch.device) -> bool:
    """Whether convolutions are computed in bfloat16."""
    return recipe.precision == "bf16" or (recipe.precision == "auto" and computes_in_bf16(device))


@torch.no_grad()
def _diagnosis(model: GoogLeNet, inputs: Tensor, loss: float, where: str) -> str:
    """The sentence about a loss that is no number: where it began and what to try."""
    if not torch.isfinite(inputs).all():
        began = "the inputs of this batch themselves hold values that are no numbers"
    else:
        began = "every layer's output is finite, so it began in the loss"
        for name, output in model.intermediates(inputs, list(model.features)).items():
            if not torch.isfinite(output).all():
                began = f"it began in layer {name}"
                break
    return f"The loss became {loss} at {where}: {began}."


def grown(inputs: Tensor, model: GoogLeNet, growth: float, progress: float) -> Tensor:
    """Pictures as large as they are by then: three quarters of their size at first.

    Args:
        inputs: ``(n, channels, height, width)``.
        model: That reads them; none gets smaller than it can read.
        growth: The recipe's.
        progress: Share of the training that is done, from 0 to 1.
    """
    if progress >= growth:
        return inputs
    size = [max(model.minimum_size, round(BEGINS * side)) for side in inputs.shape[2:]]
    return nn.functional.interpolate(inputs, size, mode="bilinear", antialias=True)


def mixed(
    inputs: Tensor, labels: Tensor, classes: int, recipe: Recipe, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mixup or CutMix where the recipe says so (each time one of both); targets become shares then, or where examples
    have weights, of which those of an example are shares.

    Args:
        inputs: ``(n, channels, *spatial)``; of CutMix pictures.
        labels: ``(n,)``.
        classes: How many there are.
        recipe: Its ``mixup`` and ``cutmix``.
        weights: ``(n,)``, of each example.
    """
    targets = labels if weights is None else nn.functional.one_hot(labels, classes) * weights[..., None]
    kinds = [kind for kind in ("mixup", "cutmix") if getattr(recipe, kind) > 0]
    if not kinds:
        return inputs, targets
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
    ones = nn.functional.one_hot(labels, classes).float() if weights is None else targets
    return inputs, torch.lerp(ones[partner], ones, share)


def averaged(state: State) -> GoogLeNet:
    """A copy of the network with the running mean of its weights."""
    old = state.model
    model = GoogLeNet(old.arch, old.num_classes, old.in_channels, len(old.auxiliary) > 0)
    model.load_state_dict(state.mean.tensors)
    return placed(model, next(state.model.parameters()).device)


def finished(task: Task, state: State) -> GoogLeNet:
    """The network to keep: the mean weights, with batch-norm statistics of the training part as it is.

    Args:
        task: The data and how they were trained on.
        state: At the end.
    """
    return with_norms_of(task, state, state.step * task.recipe.batch_size)


@torch.no_grad()
@torch.random.fork_rng(devices=())
def with_norms_of(task: Task, state: State, learned: int) -> GoogLeNet:
    """The mean weights with batch-norm statistics of the training part as it is, in evaluation mode.

    Those of the training itself are of weights that changed, and of examples that were changed; of a short one, in
    which pictures grew, they are hardly of these weights at all.

    Args:
        task: The data and how they are trained on.
        state: By then.
        learned: Examples whose training took thirty times as long as this may.
    """
    model, recipe = averaged(state), task.recipe
    norms = norms_of(model)
    if not norms or recipe.freeze == "norms":
        return model.eval()
    device = next(model.parameters()).device
    momenta, seen = [norm.momentum for norm in norms], 0
    for batch in task.training.plain(TOGETHER, _shown(task.examples, learned)):
        seen += len(batch.inputs)
        for norm in norms:
            norm.momentum = len(batch.inputs) / seen  # so that every example counts alike
        with torch.autocast(device.type, torch.bfloat16, enabled=in_bf16(recipe, device)):
            model(batch.inputs.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model.eval()


def _shown(examples: int, learned: int) -> Tensor:
    """Rows to take statistics of: a tenth as many as were learned from, which takes a thirtieth of the time, within
    bounds; shuffled, since a file may be sorted by class.

    Args:
        examples: That there are.
        learned: How many the training saw, each as often as it did.
    """
    rows = torch.randperm(examples, generator=torch.Generator().manual_seed(0))
    rows = rows[: min(max(TOGETHER, learned // 10), SHOWN)]
    return rows[:-1] if len(rows) % TOGETHER == 1 else rows  # batch norm has nothing to say of one


@torch.inference_mode()
def validate(task: Task, state: State, world: World) -> tuple[float, float]:
    """Loss, nats, and accuracy on the validation part by then.

    Args:
        task: With a validation part.
        state: After an epoch.
        world: The processes.
    """
    assert task.validation is not None
    model = with_norms_of(task, state, task.examples)
    bf16 = in_bf16(task.recipe, world.device)
    loss, correct, count = 0.0, 0, 0
    for batch in task.validation.plain():
        labels = batch.labels.to(world.device)
        with torch.autocast(world.device.type, torch.bfloat16, enabled=bf16):
            probabilities = mean_probabilities(model(batch.inputs.to(world.device)))
        loss += float(nll_loss(probabilities.clamp(min=1e-12).log(), labels, reduction="sum"))
        correct += int((probabilities.argmax(1) == labels).sum())
        count += len(labels)
    return loss / count, correct / count


def norms_of(model: nn.Module) -> list[_BatchNorm]:
    """Its batch norms."""
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


def placed(model: GoogLeNet, device: torch.device) -> GoogLeNet:
    """It on a device, in the layout that is fast there."""
    there: GoogLeNet = model.to(device, memory_format=layers.MEMORY_FORMAT[model.arch.dims])  # type: ignore[call-overload]
    return there
