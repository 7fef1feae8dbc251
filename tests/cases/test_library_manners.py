"""The library as people call it: what is no input, name or number is one sentence; what is clear works."""

import numpy as np
import pytest
import torch
from PIL import Image

import googlenet
from conftest import picture
from googlenet import InputError
from googlenet.arch.variants import VARIANTS
from googlenet.inference.engines.engine import Engine

SMALL = "googlenet_small"


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return googlenet.create_model(SMALL, num_classes=3, width=0.125).eval()


X = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


# ------------------------------------------------------------------------------------------------- what is no input
@pytest.mark.parametrize(
    ("x", "words"),
    [
        (X.numpy(), r"takes a tensor of shape \(N, 3, size, size\), not ndarray; torch.from_numpy"),
        (X.tolist(), "takes a tensor .* not list"),
        (None, "takes a tensor .* not NoneType"),
        ("a.png", "takes a tensor .* not str"),
        (Image.new("RGB", (32, 32)), "takes a tensor .* not Image"),
        (
            (X * 255).byte(),
            r"computes in float32 and was given numbers of type uint8. Give x.to\(torch.float32\) / 255",
        ),
        (X.double(), r"computes in float32 and was given numbers of type float64. Give x.to\(torch.float32\)"),
        (X.long(), "of type int64"),
        (X.bool(), "of type bool"),
        (X.to(torch.complex64), "of type complex64"),
        (X.half(), "of type float16"),
        (X.permute(0, 2, 3, 1), r"not \(2, 32, 32, 3\): the channels are last, and x.permute\(0, 3, 1, 2\)"),
        (X[0], r"not \(3, 32, 32\): it takes batches, and x.unsqueeze\(0\)"),
        (X[:, :1], r"not \(2, 1, 32, 32\): 3 channels are wanted, and it has 1\."),
        (X[0, 0], r"takes inputs of shape \(N, 3, size, size\), not \(32, 32\)\."),
        (X[..., :5], "needs at least 8 samples along every spatial axis, not 32×5"),
    ],
)
def test_what_is_no_input_is_said_before_the_first_layer(network, x, words):
    called = []
    hook = network.features["conv1"].register_forward_pre_hook(lambda *_: called.append(1))
    try:
        for call in (network, network.forward_features, network.intermediates):
            with pytest.raises(InputError, match=words):
                call(x)
    finally:
        hook.remove()
    assert not called


@pytest.mark.parametrize(
    ("name", "shape", "turned"),
    [("googlenet_1d", (2, 1, 64), (0, 2, 1)), ("googlenet_3d", (2, 1, 9, 8, 8), (0, 2, 3, 4, 1))],
)
def test_the_axes_are_named_for_signals_and_volumes_too(name, shape, turned):
    members = VARIANTS[name].members
    model = googlenet.create_model(name, 2, 2, width=0.125).eval()
    x = torch.rand(shape).repeat(1, 2 * members, *[1] * (len(shape) - 2))
    with torch.no_grad():
        assert model(x).shape[0] == 2
    last = x.permute(turned)
    with pytest.raises(InputError, match="the channels are last") as error:
        model(last)
    axes = [int(number) for number in str(error.value).split("permute(")[1].split(")")[0].split(",")]
    assert last.permute(axes).shape == x.shape and torch.equal(last.permute(axes), x)
    with pytest.raises(InputError, match=r"x.unsqueeze\(0\)"):
        model(x[0])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_network_in_another_type_wants_that(network, dtype):
    import copy

    other = copy.deepcopy(network).to(dtype)
    with torch.no_grad():
        assert other(X.to(dtype)).dtype == dtype
        torch.testing.assert_close(other(X.to(dtype)).float(), network(X), atol=0.05, rtol=0.05)
    with pytest.raises(InputError, match=f"computes in {str(dtype)[6:]} and was given numbers of type float32"):
        other(X)


def test_under_autocast_floats_are_cast_and_others_are_said(network):
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for x in (X, X.bfloat16(), X.half()):
            assert network(x).shape == (2, 3)
        for x in (X.double(), X.long(), X.byte()):
            with pytest.raises(InputError, match="computes in float32"):
                network(x)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore:.*torch.jit.*is deprecated")
def test_compiled_exported_and_traced_it_is_the_same(network):
    with torch.no_grad():
        expected = network(X)
        torch.compiler.reset()
        compiled = torch.compile(network, backend="eager", fullgraph=True)
        exported = torch.export.export(network, (X,)).module()
        traced = torch.jit.trace(network, X, check_trace=False)
        for ready in (compiled, exported, traced):
            torch.testing.assert_close(ready(X), expected)
        torch.func.functional_call(network, dict(network.named_parameters()), (X,))
        torch.compiler.reset()


