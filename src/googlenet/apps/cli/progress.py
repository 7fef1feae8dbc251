"""How far something is: bars on a terminal; on a pipe nothing, or JSON lines of a training."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .display import console, errors

if TYPE_CHECKING:
    from ...training.progress import EpochDone, Report

# What to call as a task goes on: how much is done, a note, of how much.
Update = Callable[[int, str, int | None], None]


@contextmanager
def download_progress(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Yields the ``progress`` function of a download: a bar in bytes on a terminal, nothing on a pipe."""
    if not errors.is_terminal:
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def progress_over(description: str) -> Iterator[Update]:
    """Yields the function that moves a live bar on a terminal, and does nothing on a pipe."""
    if not errors.is_terminal:
        yield lambda done, note, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    # What is printed while the bar moves goes where it was sent, such as into a file.
    with Progress(*columns, console=errors, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(description, total=None, note="")
        yield lambda done, note, total: bar.update(task, completed=done, note=note, total=total)


def watch(items: Sequence[Any], description: str) -> Iterator[Any]:
    """The items, with a bar while they are gone through."""
    with progress_over(description) as update:
        for number, item in enumerate(items, start=1):
            yield item
            update(number, "", len(items))


@contextmanager
def training_progress(shown: bool = True, tensorboard: Path | None = None) -> Iterator[Report]:
    """Yields the ``report`` function of a training: a bar and a line an epoch, or JSON lines on a pipe.

    Raises:
        InputError: If TensorBoard is asked for and not installed.
    """
    from ...training.progress import Event, StepDone, silent

    if not shown:
        yield silent
        return
    log = None if tensorboard is None else _tensorboard(tensorboard)
    with progress_over("training") as update:

        def report(event: Event) -> None:
            if isinstance(event, StepDone):
                done = (event.epoch - 1) * event.steps + event.step
                update(done, event.described(), event.epochs * event.steps)
                return
            if log is not None:
                _write_scalars(log, event)
            if sys.stdout.isatty():  # above the bar, where there is one
                (errors if errors.is_terminal else console).print(event.described())
            else:
                print(json.dumps(event.row.to_dict() | {"epochs": event.epochs}), flush=True)

        yield report
    if log is not None:
        log.close()


def _write_scalars(log: Any, event: EpochDone) -> None:
    for key, value in event.row.to_dict().items():
        if isinstance(value, float):
            log.add_scalar(key, value, event.row.epoch)


def _tensorboard(run: Path) -> Any:
    from ...errors import InputError

    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError("TensorBoard is not installed: pip install 'googlenet[log]'.") from None
    return SummaryWriter(str(run / "tensorboard"))
