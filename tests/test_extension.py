"""A stranger adds a variant, a layer, a weights file format, an engine and an explanation, each where
docs/architecture.md says and nowhere else: an entry in a table stands for a row, a module for a new file.
"""

import dataclasses
import io
import json
import re
import shutil
import sys
import zipfile
from types import ModuleType

import numpy as np
import pytest
import torch

import googlenet
from conftest import picture, run_here
from documents import REPOSITORY, SOURCE
from googlenet.arch import cost_rows, serial, spec, variants
from googlenet.arch.spec import Arch, Auxiliary, Branch, MaxPool, Stage
from googlenet.inference.engines import backend
from googlenet.inference.engines.engine import Backend, Engine, Notes
from googlenet.inference.load import load_pipeline
from googlenet.inference.pipeline import Pipeline
from googlenet.nn import googlenet as networks
from googlenet.weights import formats
from googlenet.weights.checkpoint import Header, Weights, network_of, weights_of, write_tensors

TOY = Arch(
    name="toy",
    description="a stem and one module",
    dims=2,
    input_size=(32, 32),
    stages=(
        Stage("stem", (Branch("conv1", 16, kernel=3, stride=2), MaxPool("pool1"))),
        Stage("3", (googlenet.inception("3a", 16, 8, 16, 8, 16, 16),)),
    ),
    auxiliary=(Auxiliary("3a", channels=8, hidden=16),),
)
SHIPPED = SOURCE / "weights" / "shipped"


@pytest.fixture
def toy(monkeypatch):
    """The row of a variant."""
    monkeypatch.setitem(variants.VARIANTS, "toy", TOY)


@pytest.fixture
def new_file(monkeypatch):
    """Puts a file into a folder of the package."""

    def put(name, **content):
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)

    return put


def same_answers(a, b, channels=3):
    x = torch.randn(2, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(a.eval()(x), b.eval()(x))


# --------------------------------------------------------------------------------------------------- a variant
def test_a_variant(toy, two_classes, tmp_path):
    assert "toy" in googlenet.list_models()
    model = googlenet.create_model("toy", num_classes=5)
    logits, aux = model.train()(torch.randn(2, 3, 32, 32), return_aux=True)
    assert logits.shape == (2, 5) and len(aux) == 1
    counted = googlenet.cost("toy", num_classes=5)
    assert counted.params_with_aux == sum(p.numel() for p in model.parameters())

    googlenet.save_weights(model, tmp_path / "toy.safetensors")
    same_answers(model, googlenet.load_model(tmp_path / "toy.safetensors"))
    assert "conv1" in run_here("summary", "toy").stdout
    words = ("--arch", "toy", "--epochs", "1", "--batch-size", "8", "--out", tmp_path / "run")
    assert run_here("train", two_classes, *words, cwd=tmp_path).returncode == 0
    labelled = run_here("predict", tmp_path / "run", two_classes / "red" / "00.png", "--format", "jsonl")
    assert json.loads(labelled.stdout)["label"] in ("red", "blue")


# ----------------------------------------------------------------------------------------------------- a layer
@dataclasses.dataclass(frozen=True)
class Gate:
    """Every channel times a number that is learned."""

    name: str
    start: float = 1.0


class GateModule(torch.nn.Module):
    def __init__(self, channels, start):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.full((channels,), start))

    def forward(self, x):
        return x * self.scale.view(-1, *[1] * (x.ndim - 2))


def gate_row(cursor, gate):
    after = cursor.restart().pool(gate.name, "gate", 1, 1, cursor.size)
    layer = dataclasses.replace(after.done[-1], type="gate", params=cursor.channels)
    return cost_rows.single(layer), after


@pytest.fixture
def gate(monkeypatch):
    """The entries of a type of layer, one in each table that the page names."""
    monkeypatch.setitem(spec.LAYER_TYPES, "gate", Gate)
    monkeypatch.setattr(serial, "_NAMES", {kind: name for name, kind in spec.LAYER_TYPES.items()})  # made of that
    monkeypatch.setitem(spec.SCALED, Gate, lambda gate, width: gate)
    monkeypatch.setitem(cost_rows.ROWS, Gate, gate_row)
    monkeypatch.setitem(cost_rows.SIZES, Gate, lambda gate, n: n)
    monkeypatch.setitem(
        networks.BUILDERS, Gate, lambda gate, arch, channels, eps: (GateModule(channels, gate.start), channels)
    )


