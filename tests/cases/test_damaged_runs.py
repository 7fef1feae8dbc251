"""Run folders after accidents: whatever became of a file, a command says one sentence or is right all the same."""

import contextlib
import fcntl
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from itertools import product

import pytest
import torch
from safetensors.torch import load_file

from conftest import DEADLINE, draw_two_classes, run_here
from googlenet import InputError
from googlenet.apps.cli import progress
from googlenet.training import loop
from googlenet.training.learner import Learner
from googlenet.training.progress import EpochDone
from googlenet.training.runs.folder import Run
from googlenet.training.runs.records import EpochRow
from googlenet.weights.foreign.safetensors import read_tensors, write_tensors

pytestmark = pytest.mark.usefixtures("short")
SHORT = ["--arch", "short_2d", "--width", "0.125", "--batch-size", "8"]
NEWEST, PREVIOUS, MODEL = "checkpoint.safetensors", "checkpoint.previous.safetensors", "model.safetensors"


def damaged(path, how, other):
    """Does to a file what may happen to one; ``other`` is the same file of another run."""
    content = path.read_bytes()
    path.unlink()
    third = len(content) // 3
    if how == "a folder":
        path.mkdir()
    elif how == "a pipe":
        os.mkfifo(path)
    elif how == "of another run":
        shutil.copy(other, path)
    elif how != "removed":
        flipped = bytes([content[third] ^ 4])
        path.write_bytes(
            {
                "truncated": content[: 2 * third],
                "empty": b"",
                "zeroed": content[:third] + bytes(third) + content[2 * third :],
                "flipped": content[:third] + flipped + content[third + 1 :],
            }[how]
        )


HOWS = ("truncated", "empty", "zeroed", "flipped", "removed", "a folder", "a pipe", "of another run")
FILES = (MODEL, NEWEST, "run.json", "learned.txt", "metrics.jsonl", "times.jsonl", "evaluation.json", "report.html")
COMMANDS = ("resume", "evaluate", "predict", "export")
QUICK = {("predict", MODEL), ("evaluate", "learned.txt"), ("evaluate", "run.json")}  # in the fast suite: no training


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Data, a finished run of two epochs on them, one of another recipe, and what commands say of the whole one."""
    folder = tmp_path_factory.mktemp("runs")
    data = draw_two_classes(folder / "colours")
    for name, seed in (("whole", "0"), ("other", "1")):
        words = ["train", data, "--out", folder / name, *SHORT, "--epochs", "2", "--seed", seed]
        assert run_here(*words).returncode == 0
    shutil.copytree(folder / "whole", folder / "resumed")
    said = {command: done(command, folder / "whole", data) for command in ("evaluate", "predict")}
    assert done("resume", folder / "resumed", data).returncode == 0
    return folder, data, said


def done(command, run, data):
    words = {
        "resume": ["train", data, "--out", run, "--resume", "--epochs", "3"],
        "evaluate": ["evaluate", run, data, "--json"],
        "predict": ["predict", run, data / "red" / "00.png", "--engine", "torch", "--format", "jsonl"],
        "export": ["export", run, "--format", "onnx", "--out", run.parent / "exported.onnx"],
    }[command]
    return run_here(*words)


def matrix():
    for command, name, how in product(COMMANDS, FILES, HOWS):
        quick = (command, name) in QUICK or (command == "resume" and (name, how) == (NEWEST, "flipped"))
        yield pytest.param(command, name, how, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize(("command", "name", "how"), list(matrix()))
def test_a_sentence_or_the_right_answer(runs, tmp_path, command, name, how):
    folder, data, said = runs
    run = tmp_path / "whole"
    shutil.copytree(folder / "whole", run)
    damaged(run / name, how, folder / "other" / name)
    result = done(command, run, data)
    if result.returncode:
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1].startswith("googlenet: ") and "Traceback" not in result.stderr
    elif command == "resume":
        a, b = load_file(run / MODEL), load_file(folder / "resumed" / MODEL)
        assert all(torch.equal(a[key], b[key]) for key in b)
        for each in ("metrics.jsonl", "evaluation.json", NEWEST):
            assert (run / each).read_bytes() == (folder / "resumed" / each).read_bytes()
    elif command == "evaluate" and (found := json.loads(result.stdout)) != json.loads(said["evaluate"].stdout):
        assert found["unknown"]  # it says that it does not know what was learned from
    elif command == "predict" and name != MODEL:  # of which another run's is what one asks for
        assert result.stdout == said["predict"].stdout


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """A run that was stopped in its third epoch of four, with a checkpoint of each of the two before, and its data."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    data, step, steps = draw_two_classes(tmp_path / "colours"), Learner.step, []

    def interrupted(*given):
        if len(steps) == 7:
            signal.raise_signal(signal.SIGTERM)
        steps.append(given)
        return step(*given)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", interrupted)
        assert run_here("train", data, "--out", tmp_path / "run", *SHORT, "--epochs", "4").returncode == 143
    return tmp_path / "run", data


