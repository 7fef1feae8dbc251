"""What is measured, labelled and exported, and what is said of what is not; what a name tells of a file."""

import csv
import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from conftest import DEADLINE, picture, run_here, without_digest
from googlenet import InputError, load
from googlenet.data.find import find_data
from googlenet.data.images.decode import open_picture, taken_for
from googlenet.data.images.sources.folders import find_images
from googlenet.inference.calibration.quantization import examples_from
from googlenet.training.recipe import RECIPES
from googlenet.training.runs.folder import Run
from googlenet.weights import formats
from googlenet.weights.convert import convert

pytestmark = pytest.mark.usefixtures("short")
SHORT = ["--arch", "short_2d", "--width", "0.125", "--batch-size", "8", "--epochs", "2"]
COLOURS = {"red": (200, 60, 60), "blue": (60, 60, 200), "green": (60, 200, 60), "grey": (120, 120, 120)}


def draw(root, classes=("red", "blue"), count=10, first=0):
    for name in classes:
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            picture(COLOURS.get(name, (90, 90, 90)), seed=first + number).save(root / name / f"{number:03}.png")
    return root


@pytest.fixture(scope="module")
def learned(tmp_path_factory, short):
    """The folder of a run and of its data."""
    root = tmp_path_factory.mktemp("evaluating")
    draw(root / "data")
    done = run_here("train", root / "data", "--out", root / "run", *SHORT)
    assert done.returncode == 0, done.stderr
    return root


def words_of(done):
    return " ".join((done.stdout + done.stderr).split())


