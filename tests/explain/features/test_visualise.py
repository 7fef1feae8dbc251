"""What is drawn excites what it is to excite: against an optimum that is known, chance, and the best of a data set."""

import dataclasses

import numpy as np
import pytest
import torch

from explain.networks import pipeline_of
from googlenet.arch.spec import Arch, Branch, Stage
from googlenet.data.images.dataset import ImageSet
from googlenet.data.signals.dataset import SignalSet
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.errors import InputError
from googlenet.explain.features.objectives import Objective, find_objectives
from googlenet.explain.features.painting import Statistics
from googlenet.explain.features.probe import Probe
from googlenet.explain.features.survey import best_of, survey
from googlenet.explain.features.visualise import chunks_of, likeness, visualise
from googlenet.explain.places import Place
from googlenet.inference.pipeline import Pipeline
from googlenet.nn.googlenet import GoogLeNet

KINDS = ["short_2d", "short_1d", "short_3d"]


@pytest.fixture(scope="module", params=KINDS)
def pipeline(request, short):
    return pipeline_of(request.param, width=0.125)


@pytest.fixture(scope="module")
def signals(short):
    return pipeline_of("short_1d", width=0.125)


def place_of(pipeline):
    return pipeline.networks[0].arch.module_names()[-1]


def test_a_probe_computes_what_the_network_does(pipeline):
    model, preprocessing = pipeline.networks[0], pipeline.preprocessing
    inputs = preprocessing.example(2)
    view = preprocessing.views(inputs, 1)[0]
    name = place_of(pipeline)
    expected = model.intermediates(view, name)[name]
    torch.testing.assert_close(Probe(pipeline, Place(name))(inputs), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(Probe(pipeline, None)(inputs), model(view), rtol=1e-4, atol=1e-4)


def matched():
    """A network of one convolution of eight samples, and the filters of its two channels."""
    arch = Arch("one", "one convolution", 1, (8,), (Stage("1", (Branch("conv", 2, kernel=8),)),), (), norm="none")
    model = GoogLeNet(arch, 2, 1).eval()
    filters = torch.tensor([[0.0, 1, 2, 3, -3, -2, -1, 0], [1.0, 2, -2, -1, 1, 2, -2, -1]])
    with torch.no_grad():
        model.features["conv"].conv.conv.weight.copy_(filters[:, None])
        model.features["conv"].conv.conv.bias.fill_(-2)  # what is drawn at first excites nothing
    preprocessing = SignalPreprocessing(1, 8, (0.0,), (1.0,), ())
    return Pipeline([model], preprocessing), filters


def test_of_a_linear_network_it_is_the_matched_filter():
    """The signal of most output is the filter itself, where every value may have one size: in direction its sign."""
    pipeline, filters = matched()
    ends = torch.full((1,), 1.0)
    known = Statistics(torch.zeros(1), torch.eye(1), -ends, ends, "made up")
    at = 3  # the position whose window is the whole signal
    objectives = [Objective(f"conv:{channel}", Place("conv"), channel, (at,)) for channel in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SHIFT", "SCALE"):
            patch.setattr(f"googlenet.explain.features.painting.{name}", 0.0)
        found = visualise(pipeline, objectives, statistics=known, steps=120)
    for signal, matching in zip(found.inputs[:, 0, 0], filters.numpy(), strict=True):
        there = matching != 0
        np.testing.assert_array_equal(np.sign(signal[there]), np.sign(matching[there]))
        assert signal[there] @ matching[there] > 0.95 * np.abs(matching).sum()
    best = np.abs(filters.numpy()).sum(1) - 2
    assert (found.activations[:, 0] <= best + 1e-4).all()


def test_it_excites_more_than_chance(pipeline):
    place = place_of(pipeline)
    objectives = find_objectives(pipeline, ("a", "b", "c", "d"), f"{place}:0-3")
    found = visualise(pipeline, objectives, steps=12)
    at_random = pipeline.preprocessing.example(8)
    outputs = Probe(pipeline, Place(place))(at_random)
    best = torch.stack([each.of(outputs) for each in objectives], 1).amax(0).numpy()
    alive = (best > 0) | (found.activations[:, 0] > 0)
    assert alive.sum() >= 2
    assert (found.activations[alive, 0] > best[alive]).mean() >= 0.75


def test_activations_are_those_of_the_network_for_what_it_reads(pipeline):
    place = place_of(pipeline)
    objectives = find_objectives(pipeline, ("a", "b", "c", "d"), f"{place}:0,3")
    found = visualise(pipeline, objectives, steps=3)
    preprocessing = pipeline.preprocessing
    assert found.inputs.dtype == preprocessing.example(1).numpy().dtype
    view = preprocessing.views(torch.from_numpy(found.inputs[:, 0]), 1)[0]
    outputs = pipeline.networks[0].intermediates(view, place)[place].flatten(2).mean(2)
    expected = [outputs[0, 0].item(), outputs[1, 3].item()]
    np.testing.assert_allclose(found.activations[:, 0], expected, rtol=1e-3, atol=1e-5)


def test_neurons_directions_classes_and_whole_places(signals):
    names = ("2a:2@middle", "class:b", "2a:whole", "1a.pool:1")
    objectives = [each for name in names for each in find_objectives(signals, ("a", "b", "c", "d"), name)]
    before, after = (visualise(signals, objectives, steps=steps).activations[:, 0] for steps in (1, 16))
    assert (after > before).all()


def test_the_same_seed_draws_the_same_and_another_one_does_not(signals):
    objectives = find_objectives(signals, (), "2a:0-2")
    first, again, other = (visualise(signals, objectives, steps=4, seed=seed).inputs for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_is_drawn_does_not_depend_on_what_else_is(signals):
    objectives = find_objectives(signals, (), "2a:0-2")
    together = visualise(signals, objectives, steps=4).inputs[1]
    alone = visualise(signals, objectives[1:2], steps=4).inputs[0]
    np.testing.assert_allclose(together, alone, atol=1e-3)


def test_variety_is_less_alike(signals, monkeypatch):
    objectives = find_objectives(signals, (), "2a:0-2")
    probe = Probe(signals, Place("2a"))

    def alike():
        found = visualise(signals, objectives, steps=24, variety=3)
        assert found.inputs.shape[:2] == found.activations.shape == (3, 3)
        with torch.inference_mode():
            return likeness(probe(torch.from_numpy(found.inputs.reshape(9, *found.inputs.shape[2:]))), 3).mean().item()

    diverse = alike()
    monkeypatch.setattr("googlenet.explain.features.visualise.ALIKE", 0.0)
    assert diverse < alike()


def test_likeness_is_the_mean_cosine_of_gram_matrices():
    maps = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0))
    grams = [m @ m.T for m in maps.numpy()]
    cosine = [np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b)) for a, b in (grams[:2], grams[2:])]
    np.testing.assert_allclose(likeness(maps, 2), cosine, rtol=1e-4)


