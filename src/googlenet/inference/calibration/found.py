"""The calibration of a trained network, and what may be measured of the examples that it was found on."""

from __future__ import annotations

from collections.abc import Sequence

from ...training.progress import Report, silent
from ...training.task import Task
from ..evaluate import Labels, Probabilities, predicted
from ..predictor import Predictor
from .out_of_fold import by_folds
from .temperature import UNKNOWN, Calibration, calibrated, crossed, expected, tempered

SOURCE = "{:,} examples that were held out"


def calibration_of(
    task: Task,
    plain: Predictor,
    rows: Sequence[int],
    probabilities: Probabilities,
    labels: Labels,
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
        report: Called now and then, where networks learn for it.

    Returns:
        It, and the probabilities to measure, of which none is at a temperature that was fitted to it.
    """
    data, recipe, prior = task.data, task.recipe, expected(task.recipe)
    if not recipe.calibrate:
        return UNKNOWN, probabilities
    if data.validation is None:
        found = by_folds(task, report)
        return found, tempered(probabilities, found.temperature)
    if not rows:
        return UNKNOWN, probabilities
    if data.test is None:  # it is what is measured
        found = calibrated(probabilities, labels, SOURCE.format(len(rows)), prior)
        return found, crossed(probabilities, labels, prior)
    answers = predicted(plain, data.validation.subset(rows), data.classes)
    found = calibrated(*answers, SOURCE.format(len(rows)), prior)
    return found, tempered(probabilities, found.temperature)
