"""Several processes learn as one. Run as a program, this file is those processes."""

import importlib
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from conftest import CLI, DEADLINE, draw_two_classes, run_cli, run_here, short_variants
from documents import REPOSITORY
from googlenet.errors import InputError
from googlenet.training.distributed import joined

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="PyTorch is forked on Linux only")
TRAIN = ["--width", "0.125", "--epochs", "3", "--batch-size", "8"]
TRAIN += ["--dropout", "0", "--precision", "fp32", "--learning-rate", "0.0003"]


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
    """Runs ``target(rank, world, port, *words)`` in that many processes.

    They are forked from one that has PyTorch and has not used it: of one that has, autograd's threads stay behind.
    """
    context = multiprocessing.get_context("fork")
    port = free_port()
    processes = [context.Process(target=target, args=(rank, world, port, *words)) for rank in range(world)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(DEADLINE / 2)
        process.kill()
        process.join(10)
    assert [process.exitcode for process in processes] == [0] * world


def train(rank, world, port, words):
    join(rank, world, port)
    with short_variants():
        result = run_here(*words)
    assert result.returncode == 0 and bool(result.stdout) == (rank == 0), result


def one_step(rank, world, port, path):
    """One process's share, four examples or three, of a step of a small network in float64; the first one keeps it."""
    join(rank, world, port)
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(1, 6, 3), torch.nn.BatchNorm2d(6), torch.nn.ReLU(), torch.nn.Conv2d(6, 4, 3)]
    network = torch.nn.Sequential(*layers, torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.LazyLinear(3))
    network = network.double()
    inputs, labels = torch.randn(7, 1, 8, 8).double() * torch.arange(1, 8).view(7, 1, 1, 1), torch.arange(7) % 3
    network(inputs)
    with joined() as processes:
        wrapped = processes.wrap(network)
        own = labels[rank::world]
        share = len(own) * world / len(labels)
        assert float(processes.share(len(own))) == pytest.approx(share)
        (share * torch.nn.functional.cross_entropy(wrapped(inputs[rank::world]), own)).backward()
        if processes.leads:
            gradients = {key: parameter.grad for key, parameter in network.named_parameters()}
            torch.save([gradients, network.state_dict()], path)


def left_behind(folder, what):
    """What one process and two have left in a folder: their ``steps`` or their ``trainings``."""
    program, tests = [sys.executable, __file__], os.pathsep.join(path for path in sys.path if path)
    result = run_cli(folder, what, program=program, env={"PYTHONPATH": tests})
    assert result.returncode == 0, result.stderr
    return folder


@LINUX
@pytest.mark.slow
def test_two_processes_learn_as_one(tmp_path):
    draw_two_classes(tmp_path / "colours")
    folder = left_behind(tmp_path, "trainings")
    # Batch statistics, gradients and pictures are those of the whole batch. What is left is rounding,
    # which a network at its start blows up some twentyfold a step.
    assert losses_of(folder / "two") == pytest.approx(losses_of(folder / "one"), rel=0.01)


