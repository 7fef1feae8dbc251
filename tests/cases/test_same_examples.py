"""Examples are what they hold: what a run learned from is known again under any name, and nothing else is."""

import json
import shutil

import pytest

from conftest import picture, run_here, without_digest
from googlenet.files import digest_of
from googlenet.training.runs.folder import Run

pytestmark = pytest.mark.usefixtures("short")
SHORT = ["--arch", "short_2d", "--width", "0.125", "--batch-size", "8", "--epochs", "1"]
RED, BLUE = (200, 60, 60), (60, 60, 200)


def draw(root, numbers, first=0, classes=(("red", RED), ("blue", BLUE)), name="{:03}.png"):
    """Pictures that are numbered as everybody numbers them; ``first`` makes them others."""
    for label, colour in classes:
        (root / label).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            picture(colour, seed=first + number).save(root / label / name.format(number))
    return root


@pytest.fixture(scope="module")
def learned(tmp_path_factory, short):
    """A run that learned from ``train``; the folder of both."""
    root = tmp_path_factory.mktemp("identity")
    draw(root / "data" / "train", range(10))
    assert run_here("train", root / "data" / "train", "--out", root / "run", *SHORT).returncode == 0
    return root


def measured(run, data, *words):
    result = run_here("evaluate", run, data, "--json", *words)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def counts(found):
    return found["count"], found["left_out"], found["learned"]


def test_other_pictures_of_the_same_names_are_all_measured(learned, tmp_path):
    test = draw(tmp_path / "test", range(10), first=100)
    assert counts(measured(learned / "run", test)) == (20, 0, 0)
    shown = run_here("evaluate", learned / "run", test).stdout
    assert "examples 20 (all there are)" in shown


