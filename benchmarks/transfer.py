"""What pretrained weights are worth: digits from 100 labelled pictures, with and without those of Fashion-MNIST.

    python benchmarks/transfer.py [--seeds 5] [--validate]

Each seed draws ten pictures of each digit from the training part. With --validate accuracy is measured on the rest of
the training part, for choosing settings; without, on the test part, looked at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from common import save
from googlenet.apps.jobs import choose_recipe, training_job
from googlenet.data.builtin import digits
from googlenet.data.protocol import Dataset
from googlenet.nn.device import keep_memory

OURS = {"weights": "googlenet_small.fashion_mnist"}
SHORT = {"epochs": "50"}  # a fifth of what the recipe gives so few pictures
WAYS = {
    "from scratch": {},
    "fine-tuned": OURS,
    "from scratch, 50 epochs": SHORT,
    "fine-tuned, 50 epochs": OURS | SHORT,
    "fine-tuned, norms frozen, 50": OURS | SHORT | {"freeze": "norms"},
    "classifier on features": OURS | {"freeze": "features"},
}


def few(seed: int, validate: bool) -> Dataset:
    """Digits with ten labelled pictures a class to learn from."""
    data = digits()
    draws = np.random.default_rng(seed)
    labels = data.train.labels.numpy()
    rows = np.concatenate([draws.permutation(np.flatnonzero(labels == digit))[:10] for digit in range(10)])
    rest = np.setdiff1d(np.arange(len(labels)), rows)
    test = data.train.subset(rest.tolist()) if validate else data.test
    return dataclasses.replace(data, train=data.train.subset(sorted(rows.tolist())), test=test)


def run(way: str, seed: int, validate: bool) -> dict[str, float]:
    data = few(seed, validate)
    recipe = choose_recipe(data, None, WAYS[way] | {"seed": str(seed)})
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        result = training_job(data, recipe, Path(folder) / "run")
        seconds = time.perf_counter() - started
    return {"way": way, "seed": seed, "accuracy": result.top1, "seconds": round(seconds, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--validate", action="store_true")
    chosen = parser.parse_args()
    keep_memory()  # as the command does
    rows = [run(way, seed, chosen.validate) for seed in range(chosen.seeds) for way in WAYS]
    table = {}
    for way in WAYS:
        mine = [row for row in rows if row["way"] == way]
        accuracies, seconds = [row["accuracy"] for row in mine], [row["seconds"] for row in mine]
        table[way] = {
            "mean": round(statistics.mean(accuracies), 4),
            "sd": round(statistics.stdev(accuracies), 4),
            "median_seconds": statistics.median(seconds),
        }
        print(f"{way:<29} {table[way]['mean']:.4f} ± {table[way]['sd']:.4f}   {table[way]['median_seconds']:.1f} s")
    if not chosen.validate:
        save("transfer", {"rows": rows, "summary": table})


if __name__ == "__main__":
    main()
