"""Charts of results as SVG, for the documentation."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

OURS, THEIRS, INK, SOFT = "#2563a8", "#b8bfca", "#1c2330", "#667085"
COLOURS = (OURS, "#c2570c", "#2c7a4b")


def bars(path: Path, title: str, unit: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    """Horizontal bars of medians, a thin line from least to most; names that begin with "ours" stand out.

    Args:
        path: The file.
        title: Above the chart.
        unit: Of the values.
        rows: Name to ``median``, ``least``, ``most``.
    """
    left, width, step, top = 250, 400, 24, 44
    scale = width / max(row["most"] for row in rows.values())
    parts = [f'<text x="12" y="22" font-weight="600" fill="{INK}">{html.escape(title)}</text>']
    for number, (name, row) in enumerate(sorted(rows.items(), key=lambda item: -item[1]["median"])):
        y = top + step * number
        ours = name.startswith("ours")
        ink, fill = (INK, OURS) if ours else (SOFT, THEIRS)
        low, high, middle = (left + scale * row[key] for key in ("least", "most", "median"))
        parts.append(
            f'<text x="{left - 8}" y="{y + 12}" text-anchor="end" fill="{ink}">{html.escape(name)}</text>'
            f'<rect x="{left}" y="{y}" width="{middle - left:.1f}" height="16" rx="2" fill="{fill}"/>'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y + 8}" y2="{y + 8}" stroke="{INK}"/>'
            f'<text x="{high + 6:.1f}" y="{y + 12}" fill="{INK}">{row["median"]:.3g}</text>'
        )
    height = top + step * len(rows) + 20
    parts.append(f'<text x="{left}" y="{height - 8}" fill="{SOFT}">{html.escape(unit)}</text>')
    _write(path, left + width + 60, height, parts)


def lines(path: Path, title: str, across: str, up: str, curves: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Lines through points, both axes logarithmic.

    Args:
        path: The file.
        title: Above the chart.
        across: Name of the horizontal axis.
        up: Name of the vertical axis.
        curves: Name to points.
    """
    left, top, width, height = 64, 40, 420, 220
    points = [point for curve in curves.values() for point in curve]
    xs, ys = ([math.log10(point[axis]) for point in points] for axis in (0, 1))
    low_x, high_x = min(xs), max(xs)
    low_y, high_y = math.floor(min(ys)), math.ceil(max(ys) + 1e-9)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across_share = (math.log10(point[0]) - low_x) / (high_x - low_x)
        return left + width * across_share, top + height * (high_y - math.log10(point[1])) / (high_y - low_y)

    parts = [f'<text x="12" y="22" font-weight="600" fill="{INK}">{html.escape(title)}</text>']
    for power in range(low_y, high_y + 1):
        y = place((10**low_x, 10.0**power))[1]
        parts.append(
            f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e7ec"/>'
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{SOFT}">{10.0**power:g}</text>'
        )
    for x in sorted({point[0] for point in points}):
        at = place((x, 10.0**low_y))[0]
        parts.append(f'<text x="{at:.1f}" y="{top + height + 18}" text-anchor="middle" fill="{SOFT}">{x:g}</text>')
    for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
        drawn = [place(point) for point in curve]
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
        parts.append(f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in drawn]
        x, y = drawn[-1]
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{colour}">{html.escape(name)}</text>')
    parts.append(f'<text x="{left}" y="{top + height + 38}" fill="{SOFT}">{html.escape(f"{across}; {up}")}</text>')
    _write(path, left + width + 170, top + height + 50, parts)


def _write(path: Path, width: int, height: int, parts: Sequence[str]) -> None:
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui,sans-serif" '
        f'font-size="12"><rect width="{width}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )
