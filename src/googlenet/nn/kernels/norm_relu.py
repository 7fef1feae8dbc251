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
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _BatchNorm

from .native import library
from .operators import below_autograd, differentiable, operator, runs_plainly

_SUFFIX = {torch.bfloat16: "bf16", torch.float32: "fp32"}


def reference(
    maps: Sequence[Tensor], norms: Sequence[nn.Module], members: int = 1, residual: Tensor | None = None
) -> Tensor:
    """What the native operator is tested equal to: normalise, concatenate, add, clip at zero.

    Args:
        maps: As of :func:`norm_relu`.
        norms: A module for each.
        members: As of :func:`norm_relu`.
        residual: As of :func:`norm_relu`.
    """
    together = joined([norm(x) for x, norm in zip(maps, norms, strict=True)], members)
    return nn.functional.relu(together if residual is None else together + residual)


def joined(maps: Sequence[Tensor], members: int = 1) -> Tensor:
    """Concatenation on channels, within each member's share of them; with channels last where the maps have them."""
    if maps[0].stride(1) == 1 and runs_plainly():  # of maps that are not 2-D, PyTorch does not see it
        return _joined([x.movedim(1, -1) for x in maps], members, -1).movedim(-1, 1)
    return _joined(maps, members, 1)


def _joined(maps: Sequence[Tensor], members: int, axis: int) -> Tensor:
    if members == 1:
        return torch.cat(list(maps), dim=axis)
    within = axis + 1 if axis > 0 else axis
    return torch.cat([torch.unflatten(x, axis, (members, -1)) for x in maps], dim=within).flatten(within - 1, within)


