"""``report.html``: one page that opens from disk, with no network and no scripts."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from . import files
from .cost import cost
from .data.images import ImageSet
from .data.pictures import Pixels, Preprocessing, centre_square, open_picture, to_pixels
from .model import GoogLeNet
from .runfolder import METRICS, REPORT, RUN

STYLE = """
:root{--ink:#1c2330;--soft:#667085;--line:#e4e7ec;--blue:#2563a8;--orange:#c2570c;--page:#fff;--card:#f8f9fb}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--line:#333a47;--blue:#7cb0ea;
--orange:#f0955a;--page:#14171d;--card:#1c2028}}
body{margin:0 auto;max-width:62rem;padding:2.5rem 1.5rem 4rem;background:var(--page);color:var(--ink);
font:15px/1.55 system-ui,sans-serif}
h1{font-size:1.7rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2.6rem 0 .8rem}
p,figcaption{color:var(--soft);margin:.2rem 0}.facts{display:flex;flex-wrap:wrap;gap:.8rem;margin-top:1.4rem}
.fact{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.7rem 1.1rem;min-width:7rem}
.fact b{display:block;font-size:1.35rem}.fact span{color:var(--soft);font-size:.85rem}
.curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(22rem,1fr));gap:1.2rem}
svg{width:100%;height:auto}svg text{fill:var(--soft);font:11px system-ui,sans-serif}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.88rem}
td,th{padding:.25rem .7rem;text-align:right;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:500}td:first-child,th:first-child{text-align:left}
.confusion td{min-width:2rem;text-align:center;border:1px solid var(--page)}.scroll{overflow-x:auto}
.pictures{display:flex;flex-wrap:wrap;gap:1rem}.pictures figure{margin:0;width:7.5rem}
.pictures img{width:7.5rem;height:7.5rem;object-fit:contain;background:#000;border-radius:6px;
image-rendering:pixelated}figcaption{font-size:.8rem;line-height:1.35}
"""


@dataclass(frozen=True)
class Mistake:
    """A picture that the network got wrong.

    Attributes:
        name: Its path.
        label: What it is.
        guess: What the network said.
        probability: How sure it was.
        pixels: ``(channels, size, size)``, uint8, as the network saw it.
    """

    name: str
    label: str
    guess: str
    probability: float
    pixels: Pixels

    @classmethod
    def most_confident(
        cls,
        probabilities: Any,
        labels: Any,
        classes: Sequence[str],
        images: ImageSet,
        preprocessing: Preprocessing,
        count: int = 12,
    ) -> list[Mistake]:
        """The wrong guesses with the highest probability, surest first."""
        guesses = probabilities.argmax(1)
        wrong = np.flatnonzero(guesses != labels)
        wrong = wrong[np.argsort(-probabilities[wrong, guesses[wrong]], kind="stable")][:count]
        return [
            cls(
                images.names[row],
                classes[labels[row]],
                classes[guesses[row]],
                float(probabilities[row, guesses[row]]),
                _seen(images, row, preprocessing),
            )
            for row in wrong.tolist()
        ]


def write_report(run: Path, model: GoogLeNet, evaluation: dict[str, Any], mistakes: Sequence[Mistake]) -> None:
    """Writes ``report.html`` from the run's files, an evaluation and its mistakes."""
    record = files.read_json(run / RUN)
    history = [json.loads(line) for line in (run / METRICS).read_text(encoding="utf-8").splitlines()]
    parts = [
        _head(record, model, evaluation, history),
        _curves(history),
        _confusion(evaluation),
        _mistakes(mistakes, evaluation),
        _cost_table(model, record["preprocessing"]["size"]),
        _bad_files(record["bad_files"]),
    ]
    title = html.escape(f"{record['data']}: {evaluation['top1']:.1%}")
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<body>{''.join(parts)}</body></html>\n"
    )
    files.write_bytes(run / REPORT, page.encode())


def _seen(images: ImageSet, row: int, preprocessing: Preprocessing) -> Pixels:
    if images.pixels is not None:
        pixels: Pixels = images.pixels[row].numpy()
        return pixels
    image = open_picture(images.names[row], preprocessing.channels)
    return to_pixels(centre_square(image, preprocessing.size, preprocessing.resize))


def _head(record: dict[str, Any], model: GoogLeNet, result: dict[str, Any], history: list[Any]) -> str:
    recipe = record["recipe"]
    seconds = sum(row["seconds"] for row in history)
    facts = [
        (f"{result['top1']:.2%}", "accuracy"),
        (f"{result['nll']:.3f}", "loss, nats"),
        (f"{result['ece']:.3f}", "calibration error"),
        (f"{result['count']:,}", "pictures held out"),
        (f"{seconds / 60:.1f} min", f"for {len(history)} epochs"),
    ]
    counts = ", ".join(f"{count:,} {part}" for part, count in record["pictures"].items())
    boxes = "".join(f'<div class="fact"><b>{a}</b><span>{b}</span></div>' for a, b in facts)
    return (
        f"<h1>{html.escape(record['data'])}</h1><p>{html.escape(model.arch.name)} at width "
        f"{model.arch.width:g}, recipe {recipe['name']}; {len(record['classes'])} classes; "
        f"pictures: {counts}.</p><div class='facts'>{boxes}</div>"
    )


