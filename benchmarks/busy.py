"""What a fit in two threads costs beside other programs, by how its threads wait for each other.

    python benchmarks/busy.py [--rounds 3] [--others 4]

A short fit on GunPoint, in a process of its own that is warm, alone and beside programs that do nothing but compute,
as many as ``--others``, at the same priority. GNU's OpenMP, which PyTorch brings on Linux, lets a thread that waits
spin; the settings change that.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from common import save, spread

SETTINGS: dict[str, dict[str, str]] = {
    "as it comes": {},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "spin 1,000": {"GOMP_SPINCOUNT": "1000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
CHILD = """
import sys, time
from dataclasses import replace
from googlenet import GoogLeNetClassifier
from googlenet.data.builtin import gunpoint
from googlenet.training.recipe import SIGNALS

part = gunpoint().train

def fit(steps):
    recipe = replace(SIGNALS, epochs=1, class_epochs=0.0, min_steps=steps)
    GoogLeNetClassifier(recipe=recipe, random_state=0).fit(part.signals, part.labels)

fit(3)
print("ready", flush=True)
sys.stdin.readline()
started = time.perf_counter(), time.process_time()
fit(12)
print(time.perf_counter() - started[0], time.process_time() - started[1], flush=True)
"""


@contextmanager
def beside(others: int) -> Iterator[None]:
    """While so many programs compute."""
    running = [subprocess.Popen(["yes"], stdout=subprocess.DEVNULL) for _ in range(others)]
    try:
        yield
    finally:
        for other in running:
            other.kill()
            other.wait()


def seconds(setting: dict[str, str], others: int) -> tuple[float, float]:
    """Of a fit: on the clock, and of the processor."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=inherited | {"OMP_NUM_THREADS": "2"} | setting,
    )
    assert child.stdin is not None and child.stdout is not None
    child.stdout.readline()
    with beside(others):
        child.stdin.write("\n")
        child.stdin.flush()
        wall, processor = map(float, child.stdout.readline().split())
    child.wait()
    return wall, processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--others", type=int, default=4)
    chosen = parser.parse_args()
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for number in range(chosen.rounds):
        for others in (0, chosen.others):
            for name, setting in SETTINGS.items():
                found.setdefault((name, others), []).append(seconds(setting, others))
                print(f"round {number + 1}, beside {others}: {name} {found[name, others][-1]}", flush=True)
    rows = []
    for name in SETTINGS:
        row: dict[str, object] = {"setting": name, "variables": SETTINGS[name]}
        for condition, others in (("alone", 0), ("beside", chosen.others)):
            walls, processor = zip(*found[name, others], strict=True)
            first = [wall for wall, _ in found["as it comes", others]]
            row[condition] = {
                "seconds": spread(list(walls)),
                "processor_seconds": spread(list(processor)),
                "ratio_to_as_it_comes": spread([wall / base for wall, base in zip(walls, first, strict=True)]),
            }
        rows.append(row)
    save("busy", {"others": chosen.others, "rows": rows})


if __name__ == "__main__":
    main()
