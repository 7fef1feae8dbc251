"""Which files, which classes, which part: folders of pictures as people have them."""

import json
from pathlib import Path

import pytest
from PIL import Image
from small_pictures import counts, labelled, left_out, pictures, said

from conftest import run_here
from googlenet import InputError
from googlenet.apps.jobs import learning_data
from googlenet.data.find import find_data, to_learn_from
from googlenet.data.images.names import extensions, part_of, readable
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.splits import hold_out
from googlenet.data.walk import expand, is_junk
from googlenet.inference.calibration.quantization import examples_from
from googlenet.training.recipe import RECIPES

TINY = ["--arch", "short_2d", "--width", "0.125", "--epochs", "1"]


# ----------------------------------------------------------------------------------------------------- junk
JUNK = [
    *(".DS_Store", "._000.png", ".hidden.png", ".ipynb_checkpoints", ".Trash-1000", ".AppleDouble", "__MACOSX"),
    *("Thumbs.db", "desktop.ini", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "#recycle"),
    *("THUMBS.DB", "$Recycle.Bin", "~$cat.png", "cat.png~", "cat.png.part"),
    *("_gsdata_", "Picasa.ini", "ZbThumbnail.info"),
]


@pytest.mark.parametrize("name", ["cat.bak", "cat~", "~$cat", "CAT.TMP"])
def test_a_folder_that_is_called_as_a_copy_is_not_passed_over_in_silence(here, name):
    pictures("photos/red/1.png", "photos/blue/1.png", f"photos/{name}/1.png")
    (note,) = [note for note in find_data("photos").notes if "Passed over" in note]
    assert repr(name) in note
    assert counts("photos") == {"train": {"blue": 1, "red": 1}}


@pytest.mark.parametrize("name", ["session.tmp", "2021.bak", "old~", "a.part"])
def test_a_folder_of_such_a_name_is_said_at_any_depth(here, name):
    pictures("photos/red/1.png", f"photos/red/{name}/2.png", "photos/blue/1.png", f"photos/blue/deep/{name}/2.png")
    (note,) = [note for note in find_data("photos").notes if "Passed over" in note]
    assert repr(f"red/{name}") in note and repr(f"blue/deep/{name}") in note
    pictures("parts/train/red/1.png", f"parts/train/{name}/2.png", "parts/train/blue/3.png", "parts/test/red/4.png")
    (note,) = [note for note in find_data("parts").notes if "Passed over" in note]
    assert repr(f"train/{name}") in note


@pytest.mark.parametrize("name", JUNK)
def test_what_systems_leave_behind_is_no_data(here, name):
    pictures("photos/red/1.png", "photos/red/deep/2.png", "photos/blue/1.png", "photos/blue/2.png")
    expected = sorted(map(str, Path("photos").rglob("*.png")))
    pictures(*(f"photos/{place}{name}/9.png" for place in ("", "red/", "red/deep/")))
    Path("other/red/deep").mkdir(parents=True)
    pictures("other/red/1.png", "other/blue/1.png")
    for place in ("", "red/", "red/deep/"):
        Path(f"other/{place}{name}").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X        ")
    assert counts("photos") == {"train": {"blue": 2, "red": 2}} and left_out("photos") == {}
    assert counts("other") == {"train": {"blue": 1, "red": 1}} and left_out("other") == {}
    for given in ("photos", "photos/*", "photos/*/*"):
        assert list(expand([given], [], extensions())) == expected, given
    shell = [str(path) for path in sorted(Path("photos").glob("*")) if not path.name.startswith(".")]
    assert list(expand(shell, [], extensions())) == expected
    assert examples_from("other", ImagePreprocessing(3, 8, 8))[0].shape == (2, 3, 8, 8)


@pytest.mark.parametrize(
    "name", ["cat.png", "recycled", "lost and found", "Thumbs", "trash", "_cat.png", "tmp", "#1.png"]
)
def test_what_people_call_their_data_is_kept(name):
    assert not is_junk(name)


def test_what_is_named_is_meant_whatever_it_is_called(here):
    pictures(".hidden/red/1.png", ".hidden/blue/1.png", "@eaDir/1.png")
    assert counts(".hidden") == {"train": {"blue": 1, "red": 1}}
    assert list(expand(["@eaDir"], [], extensions())) == ["@eaDir/1.png"]
    assert list(expand([".hidden/red/*"], [], extensions())) == [".hidden/red/1.png"]
    assert list(expand([".a.png", ".b.png"], [], extensions())) == [".a.png", ".b.png"]


