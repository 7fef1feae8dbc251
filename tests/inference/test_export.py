"""Exported networks: the same function, in files that other programs read, without PyTorch."""

import dataclasses
import io
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

import googlenet
from conftest import run_cli
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preprocessing import SignalPreprocessing
from googlenet.inference import export as exporting
from googlenet.inference.engines.backend import BACKENDS
from googlenet.inference.engines.engine import Chunk, Engine
from googlenet.inference.load import fastest, load, load_pipeline
from googlenet.inference.pipeline import Pipeline
from googlenet.weights.create import save_weights

for library in ("onnx", "onnxscript", "onnxruntime", "openvino", "nncf"):
    pytest.importorskip(library, reason=f"{library} is in the extra `quantize`")

import onnx
import onnxruntime

CLASSES = ("cat", "dog", "emu")
GREY = ImagePreprocessing(1, 32, 32, (0.4,), (0.3,))


def random_norms(model, seed=0):
    """Statistics and scales as a trained network has them: without, folding would have nothing to do."""
    generator = torch.Generator().manual_seed(seed)
    for key, tensor in model.state_dict().items():
        if "norm" in key and tensor.ndim:
            tensor.uniform_(0.5, 1.5, generator=generator)
    with torch.no_grad():
        model.classifier.weight.mul_(20)  # answers that differ between inputs
    return model.eval()


