"""The section *Look inside* of a report: what passes through the branches, for answers that the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arch.cost import cost
from ...data.protocol import ExampleSet
from ...explain.branches.contributions import Contributions, branch_contributions
from ...explain.branches.scales import scales
from ...inference.pipeline import Pipeline
from ...inference.predictor import read_example

SHOWN = 4  # examples whose branches are weighed, at most
POINTS = 64  # of the path of each, at most
WORK = 100_000_000_000  # multiply-adds of all these points: some ten seconds of a core
CLOSES = 0.05  # of the difference: how far sums may be from it in a mean that is shown in whole percent


@dataclass(frozen=True)
class Share:
    """What passes through a branch of a module.

    Attributes:
        percent: Of the difference between two logits; ``None`` where a module has no such branch.
        strength: Of its colour, from 0 to 1.
    """

    percent: float | None
    strength: float


@dataclass(frozen=True)
class Inside:
    """Shares of branches, in the mean over some examples.

    Attributes:
        count: Examples.
        mistakes: Whether they are the surest mistakes; else the surest right answers.
        branches: Names of the columns.
        modules: Rows by name.
    """

    count: int
    mistakes: bool
    branches: Sequence[str]
    modules: Mapping[str, Sequence[Share]]


def look_inside(
    pipeline: Pipeline, part: ExampleSet, probabilities: npt.NDArray[Any], labels: npt.NDArray[np.int64]
) -> Inside | None:
    """Weighs the branches for the surest mistakes, or, where there is none, the surest right answers: what was said
    against the runner-up.

    Args:
        pipeline: Of one network.
        part: The examples.
        probabilities: ``(n, classes)``.
        labels: ``(n,)``.

    Returns:
        The shares; ``None`` where there are no two classes to choose between, or a network so large, or so far from
        having learned, that no sum closes in the time that a report may take.
    """
    shown = min(SHOWN, WORK // (POINTS * _work(pipeline)))
    if probabilities.shape[1] < 2 or not shown:
        return None
    order = np.argsort(-probabilities, axis=1, kind="stable")
    surest = np.argsort(-probabilities.max(1), kind="stable")
    wrong = [row for row in surest.tolist() if order[row, 0] != labels[row]]
    rows = (wrong or surest.tolist())[:shown]
    some = part.subset(rows).examples(pipeline.preprocessing)
    inputs = np.concatenate([read_example(example, pipeline.preprocessing) for example in some])
    best, second = order[rows, 0].tolist(), order[rows, 1].tolist()
    weighed = branch_contributions(pipeline, inputs, best, second, CLOSES, POINTS)
    found = [each for each in weighed if each.error <= CLOSES * abs(each.difference)]
    return _of(found, probabilities.shape[1], bool(wrong)) if found else None


def _of(found: Sequence[Contributions], classes: int, mistakes: bool) -> Inside:
    """The mean of contributions, for the page."""
    modules = scales(found, list(map(str, range(classes)))).modules
    names = list(dict.fromkeys(name for row in modules.values() for name in row))
    most = max(abs(value) for row in modules.values() for value in row.values()) or 1.0
    shares = {
        module: [Share(row.get(name), abs(row.get(name, 0.0)) / most) for name in names]
        for module, row in modules.items()
    }
    return Inside(len(found), mistakes, names, shares)


def _work(pipeline: Pipeline) -> int:
    """Multiply-adds for one example."""
    channels, *size = pipeline.preprocessing.input_shape
    return sum(cost(model.arch, size, in_channels=channels).macs for model in pipeline.networks)
