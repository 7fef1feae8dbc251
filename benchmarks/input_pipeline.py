"""How fast pictures are decoded and augmented, beside how fast the network trains on them.

    python benchmarks/input_pipeline.py FOLDER_OF_PICTURES

Rounds alternate: the loader alone, then whole training steps on batches that are ready; for photos at 224 pixels
(``googlenet_bn``, batch 32) and for small grey pictures in memory (``googlenet_shallow``, 28 pixels, batch 128).
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from common import save, spread
from googlenet import create_model
from googlenet.data.images.dataset import ImageSet
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.nn.device import keep_memory
from googlenet.training.distributed import joined
from googlenet.training.learner import Learner
from googlenet.training.recipe import PHOTOS, SMALL, Recipe
from googlenet.training.state import State

ROUNDS = 7


def compare(
    images: ImageSet, preprocessing: ImagePreprocessing, recipe: Recipe, batch_size: int, steps: int
) -> dict[str, object]:
    repeated = images.subset((torch.arange(batch_size * steps) % len(images)).tolist())
    loader = repeated.loader(preprocessing, recipe)
    model = create_model(
        recipe.arch, 10, preprocessing.channels, width=recipe.width, auxiliary=recipe.aux_weight > 0
    ).to(memory_format=torch.channels_last)
    state = State.beginning(model.train(), recipe)
    ready = list(itertools.islice(loader.training(0, batch_size), 2))
    with joined() as world:
        learner = Learner(state, recipe, world, None)
        learner.step(ready[0], 1e-4, "warming up")
        loading, training = [], []
        for _ in range(ROUNDS):
            loading.append(_rate(batch_size * steps, lambda: sum(1 for _ in loader.training(0, batch_size))))
            training.append(
                _rate(batch_size * len(ready), lambda: [learner.step(batch, 1e-4, "benchmark") for batch in ready])
            )
    ratio = statistics.median(a / b for a, b in zip(loading, training, strict=True))
    result = {
        "loader_images_per_second": spread(loading),
        "training_images_per_second": spread(training),
        "median_ratio": round(ratio, 2),
        "rounds": ROUNDS,
    }
    print(recipe.name, result)
    return result


def _rate(images: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return images / (time.perf_counter() - started)


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("Usage: python benchmarks/input_pipeline.py FOLDER_OF_PICTURES")
    keep_memory()  # as the command does
    paths = sorted(str(path) for path in Path(sys.argv[1]).iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
    photos = ImageSet(torch.arange(len(paths)) % 10, tuple(paths))
    noise = torch.randint(0, 256, (2560, 1, 28, 28), dtype=torch.uint8)
    small = ImageSet(torch.arange(len(noise)) % 10, tuple(map(str, range(len(noise)))), noise)
    results = {
        "photos": compare(photos, ImagePreprocessing(), PHOTOS, 32, 6),
        "small": compare(small, ImagePreprocessing(1, 28, 28, (0.5,), (0.25,)), SMALL, 128, 20),
    }
    save("input_pipeline", {"pictures": f"{len(paths)} JPEGs"} | results)


if __name__ == "__main__":
    main()
