"""From prepared examples to probabilities."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import googlenet
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.volumes.preprocessing import VolumePreprocessing
from googlenet.inference.pipeline import Pipeline

MIRRORED = ImagePreprocessing(1, 32, 32, (0.4,), (0.3,), mirror=True)
SIGNALS = SignalPreprocessing(2, 40, (0.5, 1.0), (1.0, 2.0), (0.7, 0.9))
VOLUMES = VolumePreprocessing(1, (16, 16, 16), True, (0.4,), (0.3,), mirror=True)


@pytest.mark.parametrize(
    ("name", "preprocessing"), [("googlenet_small", MIRRORED), ("googlenet_1d", SIGNALS), ("googlenet_3d", VOLUMES)]
)
def test_everything_happens_on_the_device_of_the_inputs(name, preprocessing):
    """On a GPU that is made of shapes alone, and refuses tensors of another device as a real one does."""
    channels, *size = preprocessing.input_shape
    kind = torch.uint8 if preprocessing is MIRRORED else torch.float32
    with FakeTensorMode():
        with torch.device("cuda"):
            network = Pipeline([googlenet.create_model(name, 3, channels, width=0.25)], preprocessing)
        found = network(torch.empty(5, channels, *size, dtype=kind, device="cuda"))
    assert found.shape == (5, 3) and found.device.type == "cuda"


@pytest.mark.parametrize("members", [1, 2])
def test_probabilities_are_the_mean_over_networks_views_and_members(short, members):
    if members == 1:
        name, preprocessing = "short_2d", MIRRORED
    else:
        name, preprocessing = "short_1d", SIGNALS
    networks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        channels = preprocessing.input_shape[0]
        networks.append(googlenet.create_model(name, 3, channels, width=0.25, members=members).eval())
    x = preprocessing.example(4)
    with torch.no_grad():
        if members == 1:
            seen = (x.float() / 255 - 0.4) / 0.3
            each = [network(view).softmax(1) for network in networks for view in (seen, seen.flip(3))]
        else:
            both = torch.cat([x, torch.cat([x[:, :2], torch.zeros_like(x[:, :2])], 1)], 1)  # the second sees no slope
            each = [network(both).softmax(2).mean(1) for network in networks]
        found = Pipeline(networks, preprocessing)(x)
    torch.testing.assert_close(found, torch.stack(each).mean(0))
