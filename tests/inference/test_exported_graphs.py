"""Exported models are files of strangers too: what they would have a runtime do is found out before it sees them."""

import json
import random
import re
import subprocess
import sys

import numpy as np
import pytest

from googlenet import InputError, create_model, load
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.inference.engines.backend import BACKENDS
from googlenet.inference.export import export, notes_of
from googlenet.inference.pipeline import Pipeline

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
from onnx import TensorProto as T
from onnx import helper as h

from googlenet.inference.engines.onnx_graph import BATCH, examined
from googlenet.inference.engines.onnx_shapes import OPERATORS

CLASSES = ("a", "b")
READS = ImagePreprocessing(1, 24, 24, (0.3,), (0.3,))
NOTES = json.dumps({"classes": list(CLASSES), "preprocessing": READS.to_dict()})


@pytest.fixture(scope="module")
def exported(tmp_path_factory, short):
    """A small network, exported for both runtimes."""
    folder = tmp_path_factory.mktemp("exported")
    model = create_model("short_2d", 2, 1, width=0.05, auxiliary=False).eval()
    pipeline = Pipeline([model], READS)
    for form in ("onnx", "openvino"):
        export(pipeline, notes_of(pipeline, CLASSES), form, folder / f"m{BACKENDS[form].suffix}")
    return folder


def graph_of(nodes, *constants, out=(2,), functions=(), opsets=(), given=("n", 1, 24, 24), notes=NOTES):
    """A file whose graph is of those nodes, from ``inputs`` to ``out``."""
    graph = h.make_graph(
        nodes,
        "g",
        [h.make_tensor_value_info("inputs", T.UINT8, given)],
        [h.make_tensor_value_info("out", T.FLOAT, out)],
        list(constants),
    )
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17), *opsets], ir_version=8, functions=functions)
    entry = model.metadata_props.add()
    entry.key, entry.value = "googlenet", notes
    return model


def ints(name, *values):
    return h.make_tensor(name, T.INT64, [len(values)], values)


def loop():
    body = h.make_graph(
        [h.make_node("Identity", ["c"], ["c2"]), h.make_node("Identity", ["v"], ["v2"])],
        "b",
        [h.make_tensor_value_info(n, k, s) for n, k, s in (("i", T.INT64, []), ("c", T.BOOL, []), ("v", T.FLOAT, [2]))],
        [h.make_tensor_value_info(n, k, s) for n, k, s in (("c2", T.BOOL, []), ("v2", T.FLOAT, [2]))],
    )
    start = [h.make_tensor("t", T.BOOL, [], [True]), h.make_tensor("v0", T.FLOAT, [2], [0.5, 0.5])]
    return graph_of([h.make_node("Loop", ["", "t", "v0"], ["out"], body=body)], *start)


def choice():
    branch = h.make_graph([h.make_node("Identity", ["inputs"], ["y"])], "b", [], [])
    node = h.make_node("If", ["t"], ["out"], then_branch=branch, else_branch=branch)
    return graph_of([node], h.make_tensor("t", T.BOOL, [], [True]))


def in_another_file():
    model = graph_of([h.make_node("Add", ["inputs", "w"], ["out"])], h.make_tensor("w", T.FLOAT, [1], [1.0]))
    tensor = model.graph.initializer[0]
    tensor.ClearField("float_data")
    tensor.data_location = T.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return model


def doubled():
    nodes = [h.make_node("Concat", [f"x{at}"] * 2, [f"x{at + 1}"], axis=3) for at in range(40)]
    return graph_of([h.make_node("Identity", ["inputs"], ["x0"]), *nodes, h.make_node("Identity", ["x40"], ["out"])])


def slow():
    kernel = {"kernel_shape": [63, 63], "pads": [31] * 4}
    nodes = [h.make_node("MaxPool", [f"x{at}"], [f"x{at + 1}"], **kernel) for at in range(10_000)]
    return graph_of([h.make_node("Identity", ["inputs"], ["x0"]), *nodes, h.make_node("Identity", ["x10000"], ["out"])])


def function():
    body = [h.make_node("Identity", ["x"], ["y"])]
    made = h.make_function("own", "f", ["x"], ["y"], body, [h.make_opsetid("", 17)])
    node = h.make_node("f", ["inputs"], ["out"], domain="own")
    return graph_of([node], functions=[made], opsets=[h.make_opsetid("own", 1)])


