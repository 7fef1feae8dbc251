"""TF-slim's network and TensorFlow's checkpoints, against what TensorFlow itself wrote: see slim/make.py."""

import io
import json
import lzma
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from googlenet import InputError, create_model
from googlenet.arch.serial import from_json, to_json
from googlenet.arch.shapes import output_size, tensorflow_padding
from googlenet.arch.variants import GOOGLENET_SLIM, VARIANTS
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.nn.blocks import ConvUnit
from googlenet.nn.layers import MAX_POOL, TensorFlowMaxPool, TensorFlowPadding
from googlenet.weights.checkpoint import network_of
from googlenet.weights.foreign.parameters import layer_parameters
from googlenet.weights.foreign.preprocessing import SLIM
from googlenet.weights.foreign.tensorflow import slim
from googlenet.weights.foreign.tensorflow.crc32c import crc32c
from googlenet.weights.foreign.tensorflow.leveldb_table import entries_of
from googlenet.weights.foreign.tensorflow.tensor_bundle import variables

DATA = Path(__file__).parent / "slim"
SMALL = ["v1.ckpt", "v2.ckpt", "v2.ckpt.index", "v2.ckpt.data-00000-of-00001", "shards.ckpt"]
LOGITS = "InceptionV1/Logits/Conv2d_0c_1x1"


def variable(name, shape):
    """The rule of make.py."""
    draws = np.random.RandomState(zlib.crc32(name.encode()))
    if name.endswith("moving_variance"):
        return draws.uniform(0.5, 2, shape).astype(np.float32)
    scale = (2 / np.prod(shape[:-1])) ** 0.5 if len(shape) > 1 else 0.3
    return (scale * draws.standard_normal(shape)).astype(np.float32)


@pytest.fixture(scope="module", params=["v1", "v2"])
def constant(request, tmp_path_factory):
    """A whole checkpoint of TF-slim's network, each variable one number: its place among the sorted names, from 1."""
    folder = tmp_path_factory.mktemp(request.param)
    content = io.BytesIO(lzma.decompress((DATA / f"constant_{request.param}.tar.xz").read_bytes()))
    with tarfile.open(fileobj=content) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"constant_{request.param}.ckpt"


@pytest.fixture(scope="module")
def random_variables():
    """The variables of make.py's random network, their names and shapes taken from TF-slim's own checkpoint."""
    content = io.BytesIO(lzma.decompress((DATA / "constant_v2.tar.xz").read_bytes()))
    with tarfile.open(fileobj=content) as archive:
        index = archive.extractfile("constant_v2.ckpt.index").read()
    names = [key.decode() for key, _ in entries_of(memoryview(index)) if key not in (b"", b"global_step")]
    layers = layer_parameters(GOOGLENET_SLIM, 1001)
    shapes = {theirs: shape for layer in layers for _, theirs, shape in slim._names(layer)}
    assert sorted(names) == sorted(shapes)
    return {name: variable(name, shapes[name]) for name in names}


# ----------------------------------------------------------------------------------------------- the file format
def test_crc32c_is_the_published_one():
    # RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"") == 0


@pytest.mark.parametrize("name", SMALL)
def test_variables_are_what_tensorflow_saved(name):
    found = variables(DATA / name)
    expected = np.load(DATA / "values.npz")
    assert set(found) == {*expected, "global_step"}
    for key, value in expected.items():
        assert found[key].shape == value.shape
        assert np.array_equal(np.asarray(found[key]), value) and np.asarray(found[key]).dtype == value.dtype
    with pytest.raises(InputError, match=r"global_step in .* is of TensorFlow's type 9"):
        np.asarray(found["global_step"])


@pytest.mark.parametrize("name", ["parts_v1.ckpt", "parts_v2.ckpt"])
def test_partitioned_variables_are_refused(name):
    with pytest.raises(InputError, match="parts in .* is stored in parts; save"):
        variables(DATA / name)


