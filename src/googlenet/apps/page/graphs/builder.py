"""A graph of ONNX, node by node, and its constants."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor


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


class Builder:
    """Nodes of a graph. A value is the name of a result, or a constant: a tensor or a number.

    Args:
        constants: Empty, or with those of another graph; are added to.
    """

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.nodes: list[onnx.NodeProto] = []

    def text(self, value: Any) -> str:
        """The name of a result, a constant or a number."""
        if isinstance(value, str):
            return value
        if not isinstance(value, Tensor):
            value = torch.tensor(value, dtype=torch.float32)
        return self.constants.name(value)

    def add(self, kind: str, *inputs: Any, results: int = 1, **attributes: Any) -> Any:
        """A node; gives the name of its result, or several.

        Args:
            kind: Of ONNX's operators.
            *inputs: Names of results, or constants.
            results: How many there are.
            **attributes: As ONNX calls them.
        """
        names = [f"v{len(self.nodes)}_{at}" for at in range(results)]
        self.nodes.append(helper.make_node(kind, list(map(self.text, inputs)), names, **attributes))
        return names[0] if results == 1 else names

    def whole(self, numbers: Sequence[int]) -> Tensor:
        """Whole numbers as a constant."""
        return torch.tensor(list(numbers), dtype=torch.int64)
