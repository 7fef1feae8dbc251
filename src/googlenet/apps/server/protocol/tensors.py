"""Tensors as the Open Inference Protocol v2 sends them: JSON, or bytes behind it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ....data.protocol import Array
from ....errors import InputError, parsed, quoted
from ....limits import AXES, TENSOR_NUMBERS

TYPES: Mapping[str, str] = {  # names of the protocol to those of NumPy, little end first
    "BOOL": "|b1",
    "UINT8": "|u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "|i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
BYTES = "BYTES"
HEADER_LENGTH = "inference-header-content-length"  # bytes of the JSON, where tensors follow it


@dataclass(frozen=True)
class Tensor:
    """A tensor of a request.

    Attributes:
        name: As the client calls it.
        datatype: Of the protocol.
        shape: Of it.
        values: An array of that shape; of BYTES a list of them.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Array | list[bytes]


@dataclass(frozen=True)
class Request:
    """An inference request.

    Attributes:
        id: To be given back.
        inputs: Its tensors.
        outputs: Names of what is wanted, with their parameters; empty for all.
        binary: Whether what is not said otherwise goes back as bytes.
    """

    id: str | None
    inputs: Sequence[Tensor]
    outputs: Mapping[str, Mapping[str, Any]]
    binary: bool

    @property
    def most(self) -> int:
        """Examples in the longest of its tensors."""
        return max((tensor.shape[0] for tensor in self.inputs if tensor.shape), default=0)


def read_request(body: bytes, header_length: str | None) -> Request:
    """A request from its body.

    Args:
        body: JSON, and the bytes of tensors that lie behind it.
        header_length: Bytes of the JSON, as its header of HTTP says; ``None`` if all is JSON.

    Raises:
        InputError: If it is none.
    """
    length = len(body) if header_length is None else _length(header_length, len(body))
    try:
        row = parsed(body[:length])
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body is no JSON that can be read ({str(error)[:200]}).") from error
    if not isinstance(row, dict):
        raise InputError("The body is JSON of another kind than an inference request, which is an object with inputs.")
    rows = _objects(row, "inputs")
    if not rows:
        raise InputError("The request has no inputs.")
    behind = memoryview(body)[length:]
    inputs = []
    for each in rows:
        tensor, behind = _tensor(each, behind)
        inputs.append(tensor)
    if len(behind):
        raise InputError(f"Behind the tensors lie {len(behind):,} bytes that belong to none (binary_data_size).")
    given = row.get("id")
    if given is not None and not isinstance(given, str):
        raise InputError(f"The id of a request is text, not {quoted(given)[:100]}.")
    outputs = {_text(each, "name", "an output"): _parameters(each) for each in _objects(row, "outputs")}
    return Request(given, inputs, outputs, _flag(_parameters(row), "binary_data_output"))


def _length(text: str, whole: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) > whole:
        raise InputError(f"{HEADER_LENGTH} is {quoted(text)}, and the body has {whole:,} bytes.")
    return int(text)


