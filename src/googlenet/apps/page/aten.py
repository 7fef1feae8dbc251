"""From PyTorch's operators to ONNX's: functions of tensors of fixed shapes, forwards and backwards.

``torch.onnx`` takes a quarter of a minute for each graph and knows no backward pass of a max-pool; the operators that
these networks need are few. What depends on no input is computed here and becomes a constant. Graphs of one network
share their constants, so that a file holds its weights once.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from ...inference.engines.torch import EXPORTING

OPSET = 17
IR_VERSION = 9
_TYPES = {torch.float32: TensorProto.FLOAT, torch.uint8: TensorProto.UINT8}
aten = torch.ops.aten


class Constants:
    """The constants of a graph, by what they hold.

    Args:
        known: Of another graph, which are not kept again.
    """

    def __init__(self, known: Constants | None = None) -> None:
        self.names: dict[bytes, str] = {} if known is None else dict(known.names)
        self.new: dict[str, TensorProto] = {}

    def name(self, tensor: Tensor) -> str:
        """Under which a tensor is kept."""
        values = tensor.detach().contiguous().numpy()
        digest = hashlib.sha256(f"{values.dtype}{values.shape}".encode() + values.tobytes()).digest()
        if digest not in self.names:
            name = self.names[digest] = f"c{len(self.names)}"
            self.new[name] = numpy_helper.from_array(values, name)
        return self.names[digest]


def graph_of(
    function: Callable[..., tuple[Tensor, ...]],
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    constants: Constants,
) -> onnx.GraphProto:
    """A function as ONNX's graph.

    Args:
        function: Of tensors.
        inputs: By name; their shapes and types are those of the graph.
        outputs: Names of what it gives.
        constants: Empty, or with those of another graph, which are not in this one.
    """
    with EXPORTING, torch.no_grad():
        traced = make_fx(torch.func.functionalize(function))(*inputs.values())  # without native or in-place operators
    traced.graph.eliminate_dead_code()
    graph = _Graph(traced, constants).converted(list(inputs), outputs)
    graph.initializer.extend(constants.new.values())
    return graph


class _Graph:
    """A traced function on its way to ONNX, node by node: every value is a constant, or the name of a result."""

    def __init__(self, traced: fx.GraphModule, constants: Constants) -> None:
        self.traced, self.constants = traced, constants
        self.nodes: list[onnx.NodeProto] = []
        self.values: dict[fx.Node, Any] = {}

    def converted(self, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.GraphProto:
        names, given = iter(inputs), []
        for node in self.traced.graph.nodes:
            if node.op == "placeholder":
                self.values[node] = next(names)
                meta = node.meta["val"]
                given.append(helper.make_tensor_value_info(self.values[node], _TYPES[meta.dtype], list(meta.shape)))
            elif node.op == "get_attr":
                self.values[node] = getattr(self.traced, node.target)
            elif node.op == "output":
                results = [self.text(value) for value in node.args[0]]
                gives = [self._output(each, name) for each, name in zip(node.args[0], outputs, strict=True)]
            else:
                self.values[node] = self._result(node)
        for result, name in zip(results, outputs, strict=True):
            self.nodes.append(helper.make_node("Identity", [result], [name]))
        return helper.make_graph(self.nodes, "googlenet", given, gives)

    def _output(self, node: Any, name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(node.meta["val"].shape))

    def _result(self, node: fx.Node) -> Any:
        args = [self.value(arg) for arg in node.args]
        if not _has_text(args) and TABLE.get(node.target) is not _reshaped:  # else weights were kept in every shape
            return node.target(*args, **node.kwargs)  # type: ignore[operator]
        if node.target is operator.getitem:
            return args[0][args[1]]
        convert = TABLE.get(node.target)
        if convert is None:
            raise NotImplementedError(f"{node.target} has no row in the page's table of operators")
        return convert(self, node, *args)

    def value(self, arg: Any) -> Any:
        """What an argument is by now."""
        if isinstance(arg, fx.Node):
            return self.values[arg]
        return [self.value(each) for each in arg] if isinstance(arg, (list, tuple)) else arg

    def text(self, value: Any) -> str:
        """The name of a result, a constant or a number."""
        if isinstance(value, fx.Node):
            value = self.values[value]
        if isinstance(value, str):
            return value
        if not isinstance(value, Tensor):
            value = torch.tensor(value, dtype=torch.float32)
        return self.constants.name(value)

    def add(self, kind: str, *inputs: Any, results: int = 1, **attributes: Any) -> Any:
        """A node; gives the name of its result, or several."""
        names = [f"v{len(self.nodes)}_{at}" for at in range(results)]
        self.nodes.append(helper.make_node(kind, list(map(self.text, inputs)), names, **attributes))
        return names[0] if results == 1 else names

    def whole(self, numbers: Sequence[int]) -> Tensor:
        """Whole numbers as a constant."""
        return torch.tensor(list(numbers), dtype=torch.int64)


def _has_text(values: Any) -> bool:
    if isinstance(values, (list, tuple)):
        return any(map(_has_text, values))
    return isinstance(values, str)


def _shape(node: Any) -> list[int]:
    return list(node.meta["val"].shape)


# ----------------------------------------------------------------- rows of the table
def _plain(kind: str) -> Callable[..., Any]:
    return lambda g, node, *args: g.add(kind, *args)


def _added(g: _Graph, node: fx.Node, x: Any, y: Any) -> Any:
    """The sum; zeros of the same shape, by which a tap is differentiated, are no node."""
    nothing = isinstance(y, Tensor) and not y.any() and list(y.shape) == _shape(node)
    return x if nothing else g.add("Add", x, y)


def _same(g: _Graph, node: fx.Node, x: Any, *_: Any) -> Any:
    return x


def _reshaped(g: _Graph, node: fx.Node, x: Any, *_: Any) -> Any:
    return g.add("Reshape", x, g.whole(_shape(node)))


def _expanded(g: _Graph, node: fx.Node, x: Any, *_: Any) -> Any:
    return g.add("Expand", x, g.whole(_shape(node)))


def _cast(g: _Graph, node: fx.Node, x: Any, *_: Any) -> Any:
    return g.add("Cast", x, to=_TYPES[node.meta["val"].dtype])


def _convolution(
    g: _Graph, node: fx.Node, x: Any, w: Any, b: Any, stride: Any, pad: Any, dilation: Any, _: Any, __: Any, groups: int
) -> Any:
    rest = [] if b is None else [b]
    return g.add("Conv", x, w, *rest, strides=stride, pads=[*pad, *pad], dilations=dilation, group=groups)


def _convolution_backward(
    g: _Graph, node: fx.Node, gradient: Any, x: Any, w: Any, _: Any, stride: Any, pad: Any, dilation: Any, *rest: Any
) -> Any:
    """The gradient of the input, a transposed convolution; the others are not asked for."""
    sizes, kernel = _shape(node.args[1])[2:], _shape(node.args[2])[2:]
    given = _shape(node.args[0])[2:]
    axes = zip(sizes, given, kernel, stride, pad, dilation, strict=True)
    extra = [n - ((m - 1) * s - 2 * p + d * (k - 1) + 1) for n, m, k, s, p, d in axes]
    window = {"strides": stride, "pads": [*pad, *pad], "dilations": dilation, "group": rest[2]}
    return [g.add("ConvTranspose", gradient, w, output_padding=extra, **window), None, None]


def _max_pool(g: _Graph, node: fx.Node, x: Any, kernel: Any, stride: Any, pad: Any = (0, 0), *rest: Any) -> Any:
    ceil = bool(rest[1]) if len(rest) > 1 else False
    window = {"kernel_shape": kernel, "strides": stride, "pads": [*pad, *pad], "ceil_mode": int(ceil)}
    uses_places = any(user.target is operator.getitem and user.args[1] == 1 for user in node.users)
    found = g.add("MaxPool", x, results=2 if uses_places else 1, **window)
    return found if uses_places else [found, None]


def _max_pool_backward(g: _Graph, node: fx.Node, gradient: Any, x: Any, *rest: Any) -> Any:
    """Each output's gradient added at the place of its maximum."""
    shape, places = _shape(node), rest[-1]
    flat = g.whole([-1])
    zeros = g.add("Expand", torch.zeros(1), g.whole([torch.Size(shape).numel()]))
    gradients, at = g.add("Reshape", gradient, flat), g.add("Reshape", places, flat)
    added = g.add("ScatterElements", zeros, at, gradients, axis=0, reduction="add")
    return g.add("Reshape", added, g.whole(shape))


