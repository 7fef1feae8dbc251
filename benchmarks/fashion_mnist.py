"""Test accuracy and time of the default recipe on Fashion-MNIST, from the command that people type.

    python benchmarks/fashion_mnist.py [seed …]

The test part is looked at once, by the command itself, after the last step. The runs stay in runs/fashion-mnist-SEED.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from common import save


def train(seed: int) -> dict[str, float]:
    run = Path("runs") / f"fashion-mnist-{seed}"
    shutil.rmtree(run, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("googlenet")), "train", "fashion-mnist"]
    started = time.perf_counter()
    subprocess.run([*command, "--out", str(run), "--seed", str(seed)], check=True)
    seconds = time.perf_counter() - started
    result = json.loads((run / "evaluation.json").read_text())
    recipe = json.loads((run / "run.json").read_text())["recipe"]
    return {
        "seed": seed,
        "accuracy": result["top1"],
        "nll": result["nll"],
        "ece": result["ece"],
        "minutes": round(seconds / 60, 2),
        "recipe": recipe,
    }


def main() -> None:
    rows = [train(int(seed)) for seed in sys.argv[1:] or ["0"]]
    accuracies = [row["accuracy"] for row in rows]
    for row in rows:
        print(f"seed {row['seed']}: accuracy {row['accuracy']:.4f} in {row['minutes']:.1f} minutes")
    spread = statistics.stdev(accuracies) if len(rows) > 1 else None
    save("fashion_mnist", {"runs": rows, "mean": statistics.mean(accuracies), "spread": spread})


if __name__ == "__main__":
    main()
