"""All that a training is at the end of an epoch, on disk and back: what makes a run resumable bit for bit."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError, parsed, short
from ..files import unused
from ..nn.googlenet import GoogLeNet
from ..weights.checkpoint import check_finite, check_tensors, weights_of
from ..weights.foreign.safetensors import read_tensors, write_tensors
from .optimizers import MuonWithAdamW, check_moments, make_optimizer
from .recipe import Recipe
from .runs.folder import Run
from .runs.records import EpochRow

_ANEW = "Train anew, into another folder (--out)."


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
    """A training between two epochs, or within a long one.

    Attributes:
        model: The network, as it is trained.
        mean: The running mean of its weights, which is what is kept in the end.
        optimizer: With its moments.
        epoch: Epochs done.
        step: Steps done.
        done: Of them those of the epoch that is under way; 0 between two.
        totals: Of these the sums of losses and of accuracies.
        seconds: That they took.
        history: One row of metrics an epoch.
    """

    model: GoogLeNet
    mean: RunningMean
    optimizer: torch.optim.Optimizer | MuonWithAdamW
    epoch: int = 0
    step: int = 0
    done: int = 0
    totals: tuple[float, float] = (0.0, 0.0)
    seconds: float = 0.0
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

    def save(
        self, path: Path, recipe: Recipe, fingerprint: str = "", norms: Mapping[str, Tensor] | None = None, **extra: Any
    ) -> None:
        """Writes everything, atomically.

        Args:
            path: The file.
            recipe: Of the training.
            fingerprint: Of its examples.
            norms: Batch-norm statistics with which the mean predicts, if this training is stopped; going on needs none.
            **extra: As for :func:`googlenet.save_weights`: what prediction with the mean needs.
        """
        tensors: dict[str, Tensor] = {}
        for key, tensor in self.model.state_dict().items():
            tensors[f"model/{key}"] = tensor
        if self.mean.decay:  # else it is the model
            tensors |= {f"mean/{key}": tensor for key, tensor in self.mean.tensors.items()}
        tensors |= {f"norms/{key}": tensor for key, tensor in (norms or {}).items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            for key, value in moments.items():
                tensors[f"optimizer/{number}/{key}"] = value
        metadata = {
            "epoch": str(self.epoch),
            "step": str(self.step),
            "done": json.dumps([self.done, *self.totals, self.seconds]),
            "history": json.dumps([row.without_time() for row in self.history]),
            "recipe": json.dumps(recipe.to_dict()),
            "fingerprint": fingerprint,
            "weights": json.dumps(weights_of(self.model, **extra).header.to_metadata()),
        }
        write_tensors(path, tensors, metadata)

    def restore(self, path: Path, recipe: Recipe | None = None, fingerprint: str = "") -> None:
        """Reads what :meth:`save` wrote of a training of the same network; nothing is changed unless all of it fits.

        Args:
            path: The file.
            recipe: Of this training, which but for its length is to be the file's; ``None`` for any.
            fingerprint: Of its examples, as well; empty for any.

        Raises:
            InputError: If there is no such file, or it is damaged or of another training.
        """
        tensors, metadata = read_tensors(path)
        try:
            epoch, step, history = _progress_of(metadata)
            done, totals, seconds = _under_way(metadata, step)
            of = parsed(metadata["recipe"])
            if recipe is not None and recipe.changed_from(of):
                raise InputError(f"{path} is of another recipe than this training. Bring back the one that was there.")
            if fingerprint and metadata.get("fingerprint") not in (None, "", fingerprint):
                raise InputError(f"{path} is of other examples than this training. Bring back the one that was there.")
            parts = self._parts_of(tensors, path)
            moments = _moments_of(parts["optimizer"])
            check_moments(self.optimizer, moments)
            check_finite(tensors, path)
        except InputError:
            raise
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise InputError(f"{path} is no checkpoint that a training can go on from ({error}).") from error
        self.model.load_state_dict(parts["model"])
        for key, tensor in parts["mean"].items():
            self.mean.tensors[key].copy_(tensor)
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": moments})
        for parameter, values in self.optimizer.state.items():
            for key, value in values.items():
                if value.shape == parameter.shape:  # a fused step goes through memory: the same layout
                    values[key] = torch.empty_like(parameter).copy_(value).detach()
        self.epoch, self.step, self.history = epoch, step, history
        self.done, self.totals, self.seconds = done, totals, seconds

    def _parts_of(self, tensors: Mapping[str, Tensor], path: Path) -> dict[str, dict[str, Tensor]]:
        """The tensors of a checkpoint, by what they are of; those of the network and its mean fit."""
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "mean": {}, "norms": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            part, _, key = name.partition("/")
            parts[part][key] = tensor
        wanted = self.model.state_dict()
        shapes = {key: tuple(tensor.shape) for key, tensor in wanted.items()}
        for part in ("model", "mean") if self.mean.decay else ("model",):
            check_tensors(parts[part], shapes, str(path))
            if other := [key for key, tensor in parts[part].items() if tensor.dtype != wanted[key].dtype]:
                raise ValueError(f"{other[0]} is {parts[part][other[0]].dtype}")
        if parts["mean"] and not self.mean.decay:
            raise ValueError("it keeps a mean, and this training none")
        return parts


def _progress_of(metadata: Mapping[str, str]) -> tuple[int, int, list[EpochRow]]:
    """Epochs, steps and the row of each epoch that a checkpoint says are done."""
    epoch, step = int(metadata["epoch"]), int(metadata["step"])
    history = [EpochRow(**row) for row in parsed(metadata["history"])]
    if epoch != len(history) or [row.epoch for row in history] != list(range(1, epoch + 1)):
        raise ValueError(f"it says {short(epoch)} epochs are done, and tells of {len(history)}")
    if not 0 <= step < 2**53:
        raise ValueError(f"it says {short(step)} steps are done")
    return epoch, step, history


def _under_way(metadata: Mapping[str, str], step: int) -> tuple[int, tuple[float, float], float]:
    """How far the epoch is that a checkpoint was written in; files of before were written between two, or did not say
    how long it took."""
    done, *numbers = parsed(metadata.get("done", "[0, 0, 0]"))
    loss, accuracy, seconds = map(float, numbers if len(numbers) == 3 else [*numbers, 0])
    if not isinstance(done, int) or not 0 <= done <= step:
        raise ValueError(f"it says {short(done)} steps of an epoch are done")
    if not 0 <= seconds < math.inf:
        raise ValueError(f"it says these took {seconds} seconds")
    return done, (loss, accuracy), seconds


def _moments_of(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """What an optimizer keeps, by the number of the parameter."""
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, key = name.partition("/")
        moments.setdefault(int(number), {})[key] = tensor
    return moments


def go_on(state: State, run: Run, recipe: Recipe, fingerprint: str) -> tuple[Path | None, list[str]]:
    """Has a training go on from the newest checkpoint of its run that is whole; from the beginning if there is none.

    Args:
        state: It, not begun; is changed.
        run: The folder.
        recipe: How it is trained.
        fingerprint: Of its examples.

    Returns:
        The checkpoint, if there is one, and sentences to say aloud.

    Raises:
        InputError: If none is whole, or the run is finished and has none.
    """
    if not run.checkpoint.exists() and not run.previous.exists():
        if run.weights.exists():
            raise InputError(
                f"{run.path} has no {run.checkpoint.name} to go on from. Begin a training with its weights: --weights "
                f"{run.path}, into another folder (--out)."
            )
        return None, []
    source, said = run.checkpoint, []
    try:
        state.restore(run.checkpoint, recipe, fingerprint)
    except InputError as error:
        source = run.previous
        if not source.exists():
            raise InputError(f"{error} There is no checkpoint before it. {_ANEW}") from error
        try:
            state.restore(source, recipe, fingerprint)
        except InputError as other:
            raise InputError(f"{error} {other} {_ANEW}") from error
        said.append(f"{error} The training goes on from {source.name}, after epoch {state.epoch}.")
    state.history = run.timed(state.history)
    if recipe.max_seconds and not all(row.seconds for row in state.history):
        said.append(f"{run.path} does not say how long all of its epochs took: those count as no time.")
    return source, said


def make_newest(source: Path, run: Run) -> None:
    """Has the checkpoint that a training goes on from take the place of a damaged one, which would be kept for it.

    Raises:
        InputError: If it cannot.
    """
    try:
        source.replace(run.checkpoint)
    except OSError as error:
        raise InputError(f"{run.checkpoint} could not be written: {error.strerror}. Move it away.") from error


def keep_previous(run: Run) -> None:
    """Gives the checkpoint that there is a second name, until the next one is whole and takes the first.

    Raises:
        InputError: If it cannot be.
    """
    if not run.checkpoint.is_file():
        return
    second = unused(run.previous)
    try:
        try:
            os.link(run.checkpoint, second)
            second.replace(run.previous)
            second.unlink(missing_ok=True)  # it is still there where both were one file already
        except OSError:  # a file has one name only here
            second.unlink(missing_ok=True)
            run.checkpoint.replace(run.previous)
    except OSError as error:
        raise InputError(f"{run.previous} could not be written: {error.strerror}.") from error
