"""Batch norm whose statistics are those of every process's part of a batch."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm


class SharedBatchNorm(_BatchNorm):
    """Batch norm over the batch of every process, on any device (PyTorch's own needs a GPU)."""

    @classmethod
    def like(cls, norm: _BatchNorm) -> SharedBatchNorm:
        """The same layer with the same parameters and statistics, shared."""
        shared = cls(norm.num_features, norm.eps, norm.momentum)
        shared.weight, shared.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            setattr(shared, name, buffer)
        return shared

    def forward(self, x: Tensor) -> Tensor:
        """Normalises ``(N, C, *spatial)``."""
        if not self.training:
            return super().forward(x)
        axes = [0, *range(2, x.ndim)]
        shape = (1, -1) + (1,) * (x.ndim - 2)
        wide = x if x.dtype == torch.float64 else x.float()
        own = x.numel() // x.shape[1]
        sums = _mean_over_processes(torch.cat([wide.sum(axes), wide.new_tensor([own])]))  # their parts may differ
        values, mean = sums[-1].detach(), sums[:-1] / sums[-1].detach()
        centred = wide - mean.view(shape)
        variance = _mean_over_processes(centred.square().sum(axes)) / values
        with torch.no_grad():
            assert self.running_mean is not None and self.running_var is not None
            assert self.momentum is not None and self.num_batches_tracked is not None
            count = values * dist.get_world_size()
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1).clamp(min=1)), self.momentum)
        scale = (self.weight * torch.rsqrt(variance + self.eps)).view(shape)
        return (centred * scale + self.bias.view(shape)).to(x.dtype)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of spatial axes will do."""


class _MeanOverProcesses(torch.autograd.Function):
    """The mean over processes. Its gradient is the mean of the gradients: all of them see the result."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        values = values.clone()
        dist.all_reduce(values)
        return values / dist.get_world_size()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        mean: Tensor = _MeanOverProcesses.apply(*gradients)
        return mean


def _mean_over_processes(values: Tensor) -> Tensor:
    mean: Tensor = _MeanOverProcesses.apply(values)
    return mean
