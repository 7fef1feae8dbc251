"""What temperatures of signals are worth, and competing kernels beside the networks, and how the numbers in both were
chosen: on UCR training parts alone.

    python benchmarks/calibration.py [SET …] [--cache FOLDER]

Three quarters of each training part are learned from, the rest is what is measured. For each expected temperature and
each number of examples that it counts as: the log-loss beside that of plain probabilities, and on how many sets it is
lower. For each loudness of kernels: accuracy and log-loss of the networks with them. And for each gain in likelihood
from which on the smoothing of labels is undone: on how many sets it is, and the log-loss. With ``--cache`` what
was computed of a set is kept, and not computed again.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, product
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from common import SHARED, save

FOLDER = SHARED / "data" / "ucr"
EXPECTED, DOUBT = (0.5, 0.6, 0.7, 1.0), (0, 20, 40, 80, 160, np.inf)
GAINS = (np.inf, 4.0, 2.0, 1.0, 0.0, -np.inf)  # nats; never, …, always
LOUD, BESIDE = (0.5, 0.75, 1.0, 1.5, 3.0), (0.6, 0.8, 1.0)  # how much kernels count; temperatures beside them
BINS = 15
KINDS = "plain", "folds", "kernels"


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
    model = GoogLeNetClassifier({"calibrate": False, "competing": 0}, random_state=0)
    model.fit([part.signals[row] for row in learn], labels[learn])
    seconds = time.perf_counter() - started
    found = model.predict_proba([part.signals[row] for row in check])
    np.savez(cache / f"{name}-plain.npz", p=found, y=np.searchsorted(model.classes_, labels[check]), seconds=seconds)


def task_of(name: str):
    """What is learned from of a training part, and what is measured."""
    from googlenet.data.protocol import Dataset
    from googlenet.data.signals.find import find_signals
    from googlenet.training.recipe import SIGNALS
    from googlenet.training.task import task_for

    data = find_signals(str(FOLDER / name))
    learn, check = (data.train.subset(rows.tolist()) for rows in split(data.train.labels.numpy()))
    return task_for(Dataset(name, data.classes, learn), SIGNALS.fitted(len(learn), len(data.classes))), check


def left_out(name: str, cache: Path) -> None:
    """What smaller networks say of the examples that they leave out."""
    from googlenet.inference.calibration.out_of_fold import out_of_fold

    task, _ = task_of(name)
    started = time.perf_counter()
    _, found, labels = out_of_fold(task)
    np.savez(cache / f"{name}-folds.npz", p=found, y=labels, seconds=time.perf_counter() - started)


def kernels(name: str, cache: Path) -> None:
    """What competing kernels say of the examples that smaller networks leave out, had they not seen them, and of those
    to measure."""
    import torch

    from googlenet.data.splits import folds_of
    from googlenet.inference.calibration.competing import opinion_of
    from googlenet.inference.calibration.out_of_fold import FOLDS

    task, check = task_of(name)
    started = time.perf_counter()
    opinion = opinion_of(task)
    seconds = time.perf_counter() - started
    with torch.inference_mode():
        said = opinion.kernels(torch.from_numpy(task.preprocessing.array(check.signals))).numpy()
    known = folds_of(task.data.train, FOLDS, task.recipe.seed) >= 0
    np.savez(cache / f"{name}-kernels.npz", left_out=opinion.left_out[known], said=said, seconds=seconds)


def run(job: tuple[str, str, Path]) -> str:
    """One of both for a set, on one core, unless it lies in the cache."""
    import torch

    from googlenet.nn.device import keep_memory

    torch.set_num_threads(1)
    keep_memory()
    kind, name, cache = job
    if not (cache / f"{name}-{kind}.npz").exists():
        {"plain": plain, "folds": left_out, "kernels": kernels}[kind](name, cache)
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


def beside(sets: dict[str, dict]) -> list[dict]:
    """Networks alone, and with kernels: a row for each loudness and each temperature that is expected."""
    alone = _measured(sets, 0.0, 0.6)
    return [alone, *(_measured(sets, *choice) for choice in product(LOUD, BESIDE))]


def _measured(sets: dict[str, dict], loud: float, expected: float) -> dict:
    from googlenet.inference.calibration.temperature import fitted_temperature, tempered

    found = []
    for each in sets.values():
        temperature = fitted_temperature(together(each["left_p"], loud * each["left_said"]), each["left_y"], expected)
        found.append((tempered(together(each["p"], loud * each["said"]), temperature), each["y"]))
    right = [p.argmax(1) == y for p, y in found]
    return {
        "kernels_count": loud,
        "expected": expected,
        "mean_accuracy": round(float(np.mean([each.mean() for each in right])), 4),
        "accuracy_of_all_examples": round(float(np.concatenate(right).mean()), 4),
        "mean_loss": round(float(np.mean([loss(p, y) for p, y in found])), 4),
        "pooled_calibration_error": round(pooled_error(found), 4),
    }


def by_chance(sets: dict[str, dict]) -> list[dict]:
    """Networks with kernels, where 16 examples or more are left to measure: the mean of the sets' calibration errors by
    the temperature that is expected and what it counts as, and what true probabilities would show on so few."""
    from googlenet.inference.calibration import temperature as calibration
    from googlenet.inference.evaluate import expected_calibration_error
    from ucr import ece_by_chance

    many, kept, rows = [each for each in sets.values() if len(each["y"]) >= 16], calibration.DOUBT, []
    for expected, doubt in ((0.6, 80), (0.7, 80), (0.8, 80), (0.8, 160), (0.9, 80), (1.0, 80)):
        calibration.DOUBT, errors = doubt, []
        for each in many:
            left = together(each["left_p"], each["left_said"])
            temperature = calibration.fitted_temperature(left, each["left_y"], expected)
            found = calibration.tempered(together(each["p"], each["said"]), temperature)
            sure, right = found.max(1), found.argmax(1) == each["y"]
            errors.append((expected_calibration_error(sure, right), ece_by_chance(sure), loss(found, each["y"])))
        names = ("calibration_error", "by_chance", "loss")
        means = dict(zip(names, np.round(np.mean(errors, 0), 4).tolist(), strict=True))
        rows.append({"sets": len(many), "expected": expected, "counts_as": doubt, **means})
    calibration.DOUBT = kept
    return rows


def undone(sets: dict[str, dict]) -> list[dict]:
    """Networks with kernels, by the gain in likelihood from which on the smoothing of labels is undone."""
    from googlenet.inference.calibration import temperature as calibration
    from googlenet.training.recipe import SIGNALS

    prior, kept, rows = calibration.expected(SIGNALS), calibration.CLEARLY, []
    for gain in GAINS:
        calibration.CLEARLY, found, count = gain, [], 0
        for each in sets.values():
            of = calibration.calibrated(together(each["left_p"], each["left_said"]), each["left_y"], "", prior)
            count += of.smoothing > 0
            found.append((of.applied(together(each["p"], each["said"])), each["y"]))
        rows.append(
            {
                "undone_from": gain if np.isfinite(gain) else ("never" if gain > 0 else "always"),
                "undone_on": count,
                "mean_loss": round(float(np.mean([loss(p, y) for p, y in found])), 4),
                "pooled_calibration_error": round(pooled_error(found), 4),
            }
        )
    calibration.CLEARLY = kept
    return rows


def together(p: np.ndarray, said: np.ndarray) -> np.ndarray:
    """What networks and kernels say together."""
    import torch

    from googlenet.nn.googlenet import together as of_tensors

    return of_tensors(torch.from_numpy(p), torch.from_numpy(said)).numpy()


def summed_up(names: list[str], cache: Path) -> dict:
    """The sets, and the choices."""
    from googlenet.inference.calibration import temperature as calibration

    sets = {}
    for name in names:
        seen, theirs, also = (np.load(cache / f"{name}-{kind}.npz") for kind in ("plain", "folds", "kernels"))
        calibration.DOUBT, kept = 0, calibration.DOUBT  # what the examples say by themselves
        temperature = calibration.fitted_temperature(theirs["p"], theirs["y"]) if len(theirs["y"]) else 1.0
        calibration.DOUBT = kept
        sets[name] = {
            "p": seen["p"],
            "y": seen["y"],
            "loss": loss(seen["p"], seen["y"]),
            "temperature": temperature,
            "examples": len(theirs["y"]),
            "said": also["said"],
            "left_p": theirs["p"].astype(float),
            "left_said": also["left_out"],
            "left_y": theirs["y"],
            "seconds": (float(seen["seconds"]), float(theirs["seconds"]), float(also["seconds"])),
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
        "beside": beside(sets),
        "by_chance": by_chance(sets),
        "undone": undone(sets),
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
        for done in pool.map(run, [(kind, name, cache) for name in names for kind in KINDS]):
            print(done, flush=True)
        result = summed_up(names, cache)
    save("calibration", result)
    tables = (result[name] for name in ("choices", "beside", "by_chance", "undone"))
    for row in [{"expected": "plain", **result["plain"]}, *chain(*tables)]:
        print(row)


if __name__ == "__main__":
    main()
