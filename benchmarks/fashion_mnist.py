"""Test accuracy and time of a recipe on Fashion-MNIST, from the command that people type.

    python benchmarks/fashion_mnist.py [--recipe small-long] [seed …]

The test part is looked at once, by the command itself, after the last step. The runs stay in runs/.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from common import save, spread


def train(recipe: str, seed: int) -> dict[str, Any]:
    run = Path("runs") / f"fashion-mnist-{recipe}-{seed}"
    shutil.rmtree(run, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("googlenet")), "train", "fashion-mnist", "--recipe", recipe]
    started = time.perf_counter()
    subprocess.run([*command, "--out", str(run), "--seed", str(seed)], check=True)
    seconds = time.perf_counter() - started
    result = json.loads((run / "evaluation.json").read_text())
    return {
        "seed": seed,
        "accuracy": result["top1"],
        "nll": result["nll"],
        "ece": result["ece"],
        "minutes": round(seconds / 60, 2),
        "epoch_seconds": spread([json.loads(line)["seconds"] for line in (run / "metrics.jsonl").open()]),
        "recipe": json.loads((run / "run.json").read_text())["recipe"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="small", help="see googlenet recipes")
    parser.add_argument("seeds", nargs="*", type=int, default=[0])
    options = parser.parse_args()
    rows = [train(options.recipe, seed) for seed in options.seeds]
    accuracies = [row["accuracy"] for row in rows]
    for row in rows:
        epochs, median = row["epoch_seconds"]["n"], row["epoch_seconds"]["median"]
        print(f"seed {row['seed']}: accuracy {row['accuracy']:.4f} in {row['minutes']:.1f} minutes, ", end="")
        print(f"{epochs} epochs of {median:.1f} seconds, {epochs * median / 3600:.2f} hours")
    deviation = statistics.stdev(accuracies) if len(rows) > 1 else None
    name = "fashion_mnist" if options.recipe == "small" else f"fashion_mnist_{options.recipe}"
    save(name.replace("-", "_"), {"runs": rows, "mean": statistics.mean(accuracies), "spread": deviation})


if __name__ == "__main__":
    main()
