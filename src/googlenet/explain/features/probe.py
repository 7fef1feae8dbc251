"""A network up to a place, from values that are drawn to what comes out there, with gradients that do not die."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...data.protocol import Preprocessing
from ...inference.pipeline import Pipeline
from ...nn.blocks import ConvUnit
from ...nn.rewrites import fold_norms
from ..logits import only_network
from ..places import REDUCE, Place, module_at, outputs_at


class _Reached(Exception):
    """Nothing behind the place needs to be computed."""


class _Revived(torch.autograd.Function):
    """ReLU, where a channel of an example that is zero everywhere has the gradient that it has without."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Clips ``(n, channels, *spatial)`` at zero."""
        ctx.save_for_backward(x)
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Passes where something is, or where nothing is in the whole channel."""
        (x,) = ctx.saved_tensors
        alive = x > 0
        dead = ~alive.flatten(2).any(2)
        passed: Tensor = gradient * (alive | dead.view(*dead.shape, *[1] * (x.ndim - 2)))
        return passed


class Revived(nn.Module):
    """A ReLU from which a channel that is zero everywhere finds its way back; it computes the same values."""

    def forward(self, x: Tensor) -> Tensor:
        """Clips ``(n, channels, *spatial)`` at zero."""
        clipped: Tensor = _Revived.apply(x)
        return clipped


class Probe:
    """The outputs of one place of a network. It is computed in float32, its norms folded into the convolutions.

    What comes out has a gradient for the input but none for the weights. Only the ReLUs at the place itself are
    :class:`Revived`: a channel that no input has excited yet can be sought all the same.

    Attributes:
        preprocessing: Of the network.
        device: On which it computes.

    Args:
        pipeline: Of one network.
        place: Of it; ``None`` for the logits, the mean over members.
    """

    def __init__(self, pipeline: Pipeline, place: Place | None) -> None:
        self.preprocessing: Preprocessing = pipeline.preprocessing
        self.model = fold_norms(only_network(pipeline)).requires_grad_(False)
        if self.model.arch.dims == 2:
            self.model.to(memory_format=torch.channels_last)
        self.device = next(self.model.parameters()).device
        self.place = place
        self._last = Place(list(self.model.arch.layers())[-1].name)
        for name, unit in module_at(self.model, place).named_modules() if place is not None else ():
            if isinstance(unit, ConvUnit) and (not name or name.split(".")[-1] != REDUCE):
                unit.add_module("relu", Revived())

    def __call__(self, inputs: Tensor) -> Tensor:
        """``(n, channels, *spatial)`` at the place, or ``(n, classes)``, of inputs as ``views`` takes them."""
        return self.both(inputs)[0]

    def both(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and what diversity compares: the place's maps, or the last ones before the logits."""
        view = self.preprocessing.views(inputs.to(self.device), self.model.arch.members)[0]
        where = self._last if self.place is None else self.place
        with outputs_at(self.model, [where]) as found:
            if self.place is None:
                logits = self.model(view)
                return (logits if logits.ndim == 2 else logits.mean(1)), found[where]
            handle = module_at(self.model, self.place).register_forward_hook(_stop)
            try:
                self.model(view)
            except _Reached:
                pass
            finally:
                handle.remove()
        return found[where], found[where]


def _stop(*_: object) -> None:
    raise _Reached
