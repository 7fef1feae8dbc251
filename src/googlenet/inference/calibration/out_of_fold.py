"""Probabilities of examples that were not learned from, where none can be spared: a smaller network learns from the
same training part, of which each member leaves a fold out and is asked about that."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from ...data.splits import folds_of
from ...nn.device import best_device
from ...training.distributed import World
from ...training.learner import finished
from ...training.loop import epochs, fresh_state
from ...training.progress import Report, silent
from ...training.task import Task
from .temperature import Labels, Probabilities

FOLDS = 4
SHARE = 0.5  # of the width, and of the epochs: a quarter of the time, and nearly the same temperature
SOURCE = "{:,} examples, each by a smaller network that left it out"


class LeftOut(NamedTuple):
    """What members say of the examples that they left out.

    Attributes:
        rows: ``(n,)``: which of the training part these are.
        probabilities: ``(n, classes)``.
        labels: ``(n,)``.
        source: What they are, for people.
    """

    rows: Labels
    probabilities: Probabilities
    labels: Labels
    source: str


def by_folds(task: Task, report: Report = silent) -> LeftOut | None:
    """What the members of a smaller network say of the training part; ``None`` where networks are not members, begin
    with weights or have a limit of time, or each class has one example alone.

    Args:
        task: What was trained on.
        report: Called now and then.
    """
    if not task.recipe.leaves_out:
        return None
    found = out_of_fold(task, report)
    return found if len(found.labels) else None


def out_of_fold(task: Task, report: Report = silent) -> LeftOut:
    """What each member of a smaller network says of the examples that it left out.

    Args:
        task: With a training part.
        report: Called now and then.
    """
    assert task.data.train is not None
    recipe = replace(
        task.recipe, members=FOLDS, width=SHARE * task.recipe.width, epochs=max(1, round(SHARE * task.recipe.epochs))
    )
    folds = folds_of(task.data.train, FOLDS, recipe.seed)
    smaller = replace(task, recipe=recipe, folds=torch.from_numpy(folds))
    world = World(0, 1, best_device())
    state = fresh_state(smaller, world)
    for _ in epochs(smaller, state, world, report):
        pass
    return _left_out(finished(smaller, state, world), smaller, folds)


@torch.inference_mode()
def _left_out(model: torch.nn.Module, task: Task, folds: Labels) -> LeftOut:
    device = next(model.parameters()).device
    found, labels, rows = [], [], []
    for batch in task.training.plain():
        member = folds[batch.rows.numpy()]
        left = np.flatnonzero(member >= 0)
        each = model(batch.inputs.to(device)).float().softmax(-1).cpu().numpy()
        found.append(each[left, member[left]])
        labels.append(batch.labels.numpy()[left])
        rows.append(batch.rows.numpy()[left])
    known = np.concatenate(labels)
    return LeftOut(np.concatenate(rows), np.concatenate(found), known, SOURCE.format(len(known)))
