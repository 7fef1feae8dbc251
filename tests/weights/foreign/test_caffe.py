"""Caffe's files: read, written, and run by OpenCV, which knows nothing of this package."""

import re
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet import InputError, create_model, list_models
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.weights import formats
from googlenet.weights.checkpoint import network_of, weights_of
from googlenet.weights.foreign.caffe import caffemodel as caffe
from googlenet.weights.foreign.caffe.binary import decode
from googlenet.weights.foreign.caffe.prototxt import deploy_prototxt

MEAN = np.array([123, 117, 104], np.float32)[:, None, None]  # red, green, blue
SMALL = {"num_classes": 3, "width": 0.125}


def network(classes=1000, width=1.0, auxiliary=True, seed=0):
    """A random network whose biases are not zero and whose probabilities are far from uniform on Caffe's inputs."""
    torch.manual_seed(seed)
    model = create_model("googlenet", classes, width=width, auxiliary=auxiliary).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.1)
        logits = model(centred(random_pixels(4)))
        scale = 4 / logits.std(0).mean()
        model.classifier.weight.mul_(scale)
        model.classifier.bias.copy_((model.classifier.bias - logits.mean(0)) * scale)
    return model


def random_pixels(count, seed=0):
    """Colourful pictures in patches of 32 pixels, ``(count, 3, 224, 224)`` of 8 bits, red first."""
    patches = np.random.default_rng(seed).integers(0, 256, (count, 3, 7, 7), np.uint8)
    return patches.repeat(32, 2).repeat(32, 3)


def centred(pixels):
    """What our network reads of them, by the preprocessing that :func:`caffe.read` names."""
    return torch.from_numpy(pixels.astype(np.float32) - MEAN)


def ours(path, pixels):
    weights = caffe.read(path)
    row = ImagePreprocessing.from_dict(weights.header.extra["preprocessing"])
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (row.mean, row.std))
    inputs = (torch.from_numpy(pixels).float() / 255 - mean) / std
    with torch.no_grad():
        return network_of(weights)(inputs).softmax(1).numpy()


def opencv(path, inputs):
    cv2 = pytest.importorskip("cv2")
    net = cv2.dnn.readNetFromCaffe(str(path.with_suffix(".prototxt")), str(path))
    found = []
    for each in inputs:
        net.setInput(np.ascontiguousarray(each[None], np.float32))
        found.append(net.forward("prob").reshape(-1))
    return np.stack(found)


def blue_first(pixels):
    return (pixels - MEAN)[:, ::-1]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("caffe") / "random.caffemodel"
    model = network()
    caffe.write(weights_of(model), path)
    return path, model


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("caffe") / "small.caffemodel"
    weights = weights_of(network(3, 0.125))
    caffe.write(weights, path)
    return path, weights


class Content(bytes):
    def __repr__(self):  # hypothesis prints arguments
        return f"{len(self)} bytes"


@pytest.fixture(scope="module")
def small_file(small):
    return Content(small[0].read_bytes())


def assert_same(tensors, wanted):
    assert set(tensors) == set(wanted)
    for name in wanted:
        assert torch.equal(tensors[name], wanted[name]), name


# ------------------------------------------------------------------------------------------------ an engine of others
def assert_opencv_agrees(path, pixels):
    here, there = ours(path, pixels), opencv(path, blue_first(pixels))
    assert here.max(1).mean() > 10 / here.shape[1]
    assert len(set(here.argmax(1))) > 1
    assert np.abs(here - there).max() < 1e-4
    assert np.abs(here - opencv(path, (pixels - MEAN)[:1])).max() > 1e-3  # the order of the colours is seen


def test_opencv_gives_the_same_probabilities_on_random_pictures(written):
    assert_opencv_agrees(written[0], random_pixels(3, seed=1))


def test_opencv_gives_the_same_probabilities_on_photos(tmp_path, photos):
    path = tmp_path / "narrow.caffemodel"
    caffe.write(weights_of(network(100, 0.25, auxiliary=False)), path)
    assert_opencv_agrees(path, np.concatenate([ImagePreprocessing().read(photo) for photo in photos[::7][:20]]))


