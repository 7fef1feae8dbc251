"""Predictions as a table, JSON lines or CSV, row by row as they come."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from typing import TextIO

from ...inference.predictor import Prediction

Writer = Callable[[Iterable[Prediction], TextIO, int], int]


def write_table(predictions: Iterable[Prediction], out: TextIO, top: int) -> int:
    """A line an example: its name, then labels with probabilities.

    Args:
        predictions: Of examples, as they come.
        out: Where to write.
        top: How many labels each has at most.

    Returns:
        How many could not be read.
    """
    failed = 0
    for prediction in predictions:
        if prediction.error is not None:
            failed += 1
            out.write(f"{prediction.input}  error: {prediction.error}\n")
            continue
        labels = "  ".join(f"{label} {probability:.3f}" for label, probability in prediction.top)
        out.write(f"{prediction.input}  {labels}\n")
    return failed


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
    for prediction in predictions:
        failed += prediction.error is not None
        out.write(json.dumps(prediction.to_dict(), ensure_ascii=False) + "\n")
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
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["input", "error", *(f"{key}_{k}" for k in range(1, top + 1) for key in ("label", "probability"))])
    for prediction in predictions:
        failed += prediction.error is not None
        pairs = [value for pair in prediction.top for value in pair]
        rows.writerow([prediction.input, prediction.error or "", *pairs])
    return failed


WRITERS: dict[str, Writer] = {"table": write_table, "jsonl": write_jsonl, "csv": write_csv}