def _average_pool(g: _Graph, node: fx.Node, x: Any, kernel: Any, stride: Any = None, *_: Any) -> Any:
    return g.add("AveragePool", x, kernel_shape=kernel, strides=stride or kernel)


def _average_pool_backward_of_stride_1(
    g: _Graph, node: fx.Node, gradient: Any, x: Any, kernel: Any, stride: Any, *_: Any
) -> Any:
    """Each sample gets its share of all windows that it is in: a mean of the gradient, which has zeros around it."""
    assert all(each == 1 for each in stride)
    ends = [0, 0, *(k - 1 for k in kernel)]
    return g.add("AveragePool", g.add("Pad", gradient, g.whole(ends + ends)), kernel_shape=kernel, strides=stride)


def _average_pool_backward(g: _Graph, node: fx.Node, gradient: Any, x: Any, kernel: Any, *_: Any) -> Any:
    """Of windows side by side: each sample gets its share, and those of no window nothing."""
    shape, given = _shape(node), _shape(node.args[0])
    (n, c), spatial = given[:2], given[2:]
    apart = [n, c, *(part for size in spatial for part in (size, 1))]
    spread = [n, c, *(part for size, k in zip(spatial, kernel, strict=True) for part in (size, k))]
    wide = [size * k for size, k in zip(spatial, kernel, strict=True)]
    shares = g.add("Mul", gradient, 1 / torch.Size(kernel).numel())
    found = g.add("Expand", g.add("Reshape", shares, g.whole(apart)), g.whole(spread))
    found = g.add("Reshape", found, g.whole([n, c, *wide]))
    rest = [size - covered for size, covered in zip(shape[2:], wide, strict=True)]
    return g.add("Pad", found, g.whole([0] * (len(rest) + 4) + rest)) if any(rest) else found


