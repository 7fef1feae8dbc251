"""Weights of pictures for volumes and for signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from ..errors import InputError
from .checkpoint import Weights, without_auxiliary


def inflate(weights: Weights) -> Weights:
    """2-D weights for three dimensions, as I3D does (Carreira and Zisserman 2017, section 2.4).

    Every kernel is repeated along a new first axis and divided by its length, so that a picture that goes on unchanged
    along that axis gives what it gave before, away from the ends of the axis, where kernels reach into the padding.
    Auxiliary classifiers are left out: their grids have another size.

    Raises:
        InputError: If the weights are not of pictures.

    Example:
        >>> from googlenet.weights import inflate, network_of, read_source
        >>> network_of(inflate(read_source("googlenet_small.fashion_mnist")))(torch.zeros(1, 1, 16, 28, 28)).shape
        torch.Size([1, 10])
    """

    def repeated(kernel: Tensor) -> Tensor:
        length = kernel.shape[-1]
        return (kernel.unsqueeze(2) / length).repeat(1, 1, length, 1, 1)

    return _of_dimensions(weights, 3, "inflated", repeated)


def collapse(weights: Weights) -> Weights:
    """2-D weights for one dimension: every kernel is summed over its last axis.

    A picture that is constant along that axis gives what its profile, a signal, now gives, away from the picture's
    borders across it, where kernels reach into the padding.

    Raises:
        InputError: If the weights are not of pictures.
    """
    return _of_dimensions(weights, 1, "collapsed", lambda kernel: kernel.sum(-1))


def _of_dimensions(weights: Weights, dims: int, how: str, change: Callable[[Tensor], Tensor]) -> Weights:
    header = weights.header
    if header.arch.dims != 2:
        raise InputError(
            f"{header.arch.name} has {header.arch.dims} dimensions; only weights of pictures, with 2, can be changed."
        )
    arch = replace(
        header.arch,
        name=f"{header.arch.name}_{how}",
        dims=dims,
        input_size=(header.arch.input_size[0],) * dims,
        auxiliary=(),
    )
    kept = without_auxiliary(weights)
    tensors = {name: change(tensor) if tensor.ndim == 4 else tensor for name, tensor in kept.tensors.items()}
    extra = {key: value for key, value in header.extra.items() if key != "preprocessing"}
    return Weights(replace(kept.header, arch=arch, extra=extra), tensors, weights.quirks)
