"""How the recipe for signals was chosen: on UCR training parts alone, some of each to learn from, the rest to measure.

    python benchmarks/signals_choice.py [SET …] [field=value …] [--measure 0.3]

Each call adds a row to ``signals_choice.json``: the recipe's fields that were changed, and for each set accuracy,
negative log likelihood and seconds of training on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from common import HERE, SHARED, machine

FOLDER = SHARED / "data" / "ucr"
SETS = ["PLAID", "ScreenType", "OSULeaf", "WordSynonyms", "Adiac", "GestureMidAirD1", "Fish", "MedicalImages"]
OUT = HERE / "signals_choice.json"


def measure(name: str, share: float, changes: dict[str, str]) -> dict[str, float]:
    """Accuracy, negative log likelihood and seconds of training on a split of a training part."""
    import torch
    from sklearn.model_selection import train_test_split

    from googlenet import GoogLeNetClassifier
    from googlenet.data.signals.find import find_signals
    from googlenet.nn.device import keep_memory
    from googlenet.training.recipe import SIGNALS

    torch.set_num_threads(1)
    keep_memory()
    part = find_signals(str(FOLDER / name)).train
    labels = part.labels.numpy()
    learn, check = train_test_split(np.arange(len(labels)), test_size=share, stratify=labels, random_state=0)
    model = GoogLeNetClassifier(recipe=SIGNALS.with_changes(changes), random_state=0)
    started = time.perf_counter()
    model.fit([part.signals[row] for row in learn], labels[learn])
    seconds = time.perf_counter() - started
    found = model.predict_proba([part.signals[row] for row in check])
    place = np.searchsorted(model.classes_, labels[check])
    right = found[np.arange(len(check)), place].clip(1e-6)
    return {
        "accuracy": float((found.argmax(1) == place).mean()),
        "nll": float(-np.log(right).mean()),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="SET", help=f"names, then changes; by default {' '.join(SETS)}")
    parser.add_argument("--measure", type=float, default=0.3, help="share of the training part to measure on")
    chosen = parser.parse_args()
    names = [word for word in chosen.words if "=" not in word] or SETS
    changes = dict(word.split("=") for word in chosen.words if "=" in word)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = dict(zip(names, pool.map(measure, names, repeat(chosen.measure), repeat(changes)), strict=True))
    for name, row in results.items():
        print(f"{name:<24}{row['accuracy']:.4f}  {row['nll']:.4f}  {row['seconds']:.0f} s")
    means = {key: round(float(np.mean([row[key] for row in results.values()])), 4) for key in ("accuracy", "nll")}
    seconds = sum(row["seconds"] for row in results.values())
    print(f"{changes or 'the recipe'}: mean {means}, {seconds:.0f} core-seconds")
    rows = json.loads(OUT.read_text()) if OUT.exists() else []
    rows.append({"machine": machine(), "changes": changes, "measured": chosen.measure, "mean": means, "sets": results})
    OUT.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