def _pad(g: _Graph, node: fx.Node, x: Any, pads: Sequence[int], value: float = 0.0) -> Any:
    axes = len(_shape(node))
    ends = [(0, 0)] * (axes - len(pads) // 2) + [(pads[at], pads[at + 1]) for at in range(len(pads) - 2, -1, -2)]
    return g.add("Pad", x, g.whole([low for low, _ in ends] + [high for _, high in ends]), value)


def _mean(g: _Graph, node: fx.Node, x: Any, axes: Any, keep: bool = False, **_: Any) -> Any:
    return g.add("ReduceMean", x, axes=list(axes), keepdims=int(keep))


def _sum(g: _Graph, node: fx.Node, x: Any, axes: Any = None, keep: bool = False, **_: Any) -> Any:
    axes = range(len(_shape(node.args[0]))) if axes is None else axes
    return g.add("ReduceSum", x, g.whole(axes), keepdims=int(keep))


def _softmax(g: _Graph, node: fx.Node, x: Any, axis: int, *_: Any) -> Any:
    return g.add("Softmax", x, axis=axis)


def _concatenated(g: _Graph, node: fx.Node, xs: Any, axis: int = 0) -> Any:
    return g.add("Concat", *xs, axis=axis)


def _slice(g: _Graph, node: fx.Node, x: Any, axis: int = 0, start: Any = 0, end: Any = None, step: int = 1) -> Any:
    size = _shape(node.args[0])[axis]
    start, end = start or 0, size if end is None else min(end, size)
    if (start, end, step) == (0, size, 1):
        return x
    return g.add("Slice", x, *(g.whole([number]) for number in (start, end, axis, step)))


def _select(g: _Graph, node: fx.Node, x: Any, axis: int, at: int) -> Any:
    return g.add("Gather", x, torch.tensor(at), axis=axis)


def _transposed(g: _Graph, node: fx.Node, x: Any, order: Any) -> Any:
    return g.add("Transpose", x, perm=order)


def _swapped(g: _Graph, node: fx.Node, x: Any, first: int, second: int) -> Any:
    order = list(range(len(_shape(node))))
    order[first], order[second] = order[second], order[first]
    return g.add("Transpose", x, perm=order)


def _turned(g: _Graph, node: fx.Node, x: Any) -> Any:
    return g.add("Transpose", x, perm=[1, 0])


def _flipped(g: _Graph, node: fx.Node, x: Any, axes: Sequence[int]) -> Any:
    ends = [-1] * len(axes), [-(2**31)] * len(axes), axes, [-1] * len(axes)
    return g.add("Slice", x, *map(g.whole, ends))


def _addmm(g: _Graph, node: fx.Node, b: Any, x: Any, w: Any) -> Any:
    return g.add("Gemm", x, w, b)


def _baddbmm(g: _Graph, node: fx.Node, b: Any, x: Any, w: Any) -> Any:
    return g.add("Add", g.add("MatMul", x, w), b)


def _threshold_backward(g: _Graph, node: fx.Node, gradient: Any, y: Any, _: float) -> Any:
    return g.add("Mul", gradient, g.add("Cast", g.add("Greater", y, 0.0), to=TensorProto.FLOAT))


def _split(g: _Graph, node: fx.Node, x: Any, sizes: Any, axis: int = 0) -> Any:
    if isinstance(sizes, int):
        whole = _shape(node.args[0])[axis]
        sizes = [min(sizes, whole - start) for start in range(0, whole, sizes)]
    return g.add("Split", x, g.whole(sizes), results=len(sizes), axis=axis) if len(sizes) > 1 else [x]


def _clamp(g: _Graph, node: fx.Node, x: Any, least: Any = None, most: Any = None) -> Any:
    return g.add("Clip", x, least, most)


def _filled_with(value: float) -> Callable[..., Any]:
    return lambda g, node, *_: torch.full(_shape(node), value)


TABLE: dict[Any, Callable[..., Any]] = {
    **dict.fromkeys((aten.add.Tensor, aten.add.Scalar), _added),
    **{op: _plain("Sub") for op in (aten.sub.Tensor, aten.sub.Scalar)},
    **{op: _plain("Mul") for op in (aten.mul.Tensor, aten.mul.Scalar)},
    **{op: _plain("Div") for op in (aten.div.Tensor, aten.div.Scalar, aten.div_.Tensor)},
    **{op: _plain("Pow") for op in (aten.pow.Tensor_Scalar, aten.pow.Scalar)},
    **{op: _plain("Less") for op in (aten.lt.Tensor, aten.lt.Scalar)},
    **{op: _plain("Greater") for op in (aten.gt.Tensor, aten.gt.Scalar)},
    **{op: _plain("MatMul") for op in (aten.mm.default, aten.bmm.default, aten.mv.default)},
    **{op: _plain("Relu") for op in (aten.relu.default, aten.relu_.default)},
    aten.sqrt.default: _plain("Sqrt"),
    aten.neg.default: _plain("Neg"),
    aten.where.self: _plain("Where"),
    **dict.fromkeys((aten.detach.default, aten.clone.default, aten.alias.default, aten.contiguous.default), _same),
    **dict.fromkeys((aten.view.default, aten._unsafe_view.default, aten.unsqueeze.default), _reshaped),
    **dict.fromkeys((aten.squeeze.dim, aten.squeeze.dims, aten.reshape.default), _reshaped),
    aten.expand.default: _expanded,
    aten._to_copy.default: _cast,
    aten.convolution.default: _convolution,
    aten.convolution_backward.default: _convolution_backward,
    aten.max_pool2d_with_indices.default: _max_pool,
    aten.max_pool2d_with_indices_backward.default: _max_pool_backward,
    **dict.fromkeys((aten.avg_pool2d.default, aten.avg_pool3d.default), _average_pool),
    aten.avg_pool2d_backward.default: _average_pool_backward,
    aten.avg_pool3d_backward.default: _average_pool_backward_of_stride_1,
    aten.constant_pad_nd.default: _pad,
    aten.mean.dim: _mean,
    **dict.fromkeys((aten.sum.dim_IntList, aten.sum.default), _sum),
    aten._softmax.default: _softmax,
    aten.cat.default: _concatenated,
    aten.slice.Tensor: _slice,
    aten.select.int: _select,
    aten.permute.default: _transposed,
    aten.transpose.int: _swapped,
    aten.t.default: _turned,
    aten.flip.default: _flipped,
    aten.addmm.default: _addmm,
    aten.baddbmm.default: _baddbmm,
    aten.threshold_backward.default: _threshold_backward,
    aten.split.Tensor: _split,
    aten.split_with_sizes.default: _split,
    aten.clamp.default: _clamp,
    **dict.fromkeys((aten.new_zeros.default, aten.zeros_like.default), _filled_with(0.0)),
    **dict.fromkeys((aten.new_ones.default, aten.ones_like.default), _filled_with(1.0)),
}
