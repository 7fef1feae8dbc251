"""What in an input decided for a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..data.signals.preprocessing import SignalPreprocessing
from ..data.signals.rows import Signal
from ..inference.pipeline import WholeNetwork
from ..nn.blocks import MemberLinear
from ..nn.googlenet import GoogLeNet


@torch.inference_mode()
def class_activation(model: GoogLeNet, x: Tensor, classes: Tensor) -> Tensor:
    """Class activation maps: how much each place adds to a class's logit (Zhou et al. 2016, section 2).

    Exact, because the network ends in a mean over places and one linear layer: the mean of a map over places
    is the logit without its bias, less the mean logit of all classes.

    Args:
        model: In evaluation mode.
        x: ``(N, channels, *spatial)``.
        classes: ``(N,)``, the class to explain in each input.

    Returns:
        ``(N, *spatial')``, of the last feature map's size; the mean over members, where there are several.
    """
    maps = model.forward_features(x)
    weights = _weights(model.classifier)
    relative = weights - weights.mean(2, keepdim=True)
    shares = torch.unflatten(maps, 1, weights.shape[:2])
    return torch.einsum("nmf...,mfn->n...", shares, relative[:, :, classes]) / len(weights)


def what_decided(
    network: WholeNetwork, signals: Sequence[Signal], classes: Tensor
) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Of each signal: its values as the network sees them ``(channels, length)``, and what each place adds to the
    logit of the class that is asked for, the sum over networks."""
    preprocessing = network.preprocessing
    assert isinstance(preprocessing, SignalPreprocessing)
    if not signals:
        return []
    inputs = torch.from_numpy(preprocessing.array(signals))
    evidence = []
    for model in network.networks:
        seen = network.views(inputs, model)[0].to(next(model.parameters()).device)
        evidence.append(class_activation(model, seen, classes).cpu())
    values = inputs[:, : preprocessing.channels].numpy()
    return list(zip(values, sum(evidence[1:], evidence[0]).numpy(), strict=True))


def _weights(classifier: nn.Module) -> Tensor:
    """``(members, features, classes)``."""
    if isinstance(classifier, MemberLinear):
        return classifier.weight
    assert isinstance(classifier, nn.Linear)
    return classifier.weight.T[None]
