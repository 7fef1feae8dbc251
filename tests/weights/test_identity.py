"""What a weights file turns out to be, loadable or not."""

import dataclasses
import hashlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import nn

from googlenet import InputError, create_model, save_weights
from googlenet.weights import formats, identity
from googlenet.weights.checkpoint import weights_of
from googlenet.weights.identity import Identity


@dataclasses.dataclass
class Record:
    name: str
    digest: str


def theirs(**options):
    return torchvision.models.googlenet(init_weights=False, **options).state_dict()


# ----------------------------------------------------------------- the catalogue
@pytest.mark.parametrize(
    ("digest", "name"),
    [
        ("sha256:1378be20", "it"),
        ("sha256:1378BE20", "it"),
        ("sha1:405fc5acd08a3bb12de8ee5e23a96bec22f08204", "it"),
        ("sha256:1378be21", ""),
        ("sha1:1378be20", ""),
        ("sha256:1378", ""),
        ("md5:1378be20", ""),
        ("", ""),
    ],
)
def test_a_file_is_found_in_the_catalogue_by_its_digest_or_the_start_of_it(digest, name):
    digests = {"sha256": "1378be20" + 56 * "0", "sha1": "405fc5acd08a3bb12de8ee5e23a96bec22f08204"}
    records = [Record("none", ""), Record("other", "sha256:" + 64 * "1"), Record("it", digest)]
    assert identity.record_of(digests, records) == name


# ----------------------------------------------------------------- files that can be loaded
def test_a_file_of_torchvisions_layout(tmp_path):
    path = tmp_path / "googlenet.pth"
    torch.save(theirs(aux_logits=True), path)
    found = identity.identify(path)
    assert dataclasses.replace(found, quirks=()) == Identity(
        path=path,
        format="torchvision",
        arch="googlenet_torchvision",
        width=1.0,
        classes=1000,
        channels=3,
        auxiliary=("4a", "4d"),
        norm="batch norm",
        third_kernel=3,
        tensors=364,
        parameters=13_004_888,  # torchvision's own count
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        record="",
        quirks=(),
    )
    assert found.parameters == sum(p.numel() for p in torchvision.models.googlenet(init_weights=False).parameters())
    notes = " ".join(found.quirks)
    for said in ("3×3 where the paper has 5×5", "fourth pool is 2×2", "transform_input=True", "never trained"):
        assert said in notes


def test_a_runs_weights_by_its_folder_and_by_its_file(tmp_path):
    model = create_model("googlenet_small", 10, 1, width=0.5, auxiliary=False)
    save_weights(model, tmp_path / "model.safetensors")
    found = identity.identify(tmp_path)
    assert found == identity.identify(tmp_path / "model.safetensors")
    assert (found.format, found.arch, found.width) == ("safetensors", "googlenet_small", 0.5)
    assert (found.classes, found.channels, found.auxiliary, found.norm, found.third_kernel) == (
        10,
        1,
        (),
        "batch norm",
        5,
    )
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert found.quirks == ()


@pytest.mark.parametrize(("suffix", "form"), [(".onnx", "onnx"), (".caffemodel", "caffe")])
def test_the_published_network_in_others_formats(tmp_path, suffix, form):
    if form == "onnx":
        pytest.importorskip("onnx")
    path = tmp_path / f"network{suffix}"
    formats.write(weights_of(create_model("googlenet", 7)), path)
    found = identity.identify(path)
    assert (found.format, found.arch, found.norm, found.third_kernel) == (form, "googlenet", "biases", 5)
    assert (found.classes, found.auxiliary) == (7, ("4a", "4d"))


def test_a_network_of_signals_has_no_such_branch(tmp_path):
    path = tmp_path / "signals.safetensors"
    save_weights(create_model("googlenet_1d", 2, 1), path)
    assert identity.identify(path).third_kernel is None


def test_what_an_architecture_says_of_itself_is_told(tmp_path):
    path = tmp_path / "network.safetensors"
    save_weights(create_model("googlenet_torchvision", 1001, transform_input=True), path)
    notes = " ".join(identity.identify(path).quirks)
    assert "[-1, 1] by itself" in notes
    assert "the first is the background" in notes
    assert "never trained" not in notes


def test_a_file_from_before_pytorch_1_6_is_looked_into(tmp_path):
    path = tmp_path / "old.pth"
    torch.save(theirs(aux_logits=False), path, _use_new_zipfile_serialization=False)
    found = identity.identify(path)
    assert (found.third_kernel, found.norm, found.classes, found.tensors) == (3, "batch norm", 1000, 344)


# ----------------------------------------------------------------- files that cannot
class KuangliusGoogLeNet(nn.Module):
    """As in github.com/kuangliu/pytorch-cifar, ``models/googlenet.py``, its first module: two 3×3 in a row."""

    def __init__(self):
        super().__init__()
        self.pre_layers = nn.Sequential(nn.Conv2d(3, 192, 3, padding=1), nn.BatchNorm2d(192))
        self.b3 = nn.Sequential(nn.Conv2d(192, 16, 1), nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.Conv2d(32, 32, 3))
        self.linear = nn.Linear(1024, 10)