def test_signals_have_junk_too(here):
    rows = "".join(f"{row % 2}\t{row}\t1\t2\n" for row in range(6))
    Path("._ECG_TRAIN.tsv").write_bytes(b"\0\5\26\7")
    with pytest.raises(InputError):
        find_data(str(here / "."))
    Path("ECG_TRAIN.tsv").write_text(rows)
    assert len(find_data(str(here)).train) == 6


def test_junk_end_to_end(here, short):
    pictures(*(f"photos/{name}/{number}.png" for name in ("red", "blue") for number in range(4)))
    pictures("photos/__MACOSX/red/1.png")
    Path("photos/red/._1.png").write_bytes(b"\0\5\26\7")
    assert run_here("train", "photos", "--out", "run", *TINY).returncode == 0
    record = json.loads(Path("run/run.json").read_text())
    assert record["classes"] == ["blue", "red"] and record["bad_files"] == []
    predicted = run_here("predict", "run", "photos", "--format", "csv", "--engine", "torch")
    assert predicted.returncode == 0 and len(predicted.stdout.splitlines()) == 1 + 8


# ---------------------------------------------------------------------------------------------------- links
def test_links_to_folders_and_files_are_followed(here):
    pictures("photos/red/sub/deep/1.png", "photos/blue/1.png", "other/green/1.png", "other/green/2.png")
    Path("photos/green").symlink_to(here / "other/green")
    Path("photos/linked").mkdir()
    Path("photos/linked/in").symlink_to(here / "other/green")
    Path("photos/blue/link.png").symlink_to("../../other/green/2.png")
    assert counts("photos") == {"train": {"blue": 2, "green": 2, "linked": 2, "red": 1}}
    assert len(list(expand(["photos/green"], [], extensions()))) == 2
    # The same real folder is read once in one walk, however many ways lead there.
    assert list(expand(["photos"], [], extensions())) == [
        *("photos/blue/1.png", "photos/blue/link.png", "photos/green/1.png", "photos/green/2.png"),
        "photos/red/sub/deep/1.png",
    ]


def test_links_that_lead_back_end(here):
    pictures("photos/red/1.png", "photos/red/deep/2.png", "photos/blue/1.png", "away/3.png")
    Path("photos/red/up").symlink_to("..")
    Path("photos/here").symlink_to(".")
    Path("photos/red/again").symlink_to("deep")
    Path("photos/red/deep/round").symlink_to("../../red")
    Path("photos/blue/away").symlink_to(here / "away")
    Path("away/back").symlink_to(here / "photos")
    Path("photos/red/self.jpg").symlink_to("self.jpg")
    assert counts("photos") == {"train": {"blue": 2, "red": 2}}
    assert set(left_out("photos")) == {"photos/red/self.jpg"}
    assert len(list(expand(["photos"], [], extensions()))) == 5


def test_links_to_nothing_are_said(here):
    pictures("photos/red/1.png", "photos/blue/1.png")
    Path("photos/green").symlink_to("nowhere")
    Path("photos/red/deep").symlink_to("nowhere")
    Path("photos/red/2.png").symlink_to("nowhere.png")
    assert {path: reason.split()[0] for path, reason in left_out("photos").items()} == {
        "photos/green": "a",
        "photos/red/deep": "a",
        "photos/red/2.png": "no",
    }


# ------------------------------------------------------------------------------------------------- extensions
FORMATS = {
    **{"JPG": "JPEG", "jfif": "JPEG", "JPe": "JPEG", "Png": "PNG", "webp": "WEBP", "jp2": "JPEG2000", "dib": "DIB"},
    **{
        "tga": "TGA",
        "BMP": "BMP",
        "Tiff": "TIFF",
        "ico": "ICO",
        "pcx": "PCX",
        "sgi": "SGI",
        "pbm": "PPM",
        "qoi": "QOI",
    },
}


@pytest.mark.parametrize("end", FORMATS)
def test_whatever_pillow_reads_is_read(here, end):
    pictures("photos/red/1.png", "photos/blue/1.png")
    Image.init()
    if FORMATS[end] not in Image.SAVE:
        pytest.skip("this Pillow does not write the format")
    Image.new("RGB", (32, 32), (200, 40, 40)).save(f"photos/red/a.{end}", FORMATS[end])
    assert labelled("photos")["train"][f"photos/red/a.{end}"] == "red"
    assert f"photos/red/a.{end}" in expand(["photos"], [], extensions())


