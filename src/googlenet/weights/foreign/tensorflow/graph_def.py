"""TensorFlow's frozen graphs: the nodes of a ``GraphDef``, read and never run.

Field numbers are those of TensorFlow's ``graph.proto``, ``node_def.proto``, ``attr_value.proto`` and ``tensor.proto``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ....files import open_plain, read_bytes
from ....limits import PROTOBUF
from ..protobuf import Damaged, Message, all_bytes, last_bytes, message_of, number_of, text_of, varint
from .tensor_bundle import Variable, sentences, shape_of

_NAME, _OP = b"\x0a", b"\x12"
_HEAD = 4096  # bytes that the first node's name and operation lie in


@dataclass(frozen=True)
class Node:
    """A node without its wiring.

    Attributes:
        name: Its name.
        op: Its operation, such as ``Conv2D``.
        attributes: Its attributes by name, as messages.
    """

    name: str
    op: str
    attributes: Mapping[str, Message]

    def integer(self, name: str, default: int) -> int:
        """An attribute that is an integer."""
        return number_of(self.attributes.get(name, {}), 3, default)

    def real(self, name: str, default: float) -> float:
        """An attribute that is a float32, as the shortest decimal number that it may be."""
        content = last_bytes(self.attributes.get(name, {}), 4)
        if not content:
            return default
        if len(content) != 4:
            raise Damaged(f"{name} of {self.name} is no float32")
        value = float(f"{struct.unpack('<f', content)[0]:.7g}")
        if not math.isfinite(value):
            raise Damaged(f"{name} of {self.name} is {value}")
        return value

    def constant(self, path: Path) -> Variable:
        """The tensor of a ``Const`` of the file ``path``; its numbers are not read yet."""
        tensor = last_bytes(self.attributes.get("value", {}), 8)
        message = message_of(tensor)
        shape = shape_of(last_bytes(message, 2))
        return Variable(self.name, shape, number_of(message, 1), path, message=tensor)


def is_graph(path: Path) -> bool:
    """Whether it is a file that begins with a node: a message of a name and an operation."""
    if not path.is_file():
        return False
    with open_plain(path) as file:
        head = memoryview(file.read(_HEAD))
    try:
        place = _after(head, 0, _NAME)  # GraphDef.node has the number of NodeDef.name
        _, place = varint(head, place)
        size, start = varint(head, _after(head, place, _NAME))
        size, start = varint(head, _after(head, start + size, _OP))
        return 0 < size <= len(head) - start and bytes(head[start : start + size]).decode("ascii").isidentifier()
    except (Damaged, UnicodeDecodeError):
        return False


def nodes_of(path: Path) -> dict[str, Node]:
    """The nodes of a graph by name.

    Raises:
        InputError: If it is missing or damaged.
    """
    with sentences(path):
        graph = message_of(memoryview(read_bytes(path, PROTOBUF)))
        nodes = [_node(message_of(node)) for node in all_bytes(graph, 1)]
        return {node.name: node for node in nodes}


def constants_of(path: Path) -> dict[str, Variable]:
    """The constants of a graph by name.

    Raises:
        InputError: If it is missing or damaged.
    """
    with sentences(path):
        return {name: node.constant(path) for name, node in nodes_of(path).items() if node.op == "Const"}


def _node(message: Message) -> Node:
    entries = [message_of(entry) for entry in all_bytes(message, 5)]
    attributes = {text_of(entry, 1): message_of(last_bytes(entry, 2)) for entry in entries}
    return Node(text_of(message, 1), text_of(message, 2), attributes)


def _after(content: memoryview, place: int, key: bytes) -> int:
    if content[place : place + 1] != key:
        raise Damaged("another field begins here")
    return place + 1
