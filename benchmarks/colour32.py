"""Small colour pictures: what a core minute buys, of a recipe of ours and of two peers on the same core.

    python benchmarks/colour32.py [ours airbench resnet18 …] [field=value …] [--minutes 10] [--seeds 0] [--note TEXT]

Of ``shared/data/colour32.tar.gz`` pictures numbered below 1,600 of a class are learned from, the rest is measured: a
split to choose by, not a test part. Each training has one core and ends with its minutes; two run side by side. A row
is added to ``colour32.json`` for each.

The peers are written here in plain PyTorch from what was published: airbench94's network and schedule (Jordan 2024,
arXiv 2404.00498, sections 2 and 3; whitening, lookahead, alternating flip), and a ResNet-18 for small
pictures, torchvision's with a first convolution of 3 × 3 and no first pool, by SGD with momentum.
"""

from __future__ import annotations

import argparse
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from itertools import count, product
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from common import HERE, SHARED, machine

ARCHIVE = SHARED / "data" / "colour32.tar.gz"
LEARNED = 1600  # of the 2,000 of a class
OUT = HERE / "colour32.json"


def parts():
    """The data set, cut by the numbers of its files."""
    from googlenet.data.find import find_data
    from googlenet.data.protocol import Dataset

    with TemporaryDirectory() as scratch, tarfile.open(ARCHIVE) as archive:
        archive.extractall(scratch, filter="data")
        data = find_data(str(next(Path(scratch).iterdir())))
        numbers = [int(Path(name).stem) for name in data.train.names]
        learn = [row for row, number in enumerate(numbers) if number < LEARNED]
        check = [row for row, number in enumerate(numbers) if number >= LEARNED]
        train, rest = data.train.subset(learn), data.train.subset(check)
        return Dataset("colour32", data.classes, train, rest)


# ----------------------------------------------------------------- ours
def ours(changes: dict[str, str], seconds: float, seed: int) -> dict[str, float]:
    """A recipe of this package, annealed in time."""
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
    data = parts()
    words = {name: text for name, text in changes.items() if name != "recipe"}
    recipe = find_recipe(changes.get("recipe", data.train.recipe)).with_changes(
        {"epochs": "1000", "min_steps": "0", **words, "max_seconds": str(seconds), "seed": str(seed)}
    )
    task = task_for(replace(data, validation=None), recipe)
    world = World(0, 1, torch.device("cpu"))
    started = time.process_time()
    state = fresh_state(task, world)
    rows = list(epochs(task, state, world, silent))
    model = finished(task, state, world)
    spent = time.process_time() - started
    pipeline = Pipeline([model], task.preprocessing)
    seen = state.step * recipe.batch_size

    def probabilities(pixels: Tensor) -> Tensor:
        return torch.cat([pipeline(part.to(torch.uint8)) for part in pixels.split(500)])

    return {
        **measured(probabilities, data.validation.pixels.float(), data.validation.labels),
        "epochs": round(seen / len(data.train), 2),
        "learned": rows[-1].accuracy,
        "core_minutes": round(spent / 60, 2),
    }


