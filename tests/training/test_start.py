"""How a fresh network begins."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.image import extract_patches_2d

from googlenet import GoogLeNetClassifier
from googlenet.apps.jobs import choose_recipe
from googlenet.data.builtin import digits, gunpoint
from googlenet.errors import InputError
from googlenet.training.distributed import World
from googlenet.training.recipe import SIGNALS, SMALL
from googlenet.training.start.fresh import fresh_state, principal
from googlenet.training.task import task_for

ALONE = World(0, 1, torch.device("cpu"))
WIDE = dataclasses.replace(SMALL, width=0.25, whiten=True)


def test_components_are_scikit_learns():
    draws = np.random.default_rng(0)
    pictures = draws.normal(size=(40, 2, 9, 7)).cumsum(2).cumsum(3)
    patches = np.concatenate([extract_patches_2d(picture.transpose(1, 2, 0), (3, 3)) for picture in pictures])
    theirs = TruncatedSVD(5, algorithm="arpack").fit(patches.transpose(0, 3, 1, 2).reshape(len(patches), -1))
    ours = principal(torch.from_numpy(pictures), 3)
    assert ours.shape == (18, 18)
    np.testing.assert_allclose(np.abs((ours[:5].numpy() * theirs.components_).sum(1)), 1, atol=1e-6)


def test_the_first_convolution_begins_with_components_of_both_signs():
    whitened, plain = (
        fresh_state(task_for(digits(), each), ALONE) for each in (WIDE, dataclasses.replace(WIDE, whiten=False))
    )
    first, other = (next(p for p in state.model.parameters() if p.ndim == 4).detach() for state in (whitened, plain))
    assert first.shape == (16, 1, 3, 3)
    torch.testing.assert_close(first[:8], -first[8:])
    lengths = first.flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((16,), float(other.flatten(1).norm(dim=1).mean())))
    kernels = first[:8].flatten(1) / lengths[:8, None]
    torch.testing.assert_close(kernels @ kernels.T, torch.eye(8), atol=1e-5, rtol=0)
    # The strongest component of pictures of ink on paper is what all pixels have in common.
    assert kernels[0].abs().min() > 0.2 and len(set(kernels[0].sign().tolist())) == 1


def test_filters_that_no_component_is_left_for_stay_as_they_were():
    wide = dataclasses.replace(WIDE, width=0.5)  # 32 filters, and nine components
    whitened, plain = (
        fresh_state(task_for(digits(), each), ALONE) for each in (wide, dataclasses.replace(wide, whiten=False))
    )
    first, other = (next(p for p in state.model.parameters() if p.ndim == 4).detach() for state in (whitened, plain))
    assert torch.equal(first[18:], other[18:]) and not torch.equal(first[:18], other[:18])


def test_the_running_mean_begins_there_too():
    state = fresh_state(task_for(digits(), WIDE), ALONE)
    for name, tensor in state.model.state_dict().items():
        assert torch.equal(state.mean.tensors[name], tensor)


def test_a_network_that_comes_with_weights_keeps_its_filters():
    """Asked for with weights it is refused; a recipe that has it by itself goes on from any network."""
    with pytest.raises(InputError, match="whiten is for fresh networks: leave it out, or --weights"):
        choose_recipe(digits(), None, {"weights": "googlenet_small.fashion_mnist", "whiten": "yes"})
    assert not choose_recipe(digits(), "small-colour", {"weights": "googlenet_small.fashion_mnist"}).whiten
    draws = np.random.default_rng(0)
    pictures, labels = draws.integers(0, 256, (12, 24, 24, 3), np.uint8), np.arange(12) % 2
    model = GoogLeNetClassifier({"arch": "googlenet_small", "width": 0.125, "epochs": 1, "ema": 0.0}, random_state=0)
    model.fit(pictures, labels)
    before, after = (_first(each) for each in (model, model.fine_tune(pictures, labels)))
    assert (before * after).sum() > 0.9 * before.norm() * after.norm()  # a step away, and not begun anew


def _first(model):
    return next(p for p in model._pipeline.networks[0].parameters() if p.ndim == 4).detach().clone()


def test_signals_are_not_whitened():
    with pytest.raises(InputError, match="whiten is for pictures; leave it out for signals"):
        fresh_state(task_for(gunpoint(), dataclasses.replace(SIGNALS, whiten=True)), ALONE)
