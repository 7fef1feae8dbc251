"""``report.html``: one page that opens from disk, with no network and no scripts."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ... import files
from ...arch.cost import cost
from ...data.images.folders import ImageSet
from ...data.images.pictures import Pixels, Preprocessing, centre_square, open_picture, to_pixels
from ...data.signals.dataset import SignalSet
from ...explain.maps import what_decided
from ...inference.pipeline import WholeNetwork
from ...nn.googlenet import GoogLeNet
from ...training.runs import METRICS, REPORT, RUN
from . import charts as figures

STYLE = """
:root{--ink:#1c2330;--soft:#667085;--line:#e4e7ec;--blue:#2563a8;--orange:#c2570c;--green:#2c7a4b;--page:#fff;--card:#f8f9fb}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--line:#333a47;--blue:#7cb0ea;
--orange:#f0955a;--green:#72c493;--page:#14171d;--card:#1c2028}}
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
.signals{display:grid;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));gap:1rem}.signals figure{margin:0}
.signals svg{background:var(--card);border:1px solid var(--line);border-radius:6px}
.pictures{display:flex;flex-wrap:wrap;gap:1rem}.pictures figure{margin:0;width:7.5rem}
.pictures img{width:7.5rem;height:7.5rem;object-fit:contain;background:#000;border-radius:6px;
image-rendering:pixelated}figcaption{font-size:.8rem;line-height:1.35}
"""


@dataclass(frozen=True)
class Example:
    """An example and what the network said of it.

    Attributes:
        name: Its path or place.
        label: What it is.
        guess: What the network said.
        probability: How sure it was.
        figure: It, as HTML.
    """

    name: str
    label: str
    guess: str
    probability: float
    figure: str


@dataclass(frozen=True)
class Examples:
    """What a report shows of the data: the surest mistakes, and of signals the surest right answer a class."""

    mistakes: Sequence[Example]
    right: Sequence[Example] = ()


def examples_for(
    network: WholeNetwork, classes: Sequence[str], part: ImageSet | SignalSet, probabilities: Any, labels: Any
) -> Examples:
    """Chooses and draws the examples of a report from the probabilities ``(n, classes)`` of a part."""
    guesses = probabilities.argmax(1)
    sure = np.argsort(-probabilities.max(1), kind="stable")
    wrong = [row for row in sure if guesses[row] != labels[row]][:12]

    def example(row: int, figure: str) -> Example:
        guess = guesses[row]
        return Example(part.names[row], classes[labels[row]], classes[guess], float(probabilities[row, guess]), figure)

    if isinstance(part, ImageSet):
        assert isinstance(network.preprocessing, Preprocessing)
        pixels = [_seen(part, row, network.preprocessing) for row in wrong]
        return Examples([example(row, figures.picture(p)) for row, p in zip(wrong, pixels, strict=True)])
    right = [row for row in sure if guesses[row] == labels[row]]
    first = [next(row for row in right if labels[row] == label) for label in sorted(set(labels[right]))][:12]
    rows = [*wrong, *first]
    drawn = what_decided(network, [part.signals[row] for row in rows], torch.from_numpy(guesses[rows]))
    shown = [example(row, figures.signal(*both)) for row, both in zip(rows, drawn, strict=True)]
    return Examples(shown[: len(wrong)], shown[len(wrong) :])


def write_report(run: Path, model: GoogLeNet, evaluation: dict[str, Any], examples: Examples) -> None:
    """Writes ``report.html`` from the run's files, an evaluation and its examples."""
    record = files.read_json(run / RUN)
    history = [json.loads(line) for line in (run / METRICS).read_text(encoding="utf-8").splitlines()]
    parts = [
        _head(record, model, evaluation, history),
        _curves(history),
        _confusion(evaluation),
        _right(examples.right),
        _mistakes(examples.mistakes, evaluation),
        _cost_table(model, record["preprocessing"]),
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
        (f"{result['count']:,}", "held out"),
        (f"{seconds / 60:.1f} min", f"for {len(history)} epochs"),
    ]
    counts = ", ".join(f"{count:,} {part}" for part, count in record["examples"].items())
    boxes = "".join(f'<div class="fact"><b>{a}</b><span>{b}</span></div>' for a, b in facts)
    return (
        f"<h1>{html.escape(record['data'])}</h1><p>{html.escape(model.arch.name)} at width "
        f"{model.arch.width:g}, recipe {recipe['name']}; {len(record['classes'])} classes; "
        f"{counts}.</p><div class='facts'>{boxes}</div>"
    )


def _curves(history: list[dict[str, float]]) -> str:
    charts = []
    for key, title in (("loss", "Loss"), ("accuracy", "Accuracy")):
        lines = {"training": [row[key] for row in history]}
        if f"validation_{key}" in history[-1]:
            lines["validation"] = [row[f"validation_{key}"] for row in history]
        charts.append(f"<figure style='margin:0'>{figures.chart(title, lines)}</figure>")
    return (
        "<h2>Learning curves</h2><p>Training figures are of randomly changed examples, with dropout; the loss "
        "includes label smoothing and the auxiliary losses, so it can lie above that of validation.</p>"
        f"<div class='curves'>{''.join(charts)}</div>"
    )


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
        "<h2>Confusion matrix</h2><p>Rows: what an example is. Columns: what the network said.</p>"
        f"<div class='scroll'><table class='confusion'><tr><th></th>{heads}<th>precision</th><th>recall</th>"
        f"</tr>{''.join(rows)}</table></div>"
    )


def _cell(count: int, share: float, right: bool) -> str:
    if not count:
        return "<td></td>"
    colour = "37,99,168" if right else "194,87,12"
    strength = 0.12 + 0.7 * (share if right else min(1, share * 4))
    return f"<td style='background:rgba({colour},{strength:.2f})'>{count}</td>"


def _right(examples: Sequence[Example]) -> str:
    """Signals with the stretch that decided."""
    if not examples:
        return ""
    return (
        "<h2>What decided</h2><p>The surest right answer of each class. The darker the ground, the more that stretch "
        f"added to the answer (class activation map).</p><div class='signals'>{_gallery(examples)}</div>"
    )


def _mistakes(mistakes: Sequence[Example], result: dict[str, Any]) -> str:
    wrong = round((1 - result["top1"]) * result["count"])
    if not mistakes:
        return "<h2>Mistakes</h2><p>None on the part held out.</p>"
    kind = "signals" if mistakes[0].figure.startswith("<svg") else "pictures"
    return (
        f"<h2>Most confident mistakes</h2><p>{len(mistakes)} of {wrong}.</p><div class='{kind}'>"
        f"{_gallery(mistakes)}</div>"
    )


def _gallery(examples: Sequence[Example]) -> str:
    return "".join(
        f"<figure>{e.figure}<figcaption>is <b>{html.escape(e.label)}</b>, said <b>{html.escape(e.guess)}</b> "
        f"({e.probability:.0%})<br>{html.escape(Path(e.name).name)}</figcaption></figure>"
        for e in examples
    )


def _cost_table(model: GoogLeNet, preprocessing: dict[str, Any]) -> str:
    size = (preprocessing["length"],) if "length" in preprocessing else (preprocessing["size"],) * 2
    counted = cost(
        model.arch,
        size,
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
        f"million multiply-adds for an input of {'×'.join(map(str, size))}.</p><div class='scroll'><table><tr>"
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