def test_opencv_runs_a_narrow_network_with_other_classes(tmp_path):
    path = tmp_path / "narrow.caffemodel"
    caffe.write(weights_of(network(20, 0.5, auxiliary=False)), path)
    pixels = random_pixels(3, seed=2)
    assert np.abs(ours(path, pixels) - opencv(path, blue_first(pixels))).max() < 1e-4


def test_opencv_agrees_on_weights_trained_with_another_normalisation(tmp_path):
    path = tmp_path / "trained.caffemodel"
    model, row = network(20, 0.5, auxiliary=False), ImagePreprocessing()
    with torch.no_grad():
        model.features["conv1"].conv.conv.weight.mul_(60)
    caffe.write(weights_of(model, preprocessing=row.to_dict()), path)
    pixels = random_pixels(3, seed=3)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (row.mean, row.std))
    with torch.no_grad():
        wanted = model((torch.from_numpy(pixels).float() / 255 - mean) / std).softmax(1).numpy()
    assert np.abs(ours(path, pixels) - wanted).max() < 1e-4
    inputs = (pixels - 255 * np.array(row.mean)[:, None, None])[:, ::-1]
    assert np.abs(opencv(path, inputs) - wanted).max() < 1e-4
    assert "minus 103.53, 116.28, 123.675" in path.with_suffix(".prototxt").read_text()


# ------------------------------------------------------------------------------------------------ there and back
@pytest.mark.parametrize("auxiliary", [True, False])
@pytest.mark.parametrize(("classes", "width"), [(1000, 1.0), (10, 0.5), (3, 0.125), (7, 0.3), (4, 1.25)])
def test_round_trip_is_bit_for_bit(tmp_path, classes, width, auxiliary):
    path = tmp_path / "some.caffemodel"
    model = create_model("googlenet", classes, width=width, auxiliary=auxiliary)
    caffe.write(weights_of(model), path)
    found = caffe.read(path)
    assert_same(found.tensors, model.state_dict())
    header = found.header
    assert (header.arch, header.num_classes, header.in_channels) == (model.arch, classes, 3)
    assert header.auxiliary is auxiliary
    again = tmp_path / "again.caffemodel"
    caffe.write(found, again)
    assert again.read_bytes() == path.read_bytes()


