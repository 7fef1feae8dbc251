"""Folders, tables and odd files, from the outside."""

import csv
import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from conftest import QUICK, picture, run_cli
from googlenet import InputError
from googlenet.data.images.crops import crops_of
from googlenet.data.images.decode import open_picture
from googlenet.data.images.folders import find_images
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.splits import hold_out


def odd_but_good(folder):
    """Pictures in formats and modes that must be read: name to a file."""
    red = (200, 60, 60)
    image = picture(red)
    image.convert("L").save(folder / "grey.jpg")
    image.convert("CMYK").save(folder / "cmyk.jpg")
    image.convert("P").save(folder / "palette.png")
    image.convert("RGBA").save(folder / "alpha.png")
    Image.fromarray(np.full((30, 40), 40_000, np.uint16)).save(folder / "sixteen.png")
    image.save(folder / "lossy.webp")
    image.save(folder / "moving.gif", save_all=True, append_images=[picture((0, 0, 0))])
    image.save(folder / "old.bmp")
    image.save(folder / "scan.tiff")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(folder / "turned.jpg", exif=exif)
    image.convert("1").save(folder / "two_tones.png")
    Image.new("RGB", (1, 1)).save(folder / "one_pixel.png")
    return 12


def bad(folder):
    """Files that are no pictures: name to a part of the reason."""
    buffer = io.BytesIO()
    picture((200, 60, 60), (400, 300)).save(buffer, "JPEG")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "truncated.jpg").write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    (folder / "text.png").write_text("not a picture")
    (folder / "noise.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(200)))
    Image.new("1", (12_000, 12_000)).save(folder / "bomb.png")
    (folder / "dangling.jpg").symlink_to(folder / "nothing")
    return {
        "empty.jpg": "empty",
        "truncated.jpg": "truncated",
        "text.png": "not a picture",
        "noise.png": "",
        "bomb.png": "bomb",
        "dangling.jpg": "no such file",
    }


def test_broken_and_odd_files_end_to_end(two_classes, tmp_path):
    good = odd_but_good(two_classes / "red")
    reasons = bad(two_classes / "red")
    run = tmp_path / "run"
    trained = run_cli("train", two_classes, "--out", run, *QUICK, "--batch-size", "8")
    assert trained.returncode == 0, trained.stderr
    assert f"{len(reasons)} files are left out" in trained.stderr
    for name, reason in reasons.items():
        line = next(line for line in trained.stderr.splitlines() if name in line)
        assert reason in line
    record = json.loads((run / "run.json").read_text())
    assert sum(record["examples"].values()) == 24 + good
    assert {row["path"].rsplit("/", 1)[1] for row in record["bad_files"]} == set(reasons)
    assert "Files left out: 6" in (run / "report.html").read_text()

    predicted = run_cli("predict", run, two_classes / "red", "nowhere.png", "--format", "jsonl")
    assert predicted.returncode == 1
    rows = {row["input"].rsplit("/", 1)[-1]: row for row in map(json.loads, predicted.stdout.splitlines())}
    assert len(rows) == 12 + good + len(reasons) + 1
    assert {name for name, row in rows.items() if "error" in row} == {*reasons, "nowhere.png"}
    assert "Traceback" not in trained.stderr + predicted.stderr


def test_every_kind_of_picture_is_8_bit_rgb(tmp_path):
    odd_but_good(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        image = open_picture(path)
        assert image.mode == "RGB", path.name
    assert open_picture(tmp_path / "turned.jpg").size == (30, 40)
    assert np.asarray(open_picture(tmp_path / "sixteen.png")).mean() == pytest.approx(40_000 / 257, abs=1)
    assert open_picture(tmp_path / "moving.gif").getpixel((0, 0))[0] > 100  # the first frame


def test_transparent_pixels_lie_on_white(tmp_path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert open_picture(tmp_path / "clear.png").getpixel((0, 0)) == (255, 255, 255)


def test_predict_formats_and_standard_input(two_classes, tmp_path):
    run = tmp_path / "run"
    assert run_cli("train", two_classes, "--out", run, *QUICK, "--batch-size", "8").returncode == 0
    listed = "\n".join(str(path) for path in sorted((two_classes / "red").iterdir()))
    rows = list(
        csv.DictReader(run_cli("predict", run, "-", "--format", "csv", "--top", "2", stdin=listed).stdout.splitlines())
    )
    assert [row["input"] for row in rows] == listed.splitlines()
    assert all(float(row["probability_1"]) + float(row["probability_2"]) == pytest.approx(1) for row in rows)
    globbed = run_cli("predict", run, str(two_classes / "red" / "0*.png"))
    assert globbed.returncode == 0
    assert len(globbed.stdout.splitlines()) == 10
    for crops in ("10", "144"):
        shown = json.loads(run_cli("evaluate", run, two_classes, "--crops", crops, "--json").stdout)
        assert shown["count"] > 0
    for crops in ("0", "7"):
        refused = run_cli("evaluate", run, two_classes, "--crops", crops)
        assert refused.stderr == f"googlenet: The number of crops is 1, 10 or 144, not {crops}.\n"

    (tmp_path / "empty").mkdir()
    odd = os.fsencode(tmp_path) + b"/caf\xe9.png"
    (two_classes / "red" / "00.png").rename(os.fsdecode(odd))
    inputs = [two_classes / "red" / "01.png", tmp_path / "empty", tmp_path / "none*.png", os.fsdecode(odd)]
    for form in ("jsonl", "csv", "table"):
        result = run_cli("predict", run, *inputs, "--format", form, env={"PYTHONIOENCODING": "utf-8:strict"})
        assert result.returncode == 1 and len(result.stdout.splitlines()) == 4 + (form == "csv"), result.stderr
        assert "in folders, .bmp" in result.stdout and "no such file" in result.stdout and "caf\\udce9" in result.stdout


def test_an_opened_picture_is_seen_as_its_file_is(tmp_path):
    odd_but_good(tmp_path)
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    for path in sorted(tmp_path.iterdir()):
        want = ImagePreprocessing(3, 8, 8)
        with Image.open(path) as opened:
            difference = views_of(opened, want).astype(float) - views_of(path, want)
        # A JPEG that is opened by its path may be decoded at half its size.
        assert abs(difference).mean() <= (3 if path.suffix == ".jpg" else 0), path
    bad(tmp_path)
    with Image.open(tmp_path / "truncated.jpg") as opened, pytest.raises(InputError, match="truncated"):
        views_of(opened, want)
    for values in (np.zeros((4, 4, 3)), np.zeros(9, np.uint8), np.zeros((4, 4, 9), np.uint8)):
        with pytest.raises(InputError, match="a picture is"):
            views_of(values, want)


def test_evaluation_is_on_what_the_run_has_not_learned(two_classes, tmp_path):
    quick = [*QUICK, "--batch-size", "8"]
    for seed in "01":
        assert run_cli("train", two_classes, "--out", tmp_path / seed, "--seed", seed, *quick).returncode == 0
    held = json.loads((tmp_path / "0" / "evaluation.json").read_text())
    assert held["part"] == "validation" and held["count"] < 10
    moved = tmp_path / "elsewhere"
    two_classes.rename(moved)
    for run in (tmp_path / "0", tmp_path / "0" / "model.safetensors"):
        assert json.loads(run_cli("evaluate", run, moved, "--json").stdout) == held
    both = run_cli("evaluate", tmp_path / "0", tmp_path / "1", moved)
    assert both.returncode == 1 and "held out different parts" in both.stderr
    (moved / "red" / "new.png").write_bytes((moved / "red" / "01.png").read_bytes())
    shown = json.loads(run_cli("evaluate", tmp_path / "0", moved, "--json").stdout)
    assert (shown["part"], shown["count"]) == ("all", 25)


@pytest.mark.parametrize("part", ["val", "test"])
def test_ready_made_parts_are_respected(tmp_path, part):
    for top, count in (("train", 4), (part, 2)):
        for name in ("a", "b"):
            (tmp_path / top / name).mkdir(parents=True)
            for number in range(count):
                picture((9, 9, 9)).save(tmp_path / top / name / f"{number}.png")
    data = find_images(tmp_path)
    held = {"val": data.validation, "test": data.test}[part]
    assert (len(data.train), len(held)) == (8, 4)
    assert data.held_out is held


def test_table_of_paths_and_labels(two_classes):
    table = two_classes / "labels.csv"
    paths = sorted(two_classes.rglob("*.png"))
    lines = [f"{path.relative_to(two_classes)},{path.parent.name}" for path in paths]
    table.write_text("\n".join(["path,label", *lines]))
    assert len(find_images(table).train) == 24
    table.write_text("file,class\na,b\n")
    with pytest.raises(InputError, match="columns path and label; it has file, class"):
        find_images(table)
    table.write_text("path,label\na.png,\n")
    with pytest.raises(InputError, match="line 2"):
        find_images(table)


def test_empty_and_single_class_folders(tmp_path):
    with pytest.raises(InputError, match="no pictures"):
        find_images(tmp_path)
    (tmp_path / "only").mkdir()
    picture((1, 2, 3)).save(tmp_path / "only" / "a.png")
    with pytest.raises(InputError, match="a single class, 'only'"):
        find_images(tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"Class 'broken' .* has no picture left .*empty file"):
        find_images(tmp_path)


def test_held_out_split_is_stratified_and_repeatable(two_classes):
    data = find_images(two_classes)
    once, twice = hold_out(data, 0.25, 3), hold_out(data, 0.25, 3)
    assert once.validation.names == twice.validation.names
    assert once.validation.labels.bincount().tolist() == [3, 3]
    assert set(once.train.names).isdisjoint(once.validation.names)
    assert len(once.train) + len(once.validation) == 24


def test_crops_are_the_papers():
    image = picture((10, 20, 30), (500, 375))
    assert len(crops_of(image, 224, 256, 1)) == 1
    views = crops_of(image, 224, 256, 144)
    assert len(views) == 144
    assert {view.size for view in views} == {(224, 224)}
    ten = [np.asarray(view) for view in crops_of(image, 224, 256, 10)]
    assert np.array_equal(ten[5], ten[0][:, ::-1])
