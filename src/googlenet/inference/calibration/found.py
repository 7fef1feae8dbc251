"""How sure a trained network may be, and how loud the kernels that answer with it, from examples that neither has
learned from; and what may be measured of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...data.protocol import ExampleSet, Floats, Preprocessing
from ...nn.googlenet import GoogLeNet
from ...training.progress import Report, silent
from ...training.task import Task
from ..evaluate import Labels, Probabilities, predicted
from ..pipeline import Pipeline
from ..predictor import Predictor
from .competing import SHARE, Opinion, fitted_share, together
from .out_of_fold import by_folds
from .temperature import UNKNOWN, Calibration, calibrated, expected, halves, tempered

SOURCE = "{:,} examples that were held out"


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes:
        calibration: Of the network with its kernels.
        share: How loud these are.
    """

    calibration: Calibration = UNKNOWN
    share: float = SHARE

    def pipeline(self, model: GoogLeNet, preprocessing: Preprocessing, opinion: Opinion | None) -> Pipeline:
        """The network with its kernels, calibrated.

        Args:
            model: The network.
            preprocessing: What both read.
            opinion: The kernels, if there are any.
        """
        beside = [] if opinion is None else [opinion.kernels.scaled(self.share)]
        return Pipeline([model], preprocessing, self.calibration, beside)


@dataclass(frozen=True)
class Answers:
    """What a network says of labelled examples, and kernels beside it.

    Attributes:
        probabilities: ``(n, classes)``, of the network, as they are.
        labels: ``(n,)``.
        said: ``(n, classes)``, by kernels, if there are any.
    """

    probabilities: Probabilities
    labels: Labels
    said: Floats | None = None

    def at(self, found: Found) -> Probabilities:
        """What both say together, at its temperature."""
        return tempered(together(self.probabilities, self.said, found.share), found.calibration.temperature)

    def of(self, rows: Labels) -> Answers:
        """Some of them."""
        said = None if self.said is None else self.said[rows]
        return Answers(self.probabilities[rows], self.labels[rows], said)

    def found(self, source: str, prior: float) -> Found:
        """What they say, which were not learned from.

        Args:
            source: What they are, for people.
            prior: The temperature that is expected, see :func:`~.temperature.expected`.
        """
        share = fitted_share(self.probabilities, self.said, self.labels)
        both = together(self.probabilities, self.said, share)
        return Found(calibrated(both, self.labels, source, prior), share)

    def crossed(self, prior: float) -> Probabilities:
        """Of each half what both say as the other half has it: what is measured is not fitted to itself."""
        answer = np.empty_like(self.probabilities)
        for here, there in halves(len(self.labels)):
            answer[here] = self.of(here).at(self.of(there).found("", prior))
        return answer


def answers_of(task: Task, plain: Predictor, part: ExampleSet, opinion: Opinion | None) -> Answers:
    """What a network says of a part, and kernels beside it.

    Args:
        task: What they learned from.
        plain: The network, without calibration.
        part: Labelled examples.
        opinion: The kernels, if there are any.
    """
    said = None if opinion is None else opinion.of(part, task)
    return Answers(*predicted(plain, part, task.data.classes), said)


def by_training(task: Task, opinion: Opinion | None, report: Report = silent) -> Found:
    """What smaller networks find out on the training part, of whose examples each leaves some out; see
    :func:`~.out_of_fold.by_folds`.

    Args:
        task: What was trained on.
        opinion: Kernels that answer with the network, if any.
        report: Called now and then.
    """
    left_out = by_folds(task, report)
    if left_out is None:
        return Found()
    rows, probabilities, labels, source = left_out
    answers = Answers(probabilities, labels, None if opinion is None else opinion.left_out[rows])
    if answers.said is not None:
        answers = answers.of(np.flatnonzero(np.isfinite(answers.said).all(1)))
    return answers.found(source, expected(task.recipe))


def found_on(
    task: Task,
    plain: Predictor,
    rows: Sequence[int],
    measured: Answers,
    opinion: Opinion | None,
    report: Report = silent,
) -> tuple[Found, Probabilities]:
    """What examples say that were not learned from: those of the validation part; where there is none, those that
    smaller networks leave out.

    Args:
        task: What the network was trained on.
        plain: It, with its probabilities as they are.
        rows: Of the validation part, those that it did not learn from.
        measured: Of the part to evaluate on.
        opinion: Kernels that answer with the network, if any.
        report: Called now and then, where networks learn for it.

    Returns:
        It, and the probabilities to measure, of which none is as something was fitted to it.
    """
    data, prior = task.data, expected(task.recipe)
    if not task.recipe.calibrate:
        found = Found()
    elif data.validation is None:
        found = by_training(task, opinion, report)
    elif not rows:
        found = Found()
    elif data.test is None:  # it is what is measured
        return measured.found(SOURCE.format(len(rows)), prior), measured.crossed(prior)
    else:
        answers = answers_of(task, plain, data.validation.subset(rows), opinion)
        found = answers.found(SOURCE.format(len(rows)), prior)
    return found, measured.at(found)
