"""What is read is known by whatever name, so that nothing written takes its place."""

from pathlib import Path

import pytest

from conftest import run_here
from googlenet import InputError
from googlenet.apps.cli.output.spans import write_spans
from googlenet.apps.cli.output.writers import WRITERS
from googlenet.data.walk import is_read
from googlenet.inference.prediction import Prediction, Wanted
from googlenet.inference.spans import Span
from googlenet.weights.convert import convert


def test_what_is_read_is_known_by_whatever_way_it_is_named(tmp_path, monkeypatch):
    data, run = tmp_path / "data", tmp_path / "run"
    for place in ("data/red/1.png", "data/red/notes.txt", "keep.png", "free.png", "run/run.json", "run/model.onnx"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("x")
    (data / "red" / "alias.png").symlink_to(tmp_path / "keep.png")
    (tmp_path / "other").symlink_to(data)
    monkeypatch.chdir(tmp_path)
    for word in ("data", "other", "data/red", "data/*", "dat?/**", str(data)):
        assert is_read(tmp_path / "other" / "red" / "1.png", word), word
        assert is_read(tmp_path / "keep.png", word), word
        assert not is_read(tmp_path / "free.png", word)
        assert not is_read(data / "new.png", word)
    assert is_read(data / "red" / "notes.txt", "data")  # which are no results of before
    assert is_read(run / "run.json", "run") and is_read(run / "model.onnx", "run")
    assert is_read(tmp_path / "keep.png", "keep.png") and not is_read(tmp_path / "keep.png", "none.png")


def test_no_result_is_written_over_what_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a/0.png", "photos/a/1.png", "labels.csv", "photos/labels.csv", "run/run.json", "run/x.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    one = Path("photos/a/0.png")
    assert all(
        is_read(one, word) for word in ("photos/a/0.png", "photos/a", "photos", "photos/*/0.png", "photos/**/*.png")
    )
    assert not any(is_read(one, word) for word in ("photos/a/1.png", "photos/a/1*.png", "run", "-"))
    assert is_read(Path("run/x.csv"), "run") and is_read(Path("photos/labels.csv"), "photos")
    assert not is_read(Path("photos/a/2.png"), "photos")


@pytest.mark.parametrize("form", ["table", "csv", "jsonl"])
def test_what_was_written_into_a_folder_of_data_may_be_written_again_and_no_table_of_it(tmp_path, form):
    """By how it begins: both may be called alike."""
    found = Prediction("a b/0.png", top=(("cat", 0.75), ("dog", 0.25)))
    for name, predictions in (("told", [found]), ("failed", [Prediction("0.png", error="it is empty.")])):
        with (tmp_path / name).open("w") as out:
            WRITERS[form](predictions, out, Wanted(2))
    with (tmp_path / "spans").open("w") as out:
        write_spans([Span("night", 0.0, 30.0, "W", 0.987, 1)], out, form)
    with (tmp_path / "rejected").open("w") as out:
        write_spans([Span("night", 0.5, 30.0, "", 0.0, 1)], out, form)
    for name in ("told", "failed", "spans", "rejected"):
        assert is_read(tmp_path / name, str(tmp_path / name)) and not is_read(tmp_path / name, str(tmp_path)), name
    tables = (
        "1,0.123,0.5\n",
        "  1.0000000e+00  1.769e-01\n",
        "1  2e0 0.500 1\n",
        "name,class\na,b\n",
        "dog  0.123 0.456 0.789\n",
    )
    for number, text in enumerate(tables):
        (tmp_path / f"{number}.txt").write_text(text)
        assert is_read(tmp_path / f"{number}.txt", str(tmp_path)), text


def test_predictions_and_figures_do_not_take_the_place_of_data(tmp_path, boot_run):
    data = tmp_path / "data"
    before = {path: path.read_bytes() for path in sorted(data.rglob("*.png"))}
    one = next(iter(before))
    for words in (
        ["predict", boot_run, data, "--output", one],
        ["predict", boot_run, tmp_path / "alias", "--output", one],
        ["explain", boot_run, "--method", "ablation", "--data", data, "--out", one],
        ["explain", boot_run, one, "--method", "nearest", "--data", data, "--out", list(before)[1]],
    ):
        done = run_here(*words)
        assert done.returncode == 1 and "would replace what is read" in " ".join(done.stderr.split()), words
    assert {path: path.read_bytes() for path in sorted(data.rglob("*.png"))} == before


@pytest.fixture
def boot_run(tmp_path, short):
    from conftest import picture

    for label, colour in (("red", (200, 60, 60)), ("blue", (60, 60, 200))):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(4):
            picture(colour, seed=number).save(tmp_path / "data" / label / f"{number}.png")
    (tmp_path / "alias").mkdir()
    (tmp_path / "alias" / "x.png").symlink_to(sorted((tmp_path / "data").rglob("*.png"))[0])
    words = ["--arch", "short_2d", "--width", "0.125", "--batch-size", "4", "--epochs", "1"]
    assert run_here("train", tmp_path / "data", "--out", tmp_path / "run", *words).returncode == 0
    return tmp_path / "run"


def test_weights_are_not_converted_onto_themselves(tmp_path, boot_run):
    before = (boot_run / "model.safetensors").read_bytes()
    alone = tmp_path / "a.safetensors"
    alone.write_bytes(before)
    for source, target in ((boot_run, boot_run / "model.safetensors"), (alone, alone)):
        with pytest.raises(InputError, match="would replace what is read"):
            convert(source, target, bf16=True)
    assert alone.read_bytes() == (boot_run / "model.safetensors").read_bytes() == before
    assert convert(boot_run, tmp_path / "b.safetensors", bf16=True).target.stat().st_size < len(before)


def test_a_folder_that_is_called_as_an_unfinished_file_is_not_left_unlabelled_in_silence(tmp_path, boot_run):
    (tmp_path / "data" / "red" / "session.tmp").mkdir()
    done = run_here("predict", boot_run, tmp_path / "data")
    assert done.returncode == 0 and "Passed over" in done.stderr and "'red/session.tmp'" in done.stderr
    assert "Passed over" not in run_here("predict", boot_run, tmp_path / "alias").stderr
