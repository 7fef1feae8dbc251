"""What is to be excited, by name."""

import dataclasses

import pytest
import torch

from explain.networks import pipeline_of
from googlenet import InputError
from googlenet.explain.features.objectives import direction, find_objective, find_objectives, middle_module, shape_at
from googlenet.explain.places import Place

CLASSES = ("cat", "dog", "Sneaker", "tea: green")


@pytest.fixture(scope="module")
def pictures():
    return pipeline_of("googlenet_small")


@pytest.fixture(scope="module")
def signals():
    return pipeline_of("googlenet_1d", members=2)


def test_a_place_is_all_its_channels(pictures, signals):
    found = find_objectives(pictures, CLASSES, "4c.5x5")
    assert len(found) == shape_at(pictures, Place("4c", "5x5"))[0] == 16
    assert [each.name for each in found[:2]] == ["4c.5x5:0", "4c.5x5:1"]
    one = shape_at(pipeline_of("googlenet_1d"), Place("3a"))[0]
    assert len(find_objectives(signals, CLASSES, "3a")) == 2 * one  # of both members


def test_channels_neurons_and_classes(pictures):
    names = [each.name for each in find_objectives(pictures, CLASSES, "4c:0-2,7")]
    assert names == ["4c:0", "4c:1", "4c:2", "4c:7"]
    (neuron,) = find_objectives(pictures, CLASSES, "4c:7@1,3")
    assert (neuron.name, neuron.position) == ("4c:7@1,3", (1, 3))
    (middle,) = find_objectives(pictures, CLASSES, "4c:7@middle")
    assert middle.position == (4, 4)
    assert [each.channel for each in find_objectives(pictures, CLASSES, "class")] == [0, 1, 2, 3]
    (named,) = find_objectives(pictures, CLASSES, "class:tea: green")
    assert (named.place, named.channel) == (None, 3)
    assert find_objective(pictures, CLASSES, "4c").name == "4c:whole"
    assert middle_module(pictures) == "4c"


def test_how_much_each_is_excited():
    outputs = torch.arange(24.0).view(2, 3, 4)
    place = Place("4c")
    channel = find_like(channel=1)
    assert channel.of(outputs).tolist() == [5.5, 17.5]
    assert dataclasses.replace(channel, position=(3,)).of(outputs).tolist() == [7, 19]
    whole = find_like()
    torch.testing.assert_close(whole.of(outputs), outputs.square().mean((1, 2)))
    towards = direction(place, [3, 0, 4], "up")
    torch.testing.assert_close(towards.of(outputs), (0.6 * outputs[:, 0] + 0.8 * outputs[:, 2]).mean(1))
    assert find_like(channel=2).of(outputs[:, :, 0]).tolist() == [8, 20]  # of logits


def find_like(**changes):
    return dataclasses.replace(direction(Place("4c"), [1.0], "any"), direction=None, **changes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4f", "There is no layer '4f'. There are: conv1, pool1, conv2, 3a,"),
        ("pol1", "There is no layer 'pol1'. Did you mean 'pool1'?"),
        ("4c.7x7", "There is no branch of 4c '7x7'."),
        ("4c:128", "4c has 128 channels, from 0 to 127, and no 128."),
        ("4c:5-2", "4c has 128 channels, from 0 to 127, and no 5-2."),
        ("4c:x", "'x' is no channel of 4c: name numbers, as in 4c:0-7,12, or all of them together as 4c:whole."),
        ("", "'' names nothing that is to be excited: name a layer or a module, or class:NAME."),
        (" :3", "' :3' names nothing"),
        ("4c:", "'' is no channel of 4c"),
        ("4c:3@1", "'1' is no position in 4c: write 4,4, say, or middle."),
        ("4c:3@1,8", "4c has positions up to 7,7, and no 1,8."),
        ("class:Sneakers", "There is no class 'Sneakers'. Did you mean 'Sneaker'?"),
    ],
)
def test_what_there_is_not_is_a_sentence(pictures, text, said):
    with pytest.raises(InputError) as error:
        find_objectives(pictures, CLASSES, text)
    assert str(error.value).startswith(said)


def test_each_channel_is_drawn_once(pictures):
    assert [each.channel for each in find_objectives(pictures, CLASSES, "4c:3,0-4,3,3")] == [3, 0, 1, 2, 4]


def test_one_thing_is_asked_for(pictures):
    with pytest.raises(InputError, match="4c:0-3 is 4 things; name one of them, such as 4c:0."):
        find_objective(pictures, CLASSES, "4c:0-3")
    with pytest.raises(InputError, match="not all of them zero; nothing is none"):
        direction(Place("4c"), [0, 0], "nothing")
