"""The pictures of a report, as HTML and SVG that need nothing else."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...data.images.pictures import Pixels

COLOURS = ("var(--blue)", "var(--orange)", "var(--green)")


def picture(pixels: Pixels) -> str:
    """``(channels, height, width)`` as an ``img`` that holds its own data."""
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    image.thumbnail((224, 224))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"<img src='data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}' alt=''>"


def signal(values: npt.NDArray[Any], evidence: npt.NDArray[Any]) -> str:
    """A signal's line on a ground that is the darker, the more a stretch added to the decision.

    Args:
        values: ``(channels, length)``; the first three channels are drawn.
        evidence: ``(places,)``; negative values count as none.
    """
    width, height, edge = 260, 96, 4
    strength = np.clip(evidence, 0, None)
    strength = strength / max(strength.max(), 1e-12)
    step = width / len(strength)
    ground = "".join(
        f'<rect x="{place * step:.1f}" y="0" width="{step + 0.5:.1f}" height="{height}" fill="var(--orange)" '
        f'opacity="{0.45 * share:.2f}"/>'
        for place, share in enumerate(strength)
        if share > 0.05
    )
    shown = values[:3, :: max(1, values.shape[1] // 400)]
    low, high = float(shown.min()), float(shown.max())
    scale = (height - 2 * edge) / (high - low if high > low else 1.0)
    lines = ""
    for channel, colour in zip(shown, COLOURS, strict=False):
        x = np.linspace(0, width, len(channel))
        points = " ".join(f"{a:.1f},{height - edge - (b - low) * scale:.1f}" for a, b in zip(x, channel, strict=True))
        lines += f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4"/>'
    return f'<svg viewBox="0 0 {width} {height}" role="img">{ground}{lines}</svg>'


def chart(title: str, lines: Mapping[str, Sequence[float]]) -> str:
    """A line chart over epochs."""
    left, top, width, height = 44, 26, 400, 190
    values = [value for line in lines.values() for value in line]
    low, high = min(values), max(values)
    margin = (high - low or 1) * 0.06
    low, high = low - margin, high + margin
    count = max(len(line) for line in lines.values())

    def x(epoch: int) -> float:
        return left + width * (epoch / (count - 1) if count > 1 else 0.5)

    def y(value: float) -> float:
        return top + height * (high - value) / (high - low)

    drawn = [f'<text x="{left}" y="14">{title}</text>']
    for tick in np.linspace(low + margin, high - margin, 4):
        drawn.append(
            f'<line x1="{left}" x2="{left + width}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" '
            f'stroke="var(--line)"/><text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.3g}</text>'
        )
    for epoch in sorted({0, (count - 1) // 2, count - 1}):
        drawn.append(f'<text x="{x(epoch):.1f}" y="{top + height + 16}" text-anchor="middle">{epoch + 1}</text>')
    drawn.append(f'<text x="{left + width}" y="{top + height + 32}" text-anchor="end">epoch</text>')
    for (name, line), colour in zip(lines.items(), COLOURS, strict=False):
        points = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(line))
        place = left + width - (0 if name == "validation" else 80)
        drawn.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-linejoin="round"/><circle cx="{x(len(line) - 1):.1f}" cy="{y(line[-1]):.1f}" r="3" '
            f'fill="{colour}"/><text x="{place}" y="14" text-anchor="end" style="fill:{colour}">{name}</text>'
        )
    return f'<svg viewBox="0 0 {left + width + 10} {top + height + 38}" role="img">{"".join(drawn)}</svg>'
