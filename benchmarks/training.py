"""Training steps a second: ours against every way to run torchvision's network, alternating, on one machine.

    python benchmarks/training.py [--size 224] [--batch 32] [--rounds 7] [--curve 200]

The network is torchvision's GoogLeNet with both auxiliary classifiers, ours with the same weights; a step is forward,
loss, backward and SGD with momentum on random pictures. Each configuration has a process of its own; they take turns.
``--curve`` also trains both on enlarged digits, without dropout, from the same weights and the same batches, and
torchvision's once more in float32, to tell rounding from error.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import torch
import torchvision
from torch import Tensor, nn

from common import HERE, matmul_rates, save, spread
from googlenet import cost, create_model
from googlenet.apps.report import charts
from googlenet.data.builtin import digits
from googlenet.nn.device import keep_memory
from googlenet.weights import from_torchvision

OURS = "ours bf16 channels_last"
GIVING_BACK = "ours bf16 channels_last, memory given back"
BEST = "torchvision bf16 channels_last"
DEFAULT = "torchvision fp32"
CONFIGURATIONS = (DEFAULT, "torchvision fp32 channels_last", "torchvision bf16", BEST, GIVING_BACK, OURS)


def theirs() -> nn.Module:
    torch.manual_seed(0)
    return torchvision.models.googlenet(weights=None, aux_logits=True, init_weights=True, transform_input=False)


def network(name: str) -> nn.Module:
    """The network of a configuration, all with the same weights."""
    model = theirs()
    if name == OURS:
        keep_memory()
    if name.startswith("ours"):
        weights = from_torchvision(model.state_dict())
        model = create_model("googlenet_torchvision", dropout=0.2)
        model.load_state_dict(weights)
    layout = torch.channels_last if "channels_last" in name else torch.contiguous_format
    return model.to(memory_format=layout).train()


def losses(model: nn.Module, name: str, x: Tensor, y: Tensor) -> Tensor:
    """The main loss, and 0.3 of each auxiliary one (paper, section 5)."""
    with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in name):
        if name.startswith("ours"):
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
        return float(total.detach())

    return step


def serve(name: str, batch: int, size: int, orders: Connection) -> None:
    """Trains in a process of its own: two steps for every order, answered by images a second; then its peak memory."""
    x, y = torch.randn(batch, 3, size, size), torch.randint(0, 1000, (batch,))
    step = stepper(name, network(name))
    while orders.recv():
        started = time.perf_counter()
        step(x, y)
        step(x, y)
        orders.send(2 * batch / (time.perf_counter() - started))
    orders.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def rates(batch: int, size: int, rounds: int) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Images a second of every configuration, round by round, and the peak memory of its process in megabytes.

    Processes take turns: in one, the blocks that one network leaves behind would change the speed of the next.
    """
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for name in CONFIGURATIONS:
        pipes[name], theirs_end = context.Pipe()
        context.Process(target=serve, args=(name, batch, size, theirs_end), daemon=True).start()
    found: dict[str, list[float]] = {name: [] for name in CONFIGURATIONS}
    for number in range(rounds + 2):
        for name, pipe in pipes.items():
            pipe.send(True)
            rate = pipe.recv()
            if number > 1:  # two rounds to warm up
                found[name].append(rate)
        print(f"round {number - 1}: " + ", ".join(f"{name} {v[-1]:.1f}" for name, v in found.items() if v), flush=True)
    for pipe in pipes.values():
        pipe.send(False)
    return found, {name: round(pipe.recv()) for name, pipe in pipes.items()}


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
    chosen = parser.parse_args()
    limits = matmul_rates()
    found, memory = rates(chosen.batch, chosen.size, chosen.rounds)
    ratios = {
        name: spread([a / b for a, b in zip(found[OURS], found[name], strict=True)])
        for name in CONFIGURATIONS
        if name != OURS
    }
    operations = 3 * 2 * cost("googlenet_torchvision").macs_with_aux / 1e9  # forward, and twice that backward
    result = {
        "images_per_second": {name: spread(values) for name, values in found.items()},
        "matmul_limit": {kind: {"gflops": g, "images_per_second": round(g / operations)} for kind, g in limits.items()},
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
    chart = charts.bars("Training, GoogLeNet at 224×224", "images a second", result["images_per_second"])
    charts.save(HERE / "training.svg", chart)
    save("training", result)


if __name__ == "__main__":
    main()
