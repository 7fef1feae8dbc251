"""Rewrites of a network that keep its function.

They are for prediction: what they join is no module any more, so nothing can hook on a norm that was folded into its
convolution, nor on the parts of a packed unit. Explain and inspect the network that they were made from.
"""

from __future__ import annotations

import copy
import platform

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .blocks import ConvUnit, Shortcut
from .device import computes_in_bf16
from .googlenet import GoogLeNet


def fold_norms(model: GoogLeNet) -> GoogLeNet:
    """A copy for evaluation in which every batch norm is part of the convolution before it.

    With its running statistics a batch norm multiplies each channel by a number and adds another; both go into
    the convolution's weights and a bias. The auxiliary classifiers are left out.

    Args:
        model: Any network; one without batch norm is copied as it is.
    """
    folded = copy.deepcopy(model).eval()
    folded.auxiliary.clear()
    for layer in folded.modules():
        if isinstance(layer, ConvUnit) and layer.has_norm:
            _fold(layer.conv, layer.norm)
            del layer.norm
        elif isinstance(layer, Shortcut) and isinstance(layer.norm, _BatchNorm):
            _fold(layer.conv, layer.norm)
            layer.norm = nn.Identity()
    return folded


@torch.no_grad()
def _fold(conv: nn.Conv1d | nn.Conv2d | nn.Conv3d, norm: _BatchNorm) -> None:
    """Puts the norm's scale into the convolution's weights and the rest into its bias."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    bias = norm.bias - norm.running_mean * scale
    if conv.bias is not None:
        bias = bias + conv.bias * scale
    conv.weight = nn.Parameter(conv.weight * scale.view(-1, *[1] * (conv.weight.ndim - 1)), requires_grad=False)
    conv.bias = nn.Parameter(bias, requires_grad=False)


def can_pack(device: torch.device) -> bool:
    """Whether :func:`pack_units` is of use: on x86 processors with bfloat16, which oneDNN is made for."""
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return device.type == "cpu" and x86 and onednn and computes_in_bf16(device)


def pack_units(model: GoogLeNet) -> GoogLeNet:
    """A copy for bfloat16 on the CPU, in which a convolution and its ReLU are one call of oneDNN's.

    Args:
        model: A network for pictures, from :func:`fold_norms`.
    """
    packed = copy.deepcopy(model)
    for layer in list(packed.modules()):
        for name, child in layer.named_children():
            if isinstance(child, ConvUnit) and isinstance(child.conv, nn.Conv2d) and not child.has_norm:
                setattr(layer, name, PackedUnit(child.conv))
    return packed


class PackedUnit(nn.Module):
    """A :class:`~googlenet.nn.blocks.ConvUnit` without norm, in bfloat16, its weights laid out as oneDNN wants them.

    That depends on the shape of the input, so there is a layout for each of the first few shapes; others take the
    weights as they are, which is a little slower.

    Shape:
        As of the unit it was made from.
    """

    LAYOUTS = 4
    has_norm = False

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        assert conv.bias is not None and not isinstance(conv.padding, str)
        self.window = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
        self.weight = conv.weight.detach().to(torch.bfloat16, memory_format=torch.channels_last)
        self.bias = conv.bias.detach().bfloat16()
        self.layouts: dict[torch.Size, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Convolves, clips at zero."""
        x = x.to(torch.bfloat16, memory_format=torch.channels_last)
        weight = self.layouts.get(x.shape, self.weight)
        if weight is self.weight and len(self.layouts) < self.LAYOUTS:
            weight = torch.ops.mkldnn._reorder_convolution_weight(self.weight, *self.window, list(x.shape))
            self.layouts[x.shape] = weight
        clipped: Tensor = torch.ops.mkldnn._convolution_pointwise(x, weight, self.bias, *self.window, "relu", [], "")
        return clipped
