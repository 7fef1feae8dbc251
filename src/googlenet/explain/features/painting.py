"""How inputs are drawn: waves of every frequency, in the training data's own colours, within what can be read.

Waves alone, as noise of 1/f, are equally easy to change at every scale; and where channels go together in the data, as
red, green and blue do, they do so in what is drawn (Olah, Mordvintsev and Schubert, *Feature Visualization*, Distill
2017, section "Preconditioning and parameterization"). Pictures, signals and volumes are drawn by the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...nn.canvas import Canvas

BY_DEFAULT = 4.0  # deviations from the mean within which a channel stays, where no data say more


@dataclass(frozen=True)
class Statistics:
    """What the values of the training data are like.

    Attributes:
        mean: ``(channels,)``.
        covariance: ``(channels, channels)``, over all positions of all examples.
        low: The least that is drawn, ``(channels,)``.
        high: The most.
        source: Where they are from, in words.
    """

    mean: Tensor
    covariance: Tensor
    low: Tensor
    high: Tensor
    source: str


def stated(canvas: Canvas) -> Statistics:
    """What a preprocessing says: means and deviations, which leave channels uncorrelated."""
    far = BY_DEFAULT * canvas.std
    low = canvas.low.where(canvas.low.isfinite(), canvas.mean - far)
    high = canvas.high.where(canvas.high.isfinite(), canvas.mean + far)
    source = "means and deviations of the run's preprocessing"
    if not canvas.low.isfinite().all():
        source += f", within {BY_DEFAULT:g} deviations"
    return Statistics(canvas.mean, torch.diag(canvas.std**2), low, high, source)


class Measured:
    """The statistics of values ``(n, channels, *spatial)`` that come bit by bit.

    Args:
        canvas: Of their preprocessing.
    """

    def __init__(self, canvas: Canvas) -> None:
        channels = len(canvas.mean)
        self.canvas = canvas
        self.count, self.examples = 0, 0
        self.sum = torch.zeros(channels, dtype=torch.float64)
        self.products = torch.zeros(channels, channels, dtype=torch.float64)
        self.low, self.high = torch.full((channels,), torch.inf), torch.full((channels,), -torch.inf)

    def add(self, values: Tensor) -> None:
        """Counts some examples in."""
        flat = values.movedim(1, 0).flatten(1)
        exact = flat.double()
        self.count += flat.shape[1]
        self.examples += len(values)
        self.sum += exact.sum(1)
        self.products += exact @ exact.T
        self.low = torch.minimum(self.low, flat.amin(1))
        self.high = torch.maximum(self.high, flat.amax(1))

    def statistics(self) -> Statistics:
        """Of all that came; of a channel that is the same everywhere, as the preprocessing says."""
        mean = self.sum / self.count
        covariance = self.products / self.count - torch.outer(mean, mean)
        known = stated(self.canvas)
        constant = covariance.diagonal() <= 1e-9
        covariance = covariance.where(~(constant[:, None] | constant[None]), known.covariance.double())
        low = self.canvas.low.where(self.canvas.low.isfinite(), self.low)
        high = self.canvas.high.where(self.canvas.high.isfinite(), self.high)
        narrow = (mean <= low) | (mean >= high)
        low, high = known.low.where(narrow, low), known.high.where(narrow, high)
        source = f"means, covariance and range of {self.examples:,} training examples"
        return Statistics(mean.float(), covariance.float(), low.float(), high.float(), source)


def measured(canvas: Canvas, parts: Iterable[Tensor]) -> Statistics:
    """The statistics of values ``(n, channels, *spatial)``, part by part.

    Args:
        canvas: Of their preprocessing.
        parts: One or more.
    """
    found = Measured(canvas)
    for part in parts:
        found.add(part)
    return found.statistics()


@dataclass(frozen=True)
class Painter:
    """From waves to values ``(n, channels, *spatial)``.

    Attributes:
        statistics: Of the data.
        spatial: The size.
    """

    statistics: Statistics
    spatial: tuple[int, ...]

    def start(self, generator: torch.Generator, strength: float) -> Tensor:
        """Random waves of one example, ``(channels, *frequencies, 2)``.

        Args:
            generator: Draws them.
            strength: Of what is drawn, as a share of the data's deviation.
        """
        channels = len(self.statistics.mean)
        shape = (channels, *frequencies(self.spatial).shape, 2)
        return strength * torch.randn(shape, generator=generator) / 2**0.5

    def __call__(self, waves: Tensor) -> Tensor:
        """Values within bounds, differentiable."""
        return bounded(coloured(synthesised(waves, self.spatial), self.statistics), self.statistics)


def frequencies(spatial: Sequence[int], device: torch.device | None = None) -> Tensor:
    """Cycles a sample of every wave of a real map of that size, ``(*spatial[:-1], spatial[-1] // 2 + 1)``."""
    axes = [torch.fft.fftfreq(side, device=device) for side in spatial[:-1]]
    axes.append(torch.fft.rfftfreq(spatial[-1], device=device))
    return torch.stack(torch.meshgrid(*axes, indexing="ij")).square().sum(0).sqrt()


def synthesised(waves: Tensor, spatial: Sequence[int]) -> Tensor:
    """The sum of waves ``(n, channels, *frequencies, 2)``, each by one over its frequency: ``(n, channels, *spatial)``.

    Waves of which each number is drawn with a deviation of ``1 / sqrt(2)`` give values with one of about 1.

    Args:
        waves: Real and imaginary parts.
        spatial: The size.
    """
    slowest = 1 / max(spatial)
    share = 1 / frequencies(spatial, waves.device).clamp_min(slowest)
    axes = torch.meshgrid(*(torch.fft.fftfreq(side) for side in spatial), indexing="ij")
    every = 1 / torch.stack(axes).square().sum(0).sqrt().clamp_min(slowest)
    spectrum = torch.view_as_complex(waves.contiguous()) * (share / every.square().mean().sqrt().item())
    dims = tuple(range(-len(spatial), 0))
    values: Tensor = torch.fft.irfftn(spectrum, s=tuple(spatial), dim=dims, norm="ortho")
    return values


def coloured(plain: Tensor, statistics: Statistics) -> Tensor:
    """Independent channels ``(n, channels, *spatial)`` of deviation 1, with the data's mean and covariance.

    Args:
        plain: The channels.
        statistics: Of the data.
    """
    values, vectors = torch.linalg.eigh(statistics.covariance.double())
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    mean = statistics.mean.to(plain).view(-1, *[1] * (plain.ndim - 2))
    return torch.einsum("dc,nc...->nd...", root.to(plain), plain) + mean


def bounded(values: Tensor, statistics: Statistics) -> Tensor:
    """Values ``(n, channels, *spatial)`` bent into their bounds by a sigmoid that leaves those near the mean alone.

    Args:
        values: Of any size.
        statistics: Of the data.
    """
    mean, low, high = (
        each.to(values).view(-1, *[1] * (values.ndim - 2))
        for each in (statistics.mean, statistics.low, statistics.high)
    )
    share = ((mean - low) / (high - low)).clamp(0.02, 0.98)
    slope = (high - low) * share * (1 - share)
    return low + (high - low) * torch.sigmoid(torch.logit(share) + (values - mean) / slope)


def unsteady(values: Tensor, generator: torch.Generator) -> Tensor:
    """All examples moved a little, the same for each: shifted, scaled and, but for signals, turned.

    What excites a network still when it is moved is no artefact of single pixels.

    Args:
        values: ``(n, channels, *spatial)``.
        generator: Draws how.
    """
    dims = values.ndim - 2
    draws = torch.rand(dims + 2, generator=generator).mul(2).sub(1).tolist()
    shape = torch.eye(dims) * (1 + SCALE * draws[0])
    if dims > 1:
        turn = torch.tensor(TURN * draws[1])
        # The last two axes in the order of affine_grid, which begins with the last: the first two of the matrix.
        plane = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()]).view(2, 2)
        shape[:2] = plane @ shape[:2]
    shift = torch.tensor(draws[2:])[:, None] * 2 * SHIFT
    return _moved(values, torch.cat([shape, shift], 1).to(values))


SHIFT, SCALE, TURN = 1 / 16, 0.08, 0.15  # of the size, of 1, radians: the most that anything is moved


def _moved(values: Tensor, affine: Tensor) -> Tensor:
    """By a matrix ``(dims, dims + 1)`` of an affine grid; what comes in at an edge is mirrored there."""
    flat = values.ndim == 3  # a signal is a picture of height 1
    if flat:
        values = values.unsqueeze(2)
        affine = torch.tensor([[affine[0, 0], 0, affine[0, 1]], [0, 1, 0]]).to(affine)
    grid = torch.nn.functional.affine_grid(affine.expand(len(values), -1, -1), list(values.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(values, grid, padding_mode="reflection", align_corners=False)
    return moved.squeeze(2) if flat else moved
