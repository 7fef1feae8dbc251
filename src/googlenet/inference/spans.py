"""What a network says of a recording, stretch by stretch: as it is read, or as it comes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..data.protocol import Example
from ..data.signals.recordings import stream
from ..data.signals.recordings.recording import Recording, Samples
from ..data.signals.recordings.windows import Windows
from .predictor import Predictor


@dataclass(frozen=True)
class Span:
    """A stretch of a recording and what it is said to be.

    Attributes:
        recording: Its path.
        start: Seconds from the beginning.
        end: The same.
        label: The most probable one; empty where there is none to be said.
        probability: Of it; the mean over the windows of a run.
        windows: How many were answered alike.
    """

    recording: str
    start: float
    end: float
    label: str
    probability: float
    windows: int = 1


def rejected(span: Span, below: float | None) -> Span:
    """The span, without its label where that is less probable than ``below``."""
    return span if below is None or span.probability >= below else replace(span, label="")


def windows_of(predictor: Predictor) -> Windows | None:
    """How recordings are cut for a network that answers them in stretches; ``None`` for all others."""
    windows: Windows | None = getattr(predictor.preprocessing, "windows", None)
    return windows if windows is not None and windows.window else None


def spans_of(predictor: Predictor, recording: Recording) -> Iterator[Span]:
    """The windows of a recording, one after the other; memory stays that of a few.

    Args:
        predictor: That learned from windows of recordings.
        recording: One of :func:`~googlenet.data.signals.recordings.stream.opened`.

    Raises:
        InputError: If it cannot be read to its end.

    Warns:
        RuntimeWarning: Of windows that get no label, with the reason.
    """
    windows = windows_of(predictor)
    assert windows is not None
    starts = iter(stream.places(recording, windows))
    for chunk, found in predictor.results(stream.examples_of(recording, windows)):
        rows = (
            iter(zip(found.argmax(1).tolist(), found.max(1).tolist(), strict=True)) if len(chunk.inputs) else iter(())
        )
        for reason in dict.fromkeys(filter(None, chunk.errors)):
            _warn(f"{recording.path}: windows without a label: {reason}.")
        for error in chunk.errors:
            first = next(starts) / windows.rate
            best, probability = (None, 0.0) if error is not None else next(rows)
            label = "" if best is None else predictor.classes[best]
            yield Span(str(recording.path), first, first + windows.window / windows.rate, label, probability)


def spans_as_they_come(predictor: Predictor, lines: Iterable[str]) -> Iterator[Span]:
    """The windows of samples that come in a row of text each; a window is answered as soon as it is full.

    Args:
        predictor: That learned from windows of recordings.
        lines: As :func:`~googlenet.data.signals.recordings.stream.blocks_of` reads them.

    Raises:
        InputError: At a row that is none, and where times say another rate or have a gap.

    Warns:
        RuntimeWarning: Which columns are not read, and how times are understood; why windows get no label, once for
            each reason; of samples at the end that are no whole window.
    """
    windows = windows_of(predictor)
    assert windows is not None
    starts = iter(range(0, 1 << 62, windows.hop))
    came, reasons = 0, set[str]()

    def counted() -> Iterator[Samples]:
        nonlocal came
        for block in stream.blocks_of(lines, windows, _warn):
            came += block.shape[1]
            yield block

    signals, answered = stream.cut(counted(), starts, windows.window), 0
    for number, signal in enumerate(signals):
        first = number * windows.hop / windows.rate
        (chunk, found), *_ = predictor.results([Example("-", signal)])
        if chunk.errors[0] is None:
            best = int(found[0].argmax())
            said = (predictor.classes[best], float(found[0, best]))
        else:
            said = ("", 0.0)
            if chunk.errors[0] not in reasons:  # it may be true for hours
                _warn(f"Windows of standard input have no label: {chunk.errors[0]}.")
            reasons.add(chunk.errors[0])
        answered = number * windows.hop + windows.window
        yield Span("-", first, first + windows.window / windows.rate, *said)
    rest = came - answered
    if rest > 0:
        _warn(f"The last {rest / windows.rate:.3g} s of standard input are shorter than a window, and have no label.")


def _warn(said: str) -> None:
    warnings.warn(said, RuntimeWarning, stacklevel=3)


class Runs:
    """Joins spans of equal labels that follow each other; where windows overlap, a run ends in the middle of both."""

    def __init__(self) -> None:
        self._open: Span | None = None

    def add(self, span: Span) -> Iterator[Span]:
        """Takes a span. Gives the run that ends with it, if one does."""
        last = self._open
        if last is None or span.recording != last.recording:
            yield from self.finish()
            self._open = span
        elif span.label == last.label:
            total = last.probability * last.windows + span.probability
            count = last.windows + 1
            self._open = replace(last, end=span.end, probability=total / count, windows=count)
        else:
            middle = (span.start + last.end) / 2 if span.start < last.end else None
            yield last if middle is None else replace(last, end=middle)
            self._open = span if middle is None else replace(span, start=middle)

    def finish(self) -> Iterator[Span]:
        """The run that is still open, if there is one."""
        if self._open is not None:
            yield self._open
        self._open = None


def merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Runs of equal labels, see :class:`Runs`."""
    runs = Runs()
    for span in spans:
        yield from runs.add(span)
    yield from runs.finish()
