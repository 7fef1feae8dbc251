"""The only file that knows a 1-D layer from a 2-D or a 3-D one: tables from dimensions to classes and functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from ..arch.shapes import tensorflow_padding
from .kernels.max_pool import MaxPool1d, MaxPool2d, max_pool2d


class Conv1d(nn.Conv1d):
    """:class:`torch.nn.Conv1d`, computed as a picture of height 1 with channels last.

    That is the layout in which oneDNN computes in bfloat16; PyTorch's own 1-D convolution does not.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolves ``(N, C, L)``."""
        picture = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        weight = self.weight.unsqueeze(2)
        padding: tuple[int, ...] = (0, 0)
        if isinstance(self.padding, str):  # "same" of an even kernel: one sample more at the end
            total = self.dilation[0] * (self.kernel_size[0] - 1)
            picture = nn.functional.pad(picture, (total // 2, total - total // 2))
        else:
            padding = (0, *self.padding)
        stride, dilation = (1, *self.stride), (1, *self.dilation)
        return nn.functional.conv2d(picture, weight, self.bias, stride, padding, dilation, self.groups).squeeze(2)


class Conv3d(nn.Conv3d):
    """:class:`torch.nn.Conv3d`, which is given its zeros along an axis where the kernel is as long as the map.

    There oneDNN (3.12, of PyTorch 2.14), which would put them around both ends at once, reads and writes beyond its
    memory as it computes the gradient of the weights: in bfloat16, and of long strided kernels in float32.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolves ``(N, C, D, H, W)``."""
        if isinstance(self.padding, str):
            return super().forward(x)
        reach = [step * (kernel - 1) + 1 for kernel, step in zip(self.kernel_size, self.dilation, strict=True)]
        sizes = zip(x.shape[2:], reach, self.padding, strict=True)
        before = [zeros if n <= most else 0 for n, most, zeros in sizes]
        if not any(before):
            return super().forward(x)
        padded = nn.functional.pad(x, [zeros for zeros in reversed(before) for _ in range(2)])
        rest = tuple(zeros - given for zeros, given in zip(self.padding, before, strict=True))
        return nn.functional.conv3d(padded, self.weight, self.bias, self.stride, rest, self.dilation, self.groups)


def average_pool1d(x: Tensor, window: int, stride: int | None = None) -> Tensor:
    """:func:`torch.nn.functional.avg_pool1d` of ``(N, C, L)``, as of a picture of height 1, which is faster.

    Args:
        x: ``(N, C, L)``.
        window: Samples that a mean is of.
        stride: From one window to the next; the window by default.
    """
    return nn.functional.avg_pool2d(x.unsqueeze(2), (1, window), None if stride is None else (1, stride)).squeeze(2)


class AveragePool(nn.Module):
    """Means of ``window`` samples at a time along every axis."""

    def __init__(self, dims: int, window: int) -> None:
        super().__init__()
        self.dims, self.window = dims, window

    def forward(self, x: Tensor) -> Tensor:
        """Pools ``(N, C, *spatial)``."""
        return AVERAGE_POOL[self.dims](x, self.window)


class TensorFlowPadding(nn.Module):
    """Zeros around a map of any dimensions, as many as TensorFlow puts there for a convolution.

    Args:
        kernel: Kernel size of the convolution along every axis.
        stride: Its stride along every axis.
        dilation: Step between the samples that it reads.
    """

    def __init__(self, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.window = kernel, stride, dilation

    def forward(self, x: Tensor) -> Tensor:
        """Pads ``(N, C, *spatial)``."""
        ends = [end for n in reversed(x.shape[2:]) for end in tensorflow_padding(n, *self.window)]
        return nn.functional.pad(x, ends)


class TensorFlowMaxPool(nn.Module):
    """Max-pool of any dimensions with TensorFlow's padding: ``ceil(n / stride)`` samples along every axis.

    What lies in front is padding, what lies behind the partial window of ceil mode: the maxima are the same. Where one
    window covers an axis it is as long as the axis, since OpenVINO takes none that is longer.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """Pools ``(N, C, *spatial)``."""
        sizes = x.shape[2:]
        windows = tuple(n if n <= self.stride else self.kernel for n in sizes)
        strides = (self.stride,) * len(sizes)
        fronts = tuple(tensorflow_padding(n, k, self.stride)[0] for n, k in zip(sizes, windows, strict=True))
        if len(sizes) == 2:
            return max_pool2d(x, windows, strides, fronts, ceil=True)
        pool = nn.functional.max_pool1d if len(sizes) == 1 else nn.functional.max_pool3d
        return pool(x, windows, strides, fronts, ceil_mode=True)


def same_conv(
    dims: int,
    in_channels: int,
    channels: int,
    kernel: int = 1,
    stride: int = 1,
    dilation: int = 1,
    bias: bool = False,
    members: int = 1,
    padded: bool = False,
) -> Conv1d | nn.Conv2d | Conv3d:
    """A convolution that gives ``ceil(n / stride)`` samples along every axis.

    An even kernel, which needs a stride of 1, is padded by one sample more at the end than at the start.

    Args:
        dims: Spatial dimensions, 1 to 3.
        in_channels: Input channels of each member.
        channels: Output channels of each member.
        kernel: Kernel size along every axis.
        stride: Stride along every axis.
        dilation: Step between the samples that are read, along every axis.
        bias: Whether there is a bias.
        members: Networks side by side, each with its own channels.
        padded: Whether its input has the padding already.
    """
    padding: int | str = dilation * (kernel // 2) if kernel % 2 else "same"
    return CONV[dims](
        in_channels * members,
        channels * members,
        kernel,
        stride,
        padding=0 if padded else padding,
        dilation=dilation,
        groups=members,
        bias=bias,
    )


CONV: Mapping[int, type[Conv1d] | type[nn.Conv2d] | type[Conv3d]] = {
    1: Conv1d,
    2: nn.Conv2d,
    3: Conv3d,
}
BATCH_NORM: Mapping[int, type[nn.BatchNorm1d] | type[nn.BatchNorm2d] | type[nn.BatchNorm3d]] = {
    1: nn.BatchNorm1d,
    2: nn.BatchNorm2d,
    3: nn.BatchNorm3d,
}
MAX_POOL: Mapping[int, type[MaxPool1d] | type[nn.MaxPool2d] | type[nn.MaxPool3d]] = {
    1: MaxPool1d,
    2: MaxPool2d,
    3: nn.MaxPool3d,
}
AVERAGE_POOL: Mapping[int, Callable[..., Tensor]] = {
    1: average_pool1d,
    2: nn.functional.avg_pool2d,
    3: nn.functional.avg_pool3d,
}
ADAPTIVE_AVERAGE_POOL: Mapping[int, Callable[..., Tensor]] = {
    1: nn.functional.adaptive_avg_pool1d,
    2: nn.functional.adaptive_avg_pool2d,
    3: nn.functional.adaptive_avg_pool3d,
}
MEMORY_FORMAT: Mapping[int, torch.memory_format] = {
    1: torch.contiguous_format,  # signals take their layout in Conv1d
    2: torch.channels_last,
    3: torch.channels_last_3d,
}