def weights(folder, name="googlenet_small", preprocessing=GREY, seed=0, **changes):
    torch.manual_seed(seed)
    channels = preprocessing.channels if isinstance(preprocessing, Preprocessing) else preprocessing.inputs
    model = random_norms(googlenet.create_model(name, 3, channels, width=0.25, **changes), seed)
    path = folder / f"{name}-{seed}.safetensors"
    save_weights(model, path, classes=CLASSES, preprocessing=preprocessing.to_dict())
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Weights, and the model exported in every format."""
    folder = tmp_path_factory.mktemp("exported")
    run = weights(folder)
    network, classes = load_pipeline(run)
    notes = {"classes": classes, "preprocessing": network.preprocessing.to_dict()}
    paths = {form: folder / f"model{BACKENDS[form].suffix}" for form in BACKENDS}
    for form, path in paths.items():
        found = exporting.export(network, notes, form, path)
        assert found.count == 32 and found.agreement == 1 and found.largest < 1e-5
    assert not list(folder.glob(".*"))
    return {"run": run} | paths


def pictures(n=21, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32), dtype=np.uint8)


@pytest.mark.parametrize("form", BACKENDS)
def test_an_exported_network_labels_as_the_network_does(files, form):
    network, _ = load_pipeline(files["run"])
    with torch.inference_mode():
        expected = network(torch.from_numpy(pictures()[:, None]))
    predictor = load(files[form])
    assert predictor.classes == CLASSES and predictor.preprocessing == GREY
    tolerance = 0.03 if "bf16" in predictor.engine.name else 1e-5
    np.testing.assert_allclose(predictor.probabilities(pictures()[:, None]), expected, atol=tolerance)
    # One at a time, as many, through the public door; order kept.
    guesses = [prediction.top for prediction in predictor.predict(list(pictures()), top=2)]
    assert [len(top) for top in guesses] == [2] * 21
    for top, row in zip(guesses, predictor.probabilities(pictures()[:, None]), strict=True):
        assert top[0][1] == pytest.approx(row.max(), abs=tolerance)


@pytest.mark.parametrize("engine", BACKENDS)
def test_every_engine_computes_a_network_in_memory(files, engine):
    expected = load(files["run"], engine="torch").probabilities(pictures()[:, None])
    np.testing.assert_allclose(
        load(files["run"], engine=engine).probabilities(pictures()[:, None]), expected, atol=0.05
    )


def test_the_fastest_engine_for_pictures_is_openvino_and_for_signals_pytorch(files):
    if torch.cuda.is_available():
        pytest.skip("a GPU is faster")
    assert fastest(load_pipeline(files["run"])[0]) == "openvino"
    signals = SignalPreprocessing(1, 50, (0.0,), (1.0,), (1.0,))
    assert fastest(Pipeline([], signals)) == "torch"
    assert "OpenVINO" in load(files["run"]).engine.name


def test_onnx_is_read_by_others(files):
    proto = onnx.load(files["onnx"])
    onnx.checker.check_model(proto, full_check=True)
    (entry,) = proto.graph.input
    dims = entry.type.tensor_type.shape.dim
    assert entry.name == "inputs" and entry.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert dims[0].dim_param and [d.dim_value for d in dims[1:]] == [1, 32, 32]
    assert not any(node.op_type == "BatchNormalization" for node in proto.graph.node)
    assert json.loads({p.key: p.value for p in proto.metadata_props}["googlenet"])["classes"] == list(CLASSES)
    session = onnxruntime.InferenceSession(files["onnx"])
    for n in (1, 5):
        (probabilities,) = session.run(None, {"inputs": pictures(n)[:, None]})
        assert probabilities.shape == (n, 3)
        np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_exported_networks_predict_without_pytorch(files, form):
    code = (
        "import sys, numpy\n"
        "from googlenet.inference.load import load\n"
        f"prediction, = load({str(files[form])!r}).predict(numpy.zeros((40, 50), numpy.uint8))\n"
        "assert prediction.label in ('cat', 'dog', 'emu')\n"
        "found = {'torch', 'torchvision', 'sklearn', 'openvino_telemetry'} & {m for m, v in sys.modules.items() if v}\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_several_runs_are_one_model_and_mirrored_pictures_are_seen_twice(tmp_path):
    mirrored = ImagePreprocessing(1, 32, 32, (0.4,), (0.3,), mirror=True)
    runs = [weights(tmp_path, preprocessing=mirrored, seed=seed) for seed in (1, 2)]
    result = run_cli("export", *runs, "--out", tmp_path / "both.onnx")
    assert result.returncode == 0 and "100.0% of 32" in result.stdout, result.stderr
    both = load(tmp_path / "both.onnx").probabilities(pictures()[:, None])
    views = [pictures(), pictures()[:, :, ::-1].copy()]
    apart = []
    for run in runs:
        plain, _ = load_pipeline(run)
        plain.preprocessing = GREY
        with torch.inference_mode():
            apart += [plain(torch.from_numpy(view[:, None])).numpy() for view in views]
    np.testing.assert_allclose(both, sum(apart) / 4, atol=1e-5)


@pytest.mark.parametrize("form", BACKENDS)
@pytest.mark.parametrize("members", [1, 3])
def test_networks_of_signals_are_exported(tmp_path, form, members):
    prepared = SignalPreprocessing(2, 40, (0.5, 1.0), (1.0, 2.0), (0.7, 0.9))
    path = weights(tmp_path, "googlenet_1d", prepared, members=members)
    out = tmp_path / f"model{BACKENDS[form].suffix}"
    assert run_cli("export", path, "--format", form, "--out", out).returncode == 0
    signals = [np.random.default_rng(n).normal(size=(2, n)).astype(np.float32) for n in (9, 40, 70, 33)]
    exported = load(out)
    assert exported.preprocessing == prepared
    np.testing.assert_allclose(exported.probabilities(signals), load(path).probabilities(signals), atol=1e-5)
    assert [p.label for p in exported.predict(signals)] == [p.label for p in load(path).predict(signals)]


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_8_bits_agree_where_the_network_is_trained(tmp_path, form):
    run = tmp_path / "run"
    words = ["--width", "0.25", "--epochs", "8", "--batch-size", "32"]  # trained well enough to be sure of its answers
    trained = run_cli("train", "digits", "--out", run, *words)
    assert trained.returncode == 0
    plain, small = tmp_path / f"a{BACKENDS[form].suffix}", tmp_path / f"b{BACKENDS[form].suffix}"
    assert run_cli("export", run, "--format", form, "--out", plain).returncode == 0
    result = run_cli("export", run, "--format", form, "--out", small, "--int8", "digits")
    assert result.returncode == 0, result.stderr
    assert "300 inputs" in result.stdout
    bulk = [path.with_suffix(".bin") if form == "openvino" else path for path in (plain, small)]
    assert bulk[1].stat().st_size < 0.6 * bulk[0].stat().st_size
    evaluated = [run_cli("evaluate", path, "digits", "--json") for path in (plain, small)]
    accuracy = [json.loads(each.stdout)["top1"] for each in evaluated]
    assert accuracy[0] > 0.9 and abs(accuracy[0] - accuracy[1]) < 0.02


class Liar(Engine):
    name = "liar"

    def __call__(self, inputs):
        return np.full((len(inputs), 3), 1 / 3, np.float32)


def test_a_file_that_computes_something_else_is_not_left_behind(files, tmp_path, monkeypatch):
    network, _ = load_pipeline(files["run"])
    module = BACKENDS["onnx"].load()
    monkeypatch.setattr(module, "read", lambda path, exact: (Liar(), {}))
    with pytest.raises(googlenet.InputError, match="nothing was written"):
        exporting.export(network, {}, "onnx", tmp_path / "model.onnx")
    monkeypatch.setattr(module, "quantized", lambda network, calibration: module.convert(network))
    with pytest.raises(googlenet.InputError, match="In 8 bits"):
        exporting.export(network, {}, "onnx", tmp_path / "model.onnx", pictures(30)[:, None])
    assert list(tmp_path.iterdir()) == []


def test_engines_keep_the_order_and_the_errors():
    class Sums(Liar):
        def __call__(self, inputs):
            return inputs.reshape(len(inputs), -1).sum(1, keepdims=True).astype(np.float32)

    def read(number):
        if number % 3 == 0:
            return Chunk([str(number)], ["no"], np.zeros(0))
        return Chunk([str(number)], [None], np.full((1, 2), number))

    results = list(Sums().map(read, range(50)))
    assert [chunk.names for chunk, _ in results] == [[str(n)] for n in range(50)]
    assert [found.tolist() for _, found in results] == [[] if n % 3 == 0 else [[2.0 * n]] for n in range(50)]


class Payload:
    """Unpickled, it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_program_that_would_run_code_is_refused(files, tmp_path):
    with zipfile.ZipFile(files["torch"]) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(parts)).split("/")[0]
    pickled = io.BytesIO()
    torch.save(Payload(tmp_path / "ran"), pickled)
    for name, sentence in (
        (f"{root}/data/sample_inputs/model.pt", "not a whole program"),
        (f"{root}/data/constants/custom_obj_0", "could run code"),
        (f"{root}/data/aotinductor/model/model.so", "could run code"),
    ):
        with zipfile.ZipFile(tmp_path / "evil.pt2", "w", zipfile.ZIP_STORED) as archive:
            for part, content in (parts | {name: pickled.getvalue()}).items():
                archive.writestr(part, content)
        with pytest.raises(googlenet.InputError, match=sentence):
            load(tmp_path / "evil.pt2")
    assert not (tmp_path / "ran").exists()


