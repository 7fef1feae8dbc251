"""Architectures as JSON: what is written says its types, and what was written before it did is read."""

import dataclasses
import json
from pathlib import Path

import pytest

import googlenet
from googlenet.arch.serial import from_json, to_json
from googlenet.arch.spec import (
    LAYER_TYPES,
    Arch,
    Auxiliary,
    AveragePool,
    Branch,
    InceptionSpec,
    MaxPool,
    ResponseNorm,
    Stage,
)
from googlenet.arch.variants import VARIANTS, find_arch
from googlenet.weights.checkpoint import read_header

SHIPPED = Path(googlenet.__file__).parent / "weights" / "shipped"
EVERY_LAYER = Arch(
    "toy",
    "every kind of layer",
    2,
    (32, 32),
    (
        Stage(
            "stem",
            (
                Branch("conv1", 16, kernel=7, stride=2, padding="tensorflow"),
                ResponseNorm("norm1"),
                MaxPool("pool1", padding="tensorflow"),
            ),
        ),
        Stage(
            "3",
            (
                InceptionSpec("3a", (Branch("1x1", 8), Branch("pool", None, pool=3)), bottleneck=8),
                AveragePool("pool2"),
            ),
            residual=True,
        ),
    ),
    (Auxiliary("3a"),),
    width=0.5,
    members=2,
)
# As version 0.1.0 wrote it.
WITHOUT_TYPES = (
    '{"name":"toy","description":"every kind of layer","dims":2,"input_size":[32,32],"stages":[{"name":"stem","layers":'
    '[{"name":"conv1","channels":16,"kernel":7,"stride":2,"reduce":null,"pool":null,"dilation":1,"padding":"tensorflow"'
    '},{"name":"norm1","size":5,"alpha":0.0001,"beta":0.75,"k":1.0},{"name":"pool1","kernel":3,"stride":2,"padding":'
    '"tensorflow","ceil":true}],"residual":false},{"name":"3","layers":[{"name":"3a","branches":[{"name":"1x1",'
    '"channels":8,"kernel":1,"stride":1,"reduce":null,"pool":null,"dilation":1,"padding":"same"},{"name":"pool",'
    '"channels":null,"kernel":1,"stride":1,"reduce":null,"pool":3,"dilation":1,"padding":"same"}],"bottleneck":8},'
    '{"name":"pool2","window":2}],"residual":true}],"auxiliary":[{"after":"3a","grid":4,"pool":[5,3],"channels":128,'
    '"hidden":1024,"dropout":0.7}],"norm":"batch","norm_eps":0.001,"dropout":0.4,"transform_input":false,"width":0.5,'
    '"members":2}'
)
# Before there was TensorFlow's padding.
OLDER_BRANCH = {"name": "conv1", "channels": 16, "kernel": 7, "stride": 2, "reduce": None, "pool": None, "dilation": 1}


def layers_of(text):
    return [layer for stage in json.loads(text)["stages"] for layer in stage["layers"]]


def with_layer(layer):
    """The toy's text with another first layer."""
    row = json.loads(WITHOUT_TYPES)
    row["stages"][0]["layers"][0] = layer
    return json.dumps(row)


@pytest.mark.parametrize("name", list(VARIANTS))
@pytest.mark.parametrize("width", [1, 0.25])
def test_every_architecture_comes_back(name, width):
    arch = dataclasses.replace(find_arch(name).scaled(width), members=3)
    text = to_json(arch)
    assert from_json(text) == arch
    for layer, row in zip(arch.layers(), layers_of(text), strict=True):
        assert LAYER_TYPES[row["type"]] is type(layer)


def test_every_type_of_layer_comes_back():
    assert {type(layer) for layer in EVERY_LAYER.layers()} == set(LAYER_TYPES.values())
    text = to_json(EVERY_LAYER)
    assert [row["type"] for row in layers_of(text)] == [
        "branch", "response_norm", "max_pool", "inception", "average_pool"
    ]  # fmt: skip
    assert from_json(text) == EVERY_LAYER


def test_text_without_types_is_read():
    assert from_json(WITHOUT_TYPES) == EVERY_LAYER
    older = next(from_json(with_layer(OLDER_BRANCH)).layers())
    assert older == Branch("conv1", 16, kernel=7, stride=2)


@pytest.mark.parametrize(
    ("file", "width", "changes"),
    [
        ("googlenet_small.fashion_mnist", 0.5, {"dropout": 0.1}),
        ("googlenet_1d.ucr", 1, {"members": 4}),
    ],
)
def test_files_that_we_shipped_without_types_are_read(file, width, changes):
    arch = read_header(SHIPPED / f"{file}.safetensors").arch
    assert arch == dataclasses.replace(find_arch(arch.name).scaled(width), **changes)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"type": "rotation", "name": "turn", "angle": 3}, "'turn' is of the type 'rotation'"),
        ({"type": None, "name": "turn"}, "of the type None"),
        ({"type": "max_pool", "name": "pool", "angle": 3}, "not an architecture that googlenet wrote"),
        ({"type": "inception", "name": "3a"}, "not an architecture that googlenet wrote"),
        ({"type": [], "name": "turn"}, "not an architecture that googlenet wrote"),
        ({"name": "turn", "angle": 3}, "unknown layer 'turn'"),
        (7, "not an architecture that googlenet wrote"),
    ],
)
def test_an_unknown_layer_is_a_sentence(layer, message):
    with pytest.raises(googlenet.InputError, match=message):
        from_json(with_layer(layer))


@pytest.mark.parametrize("text", ["", "[]", "{}", "7", '{"stages":[],"input_size":[]}'])
def test_other_text_is_a_sentence(text):
    with pytest.raises(googlenet.InputError, match="not an architecture that googlenet wrote"):
        from_json(text)


def test_a_weights_file_with_a_layer_of_the_future_says_so(tmp_path):
    path = tmp_path / "model.safetensors"
    model = googlenet.create_model("googlenet_small", 3, 1, width=0.125, auxiliary=False)
    googlenet.save_weights(model, path)
    assert read_header(path).arch == model.arch
    path.write_bytes(path.read_bytes().replace(rb"\"type\":\"max_pool\"", rb"\"type\":\"max_pond\"", 1))
    with pytest.raises(googlenet.InputError, match=r"model.safetensors .* the type 'max_pond'"):
        read_header(path)
