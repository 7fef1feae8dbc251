"""A page of strips: recordings as lines, and beneath them what the network says of each stretch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from ... import files
from ...data.signals.recordings.recording import BLOCK, Recording
from ...inference.spans import Span
from .charts import DARK, LIGHT, Axis, element

WIDTH, LANE, BAND, LEFT = 960, 36, 16, 84  # pixels: of a line, of a channel, of the labels, of the names
COLUMNS = 640  # places of a line at which the least and the greatest value are drawn
LINES, SECONDS = 12, 300  # lines of a recording at most, and of a line at least
COLOURS, STRENGTHS = ("blue", "orange", "green", "grey"), ("1", "0.6", "0.3")
WIDE = 7.0  # pixels of a letter
STYLE = (
    "body{font:14px system-ui,sans-serif;max-width:1080px;margin:2em auto;padding:0 1em;background:var(--page);"
    "color:var(--ink);overflow-x:auto}svg{width:100%;min-width:720px;display:block;margin:6px 0}h1{font-size:20px}"
    "h2{font-size:15px}"
)


def write_strips(
    path: Path, title: str, channels: tuple[str, ...], strips: Sequence[tuple[Recording, Sequence[Span]]]
) -> None:
    """Writes one page for some recordings, which needs nothing else.

    Args:
        path: The file.
        title: Above the page.
        channels: That are drawn.
        strips: Recordings and the runs of labels of each.

    Raises:
        InputError: If a recording cannot be read, or the page not be written.
    """
    labels = sorted({span.label for _, spans in strips for span in spans if span.label})
    parts = [element("h1", title), _legend(labels, [span for _, spans in strips for span in spans])]
    for recording, spans in strips:
        parts.append(element("h2", f"{recording.path.name}, {recording.seconds:,.1f} s, {recording.rate:g} Hz"))
        parts += _strip(recording, channels, spans, labels)
    colours = [";".join(f"--{name}:{colour}" for name, colour in each.items()) for each in (LIGHT, DARK)]
    style = Markup(":root{{color-scheme:light dark;{}}}@media(prefers-color-scheme:dark){{:root{{{}}}}}{}").format(
        *map(Markup, colours), Markup(STYLE)
    )
    head = element("head", element("meta", charset="utf-8"), element("title", title), element("style", style))
    page = Markup("<!doctype html>\n") + element("html", head, element("body", *parts), lang="en") + "\n"
    files.write_bytes(path, page.encode(errors="backslashreplace"))


def _legend(labels: Sequence[str], spans: Sequence[Span]) -> Markup:
    """The labels in their colours, with the time of each."""
    parts, x = [], 0.0
    for number, label in enumerate(labels):
        seconds = sum(span.end - span.start for span in spans if span.label == label)
        text = f"{label} {seconds:,.1f} s"
        parts += [
            element("rect", x=x, y=4, width=12, height=12, rx=2, **_fill(number)),
            element("text", text, x=x + 17, y=14, fill="ink", font_size=12),
        ]
        x += 36 + WIDE * len(text)
    return element("svg", *parts, viewBox=f"0 0 {max(WIDTH + LEFT, x):g} 20", font_family="system-ui,sans-serif")


def _strip(
    recording: Recording, channels: tuple[str, ...], spans: Sequence[Span], labels: Sequence[str]
) -> list[Markup]:
    """The lines of a recording, one below the other."""
    lines = int(np.clip(recording.seconds // SECONDS, 1, LINES))
    edges = np.linspace(0, recording.length, lines + 1).round().astype(np.int64).tolist()
    envelopes = [_envelope(recording, channels, *ends) for ends in pairwise(edges)]
    low = np.nanquantile(np.concatenate([least for least, _ in envelopes], axis=1), 0.002, axis=1)
    high = np.nanquantile(np.concatenate([most for _, most in envelopes], axis=1), 0.998, axis=1)
    drawn = []
    for envelope, (first, last) in zip(envelopes, pairwise(edges), strict=True):
        time = Axis(first / recording.rate, last / recording.rate, LEFT, LEFT + WIDTH)
        parts = [*_lanes(envelope, channels, low, high), *_band(spans, labels, time, LANE * len(channels))]
        below = LANE * len(channels) + BAND + 14
        for tick in time.ticks():
            parts.append(element("text", _clock(tick), x=time.place(tick), y=below, fill="soft", text_anchor="middle"))
        box = f"0 0 {LEFT + WIDTH + 30} {below + 4}"
        label = f"{recording.path.name} from {_clock(time.low)} to {_clock(time.high)}"
        style = {"font_family": "system-ui,sans-serif", "font_size": 11}
        drawn.append(element("svg", *parts, viewBox=box, role="img", aria_label=label, **style))
    return drawn


def _envelope(
    recording: Recording, channels: tuple[str, ...], start: int, stop: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The least and the greatest value of every channel at every place of a line, ``(channels, places)`` each."""
    rows = recording.rows(channels)
    edges = np.unique(np.linspace(start, stop, COLUMNS + 1).round().astype(np.int64))
    step = max(1, int(BLOCK / max(1, len(recording.channels)) / max(1, np.diff(edges).max())))
    least: list[npt.NDArray[Any]] = []
    most: list[npt.NDArray[Any]] = []
    for at in range(0, len(edges) - 1, step):
        own = edges[at : at + step + 1]
        values = recording.read(int(own[0]), int(own[-1]))[rows]
        for found, reduce in ((least, np.fmin.reduceat), (most, np.fmax.reduceat)):
            found.append(reduce(values, own[:-1] - own[0], axis=1))
    return np.concatenate(least, axis=1), np.concatenate(most, axis=1)


