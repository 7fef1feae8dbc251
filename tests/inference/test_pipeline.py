"""From prepared examples to probabilities."""

import math

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import googlenet
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.volumes.preprocessing import VolumePreprocessing
from googlenet.errors import InputError
from googlenet.inference.calibration.temperature import UNKNOWN, Calibration
from googlenet.inference.calibration.temperature import unsmoothed as of_array
from googlenet.inference.load import load_pipeline
from googlenet.inference.pipeline import Pipeline
from googlenet.limits import FAINTEST
from googlenet.nn.googlenet import tempered, unsmoothed

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


@pytest.mark.parametrize("temperature", [0.05, 0.6, 1.7, 20.0])
def test_a_temperature_is_a_power_of_the_mean_probability_and_keeps_the_order(short, temperature):
    torch.manual_seed(0)
    network = googlenet.create_model("short_2d", 3, 1, width=0.25).eval()
    x = MIRRORED.example(16)
    with torch.no_grad():
        plain, found = (Pipeline([network], MIRRORED, Calibration(t))(x).double() for t in (1.0, temperature))
    powers = plain ** (1 / temperature)
    torch.testing.assert_close(found, powers / powers.sum(1, keepdim=True), rtol=1e-4, atol=1e-7)
    assert torch.equal(found.argsort(1), plain.argsort(1))


@pytest.mark.parametrize("smoothing", [0.01, 0.05, 0.15])
def test_smoothed_labels_are_undone(smoothing):
    """What Szegedy et al. (2016, section 7) make of labels, solved for them within a quarter of it; in their order."""
    draws = np.random.default_rng(0)
    true = torch.from_numpy(draws.dirichlet([0.3] * 5, 200))
    said = (1 - smoothing) * true + smoothing / 5
    found = unsmoothed(said, smoothing)
    torch.testing.assert_close(found.sum(1), torch.ones(200, dtype=torch.float64))
    assert torch.equal(found.argsort(1), said.argsort(1)) and (found > 0).all()
    assert (found - true).abs().max() < smoothing / 4 < (said - true).abs().max() / 2
    np.testing.assert_array_equal(found, of_array(said.numpy(), smoothing))
    assert unsmoothed(said, 0.0) is said


def test_a_class_of_no_probability_is_left_a_little_by_the_least_smoothing():
    found = unsmoothed(torch.tensor([[0.0, 0.25, 0.75]]), 1 / FAINTEST)
    assert (found > 0).all() and tempered(found, 0.7).isfinite().all()


def test_the_network_s_answer_is_unsmoothed_before_its_temperature(short):
    torch.manual_seed(0)
    network = googlenet.create_model("short_2d", 3, 1, width=0.25).eval()
    x, calibration = MIRRORED.example(16), Calibration(0.7, smoothing=0.1)
    with torch.no_grad():
        plain, found = (Pipeline([network], MIRRORED, each)(x).double() for each in (UNKNOWN, calibration))
    powers = unsmoothed(plain, 0.1) ** (1 / 0.7)
    torch.testing.assert_close(found, powers / powers.sum(1, keepdim=True), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(found, calibration.applied(plain.numpy()), rtol=1e-4)
    assert torch.equal(found.argsort(1), plain.argsort(1))


def test_a_class_that_is_ruled_out_stays_so():
    p = torch.tensor([[0.0, 0.25, 0.75]])
    torch.testing.assert_close(tempered(p, 0.5), torch.tensor([[0.0, 0.1, 0.9]]))


def test_of_several_runs_the_temperature_is_the_geometric_mean(tmp_path):
    for name, temperature in (("a", 0.5), ("b", 2.0), ("c", None)):
        model = googlenet.create_model("googlenet_small", 2, 1, width=0.25, auxiliary=False)
        said = {"classes": ["x", "y"], "preprocessing": MIRRORED.to_dict()}
        if temperature is not None:
            said["calibration"] = Calibration(temperature, "them", (0.5, 0.9), smoothing=0.03).to_dict()
        googlenet.save_weights(model, tmp_path / f"{name}.safetensors", **said)
    a, b, c = (tmp_path / f"{name}.safetensors" for name in "abc")
    assert [load_pipeline(path)[0].calibration.temperature for path in (a, b, c)] == [0.5, 2.0, 1.0]
    assert load_pipeline(a, b)[0].calibration.temperature == pytest.approx(1.0)
    assert load_pipeline(a, a, c)[0].calibration.temperature == pytest.approx(0.25 ** (1 / 3))
    assert load_pipeline(a, a, c)[0].calibration.smoothing == pytest.approx(0.02)


WHOLE = {"temperature": 0.5, "source": "them", "scores": [0.5, 0.9]}


@pytest.mark.parametrize(
    "said",
    [
        *({**WHOLE, "temperature": value} for value in (0, -1.0, 1e9, "1", True, None, [1.0], math.nan, math.inf)),
        *({**WHOLE, "scores": value} for value in (None, "0.5", [2.0], [-0.1], [math.nan], ["a"], [0.5] * 2001)),
        *({**WHOLE, "smoothing": value} for value in (-0.1, 1e-12, 1.0, "0.1", None, math.nan)),
        {**WHOLE, "source": 3},
        {**WHOLE, "other": 1},
        [],
        7,
        "cold",
    ],
)
def test_a_calibration_that_is_none_is_said_to_be_damaged(tmp_path, said):
    model = googlenet.create_model("googlenet_small", 2, 1, width=0.25, auxiliary=False)
    of = {"classes": ["x", "y"], "preprocessing": MIRRORED.to_dict(), "calibration": said}
    googlenet.save_weights(model, tmp_path / "a.safetensors", **of)
    with pytest.raises(InputError, match=r"a\.safetensors is damaged: what it says of its calibration is none"):
        load_pipeline(tmp_path / "a.safetensors")


def test_weights_of_a_training_that_was_stopped_at_its_end_say_so(tmp_path):
    model = googlenet.create_model("googlenet_small", 2, 1, width=0.25, auxiliary=False)
    of = {"classes": ["x", "y"], "preprocessing": MIRRORED.to_dict(), "calibration": None}
    googlenet.save_weights(model, tmp_path / "a.safetensors", **of)
    with pytest.warns(RuntimeWarning, match=r"a\.safetensors is not finished: .* not calibrated, .*--resume"):
        assert load_pipeline(tmp_path / "a.safetensors")[0].calibration == UNKNOWN
