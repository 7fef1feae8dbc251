"""Batch norm and ReLU of several maps, concatenated on channels: one native operator, or PyTorch's three.

The native one (``norm_relu.cpp``) writes each map's part of the result in place, keeps statistics in float32,
and recomputes in the backward pass what PyTorch would have stored. It serves training on the CPU with channels
last, in bfloat16 and float32; in evaluation batch norm is an affine map, best folded into the convolution.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .native import library
from .operators import below_autograd, differentiable, operator

_SUFFIX = {torch.bfloat16: "bf16", torch.float32: "fp32"}


def reference(maps: Sequence[Tensor], norms: Sequence[nn.Module]) -> Tensor:
    """What the native operator is tested equal to: normalise, clip at zero, concatenate."""
    return torch.cat([nn.functional.relu(norm(x), inplace=True) for x, norm in zip(maps, norms, strict=True)], dim=1)


def norm_relu(maps: Sequence[Tensor], norms: Sequence[nn.Module]) -> Tensor:
    """``cat([relu(norm(x)) for each], dim=1)``; running statistics are updated as the norms would.

    Args:
        maps: ``(N, C_i, *spatial)``, all with the same N and spatial size.
        norms: A batch norm for each.

    Returns:
        ``(N, sum of C_i, *spatial)``.
    """
    if not all(_is_native(x, norm) for x, norm in zip(maps, norms, strict=True)):
        return reference(maps, norms)
    batch_norms = [norm for norm in norms if isinstance(norm, _BatchNorm)]
    result, mean, variance = _OPERATOR(
        list(maps), [norm.weight for norm in batch_norms], [norm.bias for norm in batch_norms], batch_norms[0].eps
    )
    _update(batch_norms, mean.detach(), variance.detach(), result.numel() // result.shape[1])
    joined: Tensor = result
    return joined


def _is_native(x: Tensor, norm: nn.Module) -> bool:
    return (
        type(norm) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
        and norm.training
        and norm.momentum is not None
        and norm.weight.dtype == torch.float32
        and x.device.type == "cpu"
        and x.dtype in _SUFFIX
        and x.ndim == 4
        and x.numel() > x.shape[1]
        and x.is_contiguous(memory_format=torch.channels_last)
        and not torch.compiler.is_compiling()
        and library("norm_relu") is not None
    )


@torch.no_grad()
def _update(norms: Sequence[_BatchNorm], mean: Tensor, variance: Tensor, count: int) -> None:
    """Moves the running statistics, with the unbiased variance, as PyTorch does."""
    sizes = [norm.num_features for norm in norms]
    unbiased = variance * (count / (count - 1))
    for norm, new_mean, new_variance in zip(norms, torch.split(mean, sizes), torch.split(unbiased, sizes), strict=True):
        if norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None:
            assert norm.momentum is not None
            norm.running_mean.lerp_(new_mean, norm.momentum)
            norm.running_var.lerp_(new_variance, norm.momentum)
            norm.num_batches_tracked.add_(1)


def _call(name: str, dtype: torch.dtype, maps: Sequence[Sequence[Tensor | None]], rows: int, eps: float) -> None:
    """Runs a function of ``norm_relu.cpp``.

    Args:
        name: ``"forward"`` or ``"backward"``.
        dtype: Of the maps.
        maps: For each, the tensors of the struct ``Map``, in its order; ``None`` where a function reads none.
        rows: Images × height × width.
        eps: Of batch norm.
    """
    fields: list[int] = []
    for sides in maps:
        x, y, gradient = sides[:3]
        assert x is not None
        fields += [0 if side is None else side.data_ptr() for side in (x, y, gradient)]
        fields += [x.shape[1], *(0 if side is None else _row_stride(side) for side in (x, y, gradient))]
        fields += [0 if side is None else side.data_ptr() for side in sides[3:]]
    native = library("norm_relu")
    assert native is not None
    function = getattr(native, f"norm_relu_{name}_{_SUFFIX[dtype]}")
    table = (ctypes.c_int64 * len(fields))(*fields)
    function(table, *(ctypes.c_int64(n) for n in (len(maps), rows)), ctypes.c_float(eps), torch.get_num_threads())


def _row_stride(x: Tensor) -> int:
    """Elements between neighbours along the width, or the next axis that has any: channels-last rows."""
    for axis, inside in ((3, 1), (2, x.shape[3]), (0, x.shape[2] * x.shape[3])):
        if x.shape[axis] > 1:
            return x.stride(axis) // inside
    return x.shape[1]


def _forward(
    maps: list[Tensor], weights: list[Tensor], biases: list[Tensor], eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The result, and mean and biased variance of every channel."""
    result, mean, variance = _shapes(maps, weights, biases, eps)
    sizes = [x.shape[1] for x in maps]
    parts = zip(
        maps,
        torch.split(result, sizes, 1),
        (None,) * len(maps),
        weights,
        biases,
        torch.split(mean, sizes),
        torch.split(variance, sizes),
        strict=True,
    )
    unread = (None, None)
    _call("forward", result.dtype, [(*part, *unread) for part in parts], result.numel() // result.shape[1], eps)
    return result, mean, variance


def _shapes(
    maps: list[Tensor], weights: list[Tensor], biases: list[Tensor], eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    first = maps[0]
    channels = sum(x.shape[1] for x in maps)
    size = (first.shape[0], channels, *first.shape[2:])
    result = torch.empty(size, dtype=first.dtype, device=first.device, memory_format=torch.channels_last)
    return result, torch.empty(channels, device=first.device), torch.empty(channels, device=first.device)


def _backward(
    gradient: Tensor,
    maps: list[Tensor],
    weights: list[Tensor],
    biases: list[Tensor],
    mean: Tensor,
    variance: Tensor,
    eps: float,
) -> list[Tensor]:
    """Gradients of the maps, then of the weights, then of the biases."""
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    out = _backward_shapes(gradient, maps, weights, biases, mean, variance, eps)
    sizes, count = [x.shape[1] for x in maps], len(maps)
    parts = zip(
        maps,
        out[:count],
        torch.split(gradient, sizes, 1),
        weights,
        biases,
        torch.split(mean, sizes),
        torch.split(variance, sizes),
        out[count : 2 * count],
        out[2 * count :],
        strict=True,
    )
    _call("backward", gradient.dtype, list(parts), gradient.numel() // gradient.shape[1], eps)
    return out


def _backward_shapes(
    gradient: Tensor,
    maps: list[Tensor],
    weights: list[Tensor],
    biases: list[Tensor],
    mean: Tensor,
    variance: Tensor,
    eps: float,
) -> list[Tensor]:
    return [torch.empty_like(tensor) for tensor in (*maps, *weights, *biases)]


class _NormReLU(torch.autograd.Function):
    """The gradient of the operator; it keeps the maps as they came, and no copy."""

    @staticmethod
    def forward(ctx: Any, count: int, eps: float, *tensors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with below_autograd():
            result, mean, variance = _OPERATOR(tensors[:count], tensors[count : 2 * count], tensors[2 * count :], eps)
        ctx.count, ctx.eps = count, eps
        ctx.save_for_backward(*tensors, mean, variance)
        ctx.mark_non_differentiable(mean, variance)
        ctx.set_materialize_grads(False)
        return result, mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: None) -> tuple[Tensor | None, ...]:
        *tensors, mean, variance = ctx.saved_tensors
        n = ctx.count
        out = _BACKWARD(gradient, tensors[:n], tensors[n : 2 * n], tensors[2 * n :], mean, variance, ctx.eps)
        return None, None, *out


_OPERATOR = operator(
    "norm_relu(Tensor[] maps, Tensor[] weights, Tensor[] biases, float eps) -> (Tensor, Tensor, Tensor)",
    _forward,
    _shapes,
)
_BACKWARD = operator(
    "norm_relu_backward(Tensor gradient, Tensor[] maps, Tensor[] weights, Tensor[] biases, Tensor mean, "
    "Tensor variance, float eps) -> Tensor[]",
    _backward,
    _backward_shapes,
)
differentiable(
    "norm_relu",
    lambda maps, weights, biases, eps: _NormReLU.apply(len(maps), eps, *maps, *weights, *biases),
)
