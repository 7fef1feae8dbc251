"""Every native operator against its PyTorch reference."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from googlenet.arch.shapes import output_size
from googlenet.nn.kernels import max_pool, norm_relu
from googlenet.nn.kernels.native import library


@pytest.fixture(autouse=True)
def _built():
    if library("max_pool") is None or library("norm_relu") is None:
        pytest.skip("there is no C++ compiler here: the reference is what runs")


def maps(dtype, shape, seed, levels):
    """Few levels make many ties, as ReLU's zeros do."""
    x = torch.randint(-levels, levels + 1, shape, generator=torch.Generator().manual_seed(seed)) / 4
    return x.to(dtype).contiguous(memory_format=torch.channels_last)


@settings(deadline=None, max_examples=150)
@given(
    dtype=st.sampled_from([torch.bfloat16, torch.float32]),
    images=st.integers(1, 3),
    channels=st.integers(1, 70),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    half_padding=st.booleans(),
    ceil=st.booleans(),
    levels=st.sampled_from([1, 100]),
    threads=st.integers(1, 3),
)
def test_max_pool_is_pytorchs(
    dtype, images, channels, height, width, kernel, stride, half_padding, ceil, levels, threads
):
    padding = tuple(k // 2 if half_padding else 0 for k in kernel)
    axes = zip((height, width), kernel, stride, padding, strict=True)
    if min(output_size(*axis, ceil=ceil) for axis in axes) < 1:
        return
    x = maps(dtype, (images, channels, height, width), height * 13 + width, levels)
    fits = all(k <= n + 2 * p for n, k, p in zip((height, width), kernel, padding, strict=True))
    assert max_pool._is_native(x, kernel, padding) is fits
    theirs, ours = x.clone().requires_grad_(), x.clone().requires_grad_()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        expected = max_pool.reference(theirs, kernel, stride, padding, ceil)
        pooled = max_pool.max_pool2d(ours, kernel, stride, padding, ceil)
        assert torch.equal(pooled, expected)
        assert torch.equal(max_pool.max_pool2d(x, kernel, stride, padding, ceil), expected)
        gradient = maps(dtype, expected.shape, 5, 8)
        expected.backward(gradient)
        pooled.backward(gradient)
    finally:
        torch.set_num_threads(before)
    # Small multiples of a quarter add up exactly in either type.
    assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_max_pool_passes_what_is_no_number_on(dtype):
    x = maps(dtype, (1, 8, 6, 6), 0, 9)
    for row, value in enumerate((float("nan"), -float("nan"), float("inf"), -float("inf"))):
        x[0, row, 2, 2] = value
    expected = max_pool.reference(x, (3, 3), (1, 1), (1, 1), False)
    torch.testing.assert_close(max_pool.max_pool2d(x, (3, 3), (1, 1), (1, 1)), expected, equal_nan=True, rtol=0, atol=0)


def test_max_pool_is_a_proper_operator():
    x = maps(torch.float32, (2, 5, 7, 7), 0, 9).requires_grad_()
    checks = ("test_schema", "test_faketensor", "test_autograd_registration")
    window = (x, (3, 3), (2, 2), (0, 0), True)
    torch.library.opcheck(torch.ops.googlenet.max_pool2d.default, window, test_utils=checks)
    torch.library.opcheck(torch.ops.googlenet.max_pool2d_values.default, window, test_utils=checks[:2])


def test_other_layouts_and_types_run_the_reference():
    x, window = torch.randn(2, 5, 8, 8), ((3, 3), (2, 2), (1, 1))
    assert not max_pool._is_native(x, (3, 3), (1, 1))
    assert not max_pool._is_native(x.double().contiguous(memory_format=torch.channels_last), (3, 3), (1, 1))
    assert torch.equal(max_pool.max_pool2d(x, *window), max_pool.reference(x, *window, False))


@torch.no_grad()
def _sum(maps, norms, members, residual):
    """What is clipped at zero."""
    norms = copy.deepcopy(norms)
    together = norm_relu.joined([norm(x) for x, norm in zip(maps, norms, strict=True)], members)
    return together if residual is None else together + residual


@settings(deadline=None, max_examples=60)
@given(
    dtype=st.sampled_from([torch.bfloat16, torch.float32]),
    images=st.integers(2, 5),
    channels=st.lists(st.integers(1, 70), min_size=1, max_size=4),
    size=st.lists(st.integers(1, 9), min_size=1, max_size=2),
    members=st.integers(1, 3),
    residual=st.booleans(),
    mean=st.sampled_from([0.0, 30.0]),
    threads=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_norm_relu_is_pytorchs(dtype, images, channels, size, members, residual, mean, threads, seed):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator)

    channels = [c * members for c in channels]
    maps = [(normal(images, *size, c) * 2 + mean).to(dtype).movedim(-1, 1) for c in channels]
    norms = [{1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[len(size)](c, eps=1e-3) for c in channels]
    for norm in norms:
        norm.weight.data, norm.bias.data = normal(norm.num_features) + 1, normal(norm.num_features)
    assert all(norm_relu._is_native(x, norm) for x, norm in zip(maps, norms, strict=True))
    # The reference works on the same numbers in double precision.
    exact_norms = copy.deepcopy(norms)
    exact = [x.double().requires_grad_() for x in maps]
    ours = [x.detach().clone().requires_grad_() for x in maps]
    added = normal(images, *size, sum(channels)).to(dtype).movedim(-1, 1) if residual else None
    exact_added, our_added = (None, None) if added is None else (added.double().requires_grad_(), added.clone())
    if our_added is not None:
        our_added.requires_grad_()
    expected = norm_relu.reference(exact, [norm.double() for norm in exact_norms], members, exact_added)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        result = norm_relu.norm_relu(ours, norms, members, our_added)
        # Where the sum is all but zero, rounding decides whether the gradient passes: none is sent there.
        clear = _sum(exact, exact_norms, members, exact_added).abs() > 0.05
        gradient = normal(*result.shape).to(dtype) * clear
        result.backward(gradient)
    finally:
        torch.set_num_threads(before)
    expected.backward(gradient.double())

    rounding = 2**-8 if dtype == torch.bfloat16 else 2e-5
    steepest = [
        float((norm.weight / (y.transpose(0, 1).flatten(1).var(1, correction=0) + 1e-3).sqrt()).detach().abs().max())
        for y, norm in zip(exact, exact_norms, strict=True)
    ]
    # float32's rounding of a mean of 30 is as steep as the norm is.
    torch.testing.assert_close(
        result.double(), expected, rtol=rounding, atol=rounding + 2**-22 * (mean + 8) * max(steepest)
    )
    if added is not None:
        assert torch.equal(our_added.grad, exact_added.grad.to(dtype))
    for x, y, norm, exact_norm, slope in zip(ours, exact, norms, exact_norms, steepest, strict=True):
        scale = 3 * slope  # relative to what comes in: the terms of the gradient may all but cancel
        torch.testing.assert_close(x.grad.double() / scale, y.grad / scale, rtol=4 * rounding, atol=4 * rounding)
        torch.testing.assert_close(norm.running_mean.double(), exact_norm.running_mean, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(norm.running_var.double(), exact_norm.running_var, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(norm.bias.grad.double(), exact_norm.bias.grad, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(norm.weight.grad.double(), exact_norm.weight.grad, rtol=1e-3, atol=1e-3)
        assert norm.num_batches_tracked == exact_norm.num_batches_tracked


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("size", [(9,), (5, 7), (3, 4, 5)])
def test_what_is_joined_keeps_channels_last(members, size):
    """Pooling and convolving are twice as fast in that layout; 1-D and 3-D maps lost it."""
    x, y = (torch.randn(2, *size, members * channels).movedim(-1, 1) for channels in (3, 4))
    together = norm_relu.joined([x, y], members)
    torch.testing.assert_close(together, norm_relu.joined([x.contiguous(), y.contiguous()], members), rtol=0, atol=0)
    assert together.movedim(1, -1).is_contiguous()


def test_norm_relu_passes_what_is_no_number_on():
    x = maps(torch.bfloat16, (2, 40, 3, 3), 0, 9)
    x[0, 35, 1, 1] = float("nan")
    norms = [nn.BatchNorm2d(40)]
    assert norm_relu._is_native(x, norms[0])
    result = norm_relu.norm_relu([x], norms)
    assert result[:, 35].isnan().all() and result.isnan().sum() == 18


def test_norm_relu_is_a_proper_operator():
    x = maps(torch.float32, (2, 5, 7, 7), 0, 9).requires_grad_()
    weights = [torch.rand(5, requires_grad=True)], [torch.rand(5, requires_grad=True)]
    checks = ("test_schema", "test_faketensor", "test_autograd_registration")
    torch.library.opcheck(
        torch.ops.googlenet.norm_relu.default, ([x], *weights, 1e-3, 1, x.detach()), test_utils=checks
    )


@pytest.mark.parametrize(("kernel", "padding"), [((3, 3), (2, 2)), ((9, 9), (0, 0)), ((3, 3), (-1, 0))])
def test_windows_that_pytorch_refuses_are_refused(kernel, padding):
    x = maps(torch.float32, (2, 8, 6, 6), 0, 9)
    with pytest.raises(RuntimeError):
        max_pool.reference(x, kernel, (1, 1), padding, False)
    with pytest.raises(RuntimeError):
        max_pool.max_pool2d(x, kernel, (1, 1), padding)


@pytest.mark.parametrize(
    ("second", "residual"),
    [((2, 8, 3, 3), None), ((1, 8, 6, 6), None), ((2, 8, 6, 6), (2, 16, 3, 3)), ((2, 9, 6, 6), None)],
)
def test_maps_that_do_not_go_together_are_refused(second, residual):
    pair = [maps(torch.float32, shape, 0, 9) for shape in ((2, 8, 6, 6), second)]
    added = None if residual is None else maps(torch.float32, residual, 1, 9)
    with pytest.raises((RuntimeError, ValueError)):
        norm_relu.norm_relu(pair, [nn.BatchNorm2d(8), nn.BatchNorm2d(8)], residual=added)


def test_maps_of_two_types_norms_of_two_kinds_and_a_broadcast_residual_run_the_reference():
    wide, narrow = maps(torch.float32, (2, 8, 6, 6), 0, 9), maps(torch.bfloat16, (2, 8, 6, 6), 1, 9)
    added = maps(torch.float32, (1, 16, 1, 1), 2, 9)
    for pair, norms, residual in (
        ([wide, narrow], [nn.BatchNorm2d(8), nn.BatchNorm2d(8)], None),
        ([wide, wide], [nn.BatchNorm2d(8), nn.BatchNorm2d(8, eps=0.5)], None),
        ([wide, wide], [nn.BatchNorm2d(8), nn.BatchNorm2d(8, affine=False)], None),
        ([wide, wide], [nn.BatchNorm2d(8), nn.BatchNorm2d(8)], added),
    ):
        expected = norm_relu.reference(pair, copy.deepcopy(norms), 1, residual)
        assert torch.equal(norm_relu.norm_relu(pair, norms, 1, residual), expected)


def test_statistics_are_float32_whatever_the_default_is():
    x, norms = maps(torch.float32, (2, 8, 6, 6), 0, 9), [nn.BatchNorm2d(8)]
    expected = norm_relu.reference([x], copy.deepcopy(norms))
    torch.set_default_dtype(torch.float64)
    try:
        result = norm_relu.norm_relu([x], norms)
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)


def test_gradients_of_gradients_are_refused_and_other_ways_to_differentiate_run_the_reference():
    x = maps(torch.float32, (2, 8, 6, 6), 0, 9)

    def pool(x):
        return max_pool.max_pool2d(x, (3, 3), (2, 2))

    def norm(x):
        return norm_relu.norm_relu([x], [nn.BatchNorm2d(8, track_running_stats=False)])

    for function, reference in (
        (pool, lambda x: max_pool.reference(x, (3, 3), (2, 2), (0, 0), False)),
        (norm, lambda x: norm_relu.reference([x], [nn.BatchNorm2d(8, track_running_stats=False)])),
    ):
        ours = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(function(ours).square().sum(), ours, create_graph=True)
        with pytest.raises(RuntimeError, match="once_differentiable"):
            gradient.square().sum().backward()
        tangent = torch.randn_like(x)
        for a, b in zip(
            torch.func.jvp(function, (x,), (tangent,)), torch.func.jvp(reference, (x,), (tangent,)), strict=True
        ):
            torch.testing.assert_close(a, b)
        gradients = [torch.func.grad(lambda x, f=f: f(x).square().sum())(x) for f in (function, reference)]
        torch.testing.assert_close(*gradients)


def test_the_whole_network_learns_the_same_with_and_without_kernels(monkeypatch):
    import googlenet

    x = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    x = x.contiguous(memory_format=torch.channels_last)
    torch.manual_seed(0)
    model = googlenet.create_model("googlenet_bn", 5, width=0.25, auxiliary=False, dropout=0.0)
    model = model.to(memory_format=torch.channels_last)
    plain = copy.deepcopy(model)
    model(x).logsumexp(1).sum().backward()
    monkeypatch.setattr(norm_relu, "_is_native", lambda *_: False)
    monkeypatch.setattr(max_pool, "_is_native", lambda *_: False)
    plain = plain.double()
    plain(x.double()).logsumexp(1).sum().backward()
    for (key, a), b in zip(model.named_parameters(), plain.parameters(), strict=True):
        assert (a.grad - b.grad).norm() <= 2e-3 * b.grad.norm() + 1e-5, key
    for (key, a), b in zip(model.named_buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(a.double(), b.double(), rtol=1e-4, atol=1e-5, msg=key)
