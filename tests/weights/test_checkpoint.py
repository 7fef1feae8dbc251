"""Weight files of ours, and the names that every other format gives to the same parameters."""

import dataclasses

import pytest
import torch

from googlenet import InputError, create_model, list_models
from googlenet.arch.spec import AveragePool, Stage
from googlenet.arch.variants import GOOGLENET, find_arch
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.weights.checkpoint import Header, network_of, weights_of, without_auxiliary
from googlenet.weights.foreign.caffe.prototxt import deploy_prototxt
from googlenet.weights.foreign.parameters import layer_parameters


@pytest.mark.parametrize("auxiliary", [True, False])
@pytest.mark.parametrize("name", [name for name in list_models() if "1d" not in name and "time" not in name])
def test_layer_parameters_are_every_tensor_of_the_network(name, auxiliary):
    with torch.device("meta"):
        model = create_model(name, 7, 3, width=0.5, auxiliary=auxiliary)
    named = {}
    for layer in layer_parameters(model.arch, 7, 3, auxiliary):
        named |= layer.tensors()
    assert named == {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}


def test_networks_of_signals_have_no_foreign_names():
    with pytest.raises(InputError, match=r"only \.safetensors and \.onnx files"):
        layer_parameters(find_arch("googlenet_1d"))


def with_layer(layer):
    return dataclasses.replace(GOOGLENET, stages=(*GOOGLENET.stages, Stage("last", (layer,))))


@dataclasses.dataclass(frozen=True)
class Blur:
    """A kind of layer that no format has heard of."""

    name: str = "blur"


@pytest.mark.parametrize("layer", [Blur(), AveragePool("pool6")])
def test_a_kind_of_layer_without_a_place_in_a_format_is_refused(layer):
    sentence = f"^Layer '{layer.name}' is of the type {type(layer).__name__}, which"
    with pytest.raises(InputError, match=f"{sentence} the writer of Caffe's networks does not know"):
        deploy_prototxt(with_layer(layer), 10, "note")
    if isinstance(layer, Blur):
        with pytest.raises(InputError, match=f"{sentence} what gives names to parameters does not know"):
            layer_parameters(with_layer(layer))
    else:
        assert layer_parameters(with_layer(layer)) == layer_parameters(GOOGLENET)  # it has no parameters


def test_weights_without_auxiliary_classifiers_are_of_the_same_network():
    weights = weights_of(create_model("googlenet_bn", 4, width=0.125).eval())
    assert weights.header.auxiliary
    fewer = without_auxiliary(weights)
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(network_of(fewer)(x), network_of(weights)(x))
    assert set(weights.tensors) - set(fewer.tensors) == {n for n in weights.tensors if n.startswith("auxiliary.")}


@pytest.mark.parametrize(
    ("arch", "extra", "size"),
    [
        ("googlenet", {}, (224, 224)),
        ("googlenet", {"preprocessing": ImagePreprocessing(size=96).to_dict()}, (96, 96)),
        (
            "googlenet_1d",
            {"preprocessing": SignalPreprocessing(1, 150, (), (), ()).to_dict()},
            (150,),
        ),
    ],
)
def test_the_size_of_the_input_is_the_preprocessings_or_else_the_architectures(arch, extra, size):
    assert Header(find_arch(arch), 5, 1, False, extra).input_size == size
