"""What pretrained weights are worth, by the number of pictures: those of Fashion-MNIST, for digits and in colour.

    python benchmarks/transfer.py [--data digits colour32] [--pictures 10 100 1000] [--seeds 0 1 2] [--ways WAY …]
                                  [--validate] [--resume]

Each seed draws so many pictures of each class from the training part. The test part, looked at once by the final
weights, is measured; with --validate the rest of the training part, to choose settings by. Of ``colour32`` the test
part are the pictures numbered from 1,600 of a class on. Two trainings run side by side, a core each; the result file
is written after each, and with --resume what is in it is not run again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch

from common import HERE, machine
from googlenet.data.builtin import digits
from googlenet.data.protocol import Dataset
from minutes import colour32

OUT = HERE / "transfer.json"
OURS = {"weights": "googlenet_small.fashion_mnist"}
SHORT = {"epochs": "50"}
WAYS = {
    "from scratch": {},
    "fine-tuned": OURS,
    "fine-tuned, norms frozen": OURS | {"freeze": "norms"},
    "fine-tuned, body at a tenth": OURS | {"body_rate": "0.1"},
    "classifier on features": OURS | {"freeze": "features"},
    "from scratch, 50 epochs": SHORT,
    "fine-tuned, 50 epochs": OURS | SHORT,
}


def colour() -> Dataset:
    """In colour, with a test part."""
    data = colour32()
    return dataclasses.replace(data, validation=None, test=data.validation)


DATA = {"digits": digits, "colour32": colour}


def few(data: Dataset, pictures: int, seed: int, validate: bool) -> Dataset:
    """So many pictures of each class to learn from.

    Args:
        data: With a test part.
        pictures: Of each class.
        seed: Says which.
        validate: Whether to measure on what is left of the training part.
    """
    draws = np.random.default_rng(seed)
    labels = data.train.labels.numpy()
    classes = range(len(data.classes))
    rows = np.concatenate([draws.permutation(np.flatnonzero(labels == each))[:pictures] for each in classes])
    rest = np.setdiff1d(np.arange(len(labels)), rows)
    test = data.train.subset(rest.tolist()) if validate else data.test
    return dataclasses.replace(data, train=data.train.subset(sorted(rows.tolist())), test=test)


def run(name: str, pictures: int, seed: int, way: str, validate: bool) -> dict[str, Any]:
    """A training on one core."""
    torch.set_num_threads(1)
    from googlenet.apps.jobs import choose_recipe, training_job
    from googlenet.nn.device import keep_memory

    keep_memory()  # as the command does
    data = few(DATA[name](), pictures, seed, validate)
    recipe = choose_recipe(data, None, WAYS[way] | {"seed": str(seed)})
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        result = training_job(data, recipe, Path(folder) / "run")
        seconds = time.perf_counter() - started
    found = {"accuracy": result.top1, "nll": result.nll, "ece": result.ece, "seconds": round(seconds, 2)}
    return {"data": name, "pictures": pictures, "seed": seed, "way": way, "validated": validate} | found


def asked(row: dict[str, Any]) -> tuple[Any, ...]:
    """What a row is of."""
    return tuple(row[key] for key in ("data", "pictures", "seed", "way", "validated"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--pictures", nargs="+", type=int, default=[10, 100, 1000])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--resume", action="store_true")
    chosen = parser.parse_args()
    rows = json.loads(OUT.read_text())["rows"] if chosen.resume and OUT.exists() else []
    rows = [row for row in rows if "data" in row]  # others are of an older script
    done = set(map(asked, rows))
    jobs = [
        job
        for job in product(chosen.data, chosen.pictures, chosen.seeds, chosen.ways, [chosen.validate])
        if job not in done and (job[0], job[1]) != ("digits", 1000)  # it has fewer
    ]
    with ProcessPoolExecutor(os.cpu_count(), max_tasks_per_child=1) as pool:
        for future in as_completed([pool.submit(run, *job) for job in jobs]):
            rows.append(future.result() | {"machine": machine()["processor"]})
            OUT.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")
            print(rows[-1], flush=True)

    for name, pictures, way in product(DATA, chosen.pictures, WAYS):
        wanted = name, pictures, way, chosen.validate
        mine = [row for row in rows if (row["data"], row["pictures"], row["way"], row["validated"]) == wanted]
        if mine:
            accuracies, seconds = [row["accuracy"] for row in mine], [row["seconds"] for row in mine]
            figures = f"{statistics.mean(accuracies):.4f}, {min(accuracies):.4f} to {max(accuracies):.4f}"
            print(f"{name:<9} {pictures:>5} {way:<28} {figures}   {statistics.median(seconds):.0f} s")


if __name__ == "__main__":
    main()
