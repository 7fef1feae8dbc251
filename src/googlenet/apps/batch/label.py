"""One part: its inputs labelled, its rows written, its file named when it is whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from ... import files
from ...data.images.stored import Stored, fetched
from ...data.parallel import ahead
from ...data.protocol import Example, Preprocessing
from ...data.walk import is_elsewhere, why_missing
from ...errors import InputError
from ...inference.load import load
from ...inference.prediction import Prediction, Wanted, answered
from ...inference.predictor import Predictor
from .plan import Entry, Plan

# Of a run folder; weights.checkpoint has them too, and imports PyTorch, which exported models need not.
WEIGHTS, CHECKPOINT, PREVIOUS = "model.safetensors", "checkpoint.safetensors", "checkpoint.previous.safetensors"
GROUP = 4096  # rows of Parquet that are written together

Counts = dict[str, Any]


@dataclass(frozen=True)
class Network:
    """What labels, to be loaded by whoever computes.

    Attributes:
        run: A run, weights, a name of the catalogue or an exported model.
        engine: As of :func:`~googlenet.inference.load.load`.
        max_pixels: The same.
        missing: The same.
    """

    run: str
    engine: str | None = None
    max_pixels: int | None = None
    missing: tuple[str, ...] = ()

    def load(self) -> Predictor:
        """The predictor."""
        return load(self.run, engine=self.engine, max_pixels=self.max_pixels, missing=self.missing)

    @property
    def digest(self) -> str:
        """What tells it from another, as far as its answers differ."""
        inside = [Path(self.run) / name for name in (WEIGHTS, CHECKPOINT, PREVIOUS)]  # the first is what is read
        path = next(filter(Path.is_file, inside), inside[0]) if Path(self.run).is_dir() else Path(self.run)
        known = files.digest_of(path) if path.is_file() else self.run
        return f"{known} {self.max_pixels or ''} {' '.join(self.missing)}".strip()


def label_part(predictor: Predictor, plan: Plan, part: int) -> Counts:
    """Labels the inputs of a part, and gives its file its name when all rows are in it.

    Args:
        predictor: What labels.
        plan: Of all parts.
        part: Its number, from 1.

    Returns:
        What there is to sum up: ``rows``, ``errors``, ``labels`` with how often each was the most probable, and the
        ``bytes`` of the file.

    Raises:
        InputError: If its file cannot be written.
    """
    rows, errors, labels = 0, 0, Counter[str]()
    with files.fresh(plan.path(part)) as new, WRITERS[plan.form](new) as writer:
        for prediction in _predictions(predictor, plan, part):
            writer.write(prediction)
            rows += 1
            if prediction.error is None:
                labels[prediction.label] += 1
            else:
                errors += 1
        writer.close()
        counts: Counts = {"rows": rows, "errors": errors, "labels": dict(labels), "bytes": new.stat().st_size}
        files.write_bytes(plan.counts(part), json.dumps(counts).encode())
    return counts


def _predictions(predictor: Predictor, plan: Plan, part: int) -> Iterator[Prediction]:
    wanted = Wanted(plan.top)
    for chunk, probabilities in predictor.results(_examples(plan.entries(part), predictor.preprocessing)):
        answers = iter(probabilities)
        for example, error in zip(chunk.examples, chunk.errors, strict=True):
            yield answered(example, error, next(answers) if error is None else None, predictor.classes, wanted)


def _examples(entries: Iterable[Entry], preprocessing: Preprocessing) -> Iterator[Example]:
    """The examples of inputs; what cannot be found is one with an error."""
    files_too = any(tensor.datatype == "BYTES" for tensor in preprocessing.tensors())
    for entry, content in ahead(partial(_fetched, files_too), entries):
        if isinstance(content, InputError):
            yield Example(str(entry), error=str(content))
        elif content is not None:
            yield from preprocessing.examples(content, str(entry))
        else:
            missing = why_missing(str(entry))
            yield from (
                [Example(str(entry), error=missing)] if missing else preprocessing.examples(str(entry), str(entry))
            )


def _fetched(files_too: bool, entry: Entry) -> tuple[Entry, bytes | InputError | None]:
    """What lies in a tar or at an address; of a file nothing yet."""
    if isinstance(entry, str) and not is_elsewhere(entry):
        return entry, None
    if not files_too:
        return entry, InputError("the network reads tables, which lie in files of their own")
    try:
        return entry, entry.content() if isinstance(entry, Stored) else fetched(entry)
    except InputError as error:
        return entry, error


class Writer(Protocol):
    """A file of rows that is being written."""

    def __enter__(self) -> Writer: ...
    def __exit__(self, *_: object) -> None: ...

    def write(self, prediction: Prediction) -> None:
        """Adds a row."""

    def close(self) -> None:
        """Ends the file."""


class JsonLines:
    """An object a row, as ``googlenet predict --format jsonl`` has it.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", errors="surrogateescape")

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, prediction: Prediction) -> None:
        """Adds a row."""
        text = json.dumps(prediction.to_dict(), ensure_ascii=False)
        self._file.write((text if text.isprintable() else json.dumps(prediction.to_dict())) + "\n")

    def close(self) -> None:
        """Ends the file."""
        self._file.close()


class Parquet:
    """Columns ``input``, ``label``, ``probability``, ``labels``, ``probabilities`` and ``error``.

    Args:
        path: Of the file.

    Raises:
        InputError: If pyarrow is not installed.
    """

    def __init__(self, path: Path) -> None:
        check_parquet()
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        text, number = pyarrow.string(), pyarrow.float32()
        self._schema = pyarrow.schema(
            {
                "input": text,
                "label": text,
                "probability": number,
                "labels": pyarrow.list_(text),
                "probabilities": pyarrow.list_(number),
                "error": text,
            }
        )
        self._rows: list[dict[str, Any]] = []
        self._writer = ParquetWriter(path, self._schema)

    def __enter__(self) -> Parquet:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, prediction: Prediction) -> None:
        """Adds a row."""
        row: dict[str, Any] = {"input": prediction.input.encode(errors="replace").decode(), "error": prediction.error}
        if prediction.error is None:
            labels, probabilities = map(list, zip(*prediction.top, strict=True))
            best = {"label": labels[0], "probability": probabilities[0]}
            row |= best | {"labels": labels, "probabilities": probabilities}
        self._rows.append(row)
        if len(self._rows) == GROUP:
            self._flush()

    def close(self) -> None:
        """Ends the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow

        self._writer.write_table(pyarrow.Table.from_pylist(self._rows, self._schema))
        self._rows = []


def check_parquet() -> None:
    """Raises InputError where there is nothing that writes Parquet."""
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError:
        raise InputError("pyarrow is not installed: pip install 'googlenet[tables]'.") from None


WRITERS: Mapping[str, type[JsonLines] | type[Parquet]] = {"jsonl": JsonLines, "parquet": Parquet}
