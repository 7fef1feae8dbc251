"""Predictions as a table, JSON lines or CSV, row by row as they come."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

from rich.cells import cell_len

from ....inference.prediction import Prediction, Wanted
from .screen import console, safe, shown

Writer = Callable[[Iterable[Prediction], TextIO, Wanted], int]
GAP = "  "


def write_table(predictions: Iterable[Prediction], out: TextIO, wanted: Wanted) -> int:
    """A line an example: its name, then labels with probabilities; before them ``rejected``, and the labels that hold
    the right one in braces, where that is asked for. On a terminal that is too narrow for them, labels go on below the
    name.

    Args:
        predictions: Of examples, as they come.
        out: Where to write.
        wanted: How much is said of each.

    Returns:
        How many could not be read.
    """
    failed = 0
    width = console.width if out.isatty() else None
    encoding = _encoding(out)
    for prediction in predictions:
        name = safe(prediction.input, encoding)
        if prediction.error is not None:
            failed += 1
            out.write(f"{name}{GAP}error: {shown(prediction.error, encoding)}\n")
            continue
        labels = [f"{safe(label, encoding)} {probability:.3f}" for label, probability in prediction.top]
        if prediction.labels is not None:
            labels.insert(0, "{" + ", ".join(safe(label, encoding) for label in prediction.labels) + "}")
        out.write(_in_lines([name, *["rejected"] * prediction.rejected, *labels], width))
    return failed


def _in_lines(cells: Sequence[str], width: int | None) -> str:
    """Cells beside each other, in as many lines as they need."""
    lines = [cells[0]]
    for cell in cells[1:]:
        longer = f"{lines[-1]}{GAP}{cell}"
        if width is None or cell_len(longer) < width:
            lines[-1] = longer
        else:
            lines.append(f"{GAP}{cell}")
    return "\n".join(lines) + "\n"


def write_jsonl(predictions: Iterable[Prediction], out: TextIO, wanted: Wanted) -> int:
    """A JSON object an example, see :meth:`Prediction.to_dict`.

    Args:
        predictions: Of examples, as they come.
        out: Where to write.
        wanted: How much is said of each.

    Returns:
        How many could not be read.
    """
    failed = 0
    for prediction in predictions:
        failed += prediction.error is not None
        out.write(json_row(prediction.to_dict(), out))
    return failed


def json_row(row: Mapping[str, Any], out: TextIO) -> str:
    """A line of JSON. It has a code for every sign, which says the same: for encodings with few, and for terminals."""
    text = json.dumps(row, ensure_ascii=False)
    if (out.isatty() or not _encoding(out).startswith("utf")) and text != safe(text, _encoding(out)):
        text = json.dumps(row).replace("\x7f", r"\u007f")
    return text + "\n"


def write_csv(predictions: Iterable[Prediction], out: TextIO, wanted: Wanted) -> int:
    """``input,error,label_1,probability_1,…``, see :func:`cell`. Before these ``label`` where labels may be rejected,
    and empty then, and ``labels``, a list of JSON, where sets are asked for.

    Args:
        predictions: Of examples, as they come.
        out: Where to write.
        wanted: How much is said of each.

    Returns:
        How many could not be read.
    """
    failed, ranks = 0, range(1, wanted.top + 1)
    more = [*["label"] * (wanted.reject_below is not None), *["labels"] * (wanted.least is not None)]
    csv_row(["input", "error", *more, *(f"{key}_{k}" for k in ranks for key in ("label", "probability"))], out)
    for prediction in predictions:
        failed += prediction.error is not None
        row = prediction.to_dict()
        said = [row.get(name) or "" for name in more]
        pairs = [value for pair in prediction.top for value in pair]
        csv_row(
            [
                prediction.input,
                prediction.error or "",
                *map(_as_text, said),
                *pairs,
                *[""] * (2 * wanted.top - len(pairs)),
            ],
            out,
        )
    return failed


def _as_text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def csv_row(values: Sequence[Any], out: TextIO) -> None:
    """Writes a row of CSV, every text of it as :func:`cell` has it.

    Args:
        values: Texts and numbers.
        out: Where to write.
    """
    cells = [cell(value, out) if isinstance(value, str) else value for value in values]
    broken = any("\r" in text for text in cells if isinstance(text, str))  # which would begin a row, unless quoted
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if broken else csv.QUOTE_MINIMAL).writerow(cells)


# What a spreadsheet computes, also in double width, and behind what it takes off; a number is itself.
_FORMULA = re.compile(r"""[\s"'\x00-\x1f\u200b\ufeff]*[=+\-@＝＋－＠]""")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # what a terminal may obey that shows the file
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)


def cell(text: str, out: TextIO) -> str:
    """A name, a label or a reason as a cell of CSV: behind an apostrophe where a spreadsheet would compute it or take
    off what it begins with; what steers a terminal is its code, and on one all is as it is shown.

    Args:
        text: It.
        out: Where it is written.
    """
    inert = f"'{text}" if (text[:1] in ("\t", "\r") or _FORMULA.match(text)) and not _NUMBER.fullmatch(text) else text
    return safe(inert) if out.isatty() else _CONTROLS.sub(lambda found: safe(found[0]), inert)


def _encoding(out: TextIO) -> str:
    return out.encoding or "utf-8"  # in memory a text has none


WRITERS: dict[str, Writer] = {"table": write_table, "jsonl": write_jsonl, "csv": write_csv}
