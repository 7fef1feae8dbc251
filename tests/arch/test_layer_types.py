"""Whoever walks over the layers of an architecture knows every type, and refuses one that it does not know."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

import googlenet
from googlenet import InputError
from googlenet.arch.cost import cost, minimum_size
from googlenet.arch.cost_rows import row_of
from googlenet.arch.cursor import Cursor
from googlenet.arch.serial import to_json
from googlenet.arch.spec import LAYER_TYPES, Arch, AveragePool, Branch, InceptionSpec, MaxPool, ResponseNorm, Stage
from googlenet.nn.googlenet import GoogLeNet
from googlenet.weights.checkpoint import weights_of
from googlenet.weights.foreign.caffe.prototxt import deploy_prototxt
from googlenet.weights.foreign.parameters import layer_parameters

LAYERS = {
    Branch: Branch("layer", 8, kernel=3),
    InceptionSpec: InceptionSpec("layer", (Branch("1x1", 8), Branch("pool", 8, pool=3))),
    MaxPool: MaxPool("layer"),
    AveragePool: AveragePool("layer"),
    ResponseNorm: ResponseNorm("layer"),
}
# Caffe's prototxt is of the published network alone, which has no average pool between modules.
LACKS = {"googlenet.weights.foreign.caffe.prototxt.LAYERS": {AveragePool}}


@dataclass(frozen=True)
class Shift:
    """A type of layer that nobody knows."""

    name: str
    by: int = 1


def arch_of(layer):
    return Arch("toy", "one layer behind a convolution", 2, (16, 16), (Stage("1", (Branch("conv", 8), layer)),), ())


def build(arch, monkeypatch):
    # The network asks for its smallest input first, which is a walker of its own.
    monkeypatch.setattr("googlenet.nn.googlenet.minimum_size", lambda arch: 1)
    return GoogLeNet(arch, 3)


def onnx_graph(arch, monkeypatch):
    """With the weights of a network that can be built, where this one cannot."""
    nodes = pytest.importorskip("googlenet.weights.foreign.onnx.nodes")
    known = arch if type(list(arch.layers())[1]) in LAYERS else arch_of(MaxPool("layer"))
    header = weights_of(GoogLeNet(known, 3)).header
    tensors = {key: value.numpy() for key, value in weights_of(GoogLeNet(known, 3)).tensors.items()}
    monkeypatch.setattr(nodes, "cost", lambda *_, **__: cost(known, (16, 16)))
    return nodes.model_of(dataclasses.replace(header, arch=arch), tensors, (16, 16))


WALKERS = {
    "scaled": lambda arch, _: arch.scaled(0.5),
    "to_json": lambda arch, _: to_json(arch),
    "minimum_size": lambda arch, _: minimum_size(arch),
    "cost": lambda arch, _: [row_of(Cursor(True, 8, (16, 16)), layer) for layer in arch.layers()],
    "GoogLeNet": build,
    "layer_parameters": lambda arch, _: layer_parameters(arch),
    "onnx": onnx_graph,
    "prototxt": lambda arch, _: deploy_prototxt(arch, 3, "a note"),
}


def tables():
    """Every table of the package from types of layers, by its name."""
    known, found = set(LAYER_TYPES.values()), {}
    for module in pkgutil.walk_packages(googlenet.__path__, "googlenet."):
        if module.name.split(".")[1] not in ("arch", "nn", "weights"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Mapping) and len(known & {key for key in value if isinstance(key, type)}) > 1:
                found[f"{module.name}.{name}"] = set(value)
    return found


def test_the_examples_are_of_every_type():
    assert set(LAYERS) == set(LAYER_TYPES.values())


def test_every_table_has_an_entry_for_every_type():
    pytest.importorskip("onnx")
    found = tables()
    assert len(found) >= 7  # scaled, JSON, sizes, costs, builder, parameters, ONNX, Caffe; more if one is imported
    for name, types in found.items():
        assert types == set(LAYER_TYPES.values()) - LACKS.get(name, set()), name


@pytest.mark.parametrize("walker", list(WALKERS))
@pytest.mark.parametrize("kind", list(LAYERS), ids=lambda kind: kind.__name__)
def test_every_walker_knows_every_type(walker, kind, monkeypatch):
    if (walker, kind) == ("prototxt", AveragePool):
        with pytest.raises(InputError, match="AveragePool"):
            WALKERS[walker](arch_of(LAYERS[kind]), monkeypatch)
    else:
        WALKERS[walker](arch_of(LAYERS[kind]), monkeypatch)


@pytest.mark.parametrize("walker", list(WALKERS))
def test_every_walker_refuses_a_type_that_it_does_not_know(walker, monkeypatch):
    with pytest.raises(InputError, match="Shift"):
        WALKERS[walker](arch_of(Shift("shift")), monkeypatch)
