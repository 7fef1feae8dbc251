"""Predictions as a table, JSON lines or CSV, row by row as they come."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

from rich.cells import cell_len

from ....inference.predictor import Prediction
from .screen import console, shown

Writer = Callable[[Iterable[Prediction], TextIO, int], int]
GAP = "  "


def write_table(predictions: Iterable[Prediction], out: TextIO, top: int) -> int:
    """A line an example: its name, then labels with probabilities. On a terminal that is too narrow for them, labels go
    on below the name.

    Args:
        predictions: Of examples, as they come.
        out: Where to write.
        top: How many labels each has at most.

    Returns:
        How many could not be read.
    """
    failed = 0
    width = console.width if out.isatty() else None
    encoding = _encoding(out)
    for prediction in predictions:
        name = shown(prediction.input, encoding)
        if prediction.error is not None:
            failed += 1
            out.write(f"{name}{GAP}error: {shown(prediction.error, encoding)}\n")
            continue
        labels = [f"{shown(label, encoding)} {probability:.3f}" for label, probability in prediction.top]
        out.write(_in_lines([name, *labels], width))
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


def write_jsonl(predictions: Iterable[Prediction], out: TextIO, top: int) -> int:
    """A JSON object an example, see :meth:`Prediction.to_dict`.

    Args:
        predictions: Of examples, as they come.
        out: Where to write.
        top: How many labels each has at most.

    Returns:
        How many could not be read.
    """
    failed = 0
    # JSON has a code for every sign, which says the same: for encodings with few of them, and for terminals.
    codes = out.isatty() or not _encoding(out).startswith("utf")
    for prediction in predictions:
        failed += prediction.error is not None
        row = prediction.to_dict()
        text = json.dumps(row, ensure_ascii=False)
        out.write((json.dumps(row) if codes and text != shown(text, _encoding(out)) else text) + "\n")
    return failed


def write_csv(predictions: Iterable[Prediction], out: TextIO, top: int) -> int:
    """``input,error,label_1,probability_1,…``.

    Args:
        predictions: Of examples, as they come.
        out: Where to write.
        top: How many labels each has at most.

    Returns:
        How many could not be read.
    """
    failed = 0
    text: Callable[[str], str] = shown if out.isatty() else str
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["input", "error", *(f"{key}_{k}" for k in range(1, top + 1) for key in ("label", "probability"))])
    for prediction in predictions:
        failed += prediction.error is not None
        pairs = [value for label, probability in prediction.top for value in (text(label), probability)]
        rows.writerow([text(prediction.input), text(prediction.error or ""), *pairs, *[""] * (2 * top - len(pairs))])
    return failed


def _encoding(out: TextIO) -> str:
    return out.encoding or "utf-8"  # in memory a text has none


WRITERS: dict[str, Writer] = {"table": write_table, "jsonl": write_jsonl, "csv": write_csv}
