"""Images a second in prediction: ours against every way to run torchvision's network, alternating, on one machine.

    python benchmarks/inference.py [PHOTOS] [--rounds 7] [--images 64]

The network is torchvision's GoogLeNet at 224×224, first trained here on the photos, each a class of its own, so that
agreement means something: it is counted over ten crops of every photo. It is trained without mirror images, or ours
would look at each picture twice. Peers get float tensors that are normalised already; ours get 8-bit pixels. "stream"
keeps several pictures in flight, as OpenVINO's throughput mode is meant to be used; "alone" takes one picture after
the other; "32" takes batches of 32.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from torch import Tensor, nn

from common import HERE, SHARED, matmul_rates, save, spread, take_turns
from googlenet import cost
from googlenet.apps.jobs import choose_recipe, training_job
from googlenet.apps.report import charts
from googlenet.data.find import find_data
from googlenet.inference.engines.backend import BACKENDS
from googlenet.inference.engines.engine import Chunk, Engine
from googlenet.inference.load import fastest, load_pipeline
from googlenet.inference.pipeline import Pipeline
from googlenet.nn.device import keep_memory
from googlenet.weights import to_torchvision

Run = Callable[[], object]


def trained(photos: list[Path], folder: Path, epochs: int) -> Path:
    """A run of ``googlenet_torchvision`` that knows the photos."""
    table = folder / "photos.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "split"])
        for part in ("train", "test"):
            rows.writerows([path.resolve(), path.stem, part] for path in photos)
    data = find_data(str(table))
    changes = {"arch": "googlenet_torchvision", "epochs": str(epochs), "batch_size": "25", "crop": "no", "flip": "no"}
    run = folder / "run"
    result = training_job(data, choose_recipe(data, None, changes), run)
    print(f"trained on the photos: accuracy {result.top1:.3f} on them", flush=True)
    return run


def torchvision_of(network: Pipeline) -> nn.Module:
    """The same weights in torchvision's class, for normalised pictures."""
    (ours,) = network.networks
    weights = to_torchvision(ours.state_dict())
    model = torchvision.models.googlenet(
        weights=None, num_classes=ours.num_classes, aux_logits=False, init_weights=False, transform_input=False
    )
    model.load_state_dict({key: value for key, value in weights.items() if not key.startswith("aux")})
    return model.eval()


def eager(model: nn.Module, x: Tensor, batch: int) -> Run:
    parts = x.split(batch)

    def run() -> object:
        with torch.inference_mode():
            return [model(part) for part in parts]

    return run


def peers(model: nn.Module, x: Tensor, folder: Path) -> Iterator[tuple[str, Run]]:
    """Every configuration of torchvision's network."""
    import nncf  # after googlenet.inference.engines, which leaves its telemetry out
    import onnx
    import onnxruntime
    import openvino

    y = x.bfloat16().contiguous(memory_format=torch.channels_last)
    narrow = torchvision.models.googlenet(
        weights=None, num_classes=model.fc.out_features, aux_logits=False, init_weights=False
    )
    narrow.load_state_dict(model.state_dict())
    narrow.transform_input = False
    narrow = narrow.eval().to(torch.bfloat16, memory_format=torch.channels_last)
    for batch, label in ((1, "alone"), (32, "32")):
        yield f"torchvision fp32, {label}", eager(model, x, batch)
        yield f"torchvision bf16 channels_last, {label}", eager(narrow, y, batch)
    torch._inductor.config.freezing = True  # weights become constants, laid out as the convolutions like them
    yield "torch.compile bf16 channels_last, 32", eager(torch.compile(narrow), y, 32)

    path = folder / "peer.onnx"
    number = torch.export.Dim("n", min=1, max=4096)
    graph = torch.onnx.export(model, (x[:2],), dynamo=True, dynamic_shapes=({0: number},), verbose=False)
    graph.save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for batch, label in ((1, "alone"), (32, "32")):
        parts = [part.numpy() for part in x.split(batch)]
        yield f"ONNX Runtime fp32, {label}", lambda parts=parts: [session.run(None, {name: part}) for part in parts]

    singles = [part.numpy() for part in x.split(1)]
    small = nncf.quantize(onnx.load(path), nncf.Dataset([{name: one} for one in singles]), subset_size=len(singles))
    onnx.save(small, folder / "peer8.onnx")
    for label, file, precision in (("fp32", path, "f32"), ("bf16", path, "bf16"), ("int8", "peer8.onnx", "bf16")):
        graph = openvino.Core().read_model(folder / file)
        graph.reshape([1, *x.shape[1:]])
        settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
        yield f"OpenVINO {label}, stream", queued(openvino.Core().compile_model(graph, "CPU", settings), singles)