# ------------------------------------------------------------------------------------------------ what is labelled
@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("https://example.com/cat.jpg", "an address on the network; download it first"),
        ("S3://bucket/cat.jpg", "an address on the network; download it first"),
        ("none/*.png", "nothing matches this pattern"),
        ("data/red/9[5-9]?.png", "nothing matches this pattern"),
        ("data/**/x*.png", "nothing matches this pattern"),
        ("none.png", "no such file"),
    ],
)
def test_what_cannot_be_labelled_is_a_row_and_the_rest_goes_on(learned, word, reason):
    done = run_here(
        "predict", "run", word, "data/red/000.png", "data/blue/00[12].png", "--format", "jsonl", cwd=learned
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [row["input"] for row in rows] == [word, "data/red/000.png", "data/blue/001.png", "data/blue/002.png"]
    assert reason in rows[0]["error"] and all("label" in row for row in rows[1:])
    done = run_here("predict", "run", "-", "--format", "jsonl", cwd=learned, stdin=f"data/red/000.png\n{word}\n")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert "label" in rows[0] and rows[1]["error"]
    assert reason in load(learned / "run", engine="torch").predict([word])[0].error


def test_a_file_that_is_called_like_a_pattern_is_that_file(learned, tmp_path):
    for name in ("a[1].png", "b*.png"):
        shutil.copy(learned / "data" / "red" / "000.png", tmp_path / name)
        done = run_here("predict", learned / "run", tmp_path / name)
        assert done.returncode == 0 and "error" not in done.stdout


def test_a_run_is_never_an_address(learned):
    done = run_here("predict", "https://example.com/run", "data/red/000.png", cwd=learned)
    assert done.returncode == 1 and done.stderr.startswith("googlenet: https://example.com/run is an address")


# ------------------------------------------------------------------------------------------------ what is measured
def test_classes_that_are_not_known_are_counted_and_the_others_measured(learned, tmp_path):
    data = draw(tmp_path / "new", ("red", "blue"), 3, first=50)
    expected = json.loads(run_here("evaluate", learned / "run", data, "--json").stdout)
    draw(data, ("green",), 5)
    draw(data, ("grey",), 1)
    done = run_here("evaluate", learned / "run", data, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found.pop("strangers") == {"green": 5, "grey": 1}
    expected.pop("strangers")
    assert found == expected and found["count"] == 6 and found["left_out"] == 0
    shown = words_of(run_here("evaluate", learned / "run", data))
    assert (
        "examples 6 (all there are of its classes; 6 are of classes that the network does not know: green 5, grey 1)"
        in shown
    )


def test_they_are_counted_beside_what_was_learned_from(learned, tmp_path):
    shutil.copytree(learned / "data", tmp_path / "data")
    draw(tmp_path / "data", ("green",), 2)
    found = json.loads(run_here("evaluate", learned / "run", tmp_path / "data", "--json").stdout)
    assert (found["count"], found["left_out"], found["learned"], found["strangers"]) == (4, 16, 0, {"green": 2})
    found = json.loads(run_here("evaluate", learned / "run", tmp_path / "data", "--json", "--all").stdout)
    assert (found["count"], found["left_out"], found["learned"], found["strangers"]) == (20, 0, 16, {"green": 2})


def test_a_class_that_only_another_part_has_is_in_nobodys_way(learned, tmp_path):
    draw(tmp_path / "data" / "train", ("red", "blue", "green"), 2, first=70)
    draw(tmp_path / "data" / "test", ("red", "blue"), 2, first=80)
    found = json.loads(run_here("evaluate", learned / "run", tmp_path / "data", "--json").stdout)
    assert (found["count"], found["strangers"], found["part"]) == (4, {}, "test")


@pytest.mark.parametrize("classes", [("green", "grey"), ("Red",), ("green",)])
def test_where_no_class_is_known_it_is_said(learned, tmp_path, classes):
    data = draw(tmp_path / "new", classes, 2)
    done = run_here("evaluate", learned / "run", data)
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("googlenet: The network knows none of the")
    assert all(repr(name) in done.stderr for name in (*classes, "red", "blue"))


def test_what_there_is_to_say_of_data_is_said(learned, tmp_path):
    data = draw(tmp_path / "new", ("red", "blue"), 2, first=60)
    (data / "empty").mkdir()
    (data / "red" / "notes.txt").write_text("these are red")
    done = run_here("evaluate", learned / "run", data)
    notes = find_images(data).notes
    assert len(notes) == 2 and all(note in words_of(done) for note in notes)
    done = run_here("evaluate", learned / "run", data, "--json")
    assert json.loads(done.stdout)["notes"] == list(notes) and notes[0] in words_of(done)


def test_whoever_measures_says_what_could_not_be_read(learned, tmp_path):
    data = draw(tmp_path / "new", ("red", "blue"), 2, first=60)
    (data / "red" / "bad.png").write_bytes(b"none")
    (data / "red" / "notes.txt").write_text("these are red")
    other = shutil.copytree(learned / "run", tmp_path / "other")
    words = ["evaluate", learned / "run", data, "--against", other]
    shown, row = words_of(run_here(*words)), json.loads(run_here(*words, "--json").stdout)
    assert "1 file is left out" in shown and "bad.png" in shown and "1 .txt" in shown and "Of 4 examples" in shown
    assert [each["path"] for each in row["bad_files"]] == [str(data / "red" / "bad.png")] and len(row["notes"]) == 1
    shown = words_of(run_here("explain", learned / "run", "--method", "ablation", "--data", data))
    assert "1 file could not be read" in shown and "bad.png first" in shown and "1 .txt" in shown
    one = data / "blue" / "000.png"
    (data / "red" / "notes.txt").unlink()
    with pytest.warns(RuntimeWarning, match="1 file could not be read, .*bad.png first"):
        assert run_here("explain", learned / "run", one, "--method", "nearest", "--data", data).returncode == 0


@pytest.mark.parametrize("inside", [False, True])
def test_two_classes_that_are_one_folder_are_named(tmp_path, inside):
    data = draw(tmp_path / "data", ("red", "blue"), 2)
    (tmp_path / "elsewhere").mkdir()
    target = data / "red"
    if not inside:
        target = target.rename(tmp_path / "elsewhere" / "red")
        (data / "red").symlink_to(target)
    (data / "crimson").symlink_to(target)
    (note,) = [note for note in find_images(data).notes if "one folder" in note]
    assert str(data / "red") in note and str(data / "crimson") in note and "blue" not in note
    (data / "crimson").unlink()
    assert not [note for note in find_images(data).notes if "one folder" in note]


# -------------------------------------------------------------------------------------------------- 8 bits
def test_a_table_is_read_as_a_table_and_what_is_bad_is_named(learned, tmp_path):
    preprocessing = load(learned / "run", engine="torch").preprocessing
    data = draw(tmp_path / "data", ("red", "blue"), 3)
    (data / "red" / "broken.png").write_bytes(b"no picture")
    (data / "red" / "short.png").write_bytes((data / "red" / "000.png").read_bytes()[:200])
    rows = [(path.relative_to(tmp_path), path.parent.name) for path in sorted(data.rglob("*.png"))]
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows, ("data/red/gone.png", "red")])
    found, bad = examples_from(str(tmp_path / "labels.csv"), preprocessing)
    same, worse = examples_from(str(data), preprocessing)
    assert sorted(example.tobytes() for example in found) == sorted(example.tobytes() for example in same)
    assert {file.path.rsplit("/", 1)[1] for file in worse} == {"broken.png", "short.png"}
    assert {file.path.rsplit("/", 1)[1] for file in bad} == {"broken.png", "short.png", "gone.png"}
    (tmp_path / "empty.csv").write_text("path,label\ndata/red/gone.png,red\n")
    with pytest.raises(InputError, match=r"gone\.png"):
        examples_from(str(tmp_path / "empty.csv"), preprocessing)


