"""What every benchmark records beside its figures: the machine, the versions, the command."""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

# Runs a command and prints its wall seconds and its peak memory in megabytes. A small program of its own, because the
# peak of a child begins at what its parent holds.
WATCH = """
import resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, capture_output=True)
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
HERE = Path(__file__).parent
SHARED = HERE.parents[1] / "shared"  # data and published figures, where they are beside the checkout


def machine() -> dict[str, Any]:
    """Processor, cores, instruction sets that matter, and versions."""
    has = torch.cpu.get_capabilities()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bf16": [name for name in ("avx512_bf16", "amx_bf16") if has.get(name)],
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python", _program(), *map(_without_folders, sys.argv[1:])]),
    }


def save(name: str, result: dict[str, Any]) -> None:
    """Writes ``benchmarks/NAME.json``: the machine, then the result."""
    path = HERE / f"{name}.json"
    path.write_text(json.dumps({"machine": machine()} | result, indent=1) + "\n")
    print(f"wrote {path.name}")


def _program() -> str:
    """The script that runs, as from the root of the repository."""
    path, root = Path(sys.argv[0]).resolve(), HERE.resolve().parent
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def _without_folders(word: str) -> str:
    """A path of this machine tells nobody anything."""
    return Path(word).name if Path(word).is_absolute() else word


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    return f"{facts.get('model name')}, family {facts.get('cpu family')} model {facts.get('model')}"


def spread(values: list[float]) -> dict[str, float]:
    """Median, least, most and number."""
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
        "n": len(values),
    }


def take_turns(runs: dict[str, Callable[[], object]], items: int, rounds: int) -> dict[str, list[float]]:
    """Items a second of every contestant, round by round, after one round to warm up."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if number:
                found[name].append(items / (time.perf_counter() - started))
        print(f"round {number} of {rounds}", flush=True)
    return found


def matmul_rates(size: int = 2048, rounds: int = 7) -> dict[str, float]:
    """GFLOP/s of a square matrix product, the best of several: what the cores can do at most."""
    found = {}
    for kind in (torch.float32, torch.bfloat16):
        a, b = (torch.randn(size, size).to(kind) for _ in range(2))
        seconds = []
        for _ in range(rounds):
            started = time.perf_counter()
            a @ b
            seconds.append(time.perf_counter() - started)
        found[str(kind).removeprefix("torch.")] = round(2 * size**3 / min(seconds) / 1e9)
    return found


def watched(*words: str) -> tuple[float, float]:
    """Wall seconds of a ``googlenet`` command, and the peak memory of its process in megabytes."""
    program = str(Path(sys.executable).with_name("googlenet"))
    command = [sys.executable, "-c", WATCH, program, *words]
    seconds, megabytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(megabytes)
