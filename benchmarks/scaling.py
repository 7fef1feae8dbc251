"""How time and memory grow with batch size, image size, width and the number of pictures.

    python benchmarks/scaling.py

A training step of ``googlenet_torchvision`` with auxiliary classifiers (each point in a process of its own, so that its
peak memory is its own), and prediction over streams of small pictures with ``googlenet_small``.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from itertools import islice, repeat

import numpy as np
import torch

from common import HERE, save
from googlenet import create_model
from googlenet.apps.report import charts
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.inference.engines.torch import TorchBackend
from googlenet.inference.pipeline import Pipeline
from googlenet.inference.predictor import Predictor
from googlenet.nn.device import computes_in_bf16, keep_memory

BATCHES, SIZES, WIDTHS, NUMBERS = (4, 8, 16, 32, 64), (112, 160, 224, 320, 448), (0.25, 0.5, 1.0, 1.5), (2, 3, 4, 5)


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def training_step(batch: int, size: int, width: float) -> dict[str, float]:
    """Median seconds of five steps, after two, and the peak memory of the process."""
    model = create_model("googlenet_torchvision", width=width).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    y = torch.randint(0, 1000, (batch,))
    bf16 = computes_in_bf16(torch.device("cpu"))
    seconds = []
    for _ in range(7):
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits, aux = model(x, return_aux=True)
        parts = [torch.nn.functional.cross_entropy(each.float(), y) for each in (logits, *aux)]
        optimizer.zero_grad()
        (parts[0] + 0.3 * sum(parts[1:])).backward()
        optimizer.step()
        seconds.append(time.perf_counter() - started)
    return {"seconds": statistics.median(seconds[2:]), "megabytes": peak_megabytes()}


def prediction(power: int) -> dict[str, float]:
    """Seconds to label 10^power pictures of 28×28 that come one after the other, and the peak memory."""
    keep_memory()  # as the command does
    network = Pipeline(
        [create_model("googlenet_small", 10, 1, width=0.5)], ImagePreprocessing(1, 28, 28, (0.3,), (0.3,))
    )
    predictor = Predictor(TorchBackend().engine_of(network), tuple("0123456789"), network.preprocessing)
    picture = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    started = time.perf_counter()
    for _ in predictor.stream(islice(repeat(picture), 10**power)):
        pass
    return {"seconds": time.perf_counter() - started, "megabytes": peak_megabytes()}


def apart(*words: object) -> dict[str, float]:
    """A point, measured in a process of its own."""
    command = [sys.executable, __file__, "--point", *map(str, words)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(*words, found, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--point", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.point:
        kind, *numbers = chosen.point
        found = (
            prediction(int(numbers[0]))
            if kind == "stream"
            else training_step(*map(int, numbers[:2]), float(numbers[2]))
        )
        print(json.dumps(found))
        return
    result = {
        "batch": {batch: apart("step", batch, 224, 1.0) for batch in BATCHES},
        "size": {size: apart("step", 16, size, 1.0) for size in SIZES},
        "width": {width: apart("step", 16, 224, width) for width in WIDTHS},
        "pictures": {10**power: apart("stream", power) for power in NUMBERS},
    }
    names = {
        "batch": "pictures a batch",
        "size": "side of a picture, pixels (batch 16)",
        "width": "width (batch 16)",
        "pictures": "pictures of 28×28 in a stream",
    }
    for key, points in result.items():
        curves = {
            what: [(float(x), point[unit]) for x, point in points.items()]
            for what, unit in (("time, seconds", "seconds"), ("memory, megabytes", "megabytes"))
        }
        chart = charts.curves("How cost grows", names[key], curves, logarithmic=True)
        charts.save(HERE / f"scaling_{key}.svg", chart)
    save("scaling", result)


if __name__ == "__main__":
    main()
