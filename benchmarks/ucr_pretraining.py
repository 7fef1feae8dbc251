"""One network trained on many sets of the UCR archive together, and what beginning with it is worth on others.

    python benchmarks/ucr_pretraining.py pretrain --fold 0 --out FILE     # on the 36 sets that fold 0 does not hold
    python benchmarks/ucr_pretraining.py pretrain --out FILE              # on all 48: what the package ships
    python benchmarks/ucr_pretraining.py evaluate --fold 0 FILE           # on the 12 sets of fold 0; so for all folds

A batch is of one set, and only the classes of that set compete in its loss: one classifier is many heads. Sets are
drawn by the square root of their number of signals. Only training parts are seen. In the evaluation each set is trained
on its training part from the weights of the fold that did not see it, and after each training its test part is looked
at once; beside it stands the mean of three seeds from scratch, of ucr_before.json. Rows are added to the result file.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch

from common import HERE, SHARED, save
from googlenet.data.protocol import Batch
from googlenet.data.signals.find import find_signals
from googlenet.estimator import GoogLeNetClassifier
from googlenet.inference.evaluate import metrics
from googlenet.nn.device import keep_memory
from googlenet.training.optimizers import learning_rate, make_optimizer
from googlenet.training.recipe import SIGNALS
from googlenet.training.task import Task, task_for
from googlenet.weights.create import create_model, save_weights

DATA = SHARED / "data" / "ucr"
FOLDS = 4
STEPS = 8_000
RESULT = HERE / "ucr_pretraining.json"
RECIPES = {
    "pretrained": SIGNALS,
    "pretrained, half the steps": dataclasses.replace(SIGNALS, epochs=12, class_epochs=0.3, min_steps=200),
}


def sets() -> list[str]:
    return sorted(path.name.removesuffix("_TRAIN.tsv") for path in DATA.glob("*_TRAIN.tsv"))


def fold_of(name: str) -> int:
    return sets().index(name) % FOLDS


def pretrain(names: list[str], out: Path, steps: int) -> None:
    """Trains on the training parts of the sets together and writes the weights."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    recipe = dataclasses.replace(SIGNALS, seed=0)
    tasks = [task_for(find_signals(str(DATA / name)), recipe) for name in names]
    counts = [len(task.data.classes) for task in tasks]
    firsts = np.concatenate([[0], np.cumsum(counts)]).tolist()
    model = create_model(recipe.arch, firsts[-1], tasks[0].channels, members=recipe.members, dropout=0.0).train()
    optimizer = make_optimizer(model, recipe)
    chances = np.sqrt([len(task.data.train) for task in tasks])
    draws = np.random.default_rng(0).choice(len(tasks), size=steps, p=chances / chances.sum())
    streams = [endless(task) for task in tasks]
    started, seen = time.perf_counter(), []
    for step, number in enumerate(draws):
        batch = next(streams[number])
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(batch.inputs)
        mine = logits[..., firsts[number] : firsts[number + 1]].float().flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(mine, batch.labels.flatten(), label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step / steps, [])
        optimizer.step()
        seen.append(float((mine.argmax(-1) == batch.labels.flatten()).float().mean()))
        if (step + 1) % 1000 == 0:
            print(
                f"{step + 1} steps, {time.perf_counter() - started:.0f} s, accuracy {np.mean(seen[-1000:]):.3f}",
                flush=True,
            )
    model.eval()
    save_weights(model.bfloat16(), out, sets=names, steps=steps)


def endless(task: Task) -> Iterator[Batch]:
    """Batches of a set, epoch after epoch; of a tiny set all its signals."""
    epoch, size = 0, min(SIGNALS.batch_size, len(task.data.train))
    while True:
        yield from task.training.training(epoch, size)
        epoch += 1


def trained(job: tuple[str, str, Path]) -> dict:
    """A set trained one of the ways, and the accuracy on its test part."""
    name, way, file = job
    torch.set_num_threads(1)
    keep_memory()
    data = find_signals(str(DATA / name))
    model = GoogLeNetClassifier(recipe=RECIPES[way], weights=file, random_state=0)
    started = time.perf_counter()
    model.fit(list(data.train.signals), data.train.labels.numpy())
    seconds = time.perf_counter() - started
    found = metrics(model.predict_proba(list(data.test.signals)), data.test.labels.numpy(), data.classes)
    row = {"set": name, "signals": len(data.train), "way": way}
    return row | {"accuracy": found.top1, "seconds": round(seconds, 2)}


def evaluate(fold: int, file: Path) -> None:
    """The sets of a fold, from weights that did not see them."""
    jobs = [(name, way, file) for name in sets() for way in RECIPES if fold_of(name) == fold]
    jobs.sort(key=lambda job: -(DATA / f"{job[0]}_TRAIN.tsv").stat().st_size)
    mine = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(trained, jobs):
            mine.append(row)
            print(f"{row['set']:<32} {row['way']:<27} {row['accuracy']:.4f} {row['seconds']:7.1f} s", flush=True)
    rows = json.loads(RESULT.read_text())["rows"] if RESULT.exists() else []
    rows = [row for row in rows if fold_of(row["set"]) != fold] + mine
    kinds = {
        "all": lambda row: True,
        "fewer than 50 signals": lambda row: row["signals"] < 50,
        "50 and more": lambda row: row["signals"] >= 50,
    }
    table = {kind: compared([row for row in rows if belongs(row)]) for kind, belongs in kinds.items()}
    print(json.dumps(table, indent=1))
    save("ucr_pretraining", {"summary": table, "rows": rows})


def compared(rows: list[dict]) -> dict:
    """The ways over the same sets, beside training from scratch."""
    old = json.loads((HERE / "ucr_before.json").read_text())["rows"]
    scratch = {name: statistics.mean(row["accuracy"] for row in old if row["set"] == name) for name in sets()}
    found = {"from scratch": round(statistics.mean(scratch[name] for name in {row["set"] for row in rows}), 4)}
    for way in RECIPES:
        mine = [row for row in rows if row["way"] == way]
        gains = [row["accuracy"] - scratch[row["set"]] for row in mine]
        found[way] = {
            "sets": len(mine),
            "accuracy": round(statistics.mean(row["accuracy"] for row in mine), 4),
            "gain": round(statistics.mean(gains), 4),
            "standard_error": round(statistics.stdev(gains) / len(gains) ** 0.5, 4),
            "wins": sum(gain > 1e-4 for gain in gains),
            "losses": sum(gain < -1e-4 for gain in gains),
            "core_seconds": round(sum(row["seconds"] for row in mine)),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("pretrain")
    one.add_argument("--fold", type=int, choices=range(FOLDS))
    one.add_argument("--steps", type=int, default=STEPS)
    one.add_argument("--out", type=Path, required=True)
    two = commands.add_parser("evaluate")
    two.add_argument("file", type=Path)
    two.add_argument("--fold", type=int, choices=range(FOLDS), required=True)
    chosen = parser.parse_args()
    if chosen.command == "evaluate":
        evaluate(chosen.fold, chosen.file)
        return
    names = [name for name in sets() if chosen.fold is None or fold_of(name) != chosen.fold]
    pretrain(names, chosen.out, chosen.steps)


if __name__ == "__main__":
    main()
