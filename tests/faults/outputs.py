"""Faults while something is written for others, exports and predictions: the old file is there, or the new."""

import errno
import re
import zipfile
from signal import SIGKILL

from calls import plain
from judge import digests, leftovers, manners, same_weights
from lab import SIGNALS
from program import FAIL_ON, KILL, KILL_HALFWAY, Strike, start
from safetensors import SafetensorError

# What is written, how, and the files that it is.
WRITTEN = {
    "export --format torch": (["export", "run", "--format", "torch", "--out", "out/model.pt2"], ["model.pt2"]),
    "export --format onnx": (["export", "run", "--format", "onnx", "--out", "out/model.onnx"], ["model.onnx"]),
    "export --format openvino": (
        ["export", "run", "--format", "openvino", "--out", "out/model.xml"],
        ["model.xml", "model.bin"],
    ),
    "convert": (["convert", "run", "out/model.safetensors"], ["model.safetensors"]),
    "predict --output": (
        ["predict", "run", "data/signals.csv", "--format", "csv", "--output", "out/labels.csv"],
        ["labels.csv"],
    ),
}
SLOW = ("export --format onnx", "export --format openvino")  # takes seconds: at writes and renames alone
OLD = b"what was there before\n"


def outputs(lab):
    """Each call that touches what is written kills the process, or fails."""
    for what, (words, names) in WRITTEN.items():
        if not re.search(lab.only, f"{what}: "):
            continue
        peace = _box(lab, names)
        strike = Strike(below="out", journal=".said/calls")
        ended = start(words, peace, strike.arm).wait()
        assert ended.code == 0, ended
        calls = (peace / ".said" / "calls").read_text().splitlines()
        numbers = list(enumerate(calls, start=1))
        for number, call in _few(numbers):
            if what in SLOW and call.split()[0] not in ("write", "rename"):
                continue
            strikes = [(f"killed before call {number}", Strike(KILL, number, below="out"))]
            if call.startswith("write"):
                strikes.append((f"killed after half of call {number}", Strike(KILL_HALFWAY, number, below="out")))
            if call.split()[0] in ("open", "write", "rename", "mkdir", "fsync"):
                code = errno.EIO if call.startswith("fsync") else errno.ENOSPC
                strikes.append((f"{errno.errorcode[code]} from call {number} on", Strike(FAIL_ON, number, code, "out")))
            for name, strike in strikes:
                if lab.wanted(what, name):
                    _one(lab, what, f"{name}, {plain(call)}", words, names, strike, peace)


def _few(numbers, most=12):
    """All calls but for a long row of writes, of which a few will do."""
    writes = [number for number, call in numbers if call.startswith("write")]
    chosen = set(writes[:: max(1, len(writes) // most)]) | set(writes[-1:])
    return [(number, call) for number, call in numbers if not call.startswith("write") or number in chosen]


def _box(lab, names):
    """A run, and a folder with older files of the names that are written."""
    trained = lab.undisturbed(SIGNALS)
    box = lab.box()
    (box / "out").mkdir()
    for name in names:
        (box / "out" / name).write_bytes(OLD)
    (box / "run").symlink_to(trained / "run")
    return box


def _one(lab, what, name, words, names, strike, peace):
    box = _box(lab, names)
    run = digests(box / "run")
    ended = start(words, box, strike.arm).wait()
    problems = manners(ended, (SIGKILL,))
    states = {_state(box / "out" / each, peace / "out" / each) for each in names}
    if len(states) > 1 or "half" in states:
        problems.append(f"{', '.join(names)}: {' and '.join(sorted(states))}")
    if digests(box / "run") != run:
        problems.append("the run was changed")
    again = start(words, box, name="again").wait()
    problems += manners(again) + leftovers(box / "out")
    if again.code or any(_state(box / "out" / each, peace / "out" / each) != "new" for each in names):
        problems.append(f"does not succeed afterwards: {again.err.strip()[-300:]}")
    lab.record(what, name, problems, 0, box)


def _state(path, new):
    """Which file is there."""
    if not path.exists():
        return "none"
    if path.read_bytes() == OLD:
        return "old"
    try:
        return "new" if SAME.get(path.suffix, _same_bytes)(path, new) else "half"
    except (SafetensorError, zipfile.BadZipFile):
        return "half"


def _same_bytes(path, new):
    return path.read_bytes() == new.read_bytes()


def _same_archive(path, new):
    """Of a ZIP file: the same files in it, all of them whole."""
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(new) as other:
        return one.testzip() is None and sorted(one.namelist()) == sorted(other.namelist())


SAME = {".safetensors": same_weights, ".pt2": _same_archive}
