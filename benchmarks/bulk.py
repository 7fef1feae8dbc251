"""Very many files: how long ten million rows take to plan and to go on with, and what parts cost beside the predictor.

    python benchmarks/bulk.py [--rows 10000000] [--pictures 20000]

Rows are planned from a table of paths that lead nowhere: nothing is opened for a plan. What parts cost is measured on
small pictures, of which the network computes thousands a second: the worst case.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from common import machine
from googlenet.apps.batch.job import Asked, predict_parts
from googlenet.apps.batch.label import Network
from googlenet.inference.load import load

RESULT = Path(__file__).with_suffix(".json")
RUN = "fashion_mnist"
PARTS = 1000

PLAN = """
import json, resource, sys, time
from pathlib import Path
from googlenet.apps.batch.entries import entries_of
from googlenet.apps.batch.plan import Plan, planned
folder, table, parts = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
began = time.perf_counter()
asked = Plan(folder, (table,), "", "", parts, "x", "jsonl", 5, (), ())
plan, _ = planned(folder, entries_of([table], (), (".png",)), asked, lambda: "")
took = time.perf_counter() - began
began = time.perf_counter()
missing = plan.missing()
first = next(plan.entries(missing[-1]))
print(json.dumps({"seconds": took, "to the first row of the last part": time.perf_counter() - began,
    "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "rows": plan.rows[-1]}))
"""


def planned_and_gone_on(rows):
    """Seconds and memory of a plan, and of the same command once more."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "paths.csv")
        with table.open("w") as file:
            file.write("path\n")
            for at in range(rows):
                file.write(f"{at // 1000:05d}/{at:08d}.png\n")
        words = [sys.executable, "-c", PLAN, str(Path(folder, "out")), str(table), str(PARTS)]
        found = [json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout) for _ in range(2)]
    return {"planned": found[0], "gone on with": found[1]}


def beside_the_predictor(count, rounds=3):
    """Seconds of the predictor alone and of one process that computes parts, alternating."""
    seconds = {"predictor": [], "parts": []}
    with tempfile.TemporaryDirectory() as folder:
        draws = np.random.default_rng(0)
        for at in range(count):
            path = Path(folder, "pictures", f"{at // 1000}", f"{at}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(draws.integers(0, 256, (28, 28), np.uint8)).save(path)
        paths = sorted(map(str, Path(folder, "pictures").rglob("*.png")))
        predictor = load(RUN)
        sum(1 for _ in predictor.stream(paths[:2000], predictor.wanted()))
        for round_ in range(rounds):
            began = time.perf_counter()
            assert sum(each.error is None for each in predictor.stream(paths)) == count
            seconds["predictor"].append(time.perf_counter() - began)
            out = Path(folder, f"out{round_}")
            network = _Warm(RUN, predictor)
            began = time.perf_counter()
            for part in range(1, 5):
                asked = Asked(network, [str(Path(folder, "pictures"))], out, 4, part=part)
                predict_parts(asked, (), lambda done, number, plan: done)
            seconds["parts"].append(time.perf_counter() - began)
    ratios = [a / b for a, b in zip(seconds["parts"], seconds["predictor"], strict=True)]
    return {
        "pictures": count,
        "seconds": seconds,
        "parts / predictor": {"median": median(ratios), "least": min(ratios), "most": max(ratios), "n": rounds},
    }


class _Warm(Network):
    """A network that is loaded already, so that the time is that of the work."""

    def __init__(self, run, predictor):
        super().__init__(run)
        object.__setattr__(self, "_predictor", predictor)

    def load(self):
        return self._predictor


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--pictures", type=int, default=20_000)
    asked = parser.parse_args()
    found = {
        "machine": machine(),
        "plan": planned_and_gone_on(asked.rows),
        "overhead": beside_the_predictor(asked.pictures),
        "MB of this process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
