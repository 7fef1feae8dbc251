import subprocess
import sys
from pathlib import Path

import pytest

import googlenet

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
