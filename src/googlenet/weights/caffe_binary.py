"""Caffe's binary networks: the few fields of a ``NetParameter`` that weights need, read and written.

Field numbers are those of Caffe's ``caffe.proto``, the encoding that of protocol buffers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Blob = npt.NDArray[np.float32]
Value = int | memoryview


class Damaged(ValueError):
    """The bytes are no network; the message is half a sentence that says why."""


@dataclass(frozen=True)
class LayerFields:
    """Where a layer's message keeps what is read of it."""

    name: int
    blobs: int
    transform: int


_LAYER, _OLD_LAYER = 100, 2  # NetParameter.layer, and NetParameter.layers of older files
_LAYERS = {_LAYER: LayerFields(name=1, blobs=7, transform=100), _OLD_LAYER: LayerFields(name=4, blobs=6, transform=36)}
_TYPE = 2
_MEAN_VALUE = 5  # of TransformationParameter
_LEGACY_SHAPE, _FLOATS, _SHAPE, _DOUBLES = (1, 2, 3, 4), 5, 7, 8  # of BlobProto
_DIM = 1  # of BlobShape
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_MOST_AXES = 32  # Caffe's kMaxBlobAxes


@dataclass(frozen=True)
class Network:
    """A network without its wiring.

    Attributes:
        blobs: The blobs of each layer that has any, by its name.
        mean: Of the first layer that says what to subtract from its pixels, per channel; empty if none does.
    """

    blobs: Mapping[str, Sequence[Blob]]
    mean: tuple[float, ...]


def decode(content: bytes) -> Network:
    """Reads a ``NetParameter`` with ``layer`` or the older ``layers``.

    Raises:
        Damaged: If the bytes end early or are something else.
    """
    found: dict[str, list[Blob]] = {}
    mean: tuple[float, ...] = ()
    for number, value in _fields(memoryview(content)):
        if number not in _LAYERS:
            continue
        fields, layer, blobs = _LAYERS[number], "", []
        for inner, part in _fields(_message(value)):
            if inner == fields.name:
                layer = _message(part).tobytes().decode(errors="replace")
            elif inner == fields.blobs:
                blobs.append(_blob(_message(part)))
            elif inner == fields.transform and not mean:
                values = [each for field, each in _fields(_message(part)) if field == _MEAN_VALUE]
                mean = tuple(_numbers(values, "<f4").tolist())
        if blobs:
            found[layer] = blobs
    return Network(found, mean)


def encode(name: str, network: Network) -> bytes:
    """The inverse of :func:`decode`, for a network of convolutions and linear layers; the mean is ``data``'s."""
    transform = b"".join(_key(_MEAN_VALUE, _FOUR_BYTES) + np.array(value, "<f4").tobytes() for value in network.mean)
    layers = [_layer("data", "Input", [_bytes(_LAYERS[_LAYER].transform, transform)])]
    for layer, blobs in network.blobs.items():
        kind = "Convolution" if blobs[0].ndim == 4 else "InnerProduct"
        layers.append(_layer(layer, kind, [_bytes(_LAYERS[_LAYER].blobs, _encoded(blob)) for blob in blobs]))
    return b"".join([_bytes(1, name.encode()), *layers])


def _blob(message: memoryview) -> Blob:
    legacy, shape, floats, doubles = dict.fromkeys(_LEGACY_SHAPE, 1), None, [], []
    for number, value in _fields(message):
        if number in legacy and isinstance(value, int):
            legacy[number] = value
        elif number == _SHAPE:
            shape = [dim for field, each in _fields(_message(value)) if field == _DIM for dim in _integers(each)]
        elif number == _FLOATS:
            floats.append(value)
        elif number == _DOUBLES:
            doubles.append(value)
    values = (_numbers(doubles, "<f8") if doubles else _numbers(floats, "<f4")).astype(np.float32)
    shape = list(legacy.values()) if shape is None else shape
    if len(shape) > _MOST_AXES or math.prod(shape) != values.size or not values.size:
        raise Damaged(f"a blob of {values.size} numbers says that its shape is {tuple(shape[:_MOST_AXES])}")
    return values.reshape(shape)


def _numbers(values: Sequence[Value], kind: str) -> npt.NDArray[np.floating]:
    """Repeated floating-point numbers, packed or not: their bytes one behind the other either way."""
    content = b"".join(_message(value) for value in values)
    if len(content) % np.dtype(kind).itemsize:
        raise Damaged("a list of numbers ends in the middle of one")
    return np.frombuffer(content, kind)


def _integers(value: Value) -> Iterator[int]:
    """Repeated integers: a list of them if packed, one if not."""
    if isinstance(value, int):
        yield value
        return
    place = 0
    while place < len(value):
        number, place = _varint(value, place)
        yield number


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise Damaged("there is a number in place of a message")
    return value


def _fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Numbers and values of a message's fields, in order; integers decoded, all else as bytes."""
    place = 0
    while place < len(message):
        key, start = _varint(message, place)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, place = _varint(message, start)
            yield number, value
            continue
        if wire == _LENGTH:
            size, start = _varint(message, start)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if wire == _EIGHT_BYTES else 4
        else:
            raise Damaged("there is something else in place of a field")
        place = start + size
        if place > len(message):
            raise Damaged(f"it ends {place - len(message):,} bytes early")
        yield number, message[start:place]


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """A variable-length integer and the place behind it."""
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise Damaged("it ends in the middle of a number")
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise Damaged("a number in it is longer than numbers are")


def _layer(name: str, kind: str, fields: Sequence[bytes]) -> bytes:
    named = [_bytes(_LAYERS[_LAYER].name, name.encode()), _bytes(_TYPE, kind.encode())]
    return _bytes(_LAYER, b"".join([*named, *fields]))


def _encoded(blob: Blob) -> bytes:
    shape = _bytes(_DIM, b"".join(_encoded_varint(dim) for dim in blob.shape))
    return _bytes(_FLOATS, blob.astype("<f4").tobytes()) + _bytes(_SHAPE, shape)


def _bytes(number: int, content: bytes) -> bytes:
    return _key(number, _LENGTH) + _encoded_varint(len(content)) + content


def _key(number: int, wire: int) -> bytes:
    return _encoded_varint(number << 3 | wire)


def _encoded_varint(number: int) -> bytes:
    content = bytearray()
    while number >= 0x80:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*content, number])
