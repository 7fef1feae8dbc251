"""DeepDream: a picture or a signal that is changed so that a place of a network sees more of what it sees in it.

Ascent in octaves, from a small copy of the example to its own size, on the mean square of a place's outputs; or, with a
guide, on how much each position is like the most like position of the guide (Mordvintsev, Olah and Tyka, *Inceptionism*
and *deepdream*, Google Research 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil

import torch
from torch import Tensor

from ...errors import InputError, whole
from ...inference.pipeline import Pipeline
from ..logits import only_network
from .objectives import Objective
from .painting import stated
from .probe import Probe

OCTAVES, SCALE, STEPS = 4, 1.4, 10  # how many, from one to the next, and of ascent in each
RATE = 0.06  # deviations of the data that a step changes a value by, in the mean square
JITTER = 16  # an example is shifted by up to half of such a share of it
TILE = 512  # positions along an axis that are computed at once


@dataclass(frozen=True)
class Octave:
    """A dream so far.

    Attributes:
        number: Of octaves that are done.
        values: ``(channels, *spatial)``, of this octave's size.
        detail: What was changed, of the same shape; all that the next octave needs.
    """

    number: int
    values: Tensor
    detail: Tensor


def dream(
    pipeline: Pipeline,
    values: Tensor,
    objective: Objective,
    *,
    guide: Tensor | None = None,
    octaves: int = OCTAVES,
    steps: int = STEPS,
    seed: int = 0,
    begun: Octave | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Octave]:
    """The octaves of a dream, one after the other; the last is of the example's own size.

    Args:
        pipeline: Of one network.
        values: ``(channels, *spatial)``, see :class:`~googlenet.nn.canvas.Canvas`.
        objective: What there is to be more of, see :func:`~.objectives.find_objective`.
        guide: Values of another example, whose features at the objective's place are sought.
        octaves: How many at most; there are fewer where a smaller one would be too small for the network.
        steps: Of each.
        seed: Of the shifts.
        begun: The last octave that was done, to go on after it.
        report: Called after every step with how many of all are done.

    Raises:
        InputError: If the example is too small, several networks are there, or a class or a neuron has a guide.
    """
    octaves, steps = whole("octaves", octaves), whole("steps", steps)
    probe = Probe(pipeline, objective.place)
    least = only_network(pipeline).minimum_size
    sizes = _sizes(tuple(values.shape[1:]), octaves, least)
    example = values[None].to(probe.device)
    score = _score(probe, pipeline, objective, guide, example)
    low, high, unit = _bounds(pipeline, example)
    detail = torch.zeros_like(_resized(example, sizes[0])) if begun is None else begun.detail[None].to(probe.device)
    for number, size in enumerate(sizes):
        if begun is not None and number < begun.number:
            continue
        base, detail = _resized(example, size), _resized(detail, size)
        ends = _resized(low, size), _resized(high, size)
        generator = torch.Generator().manual_seed(_seed_of(seed, number))
        for step in range(steps):
            gradient = _gradient(probe, pipeline, score, base + detail, generator, least)
            gradient = gradient / (gradient.square().mean().sqrt() + 1e-12)
            detail = torch.clamp(base + detail + RATE * unit * gradient, *ends) - base
            report(number * steps + step + 1, len(sizes) * steps)
        yield Octave(number + 1, (base + detail)[0].cpu(), detail[0].cpu())


def _bounds(pipeline: Pipeline, example: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The least and the most that each value may become, and a deviation of each channel; what the example holds stays
    allowed."""
    known = stated(pipeline.preprocessing.canvas())
    view = (1, -1, *[1] * (example.ndim - 2))
    low, high = known.low.to(example).view(view), known.high.to(example).view(view)
    unit = known.covariance.diagonal().sqrt().to(example).view(view)
    return torch.minimum(low, example), torch.maximum(high, example), unit


def octaves_of(pipeline: Pipeline, spatial: tuple[int, ...], octaves: int = OCTAVES) -> int:
    """How many octaves an example of that size has.

    Args:
        pipeline: Of one network.
        spatial: The size.
        octaves: That are asked for.
    """
    return len(_sizes(spatial, octaves, only_network(pipeline).minimum_size))


def _sizes(spatial: tuple[int, ...], octaves: int, least: int) -> list[tuple[int, ...]]:
    """From the smallest octave to the example's own size."""
    if min(spatial) < least:
        shown = "×".join(map(str, spatial))
        raise InputError(f"The example is {shown}, and the network reads {least} or more along each side.")
    sizes = [spatial]
    while len(sizes) < octaves:
        smaller = tuple(round(side / SCALE ** len(sizes)) for side in spatial)
        if min(smaller) < least:
            break
        sizes.append(smaller)
    return sizes[::-1]


def _seed_of(seed: int, number: int) -> int:
    return (seed * 1_000_003 + number) % 2**63


def _resized(values: Tensor, size: tuple[int, ...]) -> Tensor:
    """``(n, channels, *spatial)`` of another size."""
    if tuple(values.shape[2:]) == size:
        return values
    return torch.nn.functional.interpolate(values, size, mode=_MODES[len(size)], align_corners=False)


_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def _score(
    probe: Probe, pipeline: Pipeline, objective: Objective, guide: Tensor | None, example: Tensor
) -> Callable[[Tensor], Tensor]:
    """From outputs of the place to what is to rise."""
    if guide is None:
        return lambda outputs: objective.of(outputs).sum()
    if objective.place is None or objective.channel is not None or objective.direction is not None:
        raise InputError(
            f"A guide says which features of a place are sought; name a place alone, not {objective.name}."
        )
    with torch.inference_mode():
        features = probe(pipeline.preprocessing.canvas().inputs(guide[None].to(example)))[0].flatten(1).clone()

    def like_the_guide(outputs: Tensor) -> Tensor:
        flat = outputs[0].flatten(1)
        best = (flat.detach().T @ features).argmax(1)
        return (flat * features[:, best]).sum()

    return like_the_guide


def _gradient(
    probe: Probe,
    pipeline: Pipeline,
    score: Callable[[Tensor], Tensor],
    values: Tensor,
    generator: torch.Generator,
    least: int,
) -> Tensor:
    """Of the score for the values, tile by tile; the seams are elsewhere every time."""
    spatial = values.shape[2:]
    dims = tuple(range(2, values.ndim))
    tiles = [_cuts(side, least) for side in spatial]
    shifts = tuple(_shift(side, cuts, generator) for side, cuts in zip(spatial, tiles, strict=True))
    rolled = values.roll(shifts, dims)
    found = torch.zeros_like(rolled)
    canvas = pipeline.preprocessing.canvas()
    for cut in product(*tiles):
        where = (slice(None), slice(None), *cut)
        tile = rolled[where].clone().requires_grad_()
        score(probe(canvas.inputs(tile))).backward()  # type: ignore[no-untyped-call]
        assert tile.grad is not None
        found[where] = tile.grad
    return found.roll(tuple(-shift for shift in shifts), dims)


def _shift(side: int, cuts: list[slice], generator: torch.Generator) -> int:
    """Anywhere, where there are seams to move; else a little, since a class may lie in what is where."""
    most = side if len(cuts) > 1 else side // JITTER + 1
    return int(torch.randint(most, (), generator=generator)) - most // 2


def _cuts(side: int, least: int) -> list[slice]:
    """Stretches of about :data:`TILE` positions, of about one length, none below what the network reads."""
    count = max(1, min(ceil(side / TILE), side // least))
    edges = [round(side * part / count) for part in range(count + 1)]
    return [slice(first, last) for first, last in pairwise(edges)]
