"""ONNX graphs: ours back bit for bit, the ONNX model zoo's as ONNX Runtime computes it."""

import builtins
import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import SHARED
from googlenet import InputError, create_model, list_models
from googlenet.arch.variants import GOOGLENET
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.weights import checkpoint
from googlenet.weights.checkpoint import network_of, weights_of
from googlenet.weights.foreign.onnx import graph as onnx_graph

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from onnx import helper, numpy_helper

PHOTOS = SHARED / "data" / "photos"
LIGHT = Path(onnx.__file__).parent / "backend/test/data/light/light_inception_v1.onnx"


def session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


# ----------------------------------------------------------------- ours
def some_weights(name, **options):
    """Of a network whose batch norms have seen something."""
    torch.manual_seed(0)
    model = create_model(name, **options)
    for key, tensor in model.state_dict().items():
        if key.endswith(("running_mean", "norm.bias")) or (key.endswith(".bias") and "norm" not in key):
            tensor.normal_(std=0.1)
        elif key.endswith(("running_var", "norm.weight")):
            tensor.uniform_(0.5, 1.5)
        elif key.endswith("num_batches_tracked"):
            tensor.fill_(7_000_000_001)
    return weights_of(model, classes=["ä", "b"], epoch=3)


def assert_same(found, wanted):
    assert found.header == wanted.header
    assert list(found.tensors) == list(wanted.tensors)
    for name, tensor in wanted.tensors.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert torch.equal(found.tensors[name], tensor)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("googlenet", {}),
        ("googlenet_torchvision", {"transform_input": True, "num_classes": 7, "width": 0.25}),
        ("googlenet_small", {"width": 0.5, "in_channels": 1, "num_classes": 10}),
        ("googlenet_1d", {"in_channels": 2, "num_classes": 5, "members": 3}),
    ],
)
def test_onnx_runtime_computes_the_logits_of_a_written_graph_and_it_reads_back_bit_for_bit(tmp_path, name, options):
    path = tmp_path / "network.onnx"
    weights = some_weights(name, **options)
    onnx_graph.write(weights, path)
    assert onnx_graph.recognises(path)
    onnx.checker.check_model(str(path), full_check=True)
    assert_same(onnx_graph.read(path), weights)
    network = network_of(weights)
    inputs = torch.randn(2, network.in_channels * network.arch.members, *network.arch.input_size)
    with torch.no_grad():
        output = network(inputs, return_aux=True)
    running = session(path)
    assert [end.name for end in running.get_outputs()] == ["logits", *(f"aux_{name}" for name in network.auxiliary)]
    found = running.run(None, {"input": inputs.numpy()})
    assert output.logits.std() > 0.1
    for theirs, ours in zip(found, (output.logits, *output.aux), strict=True):
        np.testing.assert_allclose(theirs, ours.numpy(), atol=1e-4)


@pytest.mark.parametrize("name", list_models())
def test_every_architecture_can_be_written_and_read(tmp_path, name):
    path = tmp_path / "network.onnx"
    weights = some_weights(name, num_classes=3, width=0.1)
    onnx_graph.write(weights, path)
    assert_same(onnx_graph.read(path), weights)
    network = network_of(weights)
    inputs = torch.randn(1, 3, *network.arch.input_size)
    with torch.no_grad():
        logits = network(inputs).numpy()
    np.testing.assert_allclose(session(path).run(["logits"], {"input": inputs.numpy()})[0], logits, atol=1e-4)


def test_a_graph_without_auxiliary_classifiers_has_one_output_and_the_size_of_the_preprocessing(tmp_path):
    path = tmp_path / "network.onnx"
    model = create_model("googlenet_small", 4, auxiliary=False, width=0.25)
    onnx_graph.write(weights_of(model, preprocessing=ImagePreprocessing(size=48).to_dict()), path)
    assert [end.name for end in session(path).get_outputs()] == ["logits"]
    assert session(path).get_inputs()[0].shape == ["N", 3, 48, 48]
    assert not onnx_graph.read(path).header.auxiliary


def test_a_failed_write_leaves_what_was_there(tmp_path):
    weights = some_weights("googlenet_small", num_classes=3, width=0.25)
    missing = dict(weights.tensors)
    del missing["classifier.bias"]
    path = tmp_path / "network.onnx"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match=r"lacks classifier\.bias"):
        onnx_graph.write(dataclasses.replace(weights, tensors=missing), path)
    assert [file.name for file in tmp_path.iterdir()] == ["network.onnx"]
    assert path.read_bytes() == b"old"


# ----------------------------------------------------------------- the ONNX model zoo's inception_v1
def zoo_graph(ceil=False):
    """A copy of :func:`drawn_graph`."""
    return onnx.load_from_string(drawn_graph(ceil))


