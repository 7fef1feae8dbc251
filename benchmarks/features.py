"""How many drawings excite their channel more than the best training example, and what they cost.

All channels of one module of ``googlenet_small`` (Fashion-MNIST, 60,000 examples) and of the network of GunPoint (50):
both shipped, drawn as ``googlenet features`` draws them. The measure is the same for both: a channel's mean over all
positions, of inputs as the network reads them (8-bit pixels), in float32.

    python benchmarks/features.py             # writes features.json
    python benchmarks/features.py --figures   # draws docs/explain-features-*.png and docs/explain-dream-*
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from common import HERE, save
from googlenet.apps.inside.dreams import Wanted, dream_job
from googlenet.apps.inside.features import Asked, Features, features_job
from googlenet.data.find import find_data
from googlenet.explain.figures import saved

CASES = {
    "fashion-mnist": ("googlenet_small.fashion_mnist", "4c"),
    "gunpoint": ("googlenet_1d.gunpoint", "3a"),
}
SHOWN = {"fashion-mnist": range(0, 256, 4), "gunpoint": range(0, 512, 16)}  # channels of a figure
DOCS = HERE.parent / "docs"


def measured(data: str, folder: Path) -> dict[str, object]:
    """Every channel of a module, from nothing to its sheet."""
    run, module = CASES[data]
    wall, processor = time.perf_counter(), time.process_time()
    found = features_job(run, folder / data, Asked(module, data))
    seconds = {
        "wall_seconds": round(time.perf_counter() - wall, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
    }
    ratios = [row["ratio"] for row in found.rows() if row["ratio"] is not None]
    channels = len(found.found.objectives)
    result: dict[str, object] = {
        "network": run,
        "module": module,
        "channels": channels,
        "examples": found.examples,
        "steps": Asked().steps,
        "seed": Asked().seed,
        "exceeding": found.exceeding,
        "share": round(found.exceeding / channels, 4),
        "ratio": {
            "least": round(min(ratios), 3),
            "median": round(statistics.median(ratios), 3),
            "most": round(max(ratios), 3),
            "n": len(ratios),
        },
        "channels_that_no_example_excites": channels - len(ratios),
    }
    print(data, result, seconds, flush=True)
    return result | (seconds if not found.before else {})


def chosen(found: Features, rows: range) -> Features:
    """Some of the channels."""
    objectives = tuple(found.found.objectives[row] for row in rows)
    visualisation = dataclasses.replace(
        found.found,
        objectives=objectives,
        inputs=found.found.inputs[rows],
        activations=found.found.activations[rows],
    )
    return dataclasses.replace(found, found=visualisation, best=tuple(found.best[row] for row in rows))


def draw(folder: Path) -> None:
    """The figures of docs/explain.md, from what was measured or, where nothing was, drawn now."""
    for data, (run, module) in CASES.items():
        found = chosen(features_job(run, folder / data, Asked(module, data)), SHOWN[data])
        title = f"{run}, every {SHOWN[data].step}th channel of {module}, beside it the training examples that excite it"
        saved(DOCS / f"explain-features-{data}.png", found.found.figure(found.best, title))
    classes = features_job("googlenet_small.fashion_mnist", folder / "classes", Asked("class", variety=3))
    saved(DOCS / "explain-features-classes.png", classes.found.figure(title="What excites each class, three of each"))
    clothes(folder / "clothes.png")
    dreams = []
    for at in ("3a", "4c", "5b"):
        out = folder / f"dream-{at}.png"
        dream_job("googlenet_small.fashion_mnist", str(folder / "clothes.png"), out, Wanted(at, steps=20))
        dreams.append(np.asarray(Image.open(out)))
    white = np.full((112, 4), 255, np.uint8)
    page = np.concatenate(
        [np.asarray(Image.open(folder / "clothes.png")), white, dreams[0], white, dreams[1], white, dreams[2]], axis=1
    )
    Image.fromarray(page.repeat(2, 0).repeat(2, 1)).save(DOCS / "explain-dream-fashion-mnist.png", optimize=True)
    data = find_data("gunpoint")
    assert data.test is not None
    signals = [np.asarray(example.content).reshape(-1) for example in data.test.examples(preprocessing())]
    (folder / "signals.csv").write_text("\n".join(",".join(f"{x:.6g}" for x in row) for row in signals[:3]) + "\n")
    out = DOCS / "explain-dream-gunpoint.svg"
    dream_job("googlenet_1d.gunpoint", str(folder / "signals.csv"), out, Wanted("3a", octaves=1))


def preprocessing():
    """Of the network of GunPoint."""
    from googlenet.inference.load import load_pipeline

    return load_pipeline("googlenet_1d.gunpoint")[0].preprocessing


def clothes(path: Path) -> None:
    """A picture of four times four pictures of Fashion-MNIST's test part (MIT licence)."""
    part = find_data("fashion-mnist").held_out.pixels[:16, 0].numpy()
    Image.fromarray(part.reshape(4, 4, 28, 28).transpose(0, 2, 1, 3).reshape(112, 112)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", action="store_true", help="draw the figures of docs/explain.md")
    parser.add_argument("--folder", type=Path, help="keep what is drawn there, and go on with it")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = words.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if words.figures:
            draw(folder)
        else:
            save("features", {data: measured(data, folder) for data in CASES})


if __name__ == "__main__":
    main()