@pytest.mark.parametrize("how", ["flipped", "removed"])
def test_the_checkpoint_before_is_gone_on_from_aloud_to_the_same_bits(stopped, tmp_path, how):
    run, data = stopped
    assert {NEWEST, PREVIOUS} <= {path.name for path in run.iterdir()}
    shutil.copytree(run, tmp_path / "undisturbed")
    damaged(run / NEWEST, how, None)
    with pytest.warns(RuntimeWarning) as said:
        result = run_here("predict", run, data / "red" / "00.png", "--engine", "torch")
    assert result.returncode == 0
    assert any(f"{PREVIOUS} is read instead" in str(each.message) for each in said)
    resume = ["train", data, "--resume", "--out"]
    with pytest.warns(RuntimeWarning, match=rf"The training goes on from {PREVIOUS}, after epoch 1\."):
        assert run_here(*resume, run).returncode == 0
    assert run_here(*resume, tmp_path / "undisturbed").returncode == 0
    names = sorted(path.name for path in run.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "undisturbed").iterdir()) and PREVIOUS not in names
    for name in set(names) - {"times.jsonl"}:
        assert (run / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes(), name


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors, metadata: metadata.pop("recipe"),
        lambda tensors, metadata: metadata.pop("history"),
        lambda tensors, metadata: metadata.pop("epoch"),
        lambda tensors, metadata: metadata.pop("step"),
        lambda tensors, metadata: metadata.update(recipe="[]"),
        lambda tensors, metadata: metadata.update(epoch="9" * 5000),
        lambda tensors, metadata: metadata.update(epoch="7"),
        lambda tensors, metadata: metadata.update(history="[" * 99999),
        lambda tensors, metadata: metadata.update(history="[1, 2]"),
        lambda tensors, metadata: metadata.update(fingerprint="0" * 16),
        lambda tensors, metadata: tensors.update(x=tensors.popitem()[1]),
        lambda tensors, metadata: tensors.update({"model/x": torch.zeros(1)}),
        lambda tensors, metadata: tensors.update({"optimizer/x/y": torch.zeros(1)}),
        lambda tensors, metadata: tensors.update({"optimizer/99999/momentum": torch.zeros(1)}),
        lambda tensors, metadata: tensors.update({"optimizer/0/momentum": torch.zeros(1)}),
        lambda tensors, metadata: tensors.update({"optimizer/0/colour": torch.zeros(1)}),
        lambda tensors, metadata: tensors.pop(next(name for name in tensors if name.startswith("model/"))),
        lambda tensors, metadata: tensors.pop(next(name for name in tensors if name.startswith("mean/"))),
        lambda tensors, metadata: next(t for t in tensors.values() if t.is_floating_point()).fill_(torch.nan),
    ],
)
def test_a_checkpoint_that_says_something_else_is_a_sentence_and_changes_nothing(runs, tmp_path, change):
    folder, data, _ = runs
    run = tmp_path / "whole"
    shutil.copytree(folder / "whole", run)
    tensors, metadata = read_tensors(run / NEWEST)
    change(tensors, metadata)
    write_tensors(run / NEWEST, tensors, metadata)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    result = done("resume", run, data)
    assert result.returncode == 1 and NEWEST in result.stderr.splitlines()[-1]
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_every_bit_of_a_file_of_weights_counts(tmp_path):
    path = tmp_path / "small.safetensors"
    tensors = {"a": torch.tensor(3), "b": torch.ones(3, 2).bfloat16(), "c": torch.empty(0, 2)}
    write_tensors(path, tensors, {"extra": '{"classes": ["ü", "b"]}'})
    whole = path.read_bytes()
    found, metadata = read_tensors(path)
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items()) and "extra" in metadata
    for bit in range(0, 8 * len(whole), 5):  # of each byte one
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        with pytest.raises(InputError):
            read_tensors(path)