def test_a_layer(gate, monkeypatch, tmp_path):
    stem, module = TOY.stages
    gated = dataclasses.replace(
        TOY, stages=(dataclasses.replace(stem, layers=(*stem.layers, Gate("gate", 0.5))), module)
    )
    monkeypatch.setitem(variants.VARIANTS, "toy", gated)
    model = googlenet.create_model("toy", num_classes=5, width=2)
    assert googlenet.cost(model.arch, num_classes=5).params_with_aux == sum(p.numel() for p in model.parameters())
    maps = model.intermediates(torch.randn(2, 3, 32, 32), ["pool1", "gate"])
    torch.testing.assert_close(maps["gate"], maps["pool1"] / 2)

    googlenet.save_weights(model, tmp_path / "gated.safetensors")
    again = googlenet.load_model(tmp_path / "gated.safetensors")
    assert again.arch == model.arch
    same_answers(model, again)
    with pytest.raises(googlenet.InputError, match="Gate"):  # a format that has no place for it
        formats.write(weights_of(model), tmp_path / "gated.onnx")


# -------------------------------------------------------------------------------------------------- a file format
def recognises(path):
    return path.suffix == ".toy"


def read(path):
    with np.load(path) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files if name != "header"}
        return Weights(Header.from_metadata(json.loads(str(file["header"])), path), arrays)


def write(weights, path):
    buffer = io.BytesIO()
    arrays = {name: tensor.numpy() for name, tensor in weights.tensors.items()}
    np.savez(buffer, header=json.dumps(weights.header.to_metadata()), **arrays)
    path.write_bytes(buffer.getvalue())


def test_a_weights_file_format(toy, new_file, monkeypatch, tmp_path):
    new_file("googlenet.weights.foreign.toy", recognises=recognises, read=read, write=write)
    monkeypatch.setitem(
        formats.WEIGHTS_FORMATS, "toy", formats.WeightsFormat("foreign.toy", ".toy", "arrays of a stranger")
    )
    model = googlenet.create_model("toy", num_classes=5)
    googlenet.save_weights(model, tmp_path / "toy.safetensors")
    converted = run_here("convert", "toy.safetensors", "toy.toy", cwd=tmp_path)
    assert converted.returncode == 0, converted.stderr
    same_answers(model, googlenet.load_model(tmp_path / "toy.toy"))
    assert "toy" in run_here("weights", "identify", "toy.toy", cwd=tmp_path).stdout
    assert "arrays of a stranger" in run_here("convert", __file__, "x.safetensors", cwd=tmp_path).stderr


# ------------------------------------------------------------------------------------------------------ an engine
class ToyEngine(Engine):
    """Computes in double precision."""

    name = "toy, fp64"

    def __init__(self, pipeline):
        self.pipeline = pipeline.double()

    @torch.inference_mode()
    def __call__(self, inputs):
        found = [
            network(view.double()).softmax(1)
            for network, reading in zip(self.pipeline.networks, self.pipeline.readings, strict=True)
            for view in reading.views(torch.from_numpy(inputs), 1)
        ]
        return (sum(found) / len(found)).float().numpy()


class ToyBackend(Backend):
    """A zip of weights and notes."""

    def engine_of(self, pipeline):
        return ToyEngine(pipeline)

    def write(self, pipeline, notes, path, calibration):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("notes.json", notes.to_json())
            for number, network in enumerate(pipeline.networks):
                file = path.with_name("part")
                write_tensors(file, network.state_dict(), weights_of(network).header.to_metadata())
                archive.write(file, f"{number}.safetensors")
                file.unlink()
        return self.read(path)[0]

    def read(self, path):
        from safetensors.torch import load

        from googlenet.data.kinds import preprocessing_from

        with zipfile.ZipFile(path) as archive:
            notes = Notes.from_json(archive.read("notes.json").decode(), path)
            parts = [load(archive.read(name)) for name in archive.namelist() if name != "notes.json"]
        models = []
        for arch, tensors in zip(notes.arch, parts, strict=True):
            preprocessing = preprocessing_from(notes.preprocessing)
            header = Header(serial.from_json(json.dumps(arch)), len(notes.classes), preprocessing.input_shape[0], False)
            kept = {name: tensor for name, tensor in tensors.items() if not name.startswith("auxiliary.")}
            models.append(network_of(Weights(header, kept)))
        return ToyEngine(Pipeline(models, preprocessing)), notes


