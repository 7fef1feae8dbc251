"""A folder of JPEGs to labels on disk: ours against the usual script, alternating, on one machine.

    python benchmarks/end_to_end.py [PHOTOS] [--rounds 7] [--images 250]

The usual script opens pictures with PIL, resizes, crops and normalises them with torchvision's transforms in a
DataLoader with two workers, one picture after the other, and calls the model: the same OpenVINO model as ours (without
normalisation in it), or torchvision's network in eager float32. Loading of models is left out for all.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torchvision
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from common import HERE, SHARED, save, spread, take_turns
from googlenet import create_model
from googlenet.apps.cli.output.writers import write_csv
from googlenet.apps.report import charts
from googlenet.arch.spec import IMAGENET_MEAN, IMAGENET_STD
from googlenet.data.images.names import extensions
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.walk import expand
from googlenet.inference.engines.backend import BACKENDS
from googlenet.inference.load import fastest
from googlenet.inference.pipeline import Pipeline
from googlenet.inference.predictor import Predictor
from googlenet.nn.device import keep_memory
from googlenet.weights import from_torchvision

CLASSES = tuple(map(str, range(1000)))


class Folder(Dataset):
    """What everybody writes."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.transform = v2.Compose(
            [
                v2.Resize(256),
                v2.CenterCrop(224),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(IMAGENET_MEAN, IMAGENET_STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[Tensor, str]:
        return self.transform(Image.open(self.paths[row]).convert("RGB")), str(self.paths[row])


def usual(paths: list[Path], model: Callable[[Tensor], Tensor], out: Path) -> None:
    """The usual script around a model."""
    with out.open("w", newline="") as file:
        rows = csv.writer(file)
        for x, (name,) in DataLoader(Folder(paths), batch_size=1, num_workers=2):
            probabilities = model(x).softmax(1)[0]
            best = probabilities.topk(5)
            rows.writerow(
                [name, *(v for pair in zip(best.indices.tolist(), best.values.tolist(), strict=True) for v in pair)]
            )


def main() -> None:
    import openvino  # after googlenet.inference.engines, which leaves its telemetry out

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="?", type=Path, default=SHARED / "data" / "photos")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=250)
    chosen = parser.parse_args()

    keep_memory()  # as the command does
    torch.manual_seed(0)
    theirs = torchvision.models.googlenet(
        weights=None, aux_logits=False, init_weights=False, transform_input=False
    ).eval()
    model = create_model("googlenet_torchvision", auxiliary=False)
    model.load_state_dict(from_torchvision(theirs.state_dict()))
    network = Pipeline([model], ImagePreprocessing())
    graph = openvino.convert_model(theirs, example_input=torch.zeros(1, 3, 224, 224))
    graph.reshape([1, 3, 224, 224])
    compiled = openvino.Core().compile_model(graph, "CPU")

    @torch.inference_mode()
    def eager(x: Tensor) -> Tensor:
        return theirs(x)

    def same_openvino(x: Tensor) -> Tensor:
        return torch.from_numpy(compiled(x.numpy())[0])

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        sources = sorted(path for path in chosen.photos.iterdir() if path.suffix.lower() in extensions())
        for number, source in enumerate(itertools.islice(itertools.cycle(sources), chosen.images)):
            (folder / f"{number:05}.jpg").write_bytes(source.read_bytes())
        paths = sorted(folder.iterdir())
        out = Path(scratch) / "labels.csv"

        def ours(engine: str) -> Callable[[], None]:
            predictor = Predictor(BACKENDS[engine].load().engine_of(network), CLASSES, network.preprocessing)

            wanted = predictor.wanted()

            def run() -> None:
                with out.open("w", newline="") as file:
                    write_csv(
                        predictor.stream(expand([str(folder)], io.StringIO(), extensions()), wanted), file, wanted
                    )

            return run

        runs = {
            "usual script, torchvision eager fp32": lambda: usual(paths, eager, out),
            "usual script, the same OpenVINO model": lambda: usual(paths, same_openvino, out),
            f"ours, {fastest(network)}": ours(fastest(network)),
            "ours, torch": ours("torch"),
        }
        rates = take_turns(runs, len(paths), chosen.rounds)
    default = rates[f"ours, {fastest(network)}"]
    result = {
        "images": len(paths),
        "images_per_second": {name: spread(values) for name, values in rates.items()},
        "ratio_of_ours": {
            name: spread([a / b for a, b in zip(default, values, strict=True)]) for name, values in rates.items()
        },
    }
    print(json.dumps(result, indent=1))
    chart = charts.bars("A folder of JPEGs to labels on disk", "images a second", result["images_per_second"])
    charts.save(HERE / "end_to_end.svg", chart)
    save("end_to_end", result)


if __name__ == "__main__":
    main()
