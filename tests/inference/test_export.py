"""Exported networks: the same function, in files that other programs read, without PyTorch."""

import contextlib
import dataclasses
import importlib
import io
import json
import os
import resource
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from networks import CLASSES, GREY, SEEN, exported, exported_files, pictures, weights
from PIL import Image

import googlenet
from conftest import DEADLINE, draw_two_classes, run_here
from googlenet.data.builtin import digits
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.volumes.preprocessing import VolumePreprocessing
from googlenet.explain.maps.activation import what_decided
from googlenet.explain.maps.attribution import attributions
from googlenet.explain.neighbours import features
from googlenet.inference import export as exporting
from googlenet.inference.calibration.quantization import examples_from
from googlenet.inference.engines.backend import BACKENDS
from googlenet.inference.engines.engine import Engine, Notes
from googlenet.inference.export import export, notes_of
from googlenet.inference.load import load, load_pipeline
from googlenet.inference.pipeline import Pipeline
from googlenet.training.runs.folder import Run

for library in ("onnx", "onnxscript", "onnxruntime", "openvino", "nncf"):
    pytest.importorskip(library, reason=f"{library} is in the extra `quantize`")

import onnx
import onnxruntime
import openvino


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return exported_files(tmp_path_factory)


@pytest.fixture
def converted(files, monkeypatch):
    """The graph of the network is the one that was made before: what is tested is what becomes of it."""
    module = importlib.import_module("googlenet.inference.engines.onnx")
    monkeypatch.setattr(module, "convert", lambda pipeline: onnx.load(files["onnx"]))
    module = importlib.import_module("googlenet.inference.engines.openvino")
    monkeypatch.setattr(module, "convert", lambda pipeline: openvino.Core().read_model(files["openvino"]))


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_an_exported_network_labels_as_the_network_does(files, form):
    network, _ = load_pipeline(files["run"])
    with torch.inference_mode():
        expected = network(torch.from_numpy(pictures()[:, None])).numpy()
    predictor = load(files[form])
    assert predictor.classes == CLASSES and predictor.preprocessing == GREY
    assert np.ptp(expected, axis=0).max() > 0.2
    tolerance = 0.03 if "bf16" in predictor.engine.name else 1e-5
    np.testing.assert_allclose(predictor.probabilities(pictures()[:, None]), expected, atol=tolerance)
    # One at a time, as many, through the public door; order kept.
    guesses = [prediction.top for prediction in predictor.predict(list(pictures()), top=2)]
    assert [len(top) for top in guesses] == [2] * 21
    for top, row in zip(guesses, predictor.probabilities(pictures()[:, None]), strict=True):
        assert top[0][1] == pytest.approx(row.max(), abs=tolerance)


def test_a_program_of_pytorchs_is_the_network_with_its_notes(files):
    network, _ = load_pipeline(files["run"])
    extra = {"googlenet.json": ""}
    found = torch.export.load(files["torch"], extra_files=extra).module()
    for n in (1, 5, 21):
        inputs = torch.from_numpy(pictures(n)[:, None])
        with torch.inference_mode():
            torch.testing.assert_close(found(inputs), network(inputs), atol=1e-5, rtol=1e-5)
    assert json.loads(extra["googlenet.json"])["classes"] == list(CLASSES)


def test_the_real_network_is_exported(tmp_path):
    run = weights(tmp_path, "googlenet_small")
    expected = load(run, engine="torch").probabilities(pictures(4))
    found = load(exported(tmp_path, run, "onnx")).probabilities(pictures(4))
    np.testing.assert_allclose(found, expected, atol=0.03)  # PyTorch may compute in bfloat16


def test_onnx_is_read_by_others(files):
    proto = onnx.load(files["onnx"])
    onnx.checker.check_model(proto, full_check=True)
    (entry,) = proto.graph.input
    dims = entry.type.tensor_type.shape.dim
    assert entry.name == "inputs" and entry.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert dims[0].dim_param and [d.dim_value for d in dims[1:]] == [1, 32, 32]
    assert not any(node.op_type == "BatchNormalization" for node in proto.graph.node)
    notes = json.loads({p.key: p.value for p in proto.metadata_props}["googlenet"])
    assert notes["classes"] == list(CLASSES) and notes["arch"][0]["name"] == "short_2d"
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
    subprocess.run([sys.executable, "-c", code], check=True, timeout=DEADLINE)


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_the_command_predicts_with_exported_networks_without_pytorch(files, form, tmp_path):
    (tmp_path / "pictures").mkdir()
    for name in "ab":
        Image.new("L", (40, 40), 99).save(tmp_path / "pictures" / f"{name}.png")
    words = ["googlenet", "predict", str(files[form]), str(tmp_path / "pictures"), "--format", "csv"]
    code = f"import sys; sys.modules['torch'], sys.argv = None, {words!r}"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; from googlenet.apps.cli.main import main; main()"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},  # which it would set, and begin anew
    )
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 3, done.stderr


