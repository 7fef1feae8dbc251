"""The optimizers, with Muon, which PyTorch has for matrices only, and the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from ..nn.device import computes_in_bf16
from .recipe import Recipe

ITERATIONS = 3  # as in Jordan's own record on small pictures; five cost more and learn less, docs/tried.md
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def make_optimizer(model: nn.Module, recipe: Recipe, pretrained: bool = False) -> Optimizer | MuonWithAdamW:
    """SGD with Nesterov momentum, AdamW, or Muon; no weight decay on vectors: biases and norms. (The biases of members'
    classifiers are no vectors, and decay.)

    Every group has a ``scale``, by which the learning rate of its parameters is multiplied: ``body_rate`` for what is
    not a classifier in a network that came with weights, else 1.

    Args:
        model: What is trained.
        recipe: How.
        pretrained: Whether the network came with weights.
    """
    groups: dict[tuple[str, bool], dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        head = name.startswith(("classifier.", "auxiliary."))
        kind = "vector" if parameter.ndim <= 1 else "kernel" if parameter.ndim > 2 else "matrix"
        group = groups.setdefault((kind, head), {"params": []})
        group["params"].append(parameter)
        group["weight_decay"] = 0.0 if kind == "vector" else recipe.weight_decay
        group["scale"] = recipe.body_rate if pretrained and not head else 1.0
    rate = recipe.learning_rate
    if recipe.optimizer == "muon":
        kernels = groups.pop(("kernel", False)) | {"momentum": recipe.momentum}
        return MuonWithAdamW(kernels, list(groups.values()), rate)
    rows = list(groups.values())
    if recipe.optimizer == "sgd":
        return SGD(rows, lr=rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True)
    return AdamW(rows, lr=rate, fused=True)


class Muon(Optimizer):
    """Muon (Jordan et al. 2024) for convolutions.

    A kernel's step is its momentum, as a matrix of output channels by everything else, with all singular values
    brought near 1, times ``0.2 sqrt(larger side)``, which makes it as large as AdamW's, so that one learning rate and
    one weight decay serve both (Liu et al. 2025, section 2.2).

    Args:
        groups: Of kernels, with their ``weight_decay`` and ``momentum``.
        lr: Learning rate.
    """

    def __init__(self, groups: Sequence[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "momentum": 0.9})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of every kernel that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._step(group)
        return loss

    def _step(self, group: dict[str, Any]) -> None:
        kernels = [kernel for kernel in group["params"] if kernel.grad is not None]
        gradients = [kernel.grad for kernel in kernels]
        for kernel in kernels:
            if "momentum" not in self.state[kernel]:
                self.state[kernel]["momentum"] = torch.zeros_like(kernel)
        momenta = [self.state[kernel]["momentum"] for kernel in kernels]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        steps = torch._foreach_lerp(gradients, momenta, group["momentum"])  # Nesterov's
        torch._foreach_mul_(kernels, 1 - group["lr"] * group["weight_decay"])
        for kernel, step in zip(kernels, steps, strict=True):
            matrix = orthogonalised(step.flatten(1))
            kernel.add_(matrix.view(step.shape), alpha=-0.2 * max(matrix.shape) ** 0.5 * group["lr"])


class MuonWithAdamW:
    """Two optimizers that step together: Muon for the kernels of convolutions, AdamW for everything else.

    To the outside it is one of PyTorch's: groups, states, and a state dict whose numbers go through the kernels first.

    Args:
        kernels: The group for Muon.
        others: The groups for AdamW.
        lr: Learning rate of both.
    """

    def __init__(self, kernels: dict[str, Any], others: Sequence[dict[str, Any]], lr: float) -> None:
        self.parts: tuple[Optimizer, ...] = Muon([kernels], lr), AdamW(others, lr, fused=True)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of both, the very ones, so that a learning rate can be set in them."""
        return [group for part in self.parts for group in part.param_groups]

    @property
    def state(self) -> dict[Tensor, dict[str, Tensor]]:
        """What both keep of each parameter."""
        return {parameter: kept for part in self.parts for parameter, kept in part.state.items()}

    def step(self) -> None:
        """One step of both."""
        for part in self.parts:
            part.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """As of :class:`torch.optim.Optimizer`."""
        found: dict[str, Any] = {"state": {}, "param_groups": []}
        for start, part in self._numbered():
            own = part.state_dict()
            found["state"] |= {start + number: kept for number, kept in own["state"].items()}
            found["param_groups"] += [
                group | {"params": [start + number for number in group["params"]]} for group in own["param_groups"]
            ]
        return found

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Takes what :meth:`state_dict` gave."""
        groups = list(saved["param_groups"])
        for start, part in self._numbered():
            own, groups = groups[: len(part.param_groups)], groups[len(part.param_groups) :]
            numbers = [number for group in own for number in group["params"]]
            part.load_state_dict(
                {
                    "state": {number - start: saved["state"][number] for number in numbers if number in saved["state"]},
                    "param_groups": [
                        group | {"params": [number - start for number in group["params"]]} for group in own
                    ],
                }
            )

    def _numbered(self) -> list[tuple[int, Optimizer]]:
        """The number of its first parameter, and the optimizer."""
        kernels = sum(len(group["params"]) for group in self.parts[0].param_groups)
        return list(zip((0, kernels), self.parts, strict=True))


# What each keeps of a parameter: of the parameter's shape, or (a count of steps) one number.
_KEEPS: Mapping[type[Optimizer], tuple[str, ...]] = {
    SGD: ("momentum_buffer",),
    AdamW: ("step", "exp_avg", "exp_avg_sq"),
    Muon: ("momentum",),
}


def check_moments(optimizer: Optimizer | MuonWithAdamW, moments: Mapping[int, Mapping[str, Tensor]]) -> None:
    """That what was read of a file can be what this optimizer keeps of its parameters.

    Args:
        optimizer: As :func:`make_optimizer` makes it.
        moments: By a parameter's number, as its state dict has them.

    Raises:
        ValueError: If they are of other parameters, or of another optimizer.
    """
    keeps: list[tuple[Tensor, tuple[str, ...]]] = []
    for part in optimizer.parts if isinstance(optimizer, MuonWithAdamW) else (optimizer,):
        keeps += [(parameter, _KEEPS[type(part)]) for group in part.param_groups for parameter in group["params"]]
    for number, kept in moments.items():
        if not 0 <= number < len(keeps):
            raise ValueError(f"of {len(keeps)} parameters there is no number {number}")
        parameter, names = keeps[number]
        counts = {"step"} - set(names)  # the first checkpoints counted the steps of kernels, too
        if set(kept) - counts != set(names):
            raise ValueError(f"of parameter {number} it keeps {', '.join(kept)}, not {', '.join(names)}")
        for name, tensor in kept.items():
            if tensor.shape != (() if name == "step" else parameter.shape) or not tensor.is_floating_point():
                raise ValueError(f"{name} of parameter {number} is {tensor.dtype} of {tuple(tensor.shape)}")


def orthogonalised(matrix: Tensor) -> Tensor:
    """The matrix with its singular values brought near 1 by a Newton–Schulz iteration: from 0.68 to 1.21 where they are
    a fiftieth of its norm or more; smaller ones stay below.

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


def learning_rate(recipe: Recipe, progress: float, losses: Sequence[float]) -> float:
    """The learning rate: a linear climb, then what the schedule says.

    Args:
        recipe: Its schedule and its peak.
        progress: Share of the training that is done, from 0 to 1.
        losses: Of the epochs that are done.
    """
    if progress < recipe.warmup:
        return recipe.learning_rate * progress / recipe.warmup
    if recipe.schedule == "step":
        return float(recipe.learning_rate * 0.96 ** (len(losses) // 8))
    if recipe.schedule == "plateau":
        return max(recipe.learning_rate / 10, recipe.learning_rate * 0.5 ** plateaus(losses, 50))
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - recipe.warmup) / (1 - recipe.warmup)))


def plateaus(losses: Sequence[float], patience: int, least_gain: float = 1e-4) -> int:
    """How many times ``patience`` epochs went by without a loss below the best one by ``least_gain``.

    Args:
        losses: Of the epochs that are done.
        patience: Epochs.
        least_gain: What counts as below.
    """
    found = waited = 0
    least = math.inf
    for loss in losses:
        if loss < least - least_gain:
            least, waited = loss, 0
        else:
            waited += 1
        if waited == patience:
            found, waited = found + 1, 0
    return found
