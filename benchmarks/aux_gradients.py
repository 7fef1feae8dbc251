"""What the auxiliary classifiers do to the gradients of the plain network (no batch norm), early in training.

    python benchmarks/aux_gradients.py

Trains ``googlenet`` (quarter width, digits enlarged to 56 pixels) with and without its auxiliary classifiers
from the same weights on the same batches, and writes the norm of the gradient of every module over the steps
as ``aux_gradients.json`` and ``aux_gradients.svg``.
"""

from __future__ import annotations

import math
import statistics

import torch
from torch.nn.functional import cross_entropy, interpolate

from common import HERE, save
from googlenet import create_model
from googlenet.data.builtin import digits

EPOCHS, BATCH, SEEDS, RATE = 8, 32, (0, 1, 2), 0.01


def gradient_norms(seed: int, auxiliary: bool) -> tuple[list[dict[str, float]], float]:
    """Norm of each module's gradient, averaged over each epoch; and the test accuracy in the end."""
    data = digits()
    assert data.train is not None and data.test is not None
    torch.manual_seed(seed)
    model = create_model("googlenet", 10, 1, width=0.25)
    modules = ["conv1", "conv2", *model.arch.module_names()]
    optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=0.9, nesterov=True)
    rows = []
    for epoch in range(EPOCHS):
        order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(seed * 1000 + epoch))
        totals = dict.fromkeys(modules, 0.0)
        batches = order.split(BATCH)
        for rows_of_batch in batches:
            inputs = _enlarged(data.train.pixels[rows_of_batch])
            output = model(inputs, return_aux=True)
            labels = data.train.labels[rows_of_batch]
            loss = cross_entropy(output.logits, labels)
            if auxiliary:
                loss = loss + 0.3 * sum(cross_entropy(aux, labels) for aux in output.aux)
            optimizer.zero_grad()
            loss.backward()
            for name in modules:
                parts = [p.grad.square().sum() for p in model.features[name].parameters()]
                totals[name] += float(torch.stack(parts).sum().sqrt())
            optimizer.step()
        rows.append({name: total / len(batches) for name, total in totals.items()})
    model.eval()
    with torch.inference_mode():
        guesses = model(_enlarged(data.test.pixels)).argmax(1)
    return rows, float((guesses == data.test.labels).float().mean())


def _enlarged(pixels: torch.Tensor) -> torch.Tensor:
    return interpolate(pixels.float().div(127.5).sub(1), size=(56, 56), mode="bilinear")


def main() -> None:
    result = {}
    for auxiliary in (True, False):
        runs = [gradient_norms(seed, auxiliary) for seed in SEEDS]
        curves = {
            name: [statistics.median(run[0][epoch][name] for run in runs) for epoch in range(EPOCHS)]
            for name in runs[0][0][0]
        }
        result["with" if auxiliary else "without"] = {
            "gradient_norm": curves,
            "test_accuracy": [run[1] for run in runs],
        }
        print("with" if auxiliary else "without", "auxiliary classifiers, first epoch:")
        print("  " + "  ".join(f"{name} {values[0]:.3g}" for name, values in curves.items()))
        print("  test accuracy after", EPOCHS, "epochs:", [f"{run[1]:.3f}" for run in runs])
    setting = {"epochs": EPOCHS, "batch_size": BATCH, "seeds": SEEDS, "learning_rate": RATE, "width": 0.25}
    save("aux_gradients", {"setting": setting} | result)
    (HERE / "aux_gradients.svg").write_text(_chart(result))


def _chart(result: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Two panels, one line a module, a logarithmic axis: gradient norm over epochs."""
    left, top, width, height, gap = 56, 44, 300, 280, 90
    curves = {key: result[key]["gradient_norm"] for key in ("without", "with")}
    values = [value for panel in curves.values() for line in panel.values() for value in line]
    low, high = math.log10(min(values)), math.log10(max(values))

    def y(value: float) -> float:
        return top + height * (high - math.log10(value)) / (high - low)

    parts = [f'<text x="{left - 46}" y="{top - 12}">gradient norm</text>']
    for panel, (key, lines) in enumerate(curves.items()):
        x0 = left + panel * (width + gap)
        parts.append(f'<text x="{x0}" y="18" font-size="14">{key} auxiliary classifiers</text>')
        for tick in (digit * 10.0**power for power in range(-6, 6) for digit in (1, 2, 5)):
            if min(values) <= tick <= max(values):
                parts.append(f'<line x1="{x0}" x2="{x0 + width}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>')
                parts.append(f'<text x="{x0 - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
        colours = {
            name: f"hsl({220 - 200 * number / (len(lines) - 1):.0f},65%,40%)" for number, name in enumerate(lines)
        }
        for name, line in lines.items():
            path = " ".join(f"{x0 + width * epoch / (EPOCHS - 1):.1f},{y(v):.1f}" for epoch, v in enumerate(line))
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colours[name]}" stroke-width="1.6"/>')
        place = 0.0
        for name in sorted(lines, key=lambda name: -lines[name][-1]):  # labels from the top, kept apart
            place = max(place + 11, y(lines[name][-1]) + 4)
            parts.append(f'<text x="{x0 + width + 6}" y="{place:.1f}" fill="{colours[name]}">{name}</text>')
        parts.append(f'<text x="{x0 + width}" y="{top + height + 22}" text-anchor="end">epochs 1 to {EPOCHS}</text>')
    size = f"{left + 2 * width + gap + 60} {top + height + 34}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


if __name__ == "__main__":
    main()
