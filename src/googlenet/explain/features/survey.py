"""What of a data set excites objectives the most, and what its values are like: each example is looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch

from ...data.parallel import ahead, groups
from ...data.protocol import Array, Example, ExampleSet, Watch, unwatched
from ...errors import InputError, short
from ...inference.pipeline import Pipeline
from ...inference.predictor import read_example
from .objectives import Objective
from .painting import Measured, Statistics
from .probe import Probe

SHOWN = 3  # examples beside what is drawn


@dataclass(frozen=True)
class Best:
    """The examples that excite an objective the most, the most exciting first.

    Attributes:
        rows: Of the set.
        names: Where each comes from.
        activations: How much each excites it.
        inputs: ``(examples, *input_shape)``, prepared.
    """

    rows: tuple[int, ...]
    names: tuple[str, ...]
    activations: tuple[float, ...]
    inputs: Array


@dataclass(frozen=True)
class Survey:
    """What was found in a set.

    Attributes:
        rows: Of each objective, the examples that excite it the most: ``(objectives, shown)``.
        activations: How much each does.
        statistics: Of all examples' values.
        examples: How many there are.
    """

    rows: Array
    activations: Array
    statistics: Statistics
    examples: int


def survey(
    pipeline: Pipeline, part: ExampleSet, objectives: Sequence[Objective], shown: int = SHOWN, watch: Watch = unwatched
) -> Survey:
    """Looks through a set.

    Args:
        pipeline: Of one network.
        part: One example at least.
        objectives: Of it.
        shown: How many examples are kept for each objective.
        watch: Wraps the numbers of the batches.

    Raises:
        InputError: If an example cannot be read.
    """
    preprocessing = pipeline.preprocessing
    canvas = preprocessing.canvas()
    probes = [
        (Probe(pipeline, place), list(same))
        for place, same in groupby(objectives, key=lambda objective: objective.place)
    ]
    found, measured = [], Measured(canvas)
    batch = preprocessing.most
    batches = ahead(lambda some: _read(some, pipeline), groups(part.examples(preprocessing), batch))
    for _, inputs in zip(watch(range(-(-len(part) // batch)), "training examples searched"), batches, strict=True):
        measured.add(canvas.values(inputs).float())
        with torch.inference_mode():
            columns = [
                torch.stack([each.of(outputs) for each in same], 1)
                for probe, same in probes
                for outputs in (probe(inputs),)
            ]
            found.append(torch.cat(columns, 1).cpu())
    excited = torch.cat(found).T
    if not excited.isfinite().all():
        raise InputError(
            f"Examples of the data excite {short(objectives[0].name)}, or what follows it, by no finite number. The "
            "weights are damaged, or too large; check the run, as by googlenet evaluate."
        )
    best = excited.sort(dim=1, descending=True, stable=True)
    count = min(shown, len(part))
    return Survey(best.indices[:, :count].numpy(), best.values[:, :count].numpy(), measured.statistics(), len(part))


def best_of(part: ExampleSet, found: Survey, pipeline: Pipeline) -> list[Best]:
    """The examples of a survey, read once more.

    Args:
        part: That was looked through.
        found: In it.
        pipeline: Of the network.
    """
    wanted = sorted(set(found.rows.reshape(-1).tolist()))
    inputs = _read(list(part.subset(wanted).examples(pipeline.preprocessing)), pipeline).numpy()
    place = {row: at for at, row in enumerate(wanted)}
    names = part.names
    return [
        Best(
            tuple(rows),
            tuple(names[row] for row in rows),
            tuple(activations),
            inputs[[place[row] for row in rows]],
        )
        for rows, activations in zip(found.rows.tolist(), found.activations.tolist(), strict=True)
    ]


def _read(examples: Sequence[Example], pipeline: Pipeline) -> torch.Tensor:
    """``(n, *input_shape)`` of some examples."""
    inputs = []
    for example in examples:
        try:
            inputs.append(read_example(example, pipeline.preprocessing))
        except InputError as error:
            raise InputError(f"{example.name} cannot be read: {str(error).rstrip('.')}.") from error
    return torch.from_numpy(np.concatenate(inputs))
