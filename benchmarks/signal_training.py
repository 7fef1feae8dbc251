"""Seconds and peak memory of the whole command ``googlenet train`` on UCR sets, and what it reaches.

    python benchmarks/signal_training.py [SET …] [--data FOLDER]

By default two ordinary sets, and two of signals of 2,000 samples, which need the most memory.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from common import SHARED, save, watched

SETS = ("GunPoint", "SwedishLeaf", "HouseTwenty", "PigCVP")


def train(data: Path, run: Path) -> dict[str, object]:
    """One training."""
    seconds, megabytes = watched("train", str(data), "--out", str(run))
    accuracy = json.loads((run / "evaluation.json").read_text())["top1"]
    return {"set": data.name, "seconds": round(seconds, 1), "megabytes": round(megabytes), "accuracy": accuracy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "ucr")
    chosen = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in chosen.sets:
            rows.append(train(chosen.data / name, Path(scratch) / name))
            print(rows[-1], flush=True)
    save("signal_training", {"rows": rows})


if __name__ == "__main__":
    main()
