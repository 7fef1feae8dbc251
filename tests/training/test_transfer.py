"""Training that begins with weights."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from conftest import run_here
from googlenet import GoogLeNetClassifier, InputError, create_model, load
from googlenet.apps.jobs import choose_recipe
from googlenet.data.builtin import digits, gunpoint
from googlenet.data.images.dataset import as_wanted
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.training.optimizers import make_optimizer
from googlenet.training.recipe import PHOTOS, SIGNALS, SMALL
from googlenet.training.start.given import fitted_classifier, fitted_to, start_from, transfer_task
from googlenet.weights.checkpoint import weights_of
from googlenet.weights.create import read_source

OURS = "googlenet_small.fashion_mnist"


@pytest.fixture(scope="module")
def clothes():
    return read_source(OURS)


def test_everything_but_the_classifier_comes_from_the_weights(clothes):
    recipe = fitted_to(dataclasses.replace(SMALL, width=1.0, aux_weight=0.3), clothes)
    assert (recipe.arch, recipe.width, recipe.aux_weight) == ("googlenet_small", 0.5, 0.0)
    state = start_from(clothes, 7, recipe).state_dict()
    assert state["classifier.weight"].shape[0] == 7
    for name, tensor in clothes.tensors.items():
        if not name.startswith("classifier."):
            assert torch.equal(state[name], tensor.to(state[name].dtype)), name


def test_pictures_are_prepared_as_the_weights_want_and_mirrored_as_the_data_allow(clothes):
    task = transfer_task(digits(), SMALL, clothes)
    assert (task.preprocessing.size, task.channels, task.preprocessing.mirror) == (28, 1, False)
    batch = next(task.training.training(0, 8))
    assert batch.inputs.shape == (8, 1, 28, 28)


@pytest.mark.parametrize(("channels", "wanted"), [(1, 3), (3, 1), (1, 1), (3, 3)])
def test_size_and_colour_of_pictures_in_memory(channels, wanted):
    pixels = torch.full((2, channels, 12, 12), 200, dtype=torch.uint8)
    found = as_wanted(pixels, ImagePreprocessing(wanted, 20, 20, (0.5,) * wanted, (0.5,) * wanted))
    assert found.shape == (2, wanted, 20, 20)
    assert (found == 200).all()


def test_pretrained_layers_have_their_own_learning_rate(clothes):
    recipe = dataclasses.replace(fitted_to(SMALL, clothes), body_rate=0.25)
    model = start_from(clothes, 3, recipe)
    scales = {
        id(parameter): group["scale"]
        for group in make_optimizer(model, recipe, pretrained=True).param_groups
        for parameter in group["params"]
    }
    for name, parameter in model.named_parameters():
        assert scales[id(parameter)] == (1.0 if name.startswith("classifier") else 0.25)
    assert {group["scale"] for group in make_optimizer(model, recipe).param_groups} == {1.0}


def test_the_linear_layer_is_the_logistic_regression():
    draws = np.random.default_rng(0)
    for classes in (2, 3):
        inputs = draws.normal(size=(60, 5)).astype(np.float32) * 3 + 7
        labels = np.arange(60) % classes
        weight, bias = fitted_classifier(inputs, labels, classes)
        ours = (torch.from_numpy(inputs) @ weight.T + bias).softmax(1)
        theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000)).fit(inputs, labels)
        np.testing.assert_allclose(ours, theirs.predict_proba(inputs), atol=1e-4)


def test_frozen_parts_stay_and_the_run_predicts(tmp_path, clothes, two_classes):
    words = ["train", two_classes, "--weights", OURS, "--epochs", "2", "--ema", "0"]
    for freeze in ("norms", "features"):
        result = run_here(*words, "--freeze", freeze, "--out", tmp_path / freeze)
        assert result.returncode == 0, result.stderr
        assert json.loads((tmp_path / freeze / "evaluation.json").read_text())["count"] == 5
        trained = load_file(tmp_path / freeze / "model.safetensors")
        kept = [key for key in trained if "running_" in key] if freeze == "norms" else list(trained)
        for key in kept:
            same = torch.equal(trained[key], clothes.tensors[key].to(trained[key].dtype))
            assert same != key.startswith("classifier."), key
    assert load(tmp_path / "features", engine="torch").classes == ("blue", "red")


def test_a_run_begins_another_and_resumes(tmp_path, two_classes):
    first = run_here("train", two_classes, "--width", "0.125", "--epochs", "1", "--out", tmp_path / "first")
    assert first.returncode == 0, first.stderr
    for name in ("green", "grey"):
        shutil.copytree(two_classes / "red", two_classes / name)
    words = ["train", two_classes, "--weights", tmp_path / "first", "--epochs", "2", "--out", tmp_path / "second"]
    assert run_here(*words).returncode == 0
    assert run_here(*words, "--resume").returncode == 0
    assert load_file(tmp_path / "second" / "model.safetensors")["classifier.weight"].shape == (4, 128)


def test_an_estimator_begins_with_weights(tmp_path, short):
    data = gunpoint()
    signals, labels = list(data.train.signals), data.train.labels.numpy()
    changes = {"arch": "short_1d", "width": 0.25, "epochs": 2, "class_epochs": 0.0, "min_steps": 1, "members": 2}
    recipe = dataclasses.replace(SIGNALS, **changes)
    first = GoogLeNetClassifier(recipe=recipe, random_state=0).fit(signals, labels)
    first.save(tmp_path / "first.safetensors")
    second = GoogLeNetClassifier(recipe=recipe, weights=tmp_path / "first.safetensors", random_state=0)
    assert second.fit(signals, labels).predict_proba(signals).shape == (50, 2)
    with pytest.raises(InputError, match="reads pictures, and these data are signals"):
        GoogLeNetClassifier(recipe=recipe, weights=OURS).fit(signals, labels)


def test_weights_that_do_not_fit_are_sentences(clothes):
    with pytest.raises(InputError, match="do not say how they read pictures"):
        transfer_task(digits(), SMALL, weights_of(create_model("googlenet_small", 3)))
    recipe = choose_recipe(gunpoint(), None, {})
    many = weights_of(create_model("googlenet_1d", 2, 12, members=4))
    with pytest.raises(InputError, match="read 12 channels"):
        transfer_task(gunpoint(), recipe, many)
    refused = run_here("train", "digits", "--freeze", "norms")
    assert refused.returncode == 1
    assert "add --weights NAME" in refused.stderr


def test_what_weights_decide_cannot_be_asked_for():
    for words in (["--arch", "googlenet_bn"], ["--width", "2"]):
        refused = run_here("train", "digits", "--weights", OURS, *words)
        assert refused.returncode == 1
        assert "holds googlenet_small at width 0.5" in refused.stderr


def test_auxiliary_classifiers_that_nobody_trains_are_left_out():
    weights = weights_of(create_model("googlenet", 7, width=0.25))
    recipe = dataclasses.replace(fitted_to(PHOTOS, weights), weights="x")
    assert len(start_from(weights, 3, recipe).auxiliary) == 2
    assert len(start_from(weights, 3, dataclasses.replace(recipe, freeze="features")).auxiliary) == 0


def test_the_network_of_many_signals_begins_others():
    """The weights that the package ships: everything but the classifier, and better than a fresh start at once."""
    data = gunpoint()
    signals, labels = list(data.train.signals), data.train.labels.numpy()
    shipped = read_source("ucr")
    recipe = fitted_to(dataclasses.replace(SIGNALS, weights="ucr"), shipped)
    model = start_from(shipped, 2, recipe)
    for name, tensor in shipped.tensors.items():
        if not name.startswith("classifier"):
            assert torch.equal(model.state_dict()[name], tensor.float()), name
    short = dataclasses.replace(SIGNALS, epochs=3, class_epochs=0.0, min_steps=1)
    begun, fresh = (
        GoogLeNetClassifier(recipe=short, weights=weights, random_state=0).fit(signals, labels)
        for weights in ("ucr", None)
    )
    assert begun.history_[-1].loss < fresh.history_[-1].loss - 0.02
    assert begun.score(signals, labels) > 0.9


def test_the_network_of_many_signals_reads_one_channel():
    with pytest.raises(InputError, match="These weights read 2 channels"):
        GoogLeNetClassifier(weights="ucr").fit(np.random.default_rng(0).normal(size=(20, 3, 50)), [0, 1] * 10)
