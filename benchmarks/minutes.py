"""Small pictures: what a core minute buys, of a recipe of ours and of two peers on the same core.

    python benchmarks/minutes.py [ours airbench resnet18 …] [field=value …] [--data fashion-mnist] [--minutes 10]
                                 [--seeds 0] [--note TEXT]

Each training has one core and ends with its minutes; two run side by side. Clocks are of the processor. A row is added
to ``minutes.json`` for each. Data:

- ``colour32``: of ``shared/data/colour32.tar.gz`` pictures numbered below 1,600 of a class are learned from, the rest
  is measured: a split to choose by, not a test part.
- ``fashion-mnist``: its training part, and its test part, looked at once by the final weights.
- ``fashion-mnist-choice``: 50,000 of its training part, and the other 10,000, to choose by.

The peers are in ``minutes_peers.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import tarfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from torch import Tensor
from torch.nn import functional

from common import HERE, SHARED, machine
from minutes_peers import Answer, airbench, resnet18

ARCHIVE = SHARED / "data" / "colour32.tar.gz"
LEARNED = 1600  # of the 2,000 of a class
CHOICE = 50_000  # of the 60,000 of Fashion-MNIST
OUT = HERE / "minutes.json"
UNPACKED = TemporaryDirectory()


# ----------------------------------------------------------------- data: what is measured is its validation part
def colour32():
    """Cut by the numbers of its files, which stay until the process ends: other sizes are read from them."""
    from googlenet.data.find import find_data

    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(UNPACKED.name, filter="data")
    data = find_data(str(next(Path(UNPACKED.name).iterdir())))
    numbers = [int(Path(name).stem) for name in data.train.names]
    learn = [row for row, number in enumerate(numbers) if number < LEARNED]
    check = [row for row, number in enumerate(numbers) if number >= LEARNED]
    return replace(data, train=data.train.subset(learn), validation=data.train.subset(check))


def fashion_mnist():
    """As it is given."""
    from googlenet.data.builtin import fashion_mnist as given

    data = given()
    return replace(data, validation=data.test, test=None)


def fashion_mnist_choice():
    """Of its training part alone."""
    from googlenet.data.builtin import fashion_mnist as given

    data = given()
    rows = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0)).tolist()
    learn, check = sorted(rows[:CHOICE]), sorted(rows[CHOICE:])
    return replace(data, train=data.train.subset(learn), validation=data.train.subset(check), test=None)


DATA = {"colour32": colour32, "fashion-mnist": fashion_mnist, "fashion-mnist-choice": fashion_mnist_choice}


# ----------------------------------------------------------------- contestants
def ours(data, changes: dict[str, str], seconds: float, seed: int) -> tuple[Answer, dict[str, float]]:
    """A recipe of this package, by default that of the data, annealed in time."""
    from googlenet.inference.pipeline import Pipeline
    from googlenet.training import loop, progress
    from googlenet.training.distributed import World
    from googlenet.training.learner import finished
    from googlenet.training.loop import epochs
    from googlenet.training.progress import silent
    from googlenet.training.recipe import find_recipe
    from googlenet.training.start.fresh import fresh_state
    from googlenet.training.task import task_for

    loop.now = progress.now = time.process_time  # as the peers' clock: what others take does not count
    words = {name: text for name, text in changes.items() if name != "recipe"}
    recipe = find_recipe(changes.get("recipe", data.train.recipe)).with_changes(
        {"epochs": "1000", "min_steps": "0", **words, "max_seconds": str(seconds), "seed": str(seed)}
    )
    task = task_for(replace(data, validation=None), recipe)
    world = World(0, 1, torch.device("cpu"))
    state = fresh_state(task, world)
    rows = list(epochs(task, state, world, silent))
    pipeline = Pipeline([finished(task, state)], task.preprocessing)

    def answer(pixels: Tensor) -> Tensor:
        return torch.cat([pipeline(part) for part in pixels.split(500)])

    epochs_done = state.step * recipe.batch_size / len(data.train)
    return answer, {"epochs": epochs_done, "learned": rows[-1].accuracy, "smoothing": recipe.label_smoothing}


def peer(train: Callable) -> Callable:
    """A peer, called as ours is."""

    def run(data, changes: dict[str, str], seconds: float, seed: int) -> tuple[Answer, dict[str, float]]:
        torch.manual_seed(seed)
        answer, epochs = train(data.train.pixels, data.train.labels, changes, seconds)
        return answer, {"epochs": epochs}

    return run


CONTESTANTS = {"ours": ours, "airbench": peer(airbench), "resnet18": peer(resnet18)}


@torch.inference_mode()
def measured(answer: Answer, pixels: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy of pictures as they are and mirrored, which is how this package answers; and over six views, as airbench
    does: those (half), and both moved by a pixel (a quarter each).

    Args:
        answer: Of pictures, a mean over both mirror images.
        pixels: ``(n, channels, side, side)`` of bytes.
        labels: ``(n,)``.
    """
    side = pixels.shape[-1]
    padded = functional.pad(pixels.float(), (1,) * 4, "reflect").to(torch.uint8)
    moved = (padded[:, :, :side, :side], padded[:, :, 2:, 2:])
    whole, *others = (answer(view) for view in (pixels, *moved))
    six = whole / 2 + sum(others) / 4
    answers = {"mirrored": whole, "six_views": six}
    return {name: float((each.argmax(1) == labels).float().mean()) for name, each in answers.items()}


