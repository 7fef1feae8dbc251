"""What every kind of data keeps to: the methods that the floors above ask for, row by row of the table of kinds."""

import dataclasses
import inspect
import json

import numpy as np
import pytest
import torch

from googlenet import InputError
from googlenet.arch.variants import VARIANTS
from googlenet.data import protocol
from googlenet.data.images.dataset import ImageSet
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.kinds import ARRAYS, KINDS, preprocessing_from
from googlenet.data.parallel import steps_of
from googlenet.data.protocol import Dataset, Example, Picture, Trace
from googlenet.data.signals.dataset import SignalSet
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.splits import batches_of
from googlenet.data.volumes.dataset import VolumeSet
from googlenet.data.volumes.preprocessing import VolumePreprocessing
from googlenet.training.recipe import RECIPES, SMALL

DRAWS = np.random.default_rng(0)
LABELS = torch.arange(6) % 2
NAMES = tuple(f"file{row}" for row in range(6))
PREPROCESSINGS = {
    "grey": ImagePreprocessing(1, 12, 14, (0.5,), (0.25,)),
    "colour": ImagePreprocessing(3, 16, 16, (0.5, 0.4, 0.3), (0.25, 0.2, 0.1), mirror=True),
    "signal": SignalPreprocessing(2, 20, (0.5, 1.0), (1.0, 2.0), (0.7, 0.9)),
    "signal by itself": SignalPreprocessing(1, 20, (), (), ()),
    "volume": VolumePreprocessing(1, (4, 5, 6), True, (0.5,), (0.25,)),
    "clip": VolumePreprocessing(3, (4, 5, 6), False, (0.5, 0.0, 1.0), (0.25, 2.0, 1.0), mirror=True),
}
# What reads may read, as users and sets hold it.
CONTENTS = {
    "grey": DRAWS.integers(0, 256, (12, 12), np.uint8),
    "colour": DRAWS.integers(0, 256, (16, 16, 3), np.uint8),
    "signal": DRAWS.normal(size=(2, 33)).astype(np.float32),
    "signal by itself": np.where(np.arange(12) == 3, np.nan, DRAWS.normal(size=(1, 12))).astype(np.float32),
    "volume": DRAWS.integers(0, 256, (1, 4, 5, 6), np.uint8),
    "clip": DRAWS.normal(300, 70, (3, 4, 5, 6)).astype(np.float32),
}
SETS = {
    "picture": ImageSet(LABELS, NAMES, torch.from_numpy(DRAWS.integers(0, 256, (6, 3, 24, 24), np.uint8))),
    "signal": SignalSet(LABELS, NAMES, tuple(DRAWS.normal(size=(6, 2, 30)).astype(np.float32)), tuple("aabbcc")),
    "volume": VolumeSet(LABELS, NAMES, DRAWS.integers(0, 256, (6, 1, 8, 8, 8), np.uint8)),
}
EACH = pytest.mark.parametrize("name", PREPROCESSINGS)
KIND = pytest.mark.parametrize("kind", KINDS)


def members_of(contract):
    """Names that a protocol asks for."""
    names = {name for name in vars(contract) if not name.startswith("_")} | set(contract.__annotations__)
    return names | ({"__len__"} if "__len__" in vars(contract) else set())


def test_every_kind_is_tested_here():
    assert {preprocessing.kind for preprocessing in PREPROCESSINGS.values()} == set(KINDS) == set(SETS) == set(ARRAYS)
    assert {type(preprocessing) for preprocessing in PREPROCESSINGS.values()} == {
        row.preprocessing for row in KINDS.values()
    }


@EACH
def test_a_preprocessing_has_all_that_is_asked_of_it(name):
    preprocessing = PREPROCESSINGS[name]
    assert members_of(protocol.Preprocessing) <= set(dir(preprocessing))
    assert 1 in preprocessing.crops and preprocessing.most >= 1
    assert all(extension == extension.lower() and extension[0] == "." for extension in preprocessing.extensions)
    for method in ("split", "examples", "read", "example", "views", "draw", "to_dict", "described"):
        asked = inspect.signature(getattr(protocol.Preprocessing, method)).parameters
        given = inspect.signature(getattr(type(preprocessing), method)).parameters
        assert list(given)[: len(asked)] == list(asked), method


