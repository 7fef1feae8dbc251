"""Two hosts learn as one, each in a network namespace of its own, until the cable between them is pulled."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from conftest import DEADLINE, draw_two_classes

HOSTS = {"host-a": "10.77.0.1", "host-b": "10.77.0.2"}  # what the ends of the cable are called, too
FIRST, SECOND = HOSTS

# A training that tells which examples its steps have, and whose processes wait some seconds for one another.
TOLD = """
import json, os, time
from googlenet.apps.cli.main import main
from googlenet.training import loop
from googlenet.training.distributed import heartbeat
from googlenet.training.learner import Learner
heartbeat.BEAT, heartbeat.PATIENCE, loop.WITHIN = 0.5, 10.0, 2
step = Learner.step
def told(learner, batch, rate, where):
    time.sleep(0.5)
    result = step(learner, batch, rate, where)
    with open(os.environ["TOLD"], "a") as file:
        print(json.dumps([learner.world.size, where, batch.rows.tolist()]), file=file)
    return result
Learner.step = told
main()
"""


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@pytest.fixture
def hosts():
    """Two namespaces and the cable between them: the end of each has its name."""
    if shutil.which("ip") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs root and the command ip, for network namespaces")
    names = {name: f"googlenet-{os.getpid()}-{name}" for name in HOSTS}
    with ExitStack() as after:
        try:
            for name in names.values():
                ip("netns", "add", name)
                after.callback(ip, "netns", "delete", name)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine makes no network namespaces: {error.stderr.strip()}")
        ends = [["name", name, "netns", namespace] for name, namespace in names.items()]
        ip("link", "add", *ends[0], "type", "veth", "peer", *ends[1])
        for name, address in HOSTS.items():
            ip("-n", names[name], "address", "add", f"{address}/24", "dev", name)
            for device in ("lo", name):
                ip("-n", names[name], "link", "set", "dev", device, "up")
        yield names


def torchrun(name, namespace, folder):
    """A host's part of the training, begun."""
    words = ["ip", "netns", "exec", namespace, sys.executable, "-m", "torch.distributed.run"]
    words += ["--nnodes", "1:2", "--nproc-per-node", "1", "--max-restarts", "3", "--local-addr", HOSTS[name]]
    words += ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"{HOSTS[FIRST]}:29500"]
    words += ["--rdzv-conf", f"is_host={int(name == FIRST)},last_call_timeout=5"]
    words += [str(folder / "told.py"), "train", str(folder / "colours"), "--out", str(folder / "run")]
    words += ["--arch", "googlenet_small", "--width", "0.125", "--epochs", "2", "--batch-size", "8"]
    env = {**os.environ, "GLOO_SOCKET_IFNAME": name, "OMP_NUM_THREADS": "1", "TOLD": str(folder / f"told-{name}")}
    with (folder / f"said-{name}").open("w") as said:
        return subprocess.Popen(words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said)


def steps(folder, name):
    """``[processes, where, rows]`` of each step of a host."""
    path = folder / f"told-{name}"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.slow
def test_of_two_hosts_one_is_cut_off_and_the_other_goes_on(tmp_path, hosts):
    draw_two_classes(tmp_path / "colours", count=49)
    (tmp_path / "told.py").write_text(TOLD)
    with ExitStack() as after:
        running = {name: torchrun(name, hosts[name], tmp_path) for name in HOSTS}
        for process in running.values():
            after.callback(process.wait)
            after.callback(process.kill)
        until = time.monotonic() + DEADLINE
        while len(steps(tmp_path, FIRST)) < 5:
            assert time.monotonic() < until and all(process.poll() is None for process in running.values())
            time.sleep(0.1)
        ip("-n", hosts[FIRST], "link", "set", "dev", FIRST, "down")
        running[FIRST].wait(max(1, until - time.monotonic()))
        said = {name: (tmp_path / f"said-{name}").read_text() for name in HOSTS}  # torchrun of the other one waits on
    assert running[FIRST].returncode == 0, said[FIRST]
    assert all("googlenet: Nothing was heard of" in words for words in said.values()), said
    last = {where: {} for _, where, _ in steps(tmp_path, FIRST)}
    for name in HOSTS:
        for size, where, rows in steps(tmp_path, name):
            last[where].setdefault(size, []).extend(rows)
    sizes = [min(parts) for parts in last.values()]  # a step that both began and one finished alone is the latter's
    assert sizes == sorted(sizes, reverse=True) and set(sizes) == {1, 2}
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    for epoch in (1, 2):
        parts = [parts[min(parts)] for where, parts in last.items() if where.startswith(f"epoch {epoch},")]
        assert sorted(row for rows in parts for row in rows) == list(range(record["examples"]["train"]))
