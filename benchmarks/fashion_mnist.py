"""Test accuracy and time of a recipe on Fashion-MNIST, from the command that people type.

    python benchmarks/fashion_mnist.py [--recipe small-long] [seed …]

The test part is looked at once, by the command itself, after the last step. The runs stay in runs/. A seed takes the
place of an earlier row of the same seed in the result file; the others stay, each with its machine, so that an
evening's seeds add to another's.
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

from common import HERE, machine, spread


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
        "machine": machine(),
        "recipe": json.loads((run / "run.json").read_text())["recipe"],
    }


def add(path: Path, row: dict[str, Any]) -> dict[str, Any]:
    """Puts a row among those of other seeds in a result file, and gives the whole."""
    others = json.loads(path.read_text())["runs"] if path.exists() else []
    rows = sorted([other for other in others if other["seed"] != row["seed"]] + [row], key=lambda one: one["seed"])
    accuracies = [one["accuracy"] for one in rows]
    deviation = statistics.stdev(accuracies) if len(rows) > 1 else None
    result = {"mean": statistics.mean(accuracies), "spread": deviation, "runs": rows}
    path.write_text(json.dumps(result, indent=1) + "\n")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="small", help="see googlenet recipes")
    parser.add_argument("seeds", nargs="*", type=int, default=[0])
    options = parser.parse_args()
    name = "fashion_mnist" if options.recipe == "small" else f"fashion_mnist_{options.recipe}"
    path = HERE / f"{name.replace('-', '_')}.json"
    for seed in options.seeds:
        row = train(options.recipe, seed)
        result = add(path, row)
        epochs, median = row["epoch_seconds"]["n"], row["epoch_seconds"]["median"]
        print(f"seed {seed}: accuracy {row['accuracy']:.4f} in {row['minutes']:.1f} minutes, ", end="")
        print(f"{epochs} epochs of {median:.1f} seconds, {epochs * median / 3600:.2f} hours")
    accuracies = [row["accuracy"] for row in result["runs"]]
    print(f"{len(accuracies)} seeds: mean {result['mean']:.4f}, {min(accuracies):.4f} to {max(accuracies):.4f}")


if __name__ == "__main__":
    main()
