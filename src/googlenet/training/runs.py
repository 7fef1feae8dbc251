"""Run folders: what a training leaves behind, read and written here and nowhere else.

===================== ==========================================================================================
``model.safetensors``  the final weights, with classes and preprocessing in the metadata
``run.json``           :class:`RunRecord`: everything that made the run
``metrics.jsonl``      :class:`EpochRow`, a line an epoch
``evaluation.json``    :class:`Evaluation`: the final weights on the held-out part
``report.html``        the page for people
``checkpoint.…``       all that ``--resume`` needs
``examples/``          a few held-out pictures of a built-in set, to predict on
===================== ==========================================================================================
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .. import files
from ..errors import InputError
from ..weights.checkpoint import WEIGHTS

VERSION = 1  # of the records; a file without one is of version 1 too
Record = TypeVar("Record")


@dataclass(frozen=True)
class EpochRow:
    """What an epoch came to.

    Attributes:
        epoch: Its number, from 1.
        loss: Mean training loss, nats.
        accuracy: Share of the training examples that were right, as they were changed at random.
        seconds: That it took.
        learning_rate: At its last step.
        validation_loss: Of the averaged weights on the validation part, if there is one.
        validation_accuracy: The same.
    """

    epoch: int
    loss: float
    accuracy: float
    seconds: float = 0.0
    learning_rate: float = 0.0
    validation_loss: float | None = None
    validation_accuracy: float | None = None

    def __post_init__(self) -> None:
        _check_types(self, int=("epoch",), float=("loss", "accuracy", "seconds", "learning_rate"))

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without what is not known."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value is not None}


@dataclass(frozen=True)
class RunRecord:
    """What ``run.json`` says: everything that made the run, and what prediction needs.

    Attributes:
        data: What the user called the data.
        fingerprint: Which examples there were, see :func:`~googlenet.data.splits.fingerprint`; empty in the oldest
            runs, which do not say.
        examples: Part (``train``, ``validation``, ``test``) to its number of examples.
        classes: Class names.
        preprocessing: Of the network, as its ``to_dict`` gives it.
        recipe: As its ``to_dict`` gives it.
        bad_files: ``{"path", "reason"}`` of each file that was left out.
        googlenet: Version of this package.
        torch: Version of PyTorch.
        version: Of this record.
    """

    data: str
    fingerprint: str
    examples: Mapping[str, int]
    classes: Sequence[str]
    preprocessing: Mapping[str, Any]
    recipe: Mapping[str, Any]
    bad_files: Sequence[Mapping[str, str]] = ()
    googlenet: str = ""
    torch: str = ""
    version: int = VERSION

    def __post_init__(self) -> None:
        _check_types(self, dict=("examples", "preprocessing", "recipe"), list=("classes",), str=("data", "fingerprint"))


@dataclass(frozen=True)
class ClassScores:
    """How well one class is recognised.

    Attributes:
        label: Its name.
        precision: Share of the examples said to be of it that are.
        recall: Share of its examples that were said to be of it.
        f1: The harmonic mean of both.
        count: Its examples.
    """

    label: str
    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True)
class Evaluation:
    """How good a network is on labelled examples.

    Attributes:
        top1: Share of examples whose label is the most probable.
        top5: The same among the five most probable; ``None`` below 5 classes.
        nll: Mean negative log likelihood, nats.
        ece: Expected calibration error over 15 bins of equal width (Guo et al. 2017).
        count: Examples.
        per_class: Scores in the order of the classes.
        confusion: Counts; rows are true classes, columns predicted ones.
        part: On what: ``test``, ``validation``, or ``all`` where the data are not split and no run learned from them.
        version: Of this record.
    """

    top1: float
    top5: float | None
    nll: float
    ece: float
    count: int
    per_class: Sequence[ClassScores]
    confusion: Sequence[Sequence[int]]
    part: str = "all"
    version: int = VERSION

    def __post_init__(self) -> None:
        _check_types(self, float=("top1", "nll", "ece"), int=("count",), list=("per_class", "confusion"), str=("part",))

    def to_dict(self) -> dict[str, Any]:
        """For JSON; :meth:`from_dict` is its inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Evaluation:
        """Reads what :meth:`to_dict` wrote."""
        return cls(**{**row, "per_class": [ClassScores(**scores) for scores in row["per_class"]]})


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        path: The folder, which need not be there yet.
    """

    path: Path = field()

    @property
    def weights(self) -> Path:
        """The final weights."""
        return self.path / WEIGHTS

    @property
    def checkpoint(self) -> Path:
        """All that ``--resume`` needs."""
        return self.path / "checkpoint.safetensors"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"

    @property
    def examples(self) -> Path:
        """Held-out pictures to predict on."""
        return self.path / "examples"

    @property
    def exists(self) -> bool:
        """Whether a training has begun here."""
        return self._record.exists()

    @property
    def _record(self) -> Path:
        return self.path / "run.json"

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def _evaluation(self) -> Path:
        return self.path / "evaluation.json"

    def begin(self, record: RunRecord) -> None:
        """Makes the folder and writes its record.

        Raises:
            InputError: If it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{self.path} could not be made: {error.strerror}. Name another folder (--out)."
            ) from error
        files.write_json(self._record, dataclasses.asdict(record))

    def record(self) -> RunRecord:
        """What made the run.

        Raises:
            InputError: If it is not there, damaged, or of a younger version than this package knows.
        """
        return _read(self._record, lambda row: RunRecord(**{"fingerprint": ""} | row))

    def check_goes_on(self, record: RunRecord) -> None:
        """That a training can go on here: with the same examples and, where there is no checkpoint to compare with, the
        same recipe.

        Raises:
            InputError: For other examples: what is held out now may have been learned from before. For another recipe.
        """
        before = self.record()
        if before.fingerprint not in ("", record.fingerprint) or before.examples != record.examples:  # the oldest: ""
            raise InputError(
                f"{self.path} learned from other examples than {record.data} holds now. Bring the data back as they "
                "were, or train into another folder."
            )
        changed = [key for key, value in record.recipe.items() if before.recipe.get(key, value) != value]
        if changed and not self.checkpoint.exists():
            raise InputError(
                f"{self.path} was trained with another recipe ({', '.join(changed)} differ); resume with the same one, "
                "or train into another folder."
            )

    def write_history(self, rows: Sequence[EpochRow]) -> None:
        """Replaces ``metrics.jsonl``."""
        files.write_bytes(self._metrics, "".join(files.json_line(row.to_dict()) for row in rows).encode())

    def history(self) -> list[EpochRow]:
        """The epochs that are done.

        Raises:
            InputError: If they cannot be read.
        """
        try:
            lines = self._metrics.read_text(encoding="utf-8").splitlines()
            return [EpochRow(**json.loads(line)) for line in lines]
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{self._metrics} could not be read: {error}.") from error

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Replaces ``evaluation.json``."""
        files.write_json(self._evaluation, evaluation.to_dict())

    def evaluation(self) -> Evaluation | None:
        """What was measured at the end; ``None`` if nothing was yet.

        Raises:
            InputError: If it is damaged, or of a younger version than this package knows.
        """
        return _read(self._evaluation, Evaluation.from_dict) if self._evaluation.exists() else None


_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "list": (list, tuple),
    "dict": (dict,),
}


def _check_types(record: object, **fields: Sequence[str]) -> None:
    """Raises TypeError, which readers make a sentence of, unless fields are of the types that they are named under."""
    for kind, names in fields.items():
        for name in names:
            value = getattr(record, name)
            if not isinstance(value, _TYPES[kind]):
                raise TypeError(f"{name} is {value!r}")


def _read(path: Path, parse: Callable[[dict[str, Any]], Record]) -> Record:
    row = files.read_json(path)
    if row.get("version", VERSION) != VERSION:
        raise InputError(
            f"{path} is of version {row['version']}, written by another googlenet; this one reads {VERSION}."
        )
    try:
        return parse(row)
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} is not a record that googlenet wrote ({error}).") from error
