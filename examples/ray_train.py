"""Trains on the machines of a Ray cluster, which starts the processes, and again where one is lost.

    python examples/ray_train.py --workers 4 --cpus 16 photos/ --out /shared/runs/photos --epochs 30

Other words are those of googlenet train. Data and --out are at the same paths on every machine.
"""

import argparse
import os
import sys
from pathlib import Path

from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer

WEEK = 7 * 24 * 3600  # seconds to wait for the process that validates; Ray knows when one is gone


def learn(given):
    """One of the processes that learn as one."""
    from googlenet.apps.cli.main import main

    os.chdir(given["folder"])
    os.environ["TORCHELASTIC_RESTART_COUNT"] = "1"  # a run that was begun goes on from its last checkpoint
    sys.argv = ["googlenet", "train", *given["words"]]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError("googlenet train ended; it said why") from None


parser = argparse.ArgumentParser(usage="%(prog)s --workers N [--cpus N] [--gpus] DATA --out RUN …")
parser.add_argument("--workers", type=int, required=True, help="processes")
parser.add_argument("--cpus", type=int, default=1, help="cores of each")
parser.add_argument("--gpus", action="store_true", help="a GPU for each")
parser.add_argument("--out", type=Path, required=True, help="folder of the run")
asked, words = parser.parse_known_args()
if "--resume" not in words and (asked.out / "run.json").exists():
    parser.error(f"{asked.out} already holds a run. Go on with it (--resume), or name another folder (--out).")
each = {"CPU": asked.cpus, "GPU": int(asked.gpus)}
TorchTrainer(
    learn,
    train_loop_config={"folder": str(Path.cwd()), "words": [*words, "--out", str(asked.out)]},
    torch_config=TorchConfig(timeout_s=WEEK),
    scaling_config=ScalingConfig(num_workers=asked.workers, use_gpu=asked.gpus, resources_per_worker=each),
    run_config=RunConfig(storage_path=str(asked.out.parent.resolve()), failure_config=FailureConfig(max_failures=3)),
).fit()
