"""Max-pool of pictures: the native operator where it is at hand, PyTorch's everywhere else.

The native one (``max_pool.cpp``) takes bfloat16 and float32 maps on the CPU with channels last, keeps one byte
a maximum where PyTorch keeps eight (none where no gradient is recorded), and needs four comparisons a window of 3×3
instead of nine.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ...arch.shapes import output_size
from .native import library
from .operators import below_autograd, differentiable, operator, runs_plainly

_SUFFIX = {torch.bfloat16: "bf16", torch.float32: "fp32"}


Window = Sequence[int]  # of the height and the width


def reference(x: Tensor, kernel: Window, stride: Window, padding: Window, ceil: bool) -> Tensor:
    """What the native operator is tested equal to: PyTorch's own max-pool.

    Args:
        x: ``(N, C, H, W)``.
        kernel: Height and width of a window.
        stride: From one window to the next, down and to the right.
        padding: On either side of the height, and of the width.
        ceil: Whether a last, partial window counts.
    """
    return nn.functional.max_pool2d(x, tuple(kernel), tuple(stride), tuple(padding), ceil_mode=ceil)


def max_pool2d(x: Tensor, kernel: Window, stride: Window, padding: Window = (0, 0), ceil: bool = False) -> Tensor:
    """Max-pool of pictures, as :class:`torch.nn.MaxPool2d` does it.

    Args:
        x: ``(N, C, H, W)``.
        kernel: Height and width of a window.
        stride: From one window to the next, down and to the right.
        padding: On either side of the height, and of the width.
        ceil: Whether a last, partial window counts.
    """
    if _is_native(x, kernel, padding):
        learning = torch.is_grad_enabled() and x.requires_grad
        window = (x, kernel, stride, padding, ceil)
        pooled: Tensor = _OPERATOR(*window)[0] if learning else _VALUES(*window)
        return pooled
    return reference(x, kernel, stride, padding, ceil)


class MaxPool2d(nn.MaxPool2d):
    """:class:`torch.nn.MaxPool2d` with one kernel size, stride and padding for both axes."""

    def forward(self, x: Tensor) -> Tensor:
        """Pools ``(N, C, H, W)``."""
        assert isinstance(self.kernel_size, int) and isinstance(self.stride, int) and isinstance(self.padding, int)
        return max_pool2d(x, (self.kernel_size,) * 2, (self.stride,) * 2, (self.padding,) * 2, self.ceil_mode)


class MaxPool1d(nn.MaxPool1d):
    """:class:`torch.nn.MaxPool1d`, as a picture of height 1 with channels last."""

    def forward(self, x: Tensor) -> Tensor:
        """Pools ``(N, C, L)``."""
        assert isinstance(self.kernel_size, int) and isinstance(self.stride, int) and isinstance(self.padding, int)
        window = ((1, self.kernel_size), (1, self.stride), (0, self.padding))
        picture = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        return max_pool2d(picture, *window, self.ceil_mode).squeeze(2)


def _is_native(x: Tensor, kernel: Window, padding: Window) -> bool:
    return (
        x.device.type == "cpu"
        and x.ndim == 4
        and x.dtype in _SUFFIX
        and max(kernel) <= 15
        and x.numel() > 0
        and all(0 <= 2 * p <= k <= n + 2 * p for n, k, p in zip(x.shape[2:], kernel, padding, strict=True))
        and x.is_contiguous(memory_format=torch.channels_last)
        and runs_plainly()
        and library("max_pool") is not None
    )


def _call(name: str, tensors: tuple[Tensor, ...], x: Tensor, y: Tensor, window: Sequence[Window]) -> None:
    """Runs a function of ``max_pool.cpp`` for the type of the first tensor; x and y give its struct ``Shape``."""
    native = library("max_pool")
    assert native is not None
    pointers = [ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors]
    function = getattr(native, f"max_pool_{name}_{_SUFFIX[tensors[0].dtype]}")
    axes = (n for axis in range(2) for n in (x.shape[2 + axis], y.shape[2 + axis], *(part[axis] for part in window)))
    shape = (ctypes.c_int64 * 12)(*x.shape[:2], *axes)
    function(*pointers, shape, ctypes.c_int(torch.get_num_threads()))


def _forward(x: Tensor, kernel: Window, stride: Window, padding: Window, ceil: bool) -> tuple[Tensor, Tensor]:
    """The pooled map, and the place of each maximum in its window (row × width of it + column) as a byte."""
    y, places = _shapes(x, kernel, stride, padding, ceil)
    _call("forward", (x, y, places), x, y, (kernel, stride, padding))
    return y, places


def _values(x: Tensor, kernel: Window, stride: Window, padding: Window, ceil: bool) -> Tensor:
    """The pooled map alone."""
    y = _values_shape(x, kernel, stride, padding, ceil)
    _call("values", (x, y), x, y, (kernel, stride, padding))
    return y


def _values_shape(x: Tensor, kernel: Window, stride: Window, padding: Window, ceil: bool) -> Tensor:
    axes = zip(x.shape[2:], kernel, stride, padding, strict=True)
    spatial = [output_size(n, k, s, p, ceil=ceil) for n, k, s, p in axes]
    size = [*x.shape[:2], *spatial]
    return torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)


def _shapes(x: Tensor, kernel: Window, stride: Window, padding: Window, ceil: bool) -> tuple[Tensor, Tensor]:
    y = _values_shape(x, kernel, stride, padding, ceil)
    return y, torch.empty_like(y, dtype=torch.uint8)


def _backward(
    gradient: Tensor, places: Tensor, size: Window, kernel: Window, stride: Window, padding: Window
) -> Tensor:
    """The gradient of the input: each output's goes to the place of its maximum."""
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    out = _backward_shapes(gradient, places, size, kernel, stride, padding)
    _call("backward", (gradient, places, out), out, gradient, (kernel, stride, padding))
    return out


def _backward_shapes(
    gradient: Tensor, places: Tensor, size: Window, kernel: Window, stride: Window, padding: Window
) -> Tensor:
    shape = (*gradient.shape[:2], *size)
    return torch.empty(shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last)


class _MaxPool(torch.autograd.Function):
    """The gradient of the operator; it keeps the places of the maxima."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *window: Any) -> tuple[Tensor, Tensor]:
        with below_autograd():
            pooled, places = _OPERATOR(x, *window)
        ctx.size, ctx.window = x.shape[2:], window[:3]
        ctx.mark_non_differentiable(places)
        ctx.set_materialize_grads(False)  # no zeros for the bytes, which have no gradient
        ctx.save_for_backward(places)
        return pooled, places

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: None) -> tuple[Tensor | None, ...]:
        return _BACKWARD(gradient, *ctx.saved_tensors, ctx.size, *ctx.window), None, None, None, None


_VALUES = operator(
    "max_pool2d_values(Tensor x, int[] kernel, int[] stride, int[] padding, bool ceil) -> Tensor",
    _values,
    _values_shape,
)
_OPERATOR = operator(
    "max_pool2d(Tensor x, int[] kernel, int[] stride, int[] padding, bool ceil) -> (Tensor, Tensor)", _forward, _shapes
)
_BACKWARD = operator(
    "max_pool2d_backward(Tensor gradient, Tensor places, int[] size, int[] kernel, int[] stride, int[] padding) "
    "-> Tensor",
    _backward,
    _backward_shapes,
)
differentiable("max_pool2d", _MaxPool.apply)
