"""Dreams: what there is to be more of becomes more, within bounds, octave by octave."""

from itertools import pairwise

import pytest
import torch

from explain.networks import pipeline_of
from googlenet import InputError
from googlenet.explain.features import dream as dreams
from googlenet.explain.features.dream import dream, octaves_of
from googlenet.explain.features.objectives import find_objective
from googlenet.explain.features.probe import Probe

NAMES = ("a", "b", "c", "d")


@pytest.fixture(scope="module", params=["short_2d", "short_1d"])
def pipeline(request, short):
    return pipeline_of(request.param, width=0.125)


@pytest.fixture
def values(pipeline):
    spatial = (36, 44) if len(pipeline.preprocessing.input_shape) == 3 else (90,)
    channels = len(pipeline.preprocessing.canvas().mean)
    return torch.rand(channels, *spatial, generator=torch.Generator().manual_seed(0))


def excited(pipeline, objective, values):
    outputs = Probe(pipeline, objective.place)(pipeline.preprocessing.canvas().inputs(values[None]))
    return objective.of(outputs).item()


@pytest.mark.parametrize("at", ["3a", "3a.pool:2", "class:b"])
def test_there_is_more_of_it(pipeline, values, at):
    if len(pipeline.preprocessing.input_shape) == 2:
        at = at.replace("3a", "2a")
    objective = find_objective(pipeline, NAMES, at)
    *_, last = dream(pipeline, values, objective, octaves=1, steps=5)
    assert last.values.shape == values.shape
    assert excited(pipeline, objective, last.values) > excited(pipeline, objective, values)
    canvas = pipeline.preprocessing.canvas()
    flat = last.values.flatten(1)
    assert (flat.amin(1) >= canvas.low - 1e-6).all() and (flat.amax(1) <= canvas.high + 1e-6).all()


def test_a_guide_draws_features_towards_its_own(pipeline, values):
    at = "3a" if values.ndim == 3 else "2a"
    objective = find_objective(pipeline, NAMES, at)
    guide = values.flip(-1).roll(7, -1) * torch.linspace(0, 1, values.shape[-1])
    canvas = pipeline.preprocessing.canvas()
    probe = Probe(pipeline, objective.place)
    theirs = probe(canvas.inputs(guide[None]))[0].flatten(1)

    def likeness(what):
        """The dot product of each position with the guide's most like position, summed."""
        mine = probe(canvas.inputs(what[None]))[0].flatten(1)
        return (mine.T @ theirs).amax(1).sum().item()

    *_, last = dream(pipeline, values, objective, guide=guide, octaves=1, steps=6)
    assert likeness(last.values) > likeness(values)
    with pytest.raises(InputError, match="name a place alone, not class:a"):
        next(dream(pipeline, values, find_objective(pipeline, NAMES, "class:a"), guide=guide))


def test_to_go_on_after_an_octave_is_to_dream_undisturbed(pipeline, values):
    objective = find_objective(pipeline, NAMES, "3a" if values.ndim == 3 else "2a")
    whole = list(dream(pipeline, values, objective, octaves=3, steps=2, seed=5))
    rest = list(dream(pipeline, values, objective, octaves=3, steps=2, seed=5, begun=whole[0]))
    assert len(rest) == len(whole) - 1
    assert torch.equal(rest[-1].values, whole[-1].values)
    other = list(dream(pipeline, values, objective, octaves=3, steps=2, seed=6))
    assert not torch.equal(other[-1].values, whole[-1].values)


def test_octaves_are_no_smaller_than_the_network_reads(pipeline, values):
    least = pipeline.networks[0].minimum_size
    shapes = [
        tuple(octave.values.shape[1:])
        for octave in dream(pipeline, values, find_objective(pipeline, NAMES, "class:a"), octaves=30, steps=1)
    ]
    assert len(shapes) == octaves_of(pipeline, tuple(values.shape[1:]), 30) < 30
    assert octaves_of(pipeline, tuple(values.shape[1:]), 10**9) == len(shapes)
    assert min(shapes[0]) >= least and shapes[-1] == values.shape[1:]
    with pytest.raises(InputError, match=f"reads {least} or more along each side"):
        octaves_of(pipeline, (least - 1,) * (values.ndim - 1))


def test_tiles_cover_all_of_it(pipeline, values, monkeypatch):
    """The seams move: with small tiles there is more of it everywhere, too."""
    monkeypatch.setattr(dreams, "TILE", 24)
    objective = find_objective(pipeline, NAMES, "3a" if values.ndim == 3 else "2a")
    *_, last = dream(pipeline, values, objective, octaves=1, steps=4)
    assert excited(pipeline, objective, last.values) > excited(pipeline, objective, values)
    assert (last.values != values).float().mean() > 0.95
    for side, least in ((1000, 8), (513, 32), (40, 32), (31, 31)):
        cuts = dreams._cuts(side, least)
        assert cuts[0].start == 0 and cuts[-1].stop == side
        assert all(a.stop == b.start for a, b in pairwise(cuts))
        assert min(cut.stop - cut.start for cut in cuts) >= least
