"""Branch contributions as graphs: :mod:`googlenet.explain.branches`, for the page, which has no gradients of its own.

One graph computes a network at some points of the path from a neutral input to an example, forwards and backwards, and
gives what passes through each edge on the way from one point to the next. Another gives the value and the slope that
the search for the neutral input needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ....arch.spec import InceptionSpec
from ....data.protocol import Preprocessing
from ....explain.branches.contributions import SHORTCUT
from ....nn.blocks import Shortcut
from ....nn.googlenet import GoogLeNet
from .network import channel_ranges, mean_logits, transformed

POINTS = 5  # of a path, at once: the ends of a step in four parts; the page answers its reader in between


@dataclass(frozen=True)
class Edge:
    """What is passed on the way from input to output.

    Attributes:
        name: Of a branch; or ``shortcut``.
        modules: Which it is an edge of: a shortcut is passed by every module of its stage.
    """

    name: str
    modules: Sequence[str]


def edges_of(model: GoogLeNet) -> list[Edge]:
    """All of them, in the order of the output ``shares``: module by module, the shortcut of a stage behind its last."""
    ranges = {row["name"]: [branch["name"] for branch in row["branches"]] for row in channel_ranges(model)}
    found: list[Edge] = []
    for stage in model.arch.stages:
        modules = [layer.name for layer in stage.layers if isinstance(layer, InceptionSpec)]
        found += [Edge(branch, [module]) for module in modules for branch in ranges[module]]
        if stage.residual:
            found.append(Edge(SHORTCUT, modules))
    return found


class Tapped(nn.Module):
    """A network whose modules and shortcuts have something added to what they give, by which it is differentiated.

    Args:
        model: Without batch norm, see :func:`~googlenet.nn.rewrites.fold_norms`.
    """

    def __init__(self, model: GoogLeNet) -> None:
        super().__init__()
        self.model = model
        self.names = _taps(model)

    def forward(self, x: Tensor, direction: Tensor, added: Sequence[Tensor] = ()) -> tuple[Tensor, list[Tensor]]:
        """The logits along a direction, ``(N,)``, and what each tap gives.

        Args:
            x: What the network sees, ``(N, members * channels, *spatial)``.
            direction: ``(classes,)``.
            added: For each tap; nothing by default.
        """
        with self.model.unfused():  # without writing into views, which has no plain gradient
            return self._run(x, direction, added)

    def _run(self, x: Tensor, direction: Tensor, added: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        taps: dict[str, Tensor] = {}

        def tapped(name: str, y: Tensor) -> Tensor:
            taps[name] = y + added[self.names.index(name)] if added else y
            return taps[name]

        x = transformed(self.model, x)
        for stage in self.model.arch.stages:
            entry = x
            for layer in stage.layers:
                x = self.model.features[layer.name](x)
                if isinstance(layer, InceptionSpec):
                    x = tapped(layer.name, x)
            if stage.residual:
                shortcut = self.model.shortcuts[stage.name]
                assert isinstance(shortcut, Shortcut)
                x = torch.relu(x + tapped(f"{SHORTCUT} {stage.name}", shortcut.conv(entry)))
        logits = mean_logits(self.model.classifier(self.model.pool(x)))
        return logits @ direction, [taps[name] for name in self.names]


class PathNetwork(nn.Module):
    """What passes through each edge of a network between points of a path.

    Args:
        model: As of :class:`Tapped`.
        preprocessing: What it was trained with.

    Shape:
        A prepared input ``(1, *input_shape)``, the beginning of the path as the network sees it ``(1, *view)``, places
        on it ``(A,)`` from 0 to 1 and a direction ``(classes,)`` to shares ``(A - 1, edges)`` and the logits along
        the direction, ``(A,)``.
    """

    def __init__(self, model: GoogLeNet, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.tapped, self.preprocessing = Tapped(model), preprocessing
        view = preprocessing.views(preprocessing.example(1), model.arch.members)[0]
        with torch.no_grad():
            taps = self.tapped(view, torch.zeros(model.num_classes))[1]
        self.shapes = [tap.shape[1:] for tap in taps]
        self.members = [_members(row["branches"]) for row in channel_ranges(model)]

    def forward(self, inputs: Tensor, start: Tensor, places: Tensor, direction: Tensor) -> tuple[Tensor, ...]:
        """What passes through the edges, and the logits.

        Args:
            inputs: A prepared input.
            start: The beginning of the path, as the network sees it.
            places: On the path, from 0 to 1.
            direction: In the space of logits.
        """
        model = self.tapped.model
        view = self.preprocessing.views(inputs, model.arch.members)[0]
        x = start + places.view(-1, *[1] * (view.ndim - 1)) * (view - start)

        def value(added: Sequence[Tensor]) -> tuple[Tensor, tuple[list[Tensor], Tensor]]:
            values, taps = self.tapped(x, direction, added)
            return values.sum(), (taps, values)

        nothing = [torch.zeros(len(x), *shape) for shape in self.shapes]
        _, backward, (taps, values) = torch.func.vjp(value, nothing, has_aux=True)  # type: ignore[misc]
        (slopes,) = backward(torch.ones(()))
        cut = iter(self.members)
        shares = []
        for name, tap, slope in zip(self.tapped.names, taps, slopes, strict=True):
            passed = ((slope[:-1] + slope[1:]) * (tap[1:] - tap[:-1])).flatten(2).sum(2) / 2
            by_channel = passed.unflatten(1, (model.arch.members, -1)).sum(1)
            shares.append(by_channel.sum(1, keepdim=True) if name.startswith(SHORTCUT) else by_channel @ next(cut))
        return torch.cat(shares, 1), values


class NeutralNetwork(nn.Module):
    """The logits along a direction at a point, and their slope there.

    Args:
        model: As of :class:`Tapped`.

    Shape:
        What a network sees, ``(1, *view)``, and a direction ``(classes,)`` to ``(1,)`` and ``(1, *view)``.
    """

    def __init__(self, model: GoogLeNet) -> None:
        super().__init__()
        self.tapped = Tapped(model)

    def forward(self, point: Tensor, direction: Tensor) -> tuple[Tensor, ...]:
        """See :class:`NeutralNetwork`."""
        value, backward = torch.func.vjp(lambda x: self.tapped(x, direction)[0], point)  # type: ignore[misc]
        return value, *backward(torch.ones_like(value))


def _taps(model: GoogLeNet) -> list[str]:
    """Where something may be added: modules by name, and the shortcut of a stage behind its last."""
    found: list[str] = []
    for stage in model.arch.stages:
        found += [layer.name for layer in stage.layers if isinstance(layer, InceptionSpec)]
        found += [f"{SHORTCUT} {stage.name}"] * stage.residual
    return found


def _members(branches: Sequence[dict[str, int]]) -> Tensor:
    """``(channels, branches)``: 1 where a channel is a branch's."""
    found = torch.zeros(branches[-1]["to"], len(branches))
    for column, branch in enumerate(branches):
        found[branch["from"] : branch["to"], column] = 1
    return found
