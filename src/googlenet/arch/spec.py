"""Architectures described as data: what a network *is*, with no tensor in sight.

An :class:`Arch` is a tuple of stages; a stage is a tuple of layers; an Inception module is a tuple of
branches. Everything is frozen, comparable and round-trips through JSON, so an architecture can travel in
the metadata of a weights file. This file knows nothing of PyTorch.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import InputError

# Of ImageNet's pixels, scaled to [0, 1]: what :attr:`Arch.transform_input` undoes.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Branch:
    """One path of convolutions: an optional pool, an optional 1×1 reduction, then a k×k convolution.

    Four of these side by side make an Inception module; one alone is a convolution of the stem. Every
    convolution gives ``ceil(n / stride)`` of n samples.

    Attributes:
        name: Name within its module (``"3x3"``) or stem (``"conv1"``).
        channels: Output channels; ``None`` means "as many as come in, with no projection", the bare pool
            of the naive module (paper, figure 2a).
        kernel: Kernel size along every axis.
        stride: Stride of the k×k convolution along every axis.
        reduce: Channels of the 1×1 convolution in front of the k×k one, if there is one.
        pool: Window of the stride-1 max-pool in front of everything, if there is one.
        dilation: Step between the samples that the k×k convolution reads.
        padding: ``"same"``: by ``dilation * (kernel - 1)`` in all, an odd one more at the end. ``"tensorflow"``:
            by what the last window lacks, the same rule for an odd one; a stride of 2 on an even size then starts
            one sample later.
    """

    name: str
    channels: int | None
    kernel: int = 1
    stride: int = 1
    reduce: int | None = None
    pool: int | None = None
    dilation: int = 1
    padding: Literal["same", "tensorflow"] = "same"


@dataclass(frozen=True)
class InceptionSpec:
    """An Inception module: branches that read the same input and are concatenated on channels.

    Attributes:
        name: Of the module.
        branches: The paths.
        bottleneck: Channels of one 1×1 convolution, without norm or ReLU, in front of all branches that do
            not begin with a pool; left out where a single channel comes in (InceptionTime: Fawaz et al.
            2020, section 3.1).
    """

    name: str
    branches: tuple[Branch, ...]
    bottleneck: int | None = None


@dataclass(frozen=True)
class MaxPool:
    """A max-pool between modules. ``ceil`` keeps a last, partial window, as Caffe does.

    A padding of ``"tensorflow"`` gives ``ceil(n / stride)`` of n samples, whatever ``ceil`` says: an even size as
    without padding, an odd one with a sample more on either side of a 3×3.
    """

    name: str
    kernel: int = 3
    stride: int = 2
    padding: int | Literal["tensorflow"] = 0
    ceil: bool = True


@dataclass(frozen=True)
class AveragePool:
    """Means of neighbouring samples, ``window`` at a time; a rest at the end is left out."""

    name: str
    window: int = 2


@dataclass(frozen=True)
class ResponseNorm:
    """Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3)."""

    name: str
    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0


Layer = Branch | InceptionSpec | MaxPool | AveragePool | ResponseNorm
_LAYERS: tuple[type[Any], ...] = (Branch, InceptionSpec, MaxPool, AveragePool, ResponseNorm)


@dataclass(frozen=True)
class Stage:
    """Layers that work at one scale: ``stem``, ``3``, ``4`` and ``5`` in the paper.

    Attributes:
        name: Of the stage.
        layers: In order.
        residual: Whether the stage's input, through a 1×1 convolution with batch norm, is added to its
            output in front of a last ReLU (InceptionTime: Fawaz et al. 2020, section 3.1).
    """

    name: str
    layers: tuple[Layer, ...]
    residual: bool = False


@dataclass(frozen=True)
class Auxiliary:
    """An auxiliary classifier on the output of a module (paper, section 5).

    Attributes:
        after: Module whose output it reads.
        grid: Side of the pooled map that enters the first linear layer.
        pool: ``(window, stride)`` of the average pool. Where that does not give ``grid`` cells along
            every axis (inputs of another size), and where it is ``None``, an adaptive pool does.
        channels: Channels of the 1×1 convolution.
        hidden: Units of the first linear layer.
        dropout: Dropout ratio before the last linear layer.
    """

    after: str
    grid: int = 4
    pool: tuple[int, int] | None = (5, 3)
    channels: int = 128
    hidden: int = 1024
    dropout: float = 0.7


@dataclass(frozen=True)
class Arch:
    """A whole network.

    Attributes:
        name: Row in :mod:`googlenet.arch.variants`.
        description: One line for people.
        dims: Number of spatial dimensions, 1, 2 or 3.
        input_size: Nominal size along each spatial axis.
        stages: The layers, in order.
        auxiliary: Auxiliary classifiers in depth order.
        norm: ``"batch"``: batch norm after every convolution, which then has no bias. ``"none"``: biases.
        norm_eps: Epsilon of batch norm.
        dropout: Dropout ratio before the classifier.
        transform_input: Quirk of torchvision's ImageNet weights: the network first maps inputs that were
            normalised with ImageNet's mean and deviation to (x - 0.5) / 0.5.
        width: What every channel count has been multiplied by, see :meth:`scaled`.
        members: Networks of this kind that run side by side as one with grouped convolutions, each on its
            own share of the input channels, each with its own logits.
    """

    name: str
    description: str
    dims: int
    input_size: tuple[int, ...]
    stages: tuple[Stage, ...]
    auxiliary: tuple[Auxiliary, ...]
    norm: Literal["none", "batch"] = "batch"
    norm_eps: float = 1e-3
    dropout: float = 0.4
    transform_input: bool = False
    width: float = 1.0
    members: int = 1

    def layers(self) -> Iterator[Layer]:
        """Yields every layer in order."""
        for stage in self.stages:
            yield from stage.layers

    def module_names(self) -> tuple[str, ...]:
        """Names of the Inception modules in depth order."""
        return tuple(layer.name for layer in self.layers() if isinstance(layer, InceptionSpec))

    def scaled(self, width: float) -> Arch:
        """The same architecture with every channel count multiplied by ``width``.

        Counts are rounded to a multiple of 8, at least 8, the hidden units of auxiliary classifiers too.
        A width of 1 changes nothing.

        Raises:
            InputError: If ``width`` is not a positive number.
        """
        if not width > 0:
            raise InputError(f"width must be a positive number, not {width}.")
        if width == 1:
            return self
        return dataclasses.replace(
            self,
            stages=tuple(
                dataclasses.replace(stage, layers=tuple(_scale(layer, width) for layer in stage.layers))
                for stage in self.stages
            ),
            auxiliary=tuple(
                dataclasses.replace(aux, channels=_times(aux.channels, width), hidden=_times(aux.hidden, width))
                for aux in self.auxiliary
            ),
            width=self.width * width,
        )

    def to_json(self) -> str:
        """The architecture as JSON text; :meth:`from_json` is its inverse."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Arch:
        """Reads what :meth:`to_json` wrote.

        Raises:
            InputError: If the text does not describe an architecture.
        """
        try:
            row = json.loads(text)
            row["input_size"] = tuple(row["input_size"])
            row["stages"] = tuple(
                Stage(stage["name"], tuple(_layer(layer) for layer in stage["layers"]), stage["residual"])
                for stage in row["stages"]
            )
            row["auxiliary"] = tuple(
                Auxiliary(**aux | {"pool": tuple(aux["pool"]) if aux["pool"] else None}) for aux in row["auxiliary"]
            )
            return cls(**row)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"This is not an architecture that googlenet wrote: {error!r}.") from error


