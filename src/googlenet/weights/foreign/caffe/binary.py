"""Caffe's binary networks: the few fields of a ``NetParameter`` that weights need, read and written.

Field numbers are those of Caffe's ``caffe.proto``, the encoding that of protocol buffers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ....limits import AXES
from ..protobuf import FOUR_BYTES, Damaged, Value, encoded, field, fields, key, one_file, varint

Blob = npt.NDArray[np.float32]


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
    with one_file():
        return _decoded(memoryview(content))


def _decoded(content: memoryview) -> Network:
    found: dict[str, list[Blob]] = {}
    mean: tuple[float, ...] = ()
    for number, value in fields(content):
        if number not in _LAYERS:
            continue
        places, layer, blobs = _LAYERS[number], "", []
        for inner, part in fields(_message(value)):
            if inner == places.name:
                layer = _message(part).tobytes().decode(errors="replace")
            elif inner == places.blobs:
                blobs.append(_blob(_message(part)))
            elif inner == places.transform and not mean:
                values = [each for place, each in fields(_message(part)) if place == _MEAN_VALUE]
                mean = tuple(_numbers(values, "<f4").tolist())
        if blobs:
            found[layer] = blobs
    return Network(found, mean)


def encode(name: str, network: Network) -> bytes:
    """The inverse of :func:`decode`, for a network of convolutions and linear layers; the mean is ``data``'s."""
    transform = b"".join(key(_MEAN_VALUE, FOUR_BYTES) + np.array(value, "<f4").tobytes() for value in network.mean)
    layers = [_layer("data", "Input", [field(_LAYERS[_LAYER].transform, transform)])]
    for layer, blobs in network.blobs.items():
        kind = "Convolution" if blobs[0].ndim == 4 else "InnerProduct"
        layers.append(_layer(layer, kind, [field(_LAYERS[_LAYER].blobs, _encoded(blob)) for blob in blobs]))
    return b"".join([field(1, name.encode()), *layers])


def _blob(message: memoryview) -> Blob:
    legacy, shape, floats, doubles = dict.fromkeys(_LEGACY_SHAPE, 1), None, [], []
    for number, value in fields(message):
        if number in legacy and isinstance(value, int):
            legacy[number] = value
        elif number == _SHAPE:
            shape = [dim for place, each in fields(_message(value)) if place == _DIM for dim in _integers(each)]
        elif number == _FLOATS:
            floats.append(value)
        elif number == _DOUBLES:
            doubles.append(value)
    values = (_numbers(doubles, "<f8") if doubles else _numbers(floats, "<f4")).astype(np.float32)
    shape = list(legacy.values()) if shape is None else shape
    if len(shape) > AXES or math.prod(shape) != values.size or not values.size:
        raise Damaged(f"a blob of {values.size} numbers says that its shape is {tuple(shape[:AXES])}")
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
        number, place = varint(value, place)
        yield number


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise Damaged("there is a number in place of a message")
    return value


def _layer(name: str, kind: str, parts: Sequence[bytes]) -> bytes:
    named = [field(_LAYERS[_LAYER].name, name.encode()), field(_TYPE, kind.encode())]
    return field(_LAYER, b"".join([*named, *parts]))


def _encoded(blob: Blob) -> bytes:
    shape = field(_DIM, b"".join(encoded(dim) for dim in blob.shape))
    return field(_FLOATS, blob.astype("<f4").tobytes()) + field(_SHAPE, shape)
