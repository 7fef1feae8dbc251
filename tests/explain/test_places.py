"""Names of places inside a network, and what comes out there."""

import pytest
import torch

from explain.networks import inputs_of, pipeline_of
from googlenet.arch.variants import find_arch
from googlenet.errors import InputError
from googlenet.explain.logits import view_of
from googlenet.explain.places import Place, branch_places, find_place, outputs_at


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