def test_the_suffix_and_the_content_say_that_it_is_caffes(small, tmp_path):
    path = tmp_path / "some.caffemodel"
    formats.write(small[1], path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["some.caffemodel", "some.prototxt"]
    assert formats.identify_format(path) == "caffe"
    assert_same(formats.read(path).tensors, small[1].tensors)


def test_reading_says_what_the_network_reads(small):
    found = caffe.read(small[0])
    assert set(found.header.extra) == {"preprocessing"}
    row = ImagePreprocessing.from_dict(found.header.extra["preprocessing"])
    assert (row.channels, row.size, row.resize, row.mirror) == (3, 224, 256, False)
    assert row.mean == (123 / 255, 117 / 255, 104 / 255)
    assert row.std == (1 / 255, 1 / 255, 1 / 255)
    assert any("blue, green, red" in quirk for quirk in found.quirks)


def test_the_file_reads_blue_first(small):
    path, weights = small
    blobs = decode(path.read_bytes()).blobs
    first = weights.tensors["features.conv1.conv.conv.weight"].numpy()
    assert np.array_equal(blobs["conv1/7x7_s2"][0], first[:, [2, 1, 0]])
    assert np.array_equal(blobs["conv2/3x3"][0], weights.tensors["features.conv2.conv.conv.weight"].numpy())


# ------------------------------------------------------------------------------------------------ BVLC's layers
MODULES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
PATHS = ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj")


def test_layers_have_the_names_of_bvlc():
    text = deploy_prototxt(create_model("googlenet").arch, 1000, "note")
    names = re.findall(r'^layer \{\n  name: "([^"]+)"', text, re.MULTILINE)
    # A module: six convolutions with their ReLUs, the pool, the concatenation. The stem: three convolutions with
    # their ReLUs, two pools, two norms. Two pools between the stages; pool, dropout, classifier, softmax.
    assert names[0] == "data"
    assert len(names) - 1 == 9 * (6 * 2 + 2) + (3 * 2 + 2 + 2) + 2 + 4 == 142
    stem = ["conv1/7x7_s2", "conv1/relu_7x7", "pool1/3x3_s2", "pool1/norm1", "conv2/3x3_reduce"]
    stem += ["conv2/relu_3x3_reduce", "conv2/3x3", "conv2/relu_3x3", "conv2/norm2", "pool2/3x3_s2"]
    modules = {f"inception_{module}/{path}" for module in MODULES for path in (*PATHS, "pool", "output")}
    relus = {f"inception_{module}/relu_{path}" for module in MODULES for path in PATHS}
    last = ["pool5/7x7_s1", "pool5/drop_7x7_s1", "loss3/classifier", "prob"]
    assert names[1:11] == stem
    assert names[-4:] == last
    assert set(names) == {"data", *stem, *modules, *relus, "pool3/3x3_s2", "pool4/3x3_s2", *last}
    assert len(set(names)) == len(names)


def test_opencv_reads_142_layers(written):
    cv2 = pytest.importorskip("cv2")
    net = cv2.dnn.readNetFromCaffe(str(written[0].with_suffix(".prototxt")), str(written[0]))
    text = written[0].with_suffix(".prototxt").read_text()
    names = re.findall(r'^layer \{\n  name: "([^"]+)"', text, re.MULTILINE)
    assert list(net.getLayerNames()) == names[1:]


@pytest.mark.parametrize("auxiliary", [True, False])
def test_layers_with_weights_are_57_and_three_for_each_auxiliary_classifier(tmp_path, auxiliary):
    path = tmp_path / "some.caffemodel"
    caffe.write(weights_of(create_model("googlenet", auxiliary=auxiliary, **SMALL)), path)
    found = set(decode(path.read_bytes()).blobs)
    heads = {f"loss{number}/{part}" for number in (1, 2) for part in ("conv", "fc", "classifier")}
    assert len(found) == 3 + 9 * 6 + 1 + 6 * auxiliary
    assert {name for name in found if name.startswith("loss")} == {"loss3/classifier"} | (heads if auxiliary else set())


# ------------------------------------------------------------------------------------------------ files of others
FIELDS = {
    "BlobShape": [("dim", 1, "INT64", True)],
    "BlobProto": [
        *[(name, number, "INT32", None) for number, name in enumerate(("num", "channels", "height", "width"), 1)],
        ("data", 5, "FLOAT", True),
        ("shape", 7, "BlobShape", None),
        ("double_data", 8, "DOUBLE", True),
    ],
    "LooseBlobProto": [
        ("data", 5, "FLOAT", False),
        ("shape", 7, "LooseBlobShape", None),
        ("double_data", 8, "DOUBLE", False),
    ],
    "LooseBlobShape": [("dim", 1, "INT64", False)],
    "TransformationParameter": [("mean_value", 5, "FLOAT", False)],
    "LayerParameter": [
        ("name", 1, "STRING", None),
        ("type", 2, "STRING", None),
        ("blobs", 7, "BlobProto", False),
        ("transform_param", 100, "TransformationParameter", None),
    ],
    "LooseLayerParameter": [("name", 1, "STRING", None), ("blobs", 7, "LooseBlobProto", False)],
    "V1LayerParameter": [
        ("bottom", 2, "STRING", False),
        ("name", 4, "STRING", None),
        ("type", 5, "INT32", None),
        ("blobs", 6, "BlobProto", False),
        ("blobs_lr", 7, "FLOAT", False),
    ],
    "NetParameter": [
        ("name", 1, "STRING", None),
        ("layers", 2, "V1LayerParameter", False),
        ("force_backward", 5, "BOOL", None),
        ("layer", 100, "LayerParameter", False),
    ],
    "LooseNetParameter": [("layer", 100, "LooseLayerParameter", False)],
}


@pytest.fixture(scope="module")
def net_parameter():
    """Google's protocol buffers with the messages of Caffe: name to class. Loose ones do not pack their numbers."""
    pytest.importorskip("google.protobuf")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="caffe_for_tests.proto", package="caffe", syntax="proto2")
    for message, fields in FIELDS.items():
        kind = file.message_type.add(name=message)
        for name, number, of, packed in fields:
            field = kind.field.add(name=name, number=number, label=1 if packed is None else 3)
            if of in FIELDS:
                field.type, field.type_name = field.TYPE_MESSAGE, f".caffe.{of}"
            else:
                field.type = getattr(field, f"TYPE_{of}")
                if packed:
                    field.options.packed = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"caffe.{name}"))


