"""PyTorch's operators as ONNX's, a row each: those that the networks need, forwards and backwards.

A row is called with the builder, the traced node and its arguments: names of results, or constants.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from onnx import TensorProto
from torch import Tensor, fx

from .builder import Builder

TYPES = {torch.float32: TensorProto.FLOAT, torch.uint8: TensorProto.UINT8}
aten = torch.ops.aten


def _shape(node: Any) -> list[int]:
    return list(node.meta["val"].shape)


def _plain(kind: str) -> Callable[..., Any]:
    return lambda g, node, *args: g.add(kind, *args)


def _added(g: Builder, node: fx.Node, x: Any, y: Any) -> Any:
    """The sum; zeros of the same shape, by which a tap is differentiated, are no node."""
    nothing = isinstance(y, Tensor) and not y.any() and list(y.shape) == _shape(node)
    return x if nothing else g.add("Add", x, y)


def _same(g: Builder, node: fx.Node, x: Any, *_: Any) -> Any:
    return x


def reshaped(g: Builder, node: fx.Node, x: Any, *_: Any) -> Any:
    """A reshape, whatever PyTorch calls it.

    Args:
        g: The graph.
        node: Of what was traced; it has the shape.
        x: What is reshaped.
    """
    return g.add("Reshape", x, g.whole(_shape(node)))


def _expanded(g: Builder, node: fx.Node, x: Any, *_: Any) -> Any:
    return g.add("Expand", x, g.whole(_shape(node)))


def _cast(g: Builder, node: fx.Node, x: Any, *_: Any) -> Any:
    return g.add("Cast", x, to=TYPES[node.meta["val"].dtype])


def _convolution(
    g: Builder,
    node: fx.Node,
    x: Any,
    w: Any,
    b: Any,
    stride: Any,
    pad: Any,
    dilation: Any,
    _: Any,
    __: Any,
    groups: int,
) -> Any:
    rest = [] if b is None else [b]
    return g.add("Conv", x, w, *rest, strides=stride, pads=[*pad, *pad], dilations=dilation, group=groups)


def _convolution_backward(
    g: Builder, node: fx.Node, gradient: Any, x: Any, w: Any, _: Any, stride: Any, pad: Any, dilation: Any, *rest: Any
) -> Any:
    """The gradient of the input, a transposed convolution; the others are not asked for."""
    sizes, kernel = _shape(node.args[1])[2:], _shape(node.args[2])[2:]
    given = _shape(node.args[0])[2:]
    axes = zip(sizes, given, kernel, stride, pad, dilation, strict=True)
    extra = [n - ((m - 1) * s - 2 * p + d * (k - 1) + 1) for n, m, k, s, p, d in axes]
    window = {"strides": stride, "pads": [*pad, *pad], "dilations": dilation, "group": rest[2]}
    return [g.add("ConvTranspose", gradient, w, output_padding=extra, **window), None, None]


def _max_pool(g: Builder, node: fx.Node, x: Any, kernel: Any, stride: Any, pad: Any = (0, 0), *rest: Any) -> Any:
    ceil = bool(rest[1]) if len(rest) > 1 else False
    window = {"kernel_shape": kernel, "strides": stride, "pads": [*pad, *pad], "ceil_mode": int(ceil)}
    uses_places = any(user.target is operator.getitem and user.args[1] == 1 for user in node.users)
    found = g.add("MaxPool", x, results=2 if uses_places else 1, **window)
    return found if uses_places else [found, None]


def _max_pool_backward(g: Builder, node: fx.Node, gradient: Any, x: Any, *rest: Any) -> Any:
    """Each output's gradient added at the place of its maximum."""
    shape, places = _shape(node), rest[-1]
    flat = g.whole([-1])
    zeros = g.add("Expand", torch.zeros(1), g.whole([torch.Size(shape).numel()]))
    gradients, at = g.add("Reshape", gradient, flat), g.add("Reshape", places, flat)
    added = g.add("ScatterElements", zeros, at, gradients, axis=0, reduction="add")
    return g.add("Reshape", added, g.whole(shape))


def _average_pool(g: Builder, node: fx.Node, x: Any, kernel: Any, stride: Any = None, *_: Any) -> Any:
    return g.add("AveragePool", x, kernel_shape=kernel, strides=stride or kernel)


def _average_pool_backward_of_stride_1(
    g: Builder, node: fx.Node, gradient: Any, x: Any, kernel: Any, stride: Any, *_: Any
) -> Any:
    """Each sample gets its share of all windows that it is in: a mean of the gradient, which has zeros around it."""
    assert all(each == 1 for each in stride)
    ends = [0, 0, *(k - 1 for k in kernel)]
    return g.add("AveragePool", g.add("Pad", gradient, g.whole(ends + ends)), kernel_shape=kernel, strides=stride)


def _average_pool_backward(g: Builder, node: fx.Node, gradient: Any, x: Any, kernel: Any, *_: Any) -> Any:
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