@functools.cache
def drawn_graph(ceil):
    """The zoo's graph as the package onnx has it, missing weights drawn at random; with Caffe's pools if ``ceil``."""
    draws = np.random.default_rng(0)
    model = onnx.load(LIGHT)
    graph = model.graph
    shapes = {tensor.name: numpy_helper.to_array(tensor).copy() for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "ConstantOfShape"]:
        shape, name = shapes[node.input[0]], node.output[0]
        fan_in = np.prod(shape[1:]) if "classifier" not in name else shape[-1]
        values = draws.normal(scale=np.sqrt(2 / fan_in) if "_w_" in name else 0.1, size=shape)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
        for removed in (graph.initializer, graph.input):
            removed.remove(next(value for value in removed if value.name == node.input[0]))
        graph.node.remove(node)
    for node in graph.node:
        for attribute in node.attribute:
            if ceil and attribute.name == "pads" and node.op_type == "AveragePool":
                attribute.ints[:] = [0, 0, 0, 0]
            if ceil and attribute.name == "pads" and node.op_type == "MaxPool" and not any(attribute.ints):
                attribute.ints[:] = [0, 0, 1, 1]
    return model.SerializeToString()


def with_telling_classifier(model, pixels):
    """The classifier scaled to what the features of these pixels have not in common, so that probabilities differ."""
    named = {tensor.name: tensor for tensor in model.graph.initializer}
    weight, bias = named["loss3/classifier_w_0"], named["loss3/classifier_b_0"]
    reshape = next(node for node in model.graph.node if node.op_type == "Gemm").input[0]
    model.graph.output.append(helper.make_tensor_value_info(reshape, 1, [1, 1024]))
    features = run_theirs(model.SerializeToString(), pixels)[1]
    model.graph.output.pop()
    common = features.mean(0)
    values = numpy_helper.to_array(weight) * (3 / (features - common).std())
    weight.CopyFrom(numpy_helper.from_array(values.astype(np.float32), weight.name))
    bias.CopyFrom(numpy_helper.from_array((-values[0, 0] @ common).astype(np.float32), bias.name))
    return model


def run_theirs(model, pixels):
    """Outputs of ONNX Runtime for pixels ``(N, 3, 224, 224)``, 8 bits, red first; the graph takes one at a time."""
    inputs = pixels[:, ::-1].astype(np.float32) - np.array([104, 117, 123], np.float32).reshape(3, 1, 1)
    running = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    results = [running.run(None, {"data_0": np.ascontiguousarray(each[None])}) for each in inputs]
    return [np.concatenate(each) for each in zip(*results, strict=True)]


def random_pixels():
    """Noise of two contrasts, coarse and fine."""
    draws = np.random.default_rng(1)
    noise = draws.normal(size=(2, 3, 14, 14)).repeat(16, 2).repeat(16, 3) + 0.3 * draws.normal(size=(2, 3, 224, 224))
    return (128 + noise * np.array([20, 60]).reshape(2, 1, 1, 1)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=[False, True], ids=["floor", "ceil"])
def zoo(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("zoo") / "inception_v1.onnx"
    onnx.save(zoo_graph(request.param), path)
    return path, request.param


def assert_same_probabilities(zoo_path, pixels, path):
    """Theirs by ONNX Runtime, ours by what is said of the preprocessing."""
    onnx.save(with_telling_classifier(onnx.load(zoo_path), pixels), path)
    wanted = run_theirs(str(path), pixels)[0]
    weights = onnx_graph.read(path)
    preprocessing = ImagePreprocessing.from_dict(weights.header.extra["preprocessing"])
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (preprocessing.mean, preprocessing.std))
    with torch.no_grad():
        found = network_of(weights)((torch.from_numpy(pixels) / 255 - mean) / std).softmax(1).numpy()
    assert wanted.max(1).min() > 0.05 and wanted.max() < 0.99  # 0.001 each if they were equal
    assert np.abs(wanted[0] - wanted[1]).max() > 0.01
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_zoos_graph_gives_the_probabilities_of_onnx_runtime_on_random_pixels(zoo, tmp_path):
    assert_same_probabilities(zoo[0], random_pixels(), tmp_path / "zoo.onnx")


@pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"there are no photos in {PHOTOS}")
def test_the_zoos_graph_gives_the_probabilities_of_onnx_runtime_on_photos(zoo, tmp_path):
    files = sorted(PHOTOS.iterdir())[:40:20]
    pixels = np.concatenate([ImagePreprocessing().read(file) for file in files])
    assert_same_probabilities(zoo[0], pixels, tmp_path / "zoo.onnx")


def test_the_zoos_weights_say_what_they_are(zoo):
    path, ceil = zoo
    weights = onnx_graph.read(path)
    assert (weights.header.arch == GOOGLENET) == ceil
    assert (weights.header.num_classes, weights.header.in_channels, weights.header.auxiliary) == (1000, 3, False)
    assert "blue, green, red" in weights.quirks[0]
    assert ("partial window" in weights.quirks[-1]) != ceil


def test_the_published_network_takes_the_zoos_weights(tmp_path):
    """The pools hold no weights, and may be had as Caffe has them."""
    onnx.save(zoo_graph(), tmp_path / "zoo.onnx")
    checkpoint.write(onnx_graph.read(tmp_path / "zoo.onnx"), tmp_path / "zoo.safetensors")
    options = {"weights": tmp_path / "zoo.safetensors", "auxiliary": False}
    assert create_model("googlenet", **options).arch != GOOGLENET
    assert create_model("googlenet", **options, stages=GOOGLENET.stages).arch == GOOGLENET


