"""What a model of OpenVINO's would have it do, found out before it sees one.

Its ``.xml`` is read here first: only plain operators, constants that lie in the ``.bin`` beside it, and shapes that
constants alone say.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from xml.etree import ElementTree

from ...limits import AXES, NODES, PROTOBUF, TAGS
from ...weights.foreign.protobuf import Damaged

_BYTES = {"f32": 4, "f16": 2, "bf16": 2, "i64": 8, "i32": 4, "i16": 2, "i8": 1, "u8": 1, "u16": 2, "boolean": 1}
_PLAIN = (
    "Parameter Result Const Convert Add Subtract Multiply Divide Power Sqrt Log ReLU Sigmoid Clamp SoftMax Softmax "
    "Convolution GroupConvolution MatMul MaxPool AvgPool ReduceMean Concat FakeQuantize Select Greater Less Equal "
    "Negative LRN Split Maximum Minimum GreaterEqual LessEqual"
)
# Types to the inputs that say shapes, axes or places, which constants have to.
_STATED: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Transpose", "Split", "LRN"), (1,)),
    **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"), (1,)),
    "VariadicSplit": (1, 2),
    "Slice": (1, 2, 3, 4),
    "StridedSlice": (1, 2, 3),
    "Pad": (1, 2),
}
PLAIN = frozenset(_PLAIN.split()) | set(_STATED)


def check_xml(content: bytes, weights: int) -> None:
    """That a model is one of plain operators.

    Args:
        content: Of the ``.xml``.
        weights: Bytes of the ``.bin``.

    Raises:
        Damaged: If it is none, or has anything else.
    """
    if not content.startswith((b"<?xml", b"<net")) or b"<!" in content or content.count(b"<") > TAGS:
        raise Damaged("it does not begin as OpenVINO's models do, or holds more than they do")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  (see above)
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise Damaged(f"it is no XML ({error})") from error
    layers = root.findall("./layers/layer")
    if root.tag != "net" or not 0 < len(layers) <= NODES or len(root.findall(".//layer")) != len(layers):
        raise Damaged("it has no layers, too many, or some within others")
    types: dict[str, str] = {}
    total = 0
    for layer in layers:
        kind, number = layer.get("type", ""), layer.get("id", "")
        if kind not in PLAIN or not layer.get("version", "").startswith("opset") or number in types:
            raise Damaged(f"it has a layer of the type {kind!r} ({layer.get('version')}), which is not run")
        types[number] = kind
        if kind == "Const":
            total += _constant(layer.find("data"), weights)
    if total > 2 * weights + PROTOBUF // NODES:
        raise Damaged(f"its constants have {total:,} bytes, and beside it lie {weights:,}")
    _check_edges(root, types)


def _constant(data: ElementTree.Element | None, weights: int) -> int:
    """Bytes of a constant, which all lie in the ``.bin``."""
    try:
        assert data is not None
        start, size = int(data.get("offset", "")), int(data.get("size", ""))
        shape = [int(n) for n in data.get("shape", "").split(",") if n.strip()]
        kind = data.get("element_type", "")
    except (AssertionError, ValueError) as error:
        raise Damaged("a constant does not say where it lies") from error
    if len(shape) > AXES or any(not 0 <= n < PROTOBUF for n in shape) or prod(shape) >= PROTOBUF:
        raise Damaged(f"a constant would be of the shape {shape[:AXES]}")
    if min(start, size) < 0 or start + size > weights:
        raise Damaged("a constant lies beyond the end of the .bin")
    if kind not in _BYTES or prod(shape) * _BYTES[kind] != size:
        raise Damaged(f"a constant of {size:,} bytes is of the shape {shape} in {kind}")
    return size


def _check_edges(root: ElementTree.Element, types: Mapping[str, str]) -> None:
    """That shapes and axes come from constants: else a result could be of any size."""
    ports = {
        (layer.get("id", ""), port.get("id", "")): at
        for layer in root.findall("./layers/layer")
        for at, port in enumerate(layer.findall("./input/port"))
    }
    for edge in root.findall("./edges/edge"):
        start, end = edge.get("from-layer", ""), edge.get("to-layer", "")
        if start not in types or end not in types:
            raise Damaged("an edge leads from or to a layer that is not there")
        at = ports.get((end, edge.get("to-port", "")))
        if at in _STATED.get(types[end], ()) and types[start] != "Const":
            raise Damaged(f"a shape of a layer {types[end]!r} is no constant")
