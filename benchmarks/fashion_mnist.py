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
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from common import HERE, machine, spread

COMMAND = str(Path(sys.executable).with_name("googlenet"))
OUT = HERE / "fashion_mnist.json"


def run_of(seed: int) -> Path:
    """Its folder."""
    return Path("runs") / f"fashion-mnist-{seed}"


def figures(result: dict[str, Any]) -> dict[str, Any]:
    """Of an evaluation."""
    return {"accuracy": result["top1"], "nll": result["nll"], "ece": result["ece"]}


def train(minutes: float, seed: int) -> dict[str, Any]:
    run = run_of(seed)
    shutil.rmtree(run, ignore_errors=True)
    command = [COMMAND, "train", "fashion-mnist", "--minutes", str(minutes), "--out", str(run), "--seed", str(seed)]
    started = time.perf_counter()
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - started
    return {
        "asked": minutes,
        "seed": seed,
        **figures(json.loads((run / "evaluation.json").read_text())),
        "minutes": round(seconds / 60, 2),
        "epoch_seconds": spread([json.loads(line)["seconds"] for line in (run / "times.jsonl").open()]),
        "machine": machine(),
        "recipe": json.loads((run / "run.json").read_text())["recipe"],
    }


def averaged(minutes: float, seeds: list[int]) -> dict[str, Any]:
    """The mean answer of runs that were just trained."""
    command = [COMMAND, "evaluate", *map(str, map(run_of, seeds)), "fashion-mnist", "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"asked": minutes, "seeds": seeds} | figures(json.loads(done.stdout))


def add(kind: str, row: dict[str, Any], key: str) -> None:
    """Puts a row among those of a kind in the result file, in place of one of the same minutes and key."""
    result = json.loads(OUT.read_text()) if OUT.exists() else {"runs": [], "averaged": []}
    others = [one for one in result[kind] if (one["asked"], one[key]) != (row["asked"], row[key])]
    result[kind] = sorted([*others, row], key=lambda one: (one["asked"], one[key]))
    OUT.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("seeds", nargs="*", type=int, default=[0])
    options = parser.parse_args()
    for seed in options.seeds:
        row = train(options.minutes, seed)
        add("runs", row, "seed")
        epochs, median = row["epoch_seconds"]["n"], row["epoch_seconds"]["median"]
        print(f"seed {seed}: accuracy {row['accuracy']:.4f}, calibration error {row['ece']:.4f}, ", end="")
        print(f"in {row['minutes']:.1f} minutes, {epochs} epochs of {median:.1f} seconds")
    if len(options.seeds) > 1:
        both = averaged(options.minutes, options.seeds)
        add("averaged", both, "seeds")
        print(f"averaged: accuracy {both['accuracy']:.4f}, calibration error {both['ece']:.4f}")


if __name__ == "__main__":
    main()
