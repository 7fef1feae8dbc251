"""What an ONNX file would have a runtime do, found out before one sees it.

A graph may loop without end, open other files, or make gigabytes of a few bytes. So the file is read here first, by our
own reader of its encoding: only plain operators, whose every result has a size that follows from the graph alone.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from ...limits import AXES, NODES, PROTOBUF
from ...weights.foreign.protobuf import (
    Damaged,
    Message,
    all_bytes,
    last_bytes,
    message_of,
    number_of,
    one_file,
    text_of,
    varint,
)
from .engine import Size
from .onnx_shapes import OPERATORS, Node, Value

BATCH = 2  # examples for which sizes are worked out
_SIZES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}  # bytes, by data type
_INT64 = 7
_FEW = 64  # numbers of a tensor that says a shape or axes


@dataclass(frozen=True)
class Graph:
    """What is known of a graph.

    Attributes:
        metadata: Texts that lie in the file.
        input: Shape of the one input, for :data:`BATCH` examples.
        output: Shape of the first output, for as many.
        size: How large it is.
    """

    metadata: Mapping[str, str]
    input: tuple[int, ...]
    output: tuple[int, ...]
    size: Size


def examined(content: bytes) -> Graph:
    """A graph of plain operators.

    Raises:
        Damaged: If the bytes are none, or it has anything else.
    """
    with one_file():
        model = message_of(memoryview(content))
        for field, what in ((20, "training"), (25, "functions of its own")):
            if field in model:
                raise Damaged(f"it holds {what}, which is not run")
        graphs = all_bytes(model, 7)
        if len(graphs) != 1:
            raise Damaged("it holds no graph, or several")
        for opset in map(message_of, all_bytes(model, 8)):
            if text_of(opset, 1) not in ("", "ai.onnx"):
                raise Damaged(f"it wants operators of {text_of(opset, 1)!r}, which are not run")
        entries = [message_of(entry) for entry in all_bytes(model, 14)]
        metadata = {text_of(entry, 1): text_of(entry, 2) for entry in entries}
        if len(metadata) < len(entries):
            raise Damaged("its metadata name something twice")
        return _Walk(message_of(graphs[0])).graph(metadata)


class _Walk:
    """The results of a graph by name, node by node."""

    def __init__(self, graph: Message) -> None:
        if 15 in graph:
            raise Damaged("it holds sparse tensors, which are not read")
        self.message = graph
        self.values: dict[str, Value] = {}
        self.weights = self.numbers = self.largest = self.work = 0
        for tensor in map(message_of, all_bytes(graph, 5)):
            self._constant(text_of(tensor, 8), tensor)

    def graph(self, metadata: Mapping[str, str]) -> Graph:
        """All of it."""
        nodes = all_bytes(self.message, 1)
        if len(nodes) > NODES:
            raise Damaged(f"it has {len(nodes):,} nodes, and {NODES:,} are run at most")
        inputs = [message_of(info) for info in all_bytes(self.message, 11)]
        given = [info for info in inputs if text_of(info, 1) not in self.values]
        if len(given) != 1:
            raise Damaged(f"it has {len(given)} inputs, and a classifier has one")
        shape = _shape_of(given[0])
        self.values[text_of(given[0], 1)] = Value(shape)
        for node in nodes:
            self._node(_node_of(message_of(node)))
        outputs = [text_of(message_of(info), 1) for info in all_bytes(self.message, 12)]
        if not outputs or outputs[0] not in self.values:
            raise Damaged("no node gives its output")
        output = self.values[outputs[0]].shape
        size = Size(self.numbers, self.weights, self.largest // BATCH, self.work // BATCH)
        return Graph(metadata, shape, output, size)

    def _node(self, node: Node) -> None:
        if node.kind == "Constant":
            self._constant(node.outputs[0], node.attributes.get("value"))
            return
        operator = OPERATORS.get(node.kind)
        if operator is None:
            raise Damaged(f"it has a node of the type {node.kind!r}, which is not run")
        lost = next((name for name in node.inputs if name and name not in self.values), None)
        if lost is not None:
            raise Damaged(f"a node reads {lost!r}, which no node before it gives")
        inputs = [self.values[name] if name else Value(()) for name in node.inputs]
        try:
            shapes, work = operator(node, inputs)
        except (IndexError, TypeError, ValueError, ZeroDivisionError, KeyError, OverflowError) as error:
            raise Damaged(f"a node of the type {node.kind!r} does not fit what it reads ({error})") from error
        for name, shape in zip(node.outputs, shapes, strict=False):
            if len(shape) > AXES or any(n < 0 for n in shape) or prod(shape) >= PROTOBUF:
                raise Damaged(f"{name!r} would be of the shape {shape[:AXES]}")
            self.values[name] = Value(shape)
            self.largest = max(self.largest, 4 * prod(shape))
            self.work += prod(shape) * work

    def _constant(self, name: str, tensor: Any) -> None:
        """Takes a TensorProto with as many numbers as its shape says."""
        if not isinstance(tensor, dict):
            raise Damaged(f"the constant {name!r} is no tensor")
        kind = number_of(tensor, 2)
        shape = tuple(_integers(tensor, 1))
        if kind not in _SIZES or 13 in tensor or number_of(tensor, 14):
            raise Damaged(f"{name!r} lies in another file, or is of a type that is not read")
        if len(shape) > AXES or any(n >= PROTOBUF for n in shape) or prod(shape) >= PROTOBUF:
            raise Damaged(f"{name!r} would be larger than such files are")
        count, raw = prod(shape), last_bytes(tensor, 9)
        has = len(raw) == count * _SIZES[kind] if 9 in tensor else sum(map(len, _others(tensor))) >= count
        if not has:
            raise Damaged(f"{name!r} has not as many numbers as its shape {shape} says")
        numbers = _whole_numbers(name, tensor, count) if kind == _INT64 and count <= _FEW else None
        self.values[name] = Value(shape, numbers)
        self.numbers += count
        self.weights += count * _SIZES[kind]


def _whole_numbers(name: str, tensor: Message, count: int) -> tuple[int, ...]:
    """Those of a small tensor of 64-bit integers."""
    raw = last_bytes(tensor, 9)
    found = struct.unpack(f"<{count}q", raw) if 9 in tensor else tuple(map(_signed, _integers(tensor, 7)))
    if len(found) != count:
        raise Damaged(f"{name!r} has {len(found)} numbers, not {count}")
    return found


def _others(tensor: Message) -> list[memoryview]:
    """What may hold the numbers of a tensor in place of its raw bytes: a byte or more each."""
    return [part for field in (4, 5, 7, 10, 11) for part in _parts(tensor, field)]


def _parts(message: Message, field: int) -> list[memoryview]:
    return [memoryview(b"\0") if isinstance(value, int) else value for value in message.get(field, [])]


def _integers(message: Message, field: int) -> list[int]:
    """Repeated integers, packed or not."""
    found = []
    for value in message.get(field, []):
        if isinstance(value, int):
            found.append(value)
            continue
        place = 0
        while place < len(value):
            number, place = varint(value, place)
            found.append(number)
    return found


def _shape_of(info: Message) -> tuple[int, ...]:
    """Of a ValueInfoProto: its first axis is that of the examples."""
    tensor = message_of(last_bytes(message_of(last_bytes(info, 2)), 1))
    dims = [message_of(dim) for dim in all_bytes(message_of(last_bytes(tensor, 2)), 1)]
    rest = tuple(number_of(dim, 1) for dim in dims[1:])
    if not dims or 1 in dims[0] or any(not 0 < n < PROTOBUF for n in rest):
        raise Damaged("its input is not of any number of examples of one shape")
    return (BATCH, *rest)


def _node_of(message: Message) -> Node:
    if text_of(message, 7) not in ("", "ai.onnx"):
        raise Damaged(f"it has a node of {text_of(message, 7)!r}, which is not run")
    attributes: dict[str, Any] = {}
    for attribute in map(message_of, all_bytes(message, 5)):
        if any(field in attribute for field in (6, 10, 11, 14, 15, 22, 23)):  # graphs, tensors, types
            raise Damaged("a node has a graph of its own, which is not run")
        attributes[text_of(attribute, 1)] = _attribute(attribute)
    inputs, outputs = ([bytes(name).decode() for name in all_bytes(message, field)] for field in (1, 2))
    return Node(text_of(message, 4), inputs, outputs, attributes)


def _attribute(message: Message) -> Any:
    """An integer, some, a text or a tensor; nothing of real numbers, on which no shape depends."""
    kind = number_of(message, 20)
    if kind == 2:
        return _signed(number_of(message, 3))
    if kind == 7:
        return tuple(map(_signed, _integers(message, 8)))
    if kind == 3:
        return bytes(last_bytes(message, 4)).decode()
    return message_of(last_bytes(message, 5)) if kind == 4 else None


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number
