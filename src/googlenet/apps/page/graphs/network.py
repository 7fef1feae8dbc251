"""The network as the page computes it: every branch with a switch, and all that there is to see on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ....arch.spec import Branch, InceptionSpec
from ....data.protocol import Preprocessing
from ....explain.places import REDUCE
from ....inference.calibration.temperature import UNKNOWN, Calibration
from ....nn.blocks import BranchPath, ConvUnit, Inception, MemberLinear
from ....nn.competing import CompetingKernels
from ....nn.googlenet import GoogLeNet, mean_probabilities, tempered, together, unsmoothed
from ....nn.kernels.norm_relu import joined


@dataclass(frozen=True)
class Switch:
    """A number that the reader of the page may change.

    Attributes:
        name: ``3a.5x5``, ``3a.5x5.kernel`` or ``3a.5x5.reduce``.
        kind: ``branch``: what the branch gives is multiplied by it. ``kernel``: taps farther than half of it from the
            middle count as 0. ``reduce``: so many channels of the reduction are kept, those that matter most.
        default: With which the network is as it was trained.
    """

    name: str
    kind: str
    default: float


def switches_of(model: GoogLeNet) -> list[Switch]:
    """All of them, in the order of the input ``switches``."""
    found = []
    for module, branch in _branches(model):
        found.append(Switch(f"{module}.{branch.name}", "branch", 1))
        if branch.kernel > 1:
            found.append(Switch(f"{module}.{branch.name}.kernel", "kernel", branch.kernel))
        if branch.reduce:
            found.append(Switch(f"{module}.{branch.name}.{REDUCE}", "reduce", branch.reduce))
    return found


def _branches(model: GoogLeNet) -> Iterator[tuple[str, Branch]]:
    for layer in model.arch.layers():
        if isinstance(layer, InceptionSpec):
            yield from ((layer.name, branch) for branch in layer.branches)


class SwitchedNetwork(nn.Module):
    """A network that says what every layer gives, and whose branches can be changed.

    Args:
        model: Without batch norm, see :func:`~googlenet.nn.rewrites.fold_norms`.
        preprocessing: What it was trained with.
        calibration: What makes its mean probability as sure as it is right.
        competing: Kernels that answer with it.

    Shape:
        A prepared input ``(1, *preprocessing.input_shape)`` and switches ``(len(switches_of(model)),)`` to a tuple of
        what :attr:`outputs` names: probabilities and logits ``(1, classes)`` (the mean over views and members), class
        activation maps ``(1, classes, *spatial)`` and the maps of every layer and reduction, ``(1, channels *
        members, *spatial)``, of the first view.
    """

    def __init__(
        self,
        model: GoogLeNet,
        preprocessing: Preprocessing,
        calibration: Calibration = UNKNOWN,
        competing: Sequence[CompetingKernels] = (),
    ) -> None:
        super().__init__()
        self.competing = nn.ModuleList(competing)
        self.model, self.preprocessing, self.calibration = model.eval(), preprocessing, calibration
        self.place = {switch.name: at for at, switch in enumerate(switches_of(model))}
        self.constants: dict[str, Tensor] = {}
        for switch in (switch for switch in switches_of(model) if switch.kind != "branch"):
            module, branch, _ = switch.name.split(".")
            path = self._path(module, branch)
            by_kernel = switch.kind == "kernel"
            self.constants[switch.name] = _distance(path.conv.conv) if by_kernel else _ranks(path, model.arch.members)
        layers = [layer.name for layer in model.arch.layers()]
        reductions = [name for name in self.place if name.endswith(f".{REDUCE}")]
        self.outputs = ["probabilities", "logits", "cam", *layers, *reductions]

    def forward(self, inputs: Tensor, switches: Tensor) -> tuple[Tensor, ...]:
        """See :class:`SwitchedNetwork`."""
        views = self.preprocessing.views(inputs, self.model.arch.members)
        maps: dict[str, Tensor] = {}
        last = self._features(torch.cat([view.contiguous() for view in views]), switches, maps)
        logits = self.model.classifier(self.model.pool(last))
        probabilities, mean = (each.mean(0, keepdim=True) for each in (mean_probabilities(logits), mean_logits(logits)))
        cam = activation_of(self.model, last[:1])
        for kernels in self.competing:
            probabilities = together(probabilities, kernels(inputs))
        probabilities = tempered(unsmoothed(probabilities, self.calibration.smoothing), self.calibration.temperature)
        return (probabilities, mean, cam, *(maps[name][:1] for name in self.outputs[3:]))

    def _features(self, x: Tensor, switches: Tensor, maps: dict[str, Tensor]) -> Tensor:
        """The last map; every other one is put into ``maps``."""
        x = transformed(self.model, x)
        for stage in self.model.arch.stages:
            entry = x
            for layer in stage.layers:
                block = self.model.features[layer.name]
                if isinstance(layer, InceptionSpec) and isinstance(block, Inception):
                    x = self._module(layer, block, x, switches, maps)
                else:
                    x = block(x)
                maps[layer.name] = x
            if stage.residual:
                x = self.model.shortcuts[stage.name](entry, x)
        return x

    def _module(
        self, spec: InceptionSpec, block: Inception, x: Tensor, switches: Tensor, maps: dict[str, Tensor]
    ) -> Tensor:
        narrow = block.bottleneck(x) if "bottleneck" in block._modules else x
        found = []
        for branch in spec.branches:
            path, name = self._path(spec.name, branch.name), f"{spec.name}.{branch.name}"
            y = self._branch(name, branch, path, x if branch.pool else narrow, switches, maps)
            found.append(y * switches[self.place[name]])
        return joined(found, self.model.arch.members)

    def _branch(
        self, name: str, branch: Branch, path: BranchPath, x: Tensor, switches: Tensor, maps: dict[str, Tensor]
    ) -> Tensor:
        for part, layer in path.named_children():
            if part == "conv" and branch.kernel > 1:
                assert isinstance(layer, ConvUnit)
                size = f"{name}.kernel"
                x = _with_kernel(layer, x, self.constants[size], switches[self.place[size]])
            elif part == REDUCE:
                reduced = f"{name}.{REDUCE}"
                x = layer(x) * (self.constants[reduced] < switches[self.place[reduced]]).to(x.dtype)
                maps[reduced] = x
            else:
                x = layer(x)
        return x

    def _path(self, module: str, branch: str) -> BranchPath:
        block = self.model.features[module]
        assert isinstance(block, Inception)
        path = block.branches[branch]
        assert isinstance(path, BranchPath)
        return path


def transformed(model: GoogLeNet, x: Tensor) -> Tensor:
    """The input as torchvision's ImageNet weights want it (``transform_input``); any other network's as it is."""
    if not model.arch.transform_input:
        return x
    from ....arch.spec import IMAGENET_MEAN, IMAGENET_STD

    shape = (1, 3) + (1,) * model.arch.dims
    mean, std = (torch.tensor(values, dtype=x.dtype).view(shape) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return x * (std / 0.5) + (mean - 0.5) / 0.5


def mean_logits(logits: Tensor) -> Tensor:
    """``(N, classes)``; of members, the mean of theirs."""
    return logits if logits.ndim == 2 else logits.mean(1)


def activation_of(model: GoogLeNet, last: Tensor) -> Tensor:
    """Class activation maps of every class, ``(N, classes, *spatial)``; see
    :func:`~googlenet.explain.maps.class_activation`, of which this is all classes at once."""
    classifier = model.classifier
    weights = classifier.weight if isinstance(classifier, MemberLinear) else _transposed(classifier)
    relative = weights - weights.mean(2, keepdim=True)
    spatial = last.shape[2:]
    flat = last.flatten(2).transpose(1, 2)  # (N, places, members * features)
    together = relative.reshape(-1, relative.shape[2]) / len(weights)
    found = torch.matmul(flat, together).transpose(1, 2)
    return torch.unflatten(found, 2, tuple(spatial)) if len(spatial) > 1 else found


def _transposed(classifier: Any) -> Tensor:
    found: Tensor = classifier.weight.T[None]
    return found


def _with_kernel(unit: ConvUnit, x: Tensor, distance: Tensor, size: Tensor) -> Tensor:
    """A convolution and its ReLU, of whose kernel the taps within ``size`` are left."""
    conv: Any = unit.conv
    weight = conv.weight * (distance < size).to(x.dtype)
    return torch.relu(torch.func.functional_call(conv, {"weight": weight}, (x,)))


def _distance(conv: Any) -> Tensor:
    """``(1, 1, *kernel)``: how wide a kernel around the middle has to be to reach each tap, less one."""
    axes = [(2 * torch.arange(taps, dtype=torch.float32) - taps + 1).abs() for taps in conv.kernel_size]
    return torch.stack(torch.meshgrid(*axes, indexing="ij")).amax(0)[None, None]


@torch.no_grad()
def _ranks(path: BranchPath, members: int) -> Tensor:
    """``(1, channels * members, 1, …)``: the place of every channel of a reduction by what it weighs, 0 first.

    That is the norm of the weights that make it times the norm of those that read it.
    """
    units: Any = path
    made, read = units.reduce.conv.weight, units.conv.conv.weight
    makes = made.flatten(1).norm(dim=1).unflatten(0, (members, -1))
    reads = torch.stack([part.transpose(0, 1).flatten(1).norm(dim=1) for part in read.chunk(members)])
    order = (makes * reads).argsort(dim=1, descending=True, stable=True)
    ranks: Tensor = order.argsort(dim=1).to(torch.float32).flatten()
    return ranks.view(1, -1, *[1] * (made.ndim - 2))


def channel_ranges(model: GoogLeNet) -> list[dict[str, Any]]:
    """Every module with its branches and the channels of its output, of each member, that are theirs."""
    modules: list[dict[str, Any]] = []
    for layer in model.arch.layers():
        if not isinstance(layer, InceptionSpec):
            continue
        block = model.features[layer.name]
        assert isinstance(block, Inception)
        at, rows = 0, []
        for branch in layer.branches:
            width = block.in_channels if branch.channels is None else branch.channels
            row = {"name": branch.name, "from": at, "to": at + width, "kernel": branch.kernel}
            rows.append(row | {"dilation": branch.dilation, "reduce": branch.reduce, "pool": branch.pool})
            at += width
        modules.append({"name": layer.name, "branches": rows})
    return modules


def defaults(switches: Sequence[Switch]) -> Tensor:
    """The input ``switches`` with which nothing is changed."""
    return torch.tensor([switch.default for switch in switches], dtype=torch.float32)