def test_a_state_dict_of_an_unknown_googlenet(tmp_path):
    path = tmp_path / "ckpt.pth"
    torch.save({"acc": 95.2, "net": KuangliusGoogLeNet().state_dict(), "epoch": 3}, path)
    found = identity.identify(path)
    assert (found.format, found.arch, found.norm, found.third_kernel) == ("", "", "batch norm", 3)
    assert (found.classes, found.channels, found.auxiliary) == (10, 3, ())
    assert "holds no state dict of torchvision's googlenet" in found.quirks[0]
    assert "two 3×3 convolutions in a row" in found.quirks[1]


def test_torchvisions_tensors_without_our_header_and_behind_data_parallel(tmp_path):
    path = tmp_path / "network.safetensors"
    save_file(theirs(aux_logits=True, num_classes=5), path)
    found = identity.identify(path)
    assert (found.classes, found.third_kernel, found.tensors) == (5, 3, 364)
    assert (found.format, found.auxiliary) == ("torchvision", ("4a", "4d"))
    path = tmp_path / "parallel.pth"
    torch.save(OrderedDict((f"module.{name}", tensor) for name, tensor in theirs(aux_logits=False).items()), path)
    assert "begin with 'module.'" in identity.identify(path).quirks[0]


def test_a_state_dict_of_our_own_points_to_what_writes_it(tmp_path):
    torch.save(create_model("googlenet_small", 2, width=0.25).state_dict(), tmp_path / "ours.pth")
    found = identity.identify(tmp_path / "ours.pth")
    assert (found.format, found.norm) == ("", "batch norm")
    assert "googlenet.save_weights" in " ".join(found.quirks)


def test_arrays_out_of_keras_have_kernels_in_front(tmp_path):
    path = tmp_path / "keras.safetensors"
    shapes = {
        "conv1/7x7_s2/kernel": (7, 7, 3, 64),
        "inception_3a/5x5_reduce/kernel": (1, 1, 192, 16),
        "inception_3a/5x5/kernel": (5, 5, 16, 32),
        "inception_3a/5x5/bias": (32,),
        "loss1/fc/kernel": (2048, 1024),
        "loss3/classifier/kernel": (1024, 1000),
    }
    save_arrays({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, path)
    found = identity.identify(path)
    assert (found.third_kernel, found.channels, found.classes, found.norm) == (5, 3, 1000, "biases")
    assert found.auxiliary == ("loss1/fc/kernel",)


@pytest.mark.parametrize(
    ("name", "content"), [("googlenet_weights.h5", b"\x89HDF\r\n\x1a\n\0"), ("googlenet.keras", b"PK\x03\x04")]
)
def test_files_of_keras_get_a_sentence(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    found = identity.identify(path)
    assert "safetensors.numpy.save_file" in found.quirks[0]
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert dict(identity.describe(found))["format"] == "cannot be loaded"


def test_the_state_of_a_training_points_to_the_weights(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    save_file({"model/conv.weight": torch.zeros(8, 3, 3, 3)}, path)
    notes = " ".join(identity.identify(path).quirks)
    assert "the weights are in model.safetensors" in notes
    assert "does not look like a GoogLeNet" in notes


def test_an_exported_model_is_looked_into(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "model.onnx"
    formats.write(weights_of(create_model("googlenet", 7, auxiliary=False)), path)
    model = onnx.load(path)
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = "googlenet", "{}"
    onnx.save(model, path)
    found = identity.identify(path)
    assert (found.format, found.third_kernel, found.classes, found.channels) == ("", 5, 7, 3)
    assert "is an exported model" in found.quirks[0]


@pytest.mark.parametrize("content", [b"", b"text", b"\x80\x02text"])
def test_files_without_tensors_are_refused(tmp_path, content):
    path = tmp_path / "file.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no weights file|is not a file of plain tensors"):
        identity.identify(path)
    with pytest.raises(InputError, match="There is no weights file"):
        identity.identify(tmp_path / "missing.pth")


# ----------------------------------------------------------------- rows
def test_rows_leave_out_what_is_unknown():
    known = Identity(
        Path("a.pth"), "torchvision", "googlenet_torchvision", 0.5, 1000, 3, ("4a",), "batch norm", 3, 9, 1234
    )
    known = dataclasses.replace(known, sha256="ab", record="torchvision", quirks=("One.", "Two."))
    assert identity.describe(known) == [
        ("file", "a.pth"),
        ("format", "torchvision's state dict"),
        ("network", "googlenet_torchvision, width 0.5"),
        ("in the catalogue", "torchvision"),
        ("classes", "1000"),
        ("input channels", "3"),
        ("third branch", "3×3"),
        ("convolutions have", "batch norm"),
        ("auxiliary classifiers", "4a"),
        ("tensors", "9, 1,234 parameters"),
        ("sha256", "ab"),
        ("note", "One."),
        ("note", "Two."),
    ]
    assert identity.describe(Identity(Path("b.h5"))) == [("file", "b.h5"), ("format", "cannot be loaded")]