def test_a_plugin_of_pillows_brings_its_format(here, monkeypatch):
    pictures("photos/red/1.png", "photos/blue/1.png")
    Path("photos/red/a.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 40)
    assert "pillow-heif" in left_out("photos")["photos/red/a.heic"]
    Image.init()
    monkeypatch.setitem(Image.EXTENSION, ".heic", "HEIF")

    def opened(file, name):
        file.close()
        return Image.new("RGB", (9, 9))

    monkeypatch.setitem(Image.OPEN, "HEIF", (opened, lambda start: start[4:8] == b"ftyp"))
    monkeypatch.setattr(Image, "ID", [*Image.ID, "HEIF"])
    assert ".heic" in readable()
    assert left_out("photos") == {} and counts("photos")["train"] == {"blue": 1, "red": 2}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.cr2", b"II*\0" + b"\0" * 60, "raw file"),
        ("a.DNG", b"MM\0*" + b"\0" * 60, "raw file"),
        ("a.raw", b"123", "raw file"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing of lines"),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "drawing of lines"),
        ("a.psd", b"not one", "not a picture"),
        ("a.xcf", b"gimp xcf v011", "own format"),
        ("a.exr", b"\x76\x2f\x31\x01", "not read"),
        ("a.png", b"", "empty"),
        ("a", b"\x89PNG\r\n\x1a\n" + bytes(20), ""),
    ],
)
def test_what_claims_to_be_a_picture_and_is_not_read_is_left_out_aloud(here, name, content, reason):
    pictures("photos/red/1.png", "photos/blue/1.png")
    Path("photos/red", name).write_bytes(content)
    ((path, why),) = left_out("photos").items()
    assert path == f"photos/red/{name}" and reason in why
    assert path in expand(["photos"], [], extensions())  # predict has its reason too
    with pytest.raises(InputError, match=reason or None):
        ImagePreprocessing(3, 8, 8).read(path)


def test_a_wrong_or_missing_extension_hides_no_picture(here):
    pictures("photos/red/1.png", "photos/blue/1.png", "photos/red/2.heic", "photos/blue/0a9f3c", "photos/blue/img.0001")
    Image.new("RGB", (9, 9)).save("photos/blue/noext", "JPEG")
    assert counts("photos") == {"train": {"blue": 4, "red": 2}} and left_out("photos") == {}


@pytest.mark.parametrize("name", ["a.pdf", "a.mpg", "a.h5", "a.txt", "labels.json", "README", "BMW notes"])
def test_what_is_no_picture_is_counted(here, name):
    pictures("photos/red/1.png", "photos/blue/1.png")
    Path("photos/red", name).write_text("BM hello, and some more words that mean nothing")
    end = Path(name).suffix or "without an extension"
    assert left_out("photos") == {} and f"no pictures by their names: 1 {end}." in said("photos")


def test_pictures_beside_the_classes_are_left_out_aloud(here):
    pictures("photos/red/1.png", "photos/blue/1.png", "photos/stray.png")
    assert left_out("photos") == {"photos/stray.png": "it lies in no folder of a class"}
    pictures("flat/1.png", "flat/2.png")
    with pytest.raises(InputError, match=r"2 files left out, flat/1.png.*one folder per class"):
        find_data("flat")


# -------------------------------------------------------------------------------------------------- classes
def test_an_empty_class_is_named(here):
    pictures("photos/red/1.png", "photos/blue/1.png")
    Path("photos/green").mkdir()
    Path("photos/grey/deep").mkdir(parents=True)
    assert find_data("photos").classes == ("blue", "red")
    assert "no picture in it: green, grey." in said("photos")
    pictures("parts/train/a/1.png", "parts/train/b/1.png")
    Path("parts/val/b").mkdir(parents=True)
    assert "no picture in it: val." in said("parts")


def test_one_class_can_be_measured_and_not_learned(here, short):
    pictures(*(f"photos/{name}/{number}.png" for name in ("red", "blue") for number in range(4)))
    pictures("one/red/1.png", "one/red/2.png")
    assert run_here("train", "photos", "--out", "run", *TINY).returncode == 0
    refused = run_here("train", "one", "--out", "other", *TINY)
    assert refused.returncode == 1
    assert refused.stderr == "googlenet: one has a single class, 'red'; a classifier needs two or more.\n"
    shown = json.loads(run_here("evaluate", "run", "one", "--json").stdout)
    assert shown["count"] == 2 and [row["count"] for row in shown["per_class"]] == [0, 2]
    table = Path("one.csv")
    table.write_text("path,label\none/red/1.png,red\n")
    assert json.loads(run_here("evaluate", "run", table, "--json").stdout)["count"] == 1