def test_several_runs_are_one_model_and_mirrored_pictures_are_seen_twice(tmp_path):
    mirrored = ImagePreprocessing(1, 32, 32, (0.4,), (0.3,), mirror=True)
    runs = [weights(tmp_path, preprocessing=mirrored, seed=seed) for seed in (1, 2)]
    result = run_here("export", *runs, "--out", tmp_path / "both.onnx")
    assert result.returncode == 0 and "100.0% of 32" in result.stdout, result.stderr
    both = load(tmp_path / "both.onnx").probabilities(pictures()[:, None])
    views = [pictures(), pictures()[:, :, ::-1].copy()]
    apart = []
    for run in runs:
        plain = Pipeline(load_pipeline(run)[0].networks, GREY)
        with torch.inference_mode():
            apart += [plain(torch.from_numpy(view[:, None])).numpy() for view in views]
    np.testing.assert_allclose(both, SEEN.applied(sum(apart) / 4), atol=1e-5)


def test_what_nncf_cannot_put_into_8_bits_is_a_sentence(tmp_path, monkeypatch):
    import nncf

    def unable(*_, **__):
        raise AttributeError("'NoneType' object has no attribute 'data_type'")

    monkeypatch.setattr(nncf, "quantize", unable)
    result = run_here("export", weights(tmp_path), "--int8", "digits", "--out", tmp_path / "a.onnx")
    assert result.returncode == 1 and "NNCF cannot put this network into 8 bits" in result.stderr
    assert "Traceback" not in result.stderr and not (tmp_path / "a.onnx").exists()


@pytest.mark.parametrize("form", BACKENDS)
@pytest.mark.parametrize("members", [1, 3])
def test_networks_of_signals_are_exported(tmp_path, form, members):
    prepared = SignalPreprocessing(2, 40, (0.5, 1.0), (1.0, 2.0), (0.7, 0.9))
    path = weights(tmp_path, "short_1d", prepared, members=members)
    out = tmp_path / f"model{BACKENDS[form].suffix}"
    assert run_here("export", path, "--format", form, "--out", out).returncode == 0
    signals = [np.random.default_rng(n).normal(size=(2, n)).astype(np.float32) for n in (9, 40, 70, 33)]
    ours = load(path)
    assert np.ptp(ours.probabilities(signals), axis=0).max() > 0.05
    if form == "torch":
        found = torch.export.load(out).module()(torch.from_numpy(prepared.array(signals)))
        np.testing.assert_allclose(found.detach().numpy(), ours.probabilities(signals), atol=1e-5)
        return
    exported = load(out)
    assert exported.preprocessing == prepared
    np.testing.assert_allclose(exported.probabilities(signals), ours.probabilities(signals), atol=1e-5)
    assert [p.label for p in exported.predict(signals)] == [p.label for p in ours.predict(signals)]


def test_a_network_of_volumes_is_exported(tmp_path):
    prepared = VolumePreprocessing(1, (16, 16, 16), True, (0.4,), (0.3,), mirror=True)
    path = weights(tmp_path, "short_3d", prepared)
    volumes = np.random.default_rng(0).integers(0, 256, (5, 1, 16, 16, 16), dtype=np.uint8)
    pipeline, _ = load_pipeline(path)
    inputs = (torch.from_numpy(volumes).float() / 255 - 0.4) / 0.3
    with torch.inference_mode():
        seen = [pipeline.networks[0](view).softmax(1).numpy() for view in (inputs, inputs.flip(4))]
    found = load(exported(tmp_path, path, "onnx"))
    assert found.preprocessing == prepared
    np.testing.assert_allclose(found.probabilities(volumes), SEEN.applied(sum(seen) / 2), atol=1e-5)


@pytest.fixture(scope="module")
def sure(tmp_path_factory, short):
    """A run that is sure of its answers: two colours, and wide enough for its weights to weigh something."""
    root = tmp_path_factory.mktemp("sure")
    draw_two_classes(root / "colours")
    words = ["--arch", "short_2d", "--width", "1", "--epochs", "24", "--batch-size", "8", "--ema", "0"]
    assert run_here("train", root / "colours", "--out", root / "run", *words).returncode == 0
    return root


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_8_bits_agree_where_the_network_is_trained(sure, tmp_path, form):
    assert Run(sure / "run").evaluation().top1 == 1.0
    small = tmp_path / f"small{BACKENDS[form].suffix}"
    result = run_here("export", sure / "run", "--format", form, "--out", small, "--int8", sure / "colours")
    assert result.returncode == 0, result.stderr
    assert "24 inputs" in result.stdout
    bulk = small.with_suffix(".bin") if form == "openvino" else small
    assert bulk.stat().st_size < 0.6 * Run(sure / "run").weights.stat().st_size
    evaluated = run_here("evaluate", small, sure / "colours", "--json")
    assert json.loads(evaluated.stdout)["top1"] == 1.0