def _objects(row: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = row.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InputError(f"{key} of a request is a list of objects.")
    return found


def _parameters(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = row.get("parameters")
    if found is not None and not isinstance(found, dict):
        raise InputError("parameters is an object.")
    return found or {}


def _flag(parameters: Mapping[str, Any], name: str, default: bool = False) -> bool:
    found = parameters.get(name, default)
    if not isinstance(found, bool):
        raise InputError(f"{name} is true or false, not {quoted(found)[:100]}.")
    return found


def _text(row: Mapping[str, Any], key: str, of: str) -> str:
    found = row.get(key)
    if not isinstance(found, str) or not found:
        raise InputError(f"The {key} of {of} is missing, or is no text.")
    return found


def _tensor(row: Mapping[str, Any], behind: memoryview) -> tuple[Tensor, memoryview]:
    """A tensor, and what lies behind its bytes."""
    name = _text(row, "name", "an input")
    datatype = _text(row, "datatype", f"the input {quoted(name)}")
    if datatype != BYTES and datatype not in TYPES:
        raise InputError(f"The input {quoted(name)} is of {quoted(datatype)}, which is no datatype of the protocol.")
    shape = _shape(row, name)
    size = _parameters(row).get("binary_data_size")
    if size is None:
        if "data" not in row:
            raise InputError(f"The input {quoted(name)} has no data.")
        return Tensor(name, datatype, shape, _from_json(row["data"], name, datatype, shape)), behind
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(behind):
        raise InputError(
            f"The input {quoted(name)} would have {quoted(size)[:100]} bytes, and {len(behind):,} lie behind the JSON."
        )
    if "data" in row:
        raise InputError(f"The input {quoted(name)} has data and bytes behind the JSON; send one of them.")
    return Tensor(name, datatype, shape, _from_bytes(behind[:size], name, datatype, shape)), behind[size:]


def _shape(row: Mapping[str, Any], name: str) -> tuple[int, ...]:
    found = row.get("shape")
    whole = isinstance(found, list) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in found)
    if not isinstance(found, list) or not whole or len(found) > AXES or prod(found) > TENSOR_NUMBERS:
        raise InputError(f"The shape of the input {quoted(name)} is a list of at most {AXES} whole numbers from 1.")
    return tuple(found)


def _from_json(data: Any, name: str, datatype: str, shape: tuple[int, ...]) -> Array | list[bytes]:
    """The values of a tensor that stands in JSON: nested as its shape is, or flat."""
    flat: list[Any] = []
    waiting = [data]
    while waiting:  # nested as deep as the parser allows
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(reversed(each))
        else:
            flat.append(each)
    if not isinstance(data, list) or len(flat) != prod(shape):
        raise InputError(
            f"The input {quoted(name)} has {len(flat):,} values, and its shape {list(shape)} needs {prod(shape):,}."
        )
    nested = _nested(data)
    deep = any(isinstance(each, list) for each in data)
    if deep and [n for n in nested if n > 1] != [n for n in shape if n > 1]:
        raise InputError(
            f"The data of the input {quoted(name)} are nested as {list(nested)}, and its shape is {list(shape)}; nest "
            "them so, or send them flat."
        )
    if datatype == BYTES:
        try:
            return [base64.b64decode(each, validate=True) for each in flat]
        except (TypeError, ValueError) as error:
            raise InputError(
                f"The input {quoted(name)} is of BYTES: in JSON each is text in base64; or send them behind the JSON."
            ) from error
    return _numbers(flat, name, datatype).reshape(shape)


def _nested(data: Any) -> tuple[int, ...]:
    """The shape of nested lists, down to where they are no longer of one length."""
    found: list[int] = []
    level = [data]
    while level and all(isinstance(each, list) for each in level) and len({len(each) for each in level}) == 1:
        found.append(len(level[0]))
        level = [item for each in level for item in each]
    return tuple(found)


def _numbers(flat: Sequence[Any], name: str, datatype: str) -> Array:
    """Numbers of JSON in the type that they are said to be of; ``null`` is a missing value of floats."""
    wanted = np.dtype(TYPES[datatype])
    floats = wanted.kind == "f"
    allowed: tuple[type, ...] = (bool,) if wanted.kind == "b" else (int, float, type(None)) if floats else (int,)
    if any(not isinstance(each, allowed) or (isinstance(each, bool) and wanted.kind != "b") for each in flat):
        raise InputError(f"The input {quoted(name)} is of {datatype}, and holds values that are not.")
    if not floats:
        low, high = (0, 1) if wanted.kind == "b" else (np.iinfo(wanted).min, np.iinfo(wanted).max)
        if any(not low <= each <= high for each in flat):
            raise InputError(f"The input {quoted(name)} is of {datatype}, from {low} to {high}, and holds others.")
    with np.errstate(over="ignore"):
        return np.array([np.nan if each is None else each for each in flat], wanted)


def _from_bytes(content: memoryview, name: str, datatype: str, shape: tuple[int, ...]) -> Array | list[bytes]:
    """The values of a tensor that lies behind the JSON."""
    if datatype == BYTES:
        return _split(content, name, prod(shape))
    wanted = np.dtype(TYPES[datatype])
    if len(content) != prod(shape) * wanted.itemsize:
        raise InputError(
            f"The input {quoted(name)} has {len(content):,} bytes, and {datatype} in the shape {list(shape)} needs "
            f"{prod(shape) * wanted.itemsize:,}."
        )
    return np.frombuffer(content, wanted).reshape(shape)


def _split(content: memoryview, name: str, count: int) -> list[bytes]:
    """Elements of BYTES: each behind its length, in four bytes."""
    found: list[bytes] = []
    at = 0
    while at < len(content) and len(found) <= count:
        if at + 4 > len(content):
            break
        (size,) = struct.unpack_from("<I", content, at)
        if at + 4 + size > len(content):
            break
        found.append(bytes(content[at + 4 : at + 4 + size]))
        at += 4 + size
    if at != len(content) or len(found) != count:
        raise InputError(
            f"The bytes of the input {quoted(name)} are not {count:,} elements, each behind its length in four bytes."
        )
    return found


def to_bytes(values: Array | Sequence[bytes]) -> bytes:
    """A tensor as it lies behind the JSON: numbers with their little end first, BYTES behind their lengths.

    Args:
        values: Of it.
    """
    if isinstance(values, np.ndarray):
        return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    return b"".join(struct.pack("<I", len(each)) + each for each in values)
