"""Run folders: what a training leaves behind, read and written here and nowhere else.

===================== ==========================================================================================
``model.safetensors``  the final weights, with classes and preprocessing in the metadata
``run.json``           :class:`RunRecord`: everything that made the run
``learned.txt``        which examples it learned from: how many, then a hash of what each holds, a line each
``metrics.jsonl``      :class:`EpochRow`, a line an epoch
``times.jsonl``        the seconds of each: the one file in which two trainings that are the same differ
``evaluation.json``    :class:`Evaluation`: the final weights on the held-out part
``report.html``        the page for people
``checkpoint.…``       all that ``--resume`` needs, and until it is finished the one before it
``examples/``          a few held-out pictures of a built-in set, to predict on
===================== ==========================================================================================
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ... import files
from ...data.protocol import Dataset
from ...data.splits import fingerprint, fingerprint_by_names
from ...errors import InputError
from ...weights.checkpoint import CHECKPOINT, PREVIOUS, WEIGHTS, said_in
from ..recipe import Recipe
from .lock import Lock
from .reading import BRING_BACK, NOTHING, Learned, learned_text, read_learned, read_lines, read_record
from .records import EpochRow, Evaluation, RunRecord

# What a training that was killed as it began leaves, and where others of before marked a folder as theirs.
_BEGUN = re.compile(r"learned\.txt|\.claimed|\.(learned\.txt|run\.json)\.\w+\.(googlenet|tmp)")
OLDEST: Mapping[str, Any] = {"fingerprint": "", "version": 1}  # of records that do not say


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        path: The folder, which need not be there yet.
    """

    path: Path = field()
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @property
    def weights(self) -> Path:
        """The final weights."""
        return self.path / WEIGHTS

    @property
    def checkpoint(self) -> Path:
        """All that ``--resume`` needs."""
        return self.path / CHECKPOINT

    @property
    def previous(self) -> Path:
        """The checkpoint before that one, until the training is finished."""
        return self.path / PREVIOUS

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
    def _learned(self) -> Path:
        return self.path / "learned.txt"

    @property
    def _record(self) -> Path:
        return self.path / "run.json"

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def _times(self) -> Path:
        return self.path / "times.jsonl"

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
        names = [path.name for path in self.path.iterdir()] if self.path.is_dir() else []
        if others := sorted(name for name in names if not _BEGUN.fullmatch(name)):
            raise InputError(f"{self.path} holds {others[0]}, which is of no run. Name a new folder (--out).")

    def take(self) -> None:
        """Makes the folder and holds it for one new training, before anything costs time.

        Raises:
            InputError: As of :meth:`check_free` and :meth:`hold`.
        """
        try:
            self.check_free()
        except OSError as error:
            raise self._no_folder(error) from error
        self.hold()
        try:
            self.check_free()  # as it was before there was a lock, no more
        except BaseException:
            self.release()
            raise
        (self.path / ".claimed").unlink(missing_ok=True)

    def hold(self) -> None:
        """Has one training at a time work in the folder, which is made if it is not there, until this process ends or
        releases it.

        Raises:
            InputError: If another training holds it, or it cannot be made or written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            free = self._lock.take(self.path)
        except OSError as error:
            raise self._no_folder(error) from error
        if not free:
            raise InputError(
                f"Another training is beginning in {self.path}, or at work there. Wait until it has ended, or name "
                "another folder (--out)."
            )

    def _no_folder(self, error: OSError) -> InputError:
        return InputError(f"{self.path} cannot be the folder of a run: {error.strerror}. Name another folder (--out).")

    def release(self) -> None:
        """Lets others work in the folder, if it is held, which goes if no training began in it."""
        if self._lock.held:
            with suppress(OSError):
                self.path.rmdir()
            self._lock.release()

    def begin(self, record: RunRecord, learned: Learned = NOTHING) -> None:
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
        files.write_bytes(self._learned, learned_text(learned))
        files.write_json(self._record, dataclasses.asdict(record))

    def record(self) -> RunRecord:
        """What made the run.

        Raises:
            InputError: If it is not there, damaged, or of a younger version than this package knows.
        """
        return read_record(self._record, lambda row: RunRecord(**{**OLDEST, **row}))

    def recipe(self) -> Recipe:
        """How it was trained.

        Raises:
            InputError: If the record cannot be read, or is of another version of the package.
        """
        try:
            return Recipe(**self.record().recipe)
        except TypeError as error:
            raise InputError(f"{self._record} holds a recipe of another googlenet ({error}). Train anew.") from error

    def learned(self) -> Learned | None:
        """Which examples it learned from; ``None`` if it does not say, as runs of version 1.

        Raises:
            InputError: If the list cannot be read.
        """
        if not self.says_what_it_learned:
            return None
        found, digest = read_learned(self._learned)
        if said_in(self.path).get("learned", digest) != digest:
            raise InputError(
                f"{self._learned} is not the list of what these weights learned from: it was changed, or it or they "
                f"are of another run. {BRING_BACK}"
            )
        return found

    @property
    def says_what_it_learned(self) -> bool:
        """Whether there is a list of what it learned from."""
        return os.path.lexists(self._learned)

    @property
    def learned_digest(self) -> str:
        """What weights say of the list, so that another one beside them is noticed."""
        return files.digest_of(self._learned)

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
        """Replaces ``metrics.jsonl`` and ``times.jsonl``."""
        times = [{"epoch": row.epoch, "seconds": row.seconds} for row in rows]
        measured = [row.without_time() for row in rows]
        for path, lines in ((self._times, times), (self._metrics, measured)):
            files.write_bytes(path, "".join(map(files.json_line, lines)).encode())

    def history(self) -> list[EpochRow]:
        """The epochs that are done.

        Raises:
            InputError: If they cannot be read.
        """
        return self.timed(read_lines(self._metrics, lambda row: EpochRow(**row)))

    def timed(self, rows: Sequence[EpochRow]) -> list[EpochRow]:
        """The rows, with the seconds that ``times.jsonl`` says; without, as they are.

        Warns:
            RuntimeWarning: If it is damaged.
        """
        times: Mapping[int, float] = {}
        if os.path.lexists(self._times):
            try:
                known = read_lines(self._times, lambda row: (int(row["epoch"]), float(row["seconds"])))
                times = {epoch: seconds for epoch, seconds in known if 0 <= seconds < math.inf}
            except InputError as error:
                said = f"{error} How long the epochs took is not known then; it counts as no time."
                warnings.warn(said, RuntimeWarning, stacklevel=1)
        return [dataclasses.replace(row, seconds=times.get(row.epoch, row.seconds)) for row in rows]

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Replaces ``evaluation.json``."""
        files.write_json(self._evaluation, evaluation.to_dict())

    def evaluation(self) -> Evaluation | None:
        """What was measured at the end; ``None`` if nothing was yet.

        Raises:
            InputError: If it is damaged, or of a younger version than this package knows.
        """
        return read_record(self._evaluation, Evaluation.from_dict) if self._evaluation.exists() else None
