"""GoogLeNet, built from an architecture; the functions that make one and name them all."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

import torch
from torch import Tensor, nn

from ..arch.cost import minimum_size
from ..arch.spec import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Arch,
    AveragePool,
    Branch,
    InceptionSpec,
    Layer,
    MaxPool,
    ResponseNorm,
    entry_for,
)
from ..errors import InputError, unknown, whole
from . import layers
from .blocks import (
    AuxiliaryClassifier,
    BranchPath,
    ConvUnit,
    GlobalAveragePool,
    Inception,
    MemberLinear,
    Shortcut,
    branch_out_channels,
)
from .inputs import check_input


class GoogLeNetOutput(NamedTuple):
    """What ``model(x, return_aux=True)`` returns.

    Attributes:
        logits: ``(N, num_classes)``.
        aux: Logits of the auxiliary classifiers in depth order, each ``(N, num_classes)``; empty for a
            network built without them.
    """

    logits: Tensor
    aux: tuple[Tensor, ...]


class GoogLeNet(nn.Module):
    """The network that an :class:`~googlenet.arch.spec.Arch` describes.

    ``model(x)`` returns logits, in training and in evaluation mode alike.

    Args:
        arch: The architecture.
        num_classes: Width of the classifier.
        in_channels: Channels of the input; of each member's, where the architecture has several.
        auxiliary: Whether to build the auxiliary classifiers.

    Shape:
        ``(N, in_channels, *spatial)`` to ``(N, num_classes)``. An architecture with several members takes
        ``(N, members * in_channels, *spatial)`` and gives ``(N, members, num_classes)``.

    Raises:
        InputError: For an architecture that needs 3 channels (``transform_input``) and gets others, and,
            when called, for what is no tensor, and for an input of another rank, channel count or type of numbers, or
            below the minimum size.
    """

    def __init__(self, arch: Arch, num_classes: int = 1000, in_channels: int = 3, auxiliary: bool = True) -> None:
        super().__init__()
        num_classes, in_channels = whole("num_classes", num_classes), whole("in_channels", in_channels)
        if arch.transform_input and in_channels != 3:
            raise InputError(f"transform_input needs 3 channels, not {in_channels}.")
        self.arch = arch
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.minimum_size = minimum_size(arch)
        eps = arch.norm_eps if arch.norm == "batch" else None
        heads = {aux.after: aux for aux in arch.auxiliary} if auxiliary else {}

        self.features = nn.ModuleDict()
        self.auxiliary = nn.ModuleDict()
        self.shortcuts = nn.ModuleDict()
        channels = in_channels
        for stage in arch.stages:
            entry = channels
            for layer in stage.layers:
                self.features[layer.name], channels = _built(layer, arch, channels, eps)
                if layer.name in heads:
                    self.auxiliary[layer.name] = AuxiliaryClassifier(
                        arch.dims, channels, num_classes, heads[layer.name], eps
                    )
            if stage.residual:
                self.shortcuts[stage.name] = Shortcut(arch.dims, entry, channels, eps, arch.members)
        self.num_features = channels
        self.pool = GlobalAveragePool()
        self.dropout = nn.Dropout(arch.dropout)
        self.classifier = _linear(channels, num_classes, arch.members)
        self.apply(_initialise)

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: Tensor, return_aux: Literal[False] = False) -> Tensor: ...
        @overload
        def __call__(self, x: Tensor, return_aux: Literal[True]) -> GoogLeNetOutput: ...
        def __call__(self, x: Tensor, return_aux: bool = False) -> Tensor | GoogLeNetOutput:
            """As :meth:`forward`, with hooks."""

    @overload
    def forward(self, x: Tensor, return_aux: Literal[False] = False) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, return_aux: Literal[True]) -> GoogLeNetOutput: ...
    def forward(self, x: Tensor, return_aux: bool = False) -> Tensor | GoogLeNetOutput:
        """Logits ``(N, num_classes)``, or a :class:`GoogLeNetOutput` if ``return_aux``."""
        x, kept = self._run(x, keep=self.auxiliary if return_aux else ())
        logits: Tensor = self.classifier(self.dropout(self.pool(x)))
        if not return_aux:
            return logits
        return GoogLeNetOutput(logits, tuple(head(kept[name]) for name, head in self.auxiliary.items()))

    @contextmanager
    def unfused(self) -> Iterator[None]:
        """Calls every part of every block as a module of its own while the context lasts.

        Without it blocks compute some of their parts as one operator, except those where a hook hangs on such a
        part. Values and gradients are the same, up to rounding. The networks of
        :mod:`googlenet.nn.rewrites` have fewer parts: a norm that was folded, or a packed unit, cannot be called.
        """
        blocks = [module for module in self.modules() if isinstance(module, ConvUnit | Inception | Shortcut)]
        before = [block.fused for block in blocks]
        try:
            for block in blocks:
                block.fused = False
            yield
        finally:
            for block, was in zip(blocks, before, strict=True):
                block.fused = was

    def forward_features(self, x: Tensor) -> Tensor:
        """The last feature map, ``(N, num_features, *spatial)``."""
        return self._run(x)[0]

    def intermediates(self, x: Tensor, names: str | Iterable[str] | None = None) -> dict[str, Tensor]:
        """Outputs of named layers, by name in depth order.

        Args:
            x: ``(N, in_channels, *spatial)``.
            names: Layers of ``arch``, one or more; all Inception modules by default.

        Raises:
            InputError: For a name that the architecture does not have.
        """
        names = self.arch.module_names() if names is None else names
        names = tuple(names) if isinstance(names, Iterable) and not isinstance(names, str) else (names,)
        for name in names:
            if not isinstance(name, str) or name not in self.features:
                raise unknown("layer", name, self.features)
        return self._run(x, keep=names)[1]

    def reset_classifier(self, num_classes: int) -> None:
        """Puts fresh last linear layers for ``num_classes`` classes on every classifier."""
        num_classes = whole("num_classes", num_classes)
        self.num_classes = num_classes
        place = next(self.classifier.parameters())
        self.classifier = _linear(self.num_features, num_classes, self.arch.members).to(place.device, place.dtype)
        _initialise(self.classifier)
        for head in self.auxiliary.values():
            assert isinstance(head, AuxiliaryClassifier)
            head.fc2 = _fresh_linear(head.fc2, num_classes)

    def __prepare_scriptable__(self) -> GoogLeNet:
        raise InputError("torch.jit.script cannot read this network; use torch.export.export, or torch.jit.trace.")

    def _run(self, x: Tensor, keep: Collection[str] | nn.ModuleDict = ()) -> tuple[Tensor, dict[str, Tensor]]:
        """Runs the features; returns the last map and the outputs of the layers named in ``keep``."""
        self._check(x)
        if self.arch.transform_input:
            shape = (1, 3) + (1,) * self.arch.dims
            mean = torch.tensor(IMAGENET_MEAN, dtype=x.dtype, device=x.device).view(shape)
            std = torch.tensor(IMAGENET_STD, dtype=x.dtype, device=x.device).view(shape)
            x = x * (std / 0.5) + (mean - 0.5) / 0.5
        kept = {}
        for stage in self.arch.stages:
            entry = x
            for layer in stage.layers:
                x = self.features[layer.name](x)
                if layer.name in keep:
                    kept[layer.name] = x
            if stage.residual:
                x = self.shortcuts[stage.name](entry, x)
        return x, kept

    def _check(self, x: Tensor) -> None:
        check_input(x, self.arch, self.in_channels, self.minimum_size, next(iter(self.parameters()), x))


def mean_probabilities(logits: Tensor) -> Tensor:
    """Probabilities ``(N, classes)``, float32; of members, ``(N, members, classes)``, the mean of theirs."""
    probabilities = logits.float().softmax(-1)
    return probabilities if probabilities.ndim == 2 else probabilities.mean(1)


def together(probabilities: Tensor, said: Tensor) -> Tensor:
    """Probabilities ``(N, classes)`` with what kernels say ``(N, classes)`` added to their logarithms; see
    :mod:`.competing`."""
    return (probabilities.clamp(min=1e-12).log() + said).softmax(-1)


def tempered(probabilities: Tensor, temperature: float) -> Tensor:
    """Probabilities ``(N, classes)``, each to the power of 1 / temperature and made to sum to 1 again (Guo et al. 2017,
    section 4.2): surer below 1, less sure above, and in the same order."""
    return probabilities if temperature == 1 else (probabilities.log() / temperature).softmax(-1)


ROUNDED = 0.4  # of the share of a class: how far undoing it is rounded off


def unsmoothed(probabilities: Tensor, smoothing: float) -> Tensor:
    """Probabilities ``(N, classes)`` without the share that smoothed labels give to every class alike, in their
    order (Szegedy et al. 2016, section 7, solved for the labels); of what has no more than it, a little is left.

    Args:
        probabilities: Of a network that learned from smoothed labels.
        smoothing: That share of all classes together, from 0 to 1.
    """
    if not smoothing:
        return probabilities
    mass = smoothing / probabilities.shape[-1]
    above = probabilities - mass
    kept = above + (above * above + (ROUNDED * mass) ** 2).sqrt()
    return kept / kept.sum(-1, keepdim=True)


# ----------------------------------------------------------------- by type of layer
Built = tuple[nn.Module, int]
"""The module of a layer and the channels that it gives."""


def _built(layer: Layer, arch: Arch, channels: int, norm_eps: float | None) -> Built:
    return entry_for(layer, BUILDERS, "the network's builder")(layer, arch, channels, norm_eps)


def _built_branch(layer: Branch, arch: Arch, channels: int, norm_eps: float | None) -> Built:
    return BranchPath(arch.dims, channels, layer, norm_eps, arch.members), branch_out_channels(layer, channels)


def _built_module(layer: InceptionSpec, arch: Arch, channels: int, norm_eps: float | None) -> Built:
    block = Inception(channels, layer.branches, arch.dims, norm_eps, layer.bottleneck, arch.members)
    return block, block.out_channels


def _built_max_pool(layer: MaxPool, arch: Arch, channels: int, norm_eps: float | None) -> Built:
    if not isinstance(layer.padding, int):
        return layers.TensorFlowMaxPool(layer.kernel, layer.stride), channels
    return layers.MAX_POOL[arch.dims](layer.kernel, layer.stride, layer.padding, ceil_mode=layer.ceil), channels


def _built_average_pool(layer: AveragePool, arch: Arch, channels: int, norm_eps: float | None) -> Built:
    return layers.AveragePool(arch.dims, layer.window), channels


def _built_response_norm(layer: ResponseNorm, arch: Arch, channels: int, norm_eps: float | None) -> Built:
    return nn.LocalResponseNorm(layer.size, layer.alpha, layer.beta, layer.k), channels


BUILDERS: Mapping[type[Layer], Callable[[Any, Arch, int, float | None], Built]] = {
    Branch: _built_branch,
    InceptionSpec: _built_module,
    MaxPool: _built_max_pool,
    AveragePool: _built_average_pool,
    ResponseNorm: _built_response_norm,
}


def _linear(in_features: int, num_classes: int, members: int) -> nn.Module:
    return nn.Linear(in_features, num_classes) if members == 1 else MemberLinear(in_features, num_classes, members)


def _initialise(module: nn.Module) -> None:
    """Fan-in normal weights for ReLU (He et al. 2015, equation 10); a last linear layer starts small."""
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)):
        fan_in = module.weight[0].numel()
        gain = 1.0 if isinstance(module, nn.Linear) else math.sqrt(2)
        nn.init.normal_(module.weight, std=gain / math.sqrt(fan_in))
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _fresh_linear(old: nn.Linear, num_classes: int) -> nn.Linear:
    fresh = nn.Linear(old.in_features, num_classes, device=old.weight.device, dtype=old.weight.dtype)
    _initialise(fresh)
    return fresh
