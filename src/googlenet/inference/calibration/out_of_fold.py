"""Probabilities of examples that were not learned from, where none can be spared: a smaller network learns from the
same training part, of which each member leaves a fold out and is asked about that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ...data.splits import alike, counted, folds_of
from ...nn.device import best_device
from ...nn.googlenet import together
from ...training.distributed import World
from ...training.learner import finished
from ...training.loop import epochs
from ...training.progress import Report, silent
from ...training.start.fresh import fresh_state
from ...training.task import Task
from .competing import Opinion
from .temperature import UNKNOWN, Calibration, Labels, Probabilities, calibrated, expected

FOLDS = 4
SHARE = 0.5  # of the width, and of the epochs: a quarter of the time, and nearly the same temperature
SOURCE = "{:,} examples, each by a smaller network that left it out"
OTHERS = "networks of other data, as no class has two examples that are apart"


def by_folds(task: Task, opinion: Opinion | None = None, report: Report = silent) -> Calibration:
    """What a smaller network finds out on the training part, or where no class has two examples what is expected;
    nothing where networks are not members, begin with weights or have a limit of time.

    Args:
        task: What was trained on.
        opinion: What kernels that answer with the network say of examples that they did not see, if there are any.
        report: Called now and then.
    """
    recipe = task.recipe
    if not recipe.leaves_out:
        return UNKNOWN
    rows, probabilities, labels = out_of_fold(task, report)
    if opinion is not None:
        said = opinion.left_out[rows]
        known = np.isfinite(said).all(1)
        both = together(torch.from_numpy(probabilities[known]), torch.from_numpy(said[known]))
        probabilities, labels, rows = both.numpy(), labels[known], rows[known]
    if not len(labels):
        return Calibration(expected(recipe).temperature, OTHERS)
    assert task.data.train is not None
    part = task.data.train.subset(rows.tolist())
    source = SOURCE.format(len(labels)) + counted(part)
    return calibrated(probabilities, labels, source, expected(recipe), alike(part))


def out_of_fold(task: Task, report: Report = silent) -> tuple[Labels, Probabilities, Labels]:
    """Rows ``(n,)``, probabilities ``(n, classes)`` and labels ``(n,)`` of the examples that a member left out.

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
    return _left_out(finished(smaller, state), smaller, folds)


@torch.inference_mode()
def _left_out(model: torch.nn.Module, task: Task, folds: Labels) -> tuple[Labels, Probabilities, Labels]:
    device = next(model.parameters()).device
    rows, found, labels = [], [], []
    for batch in replace(task, folds=None).training.plain():
        member = folds[batch.rows.numpy()]
        left = np.flatnonzero(member >= 0)
        each = model(batch.inputs.to(device)).float().softmax(-1).cpu().numpy()
        rows.append(batch.rows.numpy()[left])
        found.append(each[left, member[left]])
        labels.append(batch.labels.numpy()[left])
    return np.concatenate(rows), np.concatenate(found), np.concatenate(labels)