@pytest.mark.filterwarnings("ignore:.*torch.jit.*is deprecated")
def test_script_is_refused_with_the_way_out(network):
    for module in (network, torch.nn.Sequential(network)):
        with pytest.raises(InputError, match="use torch.export.export, or torch.jit.trace"):
            torch.jit.script(module)


# --------------------------------------------------------------------------------------------------------- its names
def test_one_layer_is_named_by_a_text(network):
    with torch.no_grad():
        whole = network.intermediates(X)
        for names in ("4a", ["4a"], ("4a",), {"4a"}, (name for name in ("4a",)), np.array(["4a"])):
            found = network.intermediates(X, names)
            assert list(found) == ["4a"] and torch.equal(found["4a"], whole["4a"])
    for name, words in (("9z", "'9z'"), ("", "''"), (5, "5"), ([None], "None"), (["4a", "4"], "'4'")):
        with pytest.raises(InputError, match=f"There is no layer {words}"):
            network.intermediates(X, name)


@pytest.mark.parametrize("name", [None, 5, ["googlenet"], b"googlenet", "", torch.nn.ReLU])
def test_what_is_no_architecture(name):
    for call in (googlenet.create_model, googlenet.cost):
        with pytest.raises(InputError, match="There is no architecture"):
            call(name)


def test_an_architecture_itself_is_for_the_class():
    with pytest.raises(InputError, match=r"GoogLeNet\(arch\) makes the network"):
        googlenet.create_model(VARIANTS[SMALL])
    assert googlenet.GoogLeNet(VARIANTS[SMALL].scaled(0.125), 2).num_classes == 2
    assert googlenet.cost(VARIANTS["googlenet"]) == googlenet.cost("googlenet")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"num_classes": "10"}, "num_classes is a whole number from 1, not '10'"),
        ({"num_classes": 10.0}, "num_classes is a whole number from 1, not 10.0"),
        ({"num_classes": True}, "num_classes is a whole number from 1, not True"),
        ({"num_classes": [10]}, "num_classes is a whole number from 1"),
        ({"in_channels": 0}, "in_channels is a whole number from 1, not 0"),
        ({"in_channels": "3"}, "in_channels is a whole number from 1, not '3'"),
        ({"width": "0.5"}, "width must be a positive number, not '0.5'"),
        ({"width": float("inf")}, "width must be a positive number, not inf"),
        ({"dropout": 2}, "dropout is a number from 0 to 1, not 2"),
        ({"dropout": None}, "dropout is a number from 0 to 1, not None"),
        ({"norm_eps": -1}, "norm_eps is a number from 0, not -1"),
        ({"norm": "layer"}, "norm is 'batch' or 'none', not 'layer'"),
        ({"dims": 5}, "1, 2 or 3 spatial axes"),
        ({"weights": []}, "called by a text or a path, not by a list"),
        ({"pretrained": True}, "There is no option 'pretrained'"),
    ],
)
def test_odd_options_of_a_network(options, words):
    with pytest.raises(InputError, match=words):
        googlenet.create_model(SMALL, **options)


def test_whole_numbers_of_any_type_are_numbers():
    model = googlenet.create_model(SMALL, np.int64(4), np.uint8(1), width=np.float32(0.125))
    assert type(model.num_classes) is int and type(model.in_channels) is int
    model.reset_classifier(torch.tensor(6))
    assert model.eval()(torch.rand(1, 1, 16, 16)).shape == (1, 6)
    for number in (2.5, "5", None, 0, True):
        with pytest.raises(InputError, match="num_classes is a whole number from 1"):
            model.reset_classifier(number)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (224, r"a number for every spatial axis, \(size, size\) for googlenet, not 224"),
        ("224", "for every spatial axis"),
        ((224.5, 224), "whole number from 1, not 224.5"),
        ((224, "a"), "whole number from 1, not 'a'"),
        ((224, None), "whole number from 1, not None"),
        ((-1, -1), "whole number from 1, not -1"),
        ([], "takes 2 spatial axes, not 0"),
        ((3, 3), "needs at least"),
    ],
)
def test_odd_sizes_have_no_cost(size, words):
    with pytest.raises(InputError, match=words):
        googlenet.cost("googlenet", size)