def calibrated(p: Tensor, labels: Tensor, smoothing: float) -> dict[str, float]:
    """Calibration error and log-loss of a network that learned from smoothed labels: as it is, by a temperature alone,
    and where smoothing is undone if that makes labels clearly likelier; each half by what the other half says.

    Args:
        p: ``(n, classes)``.
        labels: ``(n,)``.
        smoothing: Of the labels.
    """
    from googlenet.inference.calibration.temperature import SMOOTHED, Prior, crossed
    from googlenet.inference.evaluate import metrics

    p, y = p.double().numpy(), labels.numpy()
    ways = {
        "plain": p,
        "temperature": crossed(p, y, Prior(SMOOTHED)),
        "kept": crossed(p, y, Prior(SMOOTHED, smoothing)),
    }
    each = {way: metrics(found, y, [str(name) for name in range(p.shape[1])]) for way, found in ways.items()}
    return {f"{name}_{way}": round(getattr(of, name), 4) for way, of in each.items() for name in ("ece", "nll")}


def run(job: tuple[str, str, dict[str, str], float, int]) -> dict:
    """A training on one core."""
    torch.set_num_threads(1)
    from googlenet.nn.device import keep_memory

    keep_memory()
    name, who, changes, minutes, seed = job
    data = DATA[name]()
    started = time.process_time()
    answer, found = CONTESTANTS[who](data, changes, 60 * minutes, seed)
    spent = time.process_time() - started
    found = {key: round(value, 4) for key, value in found.items()} | {"core_minutes": round(spent / 60, 2)}
    pixels, labels = data.validation.pixels, data.validation.labels
    accuracies = measured(answer, pixels, labels)
    if "smoothing" in found:
        with torch.inference_mode():
            found |= calibrated(answer(pixels), labels, found["smoothing"])
    return {"data": name, "who": who, "changes": changes, "minutes": minutes, "seed": seed, **accuracies, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="who, then changes; by default all three as they are")
    parser.add_argument("--data", choices=DATA, default="colour32")
    parser.add_argument("--minutes", nargs="+", type=float, default=[10])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--note", default="")
    chosen = parser.parse_args()
    who = [word for word in chosen.words if "=" not in word] or list(CONTESTANTS)
    changes = dict(word.split("=", 1) for word in chosen.words if "=" in word)
    runs = product(chosen.minutes, chosen.seeds, who)
    jobs = [(chosen.data, name, changes, minutes, seed) for minutes, seed, name in runs]
    with ProcessPoolExecutor(os.cpu_count(), max_tasks_per_child=1) as pool:
        for job in as_completed([pool.submit(run, job) for job in jobs]):
            rows = json.loads(OUT.read_text())["rows"] if OUT.exists() else []
            rows.append(job.result() | {"note": chosen.note, "machine": machine()["processor"]})
            OUT.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")
            print(rows[-1], flush=True)


if __name__ == "__main__":
    main()