def relu(**how):
    return graph_of([h.make_node("Relu", ["inputs"], ["out"])], **how)


def larger(kind, attributes, *constants):
    names = [constant.name for constant in constants]
    return graph_of([h.make_node(kind, ["inputs", *names], ["out"], **attributes)], *constants)


HOSTILE = {
    "loop": (loop, "Loop|graph of its own"),
    "if": (choice, "If|graph of its own"),
    "constant of a shape": (
        lambda: graph_of([h.make_node("ConstantOfShape", ["s"], ["out"])], ints("s", 600_000_000)),
        "ConstantOfShape",
    ),
    "expand": (lambda: larger("Expand", {}, ints("s", 10**9, 1, 24, 24)), "Expand"),
    "tile": (lambda: larger("Tile", {}, ints("s", 10**5, 1, 1, 10**5)), "Tile"),
    "resize": (
        lambda: graph_of([h.make_node("Resize", ["inputs", "", "", "s"], ["out"])], ints("s", 1, 1, 9, 9)),
        "Resize",
    ),
    "pad": (lambda: larger("Pad", {}, ints("p", 0, 0, 10**6, 0, 0, 0, 10**6, 0)), "shape|bytes for one input"),
    "doubled": (doubled, "shape|bytes for one input"),
    "padded pool": (
        lambda: larger("MaxPool", {"kernel_shape": [3, 3], "pads": [10**6] * 4}),
        "shape|bytes for one input",
    ),
    "stride 0": (lambda: larger("MaxPool", {"kernel_shape": [3, 3], "strides": [0, 1]}), "does not fit"),
    "hours": (slow, "multiply-adds"),
    "another file": (in_another_file, "another file"),
    "another domain": (
        lambda: graph_of([h.make_node("X", ["inputs"], ["out"], domain="own")], opsets=[h.make_opsetid("own", 1)]),
        "own",
    ),
    "function": (function, "functions of its own"),
    "shape from data": (lambda: larger("Reshape", {}, h.make_tensor("w", T.FLOAT, [4], [1.0] * 4)), "does not fit"),
    "later": (lambda: graph_of([h.make_node("Relu", ["x"], ["out"])]), "no node before"),
    "no end": (lambda: graph_of([h.make_node("Relu", ["inputs"], ["x"])]), "gives its output"),
    "another input": (
        lambda: relu(given=("n", 3, 24, 24)),
        "reads .3, 24, 24.",
    ),
    "one example alone": (lambda: relu(given=(1, 1, 24, 24)), "any number"),
    "another output": (lambda: graph_of([h.make_node("Flatten", ["inputs"], ["out"])]), "gives .576,. probabilities"),
    "no notes": (
        lambda: graph_of([h.make_node("Relu", ["inputs"], ["out"])], notes="[]"),
        "does not say which classes",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_graph_that_would_run_exhaust_or_lie_is_a_sentence(tmp_path, monkeypatch, name):
    from googlenet.inference.engines import onnx as engine

    made, sentence = HOSTILE[name]
    path = tmp_path / "x.onnx"
    path.write_bytes(made().SerializeToString())
    monkeypatch.setattr(engine.onnxruntime, "InferenceSession", None)  # it is not asked
    with pytest.raises(InputError, match=sentence) as raised:
        load(path)
    assert "\n" not in str(raised.value)


def test_fewer_names_of_classes_than_outputs_are_noticed(exported, tmp_path):
    model = onnx.load(exported / "m.onnx")
    notes = json.loads(model.metadata_props[0].value) | {"classes": ["a"], "digest": ""}
    model.metadata_props[0].value = json.dumps(notes)
    onnx.save(model, tmp_path / "x.onnx")
    with pytest.raises(InputError, match=r"names 1 classes, and gives \(2,\)"):
        load(tmp_path / "x.onnx")


def test_more_numbers_than_the_architecture_has_are_noticed(exported, tmp_path):
    model = onnx.load(exported / "m.onnx")
    model.metadata_props[0].value = json.dumps(json.loads(model.metadata_props[0].value) | {"digest": ""})
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(10**7, np.float32), "more"))
    onnx.save(model, tmp_path / "x.onnx")
    with pytest.raises(InputError, match="and its notes are of one with"):
        load(tmp_path / "x.onnx")