def queued(model: Any, singles: list[np.ndarray]) -> Run:
    import openvino

    queue = openvino.AsyncInferQueue(model)
    found: list[np.ndarray | None] = [None] * len(singles)

    def keep(request: Any, place: int) -> None:
        found[place] = request.get_output_tensor().data.copy()

    queue.set_callback(keep)

    def run() -> object:
        for place, one in enumerate(singles):
            queue.start_async({0: one}, place)
        queue.wait_all()
        return found

    return run


def ours(label: str, engine: Engine, pixels: np.ndarray) -> Iterator[tuple[str, Run]]:
    """An engine as predictors use it: a stream in groups, a stream of single pictures, and one after the other."""

    def streamed(size: int) -> Run:
        parts = [pixels[i : i + size] for i in range(0, len(pixels), size)]
        return lambda: list(engine.map(lambda part: Chunk([], [], part), parts))

    yield f"ours {label}, stream", streamed(engine.pixels // 224**2)
    yield f"ours {label}, stream of single ones", streamed(1)
    yield f"ours {label}, alone", lambda: [engine(pixels[i : i + 1]) for i in range(len(pixels))]


def agreement(network: Pipeline, engines: dict[str, Engine], photos: list[Path]) -> dict[str, object]:
    """Share of ten crops of each photo that an engine labels as float32 does."""
    crops = np.concatenate([network.preprocessing.read(path, 10) for path in photos])
    parts = [crops[i : i + 50] for i in range(0, len(crops), 50)]
    with torch.inference_mode():
        exact = np.concatenate([network(torch.from_numpy(part)).numpy() for part in parts]).argmax(1)
    found: dict[str, object] = {"crops": len(crops)}
    for label, engine in engines.items():
        found[label] = float((np.concatenate([engine(part) for part in parts]).argmax(1) == exact).mean())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="?", type=Path, default=SHARED / "data" / "photos")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=40)
    chosen = parser.parse_args()
    photos = sorted(path for path in chosen.photos.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
    keep_memory()  # as the command does
    limits = matmul_rates()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run = trained(photos, folder, chosen.epochs)
        network, _ = load_pipeline(run)
        import openvino

        from googlenet.inference.engines.onnx import quantized
        from googlenet.inference.engines.openvino import OpenVinoEngine

        calibration = np.concatenate([network.preprocessing.read(path) for path in photos])
        narrow = quantized(network, calibration)  # without export's refusal: measured below
        engines = {
            "default": BACKENDS[fastest(network)].load().engine_of(network),
            "torch": BACKENDS["torch"].load().engine_of(network),
            "int8": OpenVinoEngine(openvino.Core().read_model(narrow.SerializeToString()), True),
        }
        print({label: engine.name for label, engine in engines.items()}, flush=True)
        pixels = np.concatenate([network.preprocessing.read(path) for path in photos[: chosen.images]])
        model = torchvision_of(network)
        normalised = network.preprocessing.views(torch.from_numpy(pixels), 1)[0].contiguous()
        runs = dict(peers(model, normalised, folder))
        for label, engine in engines.items():
            runs |= dict(ours(label, engine, pixels))
        rates = take_turns(runs, len(pixels), chosen.rounds)
        agreed = agreement(network, engines, photos)
    operations = 2 * cost("googlenet_torchvision").macs / 1e9
    result = {
        "images_per_second": {name: spread(values) for name, values in rates.items()},
        "times_torchvision": {
            peer: {
                name: spread([a / b for a, b in zip(values, rates[peer], strict=True)])
                for name, values in rates.items()
                if name.startswith("ours")
            }
            for peer in rates
            if peer.startswith(("torch", "OpenVINO bf16"))
        },
        "engines": {label: engine.name for label, engine in engines.items()},
        "agreement": agreed,
        "matmul_limit": {kind: {"gflops": g, "images_per_second": round(g / operations)} for kind, g in limits.items()},
    }
    print(json.dumps(result, indent=1))
    chart = charts.bars("Prediction, GoogLeNet at 224×224", "images a second", result["images_per_second"])
    charts.save(HERE / "inference.svg", chart)
    save("inference", result)


if __name__ == "__main__":
    main()
