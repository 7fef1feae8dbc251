"""Muon: against its definition by singular values, and beside AdamW in one optimizer."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet import create_model
from googlenet.training.optimizers import Muon, make_optimizer, orthogonalised
from googlenet.training.recipe import SMALL


@settings(deadline=None, max_examples=20)
@given(rows=st.integers(1, 40), columns=st.integers(1, 40), seed=st.integers(0, 99))
def test_singular_values_come_near_one_and_vectors_stay(rows, columns, seed):
    draws = torch.Generator().manual_seed(seed)
    left, _, right = torch.linalg.svd(torch.randn(rows, columns, generator=draws), full_matrices=False)
    values = torch.linspace(0.2, 1, min(rows, columns))
    found = orthogonalised(left @ torch.diag(values) @ right)
    turned = left.T @ found @ right.T
    assert (turned.diagonal() > 0.5).all()
    assert (turned.diagonal() < 1.35).all()
    assert (turned - torch.diag(turned.diagonal())).abs().max() < 0.1  # bfloat16, where the processor has it


def test_norms_and_linear_layers_take_the_steps_of_adamw():
    model = create_model("googlenet_small", 3, 1, width=0.125, auxiliary=False)
    twin = copy.deepcopy(model)
    ours = make_optimizer(model, SMALL)
    theirs = torch.optim.AdamW(
        [
            {"params": [p for p in twin.parameters() if p.ndim > 1], "weight_decay": SMALL.weight_decay},
            {"params": [p for p in twin.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=SMALL.learning_rate,
    )
    assert isinstance(ours, Muon)
    for network, optimizer in ((model, ours), (twin, theirs)):
        draws = torch.Generator().manual_seed(0)
        for _ in range(3):
            for parameter in network.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=draws)
            optimizer.step()
    for (name, a), b in zip(model.named_parameters(), twin.parameters(), strict=True):
        same = torch.allclose(a, b, atol=1e-6)
        assert same == (a.ndim <= 2), name


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_step_of_a_kernel_is_as_long_as_adamws(layout):
    """0.2 sqrt(larger side) times an orthogonal matrix has a root mean square of about 0.2, as AdamW's steps have."""
    kernel = torch.nn.Parameter(torch.zeros(48, 16, 3, 3).to(memory_format=layout))
    kernel.grad = torch.randn(48, 16, 3, 3).to(memory_format=layout)
    optimizer = Muon([{"params": [kernel], "weight_decay": 0.0, "orthogonal": True}], lr=0.01, fused=True)
    optimizer.step()
    assert 0.1 < kernel.detach().square().mean().sqrt() / 0.01 < 0.3
    assert (kernel * kernel.grad).sum() < 0
