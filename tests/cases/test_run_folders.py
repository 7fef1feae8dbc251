"""Run folders as people use them: started together, named by their data, stopped, gone on with, put anywhere."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import DEADLINE, picture, run_here
from googlenet import InputError, load
from googlenet.training import loop
from googlenet.training.learner import Learner
from googlenet.training.runs.folder import Run
from googlenet.training.runs.places import NOWHERE, next_run, run_name

pytestmark = pytest.mark.usefixtures("short")
SHORT = ["--arch", "short_2d", "--width", "0.125", "--batch-size", "8", "--epochs", "2"]


def draw(root, first=0, count=12):
    for name, colour in (("red", (200, 60, 60)), ("blue", (60, 60, 200))):
        (root / name).mkdir(parents=True)
        for number in range(count):
            picture(colour, seed=first + number).save(root / name / f"{number:03}.png")
    return root


def train(*words, cwd=None):
    return run_here("train", *words, *SHORT, cwd=cwd)


# --------------------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("where", "source", "name"),
    [
        (".", "photos", "photos"),
        (".", "photos/", "photos"),
        (".", "./photos/.", "photos"),
        (".", "photos/red/..", "photos"),
        (".", "data.v1", "data.v1"),
        (".", "data.v1/", "data.v1"),
        (".", "ecg.csv", "ecg"),
        (".", "ecg.v2.csv", "ecg.v2"),
        (".", "archive/GunPoint", "GunPoint"),
        (".", "digits", "digits"),
        ("photos", ".", "photos"),
        ("photos/red", "..", "photos"),
        ("photos", "../data.v1", "data.v1"),
        (".", "/", "run"),
    ],
)
def test_runs_are_called_as_their_data(tmp_path, monkeypatch, where, source, name):
    for folder in ("photos/red", "data.v1", "archive"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("ecg.csv", "ecg.v2.csv"):
        (tmp_path / file).touch()
    monkeypatch.chdir(tmp_path / where)
    assert run_name(source) == name


def test_trainings_that_start_together_take_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(9) as pool:
        taken = list(pool.map(lambda _: next_run("photos").path, range(45)))
    names = [Path("runs/photos"), *(Path(f"runs/photos-{number}") for number in range(2, 46))]
    assert sorted(taken) == sorted(names)


def test_of_trainings_that_begin_in_one_folder_one_goes_on(tmp_path):
    def take(_):
        try:
            Run(tmp_path / "same").take()
        except InputError as error:
            return str(error)

    with ThreadPoolExecutor(9) as pool:
        said = list(pool.map(take, range(9)))
    assert said.count(None) == 1
    assert all("Another training is beginning" in words for words in said if words)


def test_a_training_that_could_not_begin_leaves_no_folder(tmp_path):
    draw(tmp_path / "photos")
    for words in (["photos", "--width", "nothing"], ["photos", "--recipe", "none"], ["photos", "--weights", "nowhere"]):
        assert run_here("train", *words, cwd=tmp_path).returncode != 0
        assert not (tmp_path / "runs" / "photos").exists()
    assert run_here("train", "nowhere", "--out", tmp_path / "new").returncode == 1
    assert not (tmp_path / "new").exists()


def test_runs_cannot_be_named_where_runs_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").write_text("kept")
    with pytest.raises(InputError, match=r"runs/photos cannot be the folder of a run: .*\(--out\)"):
        next_run("photos")
    assert Path("runs").read_text() == "kept" and not NOWHERE.exists


# -------------------------------------------------------------------------------------------------------- resume
def test_resume_finds_the_run_of_these_data(tmp_path):
    a, b = draw(tmp_path / "a" / "photos"), draw(tmp_path / "b" / "photos", first=50)
    assert [train(data, cwd=tmp_path).returncode for data in (a, b)] == [0, 0]
    for data, run in ((a, "photos"), (b, "photos-2")):
        result = run_here("train", data, "--resume", "--epochs", "3", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert f"run: runs/{run}\n" in result.stderr
        assert len((tmp_path / "runs" / run / "metrics.jsonl").read_text().splitlines()) == 3
    draw(tmp_path / "c" / "photos", first=90)
    result = run_here("train", tmp_path / "c" / "photos", "--resume", cwd=tmp_path)
    assert result.returncode == 1
    assert "runs/photos, runs/photos-2 learned from other examples" in result.stderr


def test_resume_reads_a_table_as_its_run_does(tmp_path):
    """Without the options that said which columns are labels and groups, and beside a run of another table."""
    draws = np.random.default_rng(0)
    frame = pd.DataFrame(draws.normal(size=(24, 20)), columns=[f"v{n}" for n in range(20)])
    frame.insert(0, "patient", [f"p{row // 4}" for row in range(24)])
    frame.insert(1, "shape", ["a", "b"] * 12)
    frame.insert(2, "label", ["x", "y", "z"] * 8)
    frame.to_csv(tmp_path / "ecg.csv", index=False)
    short = ["--width", "0.125", "--epochs", "1", "--competing", "0", "--members", "1"]
    words = ["ecg.csv", "--target", "shape", "--group", "patient", *short]
    assert run_here("train", *words, cwd=tmp_path).returncode == 0
    (tmp_path / "other").mkdir()
    frame.rename(columns={"shape": "kind"}).drop(columns="patient").to_csv(tmp_path / "other" / "ecg.csv", index=False)
    assert run_here("train", "other/ecg.csv", "--target", "kind", *short, cwd=tmp_path).returncode == 0
    result = run_here("train", "ecg.csv", "--resume", "--epochs", "2", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "run: runs/ecg\n" in result.stderr and "groups in column 'patient'" in result.stderr
    (tmp_path / "ecg.csv").write_text("label,v0,v1\na,1,ERR\n")
    result = run_here("train", "ecg.csv", "--resume", cwd=tmp_path)
    assert result.returncode == 1 and "Traceback" not in result.stderr and "ecg.csv" in result.stderr


def test_resume_where_there_is_no_run_is_a_sentence(tmp_path):
    result = run_here("train", "digits", "--out", tmp_path / "tpyo", "--resume")
    assert result.returncode == 1 and "There is no run in" in result.stderr
    assert not (tmp_path / "tpyo").exists()


def test_data_that_moved_are_gone_on_with_and_changed_ones_are_not(tmp_path):
    data, run = draw(tmp_path / "photos"), tmp_path / "run"
    assert train(data, "--out", run).returncode == 0
    data = data.rename(tmp_path / "elsewhere")
    run = run.rename(tmp_path / "moved")
    again = ["train", data, "--out", run, "--resume", "--epochs", "3"]
    assert run_here(*again).returncode == 0
    content = (data / "red" / "001.png").read_bytes()
    (data / "red" / "001.png").write_bytes((data / "blue" / "001.png").read_bytes())  # another under the same name
    result = run_here(*again)
    assert result.returncode == 1 and "other examples" in result.stderr
    (data / "red" / "001.png").write_bytes(content)
    (data / "green").mkdir()
    picture((60, 200, 60)).save(data / "green" / "0.png")
    result = run_here(*again)
    assert result.returncode == 1 and "other examples" in result.stderr


# ------------------------------------------------------------------------------------------------------- stopped
@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """A run that was stopped in its third epoch, and its data."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    data, step, steps = draw(tmp_path / "photos"), Learner.step, []

    def interrupted(*given):
        if len(steps) == 7:
            signal.raise_signal(signal.SIGTERM)
        steps.append(given)
        return step(*given)

    words = ["train", data, "--out", tmp_path / "run", *SHORT, "--epochs", "9"]
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", interrupted)
        result = run_here(*words)
    assert result.returncode == 143
    assert "up to the last checkpoint is saved; go on with: googlenet train" in result.stderr
    return tmp_path / "run", data


