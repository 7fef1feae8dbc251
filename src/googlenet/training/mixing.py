"""Examples mixed with each other: mixup and CutMix."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .recipe import Recipe


def mixed(inputs: Tensor, labels: Tensor, classes: int, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Mixup or CutMix where the recipe says so (each time one of both); targets become shares then."""
    kinds = [kind for kind in ("mixup", "cutmix") if getattr(recipe, kind) > 0]
    if not kinds:
        return inputs, labels
    kind = kinds[int(torch.randint(len(kinds), ()))]
    alpha = torch.tensor(float(getattr(recipe, kind)))
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    partner = torch.randperm(len(inputs), device=inputs.device)
    if kind == "mixup":
        inputs = torch.lerp(inputs[partner], inputs, share)
    else:
        height, width = inputs.shape[2:]
        half_height, half_width = (round(n * math.sqrt(1 - share) / 2) for n in (height, width))
        y, x = int(torch.randint(height, ())), int(torch.randint(width, ()))
        top, left = max(0, y - half_height), max(0, x - half_width)
        patch = (..., slice(top, y + half_height), slice(left, x + half_width))
        inputs = inputs.clone()
        inputs[patch] = inputs[partner][patch]
        share = 1 - inputs[0, 0][patch].numel() / (height * width)
    ones = nn.functional.one_hot(labels, classes).float()
    return inputs, torch.lerp(ones[partner], ones, share)
