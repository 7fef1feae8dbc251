"""Signals of several channels, few to learn from: what the recipe is worth beside ROCKET, and how it was chosen.

    python benchmarks/channels.py [SET …] [field=value …] [--splits 5] [--first 0] [--aeon FOLDER]

Sets of known structure are drawn here, anew for every split. Of JapaneseVowels and BasicMotions (in FOLDER, the
``datasets/data`` of aeon's package) the training part alone is used, some of it to learn from and the rest to measure.
Each call adds a row to ``channels.json``. ROCKET (Dempster et al. 2020) is this file's own: 10,000 kernels and a ridge
classifier.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from numpy.random import Generator
from scipy.ndimage import gaussian_filter1d

from common import HERE, machine

Signals = np.ndarray[Any, np.dtype[np.float32]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
Split = tuple[list[Signals], Labels, list[Signals], Labels]
OUT = HERE / "channels.json"


# ----------------------------------------------------------------- sets of known structure
def hands(rng: Generator, labels: Labels) -> Signals:
    """Four electrodes of a ring on a hand that goes from rest to one of six postures: smooth, each recording with its
    own speed, strength and place of the ring. A finger is felt by every electrode, by some more."""
    felt = 1 / (0.4 + np.abs(np.linspace(0, 3, 4)[:, None] - np.linspace(-0.5, 3.5, 5)))
    bent = np.array(
        [[-0.6] * 5, [1] * 5, [1, 0, 0, 1, 1], [1, 0, 1, 1, 1], [0, 0, 0, 0.8, 0], [0.5, 0.7, 0.7, 0.5, 0.3]]
    )
    late = np.random.default_rng(17).uniform(0, 8, bent.shape)
    n = len(labels)
    start = rng.uniform(18, 20, (n, 1, 1)) + late[labels][:, :, None] + rng.normal(0, 0.5, (n, 5, 1))
    speed = rng.uniform(1.5, 4.0, (n, 1, 1)) * np.exp(rng.normal(0, 0.15, (n, 5, 1)))
    strength = bent[labels] + rng.normal(0, 0.1, (n, 5))
    fingers = strength[:, :, None] / (1 + np.exp(-(np.arange(65) - start) / speed))
    seen = np.tanh(0.3 * felt * np.exp(rng.normal(0, 0.1, (n, 4, 5))) @ fingers)
    seen *= np.exp(rng.normal(0, 0.2, (n, 4, 1)) + rng.normal(0, 0.2, (n, 1, 1)))
    drift = gaussian_filter1d(rng.normal(0, 1, seen.shape), 12, axis=2)
    signals: Signals = seen + 0.04 * drift + 0.005 * rng.normal(0, 1, seen.shape)
    return signals


def bumps(rng: Generator, places: np.ndarray[Any, Any], length: int, noise: float) -> Signals:
    """One event in each channel, at ``places`` ``(N, C)``, in noise."""
    away = (np.arange(length) - places[:, :, None]) / rng.uniform(2.5, 4.5, (*places.shape, 1))
    signals: Signals = np.exp(-(away**2) / 2) + noise * rng.normal(0, 1, away.shape)
    return signals


def one_of_twenty(rng: Generator, labels: Labels) -> Signals:
    """Three classes: a bump, a dip or a wave at any time in channel 7; the same at random in none of the others, which
    are smooth noise of the same size."""
    n = len(labels)
    signals = gaussian_filter1d(rng.normal(0, 1, (n, 20, 100)), 2, axis=2) * 1.5
    away = np.arange(100) - rng.uniform(25, 75, (n, 1))
    shapes = np.stack([np.exp(-(away**2) / 72), -np.exp(-(away**2) / 72), np.sin(away / 3) * np.exp(-(away**2) / 200)])
    signals[:, 7] += 2.0 * shapes[labels, np.arange(n)]
    return signals


def phase(rng: Generator, labels: Labels) -> Signals:
    """Three channels, two of them waves of one frequency, in step, a quarter early or a quarter late; alone neither
    tells anything."""
    n, time_ = len(labels), np.arange(100)
    turn = rng.uniform(0, 2 * np.pi, (n, 1)) + 2 * np.pi * time_ / rng.uniform(12, 25, (n, 1))
    shift = np.array([0, np.pi / 2, -np.pi / 2])[labels][:, None]
    waves = np.stack([np.sin(turn), np.sin(turn + shift), np.sin(rng.uniform(0.8, 1.2, (n, 1)) * turn + 1)], axis=1)
    signals: Signals = waves * np.exp(rng.normal(0, 0.2, (n, 3, 1))) + 0.4 * rng.normal(0, 1, waves.shape)
    return signals


def product(rng: Generator, labels: Labels) -> Signals:
    """Two channels of slow noise among four that agree in sign for a while, or are opposed."""
    n = len(labels)
    signals = gaussian_filter1d(rng.normal(0, 1, (n, 4, 100)), 3, axis=2) * 3
    sign = np.where(labels == 0, 1, -1)[:, None]
    signals[:, 1] = 0.8 * sign * signals[:, 0] + 0.6 * signals[:, 1]
    return signals


def order(rng: Generator, labels: Labels) -> Signals:
    """Four channels with an event each; the class is which of three orders they come in."""
    orders = np.array([[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])
    n = len(labels)
    places = rng.uniform(15, 35, (n, 1)) + rng.uniform(8, 16, (n, 1)) * orders[labels] + rng.normal(0, 2, (n, 4))
    return bumps(rng, places, 100, 0.25)


DRAWN: dict[str, tuple[Callable[[Generator, Labels], Signals], int, int, int]] = {
    "hands": (hands, 6, 30, 300),
    "one of twenty": (one_of_twenty, 3, 60, 300),
    "phase": (phase, 3, 60, 300),
    "product": (product, 2, 60, 300),
    "order": (order, 3, 30, 300),
}


def drawn(name: str, number: int) -> Split:
    """A set of known structure: as many of each class to learn from, and others to measure."""
    function, classes, learn, check = DRAWN[name]
    rng = np.random.default_rng((number, len(name)))
    labels = np.concatenate([np.arange(n) % classes for n in (learn, check)])
    signals = function(rng, labels).astype(np.float32)
    return list(signals[:learn]), labels[:learn], list(signals[learn:]), labels[learn:]


# ----------------------------------------------------------------- training parts
def of_aeon(name: str, folder: Path) -> tuple[list[Signals], Labels]:
    """A training part that aeon's package carries."""
    from googlenet.data.signals.find import find_signals

    part = find_signals(str(folder / name / f"{name}_TRAIN.ts")).train
    return list(part.signals), part.labels.numpy()


