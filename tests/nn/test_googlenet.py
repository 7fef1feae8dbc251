import pytest
import torch
from torch import nn

import googlenet
from googlenet.arch.variants import VARIANTS, find_arch

NARROW = 0.25


def example(name: str, size: int | None = None, batch: int = 2, channels: int = 3) -> torch.Tensor:
    arch = find_arch(name)
    spatial = [min(64, n) if size is None else size for n in arch.input_size]
    return torch.randn(batch, channels, *spatial, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=list(VARIANTS))
def name(request):
    return request.param


def test_forward_is_logits_in_both_modes(name):
    model = googlenet.create_model(name, num_classes=7, width=NARROW)
    for mode in (True, False):
        logits = model.train(mode)(example(name))
        assert logits.shape == (2, 7)
        assert torch.isfinite(logits).all()


def test_every_parameter_gets_a_gradient(name):
    model = googlenet.create_model(name, num_classes=7, width=NARROW)
    output = model(example(name), return_aux=True)
    assert isinstance(output, googlenet.GoogLeNetOutput)
    assert [aux.shape for aux in output.aux] == [(2, 7)] * len(model.arch.auxiliary)
    (output.logits.logsumexp(1).sum() + sum(aux.logsumexp(1).sum() for aux in output.aux)).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        assert parameter.grad.abs().sum() > 0 or "conv.bias" in key, key


def test_minimum_size_is_the_smallest_that_runs(name):
    model = googlenet.create_model(name, num_classes=3, width=NARROW).eval()
    smallest = model.minimum_size
    assert model(example(name, smallest), return_aux=True).logits.shape == (2, 3)
    with pytest.raises(googlenet.InputError, match=f"at least {smallest} "):
        model(example(name, smallest - 1))
    # The limit is the layers', not only ours: without our check PyTorch refuses one less.
    model._check = lambda x: None
    with pytest.raises(RuntimeError):
        model(example(name, smallest - 1))


def test_wrong_rank_and_channels_are_sentences(name):
    model = googlenet.create_model(name, width=NARROW)
    with pytest.raises(googlenet.InputError, match="takes inputs of shape"):
        model(example(name, channels=2))
    with pytest.raises(googlenet.InputError, match="takes inputs of shape"):
        model(example(name)[0])


def test_reset_classifier(name):
    model = googlenet.create_model(name, num_classes=7, width=NARROW)
    before = [parameter.clone() for parameter in model.features.parameters()]
    model.reset_classifier(4)
    output = model(example(name), return_aux=True)
    assert output.logits.shape == (2, 4)
    assert all(aux.shape == (2, 4) for aux in output.aux)
    assert all(torch.equal(a, b) for a, b in zip(before, model.features.parameters(), strict=True))


def test_without_auxiliary_classifiers(name):
    model = googlenet.create_model(name, num_classes=7, width=NARROW, auxiliary=False)
    assert model(example(name), return_aux=True).aux == ()
    assert not [key for key in model.state_dict() if key.startswith("auxiliary")]


def test_intermediates_and_features(name):
    model = googlenet.create_model(name, num_classes=7, width=NARROW).eval()
    x = example(name)
    maps = model.intermediates(x)
    assert list(maps) == list(model.arch.module_names())
    features = model.forward_features(x)
    if not model.shortcuts:  # a residual stage goes on after its last module
        assert torch.equal(maps[model.arch.module_names()[-1]], features)
    assert features.shape[1] == model.num_features
    assert torch.equal(model(x), model.classifier(features.flatten(2).mean(2)))
    first = model.arch.module_names()[0]
    with pytest.raises(googlenet.InputError, match=f"Did you mean '{first}'"):
        model.intermediates(x, [first + "a"])


