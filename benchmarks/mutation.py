"""How many small faults the tests notice: mutmut changes one thing at a time, and a change that no test minds survives.

    pip install mutmut
    python benchmarks/mutation.py                    # every file below; hours
    python benchmarks/mutation.py arch/shapes.py     # one of them, or several
    python benchmarks/mutation.py --fifth            # of each function the third mutant, the eighth, ...

Works on a copy in runs/mutation, where it goes on when it is started again, and writes mutation.json beside itself: by
file how many mutants were tried and how many the tests killed, and each survivor with the change and what was found
when it was looked at. A note that is written there by hand is kept as long as its mutant survives.

What an error says is not changed (a test asks that there is one, and for the word that matters). Commands that run in
a process of their own do not see a mutant; tests that only run those are skipped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from common import machine

REPOSITORY = Path(__file__).parents[1]
PACKAGE = Path("src/googlenet")
RESULT = Path(__file__).with_suffix(".json")
WORK = REPOSITORY / "runs" / "mutation"
# Which tests are asked about which files.
GROUPS = {
    "arch": (["arch/*.py"], ["tests/arch", "tests/nn/test_googlenet.py"]),
    "nn": (["nn/*.py"], ["tests/nn"]),
    "pipeline": (["inference/pipeline.py"], ["tests/inference/test_pipeline.py"]),
    "splits": (["data/splits.py"], ["tests/data/test_splits.py"]),
    "preprocessing": (
        ["data/images/preprocessing.py", "data/images/crops.py", "data/signals/preparation/*.py", "data/volumes/*.py"],
        ["tests/data", "tests/inference/test_predictor.py"],
    ),
}
FIFTH = ["*__mutmut_*3", "*__mutmut_*8"]  # of every function, by the number of the mutant
KILLED = (1, 3, 37, -11, -6)  # a test failed, pytest broke, mypy complained, the process fell
TIMEOUT = (36, 24, -24, 152, 255, -9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="Files of the package, such as arch/shapes.py.")
    parser.add_argument("--fifth", action="store_true", help="A fifth of the mutants.")
    arguments = parser.parse_args()
    wanted, sample = arguments.files, FIFTH if arguments.fifth else []
    known = json.loads(RESULT.read_text()) if RESULT.exists() else {"files": {}}
    for name, (patterns, tests) in GROUPS.items():
        files = sorted(
            {path.relative_to(REPOSITORY / PACKAGE) for p in patterns for path in (REPOSITORY / PACKAGE).glob(p)}
        )
        files = [path for path in files if not wanted or str(path) in wanted]
        if not files:
            continue
        folder = prepared(WORK / name, [str(PACKAGE / path) for path in files], tests)
        environment = os.environ | {"OMP_NUM_THREADS": "1", "GOOGLENET_MUTATION": "1"}
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", "2", *sample]
        subprocess.run(command, cwd=folder, env=environment, check=True)
        for path in files:
            known["files"][str(path)] = counted(folder, path, known["files"].get(str(path), {}))
            show(str(path), known["files"][str(path)])
    known |= {"machine": machine(), "mutmut": version("mutmut"), "total": total(known["files"])}
    RESULT.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    show("all", known["total"])


def prepared(folder: Path, files: list[str], tests: list[str]) -> Path:
    """A copy of what is tested and its tests, with mutmut's settings; what was found of the same source stays in it."""
    source = hashlib.sha256()
    for path in sorted(path for part in ("src", "tests") for path in (REPOSITORY / part).rglob("*.py")):
        source.update(path.read_bytes())
    mark = folder / "source.sha256"
    if not mark.exists() or mark.read_text() != source.hexdigest():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for part in ("src", "tests"):
            shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        mark.write_text(source.hexdigest())
    settings = {
        "source_paths": [str(PACKAGE)],
        "only_mutate": files,
        "pytest_add_cli_args_test_selection": tests,
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "do_not_mutate_patterns": [r"raise \w*Error\(", r"raise unknown\("],
        "process_isolation": "forkserver",  # PyTorch is imported once, and no mutant inherits its threads
        "timeout_constant": 30.0,
        "use_git_change_detection": False,
    }
    table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(f"{text}\n[tool.mutmut]\n{table}\n", encoding="utf-8")
    return folder


def counted(folder: Path, path: Path, before: dict) -> dict:
    """What became of the mutants of a file."""
    meta = folder / "mutants" / PACKAGE / f"{path}.meta"
    codes = json.loads(meta.read_text())["exit_code_by_key"] if meta.exists() else {}
    codes = {name: code for name, code in codes.items() if code is not None}  # the others have not been tried
    notes = {row["change"]: row["note"] for row in before.get("survivors", ())}
    rows = []
    for name, code in codes.items():
        if code in KILLED or code in TIMEOUT:
            continue
        change = changed(folder, name)
        function = re.sub(r"__mutmut_\d+$", "", name.rpartition(".")[2]).removeprefix("x_")
        rows.append({"function": function, "change": change, "note": notes.get(change, ""), "tested": code != 33})
    timeouts = sum(code in TIMEOUT for code in codes.values())
    killed = len(codes) - len(rows)
    return {"mutants": len(codes), "killed": killed, "of them by time": timeouts, "survivors": rows} | share(
        killed, len(codes)
    )


def share(killed: int, mutants: int) -> dict:
    return {"share": round(killed / mutants, 4) if mutants else None}


def changed(folder: Path, name: str) -> str:
    """The line before and after, as mutmut shows them."""
    shown = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", name], cwd=folder, capture_output=True, text=True, check=True
    )
    lines = [line for line in shown.stdout.splitlines() if re.match(r"[+-](?![+-])", line)]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines)


def total(files: dict) -> dict:
    killed, mutants = (sum(row[key] for row in files.values()) for key in ("killed", "mutants"))
    return {"mutants": mutants, "killed": killed} | share(killed, mutants)


def show(name: str, row: dict) -> None:
    print(f"{name:<40}{row['mutants']:>6} mutants {row['killed']:>6} killed  {(row['share'] or 0):.1%}")


if __name__ == "__main__":
    main()
