"""Seconds to train on a UCR set: the default recipe, InceptionTime in plain PyTorch, and aeon's, in one run.

    python benchmarks/ucr_speed.py [SET …] [--data FOLDER] [--aeon PYTHON] [--epochs 6]

InceptionTime trains five networks, one after the other, 1,500 epochs each (Fawaz et al. 2020). A few epochs of one
are timed here, the first left out, and multiplied; the factor is in the result. ``--aeon`` names the Python of an
environment that has aeon and TensorFlow; aeon is left out without it. Every contestant has all cores to itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from common import SHARED, save
from googlenet.nn.device import keep_memory

NETWORKS, EPOCHS, BATCH = 5, 1500, 64

# Runs in the environment of --aeon; reads the set as aeon does and prints the time after each epoch.
AEON = """
import sys, time
import numpy as np
from tensorflow import keras
from aeon.classification.deep_learning import IndividualInceptionClassifier
rows = np.genfromtxt(sys.argv[1], delimiter="\\t")
class Clock(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print("epoch", time.perf_counter(), flush=True)
IndividualInceptionClassifier(n_epochs=int(sys.argv[2]), batch_size=64, callbacks=[Clock()]).fit(
    rows[:, None, 1:], rows[:, 0].astype(int).astype(str)
)
"""


class PlainModule(nn.Module):
    """An Inception module of InceptionTime, as one would write it in PyTorch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bottleneck = nn.Conv1d(channels, 32, 1, bias=False) if channels > 1 else nn.Identity()
        width = 32 if channels > 1 else 1
        self.convs = nn.ModuleList(nn.Conv1d(width, 32, k, padding="same", bias=False) for k in (40, 20, 10))
        self.pool = nn.Sequential(nn.MaxPool1d(3, 1, 1), nn.Conv1d(channels, 32, 1, bias=False))
        self.norm = nn.BatchNorm1d(128)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.bottleneck(x)
        return torch.relu(self.norm(torch.cat([*(conv(narrow) for conv in self.convs), self.pool(x)], dim=1)))


class PlainInceptionTime(nn.Module):
    """Six modules, a shortcut around every three, a mean over time, a linear layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(*(PlainModule(c) for c in row)) for row in ((1, 128, 128), (128,) * 3)
        )
        self.shortcuts = nn.ModuleList(
            nn.Sequential(nn.Conv1d(channels, 128, 1, bias=False), nn.BatchNorm1d(128)) for channels in (1, 128)
        )
        self.linear = nn.Linear(128, classes)

    def forward(self, x: Tensor) -> Tensor:
        for block, shortcut in zip(self.blocks, self.shortcuts, strict=True):
            x = torch.relu(block(x) + shortcut(x))
        return self.linear(x.mean(2))


def plain_epochs(x: Tensor, y: Tensor, epochs: int) -> list[float]:
    """Seconds of each epoch of one network in plain PyTorch."""
    torch.manual_seed(0)
    model = PlainInceptionTime(int(y.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    seconds = []
    for _ in range(epochs):
        started = time.perf_counter()
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - started)
    return seconds


def aeon_epochs(python: str, table: Path, epochs: int) -> list[float]:
    """Seconds of each epoch of one of aeon's networks."""
    command = [python, "-c", AEON, str(table), str(epochs)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    times = [float(line.split()[1]) for line in lines if line.startswith("epoch ")]
    return [after - before for before, after in pairwise(times)]


def compare(folder: Path, name: str, python: str | None, epochs: int) -> dict[str, object]:
    """Seconds of all contestants on a set."""
    from googlenet import GoogLeNetClassifier
    from googlenet.data.signals.find import find_signals

    part = find_signals(str(folder / name)).train
    started = time.perf_counter()
    ours = GoogLeNetClassifier(random_state=0).fit(list(part.signals), part.labels.numpy())
    row: dict[str, object] = {"set": name, "googlenet_1d": round(time.perf_counter() - started, 1)}
    row["googlenet_1d_epochs"] = len(ours.history_)

    x = torch.stack([torch.from_numpy(signal) for signal in part.signals])
    timed = {"inceptiontime_pytorch": plain_epochs(x, part.labels, epochs)[1:]}
    if python:
        timed["inceptiontime_aeon"] = aeon_epochs(python, folder / f"{name}_TRAIN.tsv", epochs)
    for method, seconds in timed.items():
        middle = sorted(seconds)[len(seconds) // 2]
        row[method] = round(middle * NETWORKS * EPOCHS)
        row[f"{method}_epoch"] = {"median": middle, "least": min(seconds), "most": max(seconds), "n": len(seconds)}
        row[f"{method}_ratio"] = round(middle * NETWORKS * EPOCHS / float(row["googlenet_1d"]))  # type: ignore[arg-type]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["GunPoint", "SwedishLeaf"])
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "ucr")
    parser.add_argument("--aeon", metavar="PYTHON")
    parser.add_argument("--epochs", type=int, default=6)
    chosen = parser.parse_args()
    keep_memory()
    rows = []
    for name in chosen.sets:
        rows.append(compare(chosen.data, name, chosen.aeon, chosen.epochs))
        print(json.dumps(rows[-1], indent=1), flush=True)
    save("ucr_speed", {"factor": f"{NETWORKS} networks x {EPOCHS} epochs, from the median epoch of one", "rows": rows})


if __name__ == "__main__":
    sys.exit(main())
