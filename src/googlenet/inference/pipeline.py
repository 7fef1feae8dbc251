"""Trained networks together with what stands before and behind them: from prepared examples to probabilities."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ..data.images.batches import normalised
from ..data.images.pictures import Preprocessing
from ..data.signals.batches import views as member_views
from ..data.signals.preprocessing import SignalPreprocessing
from ..nn.googlenet import GoogLeNet, mean_probabilities


class WholeNetwork(nn.Module):
    """One network, or several whose probabilities are averaged (the paper's ensembles), as a function of tensors.

    Args:
        models: Networks with the same classes and the same input.
        preprocessing: What they were trained with.

    Shape:
        ``(n, channels, size, size)`` uint8 for pictures, ``(n, inputs, length)`` float32 for signals, to probabilities
        ``(n, classes)``, float32.
    """

    def __init__(self, models: Iterable[GoogLeNet], preprocessing: Preprocessing | SignalPreprocessing) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.preprocessing = preprocessing
        self.eval()

    @property
    def networks(self) -> list[GoogLeNet]:
        """Those that are averaged."""
        return [model for model in self.models if isinstance(model, GoogLeNet)]

    @property
    def reads_pictures(self) -> bool:
        """Or signals."""
        return isinstance(self.preprocessing, Preprocessing)

    def forward(self, x: Tensor) -> Tensor:
        """The mean over networks and the views that each gets of the input."""
        found = [mean_probabilities(model(view)) for model in self.networks for view in self.views(x, model)]
        return sum(found[1:], found[0]) / len(found)

    def example(self, n: int) -> Tensor:
        """n inputs of no meaning: smooth random pictures, or noise for signals."""
        draws = torch.Generator().manual_seed(0)
        want = self.preprocessing
        if isinstance(want, SignalPreprocessing):
            return torch.randn(n, want.inputs, want.length, generator=draws)
        coarse = torch.rand(n, want.channels, 7, 7, generator=draws)
        smooth = nn.functional.interpolate(coarse, (want.size, want.size), mode="bicubic")
        return (255 * smooth.clamp(0, 1)).to(torch.uint8)

    def views(self, x: Tensor, model: GoogLeNet) -> list[Tensor]:
        """What a network sees of the input: pictures normalised, and mirrored where that means the same; signals for
        every member side by side."""
        if isinstance(self.preprocessing, SignalPreprocessing):
            return [member_views(x, self.preprocessing.channels, model.arch.members)]
        inputs = normalised(x, self.preprocessing)
        return [inputs, inputs.flip(3)] if self.preprocessing.mirror else [inputs]
