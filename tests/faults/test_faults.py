"""A sample of what ``make test-faults`` injects, and that its judge is not blind."""

import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import save_file
from torch import zeros

from conftest import DEADLINE
from faults.judge import halves, leftovers, lost, manners, same_weights
from faults.program import Ended

FAULTS = Path(__file__).parent
NEEDS_A_COMPILER = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="what stands before libc is compiled, for Linux"
)


@pytest.mark.slow
@NEEDS_A_COMPILER
def test_a_few_faults_are_survived():
    words = [sys.executable, FAULTS, "--few", "--seed", "1"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "faults injected" in done.stdout


@pytest.mark.parametrize(
    ("code", "err", "good"),
    [
        (0, "a note\n", True),
        (1, "a note\ngooglenet: The disk is full.\n", True),
        (1, "", False),
        (1, "The disk is full.\n", False),
        (1, "Traceback (most recent call last):\n  x\ngooglenet: Stopped.\n", False),
        (0, "Exception ignored in: <x>\n", False),
        (-9, "", True),
        (-11, "", False),
        (-1000, "", False),
    ],
)
def test_how_a_program_may_end(code, err, good):
    assert (manners(Ended(code, "", err), signals=(9,)) == []) == good


@pytest.mark.parametrize(
    ("name", "content", "whole"),
    [
        ("run.json", b'{"a": 1}', True),
        ("run.json", b'{"a": ', False),
        ("run.json", b"", False),
        ("metrics.jsonl", b'{"epoch": 1}\n', True),
        ("metrics.jsonl", b'{"epoch": 1}\n{"epoch": 2}', False),
        ("metrics.jsonl", b'{"epoch": 1}\n{"epo\n', False),
        ("report.html", b"<html></html>\n", True),
        ("report.html", b"<html></", False),
        ("learned.txt", b"# 2 examples\na\nb\n", True),
        ("learned.txt", b"# 2 examples\na\n", False),
        ("model.safetensors", b"half", False),
        ("examples/0-a.png", b"\x89PNG", False),
        (".run.json.0123.googlenet", b"half", True),
        (".googlenet-fresh-x/model.json", b"half", True),
    ],
)
def test_what_is_whole(tmp_path, name, content, whole):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(content)
    assert (halves(tmp_path) == []) == whole


def test_weights_are_compared_bit_for_bit(tmp_path):
    one, other, changed = (tmp_path / f"{name}.safetensors" for name in ("one", "other", "changed"))
    save_file({"a": zeros(3), "b": zeros(2)}, one)
    save_file({"b": zeros(2), "a": zeros(3)}, other)
    save_file({"a": zeros(3), "b": zeros(2) - 0.0 * 1 + 1e-45}, changed)
    assert halves(tmp_path) == []
    assert same_weights(one, other)
    assert not same_weights(one, changed)
    assert not same_weights(tmp_path / "none.safetensors", one)
    one.write_bytes(one.read_bytes()[:-1])
    assert halves(tmp_path)


def test_what_is_left_is_seen(tmp_path):
    for name in (".a.json.0123.googlenet", "a.json", ".lock"):
        (tmp_path / name).write_text(json.dumps({}))
    (tmp_path / ".googlenet-fresh-1").mkdir()
    assert len(leftovers(tmp_path)) == 2


@pytest.mark.parametrize(
    ("before", "again", "epochs"),
    [
        ([], [1, 2, 3], 1),  # it was in the first
        ([1], [2, 3], 1),
        ([1], [1, 2, 3], 2),
        ([1, 2], [], 0),  # the last was done, and not said yet
        ([1, 2, 3], [], 0),
        ([1, 2, 3], [3], 1),
        ([1, 2, 3], [1, 2, 3], 3),
    ],
)
def test_how_many_epochs_are_lost(before, again, epochs):
    assert lost(before, again, 3) == epochs


@NEEDS_A_COMPILER
@pytest.mark.parametrize(
    ("how", "at", "error", "left"),
    [
        ("KILL", 1, 0, {}),
        ("KILL", 2, 0, {"a": ""}),
        ("KILL_HALFWAY", 2, 0, {"a": "12"}),
        ("KILL", 4, 0, {"a": "1234"}),
        ("FAIL_ONCE", 2, errno.ENOSPC, {"a": "", "failed": "ENOSPC"}),
        ("FAIL_ON", 1, errno.EIO, {"failed": "EIO"}),
        ("COUNT", 0, 0, {"b": "1234"}),
    ],
)
def test_the_call_that_is_meant_is_struck(tmp_path, how, at, error, left):
    """Calls: open, write, fsync, rename."""
    program = f"""
import os, sys
sys.path.insert(0, {str(FAULTS)!r})
import program
program.call_shim()
folder = {str(tmp_path / "below")!r}
os.mkdir(folder)
program.Strike(program.{how}, {at}, {error}, folder).arm()
try:
    with open(folder + "/a", "wb", buffering=0) as file:
        file.write(b"1234")
        os.fsync(file.fileno())
    os.replace(folder + "/a", folder + "/b")
except OSError as error:
    program.Strike(program.COUNT, 0, 0, "nowhere").arm()
    open(folder + "/failed", "w").write(__import__("errno").errorcode[error.errno])
"""
    (tmp_path / "p.py").write_text(program)
    words = [sys.executable, tmp_path / "p.py"]
    ended = subprocess.run(words, env={"FAULTS_ROOM": str(tmp_path), "PATH": "/usr/bin:/bin"}, timeout=60, check=False)
    assert ended.returncode == (-9 if how.startswith("KILL") else 0)
    assert {path.name: path.read_text() for path in (tmp_path / "below").iterdir()} == left