def test_a_stopped_run_predicts_evaluates_and_exports_and_says_so(stopped, tmp_path):
    run, data = stopped
    assert not (run / "model.safetensors").exists()
    said = "is not finished: these are its averaged weights after epoch 2 of 9."
    with pytest.warns(RuntimeWarning, match=said):
        predictor = load(run, engine="torch")
    assert predictor.classes == ("blue", "red")
    for words in (
        ["predict", run, data / "red" / "000.png", "--engine", "torch"],
        ["evaluate", run, data, "--json"],
        ["export", run, "--out", tmp_path / "model.onnx"],
    ):
        result = run_here(*words)
        assert result.returncode == 0, result.stderr
    shown = json.loads(run_here("evaluate", run, data, "--json").stdout)
    assert (shown["count"], shown["left_out"]) == (5, 19)
    with pytest.warns(RuntimeWarning, match=said):
        before = load(run, engine="torch").probabilities(data / "red" / "000.png")
    assert run_here("train", data, "--out", run, "--resume").returncode == 0
    after = load(run, engine="torch").probabilities(data / "red" / "000.png")
    assert before.shape == after.shape and (before != after).any()


def test_a_run_that_was_stopped_at_once_says_so(stopped):
    run, data = stopped
    for checkpoint in run.glob("checkpoint*"):
        checkpoint.unlink()
    result = run_here("predict", run, data / "red" / "000.png")
    assert result.returncode == 1 and "stopped before its first checkpoint" in result.stderr


PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from conftest import short_variants
from googlenet.apps.cli.main import main
with short_variants():
    main()
"""


@pytest.mark.skipif("GOOGLENET_MUTATION" in os.environ, reason="a process of its own")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_process_that_is_told_to_end_does_so_in_a_sentence(tmp_path, number, code):
    data = draw(tmp_path / "photos")
    words = ["train", data, "--out", tmp_path / "my run", *SHORT, "--epochs", "100000"]
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(Path(__file__).parents[1]), *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + DEADLINE
    while not (tmp_path / "my run" / "checkpoint.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(number)
    said = child.communicate(timeout=DEADLINE)[1]
    assert child.returncode == code, said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("googlenet: Stopped. What was learned up to the last checkpoint is saved")
    assert "'" + str(tmp_path / "my run") + "'" in said  # as a shell wants it
    assert not [path for path in (tmp_path / "my run").iterdir() if path.name.endswith(".googlenet")]


# -------------------------------------------------------------------------------------------------------- places
@pytest.mark.parametrize("out", ["file", "file/below", "full", "/proc/run", "/dev/full/run", "/dev/null", "x" * 300])
def test_a_folder_that_cannot_be_is_refused_before_anything_is_read(tmp_path, out):
    (tmp_path / "file").write_text("kept")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("kept")
    result = run_here("train", "nowhere", "--out", tmp_path / out)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1 and "--out" in result.stderr
    assert (tmp_path / "file").read_text() == (tmp_path / "full" / "notes.txt").read_text() == "kept"


def test_a_picture_that_vanishes_is_named(tmp_path):
    data = draw(tmp_path / "photos", count=8)
    for seed, path in enumerate(data.rglob("*.png")):  # large enough to be read again in every epoch
        picture((200, 60, 60), (90, 80), seed).save(path)
    step, steps = Learner.step, []

    def vanishing(*given):
        if not steps:
            for path in (data / "red").iterdir():
                path.unlink()
        steps.append(given)
        return step(*given)

    words = ["--arch", "googlenet_bn", "--width", "0.0625", "--batch-size", "4", "--epochs", "3"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "step", vanishing)
        result = run_here("train", data, "--out", tmp_path / "run", *words)
    assert result.returncode == 1
    assert str(data / "red") in result.stderr and "no such file" in result.stderr
    assert "Traceback" not in result.stderr


def test_of_the_processes_of_a_machine_one_speaks(tmp_path):
    Run(tmp_path).path.joinpath("notes.txt").write_text("kept")
    for rank, here, lines in (("0", "0", 1), ("1", "1", 0), ("4", "0", 1), ("7", "3", 0)):
        result = run_here("train", "digits", "--out", tmp_path, env={"RANK": rank, "LOCAL_RANK": here})
        assert (result.returncode, result.stderr.count("\n")) == (1, lines)
