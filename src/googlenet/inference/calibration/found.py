"""The calibration of a trained network, and what may be measured of the examples that it was found on."""

from __future__ import annotations

from collections.abc import Sequence

from ...data.splits import alike, counted
from ...nn.googlenet import GoogLeNet
from ...training.progress import Report, silent
from ...training.task import Task
from ..evaluate import predicted
from ..pipeline import Pipeline
from ..predictor import Predictor
from .competing import Opinion, opinion_of
from .out_of_fold import by_folds
from .temperature import UNKNOWN, Calibration, Labels, Probabilities, calibrated, crossed, expected

SOURCE = "{:,} examples that were held out"


def by_training_part(task: Task, model: GoogLeNet, fresh: bool) -> Pipeline:
    """A network with the kernels that answer with it, calibrated by what the training part says.

    Args:
        task: What was trained on.
        model: The network.
        fresh: Whether it knows these examples alone; of one that knew others they say nothing.
    """
    opinion = opinion_of(task)
    calibration = by_folds(task, opinion) if fresh else UNKNOWN
    return Pipeline([model], task.preprocessing, calibration, [] if opinion is None else [opinion.kernels])


def calibration_of(
    task: Task,
    plain: Predictor,
    rows: Sequence[int],
    probabilities: Probabilities,
    labels: Labels,
    opinion: Opinion | None = None,
    report: Report = silent,
) -> tuple[Calibration, Probabilities]:
    """What examples say that were not learned from: those of the validation part; where there is none, those that
    smaller networks leave out.

    Args:
        task: What the network was trained on.
        plain: It, with its probabilities as they are.
        rows: Of the validation part, those that it did not learn from.
        probabilities: ``(n, classes)`` of the part to evaluate on, as they are.
        labels: ``(n,)``, of the same.
        opinion: Of kernels that answer with the network, if there are any.
        report: Called now and then, where networks learn for it.

    Returns:
        It, and the probabilities to measure, of which none by what was fitted to it.
    """
    data, recipe, prior = task.data, task.recipe, expected(task.recipe)
    if not recipe.calibrate:
        return UNKNOWN, probabilities
    if data.validation is None:
        found = by_folds(task, opinion, report)
        return found, found.applied(probabilities)
    if not rows:
        return UNKNOWN, probabilities
    part = data.validation.subset(rows)
    source, groups = SOURCE.format(len(rows)) + counted(part), alike(part)
    if data.test is None:  # it is what is measured
        found = calibrated(probabilities, labels, source, prior, groups)
        return found, crossed(probabilities, labels, prior, groups)
    answers = predicted(plain, part, data.classes)
    found = calibrated(*answers, source, prior, groups)
    return found, found.applied(probabilities)
