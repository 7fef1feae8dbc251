"""Run folders: what a training leaves behind, read and written here and nowhere else.

===================== ==========================================================================================
``model.safetensors``  the final weights, with classes and preprocessing in the metadata
``run.json``           :class:`RunRecord`: everything that made the run
``learned.txt``        which examples it learned from: how many, then a hash of what each holds, a line each
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
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ... import files
from ...data.protocol import Dataset
from ...data.splits import fingerprint, fingerprint_by_names
from ...errors import InputError
from ...weights.checkpoint import CHECKPOINT, WEIGHTS
from ..recipe import Recipe
from .records import VERSION, EpochRow, Evaluation, RunRecord

Record = TypeVar("Record")
_COUNT = "# {} examples"  # the first line of the list of what was learned from
OLDEST: Mapping[str, Any] = {"fingerprint": "", "version": 1}  # of records that do not say


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
        return self.path / CHECKPOINT

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
        return os.path.exists(self._record)  # noqa: PTH110  (False, too, for what no file can be called)

    @property
    def _claim(self) -> Path:
        return self.path / ".claimed"

    @property
    def _learned(self) -> Path:
        return self.path / "learned.txt"

    @property
    def _record(self) -> Path:
        return self.path / "run.json"

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def _evaluation(self) -> Path:
        return self.path / "evaluation.json"

    def check_free(self) -> None:
        """That a training may begin here.

        Raises:
            InputError: If the folder holds a run or something else, or is a file.
        """
        if self.exists:
            raise InputError(
                f"{self.path} already holds a run. Go on with it (--resume), or name another folder (--out)."
            )
        if self.path.is_file():
            raise InputError(f"{self.path} is a file, not a folder. Name another folder (--out).")
        others = sorted(path.name for path in self.path.iterdir()) if self.path.is_dir() else []
        if others and others != [self._claim.name]:
            raise InputError(f"{self.path} holds {others[0]}, which is of no run. Name a new folder (--out).")

    def take(self) -> None:
        """Makes the folder and claims it for one training, before anything costs time.

        Raises:
            InputError: As of :meth:`check_free`; if another training has claimed it; if it cannot be made or written.
        """
        try:
            self.check_free()
            self.path.mkdir(parents=True, exist_ok=True)
            self._claim.touch(exist_ok=False)
        except FileExistsError as error:
            raise InputError(
                f"Another training is beginning in {self.path}. Name another folder (--out); if none is, remove "
                f"{self._claim}."
            ) from error
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be the folder of a run: {error.strerror}. Name another folder (--out)."
            ) from error

    def release(self) -> None:
        """Gives up the claim; the folder goes if no training began in it."""
        with suppress(OSError):
            self._claim.unlink(missing_ok=True)
            self.path.rmdir()

    def begin(self, record: RunRecord, learned: Iterable[str] = ()) -> None:
        """Writes what makes the run and which examples it learns from; the folder is made if it is not there.

        Raises:
            InputError: If it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            files.sweep(self.path)
        except OSError as error:
            raise InputError(
                f"{self.path} could not be made: {error.strerror}. Name another folder (--out)."
            ) from error
        contents = sorted(set(learned))
        files.write_bytes(self._learned, "\n".join([_COUNT.format(len(contents)), *contents, ""]).encode())
        files.write_json(self._record, dataclasses.asdict(record))
        self._claim.unlink(missing_ok=True)

    def record(self) -> RunRecord:
        """What made the run.

        Raises:
            InputError: If it is not there, damaged, or of a younger version than this package knows.
        """
        return _read(self._record, lambda row: RunRecord(**{**OLDEST, **row}))

    def recipe(self) -> Recipe:
        """How it was trained.

        Raises:
            InputError: If the record cannot be read, or is of another version of the package.
        """
        try:
            return Recipe(**self.record().recipe)
        except TypeError as error:
            raise InputError(f"{self._record} holds a recipe of another googlenet ({error}). Train anew.") from error

    def learned(self) -> frozenset[str] | None:
        """Which examples it learned from, by :attr:`~googlenet.data.protocol.ExampleSet.contents`; ``None`` if it does
        not say, as runs of version 1.

        Raises:
            InputError: If the list cannot be read.
        """
        if not self._learned.exists():
            return None
        try:
            lines = self._learned.read_text(encoding="ascii").splitlines()
        except (OSError, ValueError) as error:
            raise InputError(f"{self._learned} could not be read: {error}.") from error
        counted = bool(lines) and lines[0].startswith(_COUNT[0])  # the first runs did not count
        found = frozenset(lines[counted:])
        whole = not counted or lines[0] == _COUNT.format(len(found))
        if not found or not whole or any(not re.fullmatch("[0-9a-f]{16}", content) for content in found):
            raise InputError(
                f"{self._learned} is damaged: it is no whole list of hashes. Bring it back as it was, or remove it; "
                "then it is not known what the run learned from."
            )
        return found

    def is_of(self, data: Dataset) -> bool:
        """Whether it learns from these very examples, and holds the same ones out."""
        before = self.record()
        now = fingerprint(data) if before.version > 1 else fingerprint_by_names(data)
        counts = {name: len(part) for name, part in data.parts.items()}
        return before.fingerprint in ("", now) and before.examples == counts  # the oldest do not say: ""

    def check_goes_on(self, data: Dataset, recipe: Recipe) -> None:
        """That a training can go on here: with the same examples and, but for its length, the same recipe.

        Raises:
            InputError: For other examples: what is held out now may have been learned from before. For another recipe.
        """
        if not self.is_of(data):
            raise InputError(
                f"{self.path} learned from other examples than {data.name} holds now. Bring the data back as they "
                "were, or train into another folder."
            )
        if changed := recipe.changed_from(self.record().recipe):
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


def _read(path: Path, parse: Callable[[dict[str, Any]], Record]) -> Record:
    row = files.read_json(path)
    if row.get("version", VERSION) not in range(1, VERSION + 1):
        raise InputError(
            f"{path} is of version {row['version']}, written by another googlenet; this one reads {VERSION}."
        )
    try:
        return parse(row)
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} is not a record that googlenet wrote ({error}).") from error


def run_of(source: str | Path) -> Run | None:
    """The run that weights or an exported model lie in, or that a folder is; ``None`` if it is of none."""
    path = Path(source)
    run = Run(path if path.is_dir() else path.parent)
    return run if run.exists else None
