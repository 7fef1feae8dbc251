"""What pretrained weights are worth by the number of pictures: those of Fashion-MNIST, which are part of the package.

    python benchmarks/few_pictures.py [WAY …] [--data digits colour32] [--each 10 100 1000] [--seeds 3] [--validate]
                                      [--resume]

Each seed draws so many pictures of each class to learn from. Every way has the same time on one core, annealed in it,
two ways side by side; what it comes to is measured on pictures that it did not draw. With ``--validate`` digits are
measured on the rest of the training part, for choosing settings; without, on the test part, looked at once. colour32
(not part of the repository) is cut by the numbers of its files, a split to choose by. The result file is written after
every training; with ``--resume``, what is in it is not run again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from common import HERE, machine
from minutes import colour32

OURS = {"weights": "googlenet_small.fashion_mnist"}
WAYS = {
    "from scratch": {},
    "fine-tuned": OURS,
    "body at 0.3": OURS | {"body_rate": "0.3"},
    "body at 0.1": OURS | {"body_rate": "0.1"},
    "norms frozen": OURS | {"freeze": "norms"},
    "classifier on features": OURS | {"freeze": "features"},
}
SECONDS = {10: 30, 100: 60, 1000: 120}  # of one core, by pictures of a class
MEASURED = 2000  # of the pictures of colour32 that are not learned from


def few(name: str, each: int, seed: int, validate: bool):
    """Data with so many pictures of a class to learn from."""
    from googlenet.data.builtin import digits
    from googlenet.data.protocol import Dataset

    data = digits() if name == "digits" else colour32()
    draws = np.random.default_rng(seed)
    labels = data.train.labels.numpy()
    rows = [draws.permutation(np.flatnonzero(labels == label))[:each] for label in range(len(data.classes))]
    learn = np.sort(np.concatenate(rows))
    if name == "colour32":
        measured = data.validation.subset(draws.permutation(len(data.validation))[:MEASURED].tolist())
    elif validate:
        measured = data.train.subset(np.setdiff1d(np.arange(len(labels)), learn).tolist())
    else:
        measured = data.test
    return Dataset(data.name, data.classes, data.train.subset(learn.tolist()), test=measured)


def run(job: tuple[str, int, str, int, bool]) -> dict:
    """A training on one core."""
    import torch

    from googlenet.apps.jobs import choose_recipe, training_job
    from googlenet.nn.device import keep_memory

    torch.set_num_threads(1)
    keep_memory()
    name, each, way, seed, validate = job
    data = few(name, each, seed, validate)
    changes = WAYS[way] | {"seed": str(seed), "calibrate": "no"}
    if changes.get("freeze") != "features":
        changes |= {"max_seconds": str(SECONDS[each])}
    recipe = choose_recipe(data, None, changes)
    recipe = dataclasses.replace(recipe, epochs=recipe.epochs if recipe.freeze == "features" else 10_000)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        result = training_job(data, recipe, Path(folder) / "run")
        seconds = time.perf_counter() - started
    found = {"accuracy": result.top1, "seconds": round(seconds, 1)}
    return {"data": name, "each": each, "way": way, "seed": seed} | found


def summary(rows: list[dict]) -> list[dict]:
    """A row for each data set, number of pictures and way."""
    table = []
    for name, each, way in sorted({(row["data"], row["each"], row["way"]) for row in rows}):
        mine = [row for row in rows if (row["data"], row["each"], row["way"]) == (name, each, way)]
        accuracies = [row["accuracy"] for row in mine]
        table.append(
            {
                "data": name,
                "each": each,
                "way": way,
                "n": len(mine),
                "mean": round(statistics.mean(accuracies), 4),
                "sd": round(statistics.stdev(accuracies), 4) if len(accuracies) > 1 else None,
                "median_seconds": statistics.median(row["seconds"] for row in mine),
            }
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ways", nargs="*", metavar="WAY", help="by default all")
    parser.add_argument("--data", nargs="+", choices=["digits", "colour32"], default=["digits"])
    parser.add_argument("--each", nargs="+", type=int, choices=SECONDS, default=[10, 100])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--resume", action="store_true", help="go on with the result file")
    chosen = parser.parse_args()
    out = HERE / ("few_pictures_choice.json" if chosen.validate else "few_pictures.json")
    rows = json.loads(out.read_text())["rows"] if chosen.resume and out.exists() else []
    done = {(row["data"], row["each"], row["way"], row["seed"]) for row in rows}
    cases = [case for case in product(chosen.data, chosen.each) if case != ("digits", 1000)]  # which has 130 of each
    jobs = [(*case, way, seed) for case in cases for seed in range(chosen.seeds) for way in chosen.ways or WAYS]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(run, [(*job, chosen.validate) for job in jobs if job not in done]):
            rows.append(row)
            print(row, flush=True)
            result = {"machine": machine(), "rows": rows, "summary": summary(rows)}
            out.write_text(json.dumps(result, indent=1) + "\n")
    for row in summary(rows):
        print(row)


if __name__ == "__main__":
    main()
