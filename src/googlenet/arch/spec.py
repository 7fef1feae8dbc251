"""Architectures described as data: what a network *is*, with no tensor in sight.

An :class:`Arch` is a tuple of stages; a stage is a tuple of layers; an Inception module is a tuple of
branches. Everything is frozen and comparable, and :mod:`~googlenet.arch.serial` takes it through JSON, so that an
architecture can travel in the metadata of a weights file.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from ..errors import InputError, is_number

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

# What stands as "type" in JSON. Whoever walks over layers has a table with an entry for each of these types.
LAYER_TYPES: Mapping[str, type[Layer]] = {
    "branch": Branch,
    "inception": InceptionSpec,
    "max_pool": MaxPool,
    "average_pool": AveragePool,
    "response_norm": ResponseNorm,
}
Entry = TypeVar("Entry")


def entry_for(layer: Layer, table: Mapping[type[Any], Entry], walker: str) -> Entry:
    """What a walker's table has for a layer.

    Args:
        layer: The layer.
        table: From types of layers.
        walker: What the table is of, for the sentence.

    Raises:
        InputError: If it has nothing: no layer is passed by in silence.
    """
    if type(layer) not in table:
        raise InputError(
            f"Layer {layer.name!r} is of the type {type(layer).__name__}, which {walker} does not know; "
            f"it knows {', '.join(known.__name__ for known in table)}."
        )
    return table[type(layer)]


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

    def __post_init__(self) -> None:
        if self.dims not in (1, 2, 3):
            raise InputError(f"An architecture has 1, 2 or 3 spatial axes, dims, not {self.dims!r}.")
        if self.norm not in ("none", "batch"):
            raise InputError(f"norm is 'batch' or 'none', not {self.norm!r}.")
        for name, most in (("dropout", 1.0), ("norm_eps", math.inf)):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value <= most:
                raise InputError(f"{name} is a number from 0{' to 1' if most == 1 else ''}, not {value!r}.")

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
        if not is_number(width) or width <= 0:
            raise InputError(f"width must be a positive number, not {width!r}.")
        if width == 1:
            return self
        return dataclasses.replace(
            self,
            stages=tuple(
                dataclasses.replace(stage, layers=tuple(scaled_layer(layer, width) for layer in stage.layers))
                for stage in self.stages
            ),
            auxiliary=tuple(
                dataclasses.replace(aux, channels=_times(aux.channels, width), hidden=_times(aux.hidden, width))
                for aux in self.auxiliary
            ),
            width=self.width * width,
        )


# ----------------------------------------------------------------- by type of layer: the same, with other widths
def scaled_layer(layer: Layer, width: float) -> Layer:
    """The layer with its channel counts multiplied by ``width``, see :meth:`Arch.scaled`."""
    return entry_for(layer, SCALED, "the width multiplier")(layer, width)


def _times(channels: int, width: float) -> int:
    return max(8, round(channels * width / 8) * 8)


def _scaled_branch(branch: Branch, width: float) -> Branch:
    return dataclasses.replace(
        branch,
        channels=branch.channels and _times(branch.channels, width),
        reduce=branch.reduce and _times(branch.reduce, width),
    )


def _scaled_module(module: InceptionSpec, width: float) -> InceptionSpec:
    return dataclasses.replace(
        module,
        branches=tuple(_scaled_branch(branch, width) for branch in module.branches),
        bottleneck=module.bottleneck and _times(module.bottleneck, width),
    )


def _unscaled(layer: Layer, width: float) -> Layer:
    """A layer without channels of its own."""
    return layer


SCALED: Mapping[type[Layer], Callable[[Any, float], Layer]] = {
    Branch: _scaled_branch,
    InceptionSpec: _scaled_module,
    MaxPool: _unscaled,
    AveragePool: _unscaled,
    ResponseNorm: _unscaled,
}
