"""Maps, against captum on torchvision's own network, and against windows hidden by hand."""

import numpy as np
import pytest
import torch
import torchvision
from captum.attr import IntegratedGradients, LayerGradCam

from explain.networks import inputs_of, pipeline_of
from googlenet import create_model
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.errors import InputError
from googlenet.explain.logits import Logits, plain, view_of
from googlenet.explain.maps.attribution import METHODS, REFUSED, STEPS, attributions
from googlenet.inference.pipeline import Pipeline
from googlenet.weights import from_torchvision

LABELS = [1, 3]


@pytest.fixture(scope="module")
def twins():
    """torchvision's network and ours with its weights."""
    torch.manual_seed(0)
    theirs = torchvision.models.GoogLeNet(num_classes=5, aux_logits=False, transform_input=False, init_weights=True)
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(0.05)
    theirs.eval()
    ours = create_model("googlenet_torchvision", num_classes=5, auxiliary=False).eval()
    ours.load_state_dict(from_torchvision(theirs.state_dict()))
    return theirs, Pipeline([ours], ImagePreprocessing(3, 64, 64))


def close(ours, theirs):
    theirs = theirs.detach().numpy()
    assert np.abs(theirs).max() > 0
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * max(1.0, float(np.abs(theirs).max())))


def test_integrated_gradients_are_captums_on_torchvisions_network(twins):
    theirs, pipeline = twins
    inputs = inputs_of(pipeline)
    view = view_of(pipeline.preprocessing, inputs, pipeline.networks[0])
    found = IntegratedGradients(theirs).attribute(view, target=torch.tensor(LABELS), n_steps=STEPS)
    close(attributions(pipeline, inputs, LABELS, "integrated-gradients"), found.sum(1))


def test_grad_cam_is_captums_on_torchvisions_network(twins):
    theirs, pipeline = twins
    inputs = inputs_of(pipeline)
    view = view_of(pipeline.preprocessing, inputs, pipeline.networks[0])
    for place, layer in (
        ("4c", theirs.inception4c),
        ("4c.3x3", theirs.inception4c.branch2),
        ("5b", theirs.inception5b),
    ):
        found = LayerGradCam(theirs, layer).attribute(view, target=torch.tensor(LABELS))
        close(attributions(pipeline, inputs, LABELS, "grad-cam", at=place), found[:, 0])


def test_hidden_windows_lose_what_the_map_says():
    pipeline = pipeline_of("googlenet_1d", 0.125)
    inputs = inputs_of(pipeline)
    model = pipeline.networks[0]
    view = view_of(pipeline.preprocessing, inputs, model)
    found = attributions(pipeline, inputs, LABELS, "occlusion")
    rows, labels = torch.arange(2), torch.tensor(LABELS)
    with torch.no_grad():
        whole = model(view)[rows, labels]
        sums, counts = np.zeros((2, 64)), np.zeros(64)
        for start in [*range(0, 64 - 10, 5), 55]:  # windows of 10 of 64 samples, by 5, the last one cut
            hidden = view.clone()
            hidden[:, :, start : start + 10] = 0
            sums[:, start : start + 10] += (whole - model(hidden)[rows, labels])[:, None].numpy()
            counts[start : start + 10] += 1
    np.testing.assert_allclose(found, sums / counts, atol=1e-5)


@pytest.mark.parametrize("name", ["googlenet", "googlenet_1d", "googlenet_3d"])
def test_plain_and_fused_agree(name):
    pipeline = pipeline_of(name, 0.125)
    model = pipeline.networks[0]
    view = view_of(pipeline.preprocessing, inputs_of(pipeline), model)
    with torch.no_grad():
        fused = model(view)
        with plain(pipeline):
            torch.testing.assert_close(Logits(model)(view), fused, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize(("name", "members"), [("googlenet_small", 1), ("googlenet_1d", 2), ("googlenet_3d", 1)])
def test_every_method_explains_every_kind(method, name, members):
    pipeline = pipeline_of(name, 0.125, members)
    inputs = inputs_of(pipeline)
    found = attributions(pipeline, inputs, LABELS, method, against=[0, 0])
    assert found.shape[0] == 2 and found.ndim == 1 + len(pipeline.preprocessing.input_shape[1:])
    assert np.isfinite(found).all() and np.abs(found).max() > 0
    np.testing.assert_array_equal(found, attributions(pipeline, inputs, LABELS, method, against=[0, 0]))


def test_paths_sum_to_the_change_of_the_logit():
    pipeline = pipeline_of("googlenet_small")
    inputs = inputs_of(pipeline)
    model = pipeline.networks[0]
    view = view_of(pipeline.preprocessing, inputs, model)
    with torch.no_grad():
        change = (model(view) - model(torch.zeros_like(view)))[torch.arange(2), torch.tensor(LABELS)]
    for method in ("integrated-gradients", "conductance"):
        found = attributions(pipeline, inputs, LABELS, method).reshape(2, -1).sum(1)
        np.testing.assert_allclose(found, change, atol=0.03 * float(change.abs().max()))


def test_what_is_wrong_here_is_refused_with_the_reason():
    pipeline = pipeline_of("googlenet_small", 0.125)
    inputs = inputs_of(pipeline, 1)
    for method in REFUSED:
        with pytest.raises(InputError, match=f"{method} is not offered: .*[.] Ask for one of cam"):
            attributions(pipeline, inputs, [0], method)
    with pytest.raises(InputError, match="Did you mean 'grad-cam'"):
        attributions(pipeline, inputs, [0], "gradcam")
    with pytest.raises(InputError, match="--at is for grad-cam, conductance"):
        attributions(pipeline, inputs, [0], "cam", at="4c")
    with pytest.raises(InputError, match="branch of 4c '7x7'"):
        attributions(pipeline, inputs, [0], "grad-cam", at="4c.7x7")


def test_several_networks_are_explained_by_the_mean():
    one, other = (pipeline_of("googlenet_small", 0.125, seed=seed) for seed in (0, 1))
    inputs = inputs_of(one)
    both = Pipeline([*one.networks, *other.networks], one.preprocessing)
    each = [attributions(each, inputs, LABELS, "cam") for each in (one, other)]
    np.testing.assert_allclose(attributions(both, inputs, LABELS, "cam"), np.mean(each, axis=0), rtol=1e-5, atol=1e-6)
