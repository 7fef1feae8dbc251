"""Signals that are drawn for a network to read, not recorded: from channels to all that it reads of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from ....nn.canvas import Canvas
    from ...protocol import Floats


def canvas_of(
    channels: int, own: bool, slope: Sequence[float], constant: Sequence[int], read: Callable[[Any], Floats]
) -> Canvas:
    """Values in deviations of the training part, or of each signal by itself.

    Args:
        channels: Of a signal.
        own: Whether each signal is standardised by itself; then so is one that is drawn.
        slope: Deviation of each channel's differences; empty where the network reads none.
        constant: Channels of which it reads 0.
        read: Reads a signal, ``(1, inputs, length)``.
    """
    import torch

    from ....nn.canvas import Canvas, Whole

    inputs = partial(_inputs, own=own, slope=tuple(slope), constant=tuple(constant))

    def whole(content: Any) -> Whole:
        values = torch.from_numpy(read(content)[0, :channels].copy())
        return Whole(values, lambda changed: inputs(changed[None])[0])

    endless = torch.full((channels,), torch.inf)
    mean, std = torch.zeros(channels), torch.ones(channels)
    return Canvas(mean, std, -endless, endless, inputs, lambda read: read[:, :channels], whole)


def _inputs(values: Tensor, own: bool, slope: tuple[float, ...], constant: tuple[int, ...]) -> Tensor:
    """``(n, channels, length)`` to the channels and their differences, as the preprocessing makes them of signals."""
    import torch

    known = values.new_ones(values.shape[1], 1)
    known[list(constant)] = 0
    values = values * known
    if own:
        centred = values - values.mean(2, keepdim=True)
        values = centred / (centred.square().mean(2, keepdim=True) + 1e-12).sqrt()
    if not slope:
        return values
    deviation = values.new_tensor(slope)[:, None]
    each = (deviation > 0) / deviation.where(deviation > 0, deviation.new_ones(()))
    return torch.cat([values, torch.diff(values, dim=2, prepend=values[:, :, :1]) * each], 1)
