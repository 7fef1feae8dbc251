"""What people send: files and tables as they are, or numbers in JSON; and what they get back."""

from __future__ import annotations

import base64
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ....data.protocol import Example, Preprocessing
from ....errors import InputError, parsed
from ....inference.prediction import Wanted, answered
from ....limits import SENT_ROWS
from ..batching import Answer

SUFFIXES: Mapping[str, str] = {  # of what comes without a name, by its content type
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/plain": ".txt",
    "application/vnd.apache.parquet": ".parquet",
    "application/x-npz": ".npz",
}
_LAID = re.compile(rf"{re.escape(tempfile.gettempdir())}/googlenet-[^/ ]+/\d+/sent[.\w]*: ")  # where a file lay
NAME = 200  # letters of the name of a file


@dataclass(frozen=True)
class Sent:
    """A file that somebody sent."""

    name: str
    content: bytes

    @classmethod
    def of(cls, name: str, content: bytes) -> Sent:
        """With a name that can be sent back."""
        return cls(name[:NAME].encode(errors="replace").decode(), content)


@contextmanager
def files(sent: Sequence[Sent]) -> Iterator[list[Path]]:
    """Files on the disk, each under its own name, for as long as they are read.

    Args:
        sent: Their contents.
    """
    with tempfile.TemporaryDirectory(prefix="googlenet-") as folder:
        paths = []
        for at, each in enumerate(sent):
            place = Path(folder, str(at))
            place.mkdir()
            path = place / f"sent{_ending(each.name)}"
            path.write_bytes(each.content)
            paths.append(path)
        yield paths


def _ending(name: str) -> str:
    """Of a file, by which its reader is found; all else of what others call it stays off the disk."""
    return "".join(re.findall(r"\.[A-Za-z0-9]{1,10}", name)[-2:])


def examples_of(sent: Sequence[Sent], preprocessing: Preprocessing, most: int) -> list[Example]:
    """The examples of files, under the names that they were sent with.

    Args:
        sent: The files.
        preprocessing: Of the model.
        most: That may be answered at once; one more is read, so that there are too many.
    """
    found = (example for each in sent for example in _examples(each, preprocessing))
    return list(islice(found, most + 1))


def _examples(each: Sent, preprocessing: Preprocessing) -> Iterator[Example]:
    """Of a file that is an example itself, without a way over the disk; of all others what is in them."""
    if takes_files(preprocessing) and not each.name.lower().endswith(".npz"):
        for example in preprocessing.examples(each.content, each.name):
            yield example._replace(taken_for="")
        return
    if each.content.count(b"\n") > SENT_ROWS or each.content.count(b"\r") > SENT_ROWS:
        raise InputError(
            f"{each.name} has more than {SENT_ROWS:,} lines; googlenet predict reads tables of any length."
        )
    with files([each]) as (path,):
        for example in preprocessing.examples(str(path), each.name):
            error = None if example.error is None else example.error.replace(str(path), each.name)
            yield example._replace(name=example.name.replace(str(path), each.name), error=error)


def takes_files(preprocessing: Preprocessing) -> bool:
    """Whether the content of a file is an example."""
    return any(each.datatype == "BYTES" for each in preprocessing.tensors())


def examples_of_json(body: bytes, preprocessing: Preprocessing, most: int) -> list[Example]:
    """The examples of ``{"inputs": […]}``: numbers, ``null`` where one is missing, or files in base64.

    Args:
        body: It.
        preprocessing: Of the model.
        most: That may be answered at once; one more is read, so that there are too many.

    Raises:
        InputError: If it is nothing of the sort.
    """
    try:
        row = parsed(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body is no JSON that can be read ({str(error)[:200]}).") from error
    inputs = row.get("inputs") if isinstance(row, dict) else None
    if not isinstance(inputs, list):
        raise InputError('JSON is {"inputs": […]}: lists of numbers, or files in base64, one for each example.')
    found: list[Example] = []
    for at, each in enumerate(inputs[: most + 1]):
        try:
            found += islice(_of_json(each, f"#{at}", preprocessing), most + 1 - len(found))
        except InputError as error:
            found.append(Example(f"#{at}", error=str(error)))
    return found


def _of_json(value: Any, name: str, preprocessing: Preprocessing) -> Iterator[Example]:
    if isinstance(value, str):
        if not takes_files(preprocessing):
            raise InputError(f"it is text, and the model reads {preprocessing.kind}s: send lists of numbers.")
        try:
            yield from preprocessing.examples(base64.b64decode(value, validate=True), name)
        except ValueError as error:
            raise InputError("it is text that is no base64") from error
        return
    whole = _check_numbers(value)
    try:
        numbers = np.array(value, np.int64 if whole else np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError("it is no list of numbers, or one of lists of different lengths") from error
    if numbers.dtype.kind != "f" and any(each.datatype == "UINT8" for each in preprocessing.tensors()):
        if numbers.size and not 0 <= numbers.min() <= numbers.max() <= 255:
            raise InputError("it holds whole numbers beyond 0 to 255, which are no pixels")
        if numbers.size and numbers.max() == 1:
            raise InputError("of its whole numbers none is above 1, which may be white or nearly black: send 0 to 255")
        numbers = numbers.astype(np.uint8)
    yield from preprocessing.examples(numbers, name)


def _check_numbers(value: Any) -> bool:
    """Whether nested lists hold whole numbers alone; InputError for what is no number, before NumPy sees it."""
    whole, waiting = True, [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif each is None or isinstance(each, float):
            whole = False
        elif not isinstance(each, int) or isinstance(each, bool):
            raise InputError("it holds what is no number")
    return whole


def without_places(said: Sequence[str]) -> list[str]:
    """Sentences, without where a file lay that they are of."""
    return [_LAID.sub("", sentence) for sentence in said]


def rows(
    answers: Sequence[Answer], classes: Sequence[str], top: int, doubts: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """What a model says, a row an example: as ``googlenet predict --format jsonl`` has it, and what there is to doubt.

    Args:
        answers: Of the examples.
        classes: Names in the order of the probabilities.
        top: How many labels for each.
        doubts: Of how all of them were read.
    """
    found = []
    for answer in answers:
        row = answered(answer.example, answer.error, answer.probabilities, classes, Wanted(top)).to_dict()
        if said := [*doubts, *answer.doubts]:
            row["warnings"] = without_places(said)
        found.append(row)
    return found
