"""TensorFlow's inception5h: a frozen graph of its nodes with random weights, which OpenCV runs and we read."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import googlenet
from googlenet import InputError
from googlenet.arch.variants import INCEPTION5H
from googlenet.weights import formats, identify, network_of, read_source
from googlenet.weights.catalogue import CATALOGUE
from googlenet.weights.foreign.tensorflow.graph_def import is_graph, nodes_of

graph_pb2 = pytest.importorskip("tensorboard.compat.proto.graph_pb2")

CLASSES = 1008
# Widths in the graph: 1x1, 3x3 bottleneck, 3x3, 5x5 bottleneck, 5x5, pool reduce.
MIXED = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 204, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 48, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLS = {"3b": "maxpool4", "4e": "maxpool10"}
HEADS = {"4a": 0, "4d": 1}


class Graph:
    """Writes the nodes of the published graph, with the attributes that they have there."""

    def __init__(self):
        self.definition = graph_pb2.GraphDef()
        self.draws = np.random.default_rng(0)
        self.values = {}
        self.add("input", "Placeholder", [])

    def add(self, name, op, inputs, **attributes):
        node = self.definition.node.add(name=name, op=op, input=inputs)
        node.attr["T" if op not in ("Placeholder", "Const") else "dtype"].type = 1
        for key, value in attributes.items():
            if isinstance(value, str):
                node.attr[key].s = value.encode()
            elif isinstance(value, float):
                node.attr[key].f = value
            elif isinstance(value, int):
                node.attr[key].i = value
            else:
                node.attr[key].list.i.extend(value)
        return name

    def constant(self, name, value):
        value = np.asarray(value)
        node = self.definition.node.add(name=name, op="Const")
        kind = {"f": 1, "i": 3}[value.dtype.kind]
        node.attr["dtype"].type = kind
        tensor = node.attr["value"].tensor
        tensor.dtype = kind
        for n in value.shape:
            tensor.tensor_shape.dim.add(size=n)
        if value.ndim:
            tensor.tensor_content = value.tobytes()
        else:
            tensor.int_val.append(int(value))
        return name

    def weights(self, name, *shape):
        fan_in = np.prod(shape[:-1])
        self.values[f"{name}_w"] = (self.draws.standard_normal(shape) * (2 / fan_in) ** 0.5).astype(np.float32)
        self.values[f"{name}_b"] = (self.draws.standard_normal(shape[-1]) / 10).astype(np.float32)
        return [self.constant(key, self.values[key]) for key in (f"{name}_w", f"{name}_b")]

    def conv(self, x, name, into, out, kernel=1, stride=1):
        w, b = self.weights(name, kernel, kernel, into, out)
        strides, padding = [1, stride, stride, 1], "SAME"
        y = self.add(f"{name}_pre_relu/conv", "Conv2D", [x, w], strides=strides, padding=padding)
        return self.add(name, "Relu", [self.add(f"{name}_pre_relu", "BiasAdd", [y, b])])

    def pool(self, x, name, op="MaxPool", size=3, stride=2, padding="SAME"):
        return self.add(name, op, [x], ksize=[1, size, size, 1], strides=[1, stride, stride, 1], padding=padding)

    def norm(self, x, name):
        return self.add(name, "LRN", [x], depth_radius=5, bias=2.0, alpha=1e-4, beta=0.5)

    def linear(self, x, name, shape, weights):
        """A matrix product and what is added; called ``NAME/matmul`` and NAME."""
        w, b = self.weights(weights, *shape)
        return self.add(name, "Add", [self.add(f"{name}/matmul", "MatMul", [x, w]), b])

    def flat(self, x, size):
        shape = self.constant(f"{x}/reshape/shape", np.array([-1, size], np.int32))
        return self.add(f"{x}/reshape", "Reshape", [x, shape], Tshape=3)

    def mixed(self, x, name, into):
        n1, r3, n3, r5, n5, proj = MIXED[name]
        name = f"mixed{name}"
        ends = [
            self.conv(x, f"{name}_1x1", into, n1),
            self.conv(self.conv(x, f"{name}_3x3_bottleneck", into, r3), f"{name}_3x3", r3, n3, 3),
            self.conv(self.conv(x, f"{name}_5x5_bottleneck", into, r5), f"{name}_5x5", r5, n5, 5),
            self.conv(self.pool(x, f"{name}_pool", stride=1), f"{name}_pool_reduce", into, proj),
        ]
        axis = self.constant(f"{name}/concat_dim", np.int32(3))
        return self.add(name, "Concat", [axis, *ends], N=4), n1 + n3 + n5 + proj

    def head(self, x, number, channels):
        x = self.pool(x, f"head{number}_pool", "AvgPool", 5, 3, "VALID")
        x = self.flat(self.conv(x, f"head{number}_bottleneck", channels, 128), 2048)
        x = self.add(f"nn{number}", "Relu", [self.linear(x, f"nn{number}_pre_relu", (2048, 1024), f"nn{number}")])
        x = self.linear(x, f"softmax{number}_pre_activation", (1024, CLASSES), f"softmax{number}")
        self.add(f"softmax{number}", "Softmax", [x])


def published():
    graph = Graph()
    x = graph.pool(graph.conv("input", "conv2d0", 3, 64, 7, 2), "maxpool0")
    x = graph.conv(graph.norm(x, "localresponsenorm0"), "conv2d1", 64, 64)
    x = graph.pool(graph.norm(graph.conv(x, "conv2d2", 64, 192, 3), "localresponsenorm1"), "maxpool1")
    channels, at = 192, {}
    for name in MIXED:
        x, channels = graph.mixed(x, name, channels)
        at[name] = x, channels
        x = graph.pool(x, POOLS[name]) if name in POOLS else x
    x = graph.flat(graph.pool(x, "avgpool0", "AvgPool", 7, 1, "VALID"), 1024)
    graph.add("softmax2", "Softmax", [graph.linear(x, "softmax2_pre_activation", (1024, CLASSES), "softmax2")])
    for name, number in HEADS.items():
        graph.head(at[name][0], number, at[name][1])
    return graph


@pytest.fixture(scope="module")
def graph():
    return published()


@pytest.fixture(scope="module")
def path(graph, tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "tensorflow_inception_graph.pb"
    path.write_bytes(graph.definition.SerializeToString())
    return path


@pytest.fixture(scope="module")
def network(path):
    return network_of(read_source(path))


@pytest.fixture(scope="module")
def pixels():
    """Pixels from 0 to 255 less 117, red, green, blue."""
    return torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 255 - 117


def test_the_variant_is_the_graphs_network(path, network):
    assert network.arch == INCEPTION5H  # the response norms of the graph are the row's
    assert (network.num_classes, network.in_channels) == (CLASSES, 3)
    header = read_source(path).header
    found = identify(path)
    assert (found.format, found.arch, found.classes, found.auxiliary) == (
        "inception5h",
        "inception5h",
        1008,
        ("4a", "4d"),
    )
    assert (found.third_kernel, found.norm) == (5, "biases")
    row = header.extra["preprocessing"]
    assert [255 * value for value in row["mean"]] == pytest.approx([117] * 3)
    assert [255 * value for value in row["std"]] == pytest.approx([1] * 3)
    assert "classes" not in header.extra


def test_maps_and_probabilities_are_opencvs(path, network, pixels):
    cv2 = pytest.importorskip("cv2")
    theirs = cv2.dnn.readNetFromTensorflow(str(path))
    theirs.setInput(pixels.numpy())
    names = ["localresponsenorm0", "localresponsenorm1", "maxpool1", *(f"mixed{name}" for name in MIXED)]
    found = theirs.forward([*names, "softmax2"])
    with torch.no_grad():
        ours = network.intermediates(pixels, ["norm1", "norm2", "pool2", *MIXED])
        probabilities = network(pixels).softmax(1)
    assert ours["4a"].shape == (1, 508, 14, 14)
    for name, wanted, mine in zip(names, found, ours.values(), strict=False):
        scale = np.abs(wanted).max()
        np.testing.assert_allclose(mine.numpy() / scale, wanted / scale, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(probabilities.numpy(), found[-1].reshape(1, -1), atol=1e-4)
    assert probabilities.max() > 0.01  # not the same for all


def test_auxiliary_classifiers_read_rows_columns_and_then_channels(graph, network, pixels):
    with torch.no_grad():
        logits, aux = network(pixels, return_aux=True)
        maps = network.intermediates(pixels, list(HEADS))
    for found, (name, number) in zip(aux, HEADS.items(), strict=True):
        x = maps[name].numpy()[0].transpose(1, 2, 0)
        cells = [[x[3 * r : 3 * r + 5, 3 * c : 3 * c + 5].mean((0, 1)) for c in range(4)] for r in range(4)]
        value = graph.values
        w, b = value[f"head{number}_bottleneck_w"][0, 0], value[f"head{number}_bottleneck_b"]
        flat = np.maximum(np.array(cells) @ w + b, 0).reshape(-1)
        hidden = np.maximum(flat @ value[f"nn{number}_w"] + value[f"nn{number}_b"], 0)
        wanted = hidden @ value[f"softmax{number}_w"] + value[f"softmax{number}_b"]
        np.testing.assert_allclose(found.numpy()[0], wanted, rtol=1e-3, atol=1e-3)
    assert logits.shape == (1, CLASSES)


def test_the_response_norm_is_not_that_of_the_ports(path, pixels):
    """Ports to PyTorch have a size of 9, k 1 and alpha of a mean (github.com/greentfrapp/lucent, pull request 51)."""
    x = torch.relu(pixels[0].reshape(1, 64, 48, 49))
    theirs = torch.nn.functional.local_response_norm(x, 9, 1e-4, 0.5, 1)
    norm = INCEPTION5H.stages[0].layers[2]
    ours = torch.nn.functional.local_response_norm(x, norm.size, norm.alpha, norm.beta, norm.k)
    squares = torch.nn.functional.pad(x.square(), (0, 0, 0, 0, 5, 5)).unfold(1, 11, 1).sum(-1)
    torch.testing.assert_close(ours, x / (2 + 1e-4 * squares).sqrt())
    assert (ours - theirs).abs().max() > 10


def test_a_graph_with_other_norms_is_read_with_those(graph, tmp_path):
    other = graph_pb2.GraphDef()
    other.CopyFrom(graph.definition)
    for node in other.node:
        if node.name == "localresponsenorm1":
            node.attr["depth_radius"].i = 2
            del node.attr["bias"], node.attr["alpha"], node.attr["beta"]  # TensorFlow's defaults: 1, 1 and 0.5
    (tmp_path / "other.pb").write_bytes(other.SerializeToString())
    first, second = (layer for layer in read_source(tmp_path / "other.pb").header.arch.layers() if "norm" in layer.name)
    assert first == INCEPTION5H.stages[0].layers[2]
    assert (second.size, second.alpha, second.beta, second.k) == (5, 5.0, 0.5, 1.0)


def without(graph, *starts):
    fewer = graph_pb2.GraphDef()
    fewer.node.extend(node for node in graph.definition.node if not node.name.startswith(starts))
    return fewer.SerializeToString()


def test_without_auxiliary_classifiers(graph, tmp_path, pixels, network):
    (tmp_path / "InceptionV1.pb").write_bytes(without(graph, "head", "nn", "softmax0", "softmax1"))
    fewer = network_of(read_source(tmp_path / "InceptionV1.pb"))
    assert len(fewer.auxiliary) == 0
    with torch.no_grad():
        assert torch.equal(fewer(pixels), network(pixels))


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("localresponsenorm0", "no LRN called localresponsenorm0"),
        ("mixed3b_5x5_w", "lacks mixed3b_5x5_w"),
        ("softmax2", "lacks softmax2_w, softmax2_b"),
        ("nn1", "lacks nn1_w, nn1_b"),
    ],
)
def test_what_is_missing_is_named(graph, tmp_path, part, sentence):
    (tmp_path / "fewer.pb").write_bytes(without(graph, part))
    with pytest.raises(InputError, match=sentence):
        read_source(tmp_path / "fewer.pb")


def test_other_graphs_are_surveyed(tmp_path):
    other = Graph()
    other.conv("input", "InceptionV1/Conv2d_1a_7x7/weights", 3, 64, 7, 2)
    (tmp_path / "slim.pb").write_bytes(other.definition.SerializeToString())
    found = identify(tmp_path / "slim.pb")
    assert (found.format, found.channels, found.tensors) == ("", 3, 2)
    assert "no LRN" in found.quirks[0]


def test_it_predicts_and_is_converted(path, tmp_path):
    formats.write(read_source(path), tmp_path / "lucid.safetensors")
    with pytest.warns(RuntimeWarning, match="does not name its 1008 classes"):
        predictor = googlenet.load(tmp_path / "lucid.safetensors", engine="torch")
    picture = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    found = predictor.probabilities(picture)
    x = torch.from_numpy(picture[16:240, 16:240].transpose(2, 0, 1)[None].astype(np.float32)) - 117
    with torch.no_grad():
        wanted = googlenet.load_model(path)(x).softmax(1).numpy()
    np.testing.assert_allclose(found, wanted, atol=0.02)
    assert not any(record.arch == "inception5h" for record in CATALOGUE.values())  # nothing to fetch yet


# ------------------------------------------------------------------------------------------------ damaged files
@pytest.fixture(scope="module")
def little():
    small = Graph()
    small.norm(small.conv("input", "conv2d0", 1, 2, 1), "localresponsenorm0")
    return small.definition.SerializeToString()


@settings(max_examples=150, deadline=None)
@given(draws=st.data())
def test_damaged_graphs_are_sentences(little, tmp_path_factory, draws):
    content = bytearray(little)
    place = draws.draw(st.integers(0, len(content) - 1))
    if draws.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= draws.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "graph.pb"
    path.write_bytes(content)
    for reader in (read_source, nodes_of):
        try:
            reader(path)
        except InputError as error:
            assert str(path) in str(error) and str(error).endswith(".")
        else:
            assert reader is nodes_of


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x0a",
        b"\x0a\x09GoogleNet",
        b"\x08\x07\x12\x04",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"text",
    ],
)
def test_what_is_no_graph(tmp_path, content):
    (tmp_path / "file.pb").write_bytes(content)
    assert not is_graph(tmp_path / "file.pb")
    assert not is_graph(tmp_path)


def test_a_tensor_of_no_end_is_refused(tmp_path):
    graph = Graph()
    graph.conv("input", "conv2d0", 1, 2, 1)
    for node in graph.definition.node:
        if node.name == "conv2d0_w":
            node.attr["value"].tensor.tensor_shape.dim[0].size = 2**62
    graph.norm("conv2d0", "localresponsenorm0")
    (tmp_path / "large.pb").write_bytes(graph.definition.SerializeToString())
    with pytest.raises(InputError, match="larger than graphs can be"):
        read_source(tmp_path / "large.pb")
