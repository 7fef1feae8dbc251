"""What is explained: the logits of a network as a function of what it sees, with every part a module of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from ..data.protocol import Array, Preprocessing
from ..errors import InputError
from ..inference.pipeline import Pipeline
from ..nn.googlenet import GoogLeNet


class Logits(nn.Module):
    """A network whose members answer as one, by the mean of their logits.

    Args:
        model: In evaluation mode.

    Shape:
        ``(N, members * channels, *spatial)`` to ``(N, classes)``.
    """

    def __init__(self, model: GoogLeNet) -> None:
        super().__init__()
        self.model = model

    def forward(self, view: Tensor) -> Tensor:
        """The mean over members."""
        logits = self.model(view)
        return logits if logits.ndim == 2 else logits.mean(1)


def view_of(preprocessing: Preprocessing, inputs: Array, model: GoogLeNet) -> Tensor:
    """What a network sees of prepared examples, on its device; 0 is the mean of the training part there.

    Args:
        preprocessing: What the network reads.
        inputs: ``(N, *input_shape)``.
        model: The network.

    Returns:
        ``(N, members * channels, *spatial)``: the first view, which is not the mirrored one.
    """
    view = preprocessing.views(torch.from_numpy(inputs), model.arch.members)[0]
    return view.to(next(model.parameters()).device)


def only_network(pipeline: Pipeline) -> GoogLeNet:
    """The network of a pipeline.

    Raises:
        InputError: If there are several, whose insides are not one.
    """
    if len(pipeline.networks) > 1:
        raise InputError("What is asked for lies inside one network; name one run.")
    return pipeline.networks[0]


@contextmanager
def plain(pipeline: Pipeline) -> Iterator[None]:
    """Has every part of the networks called as a module while the context lasts, and their weights take no gradient."""
    weights = [weight for weight in pipeline.parameters() if weight.requires_grad]
    with ExitStack() as stack:
        for model in pipeline.networks:
            stack.enter_context(model.unfused())
        try:
            for weight in weights:
                weight.requires_grad_(False)
            yield
        finally:
            for weight in weights:
                weight.requires_grad_(True)
