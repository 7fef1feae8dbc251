"""An architecture as a graph of ONNX nodes, with the weights under the names of our state dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from ....arch.cost import cost
from ....arch.spec import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Arch,
    Auxiliary,
    AveragePool,
    Branch,
    InceptionSpec,
    Layer,
    MaxPool,
    ResponseNorm,
    entry_for,
)

if TYPE_CHECKING:
    from ...checkpoint import Header

Values = npt.NDArray[Any]
INPUT, OUTPUT = "input", "logits"
CONSTANT = "constant."  # before the name of a tensor that belongs to the architecture
OPSET, IR_VERSION = 17, 8  # old enough for most runtimes
_TENSORFLOW = {"auto_pad": "SAME_UPPER"}  # of an odd number, one sample more at the end
_NORM = ("weight", "bias", "running_mean", "running_var")


def model_of(header: Header, weights: Mapping[str, Values], spatial: Sequence[int]) -> onnx.ModelProto:
    """The network in evaluation mode.

    Args:
        header: What the weights are of.
        weights: Float32, by the names of our state dicts; those that no node reads are left out.
        spatial: Size of the input.

    Returns:
        From ``input``, ``(N, channels, *spatial)``, to ``logits``, and ``aux_4a`` and so on of auxiliary classifiers.
    """
    graph = _Graph(header.arch, weights)
    outputs = graph.network(spatial, header.num_classes, header.in_channels, header.auxiliary)
    arch = header.arch
    shape = ["N", *((arch.members,) if arch.members > 1 else ()), header.num_classes]
    proto = helper.make_graph(
        graph.nodes,
        arch.name,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", header.in_channels * arch.members, *spatial])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs],
        [numpy_helper.from_array(values, name) for name, values in graph.initializers.items()],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(proto, producer_name="googlenet", opset_imports=opsets, ir_version=IR_VERSION)


class _Graph:
    """Nodes in order, and the tensors that they read; a method adds nodes and gives the name of what they compute."""

    def __init__(self, arch: Arch, weights: Mapping[str, Values]) -> None:
        self.arch = arch
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, Values] = {}

    def network(self, spatial: Sequence[int], num_classes: int, in_channels: int, auxiliary: bool) -> list[str]:
        """All of it; the names of the outputs."""
        arch = self.arch
        sizes = {row.name: row.output[1:] for row in cost(arch, spatial, in_channels=in_channels).rows}
        heads = {aux.after: aux for aux in arch.auxiliary} if auxiliary else {}
        outputs = []
        x = self.transformed(INPUT) if arch.transform_input else INPUT
        for stage in arch.stages:
            entry = x
            for layer in stage.layers:
                x = entry_for(layer, LAYERS, "the writer of ONNX graphs")(self, x, layer, f"features.{layer.name}")
                if layer.name in heads:
                    outputs.append(self.head(x, heads[layer.name], sizes[layer.name]))
            if stage.residual:
                x = self.shortcut(entry, x, f"shortcuts.{stage.name}")
        return [self.classifier(x), *outputs]

    # ------------------------------------------------------------- by kind of layer
    def of_module(self, x: str, spec: InceptionSpec, ours: str) -> str:
        """Branches side by side; of several members, their channels member by member."""
        place = f"{ours}.bottleneck"
        narrow = self.conv(x, place) if f"{place}.weight" in self.weights else x
        maps = [self.of_branch(x if b.pool else narrow, b, f"{ours}.branches.{b.name}") for b in spec.branches]
        members = self.arch.members
        if members == 1:
            return self.add("Concat", maps, ours, axis=1)
        shares = [[f"{name}.{member}" for member in range(members)] for name in maps]
        for name, parts in zip(maps, shares, strict=True):
            self.nodes.append(helper.make_node("Split", [name], parts, f"{name}.split", axis=1))
        return self.add("Concat", [part for parts in zip(*shares, strict=True) for part in parts], ours, axis=1)

    def of_branch(self, x: str, branch: Branch, ours: str) -> str:
        if branch.pool:
            x = self.max_pool(x, f"{ours}.pool", branch.pool, 1, branch.pool // 2, False)
        if branch.reduce:
            x = self.unit(x, f"{ours}.reduce")
        if branch.channels is not None:
            x = self.unit(x, f"{ours}.conv", branch.kernel, branch.stride, branch.dilation, branch.padding)
        return x

    def of_max_pool(self, x: str, layer: MaxPool, ours: str) -> str:
        return self.max_pool(x, ours, layer.kernel, layer.stride, layer.padding, layer.ceil)

    def of_average_pool(self, x: str, layer: AveragePool, ours: str) -> str:
        return self.average_pool(x, ours, layer.window, layer.window)

    def of_response_norm(self, x: str, layer: ResponseNorm, ours: str) -> str:
        return self.add("LRN", [x], ours, size=layer.size, alpha=layer.alpha, beta=layer.beta, bias=layer.k)

    # ------------------------------------------------------------- nodes
    def add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """A node with one output, whose name it shares."""
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def weight(self, name: str) -> str:
        """A tensor of the state dict."""
        self.initializers[name] = self.weights[name]
        return name

    def constant(self, name: str, values: Values) -> str:
        """A tensor that belongs to the architecture."""
        self.initializers[f"{CONSTANT}{name}"] = values
        return f"{CONSTANT}{name}"

    def transformed(self, x: str) -> str:
        """See :class:`~googlenet.arch.spec.Arch`, ``transform_input``."""
        mean, std = np.array(IMAGENET_MEAN), np.array(IMAGENET_STD)
        shape = (1, 3, *(1,) * self.arch.dims)
        scale = self.constant("transform_input.scale", (std / 0.5).astype(np.float32).reshape(shape))
        shift = self.constant("transform_input.shift", ((mean - 0.5) / 0.5).astype(np.float32).reshape(shape))
        return self.add("Add", [self.add("Mul", [x, scale], "transform_input.scaled"), shift], "transform_input")

    def conv(
        self, x: str, ours: str, kernel: int = 1, stride: int = 1, dilation: int = 1, padding: str = "same"
    ) -> str:
        """A convolution that gives ``ceil(n / stride)`` samples; an odd sample of padding goes to the end."""
        axes, total = self.arch.dims, dilation * (kernel - 1)
        inputs = [x, self.weight(f"{ours}.weight")]
        if f"{ours}.bias" in self.weights:
            inputs.append(self.weight(f"{ours}.bias"))
        same = {"pads": [total // 2] * axes + [total - total // 2] * axes}
        return self.add(
            "Conv",
            inputs,
            ours,
            kernel_shape=[kernel] * axes,
            strides=[stride] * axes,
            dilations=[dilation] * axes,
            group=self.arch.members,
            **(_TENSORFLOW if padding == "tensorflow" else same),
        )

    def norm(self, x: str, ours: str) -> str:
        """Batch norm, where there is one."""
        if f"{ours}.weight" not in self.weights:
            return x
        statistics = [self.weight(f"{ours}.{part}") for part in _NORM]
        return self.add("BatchNormalization", [x, *statistics], ours, epsilon=self.arch.norm_eps)

    def unit(
        self, x: str, ours: str, kernel: int = 1, stride: int = 1, dilation: int = 1, padding: str = "same"
    ) -> str:
        """A convolution, its norm and ReLU."""
        x = self.norm(self.conv(x, f"{ours}.conv", kernel, stride, dilation, padding), f"{ours}.norm")
        return self.add("Relu", [x], f"{ours}.relu")

    def max_pool(self, x: str, ours: str, kernel: int, stride: int, padding: int | str, ceil: bool) -> str:
        axes = self.arch.dims
        ends = {"pads": [padding] * 2 * axes, "ceil_mode": int(ceil)} if isinstance(padding, int) else _TENSORFLOW
        return self.add("MaxPool", [x], ours, kernel_shape=[kernel] * axes, strides=[stride] * axes, **ends)

    def average_pool(self, x: str, ours: str, window: int, stride: int) -> str:
        axes = self.arch.dims
        return self.add("AveragePool", [x], ours, kernel_shape=[window] * axes, strides=[stride] * axes)

    def shortcut(self, entry: str, x: str, ours: str) -> str:
        added = self.norm(self.conv(entry, f"{ours}.conv"), f"{ours}.norm")
        return self.add("Relu", [self.add("Add", [added, x], f"{ours}.sum")], f"{ours}.relu")

    def linear(self, x: str, ours: str, name: str) -> str:
        return self.add("Gemm", [x, self.weight(f"{ours}.weight"), self.weight(f"{ours}.bias")], name, transB=1)

    def head(self, x: str, aux: Auxiliary, size: Sequence[int]) -> str:
        ours = f"auxiliary.{aux.after}"
        if aux.pool and all((n - aux.pool[0]) // aux.pool[1] + 1 == aux.grid for n in size):
            x = self.average_pool(x, f"{ours}.pool", *aux.pool)
        else:
            x = self.adaptive_pool(x, f"{ours}.pool", aux.grid, size)
        x = self.add("Flatten", [self.unit(x, f"{ours}.conv")], f"{ours}.flat")
        x = self.add("Relu", [self.linear(x, f"{ours}.fc1", f"{ours}.fc1")], f"{ours}.relu")
        return self.linear(x, f"{ours}.fc2", f"aux_{aux.after}")

    def adaptive_pool(self, x: str, ours: str, grid: int, size: Sequence[int]) -> str:
        """An adaptive average pool, which ONNX has not, as a product along each axis in turn.

        Cell i of g over n samples is the mean from ``floor(i n / g)`` to ``ceil((i + 1) n / g)``.
        """
        for axis, n in enumerate(size, start=2):
            shares = np.zeros((n, grid), np.float32)
            for cell in range(grid):
                start, end = cell * n // grid, -(-(cell + 1) * n // grid)
                shares[start:end, cell] = 1 / (end - start)
            swapped = list(range(len(size) + 2))
            swapped[axis], swapped[-1] = swapped[-1], axis
            place = f"{ours}.axis{axis}"
            x = self.add("Transpose", [x], f"{place}.last", perm=swapped)
            x = self.add("MatMul", [x, self.constant(f"{place}.shares", shares)], f"{place}.means")
            x = self.add("Transpose", [x], place, perm=swapped)
        return x

    def classifier(self, x: str) -> str:
        x = self.add("Flatten", [self.add("GlobalAveragePool", [x], "pool")], "pool.flat")
        members = self.arch.members
        if members == 1:
            return self.linear(x, "classifier", OUTPUT)
        shape = self.constant("classifier.shape", np.array([0, members, -1]))
        x = self.add("Reshape", [x, shape], "classifier.features")
        x = self.add("Transpose", [x], "classifier.members", perm=[1, 0, 2])
        x = self.add("MatMul", [x, self.weight("classifier.weight")], "classifier.product")
        x = self.add("Add", [x, self.weight("classifier.bias")], "classifier.sum")
        return self.add("Transpose", [x], OUTPUT, perm=[1, 0, 2])


LAYERS: dict[type[Layer], Callable[[_Graph, str, Any, str], str]] = {
    Branch: _Graph.of_branch,
    InceptionSpec: _Graph.of_module,
    MaxPool: _Graph.of_max_pool,
    AveragePool: _Graph.of_average_pool,
    ResponseNorm: _Graph.of_response_norm,
}
"""Kind of layer to the method that adds its nodes behind the output of that name, with weights of that name."""
