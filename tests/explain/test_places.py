"""Names of places inside a network, and what comes out there."""

import dataclasses

import numpy as np
import pytest
import torch

from explain.networks import inputs_of, pipeline_of
from googlenet.arch.spec import Branch, InceptionSpec
from googlenet.arch.variants import find_arch
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.errors import InputError
from googlenet.explain.branches.ablation import ablation
from googlenet.explain.explainer import Explainer
from googlenet.explain.logits import view_of
from googlenet.explain.maps.attribution import METHODS
from googlenet.explain.places import Place, branch_places, find_place, outputs_at
from googlenet.inference.pipeline import Pipeline
from googlenet.nn.googlenet import GoogLeNet


def test_branches_side_by_side_are_the_modules_output():
    pipeline = pipeline_of("googlenet_small", 0.125)
    model = pipeline.networks[0]
    view = view_of(pipeline.preprocessing, inputs_of(pipeline), model)
    branches = branch_places(model.arch)["4c"]
    reduced = find_place(model.arch, "4c.5x5.reduce")
    with outputs_at(model, [*branches, Place("4c"), reduced]) as found, torch.no_grad():
        model(view)
        kept = model.intermediates(view, "4c")["4c"]
    torch.testing.assert_close(torch.cat([found[place] for place in branches], 1), kept)
    torch.testing.assert_close(found[Place("4c")], kept)
    assert found[reduced].shape[1] == model.features["4c"].branches["5x5"].reduce.conv.out_channels


def test_names_go_there_and_back_and_others_are_sentences():
    arch = find_arch("googlenet")
    for name in ("conv1", "4c", "4c.pool", "4c.3x3.reduce"):
        assert str(find_place(arch, name)) == name
    assert str(find_place(find_arch("googlenet_1d"), "2a.9 by 4")) == "2a.9 by 4"
    for name, said in (
        ("4f", "no layer '4f'"),
        ("4c.5x", "Did you mean '5x5'"),
        ("conv1.3x3", "no Inception module"),
        ("4c.1x1.reduce", "has a 1×1 in front"),
        ("4c.3x3.conv", "has a 1×1 in front"),
    ):
        with pytest.raises(InputError, match=said):
            find_place(arch, name)


@pytest.fixture(scope="module")
def of_convolutions():
    """An explainer of a network without Inception modules, which a weights file may hold, and its examples."""
    arch = find_arch("googlenet_1d").scaled(0.125)
    stages = [
        dataclasses.replace(
            stage,
            layers=tuple(
                Branch(layer.name, 8, 5) if isinstance(layer, InceptionSpec) else layer for layer in stage.layers
            ),
        )
        for stage in arch.stages
    ]
    preprocessing = SignalPreprocessing(1, 64, (0.0,), (1.0,), (0.5,))
    model = GoogLeNet(
        dataclasses.replace(arch, stages=tuple(stages), auxiliary=()), 3, preprocessing.input_shape[0]
    ).eval()
    return Explainer.of(Pipeline([model], preprocessing), "abc"), np.random.default_rng(0).normal(size=(2, 1, 64))


@pytest.mark.parametrize("method", list(METHODS))
def test_without_modules_maps_are_of_the_last_layer(of_convolutions, method):
    explainer, signals = of_convolutions
    for found in explainer.explain(signals, method):
        assert found.values.ndim == 1 and np.isfinite(found.values).all()
        assert found.at == ("3c" if METHODS[method].inside else None)


def test_without_modules_there_are_no_branches(of_convolutions):
    explainer, signals = of_convolutions
    with pytest.raises(InputError, match="no Inception module, and so no branches"):
        explainer.branches(signals)
    with pytest.raises(InputError, match="no Inception module, and so no branches"):
        ablation(explainer.pipeline, inputs_of(explainer.pipeline), [0, 1])
