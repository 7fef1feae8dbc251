"""Fuzzes the readers: ``make test-fuzz``, or ``python tests/fuzz/run.py --seconds 600 tables pictures``.

Every target is searched for a while by a process of its own, two side by side where there are two cores. What is found
is a failure, and lies in ``runs/fuzz/findings/TARGET``, each input beside a text that says what it does. The counts
are written to ``benchmarks/fuzz.json``. What the search learned is kept in ``runs/fuzz/grown``, for the next one.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(REPOSITORY / "benchmarks")]

from fuzz.targets import TARGETS, as_input, corpus_of, from_input

RUNS = REPOSITORY / "runs" / "fuzz"
FINDINGS, GROWN = RUNS / "findings", RUNS / "grown"
SHORT = 1 << 14  # bytes of an input: what is longer is read more slowly, and finds no more
HANGS = 30  # seconds of the clock after which an input is taken to hang: far more than it may take of the processor's
RESIDENT = 6144  # megabytes at which a process is ended
RESTARTS = 40  # of a target
OPTIONS = (
    *(f"-timeout={HANGS}", f"-rss_limit_mb={RESIDENT}", "-print_final_stats=1", "-reload=0"),
    *("-len_control=0", "-verbosity=1", "-report_slow_units=100000"),
)


def search(name, seconds):
    """Fuzzes a target; its row of the result."""
    target, grown, findings = TARGETS[name], GROWN / name, FINDINGS / name
    grown.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
        at = Path(folder)
        seeds = at / "seeds"
        seeds.mkdir()
        for path in corpus_of(target):
            (seeds / path.name).write_bytes(as_input(target, path))
        counts, ends = {"executions": 0, "peak_mb": 0}, time.monotonic() + seconds
        for number in range(RESTARTS):
            left = int(ends - time.monotonic())
            if left < 1:
                break
            round_ = at / f"{number}"
            round_.mkdir()
            _fuzz(name, round_, left, grown, seeds)
            _count(counts, round_ / "counts.json")
            _collect(target, round_, findings)
        corpus = len(list(grown.iterdir())) + len(list(seeds.iterdir()))
    found = _confirmed(name, findings)
    row = {
        "target": name,
        "seconds": seconds,
        **counts,
        "corpus": corpus,
        "findings": len(found),
    }
    print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    for line in found:
        print(f"    {line}", flush=True)
    return row


def _scratch():
    """A file system in memory, where there is one: every input is a file for a moment."""
    memory = Path(os.sep, "dev", "shm")
    return str(memory) if os.access(memory, os.W_OK) else None


def _fuzz(name, folder, seconds, grown, seeds):
    """One process, until its time is up or something ends it."""
    words = [sys.executable, str(HERE / "one.py"), name, str(folder), *OPTIONS]
    longest = max(SHORT, *(2 * path.stat().st_size for path in seeds.iterdir()))
    words += [f"-max_total_time={seconds}", f"-max_len={longest}", f"-artifact_prefix={folder}/end-"]
    words += [str(grown), str(seeds)]
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=_environment())
        try:
            child.wait(seconds + 300)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _environment():
    """Of a process that reads foreign files: of one thread, without what is built here, always the same."""
    own = {"PYTHONPATH": str(REPOSITORY / "src"), "PYTHONHASHSEED": "0"}
    return {**os.environ, **own, "GOOGLENET_KERNELS": "off", "OMP_NUM_THREADS": "1"}


def _count(counts, path):
    """Adds what a process counted."""
    if path.exists():
        row = json.loads(path.read_text())
        counts["executions"] += row["executions"]
        counts["peak_mb"] = max(counts["peak_mb"], row["peak_mb"])


def _collect(target, folder, findings):
    """Moves what a process found; of those at one place the smallest stays."""
    for path in folder.glob("end-*"):
        kind, content = from_input(target, path.read_bytes())
        what = path.name.removeprefix("end-").split("-")[0]
        name = f"{what}-{hashlib.sha256(content).hexdigest()[:12]}{kind.ending}"
        (findings / name).write_bytes(content)
        log = (folder / "log.txt").read_text(errors="replace")
        (findings / f"{name}.txt").write_text(f"{what}\n\n{log[-4000:]}")
    for path in folder.glob("*.txt"):
        file = path.with_suffix("")
        if path.name == "log.txt" or not file.exists():
            continue
        before = findings / file.name
        if not before.exists() or before.stat().st_size > file.stat().st_size:
            shutil.move(file, before)
            shutil.move(path, findings / path.name)
    if not (folder / "counts.json").exists():
        print((folder / "log.txt").read_text(errors="replace")[-3000:], flush=True)


def _confirmed(name, findings):
    """A line for each finding that is one without the fuzzer, too; the others are put away."""
    files = [
        path for path in sorted(findings.iterdir()) if not (path.suffix == ".txt" and path.with_suffix("").exists())
    ]
    said = {}
    while left := [path for path in files if path not in said]:
        said |= _judged(left)
    for path in (path for path in files if said[path] == "as it should be"):
        path.unlink()
        path.with_name(f"{path.name}.txt").unlink(missing_ok=True)
    return [f"{name}/{path.name}: {re.sub(r'[^ -~]', '?', said[path])[:300]}" for path in files if path.exists()]


def _judged(files):
    """What a process without the fuzzer says of some files: of all that it came to, the last of which may end it."""
    said = {}
    words = [sys.executable, "-u", str(HERE / "judge.py"), *map(str, files)]
    child = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace", env=_environment()
    )
    clock = threading.Timer(HANGS * (2 + len(files) / 2), child.kill)
    clock.start()
    for line in child.stdout:
        for path in files:
            if line.startswith(f"{path}: "):
                said[path] = line.removeprefix(f"{path}: ").strip()
    clock.cancel()
    if child.wait() not in (0, 1):
        said.setdefault(next(path for path in files if path not in said), f"ends with {child.returncode}")
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="side by side (2)")
    parser.add_argument("--save", action="store_true", help="write benchmarks/fuzz.json")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="all")
    asked = parser.parse_args()
    names = asked.targets or list(TARGETS)
    with ThreadPoolExecutor(asked.jobs) as pool:
        rows = list(pool.map(lambda name: search(name, asked.seconds), names))
    total, bad = sum(row["executions"] for row in rows), sum(row["findings"] for row in rows)
    print(f"{total:,} executions of {len(rows)} targets, {bad} findings")
    if asked.save:
        from common import save

        save("fuzz", {"atheris": version("atheris"), "executions": total, "findings": bad, "targets": rows})
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
