"""All that a training is at the end of an epoch, on disk and back: what makes a run resumable bit for bit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..nn.googlenet import GoogLeNet
from ..weights.checkpoint import read_tensors, weights_of, write_tensors
from .optimizers import MuonWithAdamW, make_optimizer
from .recipe import Recipe
from .runs.records import EpochRow


class RunningMean:
    """An exponential moving average of a network's weights and statistics (the paper's Polyak averaging).

    The decay grows as ``(1 + step) / (10 + step)`` towards its limit, so that the start is forgotten. With a
    decay of 0 the mean is the weights themselves, and costs nothing.
    """

    def __init__(self, model: GoogLeNet, decay: float) -> None:
        self.decay = decay
        current = {key: tensor.detach() for key, tensor in model.state_dict().items()}
        self.tensors = {key: tensor.clone() for key, tensor in current.items()} if decay else current

    def update(self, model: GoogLeNet, step: int) -> None:
        """Moves the mean towards the model's weights."""
        if not self.decay:
            return
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        current = model.state_dict()
        moving = [key for key, tensor in self.tensors.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([self.tensors[key] for key in moving], [current[key] for key in moving], share)
        for key, tensor in self.tensors.items():
            if not tensor.is_floating_point():
                tensor.copy_(current[key])


@dataclass
class State:
    """A training between two epochs.

    Attributes:
        model: The network, as it is trained.
        mean: The running mean of its weights, which is what is kept in the end.
        optimizer: With its moments.
        epoch: Epochs done.
        step: Steps done.
        history: One row of metrics an epoch.
    """

    model: GoogLeNet
    mean: RunningMean
    optimizer: torch.optim.Optimizer | MuonWithAdamW
    epoch: int = 0
    step: int = 0
    history: list[EpochRow] = field(default_factory=list)

    @classmethod
    def beginning(cls, model: GoogLeNet, recipe: Recipe, pretrained: bool = False) -> State:
        """A training that has not begun.

        Args:
            model: The network; it is trained itself, not a copy.
            recipe: How.
            pretrained: Whether it came with weights.
        """
        return cls(model, RunningMean(model, recipe.ema), make_optimizer(model, recipe, pretrained))

    def save(self, path: Path, recipe: Recipe, **extra: Any) -> None:
        """Writes everything, atomically.

        Args:
            path: The file.
            recipe: Of the training.
            **extra: As for :func:`googlenet.save_weights`: what prediction with the mean needs.
        """
        tensors: dict[str, Tensor] = {}
        for key, tensor in self.model.state_dict().items():
            tensors[f"model/{key}"] = tensor
        if self.mean.decay:  # else it is the model
            tensors |= {f"mean/{key}": tensor for key, tensor in self.mean.tensors.items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            for key, value in moments.items():
                tensors[f"optimizer/{number}/{key}"] = value
        metadata = {
            "epoch": str(self.epoch),
            "step": str(self.step),
            "history": json.dumps([row.to_dict() for row in self.history]),
            "recipe": json.dumps(recipe.to_dict()),
            "weights": json.dumps(weights_of(self.model, **extra).header.to_metadata()),
        }
        write_tensors(path, tensors, metadata)

    def restore(self, path: Path) -> None:
        """Reads what :meth:`save` wrote of a training of the same network with the same recipe.

        Raises:
            InputError: If there is no such file, or it is damaged.
        """
        tensors, metadata = read_tensors(path)
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "mean": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            part, key = name.split("/", 1)
            parts[part][key] = tensor
        self.model.load_state_dict(parts["model"])
        for key, tensor in parts["mean"].items():
            self.mean.tensors[key].copy_(tensor)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["optimizer"].items():
            number, key = name.split("/")
            moments.setdefault(int(number), {})[key] = tensor
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": moments})
        for parameter, values in self.optimizer.state.items():
            for key, value in values.items():
                if value.shape == parameter.shape:  # a fused step goes through memory: the same layout
                    values[key] = torch.empty_like(parameter).copy_(value).detach()
        self.epoch, self.step = int(metadata["epoch"]), int(metadata["step"])
        self.history = [EpochRow(**row) for row in json.loads(metadata["history"])]