def test_channels_that_nothing_excites_are_found_all_the_same():
    """A bias that kills a unit for all that is drawn at first: without its way back the gradient is zero."""
    pipeline, _ = matched()
    with torch.no_grad():
        pipeline.networks[0].features["conv"].conv.conv.bias.fill_(-6)
    (objective,) = [Objective("conv:0@3", Place("conv"), 0, (3,))]
    assert visualise(pipeline, [objective], steps=1).activations[0, 0] == 0
    assert visualise(pipeline, [objective], steps=80).activations[0, 0] > 0


def test_the_examples_of_a_set_that_excite_the_most(short):
    pipeline = pipeline_of("short_2d", width=0.125, size=32)
    draws = np.random.default_rng(0)
    pixels = torch.from_numpy(draws.integers(0, 256, (30, 3, 32, 32), np.uint8))
    part = ImageSet(torch.zeros(30, dtype=torch.long), tuple(f"p{row}" for row in range(30)), pixels)
    objectives = find_objectives(pipeline, (), "3a:0-3") + find_objectives(pipeline, (), "conv2:5")
    found = survey(pipeline, part, objectives)
    view = pipeline.preprocessing.views(pixels, 1)[0]
    maps = pipeline.networks[0].intermediates(view, ["3a", "conv2"])
    expected = [maps["3a"][:, channel].mean((1, 2)) for channel in range(4)] + [maps["conv2"][:, 5].mean((1, 2))]
    for best, values in zip(best_of(part, found, pipeline), expected, strict=True):
        order = np.argsort(-values.detach().numpy(), kind="stable")[:3]
        np.testing.assert_allclose(best.activations, values.detach().numpy()[order], rtol=1e-3, atol=1e-5)
        if values.max() > 0:
            assert best.names[0] == f"p{order[0]}"
            assert np.array_equal(best.inputs[0], pixels[order[0]].numpy())
    shares = pixels.numpy() / 255
    np.testing.assert_allclose(found.statistics.mean, shares.mean((0, 2, 3)), rtol=1e-4)


