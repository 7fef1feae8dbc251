"""The size that a convolution or a pool gives."""

from __future__ import annotations


def output_size(n: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil: bool = False) -> int:
    """Output size of a convolution or pool along one axis.

    ``floor((n + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1``. With ``ceil`` the division rounds
    up, and a last window that would start beyond the input and its left padding is dropped, as in Caffe
    and PyTorch. A result below 1 means that the input is too small.
    """
    span = n + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil:
        return span // stride + 1
    out = -(-span // stride) + 1
    return out - 1 if (out - 1) * stride >= n + padding else out
