"""One step of a training: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..data.images.batches import Batch
from ..errors import InputError
from ..nn.device import computes_in_bf16, keep_memory
from ..nn.googlenet import GoogLeNet
from .distributed import World
from .mixing import mixed
from .recipe import Recipe
from .state import State


class Diverged(InputError):
    """The loss became infinite or not a number."""


class Learner:
    """Trains a network batch by batch.

    Args:
        state: What is trained; a step changes it.
        recipe: How.
        world: The processes.
        class_weights: ``(classes,)``, of the loss, if any.
    """

    def __init__(self, state: State, recipe: Recipe, world: World, class_weights: Tensor | None) -> None:
        self.state, self.recipe, self.world = state, recipe, world
        self.class_weights = None if class_weights is None else class_weights.to(world.device)
        keep_memory()
        self.network: Callable[..., Any] = world.wrap(state.model)
        if recipe.compile:
            self.network = torch.compile(self.network)
        self.bf16 = in_bf16(recipe, world.device)

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
            group["lr"] = rate * group["scale"]
        state.optimizer.step()
        state.step += 1
        state.mean.update(state.model, state.step)
        accuracy = (output.logits.argmax(-1) == labels).float().mean()
        return torch.stack([loss.detach(), accuracy])

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        targets = targets.flatten(0, logits.ndim - 2)
        loss = cross_entropy(
            logits.float().flatten(0, -2),
            targets,
            weight=self.class_weights,
            label_smoothing=self.recipe.label_smoothing,
        )
        if self.class_weights is not None and not targets.is_floating_point():
            # It is over this process's sum of weights; what is wanted is over that of the whole batch.
            weight = self.class_weights[targets].sum()
            loss = loss * weight / self.world.mean(weight.clone())
        return loss


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
    return (
        f"The loss became {loss} at {where}: {began}. The last checkpoint is untouched. "
        "Try a smaller learning_rate, a longer warmup, clip=1, or precision=fp32."
    )
