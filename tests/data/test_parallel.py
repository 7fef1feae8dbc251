"""How many cores a process may use."""

import json
import os
import subprocess
import sys
from threading import Barrier

import pytest

from conftest import DEADLINE
from googlenet.data import parallel
from googlenet.data.parallel import available_cores

CODE = """
import json, os
from googlenet.data.parallel import available_cores
cores = sorted(os.sched_getaffinity(0))
found = [[len(cores), available_cores()]]
os.sched_setaffinity(0, cores[:1])
found.append([1, available_cores()])
print(json.dumps(found))
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_the_cores_are_those_of_the_affinity():
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True, timeout=DEADLINE)
    (all_cores, found), (one, alone) = json.loads(result.stdout)
    assert 1 <= found <= all_cores  # a container may take away more
    assert one == alone == 1


def cores(monkeypatch, folder, of_machine=64, **files):
    """Cores of a process that may run on so many, with such files of its control group."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(of_machine)), raising=False)
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_max", ".max").replace("cpu_cfs", "cpu.cfs")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return available_cores(folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max 100000\n", 64),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),  # a core and a half keeps two busy
        ("50000 100000\n", 1),
        ("1000 100000\n", 1),
        ("12800000 100000\n", 64),  # more than there are
        ("25000 50000\n", 1),
        ("400000 50000\n", 8),
        ("", 64),
        ("nonsense", 64),
        ("1 0\n", 64),
    ],
)
def test_quotas_of_control_groups_of_version_2(monkeypatch, tmp_path, text, expected):
    assert cores(monkeypatch, tmp_path, cpu_max=text) == expected


@pytest.mark.parametrize(
    ("quota", "period", "expected"),
    [
        ("-1", "100000", 64),
        ("250000", "100000", 3),
        ("100000", "100000", 1),
        ("20000", "100000", 1),
        ("x", "100000", 64),
    ],
)
def test_quotas_of_control_groups_of_version_1(monkeypatch, tmp_path, quota, period, expected):
    files = {"cpu__cpu_cfs_quota_us": f"{quota}\n", "cpu__cpu_cfs_period_us": f"{period}\n"}
    assert cores(monkeypatch, tmp_path, **files) == expected


def test_without_control_groups_the_affinity_counts(monkeypatch, tmp_path):
    assert cores(monkeypatch, tmp_path / "nothing", 3) == 3
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("100000")
    assert cores(monkeypatch, tmp_path, 3) == 3


def test_without_affinity_the_machine_counts(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert available_cores(tmp_path) == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores(tmp_path) == 1


def test_work_ahead_uses_as_many_threads_as_there_are_cores(monkeypatch):
    """Each piece of work waits until so many are at it: fewer threads would never get there."""
    monkeypatch.setattr(parallel, "available_cores", lambda: 5)
    together = Barrier(5)
    assert sum(1 for _ in parallel.ahead(lambda item: together.wait(60), range(20))) == 20


def test_an_error_in_ahead_of_time_work_is_raised_in_its_place():
    def work(item):
        if item == 3:
            raise ValueError("three")
        return item

    results = parallel.ahead(work, range(9))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_groups_hold_everything_in_order():
    assert list(parallel.groups(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(parallel.groups([], 3)) == []
