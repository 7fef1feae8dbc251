"""How the recipe for signals was chosen: on UCR training parts alone, 70 % to learn from, 30 % to measure.

python benchmarks/signals_choice.py [SET …] [-- field=value …]
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "ucr"
SETS = ["OSULeaf", "ScreenType", "Adiac", "GestureMidAirD1", "MedicalImages", "WordSynonyms", "Fish"]


def measure(name: str, changes: dict[str, str]) -> tuple[float, float, float]:
    """Accuracy, negative log likelihood and seconds of training on a split of a training part."""
    from sklearn.model_selection import train_test_split

    from googlenet import GoogLeNetClassifier
    from googlenet.data.signals import find_signals
    from googlenet.training.recipe import SIGNALS

    part = find_signals(str(FOLDER / name)).train
    labels = part.labels.numpy()
    learn, check = train_test_split(np.arange(len(labels)), test_size=0.3, stratify=labels, random_state=0)
    model = GoogLeNetClassifier(recipe=SIGNALS.with_changes(changes), random_state=0)
    started = time.perf_counter()
    model.fit([part.signals[row] for row in learn], labels[learn])
    seconds = time.perf_counter() - started
    found = model.predict_proba([part.signals[row] for row in check])
    place = np.searchsorted(model.classes_, labels[check])
    right = found[np.arange(len(check)), place].clip(1e-6)
    return float((found.argmax(1) == place).mean()), float(-np.log(right).mean()), seconds


def main() -> None:
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    names = sys.argv[1:at] or SETS
    changes = dict(word.split("=") for word in sys.argv[at + 1 :])
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(measure, names, [changes] * len(names)))
    for name, (accuracy, nll, seconds) in zip(names, rows, strict=True):
        print(f"{name:<24}{accuracy:.4f}  {nll:.4f}  {seconds:.0f} s")
    accuracy, nll, seconds = np.array(rows).T
    print(f"{changes}: mean accuracy {accuracy.mean():.4f}, nll {nll.mean():.4f}, {seconds.sum():.0f} core-seconds")


if __name__ == "__main__":
    main()