def test_runs_without_checksums_and_with_seconds_among_the_metrics_are_gone_on_with(runs, tmp_path):
    folder, data, _ = runs
    run = tmp_path / "whole"
    shutil.copytree(folder / "whole", run)
    from safetensors.torch import save_file

    for name in (MODEL, NEWEST):
        tensors, metadata = read_tensors(run / name)
        old = {key: text for key, text in metadata.items() if not key.startswith("googlenet.")}
        save_file(tensors, run / name, {key: text for key, text in old.items() if key != "fingerprint"})
    rows = [json.loads(line) | {"seconds": 7.0} for line in (run / "metrics.jsonl").read_text().splitlines()]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "times.jsonl").unlink()
    assert [row.seconds for row in Run(run).history()] == [7.0, 7.0]
    assert done("resume", run, data).returncode == 0
    assert (run / MODEL).read_bytes() == (folder / "resumed" / MODEL).read_bytes()


def test_the_same_training_writes_the_same_files(runs, tmp_path):
    folder, data, _ = runs
    words = ["train", data, "--out", tmp_path / "again", *SHORT, "--epochs", "2", "--seed", "0"]
    assert run_here(*words).returncode == 0
    files = sorted(path.name for path in (folder / "whole").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in set(files) - {"times.jsonl"}:
        assert (folder / "whole" / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


# ------------------------------------------------------------------------------------------------ two at a time
HOLDER = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_of_two_trainings_in_one_folder_the_second_is_told_so_and_a_killed_one_holds_nothing(runs, tmp_path):
    folder, data, _ = runs
    run = tmp_path / "whole"
    shutil.copytree(folder / "whole", run)
    command = [sys.executable, "-c", HOLDER, str(run)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "held\n"
    result = done("resume", run, data)
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "Another training is beginning in" in result.stderr
    child.kill()
    child.communicate(timeout=DEADLINE)
    Run(run).hold()
    run = Run(tmp_path / "new")
    run.path.mkdir()
    for left in (
        ".claimed",
        "learned.txt",
        ".run.json.0123456789abcdef.googlenet",
    ):  # of one that was killed as it began
        (run.path / left).touch()
    run.take()


def test_the_folder_is_held_as_long_as_the_training_lasts(tmp_path, monkeypatch):
    data, step, tried = draw_two_classes(tmp_path / "colours"), Learner.step, []

    def looking(*given):
        descriptor = os.open(tmp_path / "run", os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tried.append("held")
        finally:
            os.close(descriptor)
        return step(*given)

    monkeypatch.setattr(Learner, "step", looking)
    assert run_here("train", data, "--out", tmp_path / "run", *SHORT, "--epochs", "1").returncode == 0
    assert tried == ["held"] * 3  # at each step of an epoch of 19 pictures, 8 at most at once
    assert Run(tmp_path / "run")._lock.take(tmp_path / "run")  # and free again


class Closed(io.RawIOBase):
    """Standard output whose reader, such as ``head -1``, has gone."""

    def writable(self):
        return True

    def write(self, content):
        raise BrokenPipeError


def test_a_training_goes_on_when_nobody_reads_its_lines():
    with progress.training_progress() as report, contextlib.redirect_stdout(io.TextIOWrapper(Closed())) as out:
        for epoch in (1, 2):
            report(EpochDone(EpochRow(epoch, 1.0, 0.5), 2))
        out.detach()
