"""Folders, tables and odd files, from the outside."""

import csv
import errno
import io
import json
import os
import re
import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

import googlenet
from conftest import QUICK, draw_two_classes, picture, run_here
from googlenet import InputError
from googlenet.data.find import to_learn_from
from googlenet.data.images import decode
from googlenet.data.images.crops import crops_of
from googlenet.data.images.dataset import ImageLoader
from googlenet.data.images.decode import open_picture
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.images.sources.folders import find_images
from googlenet.data.splits import hold_out

FAST = [*QUICK, "--batch-size", "8"]
PYTORCH = ["--engine", "torch"]  # which is there at once; the engines have tests of their own


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of red and blue pictures, and two runs that learned from it with different seeds, ``0`` and ``1``."""
    root = tmp_path_factory.mktemp("trained")
    draw_two_classes(root / "colours")
    for seed in "01":
        result = run_here("train", root / "colours", "--out", root / seed, "--seed", seed, *FAST)
        assert result.returncode == 0, result.stderr
    return root


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
    trained = run_here("train", two_classes, "--out", run, *FAST)
    assert trained.returncode == 0, trained.stderr
    assert f"{len(reasons)} files are left out" in trained.stderr
    for name, reason in reasons.items():
        line = next(line for line in trained.stderr.splitlines() if name in line)
        assert reason in line
    record = json.loads((run / "run.json").read_text())
    assert sum(record["examples"].values()) == 24 + good
    assert {row["path"].rsplit("/", 1)[1] for row in record["bad_files"]} == set(reasons)
    assert "Files left out: 6" in (run / "report.html").read_text()

    predicted = run_here("predict", run, two_classes / "red", "nowhere.png", "--format", "jsonl", *PYTORCH)
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


def test_predict_formats_and_standard_input(trained, two_classes, tmp_path):
    run = trained / "0"
    listed = "\n".join(str(path) for path in sorted((two_classes / "red").iterdir()))
    rows = list(
        csv.DictReader(
            run_here("predict", run, "-", "--format", "csv", "--top", "2", *PYTORCH, stdin=listed).stdout.splitlines()
        )
    )
    assert [row["input"] for row in rows] == listed.splitlines()
    assert all(float(row["probability_1"]) + float(row["probability_2"]) == pytest.approx(1) for row in rows)
    globbed = run_here("predict", run, str(two_classes / "red" / "0*.png"), *PYTORCH)
    assert globbed.returncode == 0
    assert len(globbed.stdout.splitlines()) == 10

    (tmp_path / "empty").mkdir()
    odd = os.fsencode(tmp_path) + b"/caf\xe9.png"
    (two_classes / "red" / "00.png").rename(os.fsdecode(odd))
    inputs = [two_classes / "red" / "01.png", tmp_path / "empty", tmp_path / "none*.png", os.fsdecode(odd)]
    for form in ("jsonl", "csv", "table"):
        result = run_here("predict", run, *inputs, "--format", form, *PYTORCH)
        assert result.returncode == 1 and len(result.stdout.splitlines()) == 4 + (form == "csv"), result.stderr
        assert (
            "in folders, .bmp" in result.stdout and "nothing matches" in result.stdout and "caf\\udce9" in result.stdout
        )


def test_an_opened_picture_is_seen_as_its_file_is(tmp_path):
    odd_but_good(tmp_path)
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    want = ImagePreprocessing(3, 8, 8)
    for path in sorted(tmp_path.iterdir()):
        with Image.open(path) as opened:
            difference = want.read(opened).astype(float) - want.read(path)
        # A JPEG that is opened by its path may be decoded at half its size.
        assert abs(difference).mean() <= (3 if path.suffix == ".jpg" else 0), path
    bad(tmp_path)
    with Image.open(tmp_path / "truncated.jpg") as opened, pytest.raises(InputError, match="truncated"):
        want.read(opened)
    for values in (np.full((4, 4, 3), 2.0), np.zeros(9, np.uint8), np.zeros((4, 4, 9), np.uint8)):
        with pytest.raises(InputError, match="a picture is"):
            want.read(values)


def test_evaluation_is_on_what_the_run_has_not_learned(trained, tmp_path):
    held = json.loads((trained / "0" / "evaluation.json").read_text())
    assert held["part"] == "validation" and held["count"] < 10
    moved = tmp_path / "elsewhere"
    shutil.copytree(trained / "colours", moved)
    same = held | {"part": "all", "left_out": 24 - held["count"]}
    fitted = ("nll", "ece", "brier", "reliability")  # of the training: each half at the temperature of the other
    for run in (trained / "0", trained / "0" / "model.safetensors"):
        shown = json.loads(run_here("evaluate", run, moved, "--json").stdout)
        assert {name: shown[name] for name in same if name not in fitted} == {
            name: value for name, value in same.items() if name not in fitted
        }
        assert shown["nll"] == pytest.approx(held["nll"], abs=0.1)
    picture((200, 60, 60), seed=99).save(moved / "red" / "new.png")
    shown = json.loads(run_here("evaluate", trained / "0", moved, "--json").stdout)
    assert (shown["part"], shown["count"]) == ("all", held["count"] + 1)


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
    table.write_text("photo,class\na,b\n")
    with pytest.raises(InputError, match="column of paths .* --path-column.* it has the columns photo, class"):
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
        to_learn_from(find_images(tmp_path))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"Class 'broken' .* has no picture to learn from .*empty file"):
        to_learn_from(find_images(tmp_path))


def test_held_out_split_is_stratified_and_repeatable(two_classes):
    data = find_images(two_classes)
    once, twice = hold_out(data, 0.25, 3), hold_out(data, 0.25, 3)
    assert once.validation.names == twice.validation.names
    assert once.validation.labels.bincount().tolist() == [3, 3]
    assert set(once.train.names).isdisjoint(once.validation.names)
    assert len(once.train) + len(once.validation) == 24


def cut(image, scale):
    """Pixels ``(height, width, 3)`` of a picture whose shorter side is that long."""
    short = min(image.size)
    size = tuple(round(side * scale / short) for side in image.size)
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def five(pixels, size):
    """The four corners and the centre of a picture."""
    tall, wide = pixels.shape[0] - size, pixels.shape[1] - size
    places = [(0, 0), (0, wide), (tall, 0), (tall, wide), (tall // 2, wide // 2)]
    return [pixels[y : y + size, x : x + size] for y, x in places]


def counted(views):
    """Each view with how often it comes."""
    return Counter(np.asarray(view).tobytes() for view in views)


def test_several_crops_are_of_pictures_that_are_larger_than_what_a_network_sees(trained, two_classes, tmp_path):
    for crops in ("10", "144"):  # the run's are made as large as it sees: its crops would all be one, or too large
        refused = run_here("evaluate", trained / "0", two_classes, "--crops", crops)
        assert refused.returncode == 1 and "for this one pictures are not: leave --crops out." in refused.stderr
    larger, model = ImagePreprocessing(3, 28, 32), googlenet.create_model("googlenet_small", 2, width=0.125)
    said = {"classes": ["blue", "red"], "preprocessing": larger.to_dict()}
    googlenet.save_weights(model, tmp_path / "larger.safetensors", **said)
    for crops in ("10", "144"):
        done = run_here("evaluate", tmp_path / "larger.safetensors", two_classes, "--crops", crops, "--json")
        assert json.loads(done.stdout)["count"] > 0
    for crops in ("0", "7"):
        refused = run_here("evaluate", tmp_path / "larger.safetensors", two_classes, "--crops", crops)
        assert f"The number of crops is 1, 10 or 144, not {crops}.\n" in refused.stderr


@pytest.mark.parametrize("shape", [(500, 375), (300, 410)])
def test_144_crops_are_the_papers(shape):
    """Section 7: the shorter side at 256, 288, 320 and 352; the left, centre and right square, of portraits the top,
    centre and bottom one; of each the four corners, the centre and the square itself, and all of these mirrored."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (shape[1], shape[0], 3), np.uint8))
    expected = []
    for scale in (256, 288, 320, 352):
        pixels = cut(image, scale)
        along = 0 if shape[1] > shape[0] else 1
        room = pixels.shape[along] - scale
        for first in (0, room // 2, room):
            square = np.take(pixels, range(first, first + scale), along)
            whole = np.asarray(Image.fromarray(square).resize((224, 224), Image.Resampling.BILINEAR))
            expected += [*five(square, 224), whole]
    views = crops_of(image, 224, 256, 144)
    assert len(views) == 144 and {view.size for view in views} == {(224, 224)}
    assert counted(views) == counted([*expected, *(view[:, ::-1] for view in expected)])
    assert len(counted(views)) == 144


def test_10_crops_are_corners_and_centre_mirrored():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8))
    expected = five(cut(image, 40), 32)
    assert counted(crops_of(image, 32, 40, 10)) == counted([*expected, *(view[:, ::-1] for view in expected)])