def layer_widths(name, width):
    """Outputs of every convolution and of the hidden layers of auxiliary classifiers, by name."""
    with torch.device("meta"):
        model = googlenet.create_model(name, num_classes=7, width=width)
    return {
        key: layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
        for key, layer in model.named_modules()
        if key.endswith(("fc1", "bottleneck")) or (hasattr(layer, "kernel_size") and hasattr(layer, "weight"))
    }


def test_width_multiplier_scales_every_convolution(name):
    full, half, double = (layer_widths(name, width) for width in (1, 0.5, 2))
    assert full.keys() == half.keys() == double.keys()
    assert len(full) >= len(list(find_arch(name).layers()))
    for key, wide in full.items():
        assert half[key] % 8 == 0 and half[key] >= 8 and abs(half[key] - wide / 2) <= 4, key
        assert double[key] == 2 * wide, key


def test_width_multiplier_is_a_positive_number_that_multiplies(name):
    full = find_arch(name)
    assert full.scaled(1) is full
    assert full.scaled(2).scaled(2) == full.scaled(4)
    assert full.scaled(2).scaled(0.5).width == 1  # the channels too, where all of them are multiples of 8
    assert full.scaled(0.5).width == 0.5
    for width in (0, -1, float("nan")):
        with pytest.raises(googlenet.InputError, match="width must be a positive number"):
            full.scaled(width)


def test_weights_round_trip(name, tmp_path):
    model = googlenet.create_model(name, num_classes=5, in_channels=3, width=NARROW).eval()
    path = tmp_path / "weights.safetensors"
    googlenet.save_weights(model, path)
    loaded = googlenet.create_model(name, width=NARROW, weights=path).eval()
    assert loaded.num_classes == 5
    assert torch.equal(model(example(name)), loaded(example(name)))


def test_the_architecture_is_the_one_that_the_weights_are_of(tmp_path):
    path = tmp_path / "weights.safetensors"
    model = googlenet.create_model(
        "googlenet_torchvision", 5, width=NARROW, auxiliary=False, transform_input=True
    ).eval()
    googlenet.save_weights(model, path)
    loaded = googlenet.create_model("googlenet_torchvision", width=NARROW, auxiliary=False, weights=path).eval()
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(loaded(x), model(x))
    changes = {"width": NARROW, "auxiliary": False, "transform_input": False}
    assert not googlenet.create_model("googlenet_torchvision", weights=path, **changes).arch.transform_input


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    googlenet.save_weights(googlenet.create_model("googlenet_small", 5, 1, width=NARROW), path)
    with pytest.raises(googlenet.InputError, match="holds googlenet_small"):
        googlenet.create_model("googlenet_bn", weights=path)
    with pytest.raises(googlenet.InputError, match="of another shape"):
        googlenet.create_model("googlenet_small", 6, 1, width=NARROW, weights=path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(googlenet.InputError, match="not a whole safetensors"):
        googlenet.create_model("googlenet_small", 5, 1, width=NARROW, weights=path)


def test_the_papers_auxiliary_pool_is_5x5_stride_3_at_224():
    head = googlenet.create_model("googlenet", num_classes=3).auxiliary["4a"]
    x = torch.randn(1, 512, 14, 14)
    assert torch.equal(head._pooled(x), nn.functional.avg_pool2d(x, 5, 3))
    assert head._pooled(torch.randn(1, 512, 9, 9)).shape[2:] == (4, 4)


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(googlenet.InputError, match="Did you mean 'googlenet_bn'"):
        googlenet.create_model("googlenet-bn")
    with pytest.raises(googlenet.InputError, match="Did you mean 'dropout'"):
        googlenet.create_model("googlenet", dropuot=0.1)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_inception_block_in_a_module_of_ones_own(dims):
    block = googlenet.Inception(16, googlenet.inception("x", 8, 4, 8, 4, 8, 8).branches, dims=dims)
    net = nn.Sequential(nn.Identity(), block)
    assert net(torch.randn(2, 16, *[9] * dims)).shape == (2, 32, *[9] * dims)
