"""Feature visualisation: the input that excites a channel, a neuron, a direction or a class the most.

Ascent on the waves of a picture, a signal or a volume (Olah, Mordvintsev and Schubert 2017; see :mod:`.painting`),
for many objectives at once: an input each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ...data.protocol import Array, Floats, Preprocessing
from ...errors import InputError, short, whole
from ...inference.pipeline import Pipeline
from .objectives import Objective
from .painting import Painter, Statistics, stated, unsteady
from .probe import Probe
from .sheet import Cell, sheet
from .survey import Best

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = 96
RATE = 0.08  # of Adam's, for waves of about 1
START = 0.2  # deviations of the noise that is drawn at first
MORE = "2.5×: what is drawn excites 2.5 times as much as the best training example, the first of those beside it."
ALIKE = 1.0  # how much examples of one objective that are alike cost, in shares of what excites
VARIETY = 16  # inputs of one objective at most: they are drawn at once
TOGETHER, PIXELS = 64, 16 * 224 * 224  # inputs that are drawn at once, and positions of them

Report = Callable[[int, int], None]
"""Called with how many steps are done of how many."""


def quiet(done: int, total: int) -> None:
    """A :data:`Report` that says nothing."""


@dataclass(frozen=True)
class Visualisation:
    """Inputs that excite objectives.

    Attributes:
        objectives: What, one after the other.
        inputs: ``(objectives, variety, *input_shape)``, as the network's preprocessing makes them of examples.
        activations: How much each excites its objective, ``(objectives, variety)``, as it is and not moved.
        statistics: In words, what its colours are from.
        preprocessing: Of the network.
    """

    objectives: tuple[Objective, ...]
    inputs: Array
    activations: Floats
    statistics: str
    preprocessing: Preprocessing

    def figure(self, best: Sequence[Best] = (), title: str = "") -> Figure:
        """A sheet of all of them, by Matplotlib (extra ``explain``).

        Args:
            best: The examples of data that excite each the most, to stand beside it.
            title: Above it.

        Raises:
            InputError: If Matplotlib is not installed.
        """
        cells = []
        for row, (objective, activation) in enumerate(zip(self.objectives, self.activations, strict=True)):
            most = best[row].activations[0] if best and best[row].activations else 0.0
            more = f"  {activation.max() / most:.1f}×" if most > 0 else ""
            beside = [self.preprocessing.draw(x) for x in best[row].inputs] if best else []
            drawn = [self.preprocessing.draw(x) for x in self.inputs[row]]
            cells.append(Cell(f"{short(objective.name)}{more}", drawn, beside))
        return sheet(title, cells, MORE if any("×" in cell.words[-1:] for cell in cells) else "")


def visualise(
    pipeline: Pipeline,
    objectives: Sequence[Objective],
    *,
    statistics: Statistics | None = None,
    steps: int = STEPS,
    seed: int = 0,
    variety: int = 1,
    report: Report = quiet,
) -> Visualisation:
    """Draws what excites objectives the most, an input each.

    Everything random follows from the seed, the step and, at the start, from the objective's name.

    Args:
        pipeline: Of one network.
        objectives: One or more, see :func:`~.objectives.find_objectives`.
        statistics: Of the training data; by default what the preprocessing says.
        steps: Of the ascent.
        seed: Of all that is random.
        variety: How many different inputs for each objective, :data:`VARIETY` at most.
        report: Called after every step.

    Returns:
        An input or, with ``variety``, several for each objective.

    Raises:
        InputError: If there is no objective, or several networks, or what comes out is no number.
    """
    steps, variety = whole("steps", steps), checked_variety(variety)
    if not objectives:
        raise InputError("Name at least one thing that is to be drawn.")
    known = statistics or stated(pipeline.preprocessing.canvas())
    chunks = list(chunks_of(pipeline, objectives, variety))
    parts, done = [], 0
    for chunk in chunks:
        counted = _counted(report, done, len(chunk), steps * len(objectives))
        parts.append(_draw_together(pipeline, chunk, known, steps, seed, variety, counted))
        done += steps * len(chunk)
    inputs, activations = zip(*parts, strict=True)
    found = np.concatenate(inputs), np.concatenate(activations)
    return Visualisation(tuple(objectives), *found, known.source, pipeline.preprocessing)


def checked_variety(variety: int) -> int:
    """How many inputs of one objective are to be drawn.

    Args:
        variety: That was asked for.

    Raises:
        InputError: If it is none, or more than :data:`VARIETY`, which would not fit the memory.
    """
    variety = whole("variety", variety)
    if variety > VARIETY:
        raise InputError(
            f"The variety is {VARIETY} at most, and not {variety:,}: all of one channel are drawn at once. Draw more "
            "with another seed."
        )
    return variety


def _counted(report: Report, done: int, each: int, total: int) -> Callable[[int], None]:
    """What is called after every step of a chunk of so many objectives."""
    return lambda step: report(done + step * each, total)


def chunks_of(pipeline: Pipeline, objectives: Sequence[Objective], variety: int = 1) -> Iterator[list[Objective]]:
    """Objectives that are drawn together, in order: of one place, and as many as are fast.

    Args:
        pipeline: Of one network.
        objectives: All of them.
        variety: Inputs for each.
    """
    positions = prod(pipeline.preprocessing.input_shape[1:])
    size = max(1, min(TOGETHER, PIXELS // positions) // variety)
    for _, same in groupby(objectives, key=lambda objective: objective.place):
        some = list(same)
        yield from (some[start : start + size] for start in range(0, len(some), size))


def _draw_together(
    pipeline: Pipeline,
    objectives: Sequence[Objective],
    statistics: Statistics,
    steps: int,
    seed: int,
    variety: int,
    report: Callable[[int], None],
) -> tuple[Array, Floats]:
    """``(objectives, variety, *input_shape)`` and ``(objectives, variety)``."""
    probe = Probe(pipeline, objectives[0].place)
    canvas = pipeline.preprocessing.canvas()
    painter = Painter(statistics, tuple(pipeline.preprocessing.input_shape[1:]))
    each = [objective for objective in objectives for _ in range(variety)]
    starts = [
        painter.start(_generator(seed, f"{objective.name} {number}"), START)
        for objective in objectives
        for number in range(variety)
    ]
    waves = torch.stack(starts).to(probe.device).requires_grad_()
    optimizer = torch.optim.Adam([waves], lr=RATE)
    for step in range(steps):
        values = unsteady(painter(waves), _generator(seed, f"step {step}"))
        outputs, maps = probe.both(canvas.inputs(values))
        excited = torch.stack([one.of(output[None])[0] for one, output in zip(each, outputs.unbind(), strict=True)])
        loss = -excited.sum()
        if variety > 1:
            groups = excited.view(-1, variety).detach().abs().mean(1)
            loss = loss + ALIKE * variety * (groups * likeness(maps, variety)).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        report(step + 1)
    with torch.inference_mode():
        inputs = as_read(canvas.inputs(painter(waves)), pipeline)
        outputs = probe(inputs)
        excited = torch.stack([one.of(output[None])[0] for one, output in zip(each, outputs.unbind(), strict=True)])
    shape = (len(objectives), variety)
    found: Floats = excited.cpu().float().view(shape).numpy()
    if not np.isfinite(found).all():
        raise InputError(
            f"What is drawn for {short(objectives[0].name)} excites it by no finite number. The weights are damaged, "
            "or too large; check the run, as by googlenet evaluate."
        )
    return inputs.cpu().numpy().reshape(*shape, *inputs.shape[1:]), found


def as_read(inputs: Tensor, pipeline: Pipeline) -> Tensor:
    """Inputs in the numbers that the preprocessing makes of examples: of pictures 8 bits."""
    kind = pipeline.example(1).dtype
    return inputs if kind.is_floating_point else inputs.round().to(kind)


def likeness(maps: Tensor, variety: int) -> Tensor:
    """How alike the inputs of each objective are, ``(objectives,)``, 1 if they are the same.

    The mean cosine between the Gram matrices of two of them, which say what channels are there together, wherever
    (Olah, Mordvintsev and Schubert 2017, section "Diversity").

    Args:
        maps: ``(objectives * variety, channels, *spatial)``.
        variety: Inputs of each, 2 or more.
    """
    flat = maps.flatten(2)
    gram = (flat @ flat.transpose(1, 2)).flatten(1)
    gram = gram / (gram.norm(dim=1, keepdim=True) + 1e-8)
    groups = gram.view(-1, variety, gram.shape[1])
    cosines = groups @ groups.transpose(1, 2)
    others: Tensor = cosines.sum((1, 2)) - cosines.diagonal(dim1=1, dim2=2).sum(1)
    return others / (variety * (variety - 1))


def _generator(seed: int, text: str) -> torch.Generator:
    """Chance that follows from a seed and what it is for."""
    numbers = np.frombuffer(f"{seed} {text}".encode(), np.uint8)
    state = np.random.SeedSequence(numbers.tolist()).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> 1))
