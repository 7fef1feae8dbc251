"""Whether maps can be believed, on maps of which that is known."""

import numpy as np
import pytest
import torch

from explain.networks import inputs_of, pipeline_of
from googlenet.explain.maps.attribution import attributions
from googlenet.explain.maps.sanity import after_randomising, faithfulness


def test_a_map_of_the_network_changes_and_one_of_the_input_does_not():
    pipeline = pipeline_of("googlenet_small", 0.125, size=24)
    inputs = inputs_of(pipeline, 3)
    before = [weight.clone() for weight in pipeline.parameters()]
    of_input = after_randomising(pipeline, lambda network: inputs[:, 0].astype(np.float32))
    assert list(of_input) == ["classifier", *reversed(["conv1", "conv2", *pipeline.networks[0].arch.module_names()])]
    assert min(of_input.values()) == pytest.approx(1)
    found = after_randomising(
        pipeline, lambda network: attributions(network, inputs, [0, 1, 2], "integrated-gradients")
    )
    assert found["conv1"] < 0.5 and found != of_input
    assert all(torch.equal(*pair) for pair in zip(before, pipeline.parameters(), strict=True))


def test_hiding_what_matters_first_ends_an_answer_sooner():
    """A class whose probability is the share of eight places that can be seen, of which others do not matter."""
    matters = torch.zeros(1, 1, 64)
    matters[..., 8:16] = 1

    def probability(view):
        return (view * matters).sum((1, 2)) / 8

    view = torch.ones(1, 1, 64)
    good = faithfulness(probability, view, matters[0, 0].numpy())
    bad = faithfulness(probability, view, -matters[0, 0].numpy())
    assert good.deletion < 0.2 and good.insertion > 0.8
    assert bad.deletion == pytest.approx(good.insertion, abs=0.06)
    assert bad.insertion == pytest.approx(good.deletion, abs=0.06)