@EACH
def test_prepared_examples_have_the_shape_that_is_said(name):
    preprocessing = PREPROCESSINGS[name]
    channels, *spatial = preprocessing.input_shape
    dims = {"picture": 2, "signal": 1, "volume": 3}[preprocessing.kind]
    assert len(spatial) == dims and any(arch.dims == dims for arch in VARIANTS.values())
    prepared = preprocessing.read(CONTENTS[name])
    assert prepared.shape == (1, channels, *spatial)
    made = preprocessing.example(5)
    assert made.shape == (5, channels, *spatial)
    assert made.numpy().dtype == prepared.dtype
    assert torch.equal(made, preprocessing.example(5))  # always the same
    assert (made.double().flatten(1).std(1) > 0).all() and not torch.equal(made[0], made[1])
    assert np.isfinite(prepared).all()


@pytest.mark.parametrize(
    ("name", "members"), [*((name, 1) for name in PREPROCESSINGS), ("signal", 3), ("signal by itself", 3)]
)
def test_views_are_what_a_network_reads_and_leave_their_inputs_alone(name, members):
    preprocessing = PREPROCESSINGS[name]
    inputs = preprocessing.example(4)
    before = inputs.clone()
    views = preprocessing.views(inputs, members)
    assert len(views) == (2 if preprocessing.mirror else 1)
    for view in views:
        assert view.dtype == torch.float32
        assert view.shape == (4, members * inputs.shape[1], *inputs.shape[2:])
    if preprocessing.mirror:
        assert torch.equal(views[1], views[0].flip(-1)) and not torch.equal(views[0], views[1])
    assert torch.equal(inputs, before)


@EACH
def test_what_is_read_is_left_alone(name):
    before = CONTENTS[name].copy()
    first = PREPROCESSINGS[name].read(CONTENTS[name])
    first += 1
    np.testing.assert_array_equal(CONTENTS[name], before)
    assert not np.array_equal(PREPROCESSINGS[name].read(CONTENTS[name]), first)


@EACH
def test_its_words_are_read_again_as_json(name):
    preprocessing = PREPROCESSINGS[name]
    row = json.loads(json.dumps(preprocessing.to_dict()))
    assert row["kind"] == preprocessing.kind
    again = preprocessing_from(row)
    assert again == preprocessing and type(again) is type(preprocessing)
    assert again.to_dict() == preprocessing.to_dict()
    for field in dataclasses.fields(preprocessing):
        assert isinstance(getattr(again, field.name), type(getattr(preprocessing, field.name))), field.name


def test_pictures_of_before_did_not_say_their_kind():
    row = PREPROCESSINGS["colour"].to_dict()
    assert preprocessing_from({key: value for key, value in row.items() if key != "kind"}) == PREPROCESSINGS["colour"]
    with pytest.raises(InputError, match="There is no kind of data 'smell'"):
        preprocessing_from({"kind": "smell"})


@EACH
def test_it_is_described_in_words(name):
    words = PREPROCESSINGS[name].described()
    sizes = {str(size) for size in PREPROCESSINGS[name].input_shape[1:]}
    assert sizes <= set(words.replace("×", " ").replace(",", " ").split()), words
    others = [other.described() for key, other in PREPROCESSINGS.items() if key != name]
    assert words not in others and "\n" not in words


