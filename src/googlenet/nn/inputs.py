"""What is no input of a network, said in a sentence before its first layer would fail on it."""

from __future__ import annotations

import torch
from torch import Tensor

from ..arch.cost import check_size
from ..arch.spec import Arch
from ..errors import InputError


def check_input(x: object, arch: Arch, in_channels: int, least: int, like: object) -> None:
    """Asks for a type and a shape alone, so that it costs nothing and can be traced.

    Args:
        x: What a network was called with.
        arch: Of the network.
        in_channels: Of each of its members.
        least: Size along an axis that it needs.
        like: A parameter of it, whose type of numbers it computes in.

    Raises:
        InputError: For what is no tensor, of another rank, number of channels or type of numbers, or too small.
    """
    channels = in_channels * arch.members
    if not isinstance(x, Tensor) or x.ndim != arch.dims + 2 or x.shape[1] != channels:
        raise InputError(_refusal(x, arch, channels))
    if isinstance(like, Tensor) and x.dtype != like.dtype and not _is_cast(x):
        raise InputError(_conversion(x, arch, str(like.dtype)))
    if min(x.shape[2:]) < least:
        check_size(arch, tuple(x.shape[2:]))


def _is_cast(x: Tensor) -> bool:
    """Whether autocast makes the type that is wanted of it, as of all floats but the longest."""
    return x.is_floating_point() and x.dtype != torch.float64 and torch.is_autocast_enabled(x.device.type)


def _refusal(x: object, arch: Arch, channels: int) -> str:
    """Why that cannot be an input, by its type and its shape."""
    wanted = ", ".join(["N", str(channels)] + ["size"] * arch.dims)
    if not isinstance(x, Tensor):
        hint = "; torch.from_numpy makes one of an array" if type(x).__module__ == "numpy" else ""
        return f"{arch.name} takes a tensor of shape ({wanted}), not {type(x).__name__}{hint}."
    said = f"{arch.name} takes inputs of shape ({wanted}), not {tuple(x.shape)}"
    if x.ndim == arch.dims + 1 and x.shape[0] == channels:
        return f"{said}: it takes batches, and x.unsqueeze(0) is a batch of one."
    if x.ndim == arch.dims + 2 and x.shape[-1] == channels:
        axes = ", ".join(map(str, (0, arch.dims + 1, *range(1, arch.dims + 1))))
        return f"{said}: the channels are last, and x.permute({axes}) puts them first."
    if x.ndim == arch.dims + 2:
        return f"{said}: {channels} channel{' is' if channels == 1 else 's are'} wanted, and it has {x.shape[1]}."
    return f"{said}."


def _conversion(x: Tensor, arch: Arch, wanted: str) -> str:
    """What to do about numbers of another type."""
    todo = f"x.to({wanted}) / 255, normalised as it learned" if x.dtype == torch.uint8 else f"x.to({wanted})"
    given, wanted = str(x.dtype).removeprefix("torch."), wanted.removeprefix("torch.")
    return f"{arch.name} computes in {wanted} and was given numbers of type {given}. Give {todo}."