def _curves(history: list[dict[str, float]]) -> str:
    charts = []
    for key, title in (("loss", "Loss"), ("accuracy", "Accuracy")):
        lines = {"training": [row[key] for row in history]}
        if f"validation_{key}" in history[-1]:
            lines["validation"] = [row[f"validation_{key}"] for row in history]
        charts.append(f"<figure style='margin:0'>{_chart(title, lines)}</figure>")
    return (
        "<h2>Learning curves</h2><p>Training figures are of augmented pictures, with dropout; the loss "
        "includes label smoothing and the auxiliary losses, so it can lie above that of validation.</p>"
        f"<div class='curves'>{''.join(charts)}</div>"
    )


def _chart(title: str, lines: dict[str, list[float]]) -> str:
    """A line chart over epochs as SVG."""
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
    for (name, line), colour in zip(lines.items(), ("var(--blue)", "var(--orange)"), strict=False):
        points = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(line))
        place = left + width - (0 if name == "validation" else 80)
        drawn.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-linejoin="round"/><circle cx="{x(len(line) - 1):.1f}" cy="{y(line[-1]):.1f}" r="3" '
            f'fill="{colour}"/><text x="{place}" y="14" text-anchor="end" style="fill:{colour}">{name}</text>'
        )
    return f'<svg viewBox="0 0 {left + width + 10} {top + height + 38}" role="img">{"".join(drawn)}</svg>'


def _confusion(result: dict[str, Any]) -> str:
    names = [row["label"] for row in result["per_class"]]
    if len(names) > 40:
        return ""
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    rows = []
    for true, (name, counts) in enumerate(zip(names, result["confusion"], strict=True)):
        total = max(1, sum(counts))
        cells = "".join(_cell(count, count / total, true == guess) for guess, count in enumerate(counts))
        scores = result["per_class"][true]
        rows.append(
            f"<tr><th>{html.escape(name)}</th>{cells}<td>{scores['precision']:.3f}</td>"
            f"<td>{scores['recall']:.3f}</td></tr>"
        )
    return (
        "<h2>Confusion matrix</h2><p>Rows: what a picture is. Columns: what the network said.</p>"
        f"<div class='scroll'><table class='confusion'><tr><th></th>{heads}<th>precision</th><th>recall</th>"
        f"</tr>{''.join(rows)}</table></div>"
    )


def _cell(count: int, share: float, right: bool) -> str:
    if not count:
        return "<td></td>"
    colour = "37,99,168" if right else "194,87,12"
    strength = 0.12 + 0.7 * (share if right else min(1, share * 4))
    return f"<td style='background:rgba({colour},{strength:.2f})'>{count}</td>"


def _mistakes(mistakes: Sequence[Mistake], result: dict[str, Any]) -> str:
    wrong = round((1 - result["top1"]) * result["count"])
    if not mistakes:
        return "<h2>Mistakes</h2><p>None on the pictures held out.</p>"
    figures = "".join(
        f"<figure><img src='{_png(m.pixels)}' alt=''><figcaption>is <b>{html.escape(m.label)}</b>, said "
        f"<b>{html.escape(m.guess)}</b> ({m.probability:.0%})<br>{html.escape(Path(m.name).name)}</figcaption>"
        "</figure>"
        for m in mistakes
    )
    return f"<h2>Most confident mistakes</h2><p>{len(mistakes)} of {wrong}.</p><div class='pictures'>{figures}</div>"


def _png(pixels: Pixels) -> str:
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    image.thumbnail((224, 224))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _cost_table(model: GoogLeNet, size: int) -> str:
    counted = cost(
        model.arch,
        (size,) * model.arch.dims,
        in_channels=model.in_channels,
        num_classes=model.num_classes,
    )
    rows = "".join(
        f"<tr><td>{html.escape(row.name)}</td><td>{html.escape(row.type)}</td>"
        f"<td>{'×'.join(map(str, row.output))}</td><td>{row.params:,}</td><td>{row.macs / 1e6:,.2f}</td>"
        f"<td>{row.receptive_field}</td><td>{row.stride}</td></tr>"
        for row in counted.rows
        if row.type != "auxiliary"
    )
    return (
        f"<h2>What the network costs</h2><p>{counted.params:,} parameters and {counted.macs / 1e6:,.1f} "
        f"million multiply-adds for a picture of {size}×{size}.</p><div class='scroll'><table><tr>"
        "<th>layer</th><th>type</th><th>output</th><th>parameters</th><th>million multiply-adds</th>"
        f"<th>receptive field</th><th>stride</th></tr>{rows}</table></div>"
    )


def _bad_files(bad: list[dict[str, str]]) -> str:
    if not bad:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(row['path'])}</td><td style='text-align:left'>{html.escape(row['reason'])}</td></tr>"
        for row in bad[:100]
    )
    return f"<h2>Files left out: {len(bad)}</h2><div class='scroll'><table>{rows}</table></div>"