def test_8_bits_are_calibrated_on_300_examples_at_random():
    found, _ = examples_from("digits", ImagePreprocessing(1, 24, 24, (0.5,), (0.2,)))
    assert found.shape == (300, 1, 24, 24) and found.dtype == np.uint8
    part = digits().train
    place = {picture.numpy().tobytes(): row for row, picture in enumerate(part.pixels)}
    rows = [place[picture.tobytes()] for picture in found]
    assert len(set(rows)) == 300 and rows != sorted(rows) and max(rows) > 1200
    assert len(part.labels[rows].unique()) == 10


class Liar(Engine):
    name = "liar"

    def __call__(self, inputs):
        return np.full((len(inputs), 3), 1 / 3, np.float32)


def test_a_file_that_computes_something_else_is_not_left_behind(files, tmp_path, monkeypatch, converted):
    network, classes = load_pipeline(files["run"])
    notes = notes_of(network, classes)
    backend = BACKENDS["onnx"].load()
    monkeypatch.setattr(type(backend), "read", lambda self, path: (Liar(), notes))
    with pytest.raises(googlenet.InputError, match="nothing was written"):
        exporting.export(network, notes, "onnx", tmp_path / "model.onnx")
    module = sys.modules[type(backend).__module__]
    monkeypatch.setattr(module, "quantized", lambda network, calibration: module.convert(network))
    with pytest.raises(googlenet.InputError, match="In 8 bits"):
        exporting.export(network, notes, "onnx", tmp_path / "model.onnx", pictures(30)[:, None])
    assert list(tmp_path.iterdir()) == []


class Payload:
    """Unpickled, it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_program_is_never_read_and_so_runs_nothing(files, tmp_path):
    with zipfile.ZipFile(files["torch"]) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(parts)).split("/")[0]
    pickled = io.BytesIO()
    torch.save(Payload(tmp_path / "ran"), pickled)
    programs = [files["torch"]]
    for number, name in enumerate(("data/sample_inputs/model.pt", "data/constants/custom_obj_0")):
        programs.append(tmp_path / f"evil-{number}.pt2")
        with zipfile.ZipFile(programs[-1], "w", zipfile.ZIP_STORED) as archive:
            for part, content in (parts | {f"{root}/{name}": pickled.getvalue()}).items():
                archive.writestr(part, content)
    for path in programs:
        with pytest.raises(googlenet.InputError, match="could run code: it is not loaded. Take the run"):
            load(path)
        result = run_here("predict", path, "x.png")
        assert result.returncode == 1 and "could run code" in result.stderr
    assert not (tmp_path / "ran").exists()
    with pytest.raises(googlenet.InputError, match="There is no file"):
        load(tmp_path / "none.pt2")


def test_a_folder_for_an_export_is_made(files, tmp_path, converted):
    result = run_here("export", files["run"], "--format", "openvino", "--out", tmp_path / "lean")
    assert result.returncode == 0, result.stderr
    assert {path.name for path in (tmp_path / "lean").iterdir()} == {"model.xml", "model.bin"}


@contextlib.contextmanager
def full_disk(most):
    """No file of this process grows beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform != "linux", reason="limits of files as Linux has them")
@pytest.mark.parametrize("form", BACKENDS)
def test_a_full_disk_is_a_sentence(files, tmp_path, form, converted):
    with full_disk(20_000):
        result = run_here("export", files["run"], "--format", form, "--out", tmp_path / "out")
    assert result.returncode == 1 and "could not be written" in result.stderr, result.stderr
    assert "Traceback" not in result.stderr and list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("form", ["torch", "onnx", "openvino"])
def test_networks_that_normalise_otherwise_are_averaged(tmp_path, form):
    """As those are that learned from other parts of the same pictures: each sees its own mean and deviation."""
    readings = [GREY, dataclasses.replace(GREY, mean=(0.5,), std=(0.2,))]
    runs = [weights(tmp_path, preprocessing=reading, seed=seed) for seed, reading in enumerate(readings)]
    pixels = GREY.example(8)
    pipeline, classes = load_pipeline(*runs)
    with torch.inference_mode():
        networks = [load_pipeline(run)[0].networks[0] for run in runs]
        each = [Pipeline([model], reading)(pixels) for model, reading in zip(networks, readings, strict=True)]
        expected = pipeline.calibration.applied(((each[0] + each[1]) / 2).double().numpy())
    engine = BACKENDS[form].load()
    if form == "torch":
        found = engine.engine_of(pipeline)(pixels.numpy())
    else:
        path = tmp_path / f"both{BACKENDS[form].suffix}"
        export(pipeline, notes_of(pipeline, classes), form, path)
        found = engine.read(path)[0](pixels.numpy())
    np.testing.assert_allclose(found, expected, atol=1e-4 if form == "onnx" else 0.05)  # others in bfloat16


