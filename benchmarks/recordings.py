"""Seconds, peak memory and accuracy of ``googlenet train`` and ``predict`` on a synthetic night, and how many times
faster than real time it is labelled.

    python benchmarks/recordings.py [--hours 8] [--rounds 3] [--keep FOLDER]

The night has three channels of 250 Hz in EDF+ with a stage every 30 seconds as an annotation, written by edfio. A
second night, which nobody learned from, is labelled.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common import save, spread

RATE, EPOCH = 250, 30
CHANNELS = ("EEG C3", "EEG C4", "EOG")
STAGES = {"W": (10.0, 0.6), "N2": (13.0, 1.0), "N3": (1.2, 3.0), "R": (6.0, 0.8)}  # Hz and size of a rhythm
NETWORKS = {
    "tiny": ("--width", "0.25", "--members", "1", "--epochs", "2", "--max-seconds", "20"),
    "recipe": ("--epochs", "2", "--max-seconds", "20"),
}
MEASURED = (("tiny", "30s"), ("recipe", "30s"), ("recipe", "2s"))
# As WATCH of common.py, with the seconds of all cores, and the peak of the memory that is no mapped file.
WATCH = """
import resource, subprocess, sys, time
started, own = time.perf_counter(), 0
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while child.poll() is None:
    with open(f"/proc/{child.pid}/status") as status:
        own = max([own, *(int(line.split()[1]) for line in status if line.startswith("RssAnon"))])
    time.sleep(0.05)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
assert child.returncode == 0
print(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, own / 1024)
"""


def stages(seed: int, hours: float) -> list[str]:
    """A stage for every half minute; each lasts some minutes."""
    draws = np.random.default_rng(seed)
    found: list[str] = []
    while len(found) < round(hours * 3600 / EPOCH):
        found += [str(draws.choice(list(STAGES), p=(0.1, 0.55, 0.2, 0.15)))] * int(draws.integers(4, 24))
    return found[: round(hours * 3600 / EPOCH)]


def night(path: Path, seed: int, hours: float) -> list[str]:
    """Writes a night and gives its stages."""
    import edfio

    draws = np.random.default_rng(seed + 1)
    found = stages(seed, hours)
    length = len(found) * EPOCH * RATE
    channels = np.empty((len(CHANNELS), length))
    time_of = np.arange(EPOCH * RATE) / RATE
    for number, stage in enumerate(found):
        rhythm, size = STAGES[stage]
        wave = size * np.sin(2 * np.pi * (rhythm * draws.uniform(0.9, 1.1) * time_of + draws.uniform()))
        noise = draws.normal(size=(len(CHANNELS), EPOCH * RATE)).cumsum(1) * 0.05
        noise -= noise.mean(1, keepdims=True)
        channels[:, number * EPOCH * RATE : (number + 1) * EPOCH * RATE] = wave * [[1.0], [0.8], [0.3]] + noise
    channels += draws.normal(size=channels.shape) * 0.5
    signals = [
        edfio.EdfSignal(30 * row.clip(-20, 20), RATE, label=name, physical_range=(-600, 600), physical_dimension="uV")
        for name, row in zip(CHANNELS, channels, strict=True)
    ]
    marks = [edfio.EdfAnnotation(number * EPOCH, EPOCH, stage) for number, stage in enumerate(found)]
    edfio.Edf(signals, annotations=marks).write(path)
    return found


def watched(folder: Path, *words: str) -> tuple[float, float, float, float]:
    """Wall seconds, seconds of all cores, and megabytes of a command: in all, and without files that it maps."""
    command = [sys.executable, "-c", WATCH, sys.executable, "-m", "googlenet", *words]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    wall, cores, megabytes, own = map(float, run.stdout.split())
    return wall, cores, megabytes, own


def right(path: Path, truth: list[str]) -> float:
    """Share of the time of a night that has its label."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    seconds = [
        min(float(row["end"]), EPOCH * (at + 1)) - max(float(row["start"]), EPOCH * at)
        for row in rows
        for at in range(int(float(row["start"]) // EPOCH), int(-(-float(row["end"]) // EPOCH)))
        if truth[at] == row["label"]
    ]
    return round(sum(seconds) / (len(truth) * EPOCH), 4)


def measure(folder: Path, network: str, window: str, truth: list[str], rounds: int) -> dict[str, object]:
    """Trains on one night and labels another, to rows and a page of strips."""
    seconds = len(truth) * EPOCH
    run = f"{network}-{window}"
    trained = watched(folder, "train", "night.edf", "--window", window, *NETWORKS[network], "--out", run)
    words = ("predict", run, "other.edf", "--merge", "--output", f"{run}.csv", "--chart", f"{run}.html")
    found = [watched(folder, *words) for _ in range(rounds)]
    row: dict[str, object] = {
        "network": network,
        "window": window,
        "training": {
            "seconds": round(trained[0], 1),
            "megabytes": round(trained[2]),
            "megabytes_without_mapped_files": round(trained[3]),
        },
        "labelling_seconds": spread([wall for wall, *_ in found]),
        "labelling_core_seconds": spread([cores for _, cores, *_ in found]),
        "labelling_megabytes": round(max(megabytes for _, _, megabytes, _ in found)),
        "labelling_megabytes_without_mapped_files": round(max(own for *_, own in found)),
        "times_real_time": spread([seconds / wall for wall, *_ in found]),
        "times_real_time_on_two_idle_cores": spread([2 * seconds / cores for _, cores, *_ in found]),
        "share_of_time_right": right(folder / f"{run}.csv", truth),
    }
    print(row, flush=True)
    return row


def latency(folder: Path, run: str, windows: int = 20) -> dict[str, float]:
    """Seconds from the last sample of a window on a pipe to its answer, after the first."""
    program = [sys.executable, "-m", "googlenet", "predict", run, "-"]
    draws = np.random.default_rng(0)
    waited = []
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        for number in range(windows):
            rows = draws.normal(size=(2 * RATE, len(CHANNELS)))
            process.stdin.write("\n".join(" ".join(f"{value:.4f}" for value in row) for row in rows) + "\n")
            process.stdin.flush()
            started = time.perf_counter()
            if number == 0:
                process.stdout.readline()
            process.stdout.readline()
            if number:
                waited.append(time.perf_counter() - started)
        process.stdin.close()
    return spread(waited)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    import edfio

    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        night(folder / "night.edf", 0, chosen.hours)
        truth = night(folder / "other.edf", 10, chosen.hours)
        result = {"hours": chosen.hours, "channels": len(CHANNELS), "rate": RATE, "edfio": edfio.__version__}
        rows: list[dict[str, object]] = []
        for network, window in MEASURED:  # what is measured is kept, should the next be stopped
            rows.append(measure(folder, network, window, truth, chosen.rounds))
            save("recordings", result | {"rows": rows})
        save("recordings", result | {"rows": rows, "latency_of_a_pipe_seconds": latency(folder, "recipe-2s")})


if __name__ == "__main__":
    main()
