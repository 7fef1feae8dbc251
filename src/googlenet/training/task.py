"""What a training is of: data, and how a network reads them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from .._version import __version__
from ..data.protocol import Dataset, Loader, Preprocessing
from ..data.splits import fingerprint
from ..weights.create import read_source
from .recipe import Recipe
from .runs.folder import Run
from .runs.origin import digest_said, learned_by, run_of
from .runs.reading import NOTHING, Learned
from .runs.records import RunRecord


@dataclass(frozen=True)
class Task:
    """Data as the loop sees them, of whatever kind.

    Attributes:
        data: The data set; it has a training part.
        recipe: How to train.
        preprocessing: What the network is to see.
        weights: What each example of the training part counts in the loss, ``(N,)``, above 0, with a mean of 1;
            ``None`` where all count alike.
        folds: ``(N,)``: the member that never learns from each; ``None`` where all learn from all.
    """

    data: Dataset
    recipe: Recipe
    preprocessing: Preprocessing
    weights: Tensor | None = None
    folds: Tensor | None = None

    @property
    def channels(self) -> int:
        """Of the network's input, or each member's."""
        return self.preprocessing.input_shape[0]

    @property
    def size(self) -> tuple[int, ...]:
        """Of the network's input, along its spatial axes."""
        return self.preprocessing.input_shape[1:]

    @property
    def examples(self) -> int:
        """How many there are to learn from."""
        return len(self.data.train or ())

    @cached_property
    def fingerprint(self) -> str:
        """Of the data: which examples there are, see :func:`~googlenet.data.splits.fingerprint`."""
        return fingerprint(self.data)

    @cached_property
    def training(self) -> Loader:
        """Batches of the training part."""
        assert self.data.train is not None
        loader = self.data.train.loader(self.preprocessing, self.recipe)
        return loader if self.folds is None else loader.leaving_out(self.folds)

    @cached_property
    def validation(self) -> Loader | None:
        """Batches of the validation part, if there is one."""
        part = self.data.validation
        return None if part is None else part.loader(self.preprocessing, self.recipe)


def task_for(data: Dataset, recipe: Recipe, preprocessing: Preprocessing | None = None) -> Task:
    """The data as the loop sees them.

    Args:
        data: With a training part.
        recipe: How to train.
        preprocessing: What a network that is to be trained on has seen; ``None`` to fit it to the data.

    Raises:
        InputError: If the recipe or the preprocessing is not for data of this kind.
    """
    assert data.train is not None
    task = Task(data, recipe, data.train.fitted(recipe) if preprocessing is None else preprocessing)
    _ = task.training, task.validation  # which say whether they go together
    return task


def run_record(task: Task) -> RunRecord:
    """Everything that makes this run, and what prediction needs."""
    data = task.data
    return RunRecord(
        data=data.name,
        fingerprint=task.fingerprint,
        examples={name: len(part) for name, part in data.parts.items()},
        classes=list(data.classes),
        preprocessing=task.preprocessing.to_dict(),
        recipe=task.recipe.to_dict(),
        bad_files=[{"path": bad.path, "reason": bad.reason} for bad in data.bad],
        googlenet=__version__,
        torch=str(torch.__version__),
    )


def what_it_says(task: Task, run: Run) -> dict[str, Any]:
    """What the weights of a run say beside their architecture."""
    preprocessing = task.preprocessing.to_dict()
    return {"classes": task.data.classes, "preprocessing": preprocessing, "learned": run.learned_digest}


def learned_before(recipe: Recipe) -> Learned:
    """What the weights that a training begins with learned from; public ones of others are taken to be known."""
    start = recipe.weights
    if not start:
        return NOTHING
    said = digest_said(read_source(start).header.extra)
    found = learned_by(start, [said])
    return found if said or run_of(start) is not None else Learned(found.contents)


def learned_from(task: Task) -> Learned:
    """What the network has seen at the end, by content: the training part, and what a run learned from whose weights
    it begins with."""
    before = learned_before(task.recipe)
    if not before.whole:
        warnings.warn(
            f"What {task.recipe.weights} learned from is not known: evaluate may measure examples of it.",
            RuntimeWarning,
            stacklevel=1,
        )
    own = () if task.data.train is None else task.data.train.contents
    return Learned(before.contents.union(own), before.whole)
