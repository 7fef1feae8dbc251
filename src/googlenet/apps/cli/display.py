"""What a terminal shows: tables and sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...arch.cost import Cost
from ...arch.paper import TABLE_1, disagreements

if TYPE_CHECKING:
    from ...arch.cursor import LayerCost
    from ...data.protocol import BadFile, Dataset
    from ...training.recipe import Recipe
    from ...training.runs.records import Evaluation
    from ...weights.catalogue import Record

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def summary_table(cost: Cost, layers: bool) -> Table:
    """The cost of a network in the rows of the paper's Table 1; each layer too if ``layers``."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("layer", "type", "output", "parameters", "multiply-adds", "field", "stride", "1×1s save"):
        table.add_column(name, justify="left" if name in ("layer", "type") else "right", no_wrap=True)
    printed = _is_printed(cost)
    wrong = disagreements(cost) if printed else {}
    if printed:
        table.add_column("printed", justify="right", no_wrap=True)
    for row in cost.rows:
        saved = f"{row.saved_macs / (row.macs + row.saved_macs):.0%}" if row.saved_macs else ""
        table.add_row(*_cells(row.name, row), saved, *([_printed(row.name, wrong)] if printed else ()))
        for layer in row.layers if layers and len(row.layers) > 1 else ():
            table.add_row(*(f"[dim]{cell}[/]" for cell in _cells(f"  {layer.name}", layer)))
    return table


def _is_printed(cost: Cost) -> bool:
    """Whether it is what the paper's Table 1 is of."""
    return cost.arch == "googlenet" and cost.input == (3, 224, 224)


def _printed(name: str, wrong: Collection[tuple[str, str]]) -> str:
    """A row of the paper's table; a star marks what is wrong there."""
    if name not in TABLE_1:
        return ""
    params, macs = TABLE_1[name]
    marks = ["*" if (name, what) in wrong else " " for what in ("params", "macs")]
    return f"{params:g}K{marks[0]} {macs:>4g}M{marks[1]}"


def _cells(name: str, row: LayerCost) -> list[str]:
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
    if _is_printed(cost):
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
        table.add_row(escape(file.path), escape(file.reason))
    errors.print(table)
    if len(bad) > 50:
        errors.print(f"… and {len(bad) - 50} more; run.json lists them all.")


def show_training(data: Dataset, recipe: Recipe, run: Path) -> None:
    """What is going to be trained, on standard error.

    Args:
        data: To learn from.
        recipe: How.
        run: The folder of the run.
    """
    show_bad_files(data.bad)
    for note in data.notes:
        errors.print(note, markup=False, soft_wrap=True)
    errors.print(
        f"{recipe.arch} (width {recipe.width:g}), recipe {recipe.name}, {recipe.epochs} epochs, "
        f"{len(data.classes)} classes, {len(data.train or ()):,} to learn from; run: {run}",
        markup=False,
        soft_wrap=True,
    )


def show_result(evaluation: Evaluation, run: Path) -> None:
    """What a training came to, on standard error."""
    from ...training.runs.folder import Run

    page = escape(str(Run(run).report))
    errors.print(
        f"accuracy [bold]{evaluation.top1:.4f}[/] on {evaluation.count:,} held out; see {page}", soft_wrap=True
    )


PARTS = {"test": "the test part", "validation": "the part held out", "all": "all there are"}


def show_evaluation(evaluation: Evaluation) -> None:
    """Metrics, per-class scores, and the confusion matrix where it fits."""
    top5 = f"   top-5 {evaluation.top5:.4f}" if evaluation.top5 is not None else ""
    console.print(
        f"top-1 [bold]{evaluation.top1:.4f}[/]{top5}   loss {evaluation.nll:.4f}   "
        f"calibration error {evaluation.ece:.4f}   examples {_counted(evaluation)}\n",
        soft_wrap=True,
    )
    names = [escape(scores.label) for scores in evaluation.per_class]
    fits = len(names) <= 12
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("class", "precision", "recall", "f1", "count", *(names if fits else ())):
        table.add_column(name, justify="left" if name == "class" else "right", overflow="fold")
    for name, scores, counts in zip(names, evaluation.per_class, evaluation.confusion, strict=True):
        shares = [f"{share:.3f}" for share in (scores.precision, scores.recall, scores.f1)]
        table.add_row(name, *shares, str(scores.count), *([str(count or "·") for count in counts] if fits else ()))
    console.print(table)


def _counted(evaluation: Evaluation) -> str:
    """How many examples were measured, of how many."""
    count, left_out = evaluation.count, evaluation.left_out
    shown, words = f"{count:,}", [PARTS[evaluation.part]]
    if left_out:
        shown += f" of {count + left_out:,}"
        words.append(f"the run learned from {left_out:,}, which are left out")
    if evaluation.learned:
        words.append(f"the run learned from {evaluation.learned:,} of them")
    if evaluation.bad_files:
        words.append(f"{len(evaluation.bad_files):,} more could not be read")
    return f"{shown} ({'; '.join(words)})"


def show_rows(rows: Sequence[tuple[str, str]]) -> None:
    """What and its value, a row each; values that are too long go on below themselves."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
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
