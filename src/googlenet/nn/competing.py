"""Random convolutions that compete, with a linear classifier on what they win: Hydra (Dempster et al. 2023).

They are another kind of network than the trained ones, and err elsewhere: an answer from both is right more often. Of
each group of eight random kernels, at each sample, one responds most and one least. What the first ones get and how
often each is the last is summed along time, at every dilation; a linear classifier, ridge regression in closed form,
reads the square roots.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, one_hot

from ..arch.check import check_size
from ..errors import InputError
from ..limits import KERNELS

Ints = npt.NDArray[np.int64]

COMPETING = 8  # kernels of a group (section 3.1)
TAPS = 9  # of a kernel
AT_ONCE = 128  # kernels whose responses lie in memory
CHANNELS = 8  # that a group reads, at most
NOTHING = 1e-3  # of a deviation: what responds less, responds to a flat stretch, by rounding
STRENGTHS = 10.0 ** np.arange(-3, 3.5, 0.5)  # of the regularisation, a thousandth of the number of features each


class CompetingKernels(nn.Module):
    """Random convolutions that compete, and a linear classifier.

    Args:
        weight: ``(dilations, kernels, inputs, 9)``: of dilation 1, 2, 4, …; kernels eight by eight are a group.
        num_classes: Width of the classifier.

    Shape:
        Prepared signals ``(N, inputs, length)`` to ``(N, num_classes)``: what is added to the logarithms of a network's
        probabilities.
    """

    weight: Tensor

    def __init__(self, weight: Tensor, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.classifier = nn.Linear(2 * len(weight) * weight.shape[1], num_classes)

    @classmethod
    def read(
        cls, tensors: Mapping[str, Tensor], input_shape: tuple[int, ...], num_classes: int, source: object
    ) -> CompetingKernels:
        """Those of a file, in evaluation mode.

        Args:
            tensors: Of their state dict.
            input_shape: ``(inputs, length)``, of what the network reads.
            num_classes: That it tells apart.
            source: For the sentence.

        Raises:
            InputError: If they are no such tensors, or do not go with the network.
        """
        inputs, length = input_shape if len(input_shape) == 2 else (0, 0)
        dilations, kernels = dilations_of(length), tensors["weight"].shape[1:2].numel() if "weight" in tensors else 0
        features = 2 * dilations * kernels
        wanted = {
            "weight": (dilations, kernels, inputs, TAPS),
            "classifier.weight": (num_classes, features),
            "classifier.bias": (num_classes,),
        }
        given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if not 0 < kernels <= KERNELS or kernels % COMPETING or given != wanted:
            raise InputError(f"{source} is damaged: the competing kernels in it do not go with its network.")
        work = dilations * kernels * length * (inputs * TAPS + COMPETING)
        try:
            check_size(4 * AT_ONCE * length, work, sum(tensor.nbytes for tensor in tensors.values()))
        except InputError as error:
            raise InputError(f"{source} is damaged: its competing kernels are out of proportion. {error}") from error
        found = cls(tensors["weight"].float(), num_classes)
        found.load_state_dict({name: each.float() for name, each in tensors.items()})
        return found.eval()

    @classmethod
    def drawn(
        cls, inputs: int, channels: int, length: int, kernels: int, num_classes: int, seed: int
    ) -> CompetingKernels:
        """With fresh kernels of mean 0: half the groups on channels, half on their differences, where there are any.

        Args:
            inputs: Channels that it reads, with differences.
            channels: Of these, those that are no differences.
            length: Samples.
            kernels: At each dilation; a multiple of 16.
            num_classes: How many there are.
            seed: Of the draw.
        """
        draws = torch.Generator().manual_seed(seed)
        groups, dilations = kernels // COMPETING, dilations_of(length)
        weight = torch.randn((dilations, groups, COMPETING, inputs, TAPS), generator=draws)
        weight = weight - weight.mean(-1, keepdim=True)
        weight = weight / weight.abs().sum(-1, keepdim=True)
        order = torch.rand((dilations, groups, inputs), generator=draws)
        if inputs > channels:
            order[:, 0::2, channels:] += 1
            order[:, 1::2, :channels] += 1
        read = min(CHANNELS, (channels + 1) // 2)
        chosen = order <= order.sort(2).values[:, :, read - 1 : read]
        return cls((weight * chosen[:, :, None, :, None]).flatten(1, 2), num_classes)

    def features(self, x: Tensor) -> Tensor:
        """What the classifier reads, ``(N, 2 * dilations * kernels)``.

        Args:
            x: Prepared, ``(N, inputs, length)``.
        """
        found = []
        parts = ((2**at, part) for at, weight in enumerate(self.weight) for part in weight.split(AT_ONCE))
        for dilation, weight in parts:
            response = conv1d(x, weight, padding=TAPS // 2 * dilation, dilation=dilation)
            response = torch.unflatten(response, 1, (-1, COMPETING))
            first = response >= response.amax(2, keepdim=True)
            last = response <= response.amin(2, keepdim=True).clamp(max=-NOTHING)
            found += [(response * first.to(x.dtype)).sum(-1).flatten(1), last.to(x.dtype).sum(-1).flatten(1)]
        return torch.cat(found, 1).clamp(min=0).sqrt()

    def forward(self, x: Tensor) -> Tensor:
        """See :class:`CompetingKernels`."""
        logits: Tensor = self.classifier(self.features(x))
        return logits

    @torch.inference_mode()
    def fit(self, signals: Iterable[Tensor], labels: Tensor, weights: Tensor, units: Ints) -> Tensor:
        """Fits the classifier: to 1 for the right class and -1 for the others, by the squared error.

        Args:
            signals: Prepared, batch by batch, ``(n, inputs, length)`` each.
            labels: ``(N,)``, of all.
            weights: ``(N,)``: what each counts.
            units: ``(N,)``: examples of one number belong together, such as copies of one.

        Returns:
            ``(N, num_classes)``: what the classifier would say of each, had it not seen its unit.
        """
        features = torch.cat([self.features(batch) for batch in signals]).double()
        deviation = features.std(0, correction=0)
        deviation = torch.where(deviation > 1e-6, deviation, torch.ones(()))
        targets = 2.0 * one_hot(labels, self.classifier.out_features).double() - 1
        weight, bias, left_out = _ridge(features / deviation, targets, weights.double(), units)
        self.classifier.weight.copy_((weight / deviation[:, None]).T)
        self.classifier.bias.copy_(bias)
        return left_out


def dilations_of(length: int) -> int:
    """How many dilations 1, 2, 4, … there are at which a kernel fits into a signal."""
    return max(1, (length - 1) // (TAPS - 1)).bit_length()


def _ridge(x: Tensor, y: Tensor, weights: Tensor, units: Ints) -> tuple[Tensor, Tensor, Tensor]:
    """Ridge regression, of the strength with the least squared error on units that are left out, which it gives in
    closed form (Allen 1974; by blocks: Cook and Weisberg 1982, section 3.6).

    Args:
        x: ``(n, features)``.
        y: ``(n, outputs)``.
        weights: ``(n,)``.
        units: ``(n,)``.

    Returns:
        Weight ``(features, outputs)``, bias ``(outputs,)`` and what the others would say of each row, ``(n, outputs)``.
    """
    share = weights / weights.sum()
    root = weights.sqrt()[:, None]
    x_mean, y_mean = share @ x, share @ y
    x, centred = root * (x - x_mean), root * (y - y_mean)
    values, vectors = torch.linalg.eigh(x @ x.T)
    values, turned = values.clamp(min=0), vectors.T @ centred
    blocks = [np.flatnonzero(units == unit) for unit in np.unique(units)]
    best = None
    for strength in (STRENGTHS * x.shape[1] / 1000).tolist():
        shrunk = values / (values + strength)
        residual = centred - vectors @ (shrunk[:, None] * turned)
        half = torch.cat([vectors * shrunk.sqrt(), root / weights.sum().sqrt()], 1)  # of the hat matrix
        missed = _without(residual, half, blocks)
        error = float(missed.square().sum())
        if best is None or error < best[0]:
            best = error, strength, missed
    assert best is not None
    _, strength, missed = best
    weight = x.T @ (vectors @ (turned / (values + strength)[:, None]))
    return weight, y_mean - x_mean @ weight, y - missed / root


def _without(residual: Tensor, half: Tensor, blocks: list[Ints]) -> Tensor:
    """Residuals of rows whose block is left out, from those of all; ``half @ half.T`` is the hat matrix."""
    found = residual / (1 - half.square().sum(1)).clamp(min=1e-12)[:, None]
    for block in blocks:
        if len(block) > 1:
            rows = torch.from_numpy(block)
            left = (1 + 1e-12) * torch.eye(len(rows), dtype=half.dtype) - half[rows] @ half[rows].T
            found[rows] = torch.linalg.solve(left, residual[rows])
    return found