def test_googles_protocol_buffers_read_what_is_written(net_parameter, small):
    path, weights = small
    net = net_parameter("NetParameter").FromString(path.read_bytes())
    blobs = {layer.name: layer.blobs for layer in net.layer}
    bias = weights.tensors["classifier.bias"]
    assert list(blobs["loss3/classifier"][1].shape.dim) == [3]
    assert np.array_equal(np.array(blobs["loss3/classifier"][1].data, np.float32), bias.numpy())
    assert list(blobs["data"]) == []
    assert list(net.layer[0].transform_param.mean_value) == [104, 117, 123]


def old_form(net_parameter, blobs):
    """``layers`` with shapes of four axes."""
    net = net_parameter("NetParameter")(name="GoogleNet", force_backward=True)
    net.layers.add(name="data")
    for name, arrays in blobs.items():
        layer = net.layers.add(name=name, bottom=["x", "y"], type=4, blobs_lr=[1, 2])
        for array in arrays:
            shape = (1,) * (4 - array.ndim) + array.shape
            layer.blobs.add(**dict(zip(("num", "channels", "height", "width"), shape, strict=True)), data=array.ravel())
    return net


def loose_form(net_parameter, blobs):
    """``layer`` with double precision, and no list packed."""
    net = net_parameter("LooseNetParameter")()
    for name, arrays in blobs.items():
        layer = net.layer.add(name=name)
        for array in arrays:
            layer.blobs.add(double_data=array.ravel().astype(float)).shape.dim.extend(array.shape)
    return net


@pytest.mark.parametrize("form", [old_form, loose_form])
def test_older_forms_read_the_same(net_parameter, small, tmp_path, form):
    path, weights = small
    other = tmp_path / "other"
    other.write_bytes(form(net_parameter, decode(path.read_bytes()).blobs).SerializeToString())
    assert caffe.recognises(other)
    found = caffe.read(other)
    assert_same(found.tensors, weights.tensors)
    assert found.header.arch == weights.header.arch
    assert ImagePreprocessing.from_dict(found.header.extra["preprocessing"]).mean == (123 / 255, 117 / 255, 104 / 255)


def test_the_mean_is_the_files_own_where_it_says_one(net_parameter, small, tmp_path):
    net = net_parameter("NetParameter").FromString(small[0].read_bytes())
    net.layer[0].transform_param.mean_value[:] = [102, 51, 25.5]
    other = tmp_path / "other.caffemodel"
    other.write_bytes(net.SerializeToString())
    assert caffe.read(other).header.extra["preprocessing"]["mean"] == (0.1, 0.2, 0.4)


# ------------------------------------------------------------------------------------------------ what cannot be read
def sentence_of(tmp_path, content):
    path = tmp_path / "bad.caffemodel"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        caffe.read(path)
    assert str(path) in str(error.value)
    assert str(error.value).endswith(".")
    return str(error.value)


def changed(net_parameter, content, change):
    net = net_parameter("NetParameter").FromString(content)
    change({layer.name: layer for layer in net.layer}, net)
    return net.SerializeToString()


