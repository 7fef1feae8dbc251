"""What temperatures of signals are worth, and how the two numbers in them were chosen: on UCR training parts alone.

    python benchmarks/calibration.py [SET …] [--cache FOLDER]

Three quarters of each training part are learned from, the rest is what is measured. For each expected temperature and
each number of examples that it counts as: the log-loss beside that of plain probabilities, and on how many sets it is
lower. With ``--cache`` what was computed of a set is kept, and not computed again.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from common import SHARED, save

FOLDER = SHARED / "data" / "ucr"
EXPECTED, DOUBT = (0.5, 0.6, 0.7, 1.0), (0, 20, 40, 80, 160, np.inf)
BINS = 15


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows to learn from and to measure; ``None`` where too few classes have two examples."""
    from sklearn.model_selection import train_test_split

    counts = np.bincount(labels)
    rows = np.arange(len(labels))
    alone, rest = rows[counts[labels] < 2], rows[counts[labels] >= 2]
    if len(rest) < 2 * len(counts):
        return None
    share = max(round(0.25 * len(rest)), len(counts))
    learn, check = train_test_split(rest, test_size=share, stratify=labels[rest], random_state=0)
    return np.concatenate([learn, alone]), check


def plain(name: str, cache: Path) -> None:
    """What the recipe's network says of the examples to measure, as it is."""
    from googlenet import GoogLeNetClassifier
    from googlenet.data.signals.find import find_signals

    part = find_signals(str(FOLDER / name)).train
    labels = part.labels.numpy()
    learn, check = split(labels)
    started = time.perf_counter()
    model = GoogLeNetClassifier({"calibrate": False}, random_state=0)
    model.fit([part.signals[row] for row in learn], labels[learn])
    seconds = time.perf_counter() - started
    found = model.predict_proba([part.signals[row] for row in check])
    np.savez(cache / f"{name}-plain.npz", p=found, y=np.searchsorted(model.classes_, labels[check]), seconds=seconds)


def left_out(name: str, cache: Path) -> None:
    """What smaller networks say of the examples that they leave out."""
    from googlenet.data.protocol import Dataset
    from googlenet.data.signals.find import find_signals
    from googlenet.inference.calibration.out_of_fold import out_of_fold
    from googlenet.training.recipe import SIGNALS
    from googlenet.training.task import task_for

    data = find_signals(str(FOLDER / name))
    learn, _ = split(data.train.labels.numpy())
    part = data.train.subset(learn.tolist())
    started = time.perf_counter()
    found, labels = out_of_fold(
        task_for(Dataset(name, data.classes, part), SIGNALS.fitted(len(part), len(data.classes)))
    )
    np.savez(cache / f"{name}-folds.npz", p=found, y=labels, seconds=time.perf_counter() - started)


def run(job: tuple[str, str, Path]) -> str:
    """One of both for a set, on one core, unless it lies in the cache."""
    import torch

    from googlenet.nn.device import keep_memory

    torch.set_num_threads(1)
    keep_memory()
    kind, name, cache = job
    if not (cache / f"{name}-{kind}.npz").exists():
        {"plain": plain, "folds": left_out}[kind](name, cache)
    return f"{name} {kind}"


def loss(p: np.ndarray, y: np.ndarray) -> float:
    """Mean negative log likelihood, nats."""
    return float(-np.log(p[np.arange(len(y)), y].clip(1e-12)).mean())


def pooled_error(found: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Calibration error of all examples of all sets together."""
    sure = np.concatenate([p.max(1) for p, _ in found])
    right = np.concatenate([p.argmax(1) == y for p, y in found])
    which = np.minimum((sure * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(which, sure - right, minlength=BINS)).sum() / len(sure))


def choices(sets: dict[str, dict]) -> list[dict]:
    """A row for each expected temperature and each number of examples that it counts as."""
    from googlenet.inference.calibration.temperature import tempered

    rows = []
    for expected, doubt in product(EXPECTED, DOUBT):
        found = []
        for each in sets.values():
            share = 0.0 if doubt == np.inf else each["examples"] / max(1, each["examples"] + doubt)
            temperature = np.exp(share * np.log(each["temperature"]) + (1 - share) * np.log(expected))
            found.append((tempered(each["p"], temperature), each["y"]))
        losses = [loss(p, y) for p, y in found]
        lower = sum(new < each["loss"] for new, each in zip(losses, sets.values(), strict=True))
        rows.append(
            {
                "expected": expected,
                "counts_as": None if doubt == np.inf else doubt,
                "mean_loss": round(float(np.mean(losses)), 4),
                "lower_on": lower,
                "pooled_calibration_error": round(pooled_error(found), 4),
            }
        )
    return rows


def summed_up(names: list[str], cache: Path) -> dict:
    """The sets, and the choices."""
    from googlenet.inference.calibration import temperature as calibration

    sets = {}
    for name in names:
        seen, theirs = (np.load(cache / f"{name}-{kind}.npz") for kind in ("plain", "folds"))
        calibration.DOUBT, kept = 0, calibration.DOUBT  # what the examples say by themselves
        temperature = calibration.fitted_temperature(theirs["p"], theirs["y"]) if len(theirs["y"]) else 1.0
        calibration.DOUBT = kept
        sets[name] = {
            "p": seen["p"],
            "y": seen["y"],
            "loss": loss(seen["p"], seen["y"]),
            "temperature": temperature,
            "examples": len(theirs["y"]),
            "seconds": (float(seen["seconds"]), float(theirs["seconds"])),
        }
    plainly = [(each["p"], each["y"]) for each in sets.values()]
    shown = {
        name: {
            "learned_from": each["examples"],
            "measured": len(each["y"]),
            "accuracy": round(float((each["p"].argmax(1) == each["y"]).mean()), 4),
            "loss": round(each["loss"], 4),
            "temperature_left_out": round(each["temperature"], 3),
            "seconds": [round(s, 1) for s in each["seconds"]],
        }
        for name, each in sets.items()
    }
    mean = float(np.mean([each["loss"] for each in sets.values()]))
    return {
        "sets": len(sets),
        "plain": {"mean_loss": round(mean, 4), "pooled_calibration_error": round(pooled_error(plainly), 4)},
        "choices": choices(sets),
        "by_set": shown,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="names; all of the folder by default")
    parser.add_argument("--cache", type=Path, help="folder to keep what was computed in")
    chosen = parser.parse_args()
    from googlenet.data.signals.find import find_signals

    names = chosen.sets or sorted(path.name.removesuffix("_TRAIN.tsv") for path in FOLDER.glob("*_TRAIN.tsv"))
    names.sort(key=lambda name: (FOLDER / f"{name}_TRAIN.tsv").stat().st_size)
    names = [name for name in names if split(find_signals(str(FOLDER / name)).train.labels.numpy()) is not None]
    with TemporaryDirectory() as scratch, ProcessPoolExecutor(os.cpu_count()) as pool:
        cache = chosen.cache or Path(scratch)
        cache.mkdir(exist_ok=True)
        for done in pool.map(run, [(kind, name, cache) for name in names for kind in ("plain", "folds")]):
            print(done, flush=True)
        result = summed_up(names, cache)
    save("calibration", result)
    for row in [{"expected": "plain", **result["plain"]}, *result["choices"]]:
        print(row)


if __name__ == "__main__":
    main()