def test_what_networks_that_normalise_otherwise_saw_is_theirs(tmp_path):
    readings = [GREY, dataclasses.replace(GREY, mean=(0.5,), std=(0.2,))]
    runs = [weights(tmp_path, preprocessing=reading, seed=seed) for seed, reading in enumerate(readings)]
    pipeline, *alone = (load_pipeline(*each)[0] for each in (runs, runs[:1], runs[1:]))
    pixels, labels = GREY.example(4).numpy(), np.zeros(4, np.int64)

    def evidence(of):
        return what_decided(of, pixels, torch.from_numpy(labels))

    np.testing.assert_allclose(evidence(pipeline), evidence(alone[0]) + evidence(alone[1]), atol=1e-4)
    maps, *apart = (attributions(of, pixels, labels) for of in (pipeline, *alone))
    np.testing.assert_allclose(maps, (apart[0] + apart[1]) / 2, atol=1e-5)
    np.testing.assert_allclose(features(pipeline, pixels), np.concatenate([features(of, pixels) for of in alone], 1))


def test_bad_requests_are_sentences(files, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(files["onnx"].read_bytes()[:5000])
    foreign = tmp_path / "foreign.onnx"
    proto = onnx.load(files["onnx"])
    del proto.metadata_props[:]
    onnx.save(proto, foreign)
    half = tmp_path / "half.xml"
    half.write_bytes(files["openvino"].read_bytes())
    other = weights(tmp_path, preprocessing=dataclasses.replace(GREY, size=24))
    for words, sentence in (
        (["predict", broken, "x.png"], "no ONNX file that googlenet exports"),
        (["predict", foreign, "x.png"], "does not say which classes"),
        (["predict", half, "x.png"], "There is no file"),
        (["predict", tmp_path / "none.onnx", "x.png"], "There is no file"),
        (["predict", files["onnx"], "x.png", "--engine", "torch"], "is for the engine 'onnx'"),
        (["predict", files["run"], "x.png", "--engine", "openvin"], "Did you mean 'openvino'"),
        (["evaluate", files["onnx"], files["onnx"], "digits"], "one at a time"),
        (["export", files["run"], "--format", "onnx", "--out", "model.xml"], "ends in .onnx"),
        (["export", files["run"], "--format", "onx"], "Did you mean 'onnx'"),
        (["export", files["run"], "--format", "torch", "--int8", "digits"], "openvino and onnx"),
        (["export", files["run"], "--int8", "gunpoint"], "is of signals"),
        (["export", files["run"], "--int8", tmp_path], "nothing to calibrate with ("),
        (["export", files["run"], "--int8", "no.png"], "no.png has nothing to calibrate with (no.png: no such file)"),
        (["evaluate", files["run"], other, "digits"], "with another size (24)"),
    ):
        result = run_here(*words, cwd=tmp_path)
        assert result.returncode == 1 and sentence in result.stderr, (words, result.stderr)
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[]",
        '{"classes": ["a"]}',
        '{"classes": ["a"], "preprocessing": 3}',
        '{"preprocessing": {}}',
    ],
)
def test_notes_that_are_none_are_a_sentence(tmp_path, text):
    with pytest.raises(googlenet.InputError, match="does not say which classes it tells apart"):
        Notes.from_json(text, tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": "ab"}, "no list of names"),
        ({"classes": None}, "no list of names"),
        ({"classes": ["a", 1]}, "no list of names"),
        ({"classes": ["a", "a"]}, "a class twice, or none"),
        ({"classes": []}, "a class twice, or none"),
        ({"version": 99}, "of version 99"),
    ],
)
def test_notes_that_say_what_cannot_be_are_a_sentence(tmp_path, changes, words):
    row = {"classes": ["a", "b"], "preprocessing": GREY.to_dict(), "version": 1} | changes
    with pytest.raises(googlenet.InputError, match=words):
        Notes.from_json(json.dumps(row), tmp_path / "model.onnx")


def test_notes_come_back_as_they_were(files):
    network, classes = load_pipeline(files["run"])
    notes = notes_of(network, classes)
    again = Notes.from_json(notes.to_json(), files["onnx"])
    assert json.loads(again.to_json()) == json.loads(notes.to_json())
    assert again.classes == CLASSES and again.version == 1
    before = Notes.from_json(json.dumps({"classes": ["a"], "preprocessing": GREY.to_dict()}), files["onnx"])
    assert before.arch == () and before.version == 1  # a file of before, which said neither