def test_shapes_are_those_that_the_package_onnx_infers(exported):
    content = (exported / "m.onnx").read_bytes()
    model = onnx.load_from_string(content)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = BATCH
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    largest = 0
    for info in inferred.graph.value_info:
        dims = [dim.dim_value for dim in info.type.tensor_type.shape.dim]
        largest = max(largest, 4 * int(np.prod(dims)) if all(dims) else 0)
    assert examined(content).size.largest == largest // BATCH
    assert {node.op_type for node in model.graph.node} <= set(OPERATORS)


# ------------------------------------------------------------------------------------------------- OpenVINO
def altered(exported, folder, old, new, content=None):
    """The pair of files with something else in its .xml."""
    text = (exported / "m.xml").read_text()
    assert old in text
    text = re.sub(r"(digest&quot;: &quot;)[0-9a-f]{64}", r"\1", text)  # as of one who writes what is like an older file
    (folder / "x.xml").write_text(text.replace(old, new))
    (folder / "x.bin").write_bytes((exported / "m.bin").read_bytes() if content is None else content)
    return folder / "x.xml"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('type="ReLU"', 'type="Loop"', "Loop"),
        ('type="ReLU" version="opset1"', 'type="Own" version="extension"', "Own"),
        ("<net ", "<!DOCTYPE x [<!ENTITY a 'b'>]><net ", "does not begin"),
        ('offset="0"', 'offset="99999999"', "beyond the end"),
        ('offset="0"', 'offset="-8"', "beyond the end"),
        ("&quot;a&quot;, &quot;b&quot;", "&quot;a&quot;", "names 1 classes"),
        ("&quot;a&quot;, &quot;b&quot;", "&#255;", "does not say which classes"),
    ],
)
def test_a_model_of_openvino_that_would_run_or_lie_is_a_sentence(exported, tmp_path, old, new, sentence):
    path = altered(exported, tmp_path, old, new)
    with pytest.raises(InputError, match=sentence) as raised:
        load(path)
    assert "\n" not in str(raised.value)


def test_a_bin_that_is_cut_off_is_a_sentence(exported, tmp_path):
    with pytest.raises(InputError, match="beyond the end"):
        load(altered(exported, tmp_path, "<net ", "<net ", b"\0" * 100))


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_what_was_exported_is_read_and_answers(exported, form):
    predictor = load(exported / f"m{BACKENDS[form].suffix}")
    assert predictor.probabilities(np.zeros((3, 24, 24, 1), np.uint8)).shape == (3, 2)


@pytest.mark.parametrize(("name", "beside"), [("m.onnx", ()), ("m.xml", ("m.bin",)), ("m.bin", ("m.xml",))])
def test_a_bit_that_was_flipped_is_noticed(exported, tmp_path, name, beside):
    for other in beside:
        (tmp_path / other).write_bytes((exported / other).read_bytes())
    content = (exported / name).read_bytes()
    for place in random.Random(0).sample(range(len(content)), 40):
        (tmp_path / name).write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        with pytest.raises(InputError):
            load(tmp_path / name.replace(".bin", ".xml"))


def test_files_of_older_versions_have_no_digest_and_are_read(exported, tmp_path):
    model = onnx.load(exported / "m.onnx")
    notes = json.loads(model.metadata_props[0].value)
    del notes["digest"]
    model.metadata_props[0].value = json.dumps(notes)
    onnx.save(model, tmp_path / "m.onnx")
    load(tmp_path / "m.onnx")
    load(altered(exported, tmp_path, "<net ", "<net "))


def test_an_answer_that_is_no_number_is_an_error(exported, monkeypatch):
    predictor = load(exported / "m.onnx")
    found = np.array([[0.5, 0.5], [np.nan, np.nan], [0.25, 0.75]], np.float32)
    monkeypatch.setattr(type(predictor.engine), "__call__", lambda self, inputs: found[: len(inputs)])
    first, second, third = predictor.predict(np.zeros((3, 24, 24, 1), np.uint8))
    assert "no numbers" in second.error and not first.error and third.label == "b"


def test_a_graph_is_looked_at_without_pytorch(exported):
    program = "import sys; from googlenet import load; load(sys.argv[1]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program, exported / "m.onnx"], check=True, timeout=60)
