"""Which folder a training takes when the user names none: ``runs/NAME``, ``runs/NAME-2`` and so on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count, takewhile
from pathlib import Path

from ...data.protocol import Dataset
from ...data.splits import with_held_out
from ...errors import InputError
from .folder import Run

RUNS = Path("runs")
NOWHERE = Run(Path(os.devnull) / "run")  # of processes that do not lead: they write nothing


def run_name(source: str) -> str:
    """What runs on data of that name or path are called: the name of the folder, or of the file without its ending."""
    path = Path(source)
    if path.exists():
        path = path.resolve()
    return (path.stem if path.is_file() else path.name) or "run"


def next_run(source: str) -> Run:
    """A run in the first of those folders that is not there; two trainings that start together take two.

    The folder is made.

    Raises:
        InputError: If it cannot be.
    """
    for folder in _folders_for(source):
        run = Run(folder)
        try:
            folder.mkdir(parents=True)
            run.take()
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(
                f"{folder} cannot be the folder of a run: {error.strerror}. Name another folder (--out)."
            ) from error
        return run  # which holds the folder
    raise AssertionError("there is no last number")


def latest_run(source: str, read: Callable[[Run], Dataset]) -> tuple[Run, Dataset]:
    """The last run in those folders that learned from the examples that the data hold, and these.

    Args:
        source: What the user called the data.
        read: Finds the data as a run reads them.

    Raises:
        InputError: If there is none, or the data can be read as none of them does.
    """
    runs = [Run(folder) for folder in takewhile(Path.exists, _folders_for(source))]
    runs = [run for run in runs if run.exists]
    refused: list[InputError] = []
    for run in reversed(runs):
        try:
            data = read(run)
        except InputError as error:  # a run of other data cannot read these
            refused.append(error)
            continue
        if run.is_of(with_held_out(data, run.recipe())):
            return run, data
    if runs and len(refused) == len(runs):
        raise refused[0]
    if not runs:
        raise InputError(f"There is no {next(_folders_for(source))} to go on with. Name the run: --out FOLDER.")
    raise InputError(
        f"{', '.join(str(run.path) for run in runs)} learned from other examples than {source} holds now. Bring the "
        "data back as they were, or name the run: --out FOLDER."
    )


def _folders_for(source: str) -> Iterator[Path]:
    name = run_name(source)
    yield RUNS / name
    yield from (RUNS / f"{name}-{number}" for number in count(2))