# ----------------------------------------------------------------- sentences
def refused(path, match):
    with pytest.raises(InputError, match=match) as caught:
        onnx_graph.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_packages_own_file_has_no_weights():
    refused(LIGHT, "holds no weights: 93 of them are left to be filled")


def drop_weight(graph):
    graph.initializer.remove(next(t for t in graph.initializer if t.name == "inception_4c/3x3_w_0"))


def add_weight(graph):
    graph.initializer.append(numpy_helper.from_array(np.zeros(3, np.float32), "stray"))


def change_shape(graph):
    tensor = next(t for t in graph.initializer if t.name == "inception_4c/5x5_w_0")
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[..., 1:4, 1:4].copy(), tensor.name))


def cut_weight(graph):
    tensor = next(t for t in graph.initializer if t.name == "inception_4c/5x5_w_0")
    tensor.raw_data = tensor.raw_data[:-4]


def change_pool(graph):
    node = next(node for node in graph.node if node.op_type == "MaxPool")
    next(a for a in node.attribute if a.name == "kernel_shape").ints[:] = [2, 2]


def change_norm(graph):
    node = next(node for node in graph.node if node.op_type == "LRN")
    next(a for a in node.attribute if a.name == "size").i = 3


def drop_node(graph):
    graph.node.remove(next(node for node in graph.node if node.op_type == "LRN"))


def stride_one(graph):
    node = next(node for node in graph.node if node.op_type == "MaxPool")
    next(a for a in node.attribute if a.name == "strides").ints[:] = [1, 1]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (drop_weight, "it lacks inception_4c/3x3_w_0"),
        (add_weight, "it has besides stray"),
        (change_shape, r"of another shape: inception_4c/5x5_w_0 \(\(64, 24, 3, 3\), not \(64, 24, 5, 5\)\)"),
        (cut_weight, "is damaged: inception_4c/5x5_w_0"),
        (change_pool, "a pool that BVLC's GoogLeNet has not"),
        (change_norm, "another response norm"),
        (drop_node, "another network: 1 LRN nodes, not 2"),
        (stride_one, "3 pools of stride 2, not 4"),
    ],
)
def test_a_graph_that_is_not_quite_the_zoos_is_refused(tmp_path, change, match):
    model = zoo_graph()
    change(model.graph)
    path = tmp_path / "zoo.onnx"
    path.write_bytes(model.SerializeToString())
    refused(path, match)


def test_damaged_and_other_files_are_refused(tmp_path):
    path = tmp_path / "network.onnx"
    refused(path, "There is no file")
    weights = some_weights("googlenet_small", num_classes=3, width=0.25)
    onnx_graph.write(weights, path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"\x08text", b"\x08\x08"):
        path.write_bytes(content)
        refused(path, "is not a whole ONNX file")
    node = helper.make_node("Relu", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(name, 1, [1]) for name in "xy"]
    onnx.save(helper.make_model(helper.make_graph([node], "other", ends[:1], ends[1:])), path)
    refused(path, "an ONNX graph of another kind")


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("arch", "{}", "does not say which architecture"),
        ("counters", "[", "does not say whole"),
        ("num_classes", "4", "another shape"),
    ],
)
def test_changed_metadata_is_refused(tmp_path, key, value, match):
    path = tmp_path / "network.onnx"
    onnx_graph.write(some_weights("googlenet_small", num_classes=3, width=0.25), path)
    model = onnx.load(path)
    next(entry for entry in model.metadata_props if entry.key == key).value = value
    onnx.save(model, path)
    refused(path, match)


def test_an_exported_model_is_told_from_weights(tmp_path):
    path = tmp_path / "model.onnx"
    onnx_graph.write(some_weights("googlenet_small", num_classes=3, width=0.25), path)
    model = onnx.load(path)
    del model.metadata_props[:]
    entry = model.metadata_props.add()  # as googlenet export does
    entry.key, entry.value = "googlenet", "{}"
    onnx.save(model, path)
    refused(path, "is an exported model")


def test_without_the_package_onnx_files_are_recognised_and_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "network.onnx"
    weights = some_weights("googlenet_small", num_classes=3, width=0.25)
    onnx_graph.write(weights, path)
    imported = builtins.__import__

    def without_onnx(name, *args, **kwargs):
        if name == "onnx":
            raise ModuleNotFoundError("No module named 'onnx'", name="onnx")
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_onnx)
    assert onnx_graph.recognises(path)
    for use in (lambda: onnx_graph.read(path), lambda: onnx_graph.write(weights, path)):
        with pytest.raises(InputError, match=r"^onnx is not installed: pip install 'googlenet\[deploy\]'\.$"):
            use()


def test_only_files_that_begin_like_onnx_are_recognised(tmp_path):
    for name, content in (("a.onnx", b""), ("b.onnx", b"text"), ("c.pth", b"\x08")):
        (tmp_path / name).write_bytes(content)
        assert not onnx_graph.recognises(tmp_path / name)
    assert not onnx_graph.recognises(tmp_path / "missing.onnx")
