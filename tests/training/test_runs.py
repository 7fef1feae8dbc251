"""Records of a run: written, read again, old, young and damaged."""

import dataclasses
import json

import pytest

from googlenet import InputError
from googlenet.training.runs import ClassScores, EpochRow, Evaluation, Run, RunRecord

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
        assert json.loads((run.path / name).read_text())["version"] == 1


def test_a_folder_without_a_run_is_none(tmp_path):
    run = Run(tmp_path)
    assert not run.exists and run.evaluation() is None
    for read in (run.record, run.history):
        with pytest.raises(InputError, match="could not be read"):
            read()


def test_records_that_do_not_say_their_version_are_read(run):
    for name in ("run.json", "evaluation.json"):
        change(run.path / name, drop=["version"])
    assert run.record() == RECORD and run.evaluation() == EVALUATION


def test_the_oldest_runs_do_not_say_which_examples_they_learned_from(run):
    change(run.path / "run.json", drop=["version", "fingerprint"])
    assert run.record() == dataclasses.replace(RECORD, fingerprint="")


def test_a_row_of_before_has_what_was_known_then(run):
    (run.path / "metrics.jsonl").write_text('{"epoch": 1, "loss": 0.5, "accuracy": 0.9}\n')
    assert run.history() == [EpochRow(1, 0.5, 0.9)]


@pytest.mark.parametrize(("name", "read"), [("run.json", Run.record), ("evaluation.json", Run.evaluation)])
def test_records_that_cannot_be_read_are_sentences(run, name, read):
    path = run.path / name
    whole = path.read_text()
    change(path, version=2)
    with pytest.raises(InputError, match=rf"{name} is of version 2, written by another googlenet; this one reads 1\."):
        read(run)
    for damage, words in (
        (whole.replace('"version": 1', '"version": 1, "colour": "red"'), "not a record that googlenet wrote"),
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


def test_a_run_goes_on_with_the_same_examples_and_recipe(run):
    run.check_goes_on(RECORD)
    with pytest.raises(InputError, match=r"other examples than flow€rs holds now"):
        run.check_goes_on(dataclasses.replace(RECORD, fingerprint="f" * 16))
    other = dataclasses.replace(RECORD, recipe=RECORD.recipe | {"seed": 4})
    with pytest.raises(InputError, match=r"another recipe \(seed differ\)"):
        run.check_goes_on(other)
    run.checkpoint.write_bytes(b"")  # it says more about its recipe, and is asked
    run.check_goes_on(other)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"could not be made: .*Name another folder \(--out\)"):
        Run(tmp_path / "file" / "run").begin(RECORD)
