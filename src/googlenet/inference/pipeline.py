"""Trained networks together with what stands before and behind them: from prepared examples to probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ..data.protocol import Preprocessing
from ..nn.competing import CompetingKernels
from ..nn.googlenet import GoogLeNet, mean_probabilities, tempered, together, unsmoothed
from ..weights.create import save_weights
from .calibration.temperature import UNKNOWN, Calibration


class Pipeline(nn.Module):
    """One network, or several whose probabilities are averaged (the paper's ensembles), as a function of tensors.

    Args:
        models: Networks with the same classes and the same input.
        preprocessing: What they were trained with.
        calibration: What makes their mean probability as sure as it is right; by default it stays as it is.
        competing: Kernels that answer with the networks; no more than there are networks.
        learned: By each network, :func:`~googlenet.training.runs.origin.digest_said`; nothing where nobody asked.
        readings: What each network was trained with, where they differ in how they normalise what they get.

    Shape:
        ``(n, *preprocessing.input_shape)``, such as ``(n, channels, size, size)`` uint8 for pictures, to probabilities
        ``(n, classes)``, float32.
    """

    def __init__(
        self,
        models: Iterable[GoogLeNet],
        preprocessing: Preprocessing,
        calibration: Calibration = UNKNOWN,
        competing: Iterable[CompetingKernels] = (),
        learned: Sequence[str] = (),
        readings: Sequence[Preprocessing] = (),
    ) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.competing = nn.ModuleList(competing)
        self.calibration = calibration
        self.learned = tuple(learned)
        self.readings = tuple(readings) or (preprocessing,) * max(1, len(self.models))
        self.eval()

    def of(self, models: Iterable[GoogLeNet]) -> Pipeline:
        """The same with other networks, such as these made faster."""
        return Pipeline(models, self.preprocessing, self.calibration, self.opinions, self.learned, self.readings)

    @property
    def networks(self) -> list[GoogLeNet]:
        """Those that are averaged."""
        return [model for model in self.models if isinstance(model, GoogLeNet)]

    @property
    def opinions(self) -> list[CompetingKernels]:
        """The kernels that answer with the networks."""
        return [kernels for kernels in self.competing if isinstance(kernels, CompetingKernels)]

    @property
    def preprocessing(self) -> Preprocessing:
        """How examples are read: the first network's; others may normalise them in their own way."""
        return self.readings[0]

    def reading_of(self, model: GoogLeNet) -> Preprocessing:
        """How one of the networks normalises what it gets."""
        return self.readings[self.networks.index(model)]

    def forward(self, x: Tensor) -> Tensor:
        """The mean over networks and the views that each gets, with what kernels say, calibrated."""
        found = [
            mean_probabilities(model(view))
            for model, reading in zip(self.networks, self.readings, strict=True)
            for view in reading.views(x, model.arch.members)
        ]
        probabilities = sum(found[1:], found[0]) / len(found)
        if self.opinions:
            said = [kernels(x) for kernels in self.opinions]
            probabilities = together(probabilities, sum(said[1:], said[0]) / len(self.models))
        return tempered(unsmoothed(probabilities, self.calibration.smoothing), self.calibration.temperature)

    def save(self, path: str | Path, **extra: Any) -> None:
        """Writes all that it is, of one network: :func:`~googlenet.inference.load.load_pipeline` reads it.

        Args:
            path: The file, ``.safetensors``.
            **extra: JSON values to store beside it: names of classes, to begin with.
        """
        (model,), beside = self.networks, self.opinions
        said = {"preprocessing": self.preprocessing.to_dict(), "calibration": self.calibration.to_dict()}
        save_weights(model, path, competing=beside[0] if beside else None, **{**extra, **said})

    def example(self, n: int) -> Tensor:
        """n inputs of no meaning."""
        return self.preprocessing.example(n)
