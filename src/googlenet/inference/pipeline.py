"""Trained networks together with what stands before and behind them: from prepared examples to probabilities."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from ..data.protocol import Preprocessing
from ..nn.googlenet import GoogLeNet, mean_probabilities, tempered
from .calibration.temperature import UNKNOWN, Calibration


class Pipeline(nn.Module):
    """One network, or several whose probabilities are averaged (the paper's ensembles), as a function of tensors.

    Args:
        models: Networks with the same classes and the same input.
        preprocessing: What they were trained with.
        calibration: What makes their mean probability as sure as it is right; by default it stays as it is.

    Shape:
        ``(n, *preprocessing.input_shape)``, such as ``(n, channels, size, size)`` uint8 for pictures, to probabilities
        ``(n, classes)``, float32.
    """

    def __init__(
        self, models: Iterable[GoogLeNet], preprocessing: Preprocessing, calibration: Calibration = UNKNOWN
    ) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.preprocessing = preprocessing
        self.calibration = calibration
        self.eval()

    def of(self, models: Iterable[GoogLeNet]) -> Pipeline:
        """The same with other networks, such as these made faster."""
        return Pipeline(models, self.preprocessing, self.calibration)

    @property
    def networks(self) -> list[GoogLeNet]:
        """Those that are averaged."""
        return [model for model in self.models if isinstance(model, GoogLeNet)]

    def forward(self, x: Tensor) -> Tensor:
        """The mean over networks and the views that each gets of the input, at the temperature."""
        found = [
            mean_probabilities(model(view))
            for model in self.networks
            for view in self.preprocessing.views(x, model.arch.members)
        ]
        return tempered(sum(found[1:], found[0]) / len(found), self.calibration.temperature)

    def example(self, n: int) -> Tensor:
        """n inputs of no meaning."""
        return self.preprocessing.example(n)
