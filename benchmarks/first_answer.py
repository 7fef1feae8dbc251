"""Seconds and memory until ``googlenet predict`` has labelled one picture, from an exported model and from a run.

    python benchmarks/first_answer.py [--rounds 7]

GoogLeNet at 224×224 with 1,000 classes; a process for every answer, round by round.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from common import save, spread, watched
from googlenet import create_model, save_weights
from googlenet.apps.jobs import export_job
from googlenet.data.images.preprocessing import ImagePreprocessing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        weights, picture = folder / "model.safetensors", folder / "picture.jpg"
        classes = tuple(map(str, range(1000)))
        model = create_model("googlenet_torchvision", auxiliary=False)
        save_weights(model, weights, classes=classes, preprocessing=ImagePreprocessing().to_dict())
        noise = np.random.default_rng(0).integers(0, 256, (375, 500, 3), dtype=np.uint8)
        Image.fromarray(noise).save(picture)
        sources = {"exported, ONNX": export_job([str(weights)], "onnx", None, None)[0]}
        sources["exported, OpenVINO"] = export_job([str(weights)], "openvino", None, None)[0]
        made = "a run, OpenVINO made on the way"
        sources[made] = weights
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in sources}
        for _ in range(rounds + 1):
            for name, source in sources.items():
                engine = ["--engine", "openvino"] if name == made else []
                found[name].append(watched("predict", str(source), str(picture), *engine))
    result = {
        name: {"seconds": spread([s for s, _ in rows[1:]]), "megabytes": spread([m for _, m in rows[1:]])}
        for name, rows in found.items()
    }
    print(json.dumps(result, indent=1))
    save("first_answer", result)


if __name__ == "__main__":
    main()
