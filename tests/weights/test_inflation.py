"""Pictures' weights for volumes and signals: what is constant along the changed axis gives the same response."""

import pytest
import torch

from googlenet import InputError, create_model
from googlenet.weights.checkpoint import network_of, weights_of
from googlenet.weights.inflation import collapse, inflate


@pytest.fixture(scope="module")
def picture_weights():
    torch.manual_seed(0)
    return weights_of(create_model("googlenet_bn", 5, width=0.125).eval())


def layers(model):
    return [layer for layer in model.features.modules() if hasattr(layer, "kernel_size") and hasattr(layer, "weight")]


def test_every_convolution_answers_a_still_volume_as_it_did_a_picture(picture_weights):
    flat, deep = network_of(picture_weights), network_of(inflate(picture_weights))
    for old, new in zip(layers(flat), layers(deep), strict=True):
        size = 2 * old.kernel_size[0] + 5
        picture = torch.randn(2, old.in_channels, size, size)
        answers = new(picture[:, :, None].expand(-1, -1, size, -1, -1))
        torch.testing.assert_close(answers[:, :, answers.shape[2] // 2], old(picture), rtol=1e-4, atol=1e-5)


def test_every_convolution_answers_a_profile_as_it_did_the_picture(picture_weights):
    flat, thin = network_of(picture_weights), network_of(collapse(picture_weights))
    for old, new in zip(layers(flat), layers(thin), strict=True):
        size = 2 * old.kernel_size[0] + 5
        signal = torch.randn(2, old.in_channels, size)
        answers = old(signal[..., None].expand(-1, -1, -1, size))
        torch.testing.assert_close(new(signal), answers[..., answers.shape[-1] // 2], rtol=1e-4, atol=1e-5)


def test_the_networks_run_and_have_the_classifier(picture_weights):
    for change, shape in ((inflate, (1, 3, 33, 33, 33)), (collapse, (1, 3, 64))):
        changed = change(picture_weights)
        model = network_of(changed)
        assert model(torch.randn(shape)).shape == (1, 5)
        assert torch.equal(model.classifier.weight, picture_weights.tensors["classifier.weight"])
        assert not changed.header.auxiliary
    with pytest.raises(InputError, match="only weights of pictures"):
        inflate(inflate(picture_weights))