def test_other_pictures_of_the_same_names_are_not_gone_on_with(learned, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(learned / "run", run)
    for first, numbers in ((100, range(10)), (0, range(9)), (0, range(11))):
        data = draw(tmp_path / f"{first}-{len(numbers)}", numbers, first=first)
        result = run_here("train", data, "--out", run, *SHORT, "--resume")
        assert result.returncode == 1 and "learned from other examples than" in result.stderr
    assert run_here("train", learned / "data" / "train", "--out", run, *SHORT, "--resume").returncode == 0


@pytest.mark.parametrize("name", ["{:03}.png", "holiday-{}.png", "{:03}.PNG"])
def test_what_was_learned_is_left_out_under_any_name(learned, tmp_path, name):
    data = draw(tmp_path / "all", range(10), name=name)
    assert counts(measured(learned / "run", data)) == (4, 16, 0)
    draw(data, range(100, 101))  # one picture more does not make the others new
    assert counts(measured(learned / "run", data)) == (6, 16, 0)
    assert counts(measured(learned / "run", data, "--all")) == (22, 0, 16)
    shown = run_here("evaluate", learned / "run", data).stdout
    assert "examples 6 of 22 (16 left out, which the run learned from)" in shown
    shown = run_here("evaluate", learned / "run", data, "--all").stdout
    assert "examples 22 (all there are; the run learned from 16 of them)" in shown


def test_where_nothing_new_is_left_it_is_said(learned, tmp_path):
    data = tmp_path / "known"
    part = Run(learned / "run").learned().contents
    for path in (learned / "data" / "train").rglob("*.png"):
        if digest_of(path) in part:
            (data / path.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, data / path.parent.name)
    result = run_here("evaluate", learned / "run", data)
    assert result.returncode == 1 and "learned from all 16 examples" in result.stderr and "--all" in result.stderr
    assert counts(measured(learned / "run", data, "--all")) == (16, 0, 16)


def test_weights_that_lie_in_a_run_know_what_it_learned_from(learned, tmp_path):
    data = learned / "data" / "train"
    assert counts(measured(learned / "run" / "model.safetensors", data)) == (4, 16, 0)
    shutil.copy(learned / "run" / "model.safetensors", tmp_path)
    found = measured(tmp_path / "model.safetensors", data)
    assert counts(found) == (20, 0, 0) and found["unknown"] == [str(tmp_path / "model.safetensors")]
    shown = run_here("evaluate", tmp_path / "model.safetensors", data).stdout
    assert "model.safetensors learned from is not known, and may be among them" in " ".join(shown.split())
    assert measured(learned / "run", data)["unknown"] == []


def test_an_export_of_several_runs_is_not_of_the_one_in_whose_folder_it_lies(learned, tmp_path):
    data = learned / "data" / "train"
    run = shutil.copytree(learned / "run", tmp_path / "run")
    other = ["train", data, "--out", tmp_path / "other", *SHORT, "--seed", "1"]
    assert run_here(*other).returncode == 0
    for runs, expected, unknown in (([run], (4, 16, 0), 0), ([run, tmp_path / "other"], (4, 16, 0), 1)):
        assert run_here("export", *runs).returncode == 0
        found = measured(run / "model.onnx", data)
        assert counts(found) == expected and len(found["unknown"]) == unknown


def test_a_run_knows_what_the_weights_learned_from_that_it_began_with(learned, tmp_path):
    more = draw(tmp_path / "more", range(10), first=300)
    words = ["--weights", learned / "run", "--epochs", "1", "--batch-size", "8"]
    assert run_here("train", more, "--out", tmp_path / "run", *words).returncode == 0
    assert counts(measured(tmp_path / "run", learned / "data" / "train")) == (4, 16, 0)
    assert counts(measured(tmp_path / "run", more)) == (4, 16, 0)


def test_what_began_with_weights_of_an_unknown_past_says_so_ever_after(learned, tmp_path):
    """Weights of a run outside of its folder, a run that began with them, and one that began with that."""
    data, words = draw(tmp_path / "more", range(10), first=300), ["--epochs", "1", "--batch-size", "8"]
    shutil.copy(learned / "run" / "model.safetensors", tmp_path / "mine.safetensors")
    start = tmp_path / "mine.safetensors"
    for name in ("second", "third"):
        with pytest.warns(RuntimeWarning, match="learned from is not known: evaluate may measure examples of it"):
            done = run_here("train", data, "--weights", start, "--out", tmp_path / name, *words)
        assert done.returncode == 0, done.stderr
        start = tmp_path / name
        shown = " ".join(run_here("evaluate", start, data).stdout.split())
        assert f"what {start} learned from is not known, and may be among them" in shown


def test_what_the_weights_learned_from_before_is_not_called_held_out(learned, tmp_path):
    """Begun with weights of a network that had a test part of its own, and so learned from all of these."""
    draw(tmp_path / "data" / "train", range(10))
    draw(tmp_path / "data" / "test", range(2), first=500)
    words = ["--epochs", "1", "--batch-size", "8"]
    assert run_here("train", tmp_path / "data", "--out", tmp_path / "before", *SHORT).returncode == 0
    start = ["--weights", tmp_path / "before", *words]
    result = run_here("train", tmp_path / "data" / "train", "--out", tmp_path / "run", *start)
    assert result.returncode == 0, result.stderr
    assert "learned from 4 of the 4 pictures to measure on, by content" in result.stderr.replace("\n", " ")
    assert "on 4 that it learned from: none is new to it" in result.stderr.replace("\n", " ")
    assert "that it learned from: none is new to it" in (tmp_path / "run" / "report.html").read_text()
    draw(tmp_path / "more", range(10))
    draw(tmp_path / "more", range(10, 20), first=700)
    result = run_here("train", tmp_path / "more", "--out", tmp_path / "half", *start)
    seen = json.loads((tmp_path / "half" / "evaluation.json").read_text())
    assert 0 < seen["left_out"] < 8 and seen["count"] == 8 - seen["left_out"] and seen["learned"] == 0
    assert f"learned from {seen['left_out']} of the 8 pictures" in result.stderr.replace("\n", " ")
    assert f"{seen['count']} held out, of 8: the others were learned from" in result.stderr.replace("\n", " ")


def test_several_runs_are_measured_on_what_is_new_to_all(learned, tmp_path):
    data = learned / "data" / "train"
    new = sorted({digest_of(path) for path in data.rglob("*.png")} - Run(learned / "run").learned().contents)
    assert len(new) == 4
    shutil.copytree(learned / "run", tmp_path / "other")
    without_digest(tmp_path / "other")
    (tmp_path / "other" / "learned.txt").write_text("\n".join(new[:3]) + "\n")
    result = run_here("evaluate", learned / "run", tmp_path / "other", data, "--json")
    assert counts(json.loads(result.stdout)) == (1, 19, 0)
    (tmp_path / "other" / "learned.txt").write_text("\n".join(new) + "\n")
    result = run_here("evaluate", learned / "run", tmp_path / "other", data)
    assert result.returncode == 1 and "learned from all 20 examples" in result.stderr


def test_copies_are_said_and_stay_on_one_side(tmp_path):
    data = draw(tmp_path / "copies", range(10))
    for number in range(6):
        shutil.copy(data / "red" / f"{number:03}.png", data / "red" / f"again-{number}.png")
    shutil.copy(data / "red" / "000.png", data / "blue" / "doubtful.png")
    result = run_here("train", data, "--out", tmp_path / "run", *SHORT)
    assert result.returncode == 0, result.stderr
    assert "1 picture is under more than one label (by content), such as" in result.stderr
    assert "doubtful.png and" in result.stderr and "000.png: not all of them can be right" in result.stderr
    evaluation = Run(tmp_path / "run").evaluation()
    assert (evaluation.left_out, evaluation.learned) == (0, 0)
    assert counts(measured(tmp_path / "run", data))[0] == evaluation.count


def test_copies_in_two_parts_are_said_and_not_measured(tmp_path):
    data = tmp_path / "split"
    draw(data / "train", range(10))
    draw(data / "test", range(8, 14))  # four of twelve were learned from
    result = run_here("train", data, "--out", tmp_path / "run", *SHORT)
    assert result.returncode == 0, result.stderr
    assert "4 pictures are in more than one part (by content)" in result.stderr
    evaluation = Run(tmp_path / "run").evaluation()
    assert (evaluation.count, evaluation.left_out, evaluation.part) == (8, 4, "test")
    assert counts(measured(tmp_path / "run", data)) == (8, 4, 0)
    assert "held out, of 12: the others were learned from" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize("break_it", ["cut", "text", "empty"])
def test_what_cannot_be_read_is_counted_and_named(learned, tmp_path, break_it):
    data = draw(tmp_path / "new", range(5), first=500)
    for name in ("red/000.png", "blue/003.png"):
        path = data / name
        path.write_bytes({"cut": path.read_bytes()[:60], "text": b"x\n", "empty": b""}[break_it])
    result = run_here("evaluate", learned / "run", data)
    assert "examples 8 (all there are; 2 more could not be read)" in result.stdout
    assert "2 files are left out" in result.stderr and "000.png" in result.stderr and "003.png" in result.stderr
    found = measured(learned / "run", data)
    assert {row["path"] for row in found["bad_files"]} == {str(data / "red/000.png"), str(data / "blue/003.png")}
    assert all(row["reason"] for row in found["bad_files"])


def test_rows_of_a_table_are_known_again(tmp_path):
    import numpy as np

    draws = np.random.default_rng(0)
    rows = [(label, draws.normal(label, 0.3, 20)) for label in (0, 1) for _ in range(10)]

    def table(name, rows):
        lines = [",".join(["label", *(f"t{i}" for i in range(20))])]
        lines += [",".join([f"class{label}", *map(repr, map(float, values))]) for label, values in rows]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return tmp_path / name

    words = ["--arch", "short_1d", "--width", "0.125", "--members", "1", "--batch-size", "8", "--epochs", "1"]
    assert run_here("train", table("a.csv", rows), "--out", tmp_path / "run", *words).returncode == 0
    again = table("b.csv", rows[::-1])
    assert counts(measured(tmp_path / "run", again)) == (4, 16, 0)
    new = [(label, draws.normal(label, 0.3, 20)) for label in (0, 1) for _ in range(3)]
    assert counts(measured(tmp_path / "run", table("c.csv", rows + new))) == (10, 16, 0)
