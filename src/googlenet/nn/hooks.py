"""Whether somebody listens to a module, which then has to be called."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn
from torch.nn.modules import module as _every


def has_hooks(modules: Iterable[nn.Module]) -> bool:
    """Whether a hook would run when one of the modules is called: of its own, or one for every module.

    Forward and backward hooks count, and those that run before. It costs a few truth tests of dictionaries.
    """
    for module in modules:
        if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks:
            return True
    return bool(
        _every._global_forward_hooks
        or _every._global_forward_pre_hooks
        or _every._global_backward_hooks
        or _every._global_backward_pre_hooks
    )
