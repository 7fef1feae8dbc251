"""Records of a run: written, read again, old, young and damaged."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from googlenet import InputError
from googlenet.data.protocol import Dataset
from googlenet.data.signals.dataset import SignalSet
from googlenet.data.splits import fingerprint, fingerprint_by_names
from googlenet.training.recipe import SIGNALS
from googlenet.training.runs.folder import Run
from googlenet.training.runs.origin import learned_by, run_of
from googlenet.training.runs.reading import Learned
from googlenet.training.runs.records import ClassScores, EpochRow, Evaluation, RunRecord

RECORD = RunRecord(
    data="flow€rs",
    fingerprint="0123456789abcdef",
    examples={"train": 12, "validation": 3},
    classes=["a", "b"],
    preprocessing={"kind": "picture", "channels": 1, "mean": [0.5]},
    recipe={"name": "small", "seed": 3},
    bad_files=[{"path": "x.png", "reason": "empty file"}],
    googlenet="0.9",
    torch="2.14.1",
)
SCORES = [ClassScores("a", 0.5, 1.0, 2 / 3, 4), ClassScores("b", 1.0, 0.25, 0.4, 4)]
EVALUATION = Evaluation(0.625, None, 0.7, 0.05, 8, SCORES, [[4, 0], [3, 1]], "test")
ROWS = [EpochRow(1, 0.7, 0.5, 1.25, 1e-3, 0.8, 0.4), EpochRow(2, 0.6, 0.75, 1.5, 5e-4)]


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "some" / "run")
    run.begin(RECORD)
    run.write_history(ROWS)
    run.write_evaluation(EVALUATION)
    return run


def change(path, drop=(), **changes):
    """Rewrites a record with fields changed or left out."""
    row = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in row.items() if key not in drop}))


def test_what_is_written_is_read(run):
    assert run.exists
    assert run.record() == RECORD
    assert run.history() == ROWS
    assert run.evaluation() == EVALUATION
    assert run.evaluation().per_class[1].recall == 0.25
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert "validation_loss" in lines[0] and "validation_loss" not in lines[1]
    for name in ("run.json", "evaluation.json"):
        assert json.loads((run.path / name).read_text())["version"] == 2


def test_a_folder_without_a_run_is_none(tmp_path):
    run = Run(tmp_path)
    assert not run.exists and run.evaluation() is None
    for read in (run.record, run.history):
        with pytest.raises(InputError, match="could not be read"):
            read()


def test_records_that_do_not_say_their_version_are_read(run):
    change(run.path / "run.json", drop=["version"])
    change(run.path / "evaluation.json", drop=["version", "left_out", "learned", "bad_files"])
    assert run.record() == dataclasses.replace(RECORD, version=1) and run.evaluation() == EVALUATION


def test_the_oldest_runs_do_not_say_which_examples_they_learned_from(run):
    change(run.path / "run.json", drop=["version", "fingerprint"])
    assert run.record() == dataclasses.replace(RECORD, fingerprint="", version=1)


def test_a_row_of_before_has_what_was_known_then(run):
    (run.path / "metrics.jsonl").write_text('{"epoch": 1, "loss": 0.5, "accuracy": 0.9}\n')
    (run.path / "times.jsonl").unlink()
    assert run.history() == [EpochRow(1, 0.5, 0.9)]


@pytest.mark.parametrize(("name", "read"), [("run.json", Run.record), ("evaluation.json", Run.evaluation)])
def test_records_that_cannot_be_read_are_sentences(run, name, read):
    path = run.path / name
    whole = path.read_text()
    change(path, version=3)
    with pytest.raises(InputError, match=rf"{name} is of version 3, written by another googlenet; this one reads 2\."):
        read(run)
    for damage, words in (
        (whole.replace('"version": 2', '"version": 2, "colour": "red"'), "not a record that googlenet wrote"),
        ("{}", "not a record that googlenet wrote"),
        (whole[: len(whole) // 2], "is not JSON"),
        ("[1]", "does not hold a JSON object"),
    ):
        path.write_text(damage)
        with pytest.raises(InputError, match=words):
            read(run)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"epoch": 1}',
        '{"epoch": 1, "loss": 1, "accuracy": 1, "colour": 1}',
        '{"epoch": 1, "loss": [], "accuracy": 1}',
        "[" * 9999,
    ],
)
def test_rows_that_cannot_be_read_are_a_sentence(run, text):
    (run.path / "metrics.jsonl").write_text(text + "\n")
    with pytest.raises(InputError, match=r"metrics\.jsonl could not be read"):
        run.history()


@pytest.mark.parametrize(
    ("name", "read", "field", "value"),
    [
        ("run.json", Run.record, "classes", 3),
        ("run.json", Run.record, "recipe", []),
        ("run.json", Run.record, "data", None),
        ("evaluation.json", Run.evaluation, "count", "8"),
        ("evaluation.json", Run.evaluation, "top1", None),
        ("evaluation.json", Run.evaluation, "confusion", "no"),
    ],
)
def test_fields_of_another_type_are_a_sentence(run, name, read, field, value):
    change(run.path / name, **{field: value})
    with pytest.raises(InputError, match="not a record that googlenet wrote"):
        read(run)


def signals(labels, names=None, seed=0, part="train"):
    draw = np.random.default_rng(seed)
    values = tuple(draw.normal(size=(1, 8)).astype(np.float32) for _ in labels)
    names = tuple(names or (f"here/{row}.csv" for row in range(len(labels))))
    return Dataset("beeps", ("a", "b"), **{"train": None, part: SignalSet(torch.tensor(labels), names, values)})


def begun(path, data, version=None):
    """A run that learned from data."""
    run = Run(path)
    counts = {name: len(part) for name, part in data.parts.items()}
    known = fingerprint(data) if version is None else fingerprint_by_names(data)
    recipe = SIGNALS.to_dict()
    run.begin(
        dataclasses.replace(RECORD, fingerprint=known, examples=counts, recipe=recipe),
        Learned(frozenset(data.train.contents)),
    )
    if version is not None:
        change(run.path / "run.json", drop=["version"])
        (run.path / "learned.txt").unlink()
    return run


def test_a_run_goes_on_with_the_same_examples_and_recipe_however_long(tmp_path):
    data = signals([0, 1, 0])
    run = begun(tmp_path, data)
    run.check_goes_on(data, SIGNALS)
    run.check_goes_on(signals([0, 1, 0], ("there/0.csv", "1.csv", "x/y/2.csv")), SIGNALS)
    run.check_goes_on(data, dataclasses.replace(SIGNALS, epochs=9999, max_seconds=3.0))
    with pytest.raises(
        InputError, match=r"another recipe \(seed, width differ\)|another recipe \(width, seed differ\)"
    ):
        run.check_goes_on(data, dataclasses.replace(SIGNALS, seed=4, width=0.5))
    assert run.recipe() == SIGNALS


@pytest.mark.parametrize(
    "other",
    [
        signals([0, 1, 1]),
        signals([0, 1, 0], seed=1),
        signals([0, 1, 0, 0]),
        signals([0, 1]),
        signals([0, 1, 0], ("here/1.csv", "here/0.csv", "here/2.csv")),
        signals([0, 1, 0], ("here/0.csv", "here/1.csv", "here/3.csv")),
        signals([0, 1, 0], part="test"),
    ],
    ids=["a label", "other contents", "one more", "one less", "names changed", "renamed", "another part"],
)
def test_a_run_does_not_go_on_with_other_examples(tmp_path, other):
    run = begun(tmp_path, signals([0, 1, 0]))
    with pytest.raises(InputError, match=r"other examples than beeps holds now"):
        run.check_goes_on(other, SIGNALS)


def test_runs_of_version_1_know_their_examples_by_name(tmp_path):
    data = signals([0, 1, 0])
    run = begun(tmp_path, data, version=1)
    assert run.record().version == 1 and run.learned() is None
    run.check_goes_on(data, SIGNALS)
    run.check_goes_on(signals([0, 1, 0], seed=1), SIGNALS)
    with pytest.raises(InputError, match="other examples"):
        run.check_goes_on(signals([1, 1, 0]), SIGNALS)


def test_what_was_learned_is_kept_by_content(tmp_path):
    data = signals([0, 1, 0])
    assert begun(tmp_path, data).learned() == Learned(frozenset(data.train.contents))
    lines = (tmp_path / "learned.txt").read_text().splitlines()
    assert lines == ["# 3 examples", *sorted(data.train.contents)]
    for damage, words in ((b"\xff", "could not be read"), (b"", "is damaged"), (b"0123\n", "is damaged")):
        (tmp_path / "learned.txt").write_bytes(damage)
        with pytest.raises(InputError, match=rf"learned\.txt {words}"):
            Run(tmp_path).learned()


def test_the_run_that_something_lies_in(run, tmp_path):
    (run.path / "model.onnx").touch()
    assert run_of(run.path) == run_of(run.path / "model.onnx") == run
    assert run_of(tmp_path) is None and run_of("googlenet_small.fashion_mnist") is None
    assert run_of(run.path / "nothing.onnx") is None


def test_a_list_says_whether_it_is_whole(tmp_path):
    for whole in (True, False):
        Run(tmp_path).begin(RECORD, Learned(frozenset(["0" * 16, "1" * 16]), whole))
        assert Run(tmp_path).learned() == (frozenset(["0" * 16, "1" * 16]), whole)
        assert learned_by(tmp_path, [""]).whole is whole
    path = tmp_path / "learned.txt"
    path.write_text(path.read_text().replace("others", "other"))
    with pytest.raises(InputError, match="no whole list"):
        Run(tmp_path).learned()


def test_a_list_is_of_those_that_say_its_digest(tmp_path, monkeypatch):
    run = begun(tmp_path, signals([0, 1, 0]))
    for name in ("other.safetensors", "model.safetensors", "model.onnx"):
        (tmp_path / name).touch()
    (tmp_path / "model.safetensors").unlink()
    listed, own, strange = run.learned().contents, run.learned_digest, "0" * 64
    for source in (tmp_path, tmp_path / "model.onnx", tmp_path / "other.safetensors"):
        assert learned_by(source, [own]) == learned_by(source, [own, own]) == (listed, True)
        assert learned_by(source, [own, strange]) == (listed, False)  # what is known of it
        assert learned_by(source, [strange]) == learned_by(source, []) == (frozenset(), False)
    assert learned_by(tmp_path, [""]) == (listed, True)  # the oldest runs' weights do not say
    for name in ("other.safetensors", "model.onnx"):
        assert learned_by(tmp_path / name, [""]) == (frozenset(), False)
    monkeypatch.chdir(tmp_path)
    assert run_of("googlenet_torchvision.imagenet1k") is None
    assert learned_by("googlenet_torchvision.imagenet1k", [""]) == (frozenset(), False)


def test_what_a_killed_process_left_goes_when_a_training_begins(tmp_path):
    for name in (".model.safetensors.0123456789abcdef.googlenet", ".run.json.fedcba9876543210.googlenet"):
        (tmp_path / name).write_text("half")
    Run(tmp_path).begin(RECORD)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["learned.txt", "run.json"]


# ------------------------------------------------------------------------------------------------------- the folder
def test_a_free_folder_is_taken_and_released(tmp_path):
    new = Run(tmp_path / "some" / "run")
    new.take()
    with pytest.raises(InputError, match="Another training is beginning in"):
        Run(new.path).take()
    assert new.path.is_dir()
    new.release()
    assert not new.path.exists()
    new.take()
    new.begin(RECORD, Learned(frozenset(["0" * 16])))
    new.release()
    assert new.record() == RECORD
    assert sorted(path.name for path in new.path.iterdir()) == ["learned.txt", "run.json"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("file", "is a file, not a folder"),
        ("file/below", "Not a directory"),
        ("full", r"holds notes\.txt, which is of no run"),
        ("begun", "already holds a run"),
        ("/proc/run", "cannot be the folder of a run"),
        ("/dev/full/run", "cannot be the folder of a run"),
        ("n" * 300, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_taken_is_a_sentence(tmp_path, path, words):
    (tmp_path / "file").write_text("kept")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("kept")
    Run(tmp_path / "begun").begin(RECORD)
    with pytest.raises(InputError, match=words) as error:
        Run(tmp_path / path).take()
    assert "(--out)" in str(error.value)
    assert (tmp_path / "file").read_text() == (tmp_path / "full" / "notes.txt").read_text() == "kept"


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"could not be made: .*Name another folder \(--out\)"):
        Run(tmp_path / "file" / "run").begin(RECORD)
