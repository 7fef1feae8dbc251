"""``googlenet features`` and ``dream``: what they write, how they go on, and what they say."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from unittest import mock

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import picture, run_here
from googlenet.apps.inside import dreams
from googlenet.arch.variants import find_arch
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.volumes.preprocessing import VolumePreprocessing
from googlenet.explain.features import visualise
from googlenet.nn.googlenet import GoogLeNet
from googlenet.weights.create import save_weights
from googlenet.weights.foreign.safetensors import read_tensors, write_tensors


def network(folder, name, preprocessing, classes):
    torch.manual_seed(0)
    path = folder / f"{name}.safetensors"
    arch = find_arch(name).scaled(0.125)
    model = GoogLeNet(arch, len(classes), preprocessing.input_shape[0]).eval()
    save_weights(model, path, classes=list(classes), preprocessing=preprocessing.to_dict())
    return path


@pytest.fixture(scope="module")
def signals(tmp_path_factory, short):
    preprocessing = SignalPreprocessing(1, 150, (0.0,), (1.0,), (0.1,))
    return network(tmp_path_factory.mktemp("signals"), "short_1d", preprocessing, ("gun", "point"))


@pytest.fixture(scope="module")
def grey(tmp_path_factory, short):
    preprocessing = ImagePreprocessing(1, 28, 28, (0.3,), (0.3,))
    return network(tmp_path_factory.mktemp("grey"), "short_2d", preprocessing, ("blue", "red"))


@pytest.fixture
def in_twos(monkeypatch):
    monkeypatch.setattr(visualise, "TOGETHER", 2)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_sheet_and_a_line_for_each_channel(signals, here, in_twos):
    words = ("features", signals, "2a.pool:0-3", "--data", "gunpoint", "--steps", 3, "--out", "sheets")
    done = run_here(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["sheets/sheet.png", "sheets/sheet.svg"]
    assert "Values and range: means, covariance and range of 50 training examples" in done.stderr
    rows = [json.loads(line) for line in (here / "sheets/features.jsonl").read_text().splitlines()]
    assert [row["channel"] for row in rows] == [f"2a.pool:{channel}" for channel in range(4)]
    for row in rows:
        assert row["best"] == row["examples"][0]["activation"] >= row["examples"][2]["activation"]
        assert row["examples"][0]["name"].startswith("gunpoint/train/")
        assert row["ratio"] is None or row["ratio"] == pytest.approx(row["activation"] / row["best"])
    more = sum(row["activation"] > row["best"] for row in rows)
    assert f"{more} of 4 drawings excite more than the best of 50 examples does." in done.stderr
    with Image.open(here / "sheets/sheet.png") as sheet:
        assert sheet.width >= 900 and sheet.height > 100
    text = "".join(ElementTree.parse(here / "sheets/sheet.svg").getroot().itertext())
    assert "what is drawn excites 2.5 times as much as the best training example" in text
    assert "in deviations of what was learned from." in " ".join(text.split())

    before = contents(here / "sheets")
    again = run_here(*words)
    assert "4 of 4 were in sheets already." in again.stderr
    assert contents(here / "sheets") == before


def test_a_stopped_call_goes_on_bit_for_bit(signals, here, in_twos):
    words = ("features", signals, "2a.pool:0-3", "--steps", 3, "--variety", 2, "--out")
    assert run_here(*words, "whole").returncode == 0
    drawn = []
    original = visualise.visualise

    def once(*args, **named):
        if drawn:
            raise KeyboardInterrupt
        drawn.append(original(*args, **named))
        return drawn[0]

    with mock.patch("googlenet.apps.inside.features.visualise", once):
        stopped = run_here(*words, "parts")
    assert stopped.returncode == 130
    assert "Stopped. What was drawn is kept; go on with: googlenet features" in stopped.stderr
    assert len(list((here / "parts/parts").iterdir())) == 1
    rest = run_here(*words, "parts")
    assert "1 of 4 were in parts already." in rest.stderr  # two inputs at once: one objective of two kinds
    assert contents(here / "parts") == contents(here / "whole")


def test_pictures_have_one_sheet(grey, here, two_classes):
    done = run_here("features", grey, "class", "--data", two_classes, "--steps", 2, "--out", "f")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["f/sheet.png"]
    names = [json.loads(line)["channel"] for line in (here / "f/features.jsonl").read_text().splitlines()]
    assert names == ["class:blue", "class:red"]
    plain = run_here("features", grey, "class:red", "--steps", 2)
    assert "Colours and range: means and deviations of the run's preprocessing" in plain.stderr
    (row,) = map(json.loads, (here / "features/class-red/features.jsonl").read_text().splitlines())
    assert set(row) == {"channel", "activation"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["--steps", 3], "another number of --steps"),
        (["--seed", 1], "another --seed"),
        (["--data", "gunpoint"], "other --data"),
        (["--variety", 2], "another --variety"),
    ],
)
def test_a_folder_is_of_one_call(signals, here, changes, said):
    words = ["features", signals, "2a.pool:0", "--out", "f", "--steps", 2]
    assert run_here(*words).returncode == 0
    other = run_here(*words, *changes)
    assert other.returncode == 1
    assert other.stderr == (
        f"googlenet: f was begun with {said}. Give the same to go on, or name another folder (--out).\n"
    )


def test_what_cannot_be_drawn_is_a_sentence(signals, here, monkeypatch):
    (here / "mine").mkdir()
    (here / "mine/letter.txt").write_text("dear")
    for words, said in (
        (["2a:999"], "2a has 32 channels, from 0 to 31, and no 999."),
        (["9z"], "There is no layer '9z'."),
        (["2a.pool:0", "--out", "mine"], "mine is there and holds no features. Name a new folder (--out)."),
        (["class:guns"], "There is no class 'guns'. Did you mean 'gun'?"),
        (["", "--out", "f"], "'' names nothing that is to be excited: name a layer or a module, or class:NAME."),
        (["2a.pool:0", "--variety", 100_000], "The variety is 16 at most, and not 100,000"),
        ([f"2a.pool:{'x' * 9000}"], "is no channel of 2a.pool"),
    ):
        done = run_here("features", signals, *words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert said in done.stderr
        assert len(done.stderr) < 500
    assert [path.name for path in here.iterdir()] == ["mine"]
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run_here("features", signals, "2a.pool:0")
    assert "matplotlib is not installed: pip install 'googlenet[explain]'." in done.stderr


def test_a_damaged_folder_is_a_sentence(signals, here):
    words = ["features", signals, "2a.pool:0", "--data", "gunpoint", "--out", "f", "--steps", 2]
    assert run_here(*words).returncode == 0
    survey = here / "f/survey.json"
    row = json.loads(survey.read_text())
    survey.write_text(json.dumps(row | {"rows": [[0, 1, 99]]}))
    assert "survey.json is damaged" in run_here(*words).stderr
    survey.write_text(json.dumps(row))
    survey.write_text(json.dumps(row | {"activations": [[float("nan")] * 3]}))
    assert "survey.json is damaged (numbers that are none). Remove it" in run_here(*words).stderr
    survey.unlink()
    before = contents(here / "f")
    for path in (here / "f/parts").iterdir():
        path.unlink()
    (here / "f/parts").rmdir()
    assert run_here(*words).returncode == 0
    assert contents(here / "f") == before | {survey.relative_to(here / "f"): survey.read_bytes()}
    (here / "f/settings.json").write_text("{")
    assert "settings.json is not JSON" in (said := run_here(*words).stderr)
    assert "Remove f, or name another folder (--out)." in said


def test_a_damaged_part_is_a_sentence_and_goes_into_no_line(signals, here):
    words = ["features", signals, "2a.pool:0", "--out", "f", "--steps", 1]
    assert run_here(*words).returncode == 0
    part, lines = here / "f/parts/0000.safetensors", (here / "f/features.jsonl").read_bytes()
    whole = part.read_bytes()
    tensors, _ = read_tensors(part)
    inputs, activations = tensors["inputs"], tensors["activations"]
    for changed in (
        {"activations": activations[0]},
        {"activations": activations.double()},
        {"activations": activations * torch.nan},
        {"inputs": inputs.long()},
        {"inputs": inputs.bfloat16()},
        {"inputs": inputs * torch.inf},
        {"inputs": inputs[..., 1:]},
        {"others": inputs},
    ):
        write_tensors(part, tensors | changed, {})
        if "others" in changed:
            part.write_bytes(whole[:-5])
        done = run_here(*words)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("googlenet: f/parts/0000.safetensors is ")
        assert done.stderr.endswith("Remove it, and it is drawn again; or name another folder (--out).\n")
        assert (here / "f/features.jsonl").read_bytes() == lines
    part.unlink()
    assert run_here(*words).returncode == 0
    assert part.read_bytes() == whole


def test_names_are_as_they_are_in_sheets_and_safe_in_folders(here, short):
    preprocessing = SignalPreprocessing(1, 150, (0.0,), (1.0,), (0.1,))
    names = ("$\\frac{$", "cost $5 and $6", "../top/shirt")
    run = network(here, "short_1d", preprocessing, names)
    done = run_here("features", run, "class", "--steps", 1)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "features/class/sheet.png"), done.stderr
    shown = "".join(ElementTree.parse(here / "features/class/sheet.svg").getroot().itertext())
    assert all(f"class:{name}" in shown for name in names)
    nested = run_here("features", run, "class:../top/shirt", "--steps", 1)
    assert nested.stdout.splitlines()[0] == "features/class-..-top-shirt/sheet.png"
    many = run_here("features", run, f"2a:{','.join(['1'] * 5000)}", "--steps", 1)
    assert many.returncode == 0, many.stderr
    assert sorted(len(path.name) for path in (here / "features").iterdir())[-1] < 100
    (folder,) = (here / "features").glob("2a-*")
    assert len((folder / "features.jsonl").read_text().splitlines()) == 1
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.width < 2000


def test_a_dream_has_the_size_and_the_colours_of_its_picture(grey, here):
    picture((200, 60, 60), size=(61, 43)).save("red.png")
    done = run_here("dream", grey, "red.png", "--at", "3a", "--steps", 2, "--octaves", 2)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "dream.png\n"
    assert "More of 3a:whole, 2 octaves." in done.stderr
    before, after = (np.asarray(Image.open(name), np.int64) for name in ("red.png", "dream.png"))
    assert after.shape == before.shape == (43, 61, 3)
    change = after - before
    assert np.abs(change).max() > 5
    free = ((after > 0) & (after < 255)).all(2)
    assert np.ptp(change[free], axis=1).max() <= 1  # the network reads grey: all three change alike
    again = run_here("dream", grey, "red.png", "--at", "3a", "--steps", 2, "--octaves", 2, "--out", "again.png")
    assert again.returncode == 0
    assert (here / "again.png").read_bytes() == (here / "dream.png").read_bytes()
    guided = run_here("dream", grey, "red.png", "--at", "3a", "--steps", 2, "--guide", "again.png", "--out", "g.png")
    assert guided.returncode == 0, guided.stderr
    assert (here / "g.png").read_bytes() != (here / "dream.png").read_bytes()
    assert sorted(path.name for path in here.iterdir()) == ["again.png", "dream.png", "g.png", "red.png"]


def test_a_stopped_dream_goes_on_bit_for_bit(grey, here):
    picture((20, 60, 200), size=(64, 48)).save("blue.png")
    words = ("dream", grey, "blue.png", "--at", "3a", "--steps", 2, "--octaves", 3, "--out")
    assert run_here(*words, "whole.png").returncode == 0
    original = dreams.dream

    def once(*args, **named):
        yield next(original(*args, **named))
        raise KeyboardInterrupt

    with mock.patch.object(dreams, "dream", once):
        stopped = run_here(*words, "part.png")
    assert (stopped.returncode, "The octaves that are done are kept" in stopped.stderr) == (130, True)
    assert sorted(path.name for path in here.iterdir()) == ["blue.png", "part.png.octave", "whole.png"]
    rest = run_here(*words, "part.png")
    assert "1 of 3 octaves were done already." in rest.stderr
    assert (here / "part.png").read_bytes() == (here / "whole.png").read_bytes()
    assert not (here / "part.png.octave").exists()


def test_a_signal_is_written_before_and_after_and_as_a_table(signals, here):
    rows = np.sin(np.arange(150) / 9)[None] * np.array([[1.0], [2.0]])
    table = "\n".join(",".join(f"{value:.4f}" for value in row) for row in rows)
    (here / "waves.csv").write_text(f"{table}\n")
    words = ("dream", signals, "waves.csv", "--at", "2a", "--steps", 2, "--octaves", 1, "--row", 2)
    done = run_here(*words)
    assert done.stdout == "dream.svg\n", done.stderr
    assert "Row 2 of 2 of waves.csv (--row)." in done.stderr
    text = (here / "dream.svg").read_text()
    assert text.count("<polyline") == 2 and "before" in text and "var(" not in text
    assert run_here(*words, "--out", "dream.csv").returncode == 0
    after = np.loadtxt(here / "dream.csv", delimiter=",")
    assert after.shape == (150,)
    assert 0.01 < np.abs(after - rows[1]).max() < 3
    assert "has no row 9 (--row): it has 2." in run_here(*words[:-1], 9).stderr


def test_a_file_that_is_no_octave_stays(grey, here):
    picture((200, 60, 60)).save("red.png")
    words = ("dream", grey, "red.png", "--at", "3a", "--steps", 1, "--out", "d.png")
    tensors = {"values": torch.zeros(1, 2, 2), "detail": torch.zeros(1, 2, 2)}
    octave = here / "d.png.octave"
    ours = json.dumps(
        dict.fromkeys(("version", "weights", "example", "guide", "at", "octaves", "steps", "seed"), "other")
    )
    for metadata in ({}, {"settings": "[]", "number": "1"}, {"settings": ours}):
        write_tensors(octave, tensors, metadata)
        check_refused(words, octave)
    write_tensors(octave, tensors | {"mine": torch.ones(3)}, {"settings": ours, "number": "1"})
    check_refused(words, octave)
    octave.write_text("mine")
    check_refused(words, octave)
    write_tensors(octave, tensors, {"settings": ours, "number": "1"})  # of another dream, which was stopped
    assert run_here(*words).returncode == 0
    assert sorted(path.name for path in here.iterdir()) == ["d.png", "red.png"]


def check_refused(words, octave):
    before = octave.read_bytes()
    done = run_here(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "d.png.octave is there and is no whole octave of a dream" in done.stderr
    assert "Move it away, or name another file (--out)." in done.stderr
    assert octave.read_bytes() == before
    assert not (octave.parent / "d.png").exists()


def test_volumes_are_drawn_and_not_dreamt(here, short):
    run = network(here, "short_3d", VolumePreprocessing(1, (32, 32, 32), False, (0.0,), (1.0,)), ("a", "b"))
    done = run_here("dream", run, "none.npz")
    assert (done.returncode, done.stdout) == (1, "")
    assert "A dream is of a picture or a signal, and" in done.stderr and "reads volumes" in done.stderr


def test_what_cannot_be_dreamt_is_a_sentence(grey, here):
    picture((200, 60, 60)).save("red.png")
    Image.new("L", (2500, 1700)).save("large.png")
    for words, said in (
        (["none.png"], "none.png cannot be read: no such file."),
        (["large.png"], "it has 2,500×1,700 pixels, and a picture that is changed in its own size may have 4,000,000"),
        (["red.png", "--out", "red.jpg"], "The dream of a picture is written as .png, and red.jpg is not (--out)."),
        (["red.png", "--out", "red.png"], "red.png is what is read, and would be replaced."),
        (["red.png", "--out", "no/red.png"], "There is no folder no to write red.png into."),
        (["red.png", "--at", ""], "names nothing that is to be excited"),
        (["red.png", "--at", "class"], "class is 2 things; name one of them, such as class:blue."),
        (["red.png", "--at", "class:red", "--guide", "red.png"], "name a place alone, not class:red"),
    ):
        done = run_here("dream", grey, *words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert said in done.stderr, words
