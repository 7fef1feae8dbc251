"""Memory that is used up is a sentence, whoever notices it; whatever else goes wrong below is shown as it is."""

import pytest

from conftest import run_here
from googlenet.apps.cli import main


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 1.00 TiB for an array"),
        RuntimeError("could not create a primitive"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.\nmore"),
        RuntimeError("can't start new thread"),
        RuntimeError("CUDA out of memory. Tried to allocate 1.00 GiB"),
    ],
)
def test_memory_that_is_used_up_is_a_sentence(monkeypatch, error):
    def run():
        raise error

    monkeypatch.setattr(main, "_run", run)
    ended = run_here("recipes")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(("googlenet: The memory", "googlenet: No more threads"))


def test_another_error_is_a_fault_of_the_program(monkeypatch):
    def run():
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(main, "_run", run)
    with pytest.raises(RuntimeError, match="mat1"):
        run_here("recipes")
