"""What a terminal shows: tables and sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...arch.cost import Cost
from ...arch.paper import TABLE_1, disagreements
from ...errors import between
from .output.screen import Screen, console, errors, shown

if TYPE_CHECKING:
    from ...arch.cursor import LayerCost
    from ...data.protocol import BadFile, Dataset
    from ...training.recipe import Recipe
    from ...training.runs.records import Evaluation
    from ...weights.catalogue import Record


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
            table.add_row(*_cells(f"  {layer.name}", layer), style="dim")
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
    console.print(f"{cost.arch}, input {'×'.join(map(str, cost.input))}\n")
    show_table(summary_table(cost, layers))
    wide = console if console.is_terminal else Screen(width=max(console.width, 120))
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


def show_bad_files(bad: Sequence[BadFile], listed: str = "") -> None:
    """One table of the files that are left out, on standard error; ``listed`` says where to find those of many."""
    if not bad:
        return
    noun = "row" if all(file.path.rpartition(":")[2].isdecimal() for file in bad) else "file"
    table = Table(
        box=None,
        title=f"{len(bad)} {noun}{' is' if len(bad) == 1 else 's are'} left out",
        title_justify="left",
        pad_edge=False,
    )
    table.add_column("file", overflow="fold")
    table.add_column("reason", overflow="fold")
    for file in bad[:50]:
        table.add_row(*(shown(text, errors.encoding) for text in (file.path, file.reason)))
    errors.print(table)
    if len(bad) > 50:
        errors.print(f"… and {len(bad) - 50} more{listed}.")


def say(sentence: str) -> None:
    """A sentence for people, on standard error."""
    errors.print(shown(sentence, errors.encoding), soft_wrap=not errors.is_terminal)


COLUMNS = 30  # of a table, whose meanings are shown


def show_columns(data: Dataset) -> None:
    """What each column of a table was taken for, on standard error."""
    if not data.columns:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("column", overflow="fold")
    table.add_column("taken for", overflow="fold")
    for row in data.columns[:COLUMNS]:
        table.add_row(*(shown(text, errors.encoding) for text in row))
    errors.print(table)
    if len(data.columns) > COLUMNS:
        errors.print(f"… and {len(data.columns) - COLUMNS} more columns, left out.")


def show_training(data: Dataset, recipe: Recipe, run: Path) -> None:
    """What is going to be trained, on standard error.

    Args:
        data: As they are learned from: with what is held out.
        recipe: How.
        run: The folder of the run.
    """
    show_bad_files(data.bad, "; run.json lists them all")
    show_columns(data)
    for note in data.notes:
        say(note)
    held_out = "".join(f", {len(part):,} for {name}" for name, part in data.parts.items() if name != "train")
    say(
        f"{recipe.arch} (width {recipe.width:g}), recipe {recipe.name}, "
        f"{recipe.epochs} epoch{'' if recipe.epochs == 1 else 's'}, "
        f"{len(data.classes)} classes, {len(data.train or ()):,} to learn from{held_out}; run: {run}"
    )


PARTS = {"test": "the test part", "validation": "the part held out", "all": "all there are"}


def show_evaluation(evaluation: Evaluation) -> None:
    """Metrics, per-class scores, and the confusion matrix, or where that does not fit what is confused most."""
    top5 = f"   top-5 {evaluation.top5:.4f}" if evaluation.top5 is not None else ""
    interval = between(evaluation.interval, evaluation.other_groups, ".4f")
    brier = f"   Brier {evaluation.brier:.4f}" if evaluation.brier is not None else ""
    console.print(
        Text.assemble(
            "top-1 ",
            (f"{evaluation.top1:.4f}", "bold"),
            f"{f' {interval}'.rstrip()}{top5}\n"
            f"loss {evaluation.nll:.4f}{brier}   calibration error {evaluation.ece:.4f}\n"
            f"examples {_counted(evaluation)}\n",
        ),
        soft_wrap=not console.is_terminal,
    )
    names = [shown(scores.label, console.encoding) for scores in evaluation.per_class]
    heads = _heads(names, evaluation)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("class", "precision", "recall", "f1", "count", *heads):
        is_name = name == "class"
        table.add_column(name, justify="left" if is_name else "right", overflow="fold", no_wrap=not is_name)
    rows = zip(names, evaluation.per_class, evaluation.confusion, strict=True)
    for number, (name, scores, counts) in enumerate(rows, start=1):
        shares = map(_share, (scores.precision, scores.recall, scores.f1))
        label = f"{number} {name}" if heads and heads != names else name
        table.add_row(label, *shares, str(scores.count), *([str(count or "·") for count in counts] if heads else ()))
    console.print(table)
    if not heads:
        _show_confusions(names, evaluation)
    if evaluation.doubt:
        console.print(f"\n{shown(evaluation.doubt)}", soft_wrap=not console.is_terminal)


def _share(share: float | None) -> str:
    """Of nothing there is none."""
    return "·" if share is None else f"{share:.3f}"


def _heads(names: Sequence[str], evaluation: Evaluation) -> Sequence[str]:
    """What stands above the columns of the confusion matrix: names, or numbers where those are too wide; nothing where
    there is no room for a matrix."""
    taken = max((cell_len(name) for name in names), default=0) + len("12  precision  recall     f1  count")
    widest = max((len(str(count)) for counts in evaluation.confusion for count in counts), default=1)
    for heads in (names, [str(number) for number in range(1, len(names) + 1)]):
        if taken + sum(2 + max(widest, cell_len(head)) for head in heads) <= console.width:
            return heads
    return ()


MOST_CONFUSED = 10  # pairs of classes that are shown


def _show_confusions(names: Sequence[str], evaluation: Evaluation) -> None:
    """The classes that are taken for others most often, in the place of a matrix."""
    counts = [
        (count, names[row], names[column])
        for row, line in enumerate(evaluation.confusion)
        for column, count in enumerate(line)
        if row != column and count
    ]
    console.print(f"\nThe confusion matrix of {len(names)} classes does not fit here; --json has it.")
    most = sorted(counts, key=lambda row: -row[0])[:MOST_CONFUSED]
    if not most:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("times", justify="right", no_wrap=True)
    for name in ("of class", "taken for"):
        table.add_column(name, overflow="fold")
    for count, true, said in most:
        table.add_row(str(count), true, said)
    console.print(table)


MOST_NAMED = 10  # classes that are not known


def _part_of(evaluation: Evaluation) -> str:
    """What was measured, for people."""
    all_known = evaluation.part == "all" and evaluation.strangers
    return f"{PARTS['all']} of its classes" if all_known else PARTS[evaluation.part]


def _counted(evaluation: Evaluation) -> str:
    """How many examples were measured, of how many."""
    count, left_out, bad = evaluation.count, evaluation.left_out, len(evaluation.bad_files)
    number, words = f"{count:,}", [_part_of(evaluation)]
    if left_out:
        number += f" of {count + left_out:,}"
        words = [] if evaluation.part == "all" else words
        words.append(f"{left_out:,} left out, which the run learned from")
    if evaluation.learned:
        words.append(f"the run learned from {evaluation.learned:,} of them")
    if bad:
        words.append(f"{bad:,} more could not be read")
    if evaluation.strangers:
        words.append(strange(evaluation.strangers, "the network does"))
    if evaluation.unknown:
        words.append(
            f"what {', '.join(map(shown, evaluation.unknown))} learned from is not known, and may be among them"
        )
    return f"{number} ({'; '.join(words)})"


def strange(strangers: Mapping[str, int], who: str) -> str:
    """How many examples are of which classes that someone does not know."""
    names = [f"{shown(name)} {many:,}" for name, many in strangers.items()]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{sum(strangers.values()):,} are of classes that {who} not know: {', '.join(names[:MOST_NAMED])}{more}"


def show_table(table: Table) -> None:
    """A table as wide as it is; on a terminal that is narrower, each row as its first cell and the others below it."""
    wide = Screen(width=10_000)
    natural = Measurement.get(wide, wide.options, table).maximum
    if not console.is_terminal or natural <= console.width:
        Screen(width=natural).print(table)
        return
    for first, *rest in zip(*(list(column.cells) for column in table.columns), strict=True):
        console.print(Text(str(first).strip(), "bold"))
        pairs = [f"{of.header} {cell}" for of, cell in zip(table.columns[1:], rest, strict=True) if str(cell).strip()]
        console.print(Padding("   ".join(pairs), (0, 0, 0, 2)))


def show_rows(rows: Sequence[tuple[str, str]]) -> None:
    """What and its value, a row each; values that are too long go on below themselves."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(shown(text, console.encoding) for text in row))
    console.print(table)


def show_weights(records: Mapping[Record, bool]) -> None:
    """The catalogue; with each record goes whether its file is here."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "trained on", "top-1", "here", "licence"):
        table.add_column(name, no_wrap=True)
    for record, here in records.items():
        top1 = f"{record.top1:.2%}" if record.top1 else ""
        table.add_row(record.name, record.trained_on, top1, "yes" if here else "", record.licence)
    show_table(table)