@LINUX
def test_gradients_and_statistics_over_processes_are_those_of_the_whole_batch(tmp_path):
    folder = left_behind(tmp_path, "steps")
    one, two = (torch.load(folder / f"{name}.pt", weights_only=True) for name in ("one", "two"))
    for a, b in zip(one, two, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            torch.testing.assert_close(b[key], a[key], rtol=1e-9, atol=1e-9, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.slow
def test_torchrun_starts_them(tmp_path, two_classes):
    words = ["train", str(two_classes), *TRAIN]
    assert run_here(*words, "--out", tmp_path / "one").returncode == 0
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    torchrun += ["--master-port", str(free_port()), "--no-python", *CLI]
    result = run_cli(*words, "--out", tmp_path / "two", program=torchrun)
    assert result.returncode == 0, result.stderr
    assert losses_of(tmp_path / "two") == pytest.approx(losses_of(tmp_path / "one"), rel=0.01)


# A training one of whose processes is killed in its second epoch, the first time that it is started.
FATAL = """
import os, signal, sys
from googlenet.apps.cli.main import main
from googlenet.training import loop
from googlenet.training.learner import Learner
loop.CHECKPOINT_SECONDS = -1.0
step, steps = Learner.step, []
def fatal(*given):
    steps.append(given)
    first = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    if len(steps) == 5 and first and os.environ["RANK"] == os.environ.get("KILLED"):
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*given)
Learner.step = fatal
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_pair_of_which_one_was_killed_ends_where_the_undisturbed_pair_ends(tmp_path, two_classes, rank):
    (tmp_path / "fatal.py").write_text(FATAL)
    for name, killed in (("whole", ""), ("killed", rank)):
        program = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", "1"]
        program += ["--master-port", str(free_port()), str(tmp_path / "fatal.py")]
        words = ["train", str(two_classes), *TRAIN, "--out", tmp_path / name]
        result = run_cli(*words, program=program, env={"KILLED": killed})
        assert result.returncode == 0, result.stderr
    for name in ("model.safetensors", "checkpoint.safetensors", "metrics.jsonl", "evaluation.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes(), name


MEET = {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"WORLD_SIZE": "2"}, "says that there are 2 processes, and RANK is not set"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE is '0' in the environment"),
        ({"WORLD_SIZE": "many"}, "WORLD_SIZE is 'many' in the environment"),
        (MEET | {"RANK": "5"}, "RANK is 5, and of 2 processes the last is 1"),
        (MEET | {"RANK": "x"}, "RANK is 'x' in the environment"),
        (MEET | {"MASTER_PORT": "99999"}, "did not meet at 127.0.0.1:99999"),
    ],
)
def test_an_environment_of_no_training_gets_a_sentence(monkeypatch, setting, said):
    for name in (*MEET, "LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=said), joined():
        pass


@LINUX
def test_one_that_waits_for_the_others_hears_that_it_is_to_end(tmp_path, two_classes):
    words = [*CLI, "train", str(two_classes), *TRAIN, "--out", str(tmp_path / "run")]
    with socket.socket() as place, (tmp_path / "said").open("w") as said:
        place.bind(("127.0.0.1", 0))
        place.listen()
        place.settimeout(DEADLINE)
        setting = {**os.environ, **MEET, "RANK": "1", "MASTER_PORT": str(place.getsockname()[1])}
        waiting = subprocess.Popen(words, env=setting, stdout=said, stderr=said)
        try:
            with place.accept()[0]:  # it asks where the others are, and nobody says
                waiting.terminate()
                assert waiting.wait(60) == 143
        finally:
            waiting.kill()
    assert (tmp_path / "said").read_text() == "googlenet: Stopped before the training began.\n"


def pids_of(title):
    """Processes whose title has that."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if title.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@LINUX
@pytest.mark.slow
def test_a_pair_that_ray_starts_ends_where_torchruns_ends_though_one_is_killed(tmp_path, two_classes):
    pytest.importorskip("ray.train.torch")
    words = [str(two_classes), *TRAIN, "--arch", "googlenet_small", "--epochs", "6"]
    program = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    program += ["--master-port", str(free_port()), "--no-python", *CLI]
    assert run_cli("train", *words, "--out", tmp_path / "whole", program=program).returncode == 0
    before = set(pids_of("RayTrainWorker"))
    launcher = [sys.executable, str(REPOSITORY / "examples" / "ray_train.py"), "--workers", "2"]
    with (tmp_path / "said").open("w") as said:
        ray = subprocess.Popen([*launcher, *words, "--out", tmp_path / "ray"], stdout=said, stderr=said)
    try:
        until = time.monotonic() + DEADLINE
        while not (tmp_path / "ray" / "checkpoint.safetensors").exists():
            assert time.monotonic() < until and ray.poll() is None, (tmp_path / "said").read_text()
            time.sleep(0.05)
        os.kill((set(pids_of("RayTrainWorker")) - before).pop(), signal.SIGKILL)
        assert ray.wait(until - time.monotonic()) == 0, (tmp_path / "said").read_text()
    finally:
        ray.kill()
    assert (tmp_path / "said").read_text().count("googlenet_small (width 0.125), recipe") == 2
    for name in ("model.safetensors", "metrics.jsonl", "evaluation.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "ray" / name).read_bytes(), name


def test_the_launcher_for_ray_is_short():
    assert len((REPOSITORY / "examples" / "ray_train.py").read_text().splitlines()) <= 50


# A training that tells which examples each of its steps has, and ends at a checkpoint within an epoch.
TOLD = """
import os, sys
from googlenet.apps.cli.main import main
from googlenet.training import loop
from googlenet.training.learner import Learner
loop.WITHIN = 2
step, write, written = Learner.step, loop.write_epoch, []
def told(learner, batch, *rest):
    with open(f"{os.environ['TOLD']}.{os.environ.get('RANK', '0')}", "a") as file:
        file.write(" ".join(map(str, batch.rows.tolist())) + "\\n")
    return step(learner, batch, *rest)
def ends(*given):
    write(*given)
    written.append(given)
    if len(written) == int(os.environ["ENDS"]):
        os._exit(9)
Learner.step, loop.write_epoch = told, ends
main()
"""


@pytest.mark.slow
def test_an_epoch_in_two_processes_then_four_then_one_has_every_example_once(tmp_path):
    draw_two_classes(tmp_path / "colours", count=49)
    (tmp_path / "told.py").write_text(TOLD)
    words = ["train", str(tmp_path / "colours"), *TRAIN[:2], "--epochs", "1", "--batch-size", "8", *TRAIN[6:]]
    words += ["--out", tmp_path / "run"]
    for phase, (world, ends) in enumerate(((2, 1), (4, 1), (1, 99))):
        program = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(world)]
        program += ["--master-port", str(free_port()), str(tmp_path / "told.py")]
        program = program if world > 1 else [sys.executable, str(tmp_path / "told.py")]
        setting = {"TOLD": str(tmp_path / f"phase{phase}"), "ENDS": str(ends)}
        result = run_cli(*words, *(["--resume"] if phase else []), program=program, env=setting)
        assert (result.returncode == 0) == (world == 1), result.stderr
    rows, steps = [], []
    for path in tmp_path.glob("phase*.*"):
        lines = path.read_text().splitlines()
        steps.append((path.name, len(lines)))
        rows += [int(row) for line in lines for row in line.split()]
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    count = record["examples"]["train"]
    assert count % 8 and count % 4  # neither batches nor processes divide it
    assert sorted(rows) == list(range(count)), sorted(steps)
    assert sorted(steps)[:2] == [("phase0.0", 2), ("phase0.1", 2)] and ("phase1.3", 2) in steps


def main(folder, what):
    for module in (
        "torch._dynamo",
        *(("googlenet.apps.jobs", "googlenet.apps.cli.main") if what == "trainings" else ()),
    ):
        importlib.import_module(module)  # once, not in every fork
    for world, name in ((1, "one"), (2, "two")):
        if what == "trainings":
            forked(world, train, ["train", folder / "colours", "--arch", "short_2d", *TRAIN, "--out", folder / name])
        else:
            forked(world, one_step, folder / f"{name}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