# --------------------------------------------------------------------------------------------------------- runs
def test_a_finished_run_says_so_and_how_it_gets_more(learned, tmp_path):
    shutil.copytree(learned / "run", tmp_path / "run")
    again = ["train", learned / "data", "--out", tmp_path / "run", "--resume"]
    said = "is finished, with 2 of 2 epochs. --epochs N gives it more."
    done = run_here(*again)
    assert done.returncode == 0 and said in words_of(done)
    assert said in words_of(run_here(*again, "--epochs", "2"))
    done = run_here(*again, "--epochs", "3")
    assert done.returncode == 0 and "is finished" not in words_of(done)
    assert len(Run(tmp_path / "run").history()) == 3
    assert "is finished, with 3 of 3 epochs" in words_of(run_here(*again))


def test_a_run_whose_time_is_over_says_so(learned, tmp_path):
    shutil.copytree(learned / "run", tmp_path / "run")
    rows = Run(tmp_path / "run").history()
    again = ["train", learned / "data", "--out", tmp_path / "run", "--resume", "--epochs", "9", "--max-seconds"]
    spent = sum(row.seconds for row in rows)
    done = run_here(*again, max(spent / 2, 1e-9))
    assert done.returncode == 0 and "s are over. --max-seconds N gives it more, where N counts these too." in words_of(
        done
    )
    assert len(Run(tmp_path / "run").history()) == len(rows)


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.1])
def test_a_list_of_what_was_learned_that_was_cut_is_noticed(learned, tmp_path, kept):
    shutil.copytree(learned / "run", tmp_path / "run")
    path = tmp_path / "run" / "learned.txt"
    lines = path.read_text().splitlines(keepends=True)
    assert lines[0] == "# 16 examples\n" and len(lines) == 17
    whole = Run(tmp_path / "run").learned().contents
    assert len(whole) == 16
    for cut in ("".join(lines)[: int(kept * sum(map(len, lines)))], "".join(lines[: max(1, int(kept * 17))])):
        path.write_text(cut)
        done = run_here("evaluate", tmp_path / "run", learned / "data")
        assert done.returncode == 1
        assert (
            "learned.txt is damaged: it is no whole list" in done.stderr or "learned.txt is not the list" in done.stderr
        )
    without_digest(tmp_path / "run")
    path.write_text("".join(lines[1:]))  # as the first runs wrote it
    assert Run(tmp_path / "run").learned().contents == whole
    path.unlink()
    assert json.loads(run_here("evaluate", tmp_path / "run", learned / "data", "--json").stdout)["unknown"]


def test_why_the_last_epoch_held_out_another_accuracy(learned, tmp_path):
    from googlenet.apps.cli.output import results

    shutil.copytree(learned / "run", tmp_path / "run")
    run = Run(tmp_path / "run")
    evaluation, rows = run.evaluation(), run.history()
    assert evaluation.part == "validation"
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "say", shown.append)
        for accuracy in (evaluation.top1, abs(evaluation.top1 - 0.25)):
            import dataclasses

            run.write_history([*rows[:-1], dataclasses.replace(rows[-1], validation_accuracy=accuracy)])
            results.show_result(evaluation, run)
    assert len(shown) == 5 and f"{abs(evaluation.top1 - 0.25):.4f} held out was a quick look; " in shown[4]
    assert "over each picture and its mirror image, as predict and evaluate" in shown[4]
    assert "calibrated on" in shown[1] and shown[1] == shown[3]


@pytest.mark.parametrize("number", ["0", "0.0", "-1"])
def test_no_time_at_all_is_no_limit_and_refused(learned, number):
    done = run_here("train", learned / "data", "--max-seconds", number, cwd=learned)
    assert done.returncode != 0 and "max_seconds must be " in done.stderr.splitlines()[-1]
    with pytest.raises(InputError, match="max_seconds must be"):
        RECIPES["small"].with_changes({"max_seconds": number})