@EACH
def test_a_drawing_is_for_people(name):
    preprocessing = PREPROCESSINGS[name]
    inputs = preprocessing.read(CONTENTS[name])[0]
    places = (5,) * (inputs.ndim - 1)
    evidence = np.linspace(-1, 1, int(np.prod(places))).reshape(places)
    drawing = preprocessing.draw(inputs, evidence)
    if preprocessing.kind == "signal":
        assert isinstance(drawing, Trace)
        assert np.array_equal(drawing.values, inputs[: preprocessing.channels])
        assert np.array_equal(drawing.evidence, evidence)
        assert preprocessing.draw(inputs).evidence is None
    else:
        assert isinstance(drawing, Picture) and drawing.pixels.dtype == np.uint8
        assert drawing.pixels.ndim == 3 and drawing.pixels.shape[0] in (1, 3)
        assert np.ptp(drawing.pixels) > 100
        assert drawing.evidence.ndim == 2 and set(drawing.evidence.flat) <= set(evidence.flat)
        if preprocessing.kind == "picture":
            assert np.array_equal(drawing.evidence, evidence)
        assert preprocessing.draw(inputs).evidence is None


def test_slices_of_a_volume_lie_side_by_side():
    preprocessing = VolumePreprocessing(1, (9, 4, 3), False, (0.0,), (1.0,))
    depths = np.broadcast_to(np.arange(9.0).reshape(1, 9, 1, 1), (1, 9, 4, 3))
    (row,) = preprocessing.draw(depths).pixels[:, 0]
    assert row.tolist() == [value for depth in (0, 2, 4, 6, 8) for value in [round(255 * depth / 8)] * 3]
    coarse = np.arange(3.0).reshape(3, 1, 1)  # three places along the depth: each slice beside that in which it lies
    assert preprocessing.draw(depths, coarse).evidence.tolist() == [[0, 0, 1, 2, 2]]


@EACH
def test_examples_of_an_array_are_itself(name):
    preprocessing = PREPROCESSINGS[name]
    (example,) = preprocessing.examples(CONTENTS[name], "#7")
    assert example.name == "#7" and example.error is None and example.taken_for
    assert np.array_equal(preprocessing.read(example.content), preprocessing.read(CONTENTS[name]))
    many = np.stack([CONTENTS[name]] * 4)
    parts = preprocessing.split(many)
    assert len(parts) == 4 and np.array_equal(parts[1], CONTENTS[name], equal_nan=True)
    assert len(preprocessing.split(CONTENTS[name]) or [0]) == 1
    assert preprocessing.split("a path") is None and preprocessing.split([CONTENTS[name]]) is None
    (missing,) = preprocessing.examples(f"nowhere{next(iter(preprocessing.extensions))}", "#0")
    with pytest.raises(InputError):
        if missing.error:
            raise InputError(missing.error)
        preprocessing.read(missing.content)


@KIND
def test_a_set_has_all_that_is_asked_of_it(kind):
    part = SETS[kind]
    assert members_of(protocol.ExampleSet) <= set(dir(part))
    assert part.kind == kind and len(part) == 6 and part.recipe in RECIPES
    some = part.subset([4, 1])
    assert type(some) is type(part) and len(some) == 2
    assert some.labels.tolist() == [0, 1] and some.names == ("file4", "file1")
    assert some.groups == (("c", "a") if part.groups else ())
    preprocessing = part.fitted(SMALL)
    prepared = [read(example, preprocessing) for example in part.examples(preprocessing)]
    of_some = [read(example, preprocessing) for example in some.examples(preprocessing)]
    assert np.array_equal(of_some, [prepared[4], prepared[1]])
    assert [example.name for example in some.examples(preprocessing)] == ["file4", "file1"]


def read(example, preprocessing):
    assert isinstance(example, Example) and example.error is None
    return preprocessing.read(example.content)[0] if example.inputs is None else example.inputs


@KIND
def test_a_set_fits_a_preprocessing_that_standardises_it(kind):
    part = SETS[kind]
    preprocessing = part.fitted(SMALL)
    assert preprocessing.kind == kind
    prepared = torch.from_numpy(np.stack([read(example, preprocessing) for example in part.examples(preprocessing)]))
    seen = preprocessing.views(prepared, 1)[0]
    over = [axis for axis in range(seen.ndim) if axis != 1]
    torch.testing.assert_close(seen.mean(over), torch.zeros(seen.shape[1]), atol=0.05, rtol=0)
    torch.testing.assert_close(seen.std(over), torch.ones(seen.shape[1]), atol=0.05, rtol=0)


