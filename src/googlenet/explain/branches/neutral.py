"""The input that says nothing: near the mean one, where two classes are equally likely."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Value = Callable[[Tensor], Tensor]
NEWTON, DESCENT, HALVES = 10, 100, 60  # steps, at most
RATE = 0.05  # of a deviation of the training part: how far a step of the descent moves each value


def neutral(value: Value, start: Tensor, enough: float, most: int = DESCENT) -> Tensor:
    """A zero of a function, near ``start``: Newton's steps along the gradient, the shortest way; where they end in a
    hollow, a descent (Kingma and Ba 2015) until the sign changes, and halves of its last step.

    Args:
        value: From inputs ``(N, …)`` to numbers ``(N,)``.
        start: ``(1, …)``, where the search begins.
        enough: What is as good as 0.
        most: Steps of the descent.

    Returns:
        ``(1, …)``; where the value is still not 0, which may be, the nearest to it that was found.
    """
    point = start
    for _ in range(NEWTON):
        now, slope = _slope(value, point)
        size = float(slope.square().sum())
        if abs(now) <= enough:
            return point
        if size == 0:
            break
        after = point - slope * (now / size)
        then = _value(value, after)
        if then * now < 0:
            return _between(value, point, after, enough)
        if abs(then) >= abs(now):
            break
        point = after
    return _descent(value, point, enough, min(DESCENT, most))


def _descent(value: Value, point: Tensor, enough: float, most: int) -> Tensor:
    point = point.clone().requires_grad_(True)
    moves = torch.optim.Adam([point], lr=RATE)
    first = _value(value, point)
    best, least = point.detach().clone(), abs(first)
    for _ in range(most):
        before = point.detach().clone()
        now, point.grad = _slope(value, before)
        if first < 0:
            point.grad.neg_()
        moves.step()
        after = point.detach().clone()
        then = _value(value, after)
        if then * now < 0:
            return _between(value, before, after, enough)
        if abs(then) < least:
            best, least = after, abs(then)
    return best


def _between(value: Value, one: Tensor, other: Tensor, enough: float) -> Tensor:
    """A zero on the way from one point to another, where the signs differ, by halves."""
    sign = _value(value, one)
    middle = one
    for _ in range(HALVES):
        middle = (one + other) / 2
        found = _value(value, middle)
        if abs(found) <= enough:
            break
        one, other = (middle, other) if found * sign > 0 else (one, middle)
    return middle


@torch.no_grad()
def _value(value: Value, point: Tensor) -> float:
    return float(value(point))


def _slope(value: Value, point: Tensor) -> tuple[float, Tensor]:
    """The value and its gradient."""
    leaf = point.detach().clone().requires_grad_(True)
    found = value(leaf)
    (slope,) = torch.autograd.grad(found.sum(), leaf)
    return float(found.detach()), slope
