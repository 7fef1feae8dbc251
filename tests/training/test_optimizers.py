"""Muon: against its definition by singular values, and beside AdamW as one optimizer."""

import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet import create_model
from googlenet.training.optimizers import Muon, MuonWithAdamW, make_optimizer, orthogonalised
from googlenet.training.recipe import SMALL
from googlenet.training.state import State


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


def network():
    torch.manual_seed(0)
    return create_model("googlenet_small", 3, 1, width=0.125, auxiliary=False).to(memory_format=torch.channels_last)


def steps(model, optimizer, count, seed=0):
    """Steps along gradients that anybody can draw again."""
    draws = torch.Generator().manual_seed(seed)
    for _ in range(count):
        for parameter in model.parameters():
            gradient = torch.randn(parameter.shape, generator=draws)
            parameter.grad = torch.empty_like(parameter).copy_(gradient).detach()
        optimizer.step()


def same(one, two):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_norms_and_linear_layers_take_the_steps_of_adamw_and_kernels_those_of_muon():
    ours, theirs = network(), network()
    optimizer = make_optimizer(ours, SMALL)
    assert isinstance(optimizer, MuonWithAdamW)
    kernels = [parameter for parameter in theirs.parameters() if parameter.ndim > 2]
    group = {"params": kernels, "weight_decay": SMALL.weight_decay, "momentum": SMALL.momentum}
    muon = Muon([group], lr=SMALL.learning_rate)
    adamw = torch.optim.AdamW(
        [
            {"params": [p for p in theirs.parameters() if p.ndim == 2], "weight_decay": SMALL.weight_decay},
            {"params": [p for p in theirs.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=SMALL.learning_rate,
        fused=True,
    )
    steps(ours, optimizer, 3)
    steps(theirs, muon, 3)
    assert not same(ours, theirs)
    steps(theirs, adamw, 3)
    # Muon was not asked for the second three steps, nor AdamW for the first.
    assert same(ours, theirs)


def test_a_learning_rate_set_in_a_group_is_the_one_that_counts():
    model = network()
    before = copy.deepcopy(model)
    optimizer = make_optimizer(model, SMALL)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    steps(model, optimizer, 1)
    assert same(model, before)
    optimizer.zero_grad(set_to_none=True)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("optimizer", ["muon", "adamw", "sgd"])
def test_a_state_that_was_saved_goes_on_in_the_same_weights(optimizer, tmp_path):
    recipe = replace(SMALL, optimizer=optimizer)
    state = State.beginning(network(), recipe)
    steps(state.model, state.optimizer, 3)
    state.save(tmp_path / "state.safetensors", recipe)
    resumed = State.beginning(network(), recipe)
    resumed.restore(tmp_path / "state.safetensors")
    fresh = State.beginning(copy.deepcopy(resumed.model), recipe)
    for each in (state, resumed, fresh):
        steps(each.model, each.optimizer, 3, seed=1)
    assert same(resumed.model, state.model)
    assert not same(fresh.model, state.model)  # the moments do count
    assert {name: len(group["params"]) for name, group in enumerate(resumed.optimizer.param_groups)} == {
        name: len(group["params"]) for name, group in enumerate(state.optimizer.param_groups)
    }


def test_states_are_numbered_as_before_muon_and_adamw_were_two():
    """Kernels first, with a count of steps that nobody reads: checkpoints of version 0.1.0 are like this."""
    model, twin = network(), network()
    optimizer, other = make_optimizer(model, SMALL), make_optimizer(twin, SMALL)
    steps(model, optimizer, 2)
    steps(twin, other, 2)
    saved = optimizer.state_dict()
    order = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    assert list(saved["state"]) == list(range(len(order)))
    kernels = [number for number, parameter in enumerate(order) if parameter.ndim > 2]
    assert kernels == list(range(len(kernels)))
    for number in kernels:
        assert set(saved["state"][number]) == {"momentum"}
        saved["state"][number]["step"] = torch.zeros(())
    resumed = make_optimizer(model, SMALL)
    resumed.load_state_dict(saved)
    steps(model, resumed, 2)
    steps(twin, other, 2)
    assert same(model, twin)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_step_of_a_kernel_is_as_long_as_adamws(layout):
    """0.2 sqrt(larger side) times an orthogonal matrix has a root mean square of about 0.2, as AdamW's steps have."""
    kernel = torch.nn.Parameter(torch.zeros(48, 16, 3, 3).to(memory_format=layout))
    kernel.grad = torch.randn(48, 16, 3, 3).to(memory_format=layout)
    optimizer = Muon([{"params": [kernel], "weight_decay": 0.0}], lr=0.01)
    assert optimizer.step(lambda: 7) == 7
    assert 0.1 < kernel.detach().square().mean().sqrt() / 0.01 < 0.3
    assert (kernel * kernel.grad).sum() < 0


def test_weight_decay_shrinks_kernels_that_have_a_gradient():
    kernels = [torch.nn.Parameter(torch.ones(4, 2, 3, 3)) for _ in range(2)]
    kernels[0].grad = torch.zeros(4, 2, 3, 3)
    Muon([{"params": kernels, "weight_decay": 0.5}], lr=0.1).step()
    torch.testing.assert_close(kernels[0].detach(), torch.full((4, 2, 3, 3), 0.95))
    assert torch.equal(kernels[1], torch.ones(4, 2, 3, 3))