def inception(
    name: str, n1: int, r3: int, n3: int, r5: int, n5: int, proj: int, *, third_kernel: int = 5
) -> InceptionSpec:
    """An Inception module from a row of the paper's Table 1.

    Args:
        name: ``"3a"`` to ``"5b"`` in the paper.
        n1: "#1×1".
        r3: "#3×3 reduce".
        n3: "#3×3".
        r5: "#5×5 reduce".
        n5: "#5×5".
        proj: "pool proj".
        third_kernel: Kernel of the branch that the paper gives 5×5; torchvision and slim have 3.
    """
    return InceptionSpec(
        name,
        (
            Branch("1x1", n1),
            Branch("3x3", n3, kernel=3, reduce=r3),
            Branch("5x5", n5, kernel=third_kernel, reduce=r5),
            Branch("pool", proj, pool=3),
        ),
    )


def naive(name: str, n1: int, n3: int, n5: int) -> InceptionSpec:
    """The naive Inception module: no reduction and no projection (paper, figure 2a)."""
    return InceptionSpec(
        name,
        (
            Branch("1x1", n1),
            Branch("3x3", n3, kernel=3),
            Branch("5x5", n5, kernel=5),
            Branch("pool", None, pool=3),
        ),
    )


def _times(channels: int, width: float) -> int:
    return max(8, round(channels * width / 8) * 8)


def _scale(layer: Layer, width: float) -> Layer:
    if isinstance(layer, Branch):
        return dataclasses.replace(
            layer,
            channels=layer.channels and _times(layer.channels, width),
            reduce=layer.reduce and _times(layer.reduce, width),
        )
    if isinstance(layer, InceptionSpec):
        branches = [_scale(branch, width) for branch in layer.branches]
        bottleneck = layer.bottleneck and _times(layer.bottleneck, width)
        return InceptionSpec(layer.name, tuple(b for b in branches if isinstance(b, Branch)), bottleneck)
    return layer


def _layer(row: dict[str, Any]) -> Layer:
    """A layer from its fields, of which younger ones may be missing; no two kinds of layer share them all."""
    for kind in _LAYERS:
        fields = dataclasses.fields(kind)
        needed = {field.name for field in fields if field.default is dataclasses.MISSING}
        if needed <= set(row) <= {field.name for field in fields}:
            if kind is InceptionSpec:
                branches = tuple(Branch(**branch) for branch in row["branches"])
                return InceptionSpec(row["name"], branches, row["bottleneck"])
            layer: Layer = kind(**row)
            return layer
    raise ValueError(f"unknown layer {row.get('name')!r}")
