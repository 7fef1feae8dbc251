"""What a terminal shows: tables and progress. On a pipe: plain JSON lines, no bars."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from ...arch.cost import Cost
from ...arch.paper import TABLE_1, disagreements

if TYPE_CHECKING:
    from ...data.images.folders import BadFile
    from ...weights.catalogue import Record

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def summary_table(cost: Cost, layers: bool) -> Table:
    """The cost of a network in the rows of the paper's Table 1; each layer too if ``layers``."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("layer", "type", "output", "parameters", "multiply-adds", "field", "stride", "1×1s save"):
        table.add_column(name, justify="left" if name in ("layer", "type") else "right", no_wrap=True)
    printed = cost.arch == "googlenet" and cost.input == (3, 224, 224)
    wrong = disagreements(cost) if printed else {}
    if printed:
        table.add_column("printed", justify="right", no_wrap=True)
    for row in cost.rows:
        saved = f"{row.saved_macs / (row.macs + row.saved_macs):.0%}" if row.saved_macs else ""
        cells = [*_cells(row.name, row), saved]
        if printed and row.name in TABLE_1:
            params, macs = TABLE_1[row.name]
            marks = ["*" if (row.name, what) in wrong else " " for what in ("params", "macs")]
            cells.append(f"{params:g}K{marks[0]} {macs:>4g}M{marks[1]}")
        table.add_row(*cells)
        if layers and len(row.layers) > 1:
            for layer in row.layers:
                table.add_row(*(f"[dim]{cell}[/]" for cell in _cells(f"  {layer.name}", layer)))
    return table


def _cells(name: str, row: Any) -> list[str]:
    return [
        name,
        row.type,
        "×".join(map(str, row.output)),
        f"{row.params:,}" if row.params else "",
        f"{row.macs / 1e6:,.2f} M" if row.macs else "",
        str(row.receptive_field),
        str(row.stride),
    ]


def show_summary(cost: Cost, layers: bool) -> None:
    """Prints :func:`summary_table` and the totals."""
    # Wide enough for every column even where the terminal is not: a cut table says less than a wrapped one.
    wide = Console(width=max(console.width, 120), highlight=False)
    wide.print(f"{cost.arch}, input {'×'.join(map(str, cost.input))}\n")
    wide.print(summary_table(cost, layers))
    wide.print(
        f"\nwithout auxiliary classifiers: {cost.params:,} parameters, {cost.macs / 1e6:,.1f} M multiply-adds"
        f"\nwith auxiliary classifiers:    {cost.params_with_aux:,} parameters, "
        f"{cost.macs_with_aux / 1e6:,.1f} M multiply-adds"
    )
    if cost.arch == "googlenet" and cost.input == (3, 224, 224):
        wide.print(
            "\nprinted: the paper's Table 1, K = 1,024 weights without biases. * more than one unit of the last "
            "digit off:\nits 7×7 row, for one, has 64·7·7·3 = 9.2K weights and 118M multiply-adds by arithmetic."
        )


def show_bad_files(bad: Sequence[BadFile]) -> None:
    """One table of the files that are left out, on standard error."""
    if not bad:
        return
    table = Table(box=None, title=f"{len(bad)} files are left out", title_justify="left", pad_edge=False)
    table.add_column("file", overflow="fold")
    table.add_column("reason", overflow="fold")
    for file in bad[:50]:
        table.add_row(file.path, file.reason)
    errors.print(table)
    if len(bad) > 50:
        errors.print(f"… and {len(bad) - 50} more; run.json lists them all.")


PARTS = {"test": "the test part", "validation": "the part held out", "all": "all there are"}


def show_evaluation(result: dict[str, Any]) -> None:
    """Metrics, per-class scores, and the confusion matrix where it fits."""
    top5 = f"   top-5 {result['top5']:.4f}" if result["top5"] is not None else ""
    console.print(
        f"top-1 [bold]{result['top1']:.4f}[/]{top5}   loss {result['nll']:.4f}   "
        f"calibration error {result['ece']:.4f}   examples {result['count']:,} ({PARTS[result['part']]})\n"
    )
    names = [row["label"] for row in result["per_class"]]
    fits = len(names) <= 12
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("class", "precision", "recall", "f1", "count", *(names if fits else ())):
        table.add_column(name, justify="left" if name == "class" else "right", overflow="fold")
    for row, counts in zip(result["per_class"], result["confusion"], strict=True):
        scores = [f"{row[key]:.3f}" for key in ("precision", "recall", "f1")]
        cells = [str(count or "·") for count in counts] if fits else []
        table.add_row(row["label"], *scores, str(row["count"]), *cells)
    console.print(table)


def show_rows(rows: Sequence[tuple[str, str]]) -> None:
    """What and its value, a row each; values that are too long go on below themselves."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def show_weights(records: Mapping[Record, bool]) -> None:
    """The catalogue; with each record goes whether its file is here."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "trained on", "top-1", "here", "licence"):
        table.add_column(name, no_wrap=True)
    for record, here in records.items():
        top1 = f"{record.top1:.2%}" if record.top1 else ""
        table.add_row(record.name, record.trained_on, top1, "yes" if here else "", record.licence)
    Console(width=max(console.width, 120), highlight=False).print(table)


@contextmanager
def download_progress(name: str) -> Iterator[Any]:
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
def progress_over(description: str, total: int | None = None) -> Iterator[Any]:
    """A live bar on a terminal, nothing on a pipe; yields a function to call as ``update(done, note, total)``."""
    if not errors.is_terminal:
        yield lambda done, note="", total=None: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(description, total=total, note="")
        yield lambda done, note="", total=total: bar.update(task, completed=done, note=note, total=total)


def watch(items: Sequence[Any], description: str) -> Iterator[Any]:
    """The items, with a bar while they are gone through."""
    with progress_over(description, len(items)) as update:
        for number, item in enumerate(items, start=1):
            yield item
            update(number)


@contextmanager
def training_progress(log: Any = None) -> Iterator[Any]:
    """Yields the ``report`` function of a training: a bar and a line an epoch, or JSON lines on a pipe."""
    with progress_over("training") as update:

        def report(kind: str, row: dict[str, Any]) -> None:
            if kind == "step":
                done = (row["epoch"] - 1) * row["steps"] + row["step"]
                note = (
                    f"epoch {row['epoch']}/{row['epochs']}  loss {row['loss']:.3f}  "
                    f"accuracy {row['accuracy']:.3f}  {row['examples_per_second']:,.0f} examples/s"
                )
                update(done, note, row["epochs"] * row["steps"])
                return
            if log is not None:
                for key, value in row.items():
                    if isinstance(value, float):
                        log.add_scalar(key, value, row["epoch"])
            if sys.stdout.isatty():
                console.print(_epoch_line(row))
            else:
                print(json.dumps(row), flush=True)

        yield report


def _epoch_line(row: dict[str, Any]) -> str:
    text = f"epoch {row['epoch']:>3}/{row['epochs']}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}"
    if "validation_accuracy" in row:
        text += f"  validation loss {row['validation_loss']:.4f}  accuracy [bold]{row['validation_accuracy']:.4f}[/]"
    return text + f"  {row['seconds']:.0f} s"
