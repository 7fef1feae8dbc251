"""The size that a convolution or a pool gives."""

from __future__ import annotations

from typing import Literal


def output_size(
    n: int,
    kernel: int,
    stride: int = 1,
    padding: int | Literal["tensorflow"] = 0,
    dilation: int = 1,
    ceil: bool = False,
) -> int:
    """Output size of a convolution or pool along one axis.

    ``floor((n + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1``. With ``ceil`` the division rounds
    up, and a last window that would start beyond the input and its left padding is dropped, as in Caffe
    and PyTorch. A result below 1 means that the input is too small. A padding of ``"tensorflow"`` is what
    makes it ``ceil(n / stride)``.

    Args:
        n: Samples.
        kernel: Samples in a window.
        stride: Samples from one window to the next.
        padding: Samples on either side, or ``"tensorflow"``.
        dilation: Step between the samples of a window.
        ceil: Whether a last, partial window counts.
    """
    if not isinstance(padding, int):
        return -(-n // stride)
    span = n + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil:
        return span // stride + 1
    out = -(-span // stride) + 1
    return out - 1 if (out - 1) * stride >= n + padding else out


def tensorflow_padding(n: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Samples that TensorFlow's ``SAME`` padding puts in front of n samples and behind them.

    As many as the last of ``ceil(n / stride)`` windows lacks, an odd one behind (TensorFlow's documentation of
    ``tf.nn``, "Notes on padding").

    Args:
        n: Samples.
        kernel: Samples in a window.
        stride: Samples from one window to the next.
        dilation: Step between the samples of a window.
    """
    lacking = (output_size(n, kernel, stride, "tensorflow") - 1) * stride + dilation * (kernel - 1) + 1 - n
    return max(lacking, 0) // 2, -(-max(lacking, 0) // 2)
