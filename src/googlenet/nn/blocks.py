"""The pieces of the network: a convolution unit, a branch, the Inception module, an auxiliary classifier.

A convolution unit, an Inception module and a shortcut compute several of their parts as one operator. Where a hook
hangs on one of these parts they call each part as a module instead, and so they do where ``fused`` is ``False``
(:meth:`~googlenet.nn.googlenet.GoogLeNet.unfused`): the same values, up to rounding. No module changes its input.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from ..arch.spec import Auxiliary, Branch
from . import layers
from .hooks import has_hooks
from .kernels.norm_relu import joined, norm_relu


class ConvUnit(nn.Sequential):
    """Convolution, optional batch norm, ReLU.

    Args:
        dims: Spatial dimensions, 1 to 3.
        in_channels: Input channels of each member.
        channels: Output channels of each member.
        kernel: Kernel size along every axis.
        stride: Stride along every axis.
        norm_eps: Epsilon of batch norm; ``None`` for no batch norm, and a bias instead.
        dilation: Step between the samples that the convolution reads, along every axis.
        members: Networks side by side, each with its own channels.
        padded: Whether its input has the padding already.

    Shape:
        ``(N, in_channels * members, *spatial)`` to ``(N, channels * members, *spatial')``,
        ``spatial' = ceil(spatial / stride)``, of ``spatial`` without padding.
    """

    fused = True  # unless a hook hangs on a part

    def __init__(
        self,
        dims: int,
        in_channels: int,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        norm_eps: float | None = 1e-3,
        dilation: int = 1,
        members: int = 1,
        padded: bool = False,
    ) -> None:
        super().__init__()
        self.conv = layers.same_conv(
            dims, in_channels, channels, kernel, stride, dilation, norm_eps is None, members, padded
        )
        if norm_eps is not None:
            self.norm = layers.BATCH_NORM[dims](channels * members, eps=norm_eps)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Convolves, normalises, clips at zero."""
        if self.fuses():
            return norm_relu([self.conv(x)], [self.norm]) if self.has_norm else torch.relu_(self.conv(x))
        for layer in self:
            x = layer(x)
        return x

    def fuses(self) -> bool:
        """Whether what follows the convolution is one operator now, which may write over the convolution's output."""
        conv, relu = self._modules["conv"], self._modules["relu"]
        own = isinstance(conv, _ConvNd) and isinstance(relu, nn.ReLU)
        return self.fused and own and not has_hooks(self._modules.values())

    @property
    def has_norm(self) -> bool:
        """Whether there is a batch norm behind the convolution."""
        return "norm" in self._modules


def branch_out_channels(branch: Branch, in_channels: int) -> int:
    """Channels that ``branch`` gives for an input of ``in_channels`` channels."""
    return in_channels if branch.channels is None else branch.channels


class BranchPath(nn.Sequential):
    """The layers of a branch: ``pool``, ``reduce``, ``pad``, ``conv``, those that it has.

    Args:
        dims: Spatial dimensions, 1 to 3.
        in_channels: Input channels of each member.
        branch: What it is.
        norm_eps: Epsilon of batch norm; ``None`` for biases and no batch norm.
        members: Networks side by side, each with its own channels.
    """

    def __init__(
        self, dims: int, in_channels: int, branch: Branch, norm_eps: float | None = 1e-3, members: int = 1
    ) -> None:
        super().__init__()
        if branch.pool:
            self.pool = layers.MAX_POOL[dims](branch.pool, stride=1, padding=branch.pool // 2)
        if branch.reduce:
            self.reduce = ConvUnit(dims, in_channels, branch.reduce, norm_eps=norm_eps, members=members)
        padded = branch.padding == "tensorflow"
        if padded:
            self.pad = layers.TensorFlowPadding(branch.kernel, branch.stride, branch.dilation)
        if branch.channels is not None:
            self.conv = ConvUnit(
                dims,
                branch.reduce or in_channels,
                branch.channels,
                branch.kernel,
                branch.stride,
                norm_eps,
                branch.dilation,
                members,
                padded,
            )

    def fuses(self) -> bool:
        """Whether the last layers are a convolution with batch norm that others may compute together with theirs."""
        unit = self._modules.get("conv")
        return isinstance(unit, ConvUnit) and unit.has_norm and unit.fuses() and not has_hooks((self, unit))

    def before_norm(self, x: Tensor) -> Tensor:
        """The output of the last convolution, before its norm."""
        for name, layer in self.named_children():
            x = layer.conv(x) if isinstance(layer, ConvUnit) and name == "conv" else layer(x)
        return x


class Inception(nn.Module):
    """An Inception module (paper, figure 2b) for 1, 2 or 3 spatial dimensions.

    Use it in any network of your own::

        block = googlenet.Inception(192, googlenet.inception("3a", 64, 96, 128, 16, 32, 32).branches)
        block(torch.randn(8, 192, 28, 28)).shape     # (8, 256, 28, 28)

    Args:
        in_channels: Input channels of each member.
        branches: The paths, concatenated on channels in this order.
        dims: Spatial dimensions, 1 to 3.
        norm_eps: Epsilon of batch norm; ``None`` for biases and no batch norm.
        bottleneck: See :class:`~googlenet.arch.spec.InceptionSpec`.
        members: Networks side by side, each with its own channels.

    Shape:
        ``(N, in_channels * members, *spatial)`` to ``(N, out_channels * members, *spatial)``.
    """

    fused = True  # unless a hook hangs on a branch or a part of its last unit

    def __init__(
        self,
        in_channels: int,
        branches: Sequence[Branch],
        dims: int = 2,
        norm_eps: float | None = 1e-3,
        bottleneck: int | None = None,
        members: int = 1,
    ) -> None:
        super().__init__()
        if dims not in layers.CONV:
            raise ValueError(f"dims must be 1, 2 or 3, not {dims}.")
        self.in_channels, self.members = in_channels, members
        self.out_channels = sum(branch_out_channels(branch, in_channels) for branch in branches)
        narrow = in_channels
        if bottleneck and in_channels > 1:
            narrow = bottleneck
            self.bottleneck = layers.same_conv(dims, in_channels, bottleneck, members=members)
        self.branches = nn.ModuleDict(
            {
                branch.name: BranchPath(dims, in_channels if branch.pool else narrow, branch, norm_eps, members)
                for branch in branches
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """The branches' outputs, concatenated on channels."""
        narrow = self.bottleneck(x) if "bottleneck" in self._modules else x
        branches = [(path, x if "pool" in path._modules else narrow) for path in self.branches.values()]
        paths = [path for path, _ in branches if isinstance(path, BranchPath) and path.fuses()]
        if not self.fused or len(paths) < len(branches):
            return joined([path(each) for path, each in branches], self.members)
        maps = [path.before_norm(each) for path, (_, each) in zip(paths, branches, strict=True)]
        return norm_relu(maps, [path.conv.norm for path in paths], self.members)


class Shortcut(nn.Module):
    """The end of a residual stage: ``relu(x + norm(conv1x1(entry)))`` (InceptionTime: Fawaz et al. 2020).

    Args:
        dims: Spatial dimensions, 1 to 3.
        in_channels: Channels of the stage's input, of each member.
        channels: Channels of its output, of each member.
        norm_eps: Epsilon of batch norm; ``None`` for a bias and no batch norm.
        members: Networks side by side, each with its own channels.
    """

    fused = True  # unless a hook hangs on a part

    def __init__(self, dims: int, in_channels: int, channels: int, norm_eps: float | None, members: int = 1) -> None:
        super().__init__()
        self.conv = layers.same_conv(dims, in_channels, channels, bias=norm_eps is None, members=members)
        self.norm = nn.Identity() if norm_eps is None else layers.BATCH_NORM[dims](channels * members, eps=norm_eps)
        self.relu = nn.ReLU()

    def forward(self, entry: Tensor, x: Tensor) -> Tensor:
        """The stage's input and its output, both ``(N, channels, *spatial)``."""
        if self.fused and isinstance(self.relu, nn.ReLU) and not has_hooks((self.norm, self.relu)):
            return norm_relu([self.conv(entry)], [self.norm], residual=x)
        clipped: Tensor = self.relu(self.norm(self.conv(entry)) + x)
        return clipped


class MemberLinear(nn.Module):
    """A linear layer for each of several members: ``(N, members * in_features)`` to ``(N, members, out_features)``.

    Args:
        in_features: Of each member.
        out_features: Of each member.
        members: Networks side by side.
    """

    def __init__(self, in_features: int, out_features: int, members: int) -> None:
        super().__init__()
        self.in_features = in_features
        self.weight = nn.Parameter(torch.empty(members, in_features, out_features).normal_().div_(in_features**0.5))
        self.bias = nn.Parameter(torch.zeros(members, 1, out_features))

    def forward(self, x: Tensor) -> Tensor:
        """Each member's logits."""
        shares = torch.unflatten(x, 1, (len(self.weight), self.in_features)).transpose(0, 1)
        return torch.baddbmm(self.bias, shares, self.weight).transpose(0, 1)


class AuxiliaryClassifier(nn.Module):
    """An auxiliary classifier: average pool, 1×1 convolution, two linear layers (paper, section 5).

    Args:
        dims: Spatial dimensions, 1 to 3.
        in_channels: Input channels.
        num_classes: Width of the last linear layer.
        spec: What it is.
        norm_eps: Epsilon of batch norm; ``None`` for a bias and no batch norm.

    Shape:
        ``(N, in_channels, *spatial)`` to logits ``(N, num_classes)``.
    """

    def __init__(self, dims: int, in_channels: int, num_classes: int, spec: Auxiliary, norm_eps: float | None) -> None:
        super().__init__()
        self.dims, self.grid, self.pool = dims, spec.grid, spec.pool
        self.conv = ConvUnit(dims, in_channels, spec.channels, norm_eps=norm_eps)
        self.fc1 = nn.Linear(spec.channels * spec.grid**dims, spec.hidden)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(spec.dropout)
        self.fc2 = nn.Linear(spec.hidden, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(N, num_classes)`` from a module's output."""
        x = self.conv(self._pooled(x)).flatten(1)
        logits: Tensor = self.fc2(self.dropout(self.relu(self.fc1(x))))
        return logits

    def _pooled(self, x: Tensor) -> Tensor:
        if self.pool:
            window, stride = self.pool
            if all((n - window) // stride + 1 == self.grid for n in x.shape[2:]):
                return layers.AVERAGE_POOL[self.dims](x, window, stride)
        return layers.ADAPTIVE_AVERAGE_POOL[self.dims](x, self.grid)


class GlobalAveragePool(nn.Module):
    """``(N, C, *spatial)`` to ``(N, C)``: the mean over every position."""

    def forward(self, x: Tensor) -> Tensor:
        """The mean over every position."""
        return x.flatten(2).mean(2)
