"""How far probabilities can be trusted, as a diagram."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ...errors import count
from ...training.runs.records import ReliabilityBin
from .charts import Axis, drawing, element

SMALLEST, LARGEST = 3.0, 9.0  # radius of a dot


def diagram(bins: Sequence[ReliabilityBin]) -> Markup:
    """Accuracy over confidence (DeGroot and Fienberg 1983), with the interval of each bin.

    Args:
        bins: One or more, each of one example or more.
    """
    left, top, side = 48, 28, 260
    x, y = Axis(0, 1, left, left + side), Axis(0, 1, top + side, top)
    most = max(each.count for each in bins)
    parts = [element("text", "Accuracy over confidence", x=8, y=14, fill="ink", font_weight=600)]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            element("line", x1=left, x2=left + side, y1=y.place(tick), y2=y.place(tick), stroke="line"),
            element("text", f"{tick:g}", x=left - 6, y=y.place(tick) + 4, text_anchor="end", fill="soft"),
            element("text", f"{tick:g}", x=x.place(tick), y=top + side + 17, text_anchor="middle", fill="soft"),
        ]
    parts.append(element("line", x1=left, x2=left + side, y1=top + side, y2=top, stroke="grey", stroke_dasharray="4 4"))
    for each in bins:
        across = x.place(each.confidence)
        radius = SMALLEST + (LARGEST - SMALLEST) * (each.count / most) ** 0.5
        said = f"{count(each.count, 'example')}, {each.confidence:.1%} sure, {each.accuracy:.1%} right"
        if each.interval:
            low, high = map(y.place, each.interval)
            parts.append(element("line", x1=across, x2=across, y1=low, y2=high, stroke="blue"))
        dot = {"cx": across, "cy": y.place(each.accuracy), "r": radius, "fill": "blue"}
        parts.append(element("circle", element("title", said), **dot))
    parts.append(element("text", "confidence", x=left + side, y=top + side + 34, text_anchor="end", fill="soft"))
    return drawing(left + side + 24, top + side + 40, parts, "Accuracy over confidence")
