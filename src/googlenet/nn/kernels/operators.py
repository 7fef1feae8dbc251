"""Registers a native function as an operator of PyTorch's, with as little toll a call as there can be.

``torch.library.custom_op`` would do the same in fewer lines, but its checks and its generated autograd formula
cost as much as the work on a small map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import forward_ad

_LIBRARY: Any = torch.library.Library("googlenet", "DEF")  # type: ignore[no-untyped-call]

below_autograd = torch._C._AutoDispatchBelowAutograd  # within it, an operator runs without recording a gradient


def runs_plainly() -> bool:
    """Whether PyTorch runs operators one by one and differentiates them backwards: not while it compiles or traces, nor
    within ``torch.func`` or forward differentiation, for which the native operators have no rules."""
    return (
        not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        and forward_ad._current_level < 0
        and torch._C._functorch.peek_interpreter_stack() is None
    )


def operator(schema: str, run: Callable[..., Any], shapes: Callable[..., Any]) -> Any:
    """``torch.ops.googlenet.NAME``: ``run`` on the CPU, ``shapes`` for tensors without data.

    Args:
        schema: As in ``NAME(Tensor x, int k) -> Tensor``.
        run: Takes and returns real tensors.
        shapes: Returns empty tensors like those of ``run``.
    """
    name = schema.partition("(")[0]
    _LIBRARY.define(schema)
    _LIBRARY.impl(name, run, "CPU")
    torch.library.register_fake(f"googlenet::{name}", shapes, lib=_LIBRARY)
    return getattr(torch.ops.googlenet, name).default


def differentiable(name: str, apply: Callable[..., Any]) -> None:
    """Lets the operator of that name record its gradient through an autograd function's ``apply``."""
    _LIBRARY.impl(name, apply, "Autograd")