def test_a_folder_around_the_classes_is_pointed_to(here):
    pictures("photos/all/red/1.png", "photos/all/blue/1.png")
    with pytest.raises(InputError, match=r"single class, 'all'.*\(blue, red\).*name photos/all\."):
        to_learn_from(find_data("photos"))


@pytest.mark.parametrize(
    ("one", "other"), [("Cat", "cat"), ("cat ", "cat"), ("big cat", "bigcat"), ("caf\u00e9", "cafe\u0301")]
)
def test_classes_that_look_alike_are_said(here, one, other):
    pictures(f"photos/{one}/1.png", f"photos/{other}/1.png", "photos/dog/1.png")
    note = next(note for note in find_data("photos").notes if "differ" in note)
    assert repr(one) in note and repr(other) in note and "dog" not in note


def test_a_class_of_one_part_is_said(here):
    pictures("data/train/Cat/1.png", "data/train/dog/1.png", "data/val/cat/1.png", "data/val/dog/1.png")
    notes = said("data")
    assert "train has no picture of 'cat'" in notes and "val has no picture of 'Cat'" in notes
    with pytest.raises(InputError, match=r"Class 'cat' .* no picture to learn from.*'Cat' and 'cat' differ"):
        to_learn_from(find_data("data"))
    pictures("less/train/a/1.png", "less/train/b/1.png", "less/test/a/1.png")
    assert "test has no picture of 'b'" in said("less")
    assert len(to_learn_from(find_data("less"))) == 2


@pytest.mark.parametrize("number", [1, 2, 3])
def test_few_pictures_a_class(here, number):
    pictures(*(f"photos/{name}/{k}.png" for name in ("red", "blue") for k in range(number)))
    data = find_data("photos")
    if number > 1:
        assert len(hold_out(data, 0.2, 0).validation) == 2
        return
    with pytest.raises(InputError, match=r"too few examples \(2\).*each class needs two"):
        hold_out(data, 0.2, 0)


def test_a_lonely_class_among_others(here):
    pictures(*(f"q/c{k}/1.png" for k in range(5)), *(f"q/many/{k}.png" for k in range(9)))
    assert "single picture" not in said("q")  # which may be to be measured
    held = hold_out(find_data("q"), 0.2, 0)
    assert "single picture of 'c0', 'c1', 'c2', 'c3', 'c4': it is learned from, and none" in " ".join(held.notes)
    assert len(held.train) == 12 and set(held.validation.labels.tolist()) == {5}
    assert held.notes == learning_data(find_data("q"), RECIPES["photos"]).notes  # what is said before it trains


# ---------------------------------------------------------------------------------------------------- parts
@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("Train", "Valid", "TEST"), ("train", "validation", "test")),
        (("training", "validate", "testing"), ("train", "validation", "test")),
        (("train", "dev"), ("train", "validation")),
        (("TRAINING", "Validation", "eval"), ("train", "validation", "test")),
        (("train", "holdout"), ("train", "test")),
        (("training_set", "Hold-Out"), ("train", "test")),
        (("train2017", "val2017"), ("train", "validation")),
        (("val", "test"), ("validation", "test")),
        (("01_train", "02-Val", "3 test"), ("train", "validation", "test")),
        (("test",), ("test",)),
        (("train",), ("train",)),
    ],
)
def test_the_usual_names_of_parts(here, names, parts):
    for number, name in enumerate(names, start=1):
        pictures(*(f"data/{name}/{label}/{k}.png" for label in ("a", "b") for k in range(number)))
    assert counts("data") == {part: {"a": k, "b": k} for k, part in enumerate(parts, start=1)}


