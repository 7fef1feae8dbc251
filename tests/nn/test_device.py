import subprocess
import sys
from pathlib import Path

import pytest
import torch

import googlenet
from googlenet.nn import device
from googlenet.nn.device import best_device, computes_in_bf16, keep_memory

PROGRAM = """
import resource, sys
import torch
from googlenet.nn.device import keep_memory
if sys.argv[1] == "keep":
    keep_memory()
for turn in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(16_000_000 - 50_000 * turn)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults)
"""


def faults(word):
    """Pages that the system had to give for a tensor of 64 MB, the fourth time that about as much was wanted.

    A little less each time: where the heap cannot grow in one piece, glibc's bookkeeping takes some of what is kept.
    """
    return int(subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other C libraries")
def test_memory_that_was_freed_is_there_for_the_next_tensor():
    plain = faults("leave")
    if plain < 30:
        pytest.skip("the C library keeps memory anyway")
    assert faults("keep") < 0.1 * plain


def test_only_the_command_line_sets_it_for_the_whole_process():
    house = Path(googlenet.__file__).parent
    places = [path.relative_to(house) for path in house.rglob("*.py") if "keep_memory()" in path.read_text()]
    assert {place.parts[:2] for place in places} == {("nn", "device.py"), ("apps", "cli")}


@pytest.mark.parametrize(("cuda", "mps", "expected"), [(1, 1, "cuda"), (1, 0, "cuda"), (0, 1, "mps"), (0, 0, "cpu")])
def test_the_fastest_device_that_is_there(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(cuda))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: bool(mps))
    assert best_device() == torch.device(expected)


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True), ((8, 9), True), ((9, 0), True)])
def test_cuda_multiplies_in_bf16_from_ampere_on(monkeypatch, capability, expected):
    asked = []
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: asked.append(device) or capability)
    assert computes_in_bf16(torch.device("cuda:1")) is expected
    assert asked == [torch.device("cuda:1")]


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({}, False),
        ({"avx512_f": True, "avx512_bf16": False}, False),
        ({"avx512_bf16": True}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"bf16": True}, True),  # of ARM
    ],
)
def test_processors_multiply_in_bf16_where_they_say_so(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert computes_in_bf16(torch.device("cpu")) is expected
    assert computes_in_bf16(torch.device("mps")) is False


@pytest.mark.parametrize(("system", "looked_at"), [("win32", []), ("linux", [None])])
def test_another_c_library_is_left_alone(monkeypatch, system, looked_at):
    loaded = []
    monkeypatch.setattr(device.sys, "platform", system)
    monkeypatch.setattr(device.ctypes, "CDLL", lambda name: loaded.append(name) or object())
    keep_memory.__wrapped__()
    assert loaded == looked_at