def test_sizes_in_any_row_have_one():
    expected = googlenet.cost("googlenet", (96, 64))
    for size in ([96, 64], np.array([96, 64]), iter((96, 64)), torch.Size([96, 64])):
        assert googlenet.cost("googlenet", size) == expected
    for options in ({"in_channels": 0}, {"in_channels": "3"}, {"num_classes": 2.5}, {"num_classes": None}):
        with pytest.raises(InputError, match="is a whole number from 1"):
            googlenet.cost("googlenet", **options)


# ---------------------------------------------------------------------------------------------------- its files
@pytest.mark.parametrize("source", [None, 5, [], ["runs/a"], {}, b"runs/a", torch.zeros(2), np.array("runs/a")])
def test_what_is_no_path_is_said(source):
    for call in (googlenet.load_model, googlenet.load):
        with pytest.raises(InputError, match="is called by a text or a path, not by"):
            call(source)
    with pytest.raises(InputError, match="is called by a text or a path, not by"):
        googlenet.save_weights(googlenet.create_model(SMALL, 2, width=0.125), source)


def test_nothing_is_no_name():
    for call in (googlenet.load_model, googlenet.load):
        with pytest.raises(InputError, match="this one is empty"):
            call("")


def test_what_is_saved_is_a_network_in_a_file(network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for model in (None, "model", network.state_dict(), torch.nn.Linear(2, 2)):
        with pytest.raises(InputError, match="save_weights writes a GoogLeNet"):
            googlenet.save_weights(model, "a.safetensors")
    for place in (".", tmp_path):
        with pytest.raises(InputError, match="is no plain file"):
            googlenet.save_weights(network, place)
    with pytest.raises(InputError, match="written as JSON: Object of type set"):
        googlenet.save_weights(network, "a.safetensors", classes={"a", "b"})
    assert not list(tmp_path.iterdir())
    googlenet.save_weights(network, tmp_path / "a.safetensors")
    for source in ("a.safetensors", tmp_path / "a.safetensors"):
        assert torch.equal(googlenet.load_model(source)(X), network(X))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": 5}, "There is no engine 5"),
        ({"examples": None}, "examples is a whole number from 0, not None"),
        ({"examples": "many"}, "examples is a whole number from 0"),
        ({"max_pixels": "a"}, "max_pixels is a whole number from 1"),
        ({"max_pixels": 0}, "max_pixels is a whole number from 1, not 0"),
        ({"max_pixels": 1.5}, "max_pixels is a whole number from 1"),
    ],
)
def test_odd_options_of_load(options, words):
    with pytest.raises(InputError, match=words):
        googlenet.load("fashion_mnist", **options)


# ------------------------------------------------------------------------------------------------- predictors
class Reddest(Engine):
    """How red, green and blue a picture is on average."""

    name = "colours"

    def __call__(self, inputs):
        means = inputs.reshape(len(inputs), 3, -1).mean(-1).astype(np.float32)
        return means / means.sum(1, keepdims=True)


@pytest.fixture
def predictor():
    from googlenet.data.images.preprocessing import ImagePreprocessing

    return googlenet.Predictor(Reddest(), ("red", "green", "blue"), ImagePreprocessing(size=24))


@pytest.mark.parametrize("top", [np.int64(2), np.uint8(2), torch.tensor(2), 2])
def test_how_many_labels_is_any_whole_number(predictor, top):
    assert [len(found.top) for found in predictor.predict([picture((200, 60, 60))], top=top)] == [2]


@pytest.mark.parametrize("top", [0, -1, 2.0, "2", None, True, [2], np.float64(2)])
def test_how_many_labels_is_nothing_else(predictor, top):
    with pytest.raises(InputError, match="top is a whole number from 1"):
        predictor.predict([picture((200, 60, 60))], top=top)


def test_sources_in_every_row(predictor, tmp_path):
    path = tmp_path / "a.png"
    picture((60, 60, 200)).save(path)
    for sources in (
        path,
        str(path),
        [path],
        (path,),
        {path},
        iter([path]),
        (each for each in [path]),
        map(str, [path]),
    ):
        assert [found.label for found in predictor.predict(sources)] == ["blue"]
    for nothing in ([], (), iter(()), np.zeros((0, 24, 24, 3), np.uint8)):
        assert predictor.predict(nothing) == []
        assert predictor.probabilities(nothing).shape == (0, 3)


@pytest.mark.parametrize("source", [None, 5, object(), [None], [[]], True, float("nan"), b"", ""])
def test_what_is_no_source_has_its_reason(predictor, source):
    (found,) = predictor.predict(source)
    assert found.error and not found.top
    with pytest.raises(InputError, match="cannot be read"):
        predictor.probabilities(source)
