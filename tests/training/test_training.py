"""Runs, resumed runs and several processes, through the command line as people start them."""

import dataclasses
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from conftest import CLI, QUICK, run_cli
from googlenet import InputError
from googlenet.apps.jobs import choose_recipe, training_job
from googlenet.data.builtin import digits
from googlenet.data.protocol import Batch
from googlenet.training.distributed import World, joined
from googlenet.training.learner import Learner, mixed
from googlenet.training.loop import fresh_state
from googlenet.training.recipe import SMALL, find_recipe
from googlenet.training.schedule import learning_rate
from googlenet.training.task import task_for


def metrics_of(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def assert_same_weights(a, b):
    a, b = load_file(a / "model.safetensors"), load_file(b / "model.safetensors")
    assert a.keys() == b.keys()
    for key in a:
        assert torch.equal(a[key], b[key]), key


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    result = run_cli("train", "digits", "--out", folder, *QUICK)
    assert result.returncode == 0, result.stderr
    return folder, result


def test_a_run_folder_holds_everything(run):
    folder, result = run
    assert [json.loads(line)["epoch"] for line in result.stdout.splitlines()] == [1, 2]
    assert metrics_of(folder)[1]["loss"] < metrics_of(folder)[0]["loss"]
    record = json.loads((folder / "run.json").read_text())
    assert record["examples"] == {"train": 1347, "test": 450}
    assert record["classes"] == list("0123456789")
    page = (folder / "report.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    assert "Confusion matrix" in page
    assert "Most confident mistakes" in page
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert evaluation["count"] == 450


def test_a_run_is_not_overwritten(run):
    result = run_cli("train", "digits", "--out", run[0], *QUICK)
    assert result.returncode == 1
    assert "already holds a run" in result.stderr


def test_evaluate_and_predict_from_the_run(run):
    folder, _ = run
    shown = json.loads(run_cli("evaluate", folder, "digits", "--json").stdout)
    assert set(shown) == {"top1", "top5", "nll", "ece", "count", "per_class", "confusion", "part"}
    assert shown == json.loads((folder / "evaluation.json").read_text())
    twice = json.loads(run_cli("evaluate", folder, folder, "digits", "--json").stdout)
    assert twice["nll"] == pytest.approx(shown["nll"], abs=1e-6)
    rows = run_cli("predict", folder, folder / "examples", "--format", "jsonl", "--top", "3").stdout.splitlines()
    first = json.loads(rows[0])
    assert len(rows) == 8
    assert set(first) == {"input", "label", "probability", "top"}
    assert first["top"][0]["label"] == first["label"]
    assert len(first["top"]) == 3


def test_killed_and_resumed_ends_in_the_same_weights(tmp_path):
    # Long enough for a checkpoint, which comes after two seconds, to lie well before the end on any machine.
    words = ["train", "digits", "--width", "0.125", "--epochs", "8", "--batch-size", "32"]
    assert run_cli(*words, "--out", tmp_path / "whole").returncode == 0
    words += ["--out", str(tmp_path / "killed")]
    process = subprocess.Popen([*CLI, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "killed" / "checkpoint.safetensors"
    deadline = time.time() + 120
    while not checkpoint.exists() and time.time() < deadline:
        time.sleep(0.02)
    time.sleep(random.random() * 0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    result = run_cli(*words, "--resume")
    assert result.returncode == 0, result.stderr
    assert_same_weights(tmp_path / "whole", tmp_path / "killed")
    assert [row["epoch"] for row in metrics_of(tmp_path / "killed")] == list(range(1, 9))


@pytest.mark.slow
def test_killed_three_times_at_random_moments(tmp_path):
    words = ["train", "digits", "--width", "0.125", "--epochs", "8", "--batch-size", "32"]
    started = time.time()
    assert run_cli(*words, "--out", tmp_path / "whole").returncode == 0
    whole = time.time() - started
    words += ["--out", str(tmp_path / "killed")]
    for attempt in range(3):
        extra = ["--resume"] if attempt else []
        process = subprocess.Popen([*CLI, *words, *extra], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * random.uniform(0.2, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    result = run_cli(*words, "--resume")
    assert result.returncode == 0, result.stderr
    assert_same_weights(tmp_path / "whole", tmp_path / "killed")
    assert [row["epoch"] for row in metrics_of(tmp_path / "killed")] == list(range(1, 9))


@pytest.mark.slow
def test_compiled_training_takes_the_same_steps():
    """From the same weights, without dropout, in float64: rounding would turn a ReLU here and there."""
    changes = {
        "width": 0.125,
        "precision": "fp32",
        "dropout": 0.0,
        "optimizer": "sgd",
        "momentum": 0.0,
        "clip": 0.0,
        "ema": 0.0,
    }
    after = []
    world = World(0, 1, torch.device("cpu"))
    for compiled in (False, True):
        recipe = dataclasses.replace(SMALL, arch="googlenet_small", compile=compiled, **changes)
        state = fresh_state(task_for(digits(), recipe), recipe, world)
        state.model.double()
        learner = Learner(state, recipe, world, None)
        inputs = torch.randn(16, 1, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        for _ in range(3):
            learner.step(Batch(inputs, torch.arange(16) % 10, torch.arange(16)), 0.01, "a step")
        after.append(state.model.state_dict())
    for key, value in after[0].items():
        torch.testing.assert_close(after[1][key], value, rtol=1e-5, atol=1e-7)


def test_resume_with_another_recipe_is_refused(run):
    result = run_cli("train", "digits", "--out", run[0], *QUICK, "--learning-rate", "0.1", "--resume")
    assert result.returncode == 1
    assert "learning_rate differ" in result.stderr


def test_resume_with_other_examples_is_refused(tmp_path, two_classes):
    words = ["train", two_classes, "--out", tmp_path / "run", "--arch", "googlenet_small", *QUICK]
    assert run_cli(*words).returncode == 0
    before = (tmp_path / "run" / "run.json").read_bytes()
    (two_classes / "red" / "00.png").rename(two_classes / "blue" / "moved.png")
    result = run_cli(*words, "--resume")
    assert result.returncode == 1
    assert f"learned from other examples than {two_classes} holds now" in result.stderr
    assert (tmp_path / "run" / "run.json").read_bytes() == before
    (two_classes / "blue" / "moved.png").rename(two_classes / "red" / "00.png")
    assert run_cli(*words, "--resume").returncode == 0


def test_a_diverging_loss_stops_with_batch_layer_and_advice(tmp_path):
    words = ["--arch", "googlenet_small", "--learning-rate", "1e30", "--clip", "0", "--optimizer", "sgd"]
    result = run_cli("train", "digits", "--out", tmp_path / "nan", *QUICK, *words)
    assert result.returncode == 1
    assert "epoch 1, batch" in result.stderr
    assert "layer" in result.stderr
    assert "smaller learning_rate" in result.stderr
    assert "Traceback" not in result.stderr


def test_interrupt_says_how_to_resume(tmp_path):
    words = ["train", "digits", "--out", str(tmp_path / "stopped"), "--width", "0.125"]
    process = subprocess.Popen(
        [*CLI, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # tests in the background inherit that it is ignored
    )
    while not (tmp_path / "stopped" / "checkpoint.safetensors").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"googlenet {' '.join(words)} --resume" in errors


def test_two_processes_learn_as_one(tmp_path):
    words = ["train", "digits", "--width", "0.125", "--epochs", "3", "--batch-size", "64"]
    words += ["--dropout", "0", "--precision", "fp32", "--learning-rate", "0.0003"]
    assert run_cli(*words, "--out", tmp_path / "one").returncode == 0
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-port", str(free_port()), "--no-python", *CLI, *words, "--out", str(tmp_path / "two")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    one, two = metrics_of(tmp_path / "one"), metrics_of(tmp_path / "two")
    for a, b in zip(one, two, strict=True):
        # Batch statistics, gradients and pictures are those of the whole batch. What is left is rounding,
        # which a network at its start blows up some twentyfold a step.
        assert b["loss"] == pytest.approx(a["loss"], rel=0.01)


def _one_step(rank, world, port, path):
    """One process's share of a step of a small network in double precision; the first one keeps the result."""
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(1, 6, 3), torch.nn.BatchNorm2d(6), torch.nn.ReLU(), torch.nn.Conv2d(6, 4, 3)]
    network = torch.nn.Sequential(*layers, torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.LazyLinear(3))
    network = network.double()
    inputs, labels = torch.randn(8, 1, 8, 8).double() * torch.arange(1, 9).view(8, 1, 1, 1), torch.arange(8) % 3
    network(inputs)
    with joined() as processes:
        wrapped = processes.wrap(network)
        torch.nn.functional.cross_entropy(wrapped(inputs[rank::world]), labels[rank::world]).backward()
        if processes.leads:
            gradients = {key: parameter.grad for key, parameter in network.named_parameters()}
            torch.save([gradients, network.state_dict()], path)


def test_gradients_and_statistics_over_processes_are_those_of_the_whole_batch(tmp_path):
    torch.multiprocessing.spawn(_one_step, (1, 0, tmp_path / "one.pt"), nprocs=1)
    torch.multiprocessing.spawn(_one_step, (2, free_port(), tmp_path / "two.pt"), nprocs=2)
    one, two = torch.load(tmp_path / "one.pt", weights_only=True), torch.load(tmp_path / "two.pt", weights_only=True)
    for a, b in zip(one, two, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            torch.testing.assert_close(b[key], a[key], rtol=1e-9, atol=1e-9, msg=lambda text, key=key: f"{key}: {text}")


def test_weighted_losses_of_processes_average_to_that_of_the_whole_batch():
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 1, 3), torch.tensor([0, 1, 2, 1, 2, 1, 0, 1])
    weights = torch.tensor([1.0, 2.0, 5.0])
    sums = [weights[labels[rank::2]].sum() for rank in (0, 1)]
    assert sums[0] != sums[1]
    processes = SimpleNamespace(device=torch.device("cpu"), wrap=lambda model: model, mean=lambda _: sum(sums) / 2)
    learner = Learner(SimpleNamespace(model=None), SMALL, processes, weights)
    halves = [learner._loss(logits[rank::2], labels[rank::2, None]) for rank in (0, 1)]
    smoothing = SMALL.label_smoothing
    whole = torch.nn.functional.cross_entropy(logits[:, 0], labels, weight=weights, label_smoothing=smoothing)
    torch.testing.assert_close(sum(halves) / 2, whole)


def test_a_recipe_is_changed_before_it_is_fitted_to_the_data():
    data = digits()
    by_default = choose_recipe(data, None, {})
    steps = len(data.train) // by_default.batch_size
    assert by_default.epochs == -(-SMALL.min_steps // steps)
    assert choose_recipe(data, None, {"min_steps": "5000"}).epochs == -(-5000 // steps)
    assert choose_recipe(data, None, {"batch_size": "32"}).epochs == SMALL.epochs
    assert choose_recipe(data, None, {"class_epochs": "9"}).epochs == SMALL.epochs + 90
    assert choose_recipe(data, None, {"epochs": "2"}).epochs == 2
    assert choose_recipe(data, None, {"epochs": "2", "class_epochs": "1"}).epochs == 12


def test_resume_goes_on_with_the_last_run_of_the_data(tmp_path):
    words = ["train", "digits", "--width", "0.125", "--epochs", "2"]
    result = run_cli(*words, "--resume", cwd=tmp_path)
    assert result.returncode == 1 and "There is no runs/digits to go on with" in result.stderr
    for _ in range(2):
        assert run_cli(*words, cwd=tmp_path).returncode == 0
    last = tmp_path / "runs" / "digits-2"
    before = (last / "metrics.jsonl").read_bytes()
    result = run_cli(*words, "--resume", cwd=tmp_path)
    assert result.returncode == 0 and "runs/digits-2" in result.stderr
    assert (last / "metrics.jsonl").read_bytes() == before
    assert not (tmp_path / "runs" / "digits-3").exists()


def test_learning_rate_climbs_then_falls():
    rates = [learning_rate(SMALL, step / 1600, []) for step in range(1600)]
    top = rates.index(max(rates))
    assert top == pytest.approx(SMALL.warmup * len(rates), abs=2)
    assert max(rates) == pytest.approx(SMALL.learning_rate, rel=1e-3)
    assert rates[-1] < 1e-3 * max(rates)
    paper = find_recipe("paper")
    # 4 % less every 8 epochs (paper, section 6).
    assert learning_rate(paper, 0.5, [1.0] * 8) == pytest.approx(0.96 * learning_rate(paper, 0.5, [1.0] * 7))


def test_learning_rate_halves_on_a_plateau():
    recipe = find_recipe("inceptiontime")
    falling = [1 / (epoch + 1) for epoch in range(20)]

    def rate(flat: int) -> float:
        return learning_rate(recipe, 0.5, falling + [falling[-1]] * flat)

    # Fawaz et al. 2020, section 4.2, and Keras' rule: 50 epochs without a gain, not below 1e-4.
    assert [rate(flat) for flat in (0, 49, 50, 99, 100, 150)] == [1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4, 1.25e-4]
    assert rate(200) == rate(900) == 1e-4
    # A gain starts the count anew, one of less than 1e-4 does not.
    flat = falling + [falling[-1]] * 30
    assert learning_rate(recipe, 0.5, [*flat, 0.01, *[0.01] * 30]) == 1e-3
    assert learning_rate(recipe, 0.5, [*flat, falling[-1] - 5e-5, *[1.0] * 19]) == 5e-4


def test_mixup_and_cutmix_targets_are_the_shares_of_the_pictures():
    torch.manual_seed(0)
    inputs = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 8, 8).contiguous()
    labels = torch.arange(4)
    for field in ("mixup", "cutmix"):
        recipe = SMALL.with_changes({field: "1.0"})
        for _ in range(20):
            pictures, targets = mixed(inputs, labels, 4, recipe)
            # A picture's mean is the mean of its classes, weighted by their shares.
            torch.testing.assert_close(pictures.mean((1, 2, 3)), targets @ torch.arange(4.0), rtol=1e-4, atol=1e-4)


def test_python_training_needs_no_command_line(tmp_path):
    data = digits()
    recipe = SMALL.with_changes({"width": "0.125", "epochs": "1"})
    rows = []
    result = training_job(data, recipe, tmp_path / "run", resume=False, report=lambda kind, row: rows.append(kind))
    assert rows.count("epoch") == 1
    assert 0 < result["top1"] <= 1
    with pytest.raises(InputError, match="already holds a run"):
        training_job(data, recipe, tmp_path / "run", resume=False, report=lambda kind, row: None)