@pytest.mark.parametrize("name", ["v1.ckpt", "v2.ckpt.index", "v2.ckpt.data-00000-of-00001"])
@settings(max_examples=150, deadline=None)
@given(draws=st.data())
def test_damaged_files_are_sentences(tmp_path_factory, name, draws):
    """Cut short or changed in a byte, a checkpoint is refused, and never with another exception."""
    folder = tmp_path_factory.mktemp("damaged")
    for path in DATA.glob(f"{name.split('.')[0]}.ckpt*"):
        (folder / path.name).write_bytes(path.read_bytes())
    content = bytearray((folder / name).read_bytes())
    place = draws.draw(st.integers(0, len(content) - 1))
    if draws.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= draws.draw(st.integers(1, 255))
    (folder / name).write_bytes(content)
    expected = np.load(DATA / "values.npz")
    try:
        found = variables(folder / name)
        values = {key: np.asarray(each) for key, each in found.items() if key != "global_step"}
    except InputError as error:
        assert str(folder) in str(error) and str(error).endswith(".")
    else:  # the file's own footer has bytes that nothing reads, and global_step is not read
        assert all(np.array_equal(values[key], value) for key, value in expected.items())


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200))
def test_foreign_bytes_are_sentences(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("foreign") / "x.ckpt"
    path.write_bytes(content + bytes.fromhex("57fb808b247547db"))
    assert slim.recognises(path)
    with pytest.raises(InputError, match="is no whole checkpoint"):
        variables(path)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        variables(tmp_path / "x.ckpt")
    (tmp_path / "v2.ckpt.index").write_bytes((DATA / "v2.ckpt.index").read_bytes())
    with pytest.raises(InputError, match=r"There is no file .*v2\.ckpt\.data-00000-of-00001"):
        np.asarray(variables(tmp_path / "v2.ckpt")["a/weights"])
    assert not slim.recognises(tmp_path) and not slim.recognises(tmp_path / "x.ckpt")
    assert not slim.recognises(DATA / "values.npz") and slim.recognises(DATA / "v2.ckpt")


# ----------------------------------------------------------------------------------------------- the padding
@settings(max_examples=300, deadline=None)
@given(n=st.integers(1, 60), kernel=st.integers(1, 9), stride=st.integers(1, 4), dilation=st.integers(1, 3))
def test_tensorflow_padding_gives_as_many_windows_as_there_are_strides(n, kernel, stride, dilation):
    before, after = tensorflow_padding(n, kernel, stride, dilation)
    assert after - before in (0, 1)
    if before or after:
        assert n + before + after - dilation * (kernel - 1) - 1 == (output_size(n, 1, stride) - 1) * stride


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", ["14.15", "15.14", "15.15", "16.16", "1.2"])
def test_strided_layers_are_tensorflows(size, layout):
    stored = np.load(DATA / "layers.npz")
    x = torch.from_numpy(stored[f"input.{size}"]).permute(0, 3, 1, 2).contiguous(memory_format=layout)
    conv = ConvUnit(2, 2, 3, 7, 2, norm_eps=None, padded=True).conv
    kernel = torch.from_numpy(stored["kernel"]).permute(3, 2, 0, 1)
    conv.load_state_dict({"weight": kernel, "bias": torch.zeros(3)})
    layers = {
        "conv": nn.Sequential(TensorFlowPadding(7, 2), conv),
        "pool3": TensorFlowMaxPool(3, 2),
        "pool2": TensorFlowMaxPool(2, 2),
    }
    for name, layer in layers.items():
        expected = torch.from_numpy(stored[f"{name}.{size}"]).permute(0, 3, 1, 2)
        torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_pools_of_every_rank_pad_alike(dims):
    x = torch.randn(2, 3, *(7, 8, 9)[:dims], generator=torch.Generator().manual_seed(0))
    ends = [end for n in reversed(x.shape[2:]) for end in tensorflow_padding(n, 3, 2)]
    padded = nn.functional.pad(x, ends, value=-torch.inf)
    assert torch.equal(TensorFlowMaxPool(3, 2)(x), MAX_POOL[dims](3, 2)(padded))


def test_architectures_written_before_the_padding_are_read():
    for arch in VARIANTS.values():
        row = json.loads(to_json(arch))
        for layer in (layer for stage in row["stages"] for layer in stage["layers"]):
            for part in layer.get("branches", [layer]):
                if part.get("padding") == "same":
                    del part["padding"]
        assert from_json(json.dumps(row)) == arch


def test_the_network_exports():
    model = create_model("googlenet_slim", 7, width=0.125, auxiliary=False).eval()
    x = torch.randn(2, 3, 65, 64, generator=torch.Generator().manual_seed(0))
    exported = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim("N")},))
    torch.testing.assert_close(exported.module()(x), model(x), rtol=0, atol=1e-5)
    last = model(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(last, model(x), rtol=0, atol=1e-5)


# ----------------------------------------------------------------------------------------------- the network
@pytest.mark.parametrize("size", [224, 193])
def test_logits_are_tf_slims(random_variables, size):
    """193 is odd at every scale: 97, 49, 25, 13 and 7."""
    network = network_of(slim.from_slim(random_variables))
    x = np.random.RandomState(size).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)
    with torch.inference_mode():
        logits = network(torch.from_numpy(x).permute(0, 3, 1, 2))[0]
    expected = torch.from_numpy(np.load(DATA / "logits.npz")[f"logits.{size}"])
    assert expected.std() > 0.1
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-4)