def test_an_engine(new_file, monkeypatch, tmp_path):
    new_file("googlenet.inference.engines.toy", BACKEND=ToyBackend())
    monkeypatch.setitem(backend.BACKENDS, "toy", backend.BackendRow("toy", ".toynet", ("zipfile",)))
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(SHIPPED / "googlenet_small.fashion_mnist.safetensors", run / "model.safetensors")
    shirt = picture((90, 90, 90), (28, 28)).convert("L")
    shirt.save(tmp_path / "shirt.png")
    pipeline, _ = load_pipeline(run)
    with torch.no_grad():
        wanted = pipeline(torch.from_numpy(pipeline.preprocessing.read(shirt))).numpy()

    found = googlenet.load(run, engine="toy").probabilities([shirt])
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    labelled = run_here("predict", "run", "shirt.png", "--engine", "toy", cwd=tmp_path)
    assert labelled.returncode == 0 and "toy, fp64" in labelled.stderr
    exported = run_here("export", "run", "--format", "toy", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    np.testing.assert_allclose(googlenet.load(run / "model.toynet").probabilities([shirt]), wanted, atol=1e-5)


# ------------------------------------------------------------------------------------------------ an explanation
def occlusion(pipeline, inputs, classes):
    """How much of a class's probability goes where a tenth of the input is replaced by zeros."""
    x, rows = torch.from_numpy(inputs), torch.arange(len(inputs))
    with torch.inference_mode():
        whole = pipeline(x)[rows, classes]
        places = x.shape[-1] // 10
        evidence = torch.zeros(len(x), 10)
        for place in range(10):
            without = x.clone()
            without[..., place * places : (place + 1) * places] = 0
            evidence[:, place] = whole - pipeline(without)[rows, classes]
    return evidence.numpy()


def test_an_explanation(monkeypatch, tmp_path):
    """A function of a pipeline, drawn by the preprocessing and shown in the report."""
    asked = []

    def explain(pipeline, inputs, classes):
        asked.append(len(inputs))
        return occlusion(pipeline, inputs, classes)

    monkeypatch.setattr("googlenet.apps.jobs.what_decided", explain)
    words = ("--epochs", "1", "--width", "0.125", "--members", "1", "--out", "run")
    trained = run_here("train", "gunpoint", *words, cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert asked and "<svg" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")

    pipeline, _ = load_pipeline(tmp_path / "run")
    inputs = pipeline.preprocessing.example(2).numpy()
    evidence = occlusion(pipeline, inputs, torch.tensor([0, 1]))
    drawn = pipeline.preprocessing.draw(inputs[0], evidence[0])
    np.testing.assert_array_equal(drawn.evidence, evidence[0])


def test_the_page_names_the_tables_where_they_are():
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    file, named = None, []
    for span in re.findall(r"`([^`\n]+)`", page[page.index("## Where to add what") :]):
        if span.endswith(".py"):
            file = (REPOSITORY if span.startswith("tests/") else SOURCE) / span
        elif re.fullmatch(r"[A-Z_]{2,}", span) and span != "BACKEND":  # which a new file brings
            assert re.search(rf"^{span}\b", file.read_text(encoding="utf-8"), re.MULTILINE), f"{span} in {file.name}"
            named.append(span)
    assert named == [
        "LAYER_TYPES",
        "SCALED",
        "ROWS",
        "SIZES",
        "BUILDERS",
        "LAYERS",
        "KINDS",
        "ARRAYS",
        "ROUTES",
        "METHODS",
    ]