def test_one_crop_is_the_centre():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    (view,) = crops_of(Image.fromarray(pixels), 40, 40, 1)
    assert np.array_equal(np.asarray(view), pixels[:, 10:50])
    (view,) = crops_of(Image.fromarray(pixels), 20, 40, 1)  # half of the shorter side, as it is
    assert np.array_equal(np.asarray(view), pixels[10:30, 20:40])


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "Too many open files")])
def test_a_machine_that_gives_no_more_makes_no_picture_a_bad_one(two_classes, monkeypatch, error):
    def opened(path):
        raise error

    monkeypatch.setattr(decode, "open_plain", opened)
    with pytest.raises(type(error)):
        find_images(str(two_classes))


def test_a_picture_that_vanishes_while_it_is_learned_from_is_named(tmp_path, monkeypatch):
    for name, colour in (("a", (200, 60, 60)), ("b", (60, 60, 200))):
        (tmp_path / "pics" / name).mkdir(parents=True)
        for number in range(4):
            picture(colour, (80, 70), number).save(tmp_path / "pics" / name / f"{number}.png")
    begin = ImageLoader.training

    def training(self, epoch, *rest):
        if epoch == 1:
            shutil.rmtree(tmp_path / "pics" / "a")
        return begin(self, epoch, *rest)

    monkeypatch.setattr(ImageLoader, "training", training)
    ended = run_here("train", tmp_path / "pics", "--out", tmp_path / "run", *FAST, "--epochs", "3", "--batch-size", "2")
    assert ended.returncode == 1
    assert re.search(r"\ngooglenet: .*/a/\d\.png cannot be read any more: no such file\.\n\Z", ended.stderr)