def norm_relu(
    maps: Sequence[Tensor], norms: Sequence[nn.Module], members: int = 1, residual: Tensor | None = None
) -> Tensor:
    """``relu(joined([norm(x) for each], members) + residual)``; running statistics are updated as the norms would.

    Args:
        maps: ``(N, C_i, *spatial)``, all with the same N and spatial size.
        norms: A batch norm for each.
        members: Networks side by side; each has the same share of every map's channels.
        residual: ``(N, sum of C_i, *spatial)`` to add in front of the ReLU, if any.

    Returns:
        ``(N, sum of C_i, *spatial)``.
    """
    native = all(_is_native(x, norm) for x, norm in zip(maps, norms, strict=True))
    if not native or not _go_together(maps, norms, members, residual):
        return reference(maps, norms, members, residual)
    batch_norms = [norm for norm in norms if isinstance(norm, _BatchNorm)]
    result, mean, variance = _OPERATOR(
        list(maps),
        [norm.weight for norm in batch_norms],
        [norm.bias for norm in batch_norms],
        batch_norms[0].eps,
        members,
        residual,
    )
    _update(batch_norms, mean.detach(), variance.detach(), result.numel() // result.shape[1])
    together: Tensor = result
    return together


def _is_native(x: Tensor, norm: nn.Module) -> bool:
    return (
        isinstance(norm, _BatchNorm)
        and type(norm) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
        and norm.training
        and norm.momentum is not None
        and norm.affine
        and norm.weight.dtype == torch.float32
        and x.device.type == "cpu"
        and x.dtype in _SUFFIX
        and x.ndim in (3, 4)
        and x.shape[1] == norm.num_features
        and x.numel() > x.shape[1]
        and x.movedim(1, -1).is_contiguous()
        and runs_plainly()
        and library("norm_relu") is not None
    )


def _go_together(maps: Sequence[Tensor], norms: Sequence[nn.Module], members: int, residual: Tensor | None) -> bool:
    """Whether the maps, and what is added to them, are of one type and size; PyTorch says what is wrong if not."""
    first, channels = maps[0], sum(x.shape[1] for x in maps)
    place = (first.dtype, first.shape[0], first.shape[2:])
    return (
        all((x.dtype, x.shape[0], x.shape[2:]) == place and x.shape[1] % members == 0 for x in maps)
        and all(norm.eps == norms[0].eps for norm in norms)
        and (
            residual is None
            or (residual.dtype, residual.shape) == (first.dtype, (first.shape[0], channels, *first.shape[2:]))
        )
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


def _call(
    name: str, dtype: torch.dtype, maps: Sequence[Sequence[Tensor | int]], members: int, rows: int, eps: float
) -> None:
    """Runs a function of ``norm_relu.cpp``.

    Args:
        name: ``"forward"`` or ``"backward"``.
        dtype: Of the maps.
        maps: For each, the fields of the struct ``Map``, in its order; a tensor stands for its address.
        members: Networks side by side.
        rows: Images × height × width.
        eps: Of batch norm.
    """
    fields = [field if isinstance(field, int) else field.data_ptr() for fields in maps for field in fields]
    native = library("norm_relu")
    assert native is not None
    function = getattr(native, f"norm_relu_{name}_{_SUFFIX[dtype]}")
    sizes = (ctypes.c_int64(len(maps)), ctypes.c_int64(members), ctypes.c_int64(rows))
    function((ctypes.c_int64 * len(fields))(*fields), *sizes, ctypes.c_float(eps), torch.get_num_threads())


def _forward(
    maps: list[Tensor],
    weights: list[Tensor],
    biases: list[Tensor],
    eps: float,
    members: int,
    residual: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """The result, and mean and biased variance of every channel, map after map."""
    result, mean, variance = _shapes(maps, weights, biases, eps, members, residual)
    residual = None if residual is None else _channels_last(residual)
    channels, at, table = result.shape[1], 0, []
    for x, weight, bias in zip(maps, weights, biases, strict=True):
        c = x.shape[1]
        statistics = (mean.data_ptr() + 4 * at, variance.data_ptr() + 4 * at)
        table.append((x, result, 0, c, c, channels, 0, weight, bias, *statistics, 0, 0, _or_null(residual), 0))
        at += c
    _call("forward", result.dtype, table, members, result.numel() // channels, eps)
    return result, mean, variance


def _shapes(
    maps: list[Tensor],
    weights: list[Tensor],
    biases: list[Tensor],
    eps: float,
    members: int,
    residual: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    first = maps[0]
    channels = sum(x.shape[1] for x in maps)
    size = (first.shape[0], *first.shape[2:], channels)
    result = torch.empty(size, dtype=first.dtype, device=first.device).movedim(-1, 1)
    mean, variance = (torch.empty(channels, dtype=torch.float32, device=first.device) for _ in range(2))
    return result, mean, variance


def _backward(
    gradient: Tensor,
    maps: list[Tensor],
    weights: list[Tensor],
    biases: list[Tensor],
    mean: Tensor,
    variance: Tensor,
    eps: float,
    members: int,
    residual: Tensor | None,
) -> list[Tensor]:
    """Gradients of the maps, then of the weights, then of the biases, then of the residual."""
    gradient = _channels_last(gradient)
    residual = None if residual is None else _channels_last(residual)
    out = _backward_shapes(gradient, maps, weights, biases, mean, variance, eps, members, residual)
    residual_gradient = None if residual is None else out[-1]
    channels, count, at, table = gradient.shape[1], len(maps), 0, []
    for i, (x, weight, bias) in enumerate(zip(maps, weights, biases, strict=True)):
        c = x.shape[1]
        statistics = (mean.data_ptr() + 4 * at, variance.data_ptr() + 4 * at)
        gradients = (out[count + i], out[2 * count + i])
        residuals = (_or_null(residual), _or_null(residual_gradient))
        table.append((x, out[i], gradient, c, c, c, channels, weight, bias, *statistics, *gradients, *residuals))
        at += c
    _call("backward", gradient.dtype, table, members, gradient.numel() // channels, eps)
    return out


def _backward_shapes(
    gradient: Tensor,
    maps: list[Tensor],
    weights: list[Tensor],
    biases: list[Tensor],
    mean: Tensor,
    variance: Tensor,
    eps: float,
    members: int,
    residual: Tensor | None,
) -> list[Tensor]:
    like = (*maps, *weights, *biases, *(() if residual is None else (gradient,)))
    return [torch.empty_like(tensor) for tensor in like]


def _channels_last(x: Tensor) -> Tensor:
    return x.movedim(1, -1).contiguous().movedim(-1, 1)


def _or_null(tensor: Tensor | None) -> Tensor | int:
    """A field of the table; the native side finds a map's channels in it by itself."""
    return 0 if tensor is None else tensor


class _NormReLU(torch.autograd.Function):
    """The gradient of the operator; it keeps the maps as they came, and no copy."""

    @staticmethod
    def forward(
        ctx: Any, n: int, eps: float, members: int, residual: Tensor | None, *tensors: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        parts = tensors[:n], tensors[n : 2 * n], tensors[2 * n :]
        with below_autograd():
            result, mean, variance = _OPERATOR(*parts, eps, members, residual)
        ctx.count, ctx.settings = n, (eps, members)
        ctx.save_for_backward(*tensors, mean, variance, residual)
        ctx.mark_non_differentiable(mean, variance)
        ctx.set_materialize_grads(False)
        return result, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: None) -> tuple[Tensor | None, ...]:
        *tensors, mean, variance, residual = ctx.saved_tensors
        n = ctx.count
        parts = tensors[:n], tensors[n : 2 * n], tensors[2 * n :]
        out = _BACKWARD(gradient, *parts, mean, variance, *ctx.settings, residual)
        return None, None, None, None if residual is None else out[3 * n], *out[: 3 * n]


_OPERATOR = operator(
    "norm_relu(Tensor[] maps, Tensor[] weights, Tensor[] biases, float eps, int members, Tensor? residual) "
    "-> (Tensor, Tensor, Tensor)",
    _forward,
    _shapes,
)
_BACKWARD = operator(
    "norm_relu_backward(Tensor gradient, Tensor[] maps, Tensor[] weights, Tensor[] biases, Tensor mean, "
    "Tensor variance, float eps, int members, Tensor? residual) -> Tensor[]",
    _backward,
    _backward_shapes,
)
differentiable(
    "norm_relu",
    lambda maps, weights, biases, *settings: _NormReLU.apply(len(maps), *settings, *maps, *weights, *biases),
)
