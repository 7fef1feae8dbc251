"""The optimizers, and Muon, which PyTorch has for matrices only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..nn.device import computes_in_bf16
from .recipe import Recipe

MOMENTUM = 0.95  # of Muon
ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def make_optimizer(model: nn.Module, recipe: Recipe, pretrained: bool = False) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum, AdamW, or Muon; no weight decay on vectors: biases and norms. (The biases of members'
    classifiers are no vectors, and decay.)

    Every group has a ``scale``, by which the learning rate of its parameters is multiplied: ``body_rate`` for what is
    not a classifier in a network that came with weights, else 1.
    """
    groups: dict[tuple[str, bool], dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        head = name.startswith(("classifier.", "auxiliary."))
        kind = "vector" if parameter.ndim <= 1 else "kernel" if parameter.ndim > 2 else "matrix"
        group = groups.setdefault((kind, head), {"params": []})
        group["params"].append(parameter)
        group["weight_decay"] = 0.0 if kind == "vector" else recipe.weight_decay
        group["scale"] = recipe.body_rate if pretrained and not head else 1.0
        group["orthogonal"] = kind == "kernel" and not head
    rows = list(groups.values())
    rate = recipe.learning_rate
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(rows, lr=rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True)
    return (Muon if recipe.optimizer == "muon" else torch.optim.AdamW)(rows, lr=rate, fused=True)


class Muon(torch.optim.AdamW):
    """Muon (Jordan et al. 2024) for the groups marked ``orthogonal``, AdamW for the others.

    A kernel's step is its momentum, as a matrix of output channels by everything else, with all singular values
    brought near 1, times ``0.2 sqrt(larger side)``, which makes it as large as AdamW's, so that one learning rate and
    one weight decay serve both (Liu et al. 2025, section 2.2).
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of every group."""
        groups = self.param_groups
        self.param_groups = [group for group in groups if not group["orthogonal"]]
        loss = super().step(closure)
        self.param_groups = groups
        for group in groups:
            if group["orthogonal"]:
                self._step_kernels(group)
        return loss

    def _step_kernels(self, group: dict[str, Any]) -> None:
        kernels = [kernel for kernel in group["params"] if kernel.grad is not None]
        gradients = [kernel.grad for kernel in kernels]
        for kernel in kernels:
            if not self.state[kernel]:
                self.state[kernel]["step"] = torch.zeros(())  # AdamW's loading of states asks for it
                self.state[kernel]["momentum"] = torch.zeros_like(kernel)
        momenta = [self.state[kernel]["momentum"] for kernel in kernels]
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        steps = torch._foreach_lerp(gradients, momenta, MOMENTUM)  # Nesterov's
        torch._foreach_mul_(kernels, 1 - group["lr"] * group["weight_decay"])
        for kernel, step in zip(kernels, steps, strict=True):
            matrix = orthogonalised(step.flatten(1))
            kernel.add_(matrix.view(step.shape), alpha=-0.2 * max(matrix.shape) ** 0.5 * group["lr"])


def orthogonalised(matrix: Tensor) -> Tensor:
    """The matrix with its singular values brought near 1, between 0.7 and 1.2, by a Newton–Schulz iteration.

    Args:
        matrix: ``(rows, columns)``.
    """
    a, b, c = COEFFICIENTS
    x = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = x / (x.norm() + 1e-7)
    if computes_in_bf16(matrix.device):
        x = x.to(torch.bfloat16)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    x = x.to(matrix.dtype)
    return x if matrix.shape[0] <= matrix.shape[1] else x.T
