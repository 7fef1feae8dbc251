"""From functions of PyTorch's tensors, of fixed shapes, to graphs of ONNX's.

``torch.onnx`` takes a quarter of a minute for each graph and knows no backward pass of a max-pool; the operators that
these networks need are few. What depends on no input is computed here and becomes a constant. Graphs of one network
share their constants, so that a file holds its weights once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from ....errors import InputError
from ....inference.engines.torch import EXPORTING
from .builder import Builder, Constants
from .operators import TABLE, TYPES, reshaped

OPSET = 17
IR_VERSION = 9


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
    graph = _Conversion(traced, constants).graph(list(inputs), outputs)
    graph.initializer.extend(constants.new.values())
    return graph


class _Conversion:
    """A traced function on its way to ONNX: what every node of it is by now, the name of a result or a constant."""

    def __init__(self, traced: fx.GraphModule, constants: Constants) -> None:
        self.traced, self.builder = traced, Builder(constants)
        self.values: dict[fx.Node, Any] = {}

    def graph(self, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.GraphProto:
        names, given = iter(inputs), []
        for node in self.traced.graph.nodes:
            if node.op == "placeholder":
                self.values[node] = next(names)
                meta = node.meta["val"]
                given.append(helper.make_tensor_value_info(self.values[node], TYPES[meta.dtype], list(meta.shape)))
            elif node.op == "get_attr":
                self.values[node] = getattr(self.traced, node.target)
            elif node.op == "output":
                results = [self.builder.text(self.value(value)) for value in node.args[0]]
                gives = [self._output(each, name) for each, name in zip(node.args[0], outputs, strict=True)]
            else:
                self.values[node] = self._result(node)
        for result, name in zip(results, outputs, strict=True):
            self.builder.nodes.append(helper.make_node("Identity", [result], [name]))
        return helper.make_graph(self.builder.nodes, "googlenet", given, gives)

    def _output(self, node: Any, name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(node.meta["val"].shape))

    def _result(self, node: fx.Node) -> Any:
        args = [self.value(arg) for arg in node.args]
        if not _has_text(args) and TABLE.get(node.target) is not reshaped:  # else weights were kept in every shape
            return node.target(*args, **node.kwargs)  # type: ignore[operator]
        if node.target is operator.getitem:
            return args[0][args[1]]
        convert = TABLE.get(node.target)
        if convert is None:
            raise InputError(
                f"The page cannot show this network: {node.target} has no row in apps/page/graphs/operators.py."
            )
        return convert(self.builder, node, *args)

    def value(self, arg: Any) -> Any:
        """What an argument is by now."""
        if isinstance(arg, fx.Node):
            return self.values[arg]
        return [self.value(each) for each in arg] if isinstance(arg, (list, tuple)) else arg


def _has_text(values: Any) -> bool:
    if isinstance(values, (list, tuple)):
        return any(map(_has_text, values))
    return isinstance(values, str)
