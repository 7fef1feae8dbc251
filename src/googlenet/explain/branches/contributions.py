"""How much of the difference between two classes' logits passes through each branch of each Inception module.

It is conductance (Dhamdhere et al. 2019, section 2), taken where the branches meet and cut by branch: along a straight
path of inputs from a neutral one to the example, the sum over a branch's values of (gradient of the difference) times
(change of the value). All that gets from input to output passes through the branches of a module, and, in a residual
stage, through its shortcut: so their shares sum to the difference. The neutral input is the mean of the training part,
moved the least that makes both classes equally likely: so the difference is that of the example's own logits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...arch.spec import Arch
from ...data.protocol import Array
from ...inference.pipeline import Pipeline
from ...nn.googlenet import GoogLeNet
from ..logits import Logits, only_network, plain, view_of
from ..places import branch_places, module_at
from .neutral import neutral

CLOSES = 0.008  # of the difference: how far sums may be from it
FIRST_STEPS, PARTS = 16, 4  # of the path at first, and of a step that does not close
MOST_POINTS = 4096  # of a path, at which the network is computed
POINTS = 8  # at once
SHORTCUT = "shortcut"


@dataclass(frozen=True)
class Contributions:
    """What passes through the branches, for one example.

    Attributes:
        label: The class that is explained, by its number.
        against: The other.
        difference: Of their logits.
        shares: By module, by branch; a module of a residual stage has a ``shortcut`` too.
        points: Of the path, at which the network was computed.
        error: The furthest that the sum of a module is from the difference.
    """

    label: int
    against: int
    difference: float
    shares: Mapping[str, Mapping[str, float]]
    points: int
    error: float

    @property
    def closes(self) -> bool:
        """Whether every module's shares sum to the difference within 1 %."""
        return self.error <= 0.01 * abs(self.difference)


def branch_contributions(
    pipeline: Pipeline,
    inputs: Array,
    labels: Sequence[int],
    against: Sequence[int],
    closes: float = CLOSES,
    most: int = MOST_POINTS,
) -> list[Contributions]:
    """The contributions of every branch, example by example.

    Args:
        pipeline: Of one network, which may have members.
        inputs: Prepared examples ``(N, *input_shape)``.
        labels: ``N`` classes by number: what is explained.
        against: ``N`` others.
        closes: How far sums may be from the difference, as a share of it.
        most: Points of a path, about, at which the network is computed until they close.

    Raises:
        InputError: If there are several networks.
    """
    model = only_network(pipeline)
    with plain(pipeline):
        view = view_of(pipeline.preprocessing, inputs, model)
        return [
            _of_example(model, view[row : row + 1], int(label), int(other), closes, most)
            for row, (label, other) in enumerate(zip(labels, against, strict=True))
        ]