# ----------------------------------------------------------------- airbench's network, in plain PyTorch
class Norm(nn.BatchNorm2d):
    """Batch norm whose scale stays 1."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-12, momentum=0.4)
        self.weight.requires_grad_(False)


class Group(nn.Sequential):
    """Two convolutions, with a pool behind the first."""

    def __init__(self, given: int, channels: int) -> None:
        convs = (
            nn.Conv2d(given, channels, 3, padding=1, bias=False),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        )
        for conv in convs:  # as far as there are channels, each passes one on
            nn.init.dirac_(conv.weight[: conv.in_channels])
        super().__init__(convs[0], nn.MaxPool2d(2), Norm(channels), nn.GELU(), convs[1], Norm(channels), nn.GELU())


class Airbench(nn.Module):
    """The network of airbench94."""

    def __init__(self, pictures: Tensor) -> None:
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        patches = pictures.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12).float()
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (vectors.T / torch.sqrt(values + 5e-4)[:, None]).reshape(12, 3, 2, 2)
        self.whiten.weight.data = torch.cat([filters, -filters])
        self.whiten.weight.requires_grad_(False)
        nn.init.zeros_(self.whiten.bias)
        self.body = nn.Sequential(nn.GELU(), Group(24, 64), Group(64, 256), Group(256, 256), nn.MaxPool2d(3))
        self.head = nn.Linear(256, 10, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.head(self.body(self.whiten(x)).flatten(1)) / 9


def batches(x: Tensor, y: Tensor, size: int, seconds: float) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Batches until the core's seconds are over, each with the share of them that is: shifted by up to two pixels, each
    picture mirrored in every other epoch."""
    started, mirrored = time.process_time(), torch.randint(2, (len(x),))
    for epoch in count():
        flipped = (mirrored + epoch) % 2 == 1
        seen = torch.where(flipped[:, None, None, None], x.flip(3), x)
        padded = functional.pad(seen, (2,) * 4, "reflect")
        for rows in torch.randperm(len(x)).split(size)[: len(x) // size]:
            places = zip(rows.tolist(), *torch.randint(5, (2, len(rows))).tolist(), strict=True)
            moved = torch.stack([padded[row, :, a : a + 32, b : b + 32] for row, a, b in places])
            share = (time.process_time() - started) / seconds
            if share >= 1:
                return
            yield share, moved.contiguous(memory_format=torch.channels_last), y[rows]


def normalised(part) -> tuple[Tensor, Tensor]:
    """Pixels, and labels."""
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
    x = part.pixels.float() / 255
    return (x - mean[:, None, None]) / std[:, None, None], part.labels


def airbench(changes: dict[str, str], seconds: float, seed: int) -> dict[str, float]:
    """Its schedule, by the share of the time that is over."""
    size, data = int(changes.get("batch", 1024)), parts()
    (x, y), (vx, vy) = normalised(data.train), normalised(data.validation)
    torch.manual_seed(seed)
    started = time.process_time()
    model = Airbench(x[:5000]).to(memory_format=torch.channels_last)
    biases = [p for name, p in model.named_parameters() if p.requires_grad and "bias" in name]
    others = [p for name, p in model.named_parameters() if p.requires_grad and "bias" not in name]
    momentum, decay = 0.85, 0.0153
    kilostep = 1024 * (1 + 1 / (1 - momentum))
    rate, less = 11.5 / kilostep, decay * size / kilostep
    groups = [
        {"params": biases, "lr": 64 * rate, "weight_decay": less / (64 * rate)},
        {"params": others, "lr": rate, "weight_decay": less / rate},
    ]
    optimizer = torch.optim.SGD(groups, momentum=momentum, nesterov=True)
    peaks = [group["lr"] for group in optimizer.param_groups]
    slow = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    expected, step = float(changes.get("epochs", 9.9)), 0
    model.train()
    for progress, inputs, labels in batches(x, y, size, seconds):
        share = np.interp(progress, [0, 0.23, 1], [0.2, 1, 0.07])
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * share
        model.whiten.bias.requires_grad_(progress * expected < 3)
        with torch.autocast("cpu", torch.bfloat16):
            output = model(inputs)
        loss = functional.cross_entropy(output.float(), labels, label_smoothing=0.2, reduction="none").sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        if step % 5 == 0:
            alpha = 0.95**5 * progress**3
            with torch.no_grad():
                for name, tensor in model.state_dict().items():
                    if tensor.is_floating_point():
                        slow[name].lerp_(tensor, 1 - alpha)
                        tensor.copy_(slow[name])
    model.load_state_dict(slow)
    spent = time.process_time() - started
    return measured(mirrored(model), vx, vy) | {
        "epochs": round(step * size / len(x), 2),
        "core_minutes": round(spent / 60, 2),
    }


# ----------------------------------------------------------------- ResNet-18
def resnet18(changes: dict[str, str], seconds: float, seed: int) -> dict[str, float]:
    """Torchvision's, for small pictures, by SGD along a cosine."""
    from torchvision.models import resnet18 as published

    size, data = int(changes.get("batch", 128)), parts()
    (x, y), (vx, vy) = normalised(data.train), normalised(data.validation)
    torch.manual_seed(seed)
    model = published(num_classes=10)
    model.conv1, model.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    model = model.to(memory_format=torch.channels_last)
    started = time.process_time()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    step = 0
    model.train()
    for progress, inputs, labels in batches(x, y, size, seconds):
        optimizer.param_groups[0]["lr"] = 0.1 * min(progress / 0.15, 0.5 + 0.5 * np.cos(np.pi * progress))
        with torch.autocast("cpu", torch.bfloat16):
            loss = functional.cross_entropy(model(inputs).float(), labels, label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
    spent = time.process_time() - started
    return measured(mirrored(model), vx, vy) | {
        "epochs": round(step * size / len(x), 2),
        "core_minutes": round(spent / 60, 2),
    }


def mirrored(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """Its logits, mean of pictures as they are and mirrored."""
    model.eval()

    def answer(x: Tensor) -> Tensor:
        views = [part.contiguous(memory_format=torch.channels_last) for part in x.split(500)]
        return torch.cat([(model(view) + model(view.flip(3))).float() / 2 for view in views])

    return answer


@torch.inference_mode()
def measured(answer: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> dict[str, float]:
    """Accuracy of pictures as they are and mirrored, which is how this package answers; and over six views, as airbench
    does: those (half), and both moved by a pixel (a quarter each).

    Args:
        answer: Of pictures, a mean over both mirror images.
        x: ``(n, 3, 32, 32)``.
        y: ``(n,)``.
    """
    padded = functional.pad(x, (1,) * 4, "reflect")
    whole, *moved = (answer(view) for view in (x, padded[:, :, 0:32, 0:32], padded[:, :, 2:34, 2:34]))
    six = whole / 2 + sum(moved) / 4
    return {
        name: float((each.argmax(1) == y).float().mean()) for name, each in (("mirrored", whole), ("six_views", six))
    }


PEERS: dict[str, Callable[[dict[str, str], float, int], dict[str, float]]] = {
    "ours": ours,
    "airbench": airbench,
    "resnet18": resnet18,
}


def run(job: tuple[str, dict[str, str], float, int]) -> dict:
    """A training on one core."""
    torch.set_num_threads(1)
    from googlenet.nn.device import keep_memory

    keep_memory()
    name, changes, minutes, seed = job
    found = PEERS[name](changes, 60 * minutes, seed)
    return {"who": name, "changes": changes, "minutes": minutes, "seed": seed} | found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="who, then changes; by default all three as they are")
    parser.add_argument("--minutes", nargs="+", type=float, default=[10])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--note", default="")
    chosen = parser.parse_args()
    who = [word for word in chosen.words if "=" not in word] or list(PEERS)
    changes = dict(word.split("=", 1) for word in chosen.words if "=" in word)
    jobs = [(name, changes, minutes, seed) for minutes, seed, name in product(chosen.minutes, chosen.seeds, who)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for job in as_completed([pool.submit(run, job) for job in jobs]):
            rows = json.loads(OUT.read_text())["rows"] if OUT.exists() else []
            rows.append(job.result() | {"note": chosen.note, "machine": machine()["processor"]})
            OUT.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")
            print(rows[-1], flush=True)


if __name__ == "__main__":
    main()