def test_it_excites_more_than_the_best_of_a_set(signals):
    draws = np.random.default_rng(1)
    walks = draws.normal(size=(20, 2, 64)).cumsum(2) / 5
    part = SignalSet(torch.zeros(20, dtype=torch.long), tuple(map(str, range(20))), tuple(walks.astype(np.float32)))
    objectives = find_objectives(signals, (), "2a:0-15")
    seen = survey(signals, part, objectives)
    found = visualise(signals, objectives, statistics=seen.statistics, steps=48)
    exceeding = (found.activations[:, 0] > seen.activations[:, 0]).mean()
    assert exceeding >= 0.9
    values = found.inputs[:, 0, :2]
    low, high = seen.statistics.low.numpy(), seen.statistics.high.numpy()
    assert (values.min((0, 2)) >= low - 1e-5).all() and (values.max((0, 2)) <= high + 1e-5).all()


def test_differences_are_those_of_the_signal_that_is_drawn(signals):
    found = visualise(signals, find_objectives(signals, (), "2a:0"), steps=2).inputs[0, 0]
    np.testing.assert_allclose(np.diff(found[:2], axis=1) / 0.5, found[2:, 1:], rtol=1e-4, atol=1e-5)


def test_chunks_are_of_one_place(signals):
    objectives = find_objectives(signals, (), "2a") + find_objectives(signals, (), "1a:0,1")
    chunks = list(chunks_of(signals, objectives, 2))
    assert [each for chunk in chunks for each in chunk] == objectives
    assert all(len({each.place for each in chunk}) == 1 and len(chunk) <= 32 for chunk in chunks)


def test_several_networks_have_no_inside(signals):
    two = Pipeline([*signals.networks, *signals.networks], signals.preprocessing)
    with pytest.raises(InputError, match="name one run"):
        visualise(two, [Objective("2a:0", Place("2a"), 0)])
    with pytest.raises(InputError, match="at least one thing"):
        visualise(signals, [])
    with pytest.raises(InputError, match="The variety is 16 at most, and not 17"):
        visualise(signals, [Objective("2a:0", Place("2a"), 0)], variety=17)


def test_what_is_no_number_is_a_sentence():
    pipeline, _ = matched()
    with torch.no_grad():
        pipeline.networks[0].features["conv"].conv.conv.bias.fill_(torch.inf)
    objectives = [Objective("conv:0@3", Place("conv"), 0, (3,))]
    with pytest.raises(InputError, match="What is drawn for conv:0@3 excites it by no finite number"):
        visualise(pipeline, objectives, steps=1)
    part = SignalSet(torch.zeros(2, dtype=torch.long), ("a", "b"), (np.arange(8, dtype=np.float32)[None] - 4,) * 2)
    with pytest.raises(InputError, match="Examples of the data excite conv:0@3"):
        survey(pipeline, part, objectives)


@pytest.mark.parametrize("name", KINDS)
def test_a_figure_has_a_cell_for_each(name, short):
    pipeline = pipeline_of(name, width=0.125)
    found = visualise(pipeline, find_objectives(pipeline, (), f"{place_of(pipeline)}:0-4"), steps=1)
    words = [text.get_text() for text in found.figure(title="all of it").axes[0].texts]
    foot = ["Each signal from"] if name == "short_1d" else []
    assert [word[:16] for word in words] == ["all of it", *(each.name for each in found.objectives), *foot]
    assert dataclasses.replace(found).statistics == found.statistics
