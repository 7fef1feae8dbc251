"""What each of several networks side by side sees of a prepared signal, so that they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .scale import to_own_scale

if TYPE_CHECKING:
    from torch import Tensor


def side_by_side(inputs: Tensor, members: int, channels: int, own: bool) -> Tensor:
    """What every member sees, ``(N, members * inputs, length)``, made without writing into anything: it is exported.

    Even members see the signal and its difference, odd ones the signal alone; a single one sees both. The second and
    third of four see every channel to its own scale, where ``own`` says so.

    Args:
        inputs: Prepared, ``(N, inputs, length)``: the channels, then their differences, if there are any.
        members: How many.
        channels: Of the signal.
        own: See above.
    """
    import torch

    return torch.cat([part for member in range(members) for part in _seen_by(member, inputs, channels, own)], 1)


def _seen_by(member: int, inputs: Tensor, channels: int, own: bool) -> list[Tensor]:
    """Channels and differences as a member sees them."""
    parts = [inputs]
    if member % 2 and inputs.shape[1] > channels:
        parts = [inputs[:, :channels], inputs[:, channels:].clamp(0, 0)]
    if own and member % 4 in (1, 2):
        scaled = to_own_scale(inputs, channels)
        parts = [scaled[0], *parts[1:]] if member % 2 else scaled
    return parts


def show_in_place(seen: Tensor, channels: int, own: bool) -> None:
    """The same in a batch to learn from, ``(N, members, inputs, length)``, whose members have signals of their own.

    Args:
        seen: Prepared; is changed.
        channels: Of the signal.
        own: See :func:`side_by_side`.
    """
    seen[:, 1::2, channels:] = 0  # the differences, if there are any
    for member in (each for each in range(seen.shape[1]) if own and each % 4 in (1, 2)):
        scaled = to_own_scale(seen[:, member], channels)
        seen[:, member, :channels] = scaled[0]
        if len(scaled) > 1:
            seen[:, member, channels:] = scaled[1]
