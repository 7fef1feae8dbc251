"""Training steps a second: ours against every way to run torchvision's network, alternating, on one machine.

    python benchmarks/training.py [--size 224] [--batch 32] [--rounds 7] [--curve 200]

The network is torchvision's GoogLeNet with both auxiliary classifiers, ours with the same weights; a step is forward,
loss, backward and SGD with momentum on random pictures. Peak memory is that of a process that does three steps.
``--curve`` also trains both on enlarged digits, without dropout, from the same weights and the same batches, and
torchvision's once more in float32, to tell rounding from error.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import torch
import torchvision
from torch import Tensor, nn

import charts
from common import HERE, save, spread
from googlenet import create_model
from googlenet.data.builtin import digits
from googlenet.weights.convert import from_torchvision

OURS = "ours bf16 channels_last"
BEST = "torchvision bf16 channels_last"
DEFAULT = "torchvision fp32"
CONFIGURATIONS = (DEFAULT, "torchvision fp32 channels_last", "torchvision bf16", BEST, OURS)


def theirs() -> nn.Module:
    torch.manual_seed(0)
    return torchvision.models.googlenet(weights=None, aux_logits=True, init_weights=True, transform_input=False)


def network(name: str) -> nn.Module:
    """The network of a configuration, all with the same weights."""
    model = theirs()
    if name == OURS:
        weights = from_torchvision(model.state_dict())
        model = create_model("googlenet_torchvision", dropout=0.2)
        model.load_state_dict(weights)
    layout = torch.channels_last if "channels_last" in name else torch.contiguous_format
    return model.to(memory_format=layout).train()


def losses(model: nn.Module, name: str, x: Tensor, y: Tensor) -> Tensor:
    """The main loss, and 0.3 of each auxiliary one (paper, section 5)."""
    with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in name):
        if name == OURS:
            logits, aux = model(x, return_aux=True)
        else:
            logits, *aux = model(x)
    return sum((0.3 * loss(each, y) for each in aux), loss(logits, y))


def loss(logits: Tensor, y: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits.float(), y)


def stepper(name: str, model: nn.Module) -> Callable[[Tensor, Tensor], float]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    layout = torch.channels_last if "channels_last" in name else torch.contiguous_format

    def step(x: Tensor, y: Tensor) -> float:
        total = losses(model, name, x.contiguous(memory_format=layout), y)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return float(total)

    return step


def rates(batch: int, size: int, rounds: int) -> dict[str, list[float]]:
    """Images a second of every configuration, round by round."""
    x, y = torch.randn(batch, 3, size, size), torch.randint(0, 1000, (batch,))
    steppers = {name: stepper(name, network(name)) for name in CONFIGURATIONS}
    for step in steppers.values():
        step(x, y)
    found: dict[str, list[float]] = {name: [] for name in CONFIGURATIONS}
    for number in range(rounds):
        for name, step in steppers.items():
            started = time.perf_counter()
            step(x, y)
            step(x, y)
            found[name].append(2 * batch / (time.perf_counter() - started))
        print(f"round {number + 1}: " + ", ".join(f"{name} {v[-1]:.1f}" for name, v in found.items()), flush=True)
    return found


def peak_megabytes(name: str, batch: int, size: int) -> float:
    """Of a process of its own."""
    command = [sys.executable, __file__, "--memory", name, "--batch", str(batch), "--size", str(size)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure_memory(name: str, batch: int, size: int) -> None:
    step = stepper(name, network(name))
    for _ in range(3):
        step(torch.randn(batch, 3, size, size), torch.randint(0, 1000, (batch,)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def digit_batches(steps: int, batch: int, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    part = digits().train
    order = torch.randperm(len(part), generator=torch.Generator().manual_seed(0))
    for step in range(steps):
        rows = order[torch.arange(step * batch, (step + 1) * batch) % len(part)]
        small = part.pixels[rows].float().div(127.5).sub(1)
        yield nn.functional.interpolate(small, size=(size, size)).expand(-1, 3, -1, -1), part.labels[rows]


def curves(steps: int, batch: int, size: int) -> dict[str, list[float]]:
    """Losses step by step."""
    found = {}
    for name in (OURS, BEST, "torchvision fp32 channels_last"):
        model = network(name)
        for layer in model.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
        step = stepper(name, model)
        found[name] = [round(step(x, y), 4) for x, y in digit_batches(steps, batch, size)]
        print(f"{name}: loss {found[name][0]:.3f} to {statistics.mean(found[name][-10:]):.3f}", flush=True)
    return found


def distance(a: list[float], b: list[float], window: int = 10) -> float:
    """Mean distance of two curves, each smoothed, relative to the mean loss."""

    def smooth(line: list[float]) -> list[float]:
        return [statistics.mean(line[i : i + window]) for i in range(0, len(line), window)]

    return statistics.mean(abs(p - q) for p, q in zip(smooth(a), smooth(b), strict=True)) / statistics.mean(b)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--curve", type=int, default=200, metavar="STEPS")
    parser.add_argument("--memory", choices=CONFIGURATIONS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.memory:
        measure_memory(chosen.memory, chosen.batch, chosen.size)
        return
    memory = {name: round(peak_megabytes(name, chosen.batch, chosen.size)) for name in CONFIGURATIONS}
    found = rates(chosen.batch, chosen.size, chosen.rounds)
    ratios = {
        name: spread([a / b for a, b in zip(found[OURS], found[name], strict=True)])
        for name in CONFIGURATIONS
        if name != OURS
    }
    result = {
        "images_per_second": {name: spread(values) for name, values in found.items()},
        "ratio_of_ours": ratios,
        "peak_megabytes": memory,
        "memory_ratio": round(memory[OURS] / memory[BEST], 3),
    }
    print(json.dumps(result, indent=1))
    if chosen.curve:
        lines = curves(chosen.curve, chosen.batch // 2, chosen.size)
        others = {name: round(distance(line, lines[BEST]), 4) for name, line in lines.items() if name != BEST}
        result |= {"loss": lines, "distance_from_torchvision_bf16": others}
        print(others)
    charts.bars(HERE / "training.svg", "Training, GoogLeNet at 224×224", "images a second", result["images_per_second"])
    save("training", result)


if __name__ == "__main__":
    main()
