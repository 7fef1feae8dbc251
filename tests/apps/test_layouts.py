"""Model repositories: where Triton and OpenVINO Model Server look, and what they are told."""

import json

import numpy as np
import pytest

import googlenet
from conftest import run_cli
from googlenet.apps.layouts import export_layout
from googlenet.errors import InputError

RUN = "googlenet_1d.gunpoint"


def test_tritons_repository(tmp_path):
    path, found, _ = export_layout([RUN], "triton", None, tmp_path / "models" / "gun", None)
    assert path == tmp_path / "models" / "gun" / "1" / "model.onnx" and found.agreement == 1
    assert (path.parents[1] / "labels.txt").read_text().split() == list(googlenet.load(path).classes)
    text = (path.parents[1] / "config.pbtxt").read_text()
    assert 'name: "gun"' in text and 'backend: "onnxruntime"' in text
    configuration = pytest.importorskip("tritonclient.grpc.model_config_pb2")
    from google.protobuf import text_format

    read = text_format.Parse(text, configuration.ModelConfig())
    shape = googlenet.load(path).preprocessing.input_shape
    assert (tuple(read.input[0].dims), tuple(read.output[0].dims)) == (shape, (2,))
    assert read.input[0].name == "inputs" and read.output[0].name == "probabilities"


def test_openvino_model_servers_repository(tmp_path):
    path, _, _ = export_layout([RUN], "ovms", None, tmp_path / "gun", None)
    assert sorted(each.name for each in path.parent.iterdir()) == ["model.bin", "model.xml"]
    (row,) = json.loads((tmp_path / "gun" / "config.json").read_text())["model_config_list"]
    assert row["config"]["name"] == "gun" and row["config"]["base_path"] == "/models/gun"
    signals = np.random.default_rng(0).normal(size=(3, 1, 150))
    wanted = googlenet.load(RUN).probabilities(signals)
    np.testing.assert_allclose(googlenet.load(path).probabilities(signals), wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("layout", "form", "name", "said"),
    [
        ("seldon", None, "gun", "no layout 'seldon'"),
        ("triton", "torch", "gun", "triton serves onnx and openvino, not torch"),
        ("triton", None, "a b", "names no model"),
    ],
)
def test_what_cannot_be_laid_out_gets_a_sentence(layout, form, name, said, tmp_path):
    with pytest.raises(InputError, match=said):
        export_layout([RUN], layout, form, tmp_path / name, None)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced_and_nothing_left_of_what_failed(tmp_path):
    (tmp_path / "gun").mkdir()
    (tmp_path / "gun" / "mine").write_text("mine")
    done = run_cli("export", RUN, "--layout", "triton", "--out", "gun", cwd=tmp_path)
    assert done.returncode == 1 and "holds something already" in done.stderr
    assert [path.name for path in (tmp_path / "gun").iterdir()] == ["mine"]
    done = run_cli("export", "nothing", "--layout", "triton", "--out", "new", cwd=tmp_path)
    assert done.returncode == 1 and not (tmp_path / "new").exists()
    done = run_cli("export", RUN, "--layout", "triton", cwd=tmp_path)
    assert done.returncode == 1 and "--out models/NAME" in done.stderr
