"""Whether ``inceptiontime`` at its published settings has its published accuracy, so that it is an honest reference.

    python benchmarks/inceptiontime.py [SET …] [--data FOLDER]

Trains the recipe ``inceptiontime`` (five networks, 1,500 epochs) and reads each test part once: the accuracy of the
five together, which is what is published, and of each alone, whose standard deviation says how much chance is in it.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from common import SHARED, save
from ucr import published


def run(folder: Path, name: str) -> dict[str, object]:
    """Trains on a set's training part and measures on its test part."""
    import torch

    from googlenet import GoogLeNetClassifier
    from googlenet.data.signals.find import find_signals
    from googlenet.nn.device import keep_memory

    torch.set_num_threads(1)
    keep_memory()
    data = find_signals(str(folder / name))
    started = time.perf_counter()
    fitted = GoogLeNetClassifier("inceptiontime", random_state=0).fit(
        list(data.train.signals), data.train.labels.numpy()
    )
    seconds = time.perf_counter() - started
    labels = data.test.labels
    network, preprocessing = fitted._pipeline.networks[0], fitted._pipeline.preprocessing
    with torch.inference_mode():
        inputs = torch.from_numpy(preprocessing.array(data.test.signals)).split(64)
        logits = torch.cat([network(preprocessing.views(x, network.arch.members)[0]) for x in inputs])
    alone = (logits.argmax(2) == labels[:, None]).float().mean(0)
    together = (logits.softmax(2).mean(1).argmax(1) == labels).float().mean()
    theirs = published([name])["InceptionTime"][name]
    deviation = float(alone.std())
    return {
        "set": name,
        "published": theirs,
        "together": float(together),
        "alone": alone.tolist(),
        "standard_deviation": deviation,
        "within": bool(abs(float(together) - theirs) <= deviation),
        "epochs": len(fitted.history_),
        "final_loss": fitted.history_[-1].loss,
        "train_seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sets", nargs="*", default=["SonyAIBORobotSurface1", "MoteStrain", "TwoLeadECG", "ItalyPowerDemand"]
    )
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "ucr")
    chosen = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(run, chosen.data, name) for name in chosen.sets]
        rows = [job.result() for job in jobs]
    for row in rows:
        spread = np.array(row["alone"])
        print(
            f"{row['set']:<24} published {row['published']:.4f}  together {row['together']:.4f}  alone "
            f"{spread.mean():.4f} ± {row['standard_deviation']:.4f}  {row['train_seconds']:.0f} s"
        )
    save("inceptiontime", {"rows": rows})


if __name__ == "__main__":
    main()
