import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import googlenet
from googlenet.arch.paper import TABLE_1, disagreements
from googlenet.arch.shapes import output_size
from googlenet.arch.variants import VARIANTS


@settings(max_examples=200, deadline=None)
@given(
    n=st.integers(1, 60),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 4),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
    ceil=st.booleans(),
)
def test_output_size_is_pytorchs(n, kernel, stride, padding, dilation, ceil):
    mine = output_size(n, kernel, stride, padding, dilation, ceil)
    padding_is_legal = padding <= kernel // 2
    x = torch.zeros(1, 1, n)
    layer = (
        nn.MaxPool1d(kernel, stride, padding, dilation, ceil_mode=True)
        if ceil
        else nn.Conv1d(1, 1, kernel, stride, padding, dilation)
    )
    if ceil and not padding_is_legal:
        return
    if mine < 1:
        with pytest.raises(RuntimeError):
            layer(x)
    else:
        assert layer(x).shape[2] == mine


def test_hand_worked_output_sizes():
    assert output_size(224, 7, 2, 3) == 112
    assert output_size(112, 3, 2, ceil=True) == 56  # 112.5 windows: the last one is partial
    assert output_size(112, 3, 2) == 55
    assert output_size(10, 3, 1, 2, dilation=2) == 10


@pytest.mark.parametrize("name", list(VARIANTS))
def test_cost_counts_what_the_network_has(name):
    model = googlenet.create_model(name, num_classes=11, width=0.25)
    size = [min(64, n) for n in model.arch.input_size]
    counted = googlenet.cost(model.arch, size, num_classes=11)
    assert counted.params_with_aux == sum(p.numel() for p in model.parameters())
    heads = sum(p.numel() for p in model.auxiliary.parameters())
    assert counted.params == counted.params_with_aux - heads
    with torch.no_grad():
        maps = model.eval().intermediates(torch.zeros(1, 3, *size), list(model.features))
    rows = {row.name: row for row in counted.rows}
    assert {key: tuple(value.shape[1:]) for key, value in maps.items()} == {key: rows[key].output for key in maps}


@pytest.mark.parametrize("name", ["googlenet", "googlenet_1d", "googlenet_naive"])
def test_multiply_adds_are_those_of_a_profiler(name):
    from torch.utils.flop_counter import FlopCounterMode

    model = googlenet.create_model(name, num_classes=11, width=0.25).eval()
    size = [min(64, n) for n in model.arch.input_size]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 3, *size), return_aux=True)
    assert googlenet.cost(model.arch, size, num_classes=11).macs_with_aux * 2 == counter.get_total_flops()


@pytest.mark.parametrize("name", ["googlenet_small", "googlenet_1d"])
def test_receptive_field_is_where_the_gradient_is(name):
    model = googlenet.create_model(name, num_classes=3, in_channels=1, width=0.25).eval()
    size = 512 if model.arch.dims == 1 else 256
    x = torch.randn(1, 1, *[size] * model.arch.dims, requires_grad=True)
    rows = {row.name: row for row in googlenet.cost(model.arch, x.shape[2:], in_channels=1).rows}
    module = {"googlenet_1d": "2b"}.get(name, "3b")
    out = model.intermediates(x, [module])[module]
    middle = out[0].flatten(1)[:, out[0, 0].numel() // 2 + (out.shape[-1] // 2 if model.arch.dims > 1 else 0)]
    middle.sum().backward()
    touched = x.grad[0, 0].abs().sum(dim=list(range(1, model.arch.dims))) if model.arch.dims > 1 else x.grad[0, 0]
    where = touched.abs().nonzero()
    # Max-pools pass a gradient to one place in their window, so the hull may fall short a little.
    hull = int(where.max() - where.min()) + 1
    assert rows[module].receptive_field * 0.6 <= hull <= rows[module].receptive_field


def test_published_totals():
    ours = googlenet.cost("googlenet")
    assert (ours.params, ours.params_with_aux) == (6_998_552, 13_378_280)
    theirs = googlenet.cost("googlenet_torchvision")
    assert (theirs.params, theirs.params_with_aux) == (6_624_904, 13_004_888)


def test_table_1_and_where_it_disagrees_with_arithmetic():
    counted = googlenet.cost("googlenet")
    assert set(TABLE_1) <= {row.name for row in counted.rows}
    marked = disagreements(counted)
    assert {row for row, what in marked if what == "macs"} == {"conv1", "5a"}
    assert {row for row, what in marked if what == "params"} == {
        "conv1", "4a", "4c", "4d", "4e", "5a", "5b"
    }  # fmt: skip
    # By hand: 64 filters of 7×7×3; printed 2.7K and 34M.
    assert marked["conv1", "params"] == 64 * 7 * 7 * 3 / 1024
    assert marked["conv1", "macs"] == 64 * 7 * 7 * 3 * 112 * 112 / 1e6
    # Elsewhere the printed parameters are within 8 % and the operations within 6 %.
    for (row, what), value in marked.items():
        if row != "conv1":
            assert value == pytest.approx(TABLE_1[row][what == "macs"], rel=0.08)


def test_naive_modules_show_what_reductions_save():
    # 3a by hand: 3×3 and 5×5 straight on 192 channels, and no projection.
    row = next(row for row in googlenet.cost("googlenet").rows if row.name == "3a")
    naive = 192 * 64 + 192 * 128 * 9 + 192 * 32 * 25
    reduced = 192 * (64 + 96 + 16 + 32) + 96 * 128 * 9 + 16 * 32 * 25
    assert row.saved_macs == (naive - reduced) * 28 * 28
    naive_arch = next(row for row in googlenet.cost("googlenet_naive").rows if row.name == "3a")
    assert naive_arch.macs == naive * 28 * 28
    assert naive_arch.saved_macs == 0


def test_too_small_and_wrong_rank():
    with pytest.raises(googlenet.InputError, match="at least 31 "):
        googlenet.cost("googlenet", (30, 224))
    with pytest.raises(googlenet.InputError, match="2 spatial axes"):
        googlenet.cost("googlenet", (224,))