EACH = {"JapaneseVowels": 5, "BasicMotions": 3}  # signals of each class to learn from


def of_training_part(name: str, number: int, folder: Path) -> Split:
    """Some of a training part to learn from, the rest to measure."""
    signals, labels = of_aeon(name, folder)
    mixed = np.random.default_rng(number).permutation(len(labels))
    learn = np.concatenate([mixed[labels[mixed] == each][: EACH[name]] for each in np.unique(labels)])
    check = np.setdiff1d(mixed, learn)
    return [signals[row] for row in learn], labels[learn], [signals[row] for row in check], labels[check]


# ----------------------------------------------------------------- who learns
def padded(signals: list[Signals], length: int) -> torch.Tensor:
    """``(N, C, length)``, each channel to a mean of 0 and a deviation of 1, zeros behind."""
    rows = np.zeros((len(signals), len(signals[0]), length), np.float32)
    for row, signal in zip(rows, signals, strict=True):
        centred = signal - signal.mean(1, keepdims=True)
        row[:, : signal.shape[1]] = (centred / np.maximum(centred.std(1, keepdims=True), 1e-8))[:, :length]
    return torch.from_numpy(rows)


@torch.inference_mode()
def rocket_features(x: torch.Tensor, seed: int, kernels: int = 10_000) -> np.ndarray[Any, Any]:
    """Share of positive values and maximum of random convolutions, ``(N, 2 * kernels)``; those of one length and
    dilation are computed together."""
    rng = np.random.default_rng(seed)
    channels, length = x.shape[1:]
    drawn_: dict[tuple[int, int, bool], list[tuple[np.ndarray[Any, Any], float]]] = {}
    for _ in range(kernels):
        taps = int(rng.choice([7, 9, 11]))
        dilation = int(2 ** rng.uniform(0, max(0.0, np.log2((length - 1) / (taps - 1)))))
        some = rng.permutation(channels)[: int(2 ** rng.uniform(0, np.log2(min(channels, taps) + 1)))]
        weights = np.zeros((channels, taps), np.float32)
        values = rng.normal(0, 1, (len(some), taps))
        weights[some] = values - values.mean(1, keepdims=True)
        key = (taps, dilation, bool(rng.integers(2)) or dilation * (taps - 1) >= length)
        drawn_.setdefault(key, []).append((weights, rng.uniform(-1, 1)))
    found = []
    for (taps, dilation, pad), group in drawn_.items():
        weight = torch.from_numpy(np.stack([weights for weights, _ in group]))
        bias = torch.tensor([bias for _, bias in group])
        padding = dilation * (taps - 1) // 2 if pad else 0
        for part, shift in zip(weight.split(512), bias.split(512), strict=True):
            y = torch.nn.functional.conv1d(x, part, shift.float(), padding=padding, dilation=dilation)
            found += [(y > 0).float().mean(2), y.amax(2)]
    return torch.cat(found, 1).numpy()