@KIND
def test_batches_in_order_are_the_examples(kind):
    part = SETS[kind]
    preprocessing = part.fitted(SMALL)
    loader = part.loader(preprocessing, SMALL)
    assert members_of(protocol.Loader) <= set(dir(loader))
    batches = list(loader.plain(4))
    assert [len(batch.rows) for batch in batches] == [4, 2]
    assert torch.cat([batch.rows for batch in batches]).tolist() == list(range(6))
    assert torch.equal(torch.cat([batch.labels for batch in batches]), part.labels)
    prepared = torch.from_numpy(np.stack([read(example, preprocessing) for example in part.examples(preprocessing)]))
    expected = preprocessing.views(prepared, 1)[0]
    torch.testing.assert_close(torch.cat([batch.inputs for batch in batches]), expected, atol=1e-6, rtol=1e-6)
    assert len(next(loader.plain()).rows) == 6
    (some,) = loader.plain(rows=torch.tensor([4, 1]))
    assert some.rows.tolist() == [4, 1] and torch.equal(some.labels, part.labels[[4, 1]])
    torch.testing.assert_close(some.inputs, expected[[4, 1]], atol=1e-6, rtol=1e-6)


@KIND
def test_training_batches_follow_from_seed_and_epoch(kind):
    part = SETS[kind]
    recipe = dataclasses.replace(SMALL, shift=1, cutout=0, cutmix=0.0, members=1)

    def batches(epoch, seed=0):
        loader = part.loader(part.fitted(recipe), dataclasses.replace(recipe, seed=seed))
        return list(loader.training(epoch, 4))

    one, again, later, other = batches(0), batches(0), batches(1), batches(0, seed=1)
    assert [batch.inputs.shape[0] for batch in one] == [3, 3]  # of 4 at most: none is left out, and none is small
    assert all(torch.equal(a, b) for a, b in zip(one[0], again[0], strict=True))
    assert not torch.equal(one[0].inputs, later[0].inputs) and not torch.equal(one[0].inputs, other[0].inputs)
    assert torch.equal(one[0].labels, part.labels[one[0].rows])
    for given in one, again, later, other:
        assert sorted(torch.cat([batch.rows for batch in given]).flatten().tolist()) == list(range(6))


@pytest.mark.parametrize(("examples", "batch_size", "sizes"), [(6, 4, [3, 3]), (7, 3, [3, 2, 2]), (7, 2, [3, 2, 2])])
def test_an_epoch_has_every_example_in_batches_of_one_size(examples, batch_size, sizes):
    batches = batches_of(torch.arange(examples), batch_size)
    assert [len(batch) for batch in batches] == sizes and torch.cat(batches).tolist() == list(range(examples))
    assert steps_of(examples, batch_size) == len(sizes)


@KIND
@pytest.mark.parametrize("other", KINDS)
def test_a_network_of_another_kind_is_refused(kind, other):
    given = SETS[other].fitted(SMALL)
    part = SETS[kind]
    if kind == other:
        part.loader(given, SMALL)
        assert part.adapted(given, SMALL).kind == kind
        return
    for method in (part.loader, part.adapted):
        with pytest.raises(InputError, match=f"reads {other}s, and these data are {kind}s"):
            method(given, SMALL)


@pytest.mark.parametrize(
    ("X", "kind"),
    [
        (np.zeros((4, 30)), "signal"),
        (np.zeros((4, 2, 30)), "signal"),
        ([np.zeros(9), np.zeros(7)], "signal"),
        (np.zeros((4, 3, 24, 24)), "picture"),
        (["a.png"], "picture"),
        (np.zeros((4, 1, 8, 8, 8)), "volume"),
        (torch.zeros(4, 1, 8, 8, 8), "volume"),
    ],
)
def test_what_is_in_memory_is_of_one_kind(X, kind):
    assert next(name for name in ARRAYS if KINDS[name].holds(X)) == kind


