"""How far something is: one line at the foot of a terminal, what is said above it; on a pipe nothing, or JSON lines."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TextIO

from .output.screen import console, errors, leave, shown

if TYPE_CHECKING:
    from rich.progress import Progress

    from ...inference.prediction import Prediction, Wanted
    from ...inference.predictor import Predictor
    from ...training.progress import EpochDone, Report

# What to call as a task goes on: how much is done, a note, of how much.
Update = Callable[[int, str, int | None], None]
WIDEST = 77  # columns of the line: a terminal that is made narrower seldom breaks it in two, nor does a ^C behind it


@contextmanager
def download_progress(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Yields the ``progress`` function of a download: a bar in bytes on a terminal, nothing on a pipe."""
    from rich.filesize import decimal

    with progress_over(name) as update:

        def report(done: int, total: int | None) -> None:
            update(done, decimal(done) if total is None else f"{decimal(done)} of {decimal(total)}", total)

        yield report


@contextmanager
def progress_over(description: str) -> Iterator[Update]:
    """Yields the function that moves a live bar on a terminal, and does nothing on a pipe."""
    if not errors.moves:
        yield lambda done, note, total: None
        return
    with _bar() as bar:
        task = bar.add_task(shown(description), total=None, note="")
        yield lambda done, note, total: bar.update(task, completed=done, note=shown(note), total=total)


def _bar() -> Progress:
    """A line: a bar, the time that is left, what is done and how far it is; it is wiped away at the end."""
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.table import Column
    from rich.text import Text

    time_left = TimeRemainingColumn()

    class Words(ProgressColumn):
        """One text, cut at its end where the terminal is narrow: columns of their own would each be cut."""

        def render(self, task: Task) -> Text:
            words = (word for word in (task.description, task.fields["note"]) if word)
            return Text("  ").join([time_left.render(task), *map(Text, words)])

    words = Words(table_column=Column(no_wrap=True, overflow="ellipsis"))
    bar = BarColumn(bar_width=None, table_column=Column(min_width=4, ratio=1))

    class Line(Progress):
        """As wide as the terminal is now, with room for a ^C, and no wider than :data:`WIDEST`."""

        def make_tasks_table(self, tasks: Iterable[Task]) -> Any:
            table = super().make_tasks_table(tasks)
            table.width = min(WIDEST, errors.width - 3)
            return table

    # What is printed while the bar moves goes where it was sent, such as into a file.
    return Line(bar, words, console=errors, transient=True, redirect_stdout=False)


class _Above(io.TextIOBase):
    """Standard output while a bar is at the foot of the same terminal: what is written comes above it."""

    encoding = property(lambda self: sys.stdout.encoding)

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        from rich.text import Text

        errors.print(Text(text, end=""), soft_wrap=True, end="")
        return len(text)


def above(out: TextIO) -> TextIO:
    """Where to write while a bar moves: above it if ``out`` is a terminal too, else ``out`` itself."""
    return _Above() if errors.moves and out.isatty() else out  # type: ignore[return-value]


def watch(items: Sequence[Any], description: str) -> Iterator[Any]:
    """The items, with a bar while they are gone through."""
    with progress_over(description) as update:
        for number, item in enumerate(items, start=1):
            yield item
            update(number, f"{number:,} of {len(items):,}", len(items))


def watch_predictions(predictor: Predictor, sources: Iterable[str], wanted: Wanted) -> Iterator[Prediction]:
    """Predictions, with a bar while they come: how many there are, how many a second, and how many errors.

    Args:
        predictor: What labels.
        sources: Any number of them; of a list it is shown how many are left.
        wanted: How much to say of each.
    """
    total = len(sources) if isinstance(sources, list) else None
    failed, started = 0, perf_counter()
    with progress_over("labelled") as update:
        for number, prediction in enumerate(predictor.stream(sources, wanted), start=1):
            failed += prediction.error is not None
            known = total if total is not None and number <= total else None  # a table holds many examples
            of = "" if known is None else f" of {known:,}"
            rate = number / max(perf_counter() - started, 1e-9)
            update(number, f"{number:,}{of}  {rate:,.{int(rate < 10)}f}/s  {failed:,} errors", known)
            yield prediction


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
    with progress_over("") as update:

        def report(event: Event) -> None:
            if isinstance(event, StepDone):
                done = (event.epoch - 1) * event.steps + event.step
                update(done, event.described(), event.epochs * event.steps)
                return
            if log is not None:
                _write_scalars(log, event)
            try:
                if sys.stdout.isatty():  # above the bar, where there is one
                    (errors if errors.moves else console).print(event.described())
                else:
                    print(json.dumps(event.row.to_dict() | {"epochs": event.epochs}), flush=True)
            except BrokenPipeError:  # who read them has seen enough; the training goes on
                leave(sys.stdout)

        try:
            yield report
        finally:
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
