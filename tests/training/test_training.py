"""Runs and resumed runs, through the command line as people start them."""

import dataclasses
import json
import random
import signal
import sys

import pytest
import torch
from safetensors.torch import load_file

from conftest import QUICK, run_cli, run_here
from googlenet import InputError
from googlenet.apps.jobs import choose_recipe, training_job
from googlenet.data.builtin import digits
from googlenet.data.find import find_data
from googlenet.data.protocol import Dataset
from googlenet.training import loop, progress
from googlenet.training.distributed import World
from googlenet.training.learner import Learner
from googlenet.training.progress import EpochDone, silent
from googlenet.training.recipe import SMALL
from googlenet.training.runs.folder import Run
from googlenet.training.task import task_for
from googlenet.weights.checkpoint import network_of, read_unfinished

pytestmark = pytest.mark.usefixtures("short")
# A few steps of a network of a few layers, on 24 pictures.
SHORT = ["--arch", "short_2d", "--width", "0.125", "--batch-size", "8", "--epochs", "4"]


def metrics_of(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def assert_same_weights(a, b):
    a, b = load_file(a / "model.safetensors"), load_file(b / "model.safetensors")
    assert a.keys() == b.keys()
    for key in a:
        assert torch.equal(a[key], b[key]), key


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of the real network on built-in pictures."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    result = run_here("train", "digits", "--out", folder, *QUICK, "--batch-size", "256")
    assert result.returncode == 0, result.stderr
    return folder, result


def test_a_run_folder_holds_everything(run):
    folder, result = run
    assert [json.loads(line)["epoch"] for line in result.stdout.splitlines()] == [1, 2]
    assert metrics_of(folder)[1]["loss"] < metrics_of(folder)[0]["loss"]
    record = json.loads((folder / "run.json").read_text())
    assert record["examples"] == {"train": 1217, "validation": 130, "test": 450}
    assert record["classes"] == list("0123456789")
    page = (folder / "report.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    assert "Confusion matrix" in page
    assert "Most confident mistakes" in page
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert evaluation["count"] == 450


def test_a_run_is_not_overwritten(run):
    result = run_here("train", "digits", "--out", run[0], *QUICK)
    assert result.returncode == 1
    assert "already holds a run" in result.stderr


def test_evaluate_and_predict_from_the_run(run):
    folder, _ = run
    shown = json.loads(run_here("evaluate", folder, "digits", "--json").stdout)
    names = {"top1", "top5", "nll", "ece", "count", "per_class", "confusion", "part", "version"}
    names |= {"left_out", "learned", "unknown", "bad_files", "strangers", "notes", "shortcuts", "by_group"}
    names |= {"interval", "brier", "reliability", "temperature", "calibrated_on", "smoothing", "seen_groups"}
    assert set(shown) == names
    written = json.loads((folder / "evaluation.json").read_text())
    assert set(written) == names and written["confusion"] == shown["confusion"]
    assert shown["nll"] == pytest.approx(written["nll"], abs=1e-6)
    twice = json.loads(run_here("evaluate", folder, folder, "digits", "--json").stdout)
    assert twice["nll"] == pytest.approx(shown["nll"], abs=1e-6)
    words = ["predict", folder, folder / "examples", "--format", "jsonl", "--top", "3", "--engine", "torch"]
    rows = run_here(*words).stdout.splitlines()
    first = json.loads(rows[0])
    assert len(rows) == 8
    assert set(first) == {"input", "label", "probability", "top"}
    assert first["top"][0]["label"] == first["label"]
    assert len(first["top"]) == 3


def test_resume_with_another_recipe_is_refused(run):
    result = run_here("train", "digits", "--out", run[0], *QUICK, "--learning-rate", "0.1", "--resume")
    assert result.returncode == 1
    assert "batch_size, learning_rate differ" in result.stderr


# The command line in a process that is killed as it begins a step, or between a checkpoint and its line of metrics.
KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv.pop(1))
from conftest import short_variants
from googlenet.apps.cli.main import main
from googlenet.training import loop
from googlenet.training.learner import Learner
from googlenet.training.runs.folder import Run

moment, count = sys.argv.pop(1), int(sys.argv.pop(1))

def dying(function):
    def counted(*words):
        global count
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        count -= 1
        return function(*words)
    return counted

if moment == "step":
    Learner.step = dying(Learner.step)
else:
    Run.write_history = dying(Run.write_history)
loop.CHECKPOINT_SECONDS = -1.0
with short_variants():
    main()
"""


def killed(moment, count, *words):
    """The command line, killed with the given number of such moments behind it."""
    tests = next(path for path in sys.path if path.endswith("tests"))
    result = run_cli(*words, program=[sys.executable, "-c", KILLED, tests, moment, str(count)])
    assert result.returncode == -signal.SIGKILL, result.stderr


def test_killed_and_resumed_ends_in_the_same_weights(tmp_path, two_classes, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    words = ["train", two_classes, *SHORT]
    assert run_here(*words, "--out", tmp_path / "whole").returncode == 0
    killed("step", 7, *words, "--out", tmp_path / "killed")  # three steps an epoch: in the third
    assert (tmp_path / "killed" / "checkpoint.safetensors").exists()
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    assert [row["epoch"] for row in metrics_of(tmp_path / "killed")] == [1, 2]
    result = run_here(*words, "--out", tmp_path / "killed", "--resume")
    assert result.returncode == 0, result.stderr
    assert [json.loads(line)["epoch"] for line in result.stdout.splitlines()] == [3, 4]
    assert_same_weights(tmp_path / "whole", tmp_path / "killed")
    assert [row["epoch"] for row in metrics_of(tmp_path / "killed")] == [1, 2, 3, 4]


@pytest.mark.slow
def test_killed_and_resumed_on_shards_too(tmp_path, two_classes, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    assert run_here("shard", two_classes, tmp_path / "shards").returncode == 0
    words = ["train", tmp_path / "shards", *SHORT]
    assert run_here(*words, "--out", tmp_path / "whole").returncode == 0
    killed("step", 7, *words, "--out", tmp_path / "killed")
    assert run_here(*words, "--out", tmp_path / "killed", "--resume").returncode == 0
    assert_same_weights(tmp_path / "whole", tmp_path / "killed")


class Killed(BaseException):
    """Nothing catches it: what is on the disk is what a process that is killed leaves there."""


@pytest.mark.parametrize(
    ("owner", "name", "done"),
    [(Learner, "step", 1), (Learner, "step", 4), (loop.Run, "write_history", 0), (loop.Run, "write_history", 2)],
)
def test_stopped_at_any_moment_and_resumed(tmp_path, two_classes, monkeypatch, owner, name, done):
    """Before the first checkpoint, at the start of an epoch, and between a checkpoint and its line of metrics."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    words = ["train", two_classes, *SHORT]
    assert run_here(*words, "--out", tmp_path / "whole").returncode == 0
    function, calls = getattr(owner, name), []

    def dying(*given):
        if len(calls) == done:
            raise Killed
        calls.append(given)
        return function(*given)

    monkeypatch.setattr(owner, name, dying)
    with pytest.raises(Killed):
        run_here(*words, "--out", tmp_path / "parts")
    monkeypatch.setattr(owner, name, function)
    assert run_here(*words, "--out", tmp_path / "parts", "--resume").returncode == 0
    assert_same_weights(tmp_path / "whole", tmp_path / "parts")
    assert [row["epoch"] for row in metrics_of(tmp_path / "parts")] == [1, 2, 3, 4]


def test_within_a_long_epoch_too(tmp_path, two_classes, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(loop, "WITHIN", 1)
    words = ["train", two_classes, *SHORT, "--dropout", "0.3"]
    assert run_here(*words, "--out", tmp_path / "whole").returncode == 0
    step, calls = Learner.step, []

    def dying(*given):
        if len(calls) == 7:
            raise Killed
        calls.append(given)
        return step(*given)

    monkeypatch.setattr(Learner, "step", dying)
    with pytest.raises(Killed):
        run_here(*words, "--out", tmp_path / "parts")
    calls.clear()  # of three steps an epoch, seven are done: five are left
    monkeypatch.setattr(Learner, "step", lambda *given: calls.append(given) or step(*given))
    result = run_here(*words, "--out", tmp_path / "parts", "--resume")
    assert result.returncode == 0, result.stderr
    assert len(calls) == 5
    assert_same_weights(tmp_path / "whole", tmp_path / "parts")
    losses = [[row["loss"] for row in metrics_of(tmp_path / name)] for name in ("whole", "parts")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_time_within_an_epoch_counts_when_it_is_gone_on_with(tmp_path, two_classes, monkeypatch):
    """By a clock on which a step of two examples takes a second."""
    time, step, steps, speeds = [0.0], Learner.step, [], []

    def ticking(*given):
        time[0] += 1.0
        steps.append(given)
        if len(steps) == 9:
            raise Killed
        return step(*given)

    for module in (loop, progress):
        monkeypatch.setattr(module, "now", lambda: time[0])
    monkeypatch.setattr(loop, "WITHIN", 2)
    monkeypatch.setattr(Learner, "step", ticking)
    changes = {"arch": "short_2d", "width": "0.125", "batch_size": "2", "epochs": "4", "max_seconds": "12.5"}
    data = find_data(str(two_classes))
    task = task_for(data, choose_recipe(data, None, changes))
    run, world = Run(tmp_path / "run"), World(0, 1, torch.device("cpu"))
    with pytest.raises(Killed):
        loop.train(task, run, world, False, lambda event: None)
    time[0] += 1000

    def report(event):
        if isinstance(event, progress.StepDone):
            speeds.append(event.examples_per_second)

    loop.train(task, run, world, True, report)
    assert len(steps) == 9 + 5  # of eight there is a checkpoint; 4.5 seconds are left
    assert sum(row.seconds for row in run.history()) == pytest.approx(13, abs=0.1)
    assert speeds == pytest.approx([2.0] * len(speeds), rel=0.1)


@pytest.mark.slow
def test_killed_three_times_at_random_moments(tmp_path):
    words = ["train", "digits", *QUICK, "--epochs", "3", "--batch-size", "256"]  # 6 steps an epoch
    assert run_here(*words, "--out", tmp_path / "whole").returncode == 0
    draws, out = random.Random(0), ["--out", tmp_path / "killed"]
    for extra in ([], ["--resume"], ["--resume"]):
        killed("step", draws.randrange(5), *words, *out, *extra)
    assert run_here(*words, *out, "--resume").returncode == 0
    assert_same_weights(tmp_path / "whole", tmp_path / "killed")
    assert [row["epoch"] for row in metrics_of(tmp_path / "killed")] == [1, 2, 3]


def test_resume_with_other_examples_is_refused(tmp_path, two_classes):
    words = ["train", two_classes, "--out", tmp_path / "run", *SHORT]
    assert run_here(*words).returncode == 0
    before = (tmp_path / "run" / "run.json").read_bytes()
    (two_classes / "red" / "00.png").rename(two_classes / "blue" / "moved.png")
    result = run_here(*words, "--resume")
    assert result.returncode == 1
    assert f"learned from other examples than {two_classes} holds now" in result.stderr
    assert (tmp_path / "run" / "run.json").read_bytes() == before
    measured = json.loads(run_here("evaluate", tmp_path / "run", two_classes, "--json").stdout)
    assert (measured["count"], measured["left_out"]) == (5, 19)  # whatever they are called
    (two_classes / "blue" / "moved.png").rename(two_classes / "red" / "00.png")
    assert run_here(*words, "--resume").returncode == 0
    old = json.loads(before)  # a run of before they said which examples they learned from
    del old["fingerprint"], old["version"]
    (tmp_path / "run" / "run.json").write_text(json.dumps(old))
    (tmp_path / "run" / "learned.txt").unlink()
    assert json.loads(run_here("evaluate", tmp_path / "run", two_classes, "--json").stdout)["part"] == "all"
    assert run_here(*words, "--resume").returncode == 0


def test_a_diverging_loss_stops_with_batch_layer_and_advice(tmp_path, two_classes):
    words = ["--learning-rate", "1e30", "--clip", "0", "--optimizer", "sgd", "--batch-size", "4"]
    result = run_here("train", two_classes, "--out", tmp_path / "nan", *SHORT, *words)
    assert result.returncode == 1
    assert "epoch 1, batch" in result.stderr
    assert "layer" in result.stderr
    assert "smaller learning_rate" in result.stderr
    assert "Traceback" not in result.stderr


def test_interrupt_says_how_to_resume(tmp_path, two_classes, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    step, steps = Learner.step, []

    def interrupted(*given):
        if len(steps) == 3:  # in the second epoch of two steps
            signal.raise_signal(signal.SIGINT)
        steps.append(given)
        return step(*given)

    words = ["train", str(two_classes), "--out", str(tmp_path / "stopped"), *SHORT]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it may be ignored
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Learner, "step", interrupted)
            result = run_here(*words)
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.returncode == 130
    assert (tmp_path / "stopped" / "checkpoint.safetensors").exists()
    assert f"googlenet {' '.join(words)} --resume" in result.stderr
    assert run_here(*words, "--resume").returncode == 0


def test_resume_goes_on_with_the_last_run_of_the_data(tmp_path, two_classes):
    words = ["train", two_classes.name, *SHORT]
    result = run_here(*words, "--resume", cwd=tmp_path)
    assert result.returncode == 1 and "There is no runs/colours to go on with" in result.stderr
    for _ in range(2):
        assert run_here(*words, cwd=tmp_path).returncode == 0
    last = tmp_path / "runs" / "colours-2"
    before = (last / "metrics.jsonl").read_bytes()
    result = run_here(*words, "--resume", cwd=tmp_path)
    assert result.returncode == 0 and "runs/colours-2" in result.stderr
    assert (last / "metrics.jsonl").read_bytes() == before
    assert not (tmp_path / "runs" / "colours-3").exists()


def test_a_finished_run_is_given_more_epochs_and_keeps_its_recipe(tmp_path, two_classes):
    words = ["train", two_classes, "--out", tmp_path / "run"]
    assert run_here(*words, *SHORT, "--epochs", "2", "--seed", "5").returncode == 0
    result = run_here(*words, "--resume", "--epochs", "4")
    assert result.returncode == 0, result.stderr
    assert [row["epoch"] for row in metrics_of(tmp_path / "run")] == [1, 2, 3, 4]
    recipe = json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]
    assert (recipe["arch"], recipe["seed"], recipe["epochs"]) == ("short_2d", 5, 4)
    result = run_here(*words, "--resume", "--epochs", "3")
    assert result.returncode == 1 and "has done 4 epochs already; ask for more than that" in result.stderr
    result = run_here(*words, "--resume", "--width", "0.25")
    assert result.returncode == 1 and "another recipe (width differ)" in result.stderr


def test_weights_that_are_trained_further_are_said_to_be_of_before(tmp_path, two_classes, monkeypatch, recwarn):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    words = ["train", two_classes, "--out", tmp_path / "run"]
    asked = ["evaluate", tmp_path / "run", two_classes]
    assert run_here(*words, *SHORT, "--epochs", "1").returncode == 0
    before = run_here(*asked).stdout
    write, calls = loop.Run.write_history, []

    def dying(*given):
        calls.append(given)
        if len(calls) == 2:
            raise Killed
        write(*given)

    monkeypatch.setattr(loop.Run, "write_history", dying)
    with pytest.raises(Killed):
        run_here(*words, "--resume", "--epochs", "4")
    monkeypatch.setattr(loop.Run, "write_history", write)
    assert not [each for each in recwarn if "trained further" in str(each.message)]
    with pytest.warns(RuntimeWarning, match="is trained further, or that was stopped: these are its weights of before"):
        assert run_here(*asked).stdout == before
    assert run_here(*words, "--resume", "--epochs", "4").returncode == 0
    recwarn.clear()
    assert run_here(*asked).returncode == 0
    assert not [each for each in recwarn if "trained further" in str(each.message)]


def test_a_recipe_is_changed_before_it_is_fitted_to_the_data():
    data = digits()
    by_default = choose_recipe(data, None, {})
    steps = -(-len(data.train) // by_default.batch_size)
    assert by_default.epochs == -(-SMALL.min_steps // steps)
    assert choose_recipe(data, None, {"min_steps": "5000"}).epochs == -(-5000 // steps)
    assert choose_recipe(data, None, {"batch_size": "32"}).epochs == SMALL.epochs
    assert choose_recipe(data, None, {"class_epochs": "9"}).epochs == SMALL.epochs + 90
    assert choose_recipe(data, None, {"epochs": "2"}).epochs == 2
    assert choose_recipe(data, None, {"epochs": "2", "class_epochs": "1"}).epochs == 12


def test_python_training_needs_no_command_line(tmp_path):
    data = digits()
    data = dataclasses.replace(data, train=data.train.subset(range(128)), test=data.test.subset(range(40)))
    recipe = SMALL.with_changes({"arch": "short_2d", "width": "0.125", "epochs": "2", "batch_size": "32"})
    events = []
    result = training_job(data, recipe, tmp_path / "run", resume=False, report=events.append)
    assert [event.row.epoch for event in events if isinstance(event, EpochDone)] == [1, 2]
    assert result.count == 40 and 0 < result.top1 <= 1
    assert len(list((tmp_path / "run" / "examples").iterdir())) == 8
    with pytest.raises(InputError, match="already holds a run"):
        training_job(data, recipe, tmp_path / "run", resume=False, report=silent)


@pytest.mark.parametrize(
    ("ema", "growth"), [pytest.param("0", "0", marks=pytest.mark.slow), ("0.998", "0"), ("0.998", "0.9")]
)
def test_a_training_that_is_stopped_predicts_as_well_as_its_last_epoch_was(tmp_path, monkeypatch, ema, growth):
    """The statistics that its norms had meanwhile are of other weights and, of pictures that grow, of other inputs."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    part = digits().train.subset(range(600))
    data = Dataset("digits", digits().classes, part.subset(range(400)), validation=part.subset(range(400, 600)))
    changes = {"arch": "short_2d", "epochs": "60", "batch_size": "64", "precision": "fp32"}
    steps = []

    class Stopped(Exception):
        """As by a signal."""

    def stops(learner, *given, step=Learner.step):
        steps.append(given)
        if len(steps) > 14 * 7:
            raise Stopped
        return step(learner, *given)

    monkeypatch.setattr(Learner, "step", stops)
    with pytest.raises(Stopped):
        training_job(data, choose_recipe(data, None, changes | {"ema": ema, "growth": growth}), tmp_path / "run")
    said = metrics_of(tmp_path / "run")[-1]
    weights = read_unfinished(tmp_path / "run")
    shown = torch.cat([batch.inputs for batch in task_for(data, SMALL).validation.plain()])
    with torch.inference_mode():
        guesses = network_of(weights).eval()(shown).argmax(1)
    assert (guesses == data.validation.labels).float().mean() == pytest.approx(said["validation_accuracy"])
    assert said["epoch"] == 14 and said["validation_accuracy"] > 0.5