def test_a_checkpoint_of_tf_slim_is_read_whole(constant):
    weights = slim.read(constant)
    assert weights.header.num_classes == 1000 and weights.header.arch == GOOGLENET_SLIM
    assert not weights.header.auxiliary
    assert ImagePreprocessing.from_dict(weights.header.extra["preprocessing"]) == SLIM
    assert [quirk.rpartition(",")[2] for quirk in weights.quirks] == [" such as global_step.", " and so on."]
    network_of(weights)
    names = sorted(set(variables(constant)) - {"global_step"})
    value = {name: float(1 + place) for place, name in enumerate(names)}
    places = {
        "features.conv1.conv.conv.weight": "Conv2d_1a_7x7/weights",
        "features.conv2.reduce.norm.bias": "Conv2d_2b_1x1/BatchNorm/beta",
        "features.conv2.conv.norm.running_mean": "Conv2d_2c_3x3/BatchNorm/moving_mean",
        "features.3a.branches.1x1.conv.norm.running_var": "Mixed_3b/Branch_0/Conv2d_0a_1x1/BatchNorm/moving_variance",
        "features.4e.branches.3x3.reduce.conv.weight": "Mixed_4f/Branch_1/Conv2d_0a_1x1/weights",
        "features.5a.branches.5x5.conv.conv.weight": "Mixed_5b/Branch_2/Conv2d_0a_3x3/weights",
        "features.5b.branches.5x5.conv.conv.weight": "Mixed_5c/Branch_2/Conv2d_0b_3x3/weights",
        "features.5b.branches.pool.conv.conv.weight": "Mixed_5c/Branch_3/Conv2d_0b_1x1/weights",
        "classifier.weight": "Logits/Conv2d_0c_1x1/weights",
    }
    for ours, theirs in places.items():
        assert (weights.tensors[ours] == value[f"InceptionV1/{theirs}"]).all(), ours
    assert all((t == 1).all() for key, t in weights.tensors.items() if key.endswith("norm.weight"))


def test_the_background_goes_and_nothing_else(random_variables):
    all_classes = slim.from_slim(random_variables)
    assert all_classes.header.num_classes == 1001 and not all_classes.quirks
    fewer = slim.without_background(all_classes)
    assert torch.equal(fewer.tensors["classifier.bias"], all_classes.tensors["classifier.bias"][1:])
    assert torch.equal(fewer.tensors["classifier.weight"], all_classes.tensors["classifier.weight"][1:])
    with pytest.raises(InputError, match="one class"):
        slim.without_background(slim.from_slim(_with_classes(random_variables, 1)))


def test_other_numbers_of_classes_have_no_background(random_variables):
    assert slim.from_slim(_with_classes(random_variables, 5)).header.num_classes == 5


def test_what_training_keeps_is_left_out_and_said(random_variables):
    name = "InceptionV1/Conv2d_1a_7x7/BatchNorm/moving_mean"
    slots = {f"{name}/{slot}": np.zeros(64, np.float32) for slot in ("RMSProp_1", "ExponentialMovingAverage")}
    weights = slim.from_slim(random_variables | slots | {"global_step": np.array(3)})
    left_out = f"3 of {len(random_variables) + 3} variables, such as {name}/RMSProp_1."
    assert weights.quirks == (f"Left out, since only training needs them: {left_out}",)


def test_variables_of_another_network_are_refused(random_variables):
    missing = {key: value for key, value in random_variables.items() if "Mixed_5b/Branch_2" not in key}
    with pytest.raises(InputError, match=r"lacks InceptionV1/Mixed_5b/Branch_2/Conv2d_0a_1x1/weights.*and 5 more"):
        slim.from_slim(missing)
    left = random_variables | {"InceptionV1/Conv2d_1a_7x7/BatchNorm/gamma": np.ones(64, np.float32)}
    with pytest.raises(InputError, match="it has besides InceptionV1/Conv2d_1a_7x7/BatchNorm/gamma"):
        slim.from_slim(left)
    shape = random_variables | {"InceptionV1/Conv2d_1a_7x7/weights": np.ones((3, 3, 3, 64), np.float32)}
    with pytest.raises(InputError, match=r"of another shape: .*\(\(3, 3, 3, 64\), not \(7, 7, 3, 64\)\)"):
        slim.from_slim(shape)
    with pytest.raises(InputError, match=r"v2.ckpt does not fit this network: it lacks"):
        slim.read(DATA / "v2.ckpt")


def _with_classes(found, classes):
    return found | {
        f"{LOGITS}/weights": found[f"{LOGITS}/weights"][..., :classes],
        f"{LOGITS}/biases": found[f"{LOGITS}/biases"][:classes],
    }
