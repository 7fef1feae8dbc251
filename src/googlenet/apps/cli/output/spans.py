"""What is said of recordings, a row for each stretch, as it comes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from ....data.signals.recordings import stream
from ....data.signals.recordings.recording import Recording
from ....data.signals.recordings.windows import Windows
from ....data.walk import expand
from ....errors import InputError, count
from ....inference.predictor import Predictor
from ....inference.spans import Runs, Span, merged, rejected, spans_as_they_come, spans_of, windows_of
from ...report.strip import write_strips
from ..display import say
from .screen import safe
from .writers import csv_row, json_row

COLUMNS = ("start", "end", "label", "probability", "recording")


def write_spans(spans: Iterable[Span], out: TextIO, form: str) -> None:
    """Writes each as it comes, and sends it on its way.

    Args:
        spans: Of one recording or several.
        out: Where to write.
        form: ``csv`` with a header, ``jsonl``, or ``table`` for people.
    """
    if form == "csv":
        csv_row(COLUMNS, out)
    for span in spans:
        values = (round(span.start, 6), round(span.end, 6), span.label, round(span.probability, 6), span.recording)
        if form == "csv":
            csv_row(values, out)
        elif form == "jsonl":
            out.write(json_row(dict(zip(COLUMNS, values, strict=True)), out))
        else:
            label = safe(span.label)
            out.write(f"{safe(span.recording)}  {span.start:g}-{span.end:g} s  {label} {span.probability:.3f}\n")
        out.flush()


def label_recordings(
    predictor: Predictor,
    inputs: Sequence[str],
    out: TextIO,
    form: str,
    merge: bool,
    chart: Path | None,
    reject_below: float | None,
) -> int:
    """Labels recordings, or samples that come, stretch by stretch.

    Args:
        predictor: That learned from windows of recordings.
        inputs: Files, folders, patterns; or ``-`` alone for samples on standard input.
        out: Where to write.
        form: See :func:`write_spans`.
        merge: Whether stretches of equal labels become one.
        chart: A page to draw them on.
        reject_below: Probability that a label needs, to be one.

    Returns:
        How many could not be read.

    Raises:
        InputError: If samples that come are none, or the page cannot be written.
    """
    windows = windows_of(predictor)
    assert windows is not None
    say(f"Read as {windows.described()}.")
    if "-" in inputs:
        if len(inputs) > 1 or chart is not None:
            raise InputError("Samples from standard input (-) are labelled alone, and without --chart.")
        found = (rejected(span, reject_below) for span in spans_as_they_come(predictor, sys.stdin or ()))
        write_spans(merged(found) if merge else found, out, form)
        return 0
    work = _Work(predictor, windows, reject_below)
    spans = work.spans(expand(inputs, (), predictor.preprocessing.extensions))
    write_spans(merged(spans) if merge else spans, out, form)
    if chart is not None:
        write_strips(chart, "What the network says", windows.channels, work.runs)
    return work.failed


class _Work:
    """The spans of several files; keeps the runs of equal labels of each recording, and counts what cannot be read."""

    def __init__(self, predictor: Predictor, windows: Windows, reject_below: float | None) -> None:
        self.predictor, self.windows, self.reject_below = predictor, windows, reject_below
        self.runs: list[tuple[Recording, list[Span]]] = []
        self.failed = 0

    def spans(self, paths: Iterable[str]) -> Iterator[Span]:
        """Those of every file, one after the other."""
        for path in paths:
            try:
                for recording in stream.opened(path, self.windows):
                    yield from self._recording(recording)
            except InputError as error:
                self.failed += 1
                say(str(error))

    def _recording(self, recording: Recording) -> Iterator[Span]:
        joined, empty, unsure, last = Runs(), 0, 0, 0.0
        kept: list[Span] = []
        for found in spans_of(self.predictor, recording):
            empty += not found.label
            span = rejected(found, self.reject_below)
            unsure += bool(found.label) and not span.label
            kept += joined.add(span)
            last = span.end
            yield span
        kept += joined.finish()
        self.runs.append((recording, kept))
        self._tell(recording, empty, unsure, last)

    def _tell(self, recording: Recording, empty: int, unsure: int, last: float) -> None:
        rest = recording.seconds - last
        path, windows = recording.path, self.windows
        for remark in recording.remarks:
            say(remark)
        if windows.centred and not recording.marks:
            say(
                f"{path} has no marks: the network learned from windows around some (beats), and here answers every "
                "window, also those that lie between."
            )
        elif not windows.centred and rest > 0.5 / windows.rate:
            say(f"{path}: the last {rest:.3g} s are shorter than a window, and have no label.")
        if recording.rate != windows.rate:
            say(f"{path}: {recording.rate:g} Hz, brought to {windows.rate:g} Hz.")
        if unsure:
            say(f"{path}: no label for {count(unsure, 'window')} less probable than {self.reject_below:g}.")
        if empty:
            say(f"{path}: no label for {count(empty, 'window')} without a sample.")