def _lanes(
    envelope: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    channels: Sequence[str],
    low: npt.NDArray[Any],
    high: npt.NDArray[Any],
) -> list[Markup]:
    parts = []
    least, most = envelope
    places = np.linspace(LEFT, LEFT + WIDTH, least.shape[1])
    for number, name in enumerate(channels):
        top = LANE * number
        shown = name if len(name) <= 11 else f"{name[:10]}…"
        parts.append(element("text", shown, x=LEFT - 8, y=top + LANE / 2 + 4, text_anchor="end", fill="soft"))
        if not np.isfinite(low[number]) or not np.isfinite(high[number]):
            continue
        y = Axis(float(low[number]), float(high[number]), top + LANE - 2, top + 2)
        known = np.isfinite(least[number]) & np.isfinite(most[number])
        upper = [_point(x, y, value) for x, value in zip(places[known], most[number][known], strict=True)]
        lower = [_point(x, y, value) for x, value in zip(places[known], least[number][known], strict=True)]
        points = " ".join([*upper, *lower[::-1]])
        parts.append(element("polygon", points=points, fill="ink", stroke="ink", stroke_width="0.6"))
    return parts


def _point(x: float, y: Axis, value: float) -> str:
    return f"{x:.1f},{y.place(min(max(value, y.low), y.high)):.1f}"


def _band(spans: Sequence[Span], labels: Sequence[str], time: Axis, top: float) -> list[Markup]:
    """The runs of labels that lie in a line, named where there is room."""
    parts = []
    for span in spans:
        if not span.label or span.end <= time.low or span.start >= time.high:
            continue
        first, last = time.place(max(span.start, time.low)), time.place(min(span.end, time.high))
        said = f"{span.label}, {span.start:g} to {span.end:g} s, probability {span.probability:.2f}"
        fill = _fill(labels.index(span.label))
        parts.append(
            element("rect", element("title", said), x=first, y=top, width=last - first, height=BAND - 2, **fill)
        )
        if last - first > WIDE * len(span.label):
            at = {"x": (first + last) / 2, "y": top + BAND - 5, "text_anchor": "middle"}
            ink = "ink" if fill["fill"] == "grey" else "page"
            parts.append(element("text", span.label, fill=ink, font_weight=600, **at))
    return parts


def _fill(number: int) -> dict[str, str]:
    strength = STRENGTHS[number // len(COLOURS) % len(STRENGTHS)]
    return {"fill": COLOURS[number % len(COLOURS)], "fill_opacity": strength}


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
