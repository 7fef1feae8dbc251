"""Seconds and accuracy of MultiROCKET-Hydra, QUANT and ROCKET on the UCR sets of equal length, as aeon writes them.

    pip install --editable '.[peers]'
    python benchmarks/ucr_peers.py [SET …] [--data FOLDER] [--resume]

Each learns from a set's training part and reads its test part, once, on one core; two sets run side by side. What Numba
compiles is compiled before, on two classes of noise, so that no second is of a compiler. Rows of this package are in
``ucr.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

import numpy as np

from common import HERE, SHARED, machine

OUT = HERE / "ucr_peers.json"


def peers() -> dict[str, Callable]:
    """By the names that they are published under."""
    from aeon.classification.convolution_based import MultiRocketHydraClassifier, RocketClassifier
    from aeon.classification.interval_based import QUANTClassifier

    return {"MR-Hydra": MultiRocketHydraClassifier, "QUANT": QUANTClassifier, "ROCKET": RocketClassifier}


def part(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Signals ``(n, 1, length)`` and labels of a file of the archive."""
    rows = np.genfromtxt(path, delimiter="\t")
    return rows[:, None, 1:], rows[:, 0].astype(int)


def equal(folder: Path, name: str) -> bool:
    """Whether no value of a set is missing, so that these methods can read it."""
    return not any(np.isnan(part(folder / f"{name}_{which}.tsv")[0]).any() for which in ("TRAIN", "TEST"))


def run(folder: Path, name: str, method: str) -> dict[str, str | float]:
    """A training and its answers on one core."""
    import torch

    torch.set_num_threads(1)
    noise = np.random.default_rng(0).normal(size=(8, 1, 64))
    peers()[method](random_state=0).fit(noise, np.arange(8) % 2).predict(noise)
    (x, y), (vx, vy) = (part(folder / f"{name}_{which}.tsv") for which in ("TRAIN", "TEST"))
    model, started = peers()[method](random_state=0), time.perf_counter()
    model.fit(x, y)
    learned = time.perf_counter()
    accuracy = float((model.predict(vx) == vy).mean())
    seconds = {"train_seconds": learned - started, "predict_seconds": time.perf_counter() - learned}
    return {"set": name, "method": method, "accuracy": accuracy} | {key: round(s, 2) for key, s in seconds.items()}


def summary(rows: list[dict]) -> dict[str, dict[str, float]]:
    """Of each method: its sets, mean accuracy, and core minutes of all of them."""
    found = {}
    for method in sorted({row["method"] for row in rows}):
        mine = [row for row in rows if row["method"] == method]
        minutes = {key: round(sum(row[f"{key}_seconds"] for row in mine) / 60, 1) for key in ("train", "predict")}
        accuracy = round(float(np.mean([row["accuracy"] for row in mine])), 4)
        found[method] = {"sets": len(mine), "mean_accuracy": accuracy, "core_minutes": minutes}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="names; all of the folder by default")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "ucr")
    parser.add_argument("--resume", action="store_true", help="go on with the result file")
    chosen = parser.parse_args()
    names = chosen.sets or sorted(path.name.removesuffix("_TRAIN.tsv") for path in chosen.data.glob("*_TRAIN.tsv"))
    rows = json.loads(OUT.read_text())["rows"] if chosen.resume and OUT.exists() else []
    done = {(row["set"], row["method"]) for row in rows}
    todo = [job for job in product([n for n in names if equal(chosen.data, n)], peers()) if job not in done]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for job in as_completed([pool.submit(run, chosen.data, *job) for job in todo]):
            rows.append(job.result())
            print(rows[-1], flush=True)
            OUT.write_text(json.dumps({"machine": machine(), "rows": rows, "summary": summary(rows)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
