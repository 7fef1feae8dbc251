"""From every format to every other that has names for the network, compared by whoever else runs it."""

import re

import pytest
import torch

from conftest import run_here
from googlenet import InputError, create_model
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.weights import checkpoint, formats
from googlenet.weights import convert as conversion
from googlenet.weights.checkpoint import weights_of
from googlenet.weights.convert import convert

SHOES = "googlenet_small.fashion_mnist"


def spread_out(model):
    """Random weights whose probabilities are neither alike nor all in one class."""
    with torch.no_grad():
        logits = model.eval()(torch.randn(4, model.in_channels, *[64] * model.arch.dims))
        model.classifier.weight.div_(logits.std() / 2)
    return model


@pytest.mark.parametrize(
    ("arch", "options", "way", "judges"),
    [
        (
            "googlenet",
            {"num_classes": 10, "width": 0.25},
            [".caffemodel", ".onnx", ".safetensors", ".caffemodel"],
            {"OpenCV", "ONNX Runtime"},
        ),
        (
            "googlenet_torchvision",
            {},
            [".pth", ".onnx", ".pth"],
            {"torchvision", "ONNX Runtime"},
        ),
    ],
)
def test_once_around_changes_no_bit(tmp_path, arch, options, way, judges):
    pytest.importorskip("cv2")
    pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    first = weights_of(spread_out(create_model(arch, **options)))
    path = tmp_path / "0.safetensors"
    checkpoint.write(first, path)
    asked = set()
    for number, suffix in enumerate(way, start=1):
        target = tmp_path / f"{number}{suffix}"
        done = convert(path, target)
        assert (done.target, done.tensors) == (target, len(first.tensors))
        assert done.numbers == sum(tensor.numel() for tensor in first.tensors.values())
        assert max(done.differences.values()) < 1e-4
        asked |= set(done.differences)
        path = target
    assert asked == {"read back", *judges}
    last = formats.read(path)
    assert last.tensors.keys() == first.tensors.keys()
    for name, tensor in first.tensors.items():
        assert torch.equal(last.tensors[name], tensor), name


def test_a_format_that_reads_pixels_otherwise_is_compared_on_the_same_pixels(tmp_path):
    """Caffe divides by nothing, at any size."""
    pytest.importorskip("cv2")
    torch.manual_seed(0)
    ours = spread_out(create_model("googlenet", 10, width=0.25, auxiliary=False))
    preprocessing = ImagePreprocessing(size=96, resize=110).to_dict()
    checkpoint.write(weights_of(ours, preprocessing=preprocessing), tmp_path / "ours.safetensors")
    done = convert(tmp_path / "ours.safetensors", tmp_path / "ours.caffemodel")
    assert "OpenCV" in done.differences
    assert "dim: 96" in (tmp_path / "ours.prototxt").read_text()
    assert done.notes == ()


def test_what_a_format_does_not_say_is_said(tmp_path):
    """torchvision's file has no place for it that its input is transformed."""
    torch.manual_seed(0)
    theirs = spread_out(create_model("googlenet_torchvision", transform_input=True))
    preprocessing = ImagePreprocessing(size=64).to_dict()
    checkpoint.write(weights_of(theirs, preprocessing=preprocessing), tmp_path / "theirs.safetensors")
    done = convert(tmp_path / "theirs.safetensors", tmp_path / "theirs.pth")
    assert set(done.differences) == {"read back", "torchvision"}
    assert "transform_input=True" in done.notes[0]


@pytest.mark.parametrize("difference", [0.5, float("nan")])
def test_a_conversion_that_fails_leaves_what_was_there(tmp_path, monkeypatch, difference):
    checkpoint.write(weights_of(create_model("googlenet", width=0.125)), tmp_path / "a.safetensors")
    (tmp_path / "a.caffemodel").write_bytes(b"old")
    monkeypatch.setattr(conversion, "differences", lambda *_: {"read back": difference})
    with pytest.raises(InputError, match=f"by {difference}; not written"):
        convert(tmp_path / "a.safetensors", tmp_path / "a.caffemodel")
    assert (tmp_path / "a.caffemodel").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.caffemodel", "a.safetensors"]


def test_a_network_that_computes_something_else_is_noticed(tmp_path):
    """The comparison itself: one weight that is another gives other probabilities."""
    torch.manual_seed(0)
    weights = weights_of(spread_out(create_model("googlenet_small", 10, 1, width=0.25)))
    path = tmp_path / "a.safetensors"
    checkpoint.write(weights, path)
    assert conversion.differences(weights, formats.read(path), path)["read back"] < 1e-6
    changed = dict(weights.tensors) | {"classifier.bias": weights.tensors["classifier.bias"] + torch.eye(10)[3]}
    checkpoint.write(checkpoint.Weights(weights.header, changed), path)
    assert conversion.differences(weights, formats.read(path), path)["read back"] > 1e-3


def test_half_the_size_in_bfloat16(tmp_path):
    source, target = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    torch.manual_seed(0)
    checkpoint.write(weights_of(spread_out(create_model("googlenet_small", 10, 1, width=0.25))), source)
    result = run_here("convert", source, target, "--bf16")
    assert result.returncode == 0, result.stderr
    assert f"{target}: 364 tensors, 471,593 numbers; read back, probabilities within 0." in result.stdout
    moved = float(re.search(r"In bfloat16 the probabilities are up to (\S+) away", result.stdout)[1])
    assert 1e-4 < moved < 0.1
    assert target.stat().st_size < 0.6 * source.stat().st_size
    kept = formats.read(target).tensors
    assert all(tensor.dtype == torch.bfloat16 for tensor in kept.values() if tensor.is_floating_point())
    plain = convert(source, tmp_path / "again.safetensors")
    assert (plain.differences["read back"], plain.notes) == (0, ())
    assert (tmp_path / "again.safetensors").stat().st_size == source.stat().st_size


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([SHOES, "x.caffemodel"], "caffemodel"),
        ([SHOES, "x.pth"], "not torchvision's network"),
        ([SHOES, "x.h5"], "says nothing about its format"),
        ([SHOES, "x.onnx", "--bf16"], "--bf16 is for .safetensors"),
        (["nothing", "x.onnx"], "no run, file or weights 'nothing'"),
    ],
)
def test_what_cannot_be_converted_is_a_sentence(tmp_path, words, sentence):
    result = run_here("convert", *words, cwd=tmp_path)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
