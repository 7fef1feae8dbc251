"""Parts switched off, against networks whose weights make them off."""

import copy

import numpy as np
import pytest
import torch

from explain.networks import inputs_of, pipeline_of
from googlenet.errors import InputError
from googlenet.explain.branches.ablation import AUXILIARY, ablation


@pytest.fixture(scope="module")
def given():
    pipeline = pipeline_of("googlenet_small", 0.125)
    inputs = inputs_of(pipeline, 24)
    labels = pipeline(torch.from_numpy(inputs)).argmax(1).numpy()
    labels[::3] = (labels[::3] + 1) % 4  # not all right
    return pipeline, inputs, labels


def accuracy(pipeline, inputs, labels):
    with torch.no_grad():
        return float((pipeline(torch.from_numpy(inputs)).argmax(1).numpy() == labels).mean())


def test_without_a_branch_it_is_the_network_whose_branch_gives_nothing(given):
    pipeline, inputs, labels = given
    found = ablation(pipeline, inputs, labels, "zero")
    assert found.count == 24 and found.accuracy == accuracy(pipeline, inputs, labels)
    assert len(found.without) == 9 * 5 + 1 and found.lost[AUXILIARY] == 0
    for module, branch in (("3a", "1x1"), ("4c", "5x5"), ("5b", "pool")):
        off = copy.deepcopy(pipeline)
        norm = off.networks[0].features[module].branches[branch].conv.norm
        with torch.no_grad():
            norm.weight.zero_()
            norm.bias.zero_()
        assert found.without[f"{module}.{branch}"] == accuracy(off, inputs, labels)


def test_the_mean_is_that_of_each_channel_over_the_set(given):
    pipeline, inputs, labels = given
    found = ablation(pipeline, inputs, labels, "mean")
    model = pipeline.networks[0]
    with torch.no_grad():
        maps = model.intermediates(pipeline.preprocessing.views(torch.from_numpy(inputs), 1)[0], "4a")["4a"]
    width = model.features["4a"].branches["1x1"].conv.conv.out_channels
    off = copy.deepcopy(pipeline)
    norm = off.networks[0].features["4a"].branches["1x1"].conv.norm
    with torch.no_grad():
        norm.weight.zero_()
        norm.bias.copy_(maps[:, :width].mean((0, 2, 3)))  # which no ReLU clips
    assert found.without["4a.1x1"] == accuracy(off, inputs, labels)
    assert found.fill == "mean" and found.to_dict()["lost"]["4a.1x1"] == pytest.approx(
        found.accuracy - found.without["4a.1x1"]
    )


def test_what_cannot_be_measured_is_a_sentence(given):
    pipeline, inputs, labels = given
    with pytest.raises(InputError, match="mean or by zero"):
        ablation(pipeline, inputs, labels, "noise")
    with pytest.raises(InputError, match="no example"):
        ablation(pipeline, inputs[:0], labels[:0])
    assert np.isfinite(accuracy(pipeline, inputs, labels))  # everything is on again
    assert all(not module._forward_hooks for module in pipeline.modules())
