"""How much is said of an example: labels that are not probable enough, and sets that hold the right one."""

import csv
import io
import json

import numpy as np
import pytest
from networks import CLASSES, GREY, SEEN, exported_files, pictures
from PIL import Image

import googlenet
from conftest import run_here
from googlenet import InputError
from googlenet.data.protocol import Example
from googlenet.inference.load import load
from googlenet.inference.prediction import Wanted, answered

for library in ("onnx", "onnxscript", "onnxruntime", "openvino"):
    pytest.importorskip(library, reason=f"{library} is in the extra `deploy`")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return exported_files(tmp_path_factory)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures")
    for number, pixels in enumerate(pictures(12)):
        Image.fromarray(pixels).save(path / f"{number:02}.png")
    (path / "20.png").write_bytes(b"none")
    return path


@pytest.mark.parametrize(
    ("wanted", "label", "labels"),
    [
        (Wanted(), "b", None),
        (Wanted(reject_below=0.5), "b", None),
        (Wanted(reject_below=0.51), None, None),
        (Wanted(1, least=0.3), "b", ["b", "a"]),
        (Wanted(1, least=0.2), "b", ["b", "a", "c"]),
        (Wanted(1, 0.6, least=0.7), None, ["b"]),  # the most probable is always among them
    ],
)
def test_an_answer_by_hand(wanted, label, labels):
    found = answered(Example("x"), None, np.float32([0.3, 0.5, 0.2]), ("a", "b", "c"), wanted).to_dict()
    assert (found["label"], found.get("labels")) == (label, labels)
    assert found["top"][0] == {"label": "b", "probability": 0.5} and len(found["top"]) == min(3, wanted.top)


def test_what_cannot_be_read_is_not_rejected():
    found = answered(Example("x"), "torn", None, CLASSES, Wanted(reject_below=0.9, least=0.5))
    assert found.to_dict() == {"input": "x", "error": "torn"}


@pytest.mark.parametrize("form", ["run", "onnx", "openvino"])
def test_every_kind_of_network_keeps_what_it_was_seen_on(files, form):
    predictor = load(files[form])
    assert predictor.calibration == SEEN
    least = sorted(SEEN.scores)[3]  # floor of 41 tenths
    assert predictor.wanted(coverage=0.9).least == pytest.approx(least, rel=2e-4)
    with pytest.raises(InputError, match="A label is rejected below a probability, from 0 to 1, not 90"):
        predictor.wanted(reject_below=90)
    for each in predictor.predict(pictures(), coverage=0.9):
        p = dict(each.top)
        assert set(each.labels) == {label for label in p if p[label] >= least} | {each.label}


def test_the_command_gives_no_label_that_is_not_probable_enough(files, folder):
    rows = [
        json.loads(line) for line in run_here("predict", files["run"], folder, "--format", "jsonl").stdout.splitlines()
    ]
    limit = sorted(row["probability"] for row in rows if "error" not in row)[4]
    result = run_here("predict", files["run"], folder, "--format", "csv", "--reject-below", limit, "--coverage", 0.9)
    assert result.returncode == 1  # for what cannot be read alone
    assert "4 of 12 rejected: no label of theirs has a probability of" in result.stderr
    found = list(csv.DictReader(io.StringIO(result.stdout)))
    for row, plain in zip(found, rows, strict=True):
        if "error" in plain:
            assert row["error"] and not row["label"] and not row["labels"]
            continue
        assert row["label"] == ("" if plain["probability"] < limit else plain["label"])
        assert row["label_1"] == json.loads(row["labels"])[0] == plain["label"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--reject-below", "90"], "--reject-below takes a number from 0 to 1."),
        (["--reject-below", "nan"], "--reject-below takes a number from 0 to 1."),
        (["--coverage", "95"], "--coverage takes a number from 0 to 1."),
        (["--coverage", "0.99"], "A coverage of 0.99 needs 99 examples or more that the network did not learn from"),
        (
            ["--format", "parquet"],
            "Parquet is written in parts, into a folder: name it with --out DIR, and say --parts N.",
        ),
        (["--out", "parts", "--parts", "2", "--coverage", "0.9"], "--coverage is for one list of predictions"),
        (["--out", "parts", "--parts", "2", "--reject-below", "0.9"], "--reject-below is for one list of predictions"),
    ],
)
def test_numbers_that_are_none_are_a_sentence(files, folder, words, sentence):
    result = run_here("predict", files["run"], folder, *words)
    assert result.returncode in (1, 2) and sentence in result.stderr.replace("\n", " "), result.stderr
    assert not result.stdout


def test_a_column_that_is_asked_for_is_there_whatever_the_number(files, folder):
    for words, heads in ((["--reject-below", "0"], {"label"}), ([], set())):
        result = run_here("predict", files["run"], folder, "--format", "csv", *words)
        row = next(csv.DictReader(io.StringIO(result.stdout)))
        assert row.keys() & {"label", "labels"} == heads
        assert ("0 of 12 rejected" in result.stderr) == bool(heads)


def test_numbers_of_any_type_are_numbers(files):
    predictor = load(files["run"])
    for kind in (np.float32, np.float64, float):
        wanted = predictor.wanted(np.int64(2), kind(0.5), kind(0.5))
        assert wanted == predictor.wanted(2, 0.5, 0.5)


@pytest.mark.parametrize(
    "words",
    [
        {"reject_below": "0.9"},
        {"reject_below": float("nan")},
        {"coverage": "0.9"},
        {"reject_below": np.array([0.5, 0.6])},
        {"coverage": np.array([0.5, 0.6])},
    ],
)
def test_what_is_no_number_is_a_sentence(files, words):
    with pytest.raises(InputError, match=r"not ('0.9'|nan|array.*)\.$"):
        load(files["run"]).predict(pictures(), **words)


def test_a_network_that_was_seen_on_nothing_promises_nothing(files, tmp_path):
    model = googlenet.load_model(files["run"])
    googlenet.save_weights(model, tmp_path / "a.safetensors", classes=CLASSES, preprocessing=GREY.to_dict())
    with pytest.raises(InputError, match="of this network none are known"):
        load(tmp_path / "a.safetensors").predict(pictures(), coverage=0.9)
