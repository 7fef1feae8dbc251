"""Networks made from whatever people call their weights."""

import pytest
import torch
import torchvision

import googlenet
from googlenet import InputError, create_model
from googlenet.weights.checkpoint import WEIGHTS, weights_of, write
from googlenet.weights.create import read_source

SHOES = "googlenet_small.fashion_mnist"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with the weights of a narrow network with auxiliary classifiers, and the network."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    model = create_model("googlenet_bn", 5, 1, width=0.125, dropout=0.1)
    write(weights_of(model), folder / WEIGHTS)
    return folder, model


def assert_same(model, wanted):
    found = model.state_dict()
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert torch.equal(found[name], tensor), name


def test_from_a_run_everything_but_the_name_comes_from_the_weights(run):
    folder, wanted = run
    for source in (folder, str(folder), folder / WEIGHTS):
        model = create_model("googlenet_bn", weights=source)
        assert_same(model, wanted.state_dict())
        assert model.arch == wanted.arch  # its width and dropout are neither's default
        assert (model.num_classes, model.in_channels) == (5, 1)
        assert model.training


def test_a_field_that_is_given_wins(run):
    folder, wanted = run
    model = create_model("googlenet_bn", weights=folder, dropout=0.5)
    assert (model.arch.dropout, wanted.arch.dropout) == (0.5, 0.1)
    with pytest.raises(InputError, match="Did you mean 'dropout'"):
        create_model("googlenet_bn", weights=folder, drop_out=0.5)


def test_auxiliary_classifiers_are_built_where_the_weights_have_them(run, tmp_path):
    folder, wanted = run
    assert list(create_model("googlenet_bn", weights=folder).auxiliary) == ["4a", "4d"]
    without = create_model("googlenet_bn", weights=folder, auxiliary=False)
    features = {name: t for name, t in wanted.state_dict().items() if not name.startswith("auxiliary.")}
    assert_same(without, features)
    write(weights_of(without), tmp_path / "without.safetensors")
    assert not create_model("googlenet_bn", weights=tmp_path / "without.safetensors").auxiliary
    with pytest.raises(InputError, match=r"without.safetensors does not fit this network: it lacks auxiliary\.4a"):
        create_model("googlenet_bn", weights=tmp_path / "without.safetensors", auxiliary=True)


def test_from_torchvisions_file(tmp_path):
    theirs = torchvision.models.googlenet(weights=None, aux_logits=False, num_classes=6, init_weights=False)
    torch.save(theirs.state_dict(), tmp_path / "theirs.pth")
    model = create_model("googlenet_torchvision", weights=tmp_path / "theirs.pth").eval()
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(model(x), theirs.eval()(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", [SHOES, "fashion_mnist"])
def test_from_a_name_of_the_catalogue(name):
    model = create_model("googlenet_small", weights=name)
    assert (model.num_classes, model.in_channels, model.arch.width) == (10, 1, 0.5)
    stored = read_source(SHOES).tensors
    assert torch.equal(model.classifier.weight, stored["classifier.weight"].float())
    assert torch.equal(googlenet.load_model(name).classifier.weight, model.classifier.weight)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        (
            "googlenet",
            {},
            "holds googlenet_bn at width 0.125, not googlenet; load_model makes the network that weights are of.",
        ),
        ("googlenet_bn", {"width": 1.0}, "holds googlenet_bn at width 0.125, not googlenet_bn at width 1; load_model"),
        ("googlenet_bn", {"num_classes": 6}, r"does not fit this network: of another shape: auxiliary\..* and \d more"),
        ("googlenet_bn", {"in_channels": 3}, r"of another shape: features\.conv1\.conv\.conv\.weight"),
    ],
)
def test_weights_of_something_else_are_a_sentence(run, name, options, sentence):
    with pytest.raises(InputError, match=f"^{run[0]} .*{sentence}"):
        create_model(name, weights=run[0], **options)


@pytest.mark.parametrize("options", [{"num_classes": 0}, {"in_channels": 0}])
def test_nothing_is_not_the_default(run, options):
    for weights in ({}, {"weights": run[0]}):
        with pytest.raises(InputError, match="is a whole number from 1"):
            create_model("googlenet_bn", **options, **weights)


def test_what_is_no_weights_is_a_sentence(tmp_path):
    for source, sentence in (
        (tmp_path, "it is not a run, or one that was stopped before its first checkpoint"),
        (tmp_path / "none.safetensors", "There is no weights file"),
        ("googlenet.bvcl", "Did you mean 'googlenet.bvlc'"),
        ("nowhere/model.safetensors", "There is no weights file nowhere/model.safetensors"),
    ):
        with pytest.raises(InputError, match=sentence):
            create_model("googlenet", weights=source)
    (tmp_path / "model.xml").touch()  # exported into a folder of its own
    with pytest.raises(InputError, match=rf"Name a file in it: {tmp_path}/model\.xml\.$"):
        create_model("googlenet", weights=tmp_path)