def test_a_folder_for_an_export_is_made(files, tmp_path):
    result = run_cli("export", files["run"], "--format", "openvino", "--out", tmp_path / "lean")
    assert result.returncode == 0, result.stderr
    assert {path.name for path in (tmp_path / "lean").iterdir()} == {"model.xml", "model.bin"}


@pytest.mark.skipif(sys.platform != "linux", reason="limits of files as Linux has them")
@pytest.mark.parametrize("form", BACKENDS)
def test_a_full_disk_is_a_sentence(files, tmp_path, form):
    limit = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000,) * 2); from googlenet.apps.cli.main import main; main()"
    )
    result = run_cli(
        "export", files["run"], "--format", form, "--out", tmp_path / "out", program=[sys.executable, "-c", limit]
    )
    assert result.returncode == 1 and "could not be written" in result.stderr, result.stderr
    assert "Traceback" not in result.stderr and list((tmp_path / "out").iterdir()) == []


def test_bad_requests_are_sentences(files, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(files["onnx"].read_bytes()[:5000])
    foreign = tmp_path / "foreign.onnx"
    proto = onnx.load(files["onnx"])
    del proto.metadata_props[:]
    onnx.save(proto, foreign)
    half = tmp_path / "half.xml"
    half.write_bytes(files["openvino"].read_bytes())
    damaged = tmp_path / "damaged.pt2"
    damaged.write_bytes(b"PK nothing")
    other = weights(tmp_path, preprocessing=dataclasses.replace(GREY, mean=(0.5,)))
    for words, sentence in (
        (["predict", broken, "x.png"], "not a whole ONNX file"),
        (["predict", foreign, "x.png"], "does not say which classes"),
        (["predict", half, "x.png"], "There is no file"),
        (["predict", damaged, "x.png"], "not a whole program"),
        (["predict", tmp_path / "none.onnx", "x.png"], "There is no file"),
        (["predict", files["onnx"], "x.png", "--engine", "torch"], "is for the engine 'onnx'"),
        (["predict", files["run"], "x.png", "--engine", "openvin"], "Did you mean 'openvino'"),
        (["evaluate", files["onnx"], files["onnx"], "digits"], "one at a time"),
        (["export", files["run"], "--format", "onnx", "--out", "model.xml"], "ends in .onnx"),
        (["export", files["run"], "--format", "onx"], "Did you mean 'onnx'"),
        (["export", files["run"], "--format", "torch", "--int8", "digits"], "openvino and onnx"),
        (["export", files["run"], "--int8", "gunpoint"], "is of signals"),
        (["export", files["run"], "--int8", tmp_path], "calibrate with: a folder, not a picture"),
        (["export", files["run"], "--int8", "no.png"], "no.png cannot be read to calibrate with: no such file"),
        (["evaluate", files["run"], other, "digits"], "with another mean ([0.5])"),
    ):
        result = run_cli(*words, cwd=tmp_path)
        assert result.returncode == 1 and sentence in result.stderr, (words, result.stderr)
        assert "Traceback" not in result.stderr
