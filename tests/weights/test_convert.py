"""googlenet convert: from every format to every other that has names for the network, compared by whoever runs it."""

import pytest
import torch

from conftest import run_cli
from googlenet import InputError, create_model
from googlenet.apps import jobs
from googlenet.data.images.pictures import Preprocessing
from googlenet.weights import checkpoint, formats
from googlenet.weights.checkpoint import weights_of


def spread_out(model):
    """Random weights whose probabilities are far from uniform."""
    torch.nn.init.normal_(model.classifier.weight, std=0.3)
    return model.eval()


@pytest.mark.parametrize(
    ("arch", "way", "judges"),
    [
        ("googlenet", [".caffemodel", ".onnx", ".safetensors", ".caffemodel"], ["OpenCV", "ONNX Runtime"]),
        ("googlenet_torchvision", [".pth", ".onnx", ".safetensors", ".pth"], ["torchvision", "ONNX Runtime"]),
    ],
)
def test_once_around_changes_no_bit(tmp_path, arch, way, judges):
    pytest.importorskip("cv2")
    pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    first = weights_of(spread_out(create_model(arch)))
    path = tmp_path / "0.safetensors"
    checkpoint.write(first, path)
    said = ""
    for number, suffix in enumerate(way, start=1):
        target = tmp_path / f"{number}{suffix}"
        result = run_cli("convert", path, target)
        assert result.returncode == 0, result.stderr
        said += result.stdout
        path = target
    for judge in ["read back", *judges]:
        assert f"{judge}, probabilities within" in said
    last = formats.read(path)
    assert last.tensors.keys() == first.tensors.keys()
    for name, tensor in first.tensors.items():
        assert torch.equal(last.tensors[name], tensor), name


def test_a_format_that_reads_pixels_otherwise_is_compared_on_the_same_pixels(tmp_path):
    """Caffe divides by nothing, at any size; torchvision's file does not say that its input is transformed."""
    pytest.importorskip("cv2")
    torch.manual_seed(0)
    ours = spread_out(create_model("googlenet", 10, width=0.25, auxiliary=False))
    preprocessing = Preprocessing(size=96, resize=110).to_dict()
    checkpoint.write(weights_of(ours, preprocessing=preprocessing), tmp_path / "ours.safetensors")
    result = run_cli("convert", tmp_path / "ours.safetensors", tmp_path / "ours.caffemodel")
    assert result.returncode == 0, result.stderr
    assert "OpenCV, probabilities within" in result.stdout
    assert "dim: 96" in (tmp_path / "ours.prototxt").read_text()

    theirs = spread_out(create_model("googlenet_torchvision", transform_input=True))
    checkpoint.write(weights_of(theirs), tmp_path / "theirs.safetensors")
    result = run_cli("convert", tmp_path / "theirs.safetensors", tmp_path / "theirs.pth")
    assert result.returncode == 0, result.stderr
    assert "torchvision, probabilities within" in result.stdout
    assert "transform_input=True" in result.stdout


def test_a_conversion_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    checkpoint.write(weights_of(create_model("googlenet_torchvision")), tmp_path / "a.safetensors")
    (tmp_path / "a.pth").write_bytes(b"old")
    monkeypatch.setattr(jobs, "_differences", lambda *_: {"read back": 0.5})
    with pytest.raises(InputError, match="by 0.5; not written"):
        jobs.convert_job(str(tmp_path / "a.safetensors"), tmp_path / "a.pth", False)
    assert (tmp_path / "a.pth").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pth", "a.safetensors"]


def test_half_the_size_in_bfloat16(tmp_path):
    result = run_cli("convert", "googlenet_small.fashion_mnist", tmp_path / "half.safetensors", "--bf16")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "half.safetensors").stat().st_size < 4_000_000


def test_what_cannot_be_converted_is_a_sentence(tmp_path):
    for words, sentence in (
        (["googlenet_small.fashion_mnist", tmp_path / "x.caffemodel"], "caffemodel"),
        (["googlenet_small.fashion_mnist", tmp_path / "x.pth"], "not torchvision's network"),
        (["googlenet_small.fashion_mnist", tmp_path / "x.h5"], "says nothing about its format"),
        (["googlenet_small.fashion_mnist", tmp_path / "x.onnx", "--bf16"], "--bf16 is for .safetensors"),
        (["nothing", tmp_path / "x.onnx"], "no run, file or weights 'nothing'"),
    ):
        result = run_cli("convert", *words)
        assert result.returncode == 1
        assert sentence in result.stderr
        assert result.stderr.count("\n") == 1
        assert not list(tmp_path.iterdir())
