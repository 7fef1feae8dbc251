"""Test accuracy, calibration and time on Fashion-MNIST, from the command that people type.

    python benchmarks/fashion_mnist.py [--minutes 30] [seed …]

The test part is looked at once, by the command itself, after the last step. The runs stay in runs/. A row takes the
place of an earlier one of the same seed and minutes in the result file; the others stay, each with its machine, so that
an evening's seeds add to another's.
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


def train(minutes: float, seed: int) -> dict[str, Any]:
    run = Path("runs") / f"fashion-mnist-{seed}"
    shutil.rmtree(run, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("googlenet")), "train", "fashion-mnist", "--minutes", str(minutes)]
    started = time.perf_counter()
    subprocess.run([*command, "--out", str(run), "--seed", str(seed)], check=True)
    seconds = time.perf_counter() - started
    result = json.loads((run / "evaluation.json").read_text())
    return {
        "asked": minutes,
        "seed": seed,
        "accuracy": result["top1"],
        "nll": result["nll"],
        "ece": result["ece"],
        "minutes": round(seconds / 60, 2),
        "epoch_seconds": spread([json.loads(line)["seconds"] for line in (run / "metrics.jsonl").open()]),
        "machine": machine(),
        "recipe": json.loads((run / "run.json").read_text())["recipe"],
    }


def add(path: Path, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Puts a row into a result file, and gives those of as many minutes."""
    rows = json.loads(path.read_text())["runs"] if path.exists() else []
    others = [one for one in rows if (one["asked"], one["seed"]) != (row["asked"], row["seed"])]
    rows = sorted([*others, row], key=lambda one: (one["asked"], one["seed"]))
    path.write_text(json.dumps({"runs": rows}, indent=1) + "\n")
    return [one for one in rows if one["asked"] == row["asked"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("seeds", nargs="*", type=int, default=[0])
    options = parser.parse_args()
    for seed in options.seeds:
        row = train(options.minutes, seed)
        rows = add(HERE / "fashion_mnist.json", row)
        epochs, median = row["epoch_seconds"]["n"], row["epoch_seconds"]["median"]
        print(f"seed {seed}: accuracy {row['accuracy']:.4f}, calibration error {row['ece']:.4f}, ", end="")
        print(f"in {row['minutes']:.1f} minutes, {epochs} epochs of {median:.1f} seconds")
    accuracies = [one["accuracy"] for one in rows]
    mean = statistics.mean(accuracies)
    print(f"{len(accuracies)} seeds: mean {mean:.4f}, {min(accuracies):.4f} to {max(accuracies):.4f}")


if __name__ == "__main__":
    main()
