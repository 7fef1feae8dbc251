"""How fast tables of signals are read, from the file to the signals: megabytes a second.

python benchmarks/tables.py [--megabytes 50] [--rounds 5]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from common import save, spread
from googlenet.data.signals.files import read_file

SAMPLES = 500  # of a row


def main() -> None:
    """Writes the tables, reads each so many times in turns, and saves the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [_written(Path(folder) / name, chosen.megabytes * 10**6) for name in TABLES]
        speeds: dict[str, list[float]] = {path.name: [] for path in paths}
        for _ in range(chosen.rounds):
            for path in paths:
                started = time.perf_counter()
                read_file(path)
                speeds[path.name].append(path.stat().st_size / 1e6 / (time.perf_counter() - started))
    for name, values in speeds.items():
        print(f"{name}: {spread(values)} MB/s")
    save("tables", {"megabytes": chosen.megabytes, "MB/s": {name: spread(values) for name, values in speeds.items()}})


def _written(path: Path, size: int) -> Path:
    """A table of about so many bytes."""
    draw = np.random.default_rng(0)
    head, rows = TABLES[path.name]
    with path.open("w") as file:
        file.write(head)
        at = 0
        while file.tell() < size:
            file.write(rows(draw, at))
            at += 1
    return path


def _wide(draw: np.random.Generator, at: int) -> str:
    return "ab"[at % 2] + "," + ",".join(map("{:.6f}".format, draw.normal(size=SAMPLES))) + "\n"


def _archive(draw: np.random.Generator, at: int) -> str:
    return f"{at % 3 + 1}\t" + "\t".join(map("{:.7g}".format, draw.normal(size=SAMPLES))) + "\n"


def _long(draw: np.random.Generator, at: int) -> str:
    samples = draw.normal(size=(120, 3))
    return "".join(f"s{at},{t},{x:.6f},{y:.6f},{z:.6f},c{at % 3}\n" for t, (x, y, z) in enumerate(samples))


TABLES: dict[str, tuple[str, Callable[[np.random.Generator, int], str]]] = {
    "wide.csv": ("label," + ",".join(f"v{at}" for at in range(SAMPLES)) + "\n", _wide),
    "archive_TRAIN.tsv": ("", _archive),
    "long.csv": ("id,time,x,y,z,label\n", _long),
}

if __name__ == "__main__":
    main()
