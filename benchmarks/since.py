"""How long training, evaluation and prediction take now, against an earlier commit: the two in turns, a process each.

    python benchmarks/since.py COMMIT [--rounds 7]

The later one of a pair is the earlier one of the next, so that a machine that slows down favours neither.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import HERE, save, spread

PROGRAM = "import sys; sys.argv[0] = 'googlenet'; from googlenet.__main__ import main; sys.exit(main())"
COMMANDS = {  # of one round, in this order; each writes into a folder of its own
    "train digits, 1 epoch": "train digits --epochs 1 --out pictures",
    "train gunpoint, 10 epochs": "train gunpoint --epochs 10 --out signals",
    "evaluate digits": "evaluate pictures digits",
    "predict": "predict pictures pictures/examples",
}


def main() -> None:
    """Checks the commit out, runs every command with both in turns, and saves the ratios of their seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        before = Path(scratch) / "before"
        _git("worktree", "add", "--detach", str(before), chosen.commit)
        try:
            found = _rounds({"before": before / "src", "now": HERE.parent / "src"}, Path(scratch), chosen.rounds)
        finally:
            _git("worktree", "remove", "--force", str(before))
    result = {name: _compared(found[name]) for name in COMMANDS}
    print(json.dumps(result, indent=1))
    save("since", {"before": chosen.commit, "seconds": result})


def _rounds(sources: dict[str, Path], scratch: Path, rounds: int) -> dict[str, list[dict[str, tuple[float, float]]]]:
    """Wall and processor's seconds of every command, round by round."""
    found: dict[str, list[dict[str, tuple[float, float]]]] = {name: [] for name in COMMANDS}
    for number in range(1, rounds + 1):
        folders = {which: scratch / f"{which}-{number}" for which in sources}
        for place, (name, words) in enumerate(COMMANDS.items()):
            turns = list(sources) if (number + place) % 2 else list(sources)[::-1]
            seconds = {which: _seconds(words.split(), sources[which], folders[which]) for which in turns}
            found[name].append(seconds)
        print(f"round {number} of {rounds}", flush=True)
    return found


def _seconds(words: list[str], source: Path, folder: Path) -> tuple[float, float]:
    folder.mkdir(exist_ok=True)
    started, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", PROGRAM, *words]
    subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(source)}, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - started, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def _compared(pairs: list[dict[str, tuple[float, float]]]) -> dict[str, object]:
    """Seconds of both, and the ratio of each pair."""
    found: dict[str, object] = {}
    for at, clock in enumerate(("wall", "processor")):
        ratios = [pair["now"][at] / pair["before"][at] for pair in pairs]
        found[clock] = {
            "before": spread([pair["before"][at] for pair in pairs]),
            "now": spread([pair["now"][at] for pair in pairs]),
            "ratio": spread(ratios),
            "spread": round(statistics.quantiles(ratios)[2] - statistics.quantiles(ratios)[0], 3),
        }
    return found


def _git(*words: str) -> None:
    subprocess.run(["git", "-C", str(HERE.parent), *words], check=True, capture_output=True)


if __name__ == "__main__":
    main()