def _pad(g: Builder, node: fx.Node, x: Any, pads: Sequence[int], value: float = 0.0) -> Any:
    axes = len(_shape(node))
    ends = [(0, 0)] * (axes - len(pads) // 2) + [(pads[at], pads[at + 1]) for at in range(len(pads) - 2, -1, -2)]
    return g.add("Pad", x, g.whole([low for low, _ in ends] + [high for _, high in ends]), value)


def _reduced(kind: str) -> Callable[..., Any]:
    def reduced(g: Builder, node: fx.Node, x: Any, axes: Any, keep: bool = False, **_: Any) -> Any:
        return g.add(kind, x, axes=list(axes), keepdims=int(keep))

    return reduced


def _sum(g: Builder, node: fx.Node, x: Any, axes: Any = None, keep: bool = False, **_: Any) -> Any:
    axes = range(len(_shape(node.args[0]))) if axes is None else axes
    return g.add("ReduceSum", x, g.whole(axes), keepdims=int(keep))


def _softmax(g: Builder, node: fx.Node, x: Any, axis: int, *_: Any) -> Any:
    return g.add("Softmax", x, axis=axis)


def _concatenated(g: Builder, node: fx.Node, xs: Any, axis: int = 0) -> Any:
    return g.add("Concat", *xs, axis=axis)


def _slice(g: Builder, node: fx.Node, x: Any, axis: int = 0, start: Any = 0, end: Any = None, step: int = 1) -> Any:
    size = _shape(node.args[0])[axis]
    start, end = start or 0, size if end is None else min(end, size)
    if (start, end, step) == (0, size, 1):
        return x
    return g.add("Slice", x, *(g.whole([number]) for number in (start, end, axis, step)))


def _select(g: Builder, node: fx.Node, x: Any, axis: int, at: int) -> Any:
    return g.add("Gather", x, torch.tensor(at), axis=axis)


def _transposed(g: Builder, node: fx.Node, x: Any, order: Any) -> Any:
    return g.add("Transpose", x, perm=order)


def _swapped(g: Builder, node: fx.Node, x: Any, first: int, second: int) -> Any:
    order = list(range(len(_shape(node))))
    order[first], order[second] = order[second], order[first]
    return g.add("Transpose", x, perm=order)


def _turned(g: Builder, node: fx.Node, x: Any) -> Any:
    return g.add("Transpose", x, perm=[1, 0])


def _flipped(g: Builder, node: fx.Node, x: Any, axes: Sequence[int]) -> Any:
    ends = [-1] * len(axes), [-(2**31)] * len(axes), axes, [-1] * len(axes)
    return g.add("Slice", x, *map(g.whole, ends))


def _addmm(g: Builder, node: fx.Node, b: Any, x: Any, w: Any) -> Any:
    return g.add("Gemm", x, w, b)


def _baddbmm(g: Builder, node: fx.Node, b: Any, x: Any, w: Any) -> Any:
    return g.add("Add", g.add("MatMul", x, w), b)


def _threshold_backward(g: Builder, node: fx.Node, gradient: Any, y: Any, _: float) -> Any:
    return g.add("Mul", gradient, g.add("Cast", g.add("Greater", y, 0.0), to=TensorProto.FLOAT))


def _split(g: Builder, node: fx.Node, x: Any, sizes: Any, axis: int = 0) -> Any:
    if isinstance(sizes, int):
        whole = _shape(node.args[0])[axis]
        sizes = [min(sizes, whole - start) for start in range(0, whole, sizes)]
    return g.add("Split", x, g.whole(sizes), results=len(sizes), axis=axis) if len(sizes) > 1 else [x]


def _clamp(g: Builder, node: fx.Node, x: Any, least: Any = None, most: Any = None) -> Any:
    return g.add("Clip", x, "" if least is None else least, *([] if most is None else [most]))


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
    aten.le.Tensor: _plain("LessOrEqual"),
    aten.ge.Tensor: _plain("GreaterOrEqual"),
    **{op: _plain("MatMul") for op in (aten.mm.default, aten.bmm.default, aten.mv.default)},
    **{op: _plain("Relu") for op in (aten.relu.default, aten.relu_.default)},
    aten.sqrt.default: _plain("Sqrt"),
    aten.log.default: _plain("Log"),
    aten.neg.default: _plain("Neg"),
    aten.where.self: _plain("Where"),
    **dict.fromkeys((aten.detach.default, aten.clone.default, aten.alias.default, aten.contiguous.default), _same),
    **dict.fromkeys((aten.view.default, aten._unsafe_view.default, aten.unsqueeze.default), reshaped),
    **dict.fromkeys((aten.squeeze.dim, aten.squeeze.dims, aten.reshape.default), reshaped),
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
    aten.mean.dim: _reduced("ReduceMean"),
    aten.amax.default: _reduced("ReduceMax"),
    aten.amin.default: _reduced("ReduceMin"),
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
