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
    result, mean, variance = _forward(
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


def _address(tensor: Tensor, skip: int = 0) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr() + skip * tensor.element_size())


def _call(
    name: str, dtype: torch.dtype, pointers: Sequence[Any], rows: int, channels: int, stride: int, eps: float
) -> None:
    """Runs a function of ``norm_relu.cpp``."""
    native = library("norm_relu")
    assert native is not None
    sizes = [ctypes.c_int64(size) for size in (rows, channels, stride)]
    function = getattr(native, f"norm_relu_{name}_{_SUFFIX[dtype]}")
    function(*pointers, *sizes, ctypes.c_float(eps), ctypes.c_int(torch.get_num_threads()))


@torch.library.custom_op("googlenet::norm_relu", mutates_args=())
def _forward(
    maps: Sequence[Tensor], weights: Sequence[Tensor], biases: Sequence[Tensor], eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The result, and mean and biased variance of every channel."""
    result, mean, variance = _empty(maps, weights, biases, eps)
    channels, rows, at = result.shape[1], result.numel() // result.shape[1], 0
    for x, weight, bias in zip(maps, weights, biases, strict=True):
        pointers = [_address(x), _address(result, at), _address(weight), _address(bias)]
        pointers += [_address(mean, at), _address(variance, at)]
        _call("forward", x.dtype, pointers, rows, x.shape[1], channels, eps)
        at += x.shape[1]
    return result, mean, variance


@_forward.register_fake
def _empty(
    maps: Sequence[Tensor], weights: Sequence[Tensor], biases: Sequence[Tensor], eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    first = maps[0]
    channels = sum(x.shape[1] for x in maps)
    size = (first.shape[0], channels, *first.shape[2:])
    result = torch.empty(size, dtype=first.dtype, device=first.device, memory_format=torch.channels_last)
    statistics = torch.empty(2, channels, device=first.device)
    return result, statistics[0].clone(), statistics[1].clone()


@torch.library.custom_op("googlenet::norm_relu_backward", mutates_args=())
def _backward(
    gradient: Tensor,
    maps: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    mean: Tensor,
    variance: Tensor,
    eps: float,
) -> list[Tensor]:
    """Gradients of the maps, then of the weights, then of the biases."""
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    out: list[Tensor] = _backward_empty(gradient, maps, weights, biases, mean, variance, eps)
    channels, rows, at, count = gradient.shape[1], gradient.numel() // gradient.shape[1], 0, len(maps)
    for i, (x, weight, bias) in enumerate(zip(maps, weights, biases, strict=True)):
        pointers = [_address(gradient, at), _address(x), _address(out[i]), _address(weight), _address(bias)]
        pointers += [_address(mean, at), _address(variance, at)]
        pointers += [_address(out[count + i]), _address(out[2 * count + i])]
        _call("backward", x.dtype, pointers, rows, x.shape[1], channels, eps)
        at += x.shape[1]
    return out


@_backward.register_fake
def _backward_empty(
    gradient: Tensor,
    maps: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    mean: Tensor,
    variance: Tensor,
    eps: float,
) -> list[Tensor]:
    return [torch.empty_like(tensor) for tensor in (*maps, *weights, *biases)]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    maps, weights, biases, ctx.eps = inputs
    ctx.count = len(maps)
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(*output[1:])
    ctx.save_for_backward(*maps, *weights, *biases, *output[1:])


def _gradient(ctx: Any, gradient: Tensor, *_: None) -> tuple[list[Tensor], list[Tensor], list[Tensor], None]:
    *tensors, mean, variance = ctx.saved_tensors
    n = ctx.count
    out = _backward(gradient, tensors[:n], tensors[n : 2 * n], tensors[2 * n :], mean, variance, ctx.eps)
    return out[:n], out[n : 2 * n], out[2 * n :], None


_forward.register_autograd(_gradient, setup_context=_remember)
