"""Several processes learn as one."""

import json
import multiprocessing
import os
import socket
import sys

import pytest
import torch

from conftest import CLI, DEADLINE, run_cli, run_here
from googlenet.training.distributed import joined

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="PyTorch is forked on Linux only")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def losses_of(run):
    return [json.loads(line)["loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def join(rank, world, port):
    """Tells this process of the others, as torchrun does."""
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )


def forked(world, target, *words):
    """Runs ``target(rank, world, port, *words)`` in that many processes; forked, so that each has PyTorch already."""
    context = multiprocessing.get_context("fork")
    port = free_port()
    processes = [context.Process(target=target, args=(rank, world, port, *words)) for rank in range(world)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(DEADLINE)
        process.kill()
        process.join(10)
    assert [process.exitcode for process in processes] == [0] * world


TRAIN = ["--width", "0.125", "--epochs", "3", "--batch-size", "8"]
TRAIN += ["--dropout", "0", "--precision", "fp32", "--learning-rate", "0.0003"]


def _train(rank, world, port, words):
    join(rank, world, port)
    result = run_here(*words)
    assert result.returncode == 0 and bool(result.stdout) == (rank == 0), result


def in_forks(words):
    forked(2, _train, words)


def in_torchrun(words):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-port", str(free_port()), "--no-python", *CLI]
    result = run_cli(*words, program=command)
    assert result.returncode == 0, result.stderr


@LINUX
@pytest.mark.parametrize(
    ("start", "arch"),
    [(in_forks, "short_2d"), pytest.param(in_torchrun, "googlenet_small", marks=pytest.mark.slow)],
)
def test_two_processes_learn_as_one(tmp_path, two_classes, short, start, arch):
    words = ["train", str(two_classes), "--arch", arch, *TRAIN]
    assert run_here(*words, "--out", tmp_path / "one").returncode == 0
    start([*words, "--out", tmp_path / "two"])
    # Batch statistics, gradients and pictures are those of the whole batch. What is left is rounding,
    # which a network at its start blows up some twentyfold a step.
    assert losses_of(tmp_path / "two") == pytest.approx(losses_of(tmp_path / "one"), rel=0.01)


def _one_step(rank, world, port, path):
    """One process's share of a step of a small network in double precision; the first one keeps the result."""
    join(rank, world, port)
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


def step_of(world, path):
    forked(world, _one_step, path)
    return torch.load(path, weights_only=True)


@LINUX
def test_gradients_and_statistics_over_processes_are_those_of_the_whole_batch(tmp_path):
    one, two = step_of(1, tmp_path / "one.pt"), step_of(2, tmp_path / "two.pt")
    for a, b in zip(one, two, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            torch.testing.assert_close(b[key], a[key], rtol=1e-9, atol=1e-9, msg=lambda text, key=key: f"{key}: {text}")
