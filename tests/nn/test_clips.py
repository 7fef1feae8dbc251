"""Volumes and clips: ``googlenet_3d`` and the pools that let few frames through."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from googlenet.arch.shapes import tensorflow_padding
from googlenet.arch.spec import MaxPool
from googlenet.arch.variants import find_arch
from googlenet.nn.googlenet import GoogLeNet
from googlenet.nn.layers import TensorFlowMaxPool
from googlenet.weights.checkpoint import weights_of

ARCH = find_arch("googlenet_3d").scaled(0.125)


def without_padding(layer):
    return replace(layer, padding=0) if isinstance(layer, MaxPool) else layer


def network(arch=ARCH):
    torch.manual_seed(0)
    return GoogLeNet(arch, 3, 1)


def clips(*size, count=2):
    return torch.randn(count, 1, *size, generator=torch.Generator().manual_seed(1))


def test_pools_with_padding_are_the_same_function_of_even_sizes():
    model = network().eval()
    stages = (replace(stage, layers=tuple(map(without_padding, stage.layers))) for stage in ARCH.stages)
    before = network(replace(ARCH, stages=tuple(stages))).eval()
    assert before.minimum_size == 31
    before.load_state_dict(model.state_dict())
    for size in ((64, 32, 32), (32, 32, 96)):  # even in front of every pool
        x = clips(*size)
        ours, theirs = model(x, return_aux=True), before(x, return_aux=True)
        assert torch.equal(ours.logits, theirs.logits)
        assert all(torch.equal(a, b) for a, b in zip(ours.aux, theirs.aux, strict=True))


@pytest.mark.parametrize("size", [(8, 32, 32), (9, 24, 31), (16, 8, 8)])
def test_clips_of_a_few_frames_are_learned_from(size):
    assert ARCH.dims == 3
    model = network()
    assert model.minimum_size <= 8
    output = model(clips(*size), return_aux=True)
    sum(logits.logsumexp(1).sum() for logits in (output.logits, *output.aux)).backward()
    for key, parameter in model.named_parameters():
        assert torch.isfinite(parameter.grad).all(), key
        assert parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize("size", [(8, 9, 1), (7, 2, 3)])
@pytest.mark.parametrize("kernel", [2, 3])
def test_a_pool_and_its_gradient_are_those_of_a_volume_padded_with_less_than_anything(size, kernel):
    ours, theirs = clips(*size).requires_grad_(), clips(*size).requires_grad_()
    pooled = TensorFlowMaxPool(kernel, 2)(ours)
    assert pooled.shape[2:] == tuple(-(-n // 2) for n in size)
    ends = [end for n in reversed(size) for end in tensorflow_padding(n, kernel, 2)]
    expected = nn.functional.max_pool3d(nn.functional.pad(theirs, ends, value=-torch.inf), kernel, 2)
    assert torch.equal(pooled, expected)
    weights = torch.rand_like(expected)
    (pooled * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("size", [(8, 32, 32), (9, 17, 40)])
def test_the_graph_for_onnx_is_the_same_function(size):
    runtime = pytest.importorskip("onnxruntime")
    nodes = pytest.importorskip("googlenet.weights.foreign.onnx.nodes")
    model = network().eval()
    weights = weights_of(model)
    graph = nodes.model_of(weights.header, {key: value.numpy() for key, value in weights.tensors.items()}, size)
    session = runtime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    x = clips(*size)
    with torch.no_grad():
        output = model(x, return_aux=True)
    for found, expected in zip(session.run(None, {"input": x.numpy()}), (output.logits, *output.aux), strict=True):
        torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_a_pool_of_few_samples_is_that_of_the_padded_map(dims, kernel, n):
    """A map that is padded by hand as TensorFlow does it, whatever window the pool takes for an axis that is short."""
    x = torch.randn(2, 3, *[n] * dims, generator=torch.Generator().manual_seed(n))
    padded = nn.functional.pad(x, [*tensorflow_padding(n, kernel, 2)] * dims, value=float("-inf"))
    pool = (nn.functional.max_pool1d, nn.functional.max_pool2d, nn.functional.max_pool3d)[dims - 1]
    assert torch.equal(TensorFlowMaxPool(kernel, 2)(x), pool(padded, kernel, 2))
