"""From layer to layer, how sizes, parameters and receptive fields go on."""

from __future__ import annotations

import math
from dataclasses import dataclass

Size = tuple[int, ...]


@dataclass(frozen=True)
class LayerCost:
    """One layer: a convolution with its norm, a pool, a linear layer.

    Attributes:
        name: Path within the network, ``"3a/3x3/reduce"``.
        type: What it is, with kernel and stride: ``"conv 3×3/1"``.
        output: ``(channels, *spatial)``.
        params: Trainable numbers (weights, biases, the scale and shift of batch norm).
        macs: Multiply-adds for one input.
        receptive_field: Input samples along one axis that an output sees, the border ignored.
        stride: Input samples between neighbouring outputs.
    """

    name: str
    type: str
    output: Size
    params: int
    macs: int
    receptive_field: int
    stride: int


@dataclass(frozen=True)
class Cursor:
    """Where the arithmetic stands: channels, size, receptive field and stride, and the layers behind it."""

    batch_norm: bool
    channels: int
    size: Size
    receptive_field: int = 1
    stride: int = 1
    done: tuple[LayerCost, ...] = ()

    def conv(
        self, name: str, channels: int, kernel: int = 1, stride: int = 1, dilation: int = 1, linear: bool = False
    ) -> Cursor:
        """After a convolution that gives ``ceil(n / stride)`` samples.

        Args:
            name: Of the layer.
            channels: That it gives.
            kernel: Kernel size along every axis.
            stride: Stride along every axis.
            dilation: Step between the samples that it reads.
            linear: Whether it has neither norm nor bias.
        """
        size = tuple(-(-n // stride) for n in self.size)
        weights = channels * self.channels * kernel ** len(size)
        spread = f", dilation {dilation}" if dilation > 1 else ""
        return self._after(
            name,
            f"conv {_window(kernel, len(size))}/{stride}{spread}",
            channels,
            size,
            params=weights + channels * (0 if linear else 2 if self.batch_norm else 1),
            macs=weights * math.prod(size),
            kernel=dilation * (kernel - 1) + 1,
            stride=stride,
        )

    def pool(self, name: str, kind: str, kernel: int, stride: int, size: Size) -> Cursor:
        """After a pool.

        Args:
            name: Of the layer.
            kind: What it is, such as ``"max pool"``.
            kernel: Window along every axis.
            stride: Stride along every axis.
            size: Of the maps that it gives.
        """
        kind = f"{kind} {_window(kernel, len(size))}/{stride}"
        return self._after(name, kind, self.channels, size, kernel=kernel, stride=stride)

    def linear(self, name: str, units: int) -> Cursor:
        """After a linear layer that reads everything."""
        inputs = self.channels * math.prod(self.size)
        params = (inputs + 1) * units
        return self._after(name, "linear", units, (), params=params, macs=inputs * units)

    def _after(
        self,
        name: str,
        kind: str,
        channels: int,
        size: Size,
        params: int = 0,
        macs: int = 0,
        kernel: int = 1,
        stride: int = 1,
    ) -> Cursor:
        field, step = self.receptive_field + (kernel - 1) * self.stride, self.stride * stride
        layer = LayerCost(name, kind, (channels, *size), params, macs, field, step)
        return Cursor(self.batch_norm, channels, size, field, step, (*self.done, layer))

    def restart(self) -> Cursor:
        """The same place, with no layers behind it."""
        return Cursor(self.batch_norm, self.channels, self.size, self.receptive_field, self.stride)


def _window(kernel: int, dims: int) -> str:
    return "×".join([str(kernel)] * dims)