def rocket(split: Split, seed: int) -> tuple[float, float]:
    """Accuracy and seconds of ROCKET."""
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learn, labels, check, truth = split
    started = time.perf_counter()
    length = max(9, *(signal.shape[1] for signal in learn))
    model = make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(-3, 3, 10)))
    model.fit(rocket_features(padded(learn, length), seed), labels)
    seconds = time.perf_counter() - started
    return float((model.predict(rocket_features(padded(check, length), seed)) == truth).mean()), seconds


def ours(split: Split, seed: int, changes: dict[str, str]) -> tuple[float, float, float]:
    """Accuracy, negative log likelihood and seconds of the recipe with those changes."""
    from googlenet import GoogLeNetClassifier
    from googlenet.training.recipe import SIGNALS

    learn, labels, check, truth = split
    model = GoogLeNetClassifier(recipe=SIGNALS.with_changes(changes), random_state=seed)
    started = time.perf_counter()
    model.fit(learn, labels)
    seconds = time.perf_counter() - started
    found = model.predict_proba(check)
    place = np.searchsorted(model.classes_, truth)
    right = found[np.arange(len(place)), place].clip(1e-6)
    return float((found.argmax(1) == place).mean()), float(-np.log(right).mean()), seconds


def spread(values: list[float]) -> dict[str, float]:
    """Mean, deviation and number."""
    return {"mean": round(float(np.mean(values)), 4), "deviation": round(float(np.std(values)), 4), "n": len(values)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="SET", help=f"of {', '.join([*DRAWN, *EACH])}; then changes")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="number of the first split, which is also the seed")
    parser.add_argument("--aeon", type=Path, default=Path("data"), help="folder of aeon's datasets/data")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    names = [word for word in chosen.words if "=" not in word] or [*DRAWN, *EACH]
    changes = dict(word.split("=") for word in chosen.words if "=" in word)
    numbers = range(chosen.first, chosen.first + chosen.splits)
    sets = {}
    for name in names:
        splits = [
            drawn(name, number) if name in DRAWN else of_training_part(name, number, chosen.aeon) for number in numbers
        ]
        own = [ours(split, number, changes) for split, number in zip(splits, numbers, strict=True)]
        theirs = [rocket(split, number) for split, number in zip(splits, numbers, strict=True)]
        keys = {"accuracy": 0, "nll": 1, "seconds": 2}
        sets[name] = {
            "learn": len(splits[0][0]),
            "shape": list(splits[0][0][0].shape),
            "ours": {key: spread([row[place] for row in own]) for key, place in keys.items()},
            "rocket": {"accuracy": spread([row[0] for row in theirs]), "seconds": spread([row[1] for row in theirs])},
        }
        print(name, json.dumps(sets[name]), flush=True)
    rows = json.loads(OUT.read_text()) if OUT.exists() else []
    rows.append({"machine": machine(), "changes": changes, "first": chosen.first, "sets": sets})
    OUT.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
