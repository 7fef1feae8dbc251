"""Captum's attributions, which hook on modules and follow gradients to the input."""

import pytest
import torch
from captum.attr import IntegratedGradients, LayerConductance

import googlenet

STEPS = 40


def network(name, **changes):
    torch.manual_seed(0)
    return googlenet.create_model(name, 3, 1, width=0.125, auxiliary=False, **changes).eval()


def logits(model, x):
    """Of three classes, also where the network has members."""
    found = model(x)
    return found if found.ndim == 2 else found.mean(1)


def gain(model, x, target):
    """How much higher the class's logit is than for an input of zeros."""
    with torch.no_grad():
        return logits(model, x)[:, target] - logits(model, torch.zeros_like(x))[:, target]


def test_what_the_branches_of_a_module_conduct_is_the_difference_of_the_logits():
    model = network("googlenet_small")
    x = torch.randn(1, 1, 16, 16)
    shares = {
        name: LayerConductance(model, branch).attribute(x, target=1, n_steps=STEPS)
        for name, branch in model.features["3b"].branches.items()
    }
    assert {name: share.shape[1] for name, share in shares.items()} == {
        name: branch.conv.conv.out_channels for name, branch in model.features["3b"].branches.items()
    }
    assert all(share.abs().sum() > 0 for share in shares.values())
    sums = torch.stack([share.flatten(1).sum(1) for share in shares.values()])
    expected = gain(model, x, 1)
    assert (sums.sum(0) - expected).abs().max() < 0.01 * sums.abs().sum(0).max()
    whole, delta = LayerConductance(model, model.features["3b"]).attribute(
        x, target=1, n_steps=STEPS, return_convergence_delta=True
    )
    assert delta.abs().max() < 0.01 * sums.abs().sum(0).max()
    torch.testing.assert_close(whole, torch.cat(list(shares.values()), 1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("members", [1, 4])
def test_what_reaches_a_signal_networks_input_is_the_difference_of_the_logits(members):
    model = network("googlenet_1d", members=members)
    x = torch.randn(2, members, 64)
    expected = gain(model, x, 2)

    def forward(x):
        return logits(model, x)

    conductance, delta = LayerConductance(forward, model.features["1a"]).attribute(
        x, target=2, n_steps=STEPS, return_convergence_delta=True, attribute_to_layer_input=True
    )
    assert conductance.shape == x.shape
    assert delta.abs().max() < 0.01 * conductance.abs().flatten(1).sum(1).min()
    torch.testing.assert_close(conductance.flatten(1).sum(1) - delta, expected, rtol=1e-4, atol=1e-5)

    gradients = IntegratedGradients(forward).attribute(x, target=2, n_steps=STEPS)
    assert (gradients.flatten(1).sum(1) - expected).abs().max() < 0.01 * gradients.abs().flatten(1).sum(1).min()
    # Both are the same integral along the same way.
    assert (gradients - conductance).abs().max() < 0.02 * gradients.abs().max()