IMPORTING = """
import sys
class Interrupted:
    def find_spec(self, name, *rest):
        if name == {name!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
sys.argv = ["googlenet", "recipes"]
from googlenet.__main__ import main
main()
"""


@pytest.mark.skipif("GOOGLENET_MUTATION" in __import__("os").environ, reason="a process of its own")
@pytest.mark.parametrize("name", ["typer", "googlenet.apps.cli.commands.runs", "googlenet.training.recipe"])
def test_who_stops_it_as_it_starts_gets_a_sentence(name):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING.format(name=name)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (done.returncode, done.stderr) == (130, "googlenet: Stopped.\n")


# ------------------------------------------------------------------------------------------- what names tell
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.png", "is a single picture by its name, and has no label. Data are a folder"),
        ("x.JPEG", "is a single picture"),
        ("x.heic", "is a single picture"),
        ("x.zip", "is an archive, and those are not read: unpack it"),
        ("photos.tar.gz", "is an archive"),
        ("x.7z", "is an archive"),
        ("x.json", "is no table by its name, and .json is not read"),
        ("x.yaml", "is no table by its name"),
        ("x.safetensors", "is a network by its name, and no data"),
        ("x.pth", "is a network by its name"),
    ],
)
def test_a_file_that_is_no_data_is_told_by_its_name(tmp_path, name, words):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(InputError, match=words) as error:
        find_data(str(tmp_path / name))
    assert "signals" not in str(error.value)
    done = run_here("train", name, cwd=tmp_path)
    assert done.returncode == 1 and words in done.stderr


def test_a_picture_without_an_extension_is_one_too(tmp_path):
    picture((9, 9, 9)).save(tmp_path / "scan", "PNG")
    with pytest.raises(InputError, match="is a single picture"):
        find_data(str(tmp_path / "scan"))


def test_what_is_not_written_is_not_named_by_where_it_lay(learned, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def fails(weights, path):
        path.with_suffix(".bin").write_bytes(b"a part")
        raise InputError(f"{path} has no place for it, nor has {path.with_suffix('.bin')}.")

    monkeypatch.setattr(formats, "write", fails)
    for target in ("new.safetensors", tmp_path / "far" / "new.safetensors"):
        with pytest.raises(InputError) as error:
            convert(learned / "run", target)
        assert str(error.value).startswith(f"{target} has no place for it") and "fresh-" not in str(error.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("dtype", "said"), [("u1", "width"), ("f4", "from 0 to 1"), ("f8", "from 0 to 1"), ("i8", "width"), ("?", "width")]
)
def test_a_scale_is_named_where_there_is_one(learned, dtype, said):
    array = np.zeros((40, 30), dtype)
    assert taken_for(array).endswith(said)
    (found,) = load(learned / "run", engine="torch").predict([array])
    assert (found.error is None) == (dtype in ("u1", "f4", "f8"))
    assert found.taken_for.endswith(said)


# ---------------------------------------------------------------------------------------------------- formats
@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.tif", "x", "x.eps", "x.ps"])
def test_a_drawing_starts_no_other_program_whatever_it_is_called(tmp_path, monkeypatch, name):
    picture((200, 60, 60)).save(tmp_path / "drawing", "EPS")
    content = (tmp_path / "drawing").read_bytes()
    (tmp_path / name).write_bytes(content)

    def started(*_, **__):
        raise AssertionError("Ghostscript was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", started)
    monkeypatch.setattr(subprocess, "Popen", started)
    for source in (tmp_path / name, str(tmp_path / name), content):
        with pytest.raises(InputError, match="not a picture in a format|a drawing of lines"):
            open_picture(source)


@pytest.mark.parametrize("end", [".jpg", ".png", ".bmp", ".webp"])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "TGA", "MPO", "PCX"])
def test_a_picture_under_another_name_is_what_it_is(tmp_path, form, end):
    image = Image.new("RGB", (32, 32), (200, 60, 60))
    image.save(tmp_path / f"x{end}", form)
    pixels = np.asarray(open_picture(tmp_path / f"x{end}"))
    with Image.open(tmp_path / f"x{end}") as opened:
        np.testing.assert_array_equal(pixels, np.asarray(opened.convert("RGB")))
