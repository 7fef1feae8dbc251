"""The Open Inference Protocol v2: what a model says of itself, and inference, from body to body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...._version import __version__
from ....data.images.decode import Whole
from ....data.protocol import Array, Example, Preprocessing
from ....errors import InputError, quoted, several
from ..batching import Answer
from ..models import Loaded
from .tensors import BYTES, Request, Tensor, to_bytes

EXTENSIONS = ("binary_tensor_data", "classification")
PROBABILITIES, LABELS = "probabilities", "labels"
Metadata = dict[str, Any]


def server_metadata() -> Metadata:
    """Name, version and extensions of the server."""
    return {"name": "googlenet", "version": __version__, "extensions": list(EXTENSIONS)}


def model_metadata(name: str, loaded: Loaded) -> Metadata:
    """What a model reads and gives.

    Args:
        name: Of the model.
        loaded: It.
    """
    count = len(loaded.predictor.classes)
    return {
        "name": name,
        "versions": [loaded.version],
        "platform": f"googlenet_{loaded.predictor.engine.name.split(',')[0].split()[0].lower()}",
        "inputs": [_row(*each) for each in inputs_of(loaded.predictor.preprocessing)],
        "outputs": [_row(PROBABILITIES, "FP32", (-1, count)), _row(LABELS, BYTES, (-1,))],
    }


def _row(name: str, datatype: str, shape: Sequence[int]) -> Metadata:
    return {"name": name, "datatype": datatype, "shape": list(shape)}


def inputs_of(preprocessing: Preprocessing) -> list[tuple[str, str, tuple[int, ...]]]:
    """Name, datatype and shape of the inputs of which a request has one.

    Args:
        preprocessing: Of the model.
    """
    return [(each.name, each.datatype, (-1, *each.shape)) for each in preprocessing.tensors()]


def examples_of(request: Request, preprocessing: Preprocessing) -> list[Example]:
    """The examples of a request, one or more.

    Args:
        request: It.
        preprocessing: Of the model.

    Raises:
        InputError: If it has other inputs than the model reads, or asks for outputs that it does not give.
    """
    unknown = [name for name in request.outputs if name not in (PROBABILITIES, LABELS)]
    if unknown:
        raise InputError(f"There is no output {quoted(unknown[0])}. There are: {PROBABILITIES}, {LABELS}.")
    known = {name: (datatype, shape) for name, datatype, shape in inputs_of(preprocessing)}
    if len(request.inputs) != 1 or request.inputs[0].name not in known:
        given = several([each.name for each in request.inputs])
        raise InputError(f"A request has one input, {' or '.join(map(repr, known))}, and this one has {given}.")
    tensor = request.inputs[0]
    _check(tensor, *known[tensor.name])
    values = map(Whole, tensor.values) if tensor.datatype == BYTES else tensor.values
    return [example for at, value in enumerate(values) for example in preprocessing.examples(value, f"#{at}")]


def _check(tensor: Tensor, datatype: str, shape: Sequence[int]) -> None:
    """Raises InputError for a tensor of another type or shape than the model reads."""
    if tensor.datatype != datatype:
        raise InputError(f"The input {tensor.name!r} is of {datatype}, not of {tensor.datatype}.")
    fits = len(tensor.shape) == len(shape) and all(
        want in (-1, have) for want, have in zip(shape, tensor.shape, strict=True)
    )
    if not fits or 0 in tensor.shape:
        raise InputError(
            f"The input {tensor.name!r} has the shape {list(shape)}, where -1 is any number from 1, and not "
            f"{list(tensor.shape)}."
        )


@dataclass(frozen=True)
class Reply:
    """The body of an answer: JSON, and tensors behind it."""

    head: bytes
    tensors: bytes = b""

    @property
    def body(self) -> bytes:
        """All of it."""
        return self.head + self.tensors


def reply(name: str, loaded: Loaded, request: Request, answers: Sequence[Answer]) -> Reply:
    """The answer to a request.

    Args:
        name: Of the model.
        loaded: It.
        request: What was asked.
        answers: Of its examples.

    Raises:
        InputError: At the first example that cannot be read.
    """
    for answer in answers:
        if answer.error is not None:
            raise InputError(f"The example {answer.example.name} cannot be read: {answer.error.rstrip('.')}.")
    probabilities = np.stack([answer.probabilities for answer in answers if answer.probabilities is not None])
    wanted = request.outputs or {PROBABILITIES: {}, LABELS: {}}
    rows, behind = [], []
    for output, parameters in wanted.items():
        values = _values(output, parameters, probabilities, loaded.predictor.classes)
        row, content = _output(output, values, _is_binary(parameters, request.binary))
        rows.append(row)
        behind.append(content)
    body: dict[str, Any] = {"model_name": name, "model_version": loaded.version, "outputs": rows}
    if request.id is not None:
        body["id"] = request.id
    doubts = list(dict.fromkeys(doubt for answer in answers for doubt in answer.doubts))
    if doubts:
        body["parameters"] = {"warning": " ".join(doubts)}
    return Reply(json.dumps(body, allow_nan=False).encode(), b"".join(behind))


def _is_binary(parameters: Mapping[str, Any], default: bool) -> bool:
    found = parameters.get("binary_data", default)
    if not isinstance(found, bool):
        raise InputError(f"binary_data is true or false, not {quoted(found)[:100]}.")
    return found


def _values(
    output: str, parameters: Mapping[str, Any], probabilities: Array, classes: Sequence[str]
) -> Array | list[list[bytes]]:
    """An output for all examples: numbers, or a list of texts for each."""
    most = parameters.get("classification", 0)
    if not isinstance(most, int) or isinstance(most, bool) or most < 0:
        raise InputError(f"classification is a whole number of classes, not {quoted(most)[:100]}.")
    if output == LABELS:
        return [[classes[at].encode()] for at in probabilities.argmax(1).tolist()]
    if not most:
        return probabilities
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :most]
    return [
        [f"{row[at]:f}:{at}:{classes[at]}".encode() for at in order]
        for row, order in zip(probabilities, best, strict=True)
    ]


def _output(name: str, values: Array | list[list[bytes]], binary: bool) -> tuple[Metadata, bytes]:
    """An output of the answer, and its bytes if it goes behind the JSON."""
    if isinstance(values, np.ndarray):
        row, flat = _row(name, "FP32", values.shape), values.ravel()
        data: Any = flat.tolist()
        content: Array | list[bytes] = flat
    else:
        width = len(values[0])
        row = _row(name, BYTES, (len(values), width) if name != LABELS else (len(values),))
        content = [text for each in values for text in each]
        data = [text.decode() for text in content]
    if not binary:
        return row | {"data": data}, b""
    sent = to_bytes(content)
    return row | {"parameters": {"binary_data_size": len(sent)}}, sent