def _of_example(model: GoogLeNet, x: Tensor, label: int, against: int, closes: float, most: int) -> Contributions:
    network = _Path(model, label, against)
    with torch.no_grad():
        own = float(network.value(x))
    start = neutral(network.value, torch.zeros_like(x), 1e-4 * abs(own), most // 4)
    with torch.no_grad():
        difference = own - float(network.value(start))
    shares, points = network.shares(start, x, closes * abs(difference), most)
    found = {module: dict.fromkeys(names, 0.0) for module, names in network.cut.items()}
    for place, share in zip(network.edges, shares.tolist(), strict=True):
        for module, name in network.uses[place]:
            found[module][name] = share
    error = max(abs(sum(each.values()) - difference) for each in found.values())
    return Contributions(label, against, difference, found, points, error)


class _Path:
    """A network as a function of points on a path, and what passes through the edges that cut it in two.

    Attributes:
        cut: Names of the edges that cut the network at each module.
        edges: All of them, each a module of PyTorch whose output is the edge.
        uses: What an edge is called, and where: a shortcut is passed by several modules.
    """

    def __init__(self, model: GoogLeNet, label: int, against: int) -> None:
        self.logits = Logits(model)
        self.classes = label, against
        self.edges: list[nn.Module] = []
        self.uses: dict[nn.Module, list[tuple[str, str]]] = {}
        self.cut: dict[str, list[str]] = {}
        shortcuts = _shortcuts(model.arch)
        for name, places in branch_places(model.arch).items():
            named = {str(place.branch): module_at(model, place) for place in places}
            if name in shortcuts:
                named[SHORTCUT] = model.shortcuts[shortcuts[name]].get_submodule("norm")
            self.cut[name] = list(named)
            for edge, module in named.items():
                if module not in self.uses:
                    self.edges.append(module)
                self.uses.setdefault(module, []).append((name, edge))

    def value(self, x: Tensor) -> Tensor:
        """The difference of the logits, ``(N,)``."""
        logits = self.logits(x)
        label, against = self.classes
        found: Tensor = logits[:, label] - logits[:, against]
        return found

    def shares(self, start: Tensor, end: Tensor, enough: float, most: int) -> tuple[npt.NDArray[np.float64], int]:
        """What passes through each edge on the way, ``(edges,)``, and how many points of it were computed.

        The steps that close worst are parted, until all together miss by no more than ``enough``, or there are ``most``
        points.
        """
        steps = list(pairwise(np.linspace(0, 1, FIRST_STEPS + 1).tolist()))
        known = dict(zip(steps, self._steps(start, end, steps), strict=True))
        points = len(steps) + 1
        while points < most:
            gaps = np.sum([each.gaps for each in known.values()], axis=0)
            if np.abs(gaps).max() <= enough:
                break
            worst = sorted(known, key=lambda step: -np.abs(known[step].gaps).max())[: max(4, len(known) // 4)]
            parted = [part for step in worst for part in pairwise(np.linspace(*step, PARTS + 1).tolist())]
            for step in worst:
                del known[step]
            known |= zip(parted, self._steps(start, end, parted), strict=True)
            points += len(worst) * (PARTS + 1)
        return np.sum([each.shares for each in known.values()], axis=0), points

    def _steps(self, start: Tensor, end: Tensor, steps: Sequence[tuple[float, float]]) -> list[_Step]:
        """What passes on each step of the path: the mean of the gradients at its ends times the change between them."""
        found = []
        for first in range(0, len(steps), POINTS):
            group = steps[first : first + POINTS]
            places = sorted({place for step in group for place in step})
            values, gradients, differences = self._at(start, end, places)
            row = {place: number for number, place in enumerate(places)}
            for low, high in group:
                a, b = row[low], row[high]
                shares = np.array(
                    [
                        float(((slope[a] + slope[b]).double() * (value[b] - value[a]).double()).sum()) / 2
                        for value, slope in zip(values, gradients, strict=True)
                    ]
                )
                found.append(_Step(shares, self._gaps(shares, float(differences[b] - differences[a]))))
        return found

    def _gaps(self, shares: npt.NDArray[np.float64], difference: float) -> npt.NDArray[np.float64]:
        """How far the sum of each module is from the difference, ``(modules,)``."""
        sums = dict.fromkeys(self.cut, -difference)
        for edge, share in zip(self.edges, shares.tolist(), strict=True):
            for module, _ in self.uses[edge]:
                sums[module] += share
        return np.array(list(sums.values()))

    def _at(self, start: Tensor, end: Tensor, places: Sequence[float]) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """At points of the path: the values of every edge, the gradients of the difference there, the difference."""
        kept: dict[nn.Module, Tensor] = {}

        def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
            kept[module] = output

        handles = [edge.register_forward_hook(keep) for edge in self.edges]
        try:
            alphas = torch.tensor(places, dtype=end.dtype, device=end.device).view(-1, *[1] * (end.ndim - 1))
            value = self.value((start + alphas * (end - start)).requires_grad_(True))
        finally:
            for handle in handles:
                handle.remove()
        values = [kept[edge] for edge in self.edges]
        gradients = torch.autograd.grad(value.sum(), values)
        return [each.detach() for each in values], list(gradients), value.detach().double()


@dataclass(frozen=True)
class _Step:
    """What passes through every edge on a step of the path, and how far the sum of each module is from the change."""

    shares: npt.NDArray[np.float64]
    gaps: npt.NDArray[np.float64]


def _shortcuts(arch: Arch) -> dict[str, str]:
    """The residual stage of each module that lies in one."""
    return {layer.name: stage.name for stage in arch.stages if stage.residual for layer in stage.layers}
