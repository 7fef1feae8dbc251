"""Class activation maps: where in an input a network saw what decided."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...data.protocol import Array, Floats
from ...errors import InputError
from ...inference.pipeline import Pipeline
from ...nn.blocks import MemberLinear
from ...nn.googlenet import GoogLeNet


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


def what_decided(pipeline: Pipeline, inputs: Array, classes: Tensor) -> Floats:
    """What each place of prepared examples adds to the logit of a class, the sum over networks.

    Args:
        pipeline: The networks.
        inputs: ``(N, *input_shape)``, N is 1 or more.
        classes: ``(N,)``, the class to explain in each.

    Returns:
        ``(N, *spatial')``, of the last feature map's size.
    """
    evidence = []
    for model in pipeline.networks:
        device = next(model.parameters()).device
        view = pipeline.reading_of(model).views(torch.from_numpy(inputs), model.arch.members)[0]
        evidence.append(class_activation(model, view.to(device), classes.to(device)).cpu())
    check_sizes(evidence)
    found: Floats = sum(evidence[1:], evidence[0]).numpy()
    return found


def check_sizes(maps: Sequence[Tensor] | Sequence[Floats]) -> None:
    """Raises InputError for maps of several networks that are not of one size, which have no sum."""
    sizes = {tuple(each.shape[1:]) for each in maps}
    if len(sizes) > 1:
        shown = " and ".join(" × ".join(map(str, size)) for size in sorted(sizes))
        raise InputError(f"The maps of these networks are of {shown} places: explain the networks one by one.")


def _weights(classifier: nn.Module) -> Tensor:
    """``(members, features, classes)``."""
    if isinstance(classifier, MemberLinear):
        return classifier.weight
    assert isinstance(classifier, nn.Linear)
    return classifier.weight.T[None]
