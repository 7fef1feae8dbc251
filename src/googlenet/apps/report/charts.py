"""Charts and pictures as SVG and HTML that need nothing else: for the page of a run, and as files for documents.

What is drawn is escaped on its way in, so that a file's or a class's name is never markup. Colours are the variables
of :data:`LIGHT` and :data:`DARK`: a page says which of them holds, a file takes the light ones.
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from PIL import Image

from ... import files
from ...data.protocol import Drawing, Picture, Trace
from .overlay import overlaid

LIGHT = {
    "ink": "#1c2330",
    "soft": "#667085",
    "line": "#e4e7ec",
    "blue": "#2563a8",
    "orange": "#c2570c",
    "green": "#2c7a4b",
    "grey": "#b8bfca",
    "page": "#ffffff",
    "card": "#f8f9fb",
}
DARK = {
    "ink": "#e6e9ef",
    "soft": "#98a2b3",
    "line": "#333a47",
    "blue": "#7cb0ea",
    "orange": "#f0955a",
    "green": "#72c493",
    "grey": "#4a5365",
    "page": "#14171d",
    "card": "#1c2028",
}
LINES = ("blue", "orange", "green")  # of the first lines of a chart
HIGHEST, WIDEST = 224, 1120  # pixels of a picture
POINTS = 400  # of a signal's line, at most

Point = tuple[float, float]


# ---------------------------------------------------------------------------------------- what all of them are made of
def element(name: str, *inside: str, **attributes: object) -> Markup:
    """An element of SVG or HTML; texts that are no markup are escaped.

    Args:
        name: Of the element.
        *inside: What it holds, one after the other.
        **attributes: Numbers are rounded to a tenth, ``_`` in a name is ``-``, a ``fill`` or ``stroke`` is a name in
            :data:`LIGHT`, or as SVG has it.
    """
    words = Markup("").join(
        Markup(' {}="{}"').format(key.strip("_").replace("_", "-"), _text(key, value))
        for key, value in attributes.items()
    )
    if not inside:
        return Markup("<{}{}/>").format(Markup(name), words)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), words, Markup("").join(inside))


def _text(key: str, value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return f"var(--{value})" if key in ("fill", "stroke") and value in LIGHT else str(value)


def drawing(width: float, height: float, parts: Sequence[str], label: str) -> Markup:
    """A whole SVG on the colour of the page.

    Args:
        width: In its own units, in which letters are 12 high.
        height: The same.
        parts: Elements, from back to front.
        label: What is drawn, for who cannot see it.
    """
    ground = element("rect", width=width, height=height, fill="page")
    return element(
        "svg",
        ground,
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=label,
        font_family="system-ui,sans-serif",
        font_size=12,
    )


def save(path: Path, svg: Markup) -> None:
    """Writes a :func:`drawing` as a file of its own, in the light colours.

    Raises:
        InputError: If it cannot be written.
    """
    text = re.sub(r"var\(--(\w+)\)", lambda found: LIGHT[found[1]], svg)
    text = text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    files.write_bytes(path, f"{text}\n".encode(errors="backslashreplace"))


@dataclass(frozen=True)
class Axis:
    """One side of a chart: from values to places.

    Attributes:
        low: The least value.
        high: The greatest.
        start: Where the least is drawn.
        end: Where the greatest is.
        logarithmic: Whether equal ratios are equally far apart.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value is drawn; in the middle if there is no other."""
        low, high, at = (math.log10(v) if self.logarithmic else v for v in (self.low, self.high, value))
        return self.start + (self.end - self.start) * ((at - low) / (high - low) if high > low else 0.5)

    def ticks(self) -> list[float]:
        """Round values, about four of them: powers of ten, or multiples of 1, 2 or 5 times one."""
        if self.logarithmic:
            powers = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
            return [10.0**power for power in powers]
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


# ------------------------------------------------------------------------------------------------------------- charts
def curves(title: str, across: str, lines: Mapping[str, Sequence[Point]], *, logarithmic: bool = False) -> Markup:
    """Lines through points.

    Args:
        title: Above the chart.
        across: What the horizontal axis is.
        lines: Name to points ``(across, up)``, from left to right; those that are not finite are left out.
        logarithmic: Both axes, with a tick below every point, rather than below the first, middle and last.
    """
    left, top, width, height = 48, 28, 400, 190
    kept = {name: _finite(line) for name, line in lines.items()}
    points = [point for line in kept.values() for point in line] or [(1.0, 0.0), (1.0, 1.0)]
    xs = sorted({x for x, _ in points})
    low, high = _limits([y for _, y in points], logarithmic)
    x = Axis(xs[0], xs[-1], left, left + width, logarithmic)
    y = Axis(low, high, top + height, top, logarithmic)
    below = top + height + 17
    parts = [element("text", title, x=8, y=14, fill="ink", font_weight=600), _legend(kept, left + width)]
    for tick in y.ticks():
        at = y.place(tick)
        parts += [
            element("line", x1=left, x2=left + width, y1=at, y2=at, stroke="line"),
            element("text", f"{tick:.6g}", x=left - 6, y=at + 4, text_anchor="end", fill="soft"),
        ]
    for value in xs if logarithmic else sorted({xs[0], xs[(len(xs) - 1) // 2], xs[-1]}):
        parts.append(element("text", f"{value:g}", x=x.place(value), y=below, text_anchor="middle", fill="soft"))
    parts.append(element("text", across, x=left + width, y=below + 17, text_anchor="end", fill="soft"))
    for line, colour in zip(kept.values(), LINES, strict=False):
        places = [(x.place(a), y.place(b)) for a, b in line]
        parts += [_polyline(places, colour, 2), *_dots(places if logarithmic else places[-1:], colour)]
    return drawing(left + width + 24, below + 23, parts, title)


def _finite(line: Sequence[Point]) -> list[Point]:
    return [point for point in line if all(map(math.isfinite, point))]


def _limits(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    """Of a vertical axis: the values with a margin, or the powers of ten around them."""
    low, high = min(values), max(values)
    if logarithmic:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        return 10.0**first, 10.0 ** max(last, first + 1)
    margin = 0.06 * (high - low or max(abs(high), 1e-3))
    return low - margin, high + margin


def _legend(names: Mapping[str, Any], end: float) -> Markup:
    """Names in the colours of their lines, the last of them at the end."""
    spans = [element("tspan", name, fill=colour) for name, colour in zip(names, LINES, strict=False)]
    return element("text", Markup("\u2003").join(spans), x=end, y=14, text_anchor="end")


def _dots(places: Sequence[Point], colour: str) -> list[Markup]:
    return [element("circle", cx=x, cy=y, r=3, fill=colour) for x, y in places]


def _polyline(places: Sequence[Point], colour: str, width: float) -> Markup:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return element("polyline", points=points, fill="none", stroke=colour, stroke_width=width, stroke_linejoin="round")


def bars(title: str, unit: str, rows: Mapping[str, Mapping[str, float]]) -> Markup:
    """Horizontal bars of medians, a thin line from least to most; names that begin with "ours" stand out.

    Args:
        title: Above the chart.
        unit: Of the values.
        rows: Name to ``median``, ``least``, ``most``.
    """
    left = 24 + 6.8 * max(map(len, rows))  # room for the longest name
    width, step, top = 400, 24, 44
    x = Axis(0, max(row["most"] for row in rows.values()), left, left + width)
    parts = [element("text", title, x=12, y=22, font_weight=600, fill="ink")]
    for number, (name, row) in enumerate(sorted(rows.items(), key=lambda item: -item[1]["median"])):
        y = top + step * number
        ours = name.startswith("ours")
        low, high, middle = (x.place(row[key]) for key in ("least", "most", "median"))
        parts += [
            element("text", name, x=left - 8, y=y + 12, text_anchor="end", fill="ink" if ours else "soft"),
            element("rect", x=left, y=y, width=middle - left, height=16, rx=2, fill="blue" if ours else "grey"),
            element("line", x1=low, x2=high, y1=y + 8, y2=y + 8, stroke="ink"),
            element("text", f"{row['median']:.3g}", x=high + 6, y=y + 12, fill="ink"),
        ]
    height = top + step * len(rows) + 20
    parts.append(element("text", unit, x=left, y=height - 8, fill="soft"))
    return drawing(left + width + 60, height, parts, title)


# ----------------------------------------------------------------------------------------------------------- examples
def drawn(example: Drawing) -> Markup:
    """An example as its preprocessing draws it."""
    match example:
        case Picture(evidence=None):
            return picture(example.pixels)
        case Picture():
            return element("span", picture(example.pixels), picture(overlaid(example)), class_="pair")
        case Trace():
            return signal(example.values, example.evidence)


def picture(pixels: npt.NDArray[np.uint8]) -> Markup:
    """``(1 or 3, height, width)`` as an ``img`` that holds its own data; a wide one, such as slices of a volume side by
    side, is shown wide."""
    wide = pixels.shape[2] >= 2 * pixels.shape[1]
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    image.thumbnail((WIDEST if wide else HIGHEST, HIGHEST))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    return element("img", class_="strip" if wide else "picture", src=f"data:image/png;base64,{data}", alt="")


def signal(values: npt.NDArray[Any], evidence: npt.NDArray[Any] | None = None) -> Markup:
    """A signal's line, on a ground that is the darker, the more a stretch added to the decision.

    Args:
        values: ``(channels, length)``; the first three channels are drawn.
        evidence: ``(places,)``; negative values count as none. ``None`` where that is not known.
    """
    width, height, edge = 260, 96, 4
    shown = values[: len(LINES)]
    low, high = float(shown.min()), float(shown.max())
    y = Axis(low, high, height - edge, edge)
    lines = []
    for channel, colour in zip(shown, LINES, strict=False):
        kept = _thinned(channel)
        places = zip(np.linspace(0, width, len(kept)), map(y.place, kept.tolist()), strict=True)
        lines.append(_polyline(list(places), colour, 1.4))
    ground = [] if evidence is None else _ground(evidence, width, height)
    return element("svg", *ground, *lines, class_="signal", viewBox=f"0 0 {width} {height}", aria_hidden="true")


def _thinned(line: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A line of few points that still has every peak: the least and the greatest value of each stretch."""
    if len(line) <= POINTS:
        return line
    stretches = np.array_split(line, POINTS // 2)
    return np.array([value for stretch in stretches for value in (stretch.min(), stretch.max())])


def _ground(evidence: npt.NDArray[Any], width: float, height: float) -> list[Markup]:
    strength = np.clip(evidence, 0, None)
    shares = (strength / max(strength.max(), 1e-12)).tolist()
    step = width / len(shares)
    return [
        element("rect", x=n * step, y=0, width=step + 0.5, height=height, fill="orange", opacity=f"{0.45 * share:.2f}")
        for n, share in enumerate(shares)
        if share > 0.05
    ]
