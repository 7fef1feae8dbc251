"""The shapes that ONNX's plain operators give, and how many multiply-adds each number of them takes.

The types are those that :mod:`.onnx` writes, in 8 bits too, and their like. What is not here is not run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ...arch.shapes import output_size

Shape = tuple[int, ...]
Given = tuple[list[Shape], int]


@dataclass(frozen=True)
class Value:
    """What a node reads.

    Attributes:
        shape: Of it.
        numbers: Of a small constant of whole numbers.
    """

    shape: Shape
    numbers: tuple[int, ...] | None = None

    def stated(self) -> tuple[int, ...]:
        """Its numbers, where they say a shape or axes.

        Raises:
            ValueError: If it is no constant: the size of a result would depend on data.
        """
        if self.numbers is None:
            raise ValueError("what says a shape is no constant")
        return self.numbers


@dataclass(frozen=True)
class Node:
    """A node.

    Attributes:
        kind: Type of its operator.
        inputs: Names of what it reads; empty for what is left out.
        outputs: Names of what it gives.
        attributes: Whole numbers, tuples of them, and texts, by name.
    """

    kind: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, Any]

    def each(self, name: str, axes: int, default: int) -> tuple[int, ...]:
        """An attribute with a number for each axis.

        Args:
            name: Of it.
            axes: How many there are.
            default: Of each, where it is not there.
        """
        return self.attributes.get(name) or (default,) * axes


Operator = Callable[[Node, Sequence[Value]], Given]


def _same(node: Node, inputs: Sequence[Value]) -> Given:
    return [inputs[0].shape], 8


def _broadcast(node: Node, inputs: Sequence[Value]) -> Given:
    return [tuple(np.broadcast_shapes(*(value.shape for value in inputs)))], 8


def _concat(node: Node, inputs: Sequence[Value]) -> Given:
    shape = list(inputs[0].shape)
    shape[node.attributes["axis"]] = sum(value.shape[node.attributes["axis"]] for value in inputs)
    return [tuple(shape)], 1


def _split(node: Node, inputs: Sequence[Value]) -> Given:
    axis, shape = node.attributes.get("axis", 0), inputs[0].shape
    count = len(node.outputs)
    sizes = inputs[1].stated() if len(inputs) > 1 else (-(-shape[axis] // count),) * count
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes], 1


def _slice(node: Node, inputs: Sequence[Value]) -> Given:
    starts, ends, *rest = (value.stated() for value in inputs[1:])
    axes = rest[0] if rest else tuple(range(len(starts)))
    steps = rest[1] if len(rest) > 1 else (1,) * len(starts)
    shape = list(inputs[0].shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        stop = None if step < 0 and end < -shape[axis] else end
        shape[axis] = len(range(*slice(start, stop, step).indices(shape[axis])))
    return [tuple(shape)], 1


def _axes(node: Node, inputs: Sequence[Value], rank: int) -> set[int] | None:
    """That an input or an attribute names, counted from the front; ``None`` for none."""
    axes = inputs[1].stated() if len(inputs) > 1 else node.attributes.get("axes")
    return None if axes is None else {axis % rank for axis in axes}


def _squeeze(node: Node, inputs: Sequence[Value]) -> Given:
    shape = inputs[0].shape
    axes = _axes(node, inputs, len(shape))
    gone = {axis for axis, n in enumerate(shape) if n == 1} if axes is None else axes
    return [tuple(n for axis, n in enumerate(shape) if axis not in gone)], 1


def _unsqueeze(node: Node, inputs: Sequence[Value]) -> Given:
    count = len(inputs[1].stated() if len(inputs) > 1 else node.attributes["axes"])
    rank = len(inputs[0].shape) + count
    axes, rest = _axes(node, inputs, rank) or set(), iter(inputs[0].shape)
    return [tuple(1 if axis in axes else next(rest) for axis in range(rank))], 1


def _reduce(node: Node, inputs: Sequence[Value]) -> Given:
    shape = inputs[0].shape
    axes = _axes(node, inputs, len(shape))
    axes = set(range(len(shape))) if axes is None else axes
    keep = node.attributes.get("keepdims", 1)
    kept = tuple(1 if axis in axes else n for axis, n in enumerate(shape) if keep or axis not in axes)
    return [kept], prod(shape[axis] for axis in axes)


def _global_pool(node: Node, inputs: Sequence[Value]) -> Given:
    shape = inputs[0].shape
    return [(*shape[:2], *(1 for _ in shape[2:]))], prod(shape[2:])


def _reshape(node: Node, inputs: Sequence[Value]) -> Given:
    old, new = inputs[0].shape, list(inputs[1].stated())
    if not node.attributes.get("allowzero"):
        new = [old[axis] if n == 0 else n for axis, n in enumerate(new)]
    if -1 in new:
        known = prod(n for n in new if n != -1)
        new[new.index(-1)] = prod(old) // known
    if prod(new) != prod(old):
        raise ValueError(f"{old} to {tuple(new)}")
    return [tuple(new)], 1


def _flatten(node: Node, inputs: Sequence[Value]) -> Given:
    shape, axis = inputs[0].shape, node.attributes.get("axis", 1)
    return [(prod(shape[:axis]), prod(shape[axis:]))], 1


def _transpose(node: Node, inputs: Sequence[Value]) -> Given:
    shape = inputs[0].shape
    order = node.attributes.get("perm") or tuple(reversed(range(len(shape))))
    if sorted(order) != list(range(len(shape))):
        raise ValueError(f"an order {order}")
    return [tuple(shape[axis] for axis in order)], 1


def _pad(node: Node, inputs: Sequence[Value]) -> Given:
    shape, pads = list(inputs[0].shape), inputs[1].stated()
    axes = inputs[3].stated() if len(inputs) > 3 else tuple(range(len(shape)))
    for at, axis in enumerate(axes):
        shape[axis] += pads[at] + pads[at + len(axes)]
    return [tuple(shape)], 1


def _spatial(node: Node, size: Sequence[int], kernel: Sequence[int]) -> Shape:
    """What a window gives along each spatial axis."""
    axes = len(size)
    strides, dilations = node.each("strides", axes, 1), node.each("dilations", axes, 1)
    if not len(kernel) == len(strides) == len(dilations) == axes or min(*kernel, *strides, *dilations) < 1:
        raise ValueError(f"windows of {tuple(kernel)}, {strides}, {dilations}")
    if node.attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        return tuple(-(-n // stride) for n, stride in zip(size, strides, strict=True))
    pads = node.each("pads", 2 * axes, 0)
    if len(pads) != 2 * axes or min(pads, default=0) < 0:
        raise ValueError(f"a padding of {pads}")
    ceil = bool(node.attributes.get("ceil_mode"))
    return tuple(
        output_size(n + pads[at] + pads[at + axes], kernel[at], strides[at], 0, dilations[at], ceil)
        for at, n in enumerate(size)
    )


def _conv(node: Node, inputs: Sequence[Value]) -> Given:
    shape, weight = inputs[0].shape, inputs[1].shape
    if len(weight) != len(shape) or shape[1] != weight[1] * node.attributes.get("group", 1):
        raise ValueError(f"a kernel {weight} for {shape}")
    return [(shape[0], weight[0], *_spatial(node, shape[2:], weight[2:]))], prod(weight[1:])


def _pool(node: Node, inputs: Sequence[Value]) -> Given:
    shape, kernel = inputs[0].shape, node.attributes["kernel_shape"]
    return [(*shape[:2], *_spatial(node, shape[2:], kernel))], prod(kernel)


def _gemm(node: Node, inputs: Sequence[Value]) -> Given:
    (rows, inner), (other, columns) = (
        value.shape[::-1] if node.attributes.get(name) else value.shape
        for value, name in zip(inputs, ("transA", "transB"), strict=False)
    )
    if inner != other:
        raise ValueError(f"{inner} and {other}")
    return [(rows, columns)], inner


def _matmul(node: Node, inputs: Sequence[Value]) -> Given:
    one, two = inputs[0].shape, inputs[1].shape
    if len(one) < 2 or len(two) < 2 or one[-1] != two[-2]:
        raise ValueError(f"{one} and {two}")
    return [(*np.broadcast_shapes(one[:-2], two[:-2]), one[-2], two[-1])], one[-1]


_SAME = "Cast Relu Softmax Sigmoid Clip Identity Sqrt Neg Abs Exp Log LRN BatchNormalization Dropout LeakyRelu"
_BROADCAST = "Add Sub Mul Div Pow Where Greater Less GreaterOrEqual LessOrEqual Equal Min Max"
_POOLS = "MaxPool AveragePool"

OPERATORS: Mapping[str, Operator] = {
    **dict.fromkeys([*_SAME.split(), "QuantizeLinear", "DequantizeLinear"], _same),
    **dict.fromkeys(_BROADCAST.split(), _broadcast),
    **dict.fromkeys(_POOLS.split(), _pool),
    "GlobalAveragePool": _global_pool,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"), _reduce),
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Pad": _pad,
    "Conv": _conv,
    "Gemm": _gemm,
    "MatMul": _matmul,
}
"""Type of an operator to what gives the shapes of its results, and the multiply-adds of each number in them."""