def test_damaged_files_are_sentences(tmp_path, small):
    content = small[0].read_bytes()
    assert "no layer with weights" in sentence_of(tmp_path, b"")
    assert "early" in sentence_of(tmp_path, content[:-1])
    assert "bytes early" in sentence_of(tmp_path, content[: len(content) // 2])
    assert "no whole file of Caffe" in sentence_of(tmp_path, b"<!DOCTYPE html><p>404 Not Found")
    assert "no whole file of Caffe" in sentence_of(tmp_path, b"\xff" * 100)
    with pytest.raises(InputError, match="could not be read"):
        caffe.read(tmp_path / "missing.caffemodel")


def test_other_networks_are_sentences(tmp_path, small, net_parameter):
    content = small[0].read_bytes()

    def sentence(change):
        return sentence_of(tmp_path, changed(net_parameter, content, change))

    assert "lacks inception_4c/3x3 weight" in sentence(lambda layers, net: net.layer.remove(layers["inception_4c/3x3"]))
    assert "lacks loss3/classifier weight" in sentence(lambda layers, net: net.layer.remove(layers["loss3/classifier"]))
    assert "lacks loss1/fc weight" in sentence(lambda layers, net: net.layer.remove(layers["loss1/fc"]))
    assert "lacks conv2/3x3 bias" in sentence(lambda layers, net: layers["conv2/3x3"].blobs.pop())
    extra = sentence(lambda layers, net: net.layer.add(name="bn").blobs.add(data=[1.0]).shape.dim.append(1))
    assert "besides bn weight" in extra
    turned = sentence(lambda layers, net: layers["loss1/fc"].blobs[0].shape.dim.reverse())
    assert "another shape: loss1/fc weight" in turned
    wrong = sentence(lambda layers, net: layers["loss1/fc"].blobs[0].shape.dim.append(2))
    assert "numbers says that its shape is" in wrong
    assert "a blob of 0 numbers" in sentence(lambda layers, net: layers["loss1/fc"].blobs[0].ClearField("data"))
    giant = [0, 2**62, 2**62]
    shape = sentence(lambda layers, net: layers["loss1/fc"].blobs[0].shape.dim.extend(giant))
    assert "numbers says" in shape


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_cut_is_read(small_file, tmp_path_factory, data):
    cut = small_file[: data.draw(st.integers(0, len(small_file) - 1))]
    sentence_of(tmp_path_factory.mktemp("cut"), cut)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_file_is_read_or_is_a_sentence(small_file, tmp_path_factory, data):
    content = bytearray(small_file)
    near = st.one_of(st.integers(0, 200), st.integers(0, len(content) - 1))
    for place in data.draw(st.lists(near, min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "changed.caffemodel"
    path.write_bytes(content)
    try:
        caffe.read(path)
    except InputError as error:
        assert str(error).endswith(".")


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300))
def test_random_bytes_are_a_sentence(tmp_path_factory, content):
    sentence_of(tmp_path_factory.mktemp("random"), content)


# ------------------------------------------------------------------------------------------------ what is not one
def test_recognises_caffes_files_only(tmp_path, small):
    assert caffe.recognises(small[0])
    assert not caffe.recognises(tmp_path / "missing.caffemodel")
    assert not caffe.recognises(tmp_path)
    other = tmp_path / "other.bin"
    for content in (b"", b"\x0a", b"\x0a\x03abc", b"\x08\x07\x12\x03abc", b"PK\x03\x04", small[0].read_bytes()[:-1]):
        other.write_bytes(content)
        assert not caffe.recognises(other)


@pytest.mark.parametrize("name", [name for name in list_models() if name != "googlenet"])
def test_other_architectures_have_no_names_in_caffe(tmp_path, name):
    path = tmp_path / "some.caffemodel"
    with pytest.raises(InputError, match=rf"^{name} .*Use \.safetensors"):
        caffe.write(weights_of(create_model(name, **SMALL)), path)
    assert list(tmp_path.iterdir()) == []


def test_other_inputs_and_changed_layers_have_no_names_in_caffe(tmp_path):
    for model in (create_model("googlenet", in_channels=1, **SMALL), create_model("googlenet", norm="batch", **SMALL)):
        with pytest.raises(InputError, match="googlenet with"):
            caffe.write(weights_of(model), tmp_path / "some.caffemodel")


def test_reading_warns_of_nothing(small):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        caffe.read(small[0])