def test_a_data_set_says_its_parts():
    part = SETS["signal"]
    data = Dataset("waves", ("a", "b"), part)
    assert data.parts == {"train": part} and data.kind == "signal"
    assert data.held_out is part and data.held_out_name == "all"
    other, last = part.subset([0]), part.subset([1])
    data = dataclasses.replace(data, validation=other)
    assert data.held_out is other and data.held_out_name == "validation"
    data = dataclasses.replace(data, test=last)
    assert data.held_out is last and data.held_out_name == "test"
    assert list(data.parts) == ["train", "validation", "test"]
    with pytest.raises(InputError, match="waves has no example to evaluate on"):
        _ = Dataset("waves", ("a", "b"), None).held_out


def test_a_recipe_has_every_setting():
    assert members_of(protocol.Settings) <= {field.name for field in dataclasses.fields(SMALL)}


@EACH
def test_what_is_drawn_for_a_network_is_what_it_reads_of_an_example(name):
    """Values of an example that was read become, once more, what was read."""
    preprocessing = PREPROCESSINGS[name]
    canvas = preprocessing.canvas()
    read = torch.from_numpy(preprocessing.read(CONTENTS[name]))
    values = canvas.values(read)
    if name == "signal by itself":  # is followed by zeros; one that is drawn has its own scale over the whole length
        values = (values - values.mean(2)) / values.std(2, correction=0)
        torch.testing.assert_close(canvas.inputs(values), values)
    else:
        torch.testing.assert_close(canvas.inputs(values).float(), read.float(), rtol=1e-5, atol=1e-5)
    assert canvas.mean.shape == canvas.std.shape == canvas.low.shape == canvas.high.shape == values.shape[1:2]
    assert (canvas.low < canvas.mean).all() and (canvas.mean < canvas.high).all()
    drawn = values.clone().requires_grad_()
    sum(view.square().sum() for view in preprocessing.views(canvas.inputs(drawn), 1)).backward()
    assert drawn.grad is not None and drawn.grad.isfinite().all()


@EACH
def test_a_whole_example_that_nobody_changed_is_drawn_as_it_is(name):
    preprocessing = PREPROCESSINGS[name]
    values, inputs = preprocessing.canvas().whole(CONTENTS[name])
    content = torch.from_numpy(CONTENTS[name])
    if preprocessing.kind == "picture":
        expected = content[None] if content.ndim == 2 else content.movedim(-1, 0)
        assert torch.equal(inputs(values), expected)
    elif name != "signal by itself":
        torch.testing.assert_close(inputs(values), torch.from_numpy(preprocessing.read(CONTENTS[name])[0]))


def test_a_grey_network_leaves_the_colours_of_a_picture():
    """The luma (ITU-R 601) moves, by the same in red, green and blue."""
    pixels = DRAWS.integers(60, 190, (20, 31, 3), np.uint8)
    values, inputs = PREPROCESSINGS["grey"].canvas().whole(pixels)
    assert values.shape == (1, 20, 31)
    expected = 0.299 * pixels[..., 0] + 0.587 * pixels[..., 1] + 0.114 * pixels[..., 2]
    np.testing.assert_allclose(255 * values[0].numpy(), expected, atol=1e-3)
    lighter = inputs(values + 20 / 255).numpy().transpose(1, 2, 0)
    np.testing.assert_array_equal(lighter, pixels + 20)


@KIND
def test_batches_that_were_learned_from_are_left_out(kind):
    part = SETS[kind]
    recipe = dataclasses.replace(SMALL, shift=1, cutout=0, cutmix=0.0, members=1)
    loader = part.loader(part.fitted(recipe), recipe)
    for rank, world in ((0, 1), (1, 2)):
        whole, rest = (list(loader.training(3, 2, rank, world, first)) for first in (0, 2))
        assert len(whole) == 3 and len(rest) == 1
        for one, other in zip(whole[2], rest[0], strict=True):
            assert torch.equal(one, other)
