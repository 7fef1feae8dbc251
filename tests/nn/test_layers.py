"""Layers against PyTorch's own in float64."""

import subprocess
import sys

import pytest
import torch

from googlenet.nn.layers import CONV

# In a process of its own: what goes wrong may end it.
GRADIENTS = """
import sys, torch
from googlenet.nn.layers import CONV
kernel, stride, dilation = map(int, sys.argv[1:])
torch.manual_seed(0)
conv = CONV[3](4, 16, kernel, stride, padding=dilation * (kernel // 2), dilation=dilation, bias=False)
for precision in (torch.float32, torch.bfloat16):
    sizes = [(depth, 6, 6) for depth in range(1, 2 * kernel)] + [(n, n, n) for n in range(1, kernel)]
    for at, size in enumerate(2 * sizes):
        x = torch.randn(2, 4, *size)
        if at >= len(sizes):
            x = x.contiguous(memory_format=torch.channels_last_3d)
        exact = torch.nn.functional.conv3d(
            x.double(), conv.weight.double(), None, stride, dilation * (kernel // 2), dilation
        )
        dirt = [torch.full((1 << 16,), float("nan")) for _ in range(8)]
        del dirt
        with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
            found = conv(x)
        out = torch.randn(exact.shape, dtype=torch.float64)
        wanted, = torch.autograd.grad(exact, conv.weight, out)
        gradient, = torch.autograd.grad(found, conv.weight, out.to(found.dtype))
        for one, other in ((found, exact), (gradient, wanted)):
            far = float((one.double() - other.double()).norm() / other.double().norm().clamp_min(1e-9))
            assert far < (0.02 if precision is torch.bfloat16 else 1e-5), (precision, size, at, far)
print("as PyTorch says in float64")
"""


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(3, 1, 1), (5, 1, 1), (5, 2, 1), (7, 2, 1), (3, 1, 2)])
def test_gradients_of_volumes_of_any_size(kernel, stride, dilation):
    words = [sys.executable, "-c", GRADIENTS, *map(str, (kernel, stride, dilation))]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0 and "as PyTorch says" in done.stdout, done.stderr[-1000:]


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_convolutions_are_pytorchs(dims):
    theirs = {1: torch.nn.Conv1d, 2: torch.nn.Conv2d, 3: torch.nn.Conv3d}[dims]
    torch.manual_seed(0)
    ours = CONV[dims](3, 4, 3, padding=1)
    same = theirs(3, 4, 3, padding=1)
    same.load_state_dict(ours.state_dict())
    for size in (1, 2, 3, 5):
        x = torch.randn(2, 3, *[size] * dims)
        torch.testing.assert_close(ours(x), same(x), atol=1e-5, rtol=1e-5)