@pytest.mark.parametrize(
    "name", ["cat", "trainer", "tests", "contest", "set", "data", "images", "evil", "valley", "2017", ""]
)
def test_what_is_no_part(name):
    assert part_of(name) is None


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (("train/a/1.png", "val/a/1.png", "validation/a/1.png"), "'val' and 'validation' are both the part val"),
        (("Train/a/1.png", "train/a/1.png"), "'Train' and 'train' are both the part train"),
        (("train/a/1.png", "eval/a/1.png", "test/b/1.png"), "'eval' and 'test' are both the part test"),
        (("train/a/1.png", "train/b/1.png", "extra/1.png"), "'extra' beside has pictures that are in no part"),
        (("train/a/1.png", "val/a/1.png", "more/a/1.png", "pred/1.png"), "'more' and 'pred' beside has"),
        (("train/a/1.png", "train/b/1.png", "test/1.png"), "'test' beside has pictures that are in no part"),
        (("val/1.png", "test/1.png"), "'test' and 'val' hold pictures and no folder for each class"),
        (("train/1.png", "test/1.png"), "'test' and 'train' hold pictures and no folder for each class"),
        (("cat/train/1.png", "cat/test/1.png", "dog/train/1.png"), "parts inside of its classes.*data/test/cat"),
        (("cat/train/1.png", "cat/test/1.png", "cat/2.png", "dog/train/1.png", "dog/test/1.png"), "data/test/cat"),
        (("cat/train/1.png", "cat/test/1.png", "dog/1.png"), "parts inside of its classes.*data/test/cat"),
        (("cat/1.png", "dog/Train/1.png", "dog/val/1.png", "dog/more/1.png"), "of its classes.*data/Train/dog"),
    ],
)
def test_parts_that_are_not_understood_are_named(here, paths, words):
    pictures(*(f"data/{path}" for path in paths))
    with pytest.raises(InputError, match=words):
        find_data("data")


def test_beside_parts_there_may_be_what_holds_no_picture(here):
    pictures("data/train/a/1.png", "data/train/b/1.png", "data/sheet.png", "data/train/loose.png")
    Path("data/docs").mkdir()
    Path("data/docs/read.txt").write_text("words")
    assert counts("data") == {"train": {"a": 1, "b": 1}} and "no picture in it: docs." in said("data")
    assert set(left_out("data")) == {"data/sheet.png", "data/train/loose.png"}


def test_parts_without_one_to_learn_from(here):
    pictures("data/val/a/1.png", "data/val/b/1.png", "data/test/a/1.png")
    with pytest.raises(InputError, match=r"no part called train to learn from, only validation and test"):
        to_learn_from(find_data("data"))
    assert find_data("data").held_out_name == "test"


@pytest.mark.parametrize(
    "names", [("bus", "car", "train"), ("bus", "car", "test"), ("Train", "car"), ("train", "test", "bus")]
)
def test_classes_may_be_called_as_parts_are(here, names):
    """And a class may hold a folder called so."""
    pictures(*(f"photos/{name}/{k}.png" for name in names for k in range(3)))
    assert counts("photos") == {"train": dict.fromkeys(sorted(names), 3)}
    pictures(f"photos/{names[0]}/deep/9.png", "photos/train/steam/9.png", "photos/train/9.png")
    assert counts("photos")["train"]["train"] >= 2
    pictures("more/toys/train/1.png", "more/toys/bus/1.png", "more/food/1.png")
    assert counts("more") == {"train": {"food": 1, "toys": 2}}


def test_parts_of_names_that_nobody_knows_are_asked_for(here):
    pictures(*(f"data/{part}/{label}/1.png" for part in ("seg_a", "seg_b") for label in ("cat", "dog")))
    assert counts("data") == {"train": {"seg_a": 2, "seg_b": 2}}
    assert "folders of the same names (cat, dog)" in said("data")


# -------------------------------------------------------------------------------------------------- left out
def test_what_cannot_be_read_is_treated_alike(here, short):
    pictures(*(f"photos/{name}/{k}.png" for name in ("red", "blue") for k in range(5)))
    whole = Path("photos/red/0.png").read_bytes()
    Path("photos/red/0.png").write_bytes(whole[: len(whole) // 2])
    Path("photos/blue/1.png").write_text("x")
    trained = run_here("train", "photos", "--out", "run", *TINY)
    assert trained.returncode == 0 and "2 files are left out" in trained.stderr
    shown = run_here("evaluate", "run", "photos", "--json")
    assert shown.returncode == 0 and json.loads(shown.stdout)["count"] == 2  # of the eight a fifth is held out
    prepared, bad = examples_from("photos", ImagePreprocessing(3, 8, 8))
    assert len(prepared) == 8 and {file.path for file in bad} == {"photos/red/0.png", "photos/blue/1.png"}
    Path("none/red").mkdir(parents=True)
    Path("none/red/1.png").write_text("x")
    with pytest.raises(InputError, match=r"nothing to calibrate with \(none/red/1.png: not a picture"):
        examples_from("none", ImagePreprocessing(3, 8, 8))
