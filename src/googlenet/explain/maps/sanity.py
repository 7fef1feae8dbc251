"""Whether maps can be believed: do they depend on what was learned, and on what decides?

Randomising the weights from the top downwards must change a map (Adebayo et al. 2018, section 3); hiding the places
that it calls important first must change the answer sooner than hiding them last (Petsiuk et al. 2018, section 3.2).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ...data.protocol import Floats
from ...inference.pipeline import Pipeline
from ...nn.googlenet import GoogLeNet

Maps = Callable[[Pipeline], Floats]
STEPS = 20  # of deletion and insertion


@dataclass(frozen=True)
class Faithfulness:
    """How the probability of a class goes as places are hidden, or shown, in the order of a map.

    Attributes:
        deletion: Its mean as the places are hidden, the most important first: the less the better.
        insertion: Its mean as they are shown, the most important first: the more the better.
    """

    deletion: float
    insertion: float


def after_randomising(pipeline: Pipeline, maps: Maps, seed: int = 0) -> dict[str, float]:
    """Rank correlation of maps with those of networks whose weights are random from the top down to a layer.

    Args:
        pipeline: The networks.
        maps: From a pipeline to ``(N, *spatial)``.
        seed: Of the random weights.

    Returns:
        By the lowest layer that is random: Spearman's correlation of the maps, the mean over examples.
    """
    before = maps(pipeline)
    changed = copy.deepcopy(pipeline)
    found = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, parts in _from_the_top(changed.networks):
            for part in parts:
                _randomise(part)
            found[name] = float(np.mean([_rank_correlation(*pair) for pair in zip(before, maps(changed), strict=True)]))
    return found


def _from_the_top(models: list[GoogLeNet]) -> Iterator[tuple[str, list[nn.Module]]]:
    yield "classifier", [model.classifier for model in models]
    for name in reversed([name for name, layer in models[0].features.items() if list(layer.parameters())]):
        yield name, [model.features[name] for model in models]


@torch.no_grad()
def _randomise(part: nn.Module) -> None:
    """Weights by chance with the mean and the deviation that they had: so that values keep their size."""
    for weight in part.parameters():
        mean, deviation = weight.mean(), weight.std() if weight.numel() > 1 else weight.new_zeros(())
        weight.copy_(torch.randn_like(weight) * deviation + mean)


def _rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's; 0 where one has no order."""
    from scipy.stats import spearmanr

    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a.ravel(), b.ravel()).statistic)


@torch.inference_mode()
def faithfulness(probability: Callable[[Tensor], Tensor], view: Tensor, order: Floats) -> Faithfulness:
    """Deletion and insertion scores of a map.

    Args:
        probability: From views ``(n, …)`` to the probability ``(n,)`` of the class.
        view: What a network sees ``(1, channels, *spatial)``; 0 is what hidden places hold.
        order: ``(*spatial')``: the map, of any size.
    """
    sizes = tuple(view.shape[2:])
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(sizes)]
    fine = nn.functional.interpolate(torch.from_numpy(order)[None, None], sizes, mode=mode, align_corners=False)
    rank = fine.flatten().argsort(descending=True).argsort().view(1, 1, *sizes).to(view.device)
    limits = torch.linspace(0, fine.numel(), STEPS + 1, device=view.device).view(-1, *[1] * (view.ndim - 1))
    hidden = probability(torch.where(rank < limits, 0.0, view))
    shown = probability(torch.where(rank < limits, view, 0.0))
    return Faithfulness(float(hidden.mean()), float(shown.mean()))
