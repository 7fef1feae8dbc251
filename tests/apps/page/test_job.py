"""``googlenet page`` and ``googlenet export --page``: which networks and examples, and sentences for what cannot be."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from browser import WEB
from conftest import run_here
from googlenet import create_model
from googlenet.apps.page import job, page
from googlenet.apps.page.examples import examples_from, gunpoint_signals, shipped_pictures
from googlenet.data.builtin import CLOTHES, gunpoint
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.errors import InputError
from googlenet.inference.load import load_pipeline
from googlenet.weights.catalogue import CATALOGUE
from googlenet.weights.create import save_weights


@pytest.fixture
def own(tmp_path):
    """Weights of a narrow network for signals, as a run has them."""
    preprocessing = SignalPreprocessing(1, 40, (0.0,), (1.0,), ())
    model = create_model("googlenet_1d", 2, 1, width=0.25, auxiliary=False, members=1)
    path = tmp_path / "own.safetensors"
    save_weights(model, path, classes=["up", "down"], preprocessing=preprocessing.to_dict())
    return path


@pytest.fixture
def built(tmp_path, monkeypatch):
    """What esbuild leaves, in small."""
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "page.html").write_text("<html>before <!-- facts --> program <!-- networks --> behind</html>")
    (folder / "measured.json").write_text('{"setting": {}}')
    monkeypatch.setattr(page, "BUILT", folder)


def facts_in(path):
    return json.loads(re.search(r'id="facts">(.+?)</script>', path.read_text())[1])


def test_a_run_takes_the_place_of_the_network_of_its_kind(tmp_path, own, built, monkeypatch):
    asked = []
    monkeypatch.setattr(
        job, "shipped_network", lambda kind: asked.append(kind) or page.PageNetwork(kind, kind, b"", "")
    )
    table = tmp_path / "some.csv"
    table.write_text("1,2,,4\n5,6,7,8\n")
    done = run_here("page", own, "--out", tmp_path / "page.html", "--examples", table)
    assert (done.returncode, asked) == (0, ["picture"])
    assert done.stdout.endswith("page.html: open it in a browser\n")
    networks = facts_in(tmp_path / "page.html")["networks"]
    assert [(one["id"], one["kind"]) for one in networks] == [("run", "signal"), ("picture", "picture")]
    assert [row["values"] for row in networks[0]["examples"]] == [[[1, 2, None, 4]], [[5, 6, 7, 8]]]


def test_a_run_without_examples_is_said(tmp_path, own, built, monkeypatch):
    monkeypatch.setattr(job, "shipped_network", lambda kind: page.PageNetwork(kind, kind, b"", "", [{}]))
    monkeypatch.setattr(job, "_examples_of", lambda run, kind: [])
    done = run_here("page", own, "--out", tmp_path / "page.html")
    assert (done.returncode, facts_in(tmp_path / "page.html")["networks"][0]["examples"]) == (0, [])
    assert "nothing to show the network" in done.stdout and "--examples" in done.stdout


def test_the_facts_are_whole(built, tmp_path):
    page.write_page([], tmp_path / "page.html")
    found = facts_in(tmp_path / "page.html")
    rows = found["architectures"]["googlenet"]["cost"]["rows"]
    assert sum(row["params"] for row in rows) == 13_378_280  # with the auxiliary classifiers
    assert {"googlenet.bvlc", "googlenet_torchvision.imagenet1k"} <= {row["name"] for row in found["quirks"]}
    assert (tmp_path / "page.html").read_text().startswith("<html>before <script")


def test_text_of_users_ends_no_script(built, tmp_path):
    evil = page.PageNetwork("x", "signal", b"", "</script><script>alert(1)</script>", [{"name": "<!--"}])
    page.write_page([evil], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "alert(1)</script>" not in text and "<!--" not in text
    assert facts_in(tmp_path / "page.html")["networks"][0]["source"] == evil.source


def test_export_writes_the_file_that_the_page_reads(tmp_path, own):
    done = run_here("export", own, "--page")
    assert done.returncode == 0, done.stderr
    assert b"googlenet-page-path" in (tmp_path / "page.onnx").read_bytes()
    refused = run_here("predict", tmp_path / "page.onnx", own)
    assert refused.returncode == 1 and "it has 2 inputs" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "openvino"], "leave --format, --int8 and --layout out"),
        (["--int8", "x"], "leave --format, --int8 and --layout out"),
        (["--out", "there.html"], "ends in .onnx"),
    ],
)
def test_what_export_cannot_write_for_the_page(own, words, said):
    done = run_here("export", own, "--page", *words)
    assert done.returncode == 1 and said in done.stderr


def test_several_runs_are_refused(own):
    done = run_here("export", own, own, "--page")
    assert done.returncode == 1 and "name one run" in done.stderr


def test_without_a_build_it_says_how(monkeypatch, tmp_path):
    monkeypatch.setattr(page, "BUILT", tmp_path)
    done = run_here("page")
    assert done.returncode == 1
    assert "Install Node.js" in done.stderr and "make page" in done.stderr and "npm ci" in done.stderr


def test_without_onnx_it_says_what_to_install(monkeypatch, built):
    monkeypatch.setattr(job, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=re.escape("pip install 'googlenet[deploy]'")):
        job.page_job(None, page.BUILT / "x.html")


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("page.txt", "A page ends in .html, and"),
        ("own.safetensors", "A page ends in .html, and"),
        ("demo/report.html", "belongs to what is read, and would be replaced"),
        ("table.html", "belongs to what is read, and would be replaced"),
        ("named.html", "belongs to what is read, and would be replaced"),
        ("no/such/page.html", "there is no folder"),
        ("folder.html", "is no plain file"),
        ("x" * 300 + ".html", "Name another"),
    ],
)
def test_where_a_page_cannot_be_written_is_said_before_any_work(here, own, built, monkeypatch, out, said):
    monkeypatch.setattr(job, "load_pipeline", lambda *runs: pytest.fail("it began to work"))
    (here / "demo").mkdir()
    (here / "folder.html").mkdir()
    kept = {"demo/report.html": "report", "demo/run.json": "{}", "table.html": "1,2,3"}
    for name, content in kept.items():
        (here / name).write_text(content)
    own.rename(here / "demo/model.safetensors")
    (here / "named.html").symlink_to("demo/model.safetensors")
    done = run_here("page", here / "demo", "--out", out, "--examples", here / "table.html")
    assert done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert {name: (here / name).read_text() for name in kept} == kept
    assert not (here / "no").exists() and (here / "named.html").is_symlink()


def test_a_run_named_as_a_page_is_not_replaced(here, own, built):
    own.rename(here / "run.html")
    before = (here / "run.html").read_bytes()
    done = run_here("page", "run.html", "--out", here / "run.html")
    assert done.returncode == 1 and "would be replaced" in done.stderr
    assert (here / "run.html").read_bytes() == before


def test_where_a_file_for_the_page_cannot_be_written_is_said_before_any_work(here, own, monkeypatch):
    monkeypatch.setattr(job, "load_pipeline", lambda *runs: pytest.fail("it began to work"))
    done = run_here("export", own, "--page", "--out", here / "no/page.onnx")
    assert done.returncode == 1 and "there is no folder" in done.stderr


def test_examples_need_a_run(built, tmp_path):
    with pytest.raises(InputError, match="name the run"):
        job.page_job(None, tmp_path / "x.html", [tmp_path / "a.png"])


def test_the_network_of_gunpoint_is_as_good_as_its_record_says():
    pipeline, classes = load_pipeline("googlenet_1d.gunpoint")
    data = gunpoint()
    assert classes == data.classes
    with torch.inference_mode():
        guesses = pipeline(torch.from_numpy(pipeline.preprocessing.array(data.test.signals))).argmax(1)
    share = float((guesses == data.test.labels).float().mean())
    assert share == CATALOGUE["googlenet_1d.gunpoint"].top1


def test_every_sentence_of_the_networks_side_is_in_both_languages():
    folders = [WEB / "src" / name for name in ("network", "inputs")]
    sources = "".join(path.read_text() for folder in folders for path in folder.glob("*.js"))
    keys = set(re.findall(r'"((?:model|picture|signal|csv)\.\w+)"', sources))
    assert len(keys) > 40
    for language in ("en", "ko"):
        texts = "".join(path.read_text() for path in (WEB / "src" / "text" / language).glob("*.js"))
        assert [key for key in sorted(keys) if f'"{key}":' not in texts] == []


# ---------------------------------------------------------------- examples
def test_the_examples_of_the_package():
    clothes = shipped_pictures()
    assert [row["label"] for row in clothes] == list(CLOTHES)
    assert len({row["png"] for row in clothes}) == len(CLOTHES)
    signals = gunpoint_signals()
    assert [row["label"] for row in signals] == ["gun"] * 5 + ["point"] * 5
    assert all(len(row["values"][0]) == 150 for row in signals)


def test_a_picture_is_of_the_class_that_its_name_or_folder_says(tmp_path):
    (tmp_path / "cat").mkdir()
    for name in ("cat/1.png", "3-T-shirt-top.png", "9.png"):
        Image.fromarray(np.full((6, 700), 7, np.uint8)).save(tmp_path / name)
    rows = examples_from(
        [tmp_path / "cat/1.png", tmp_path / "3-T-shirt-top.png", tmp_path / "9.png"],
        ImagePreprocessing(1, 8, 8, (0.5,), (0.5,)),
        ("cat", "T-shirt/top"),
    )
    assert [row["label"] for row in rows] == ["cat", "T-shirt/top", None]


def test_an_example_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.png cannot be an example: not a picture"):
        examples_from([tmp_path / "a.png"], ImagePreprocessing(), ("x",))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.png", "x.png: signals are read from"),
        ("empty.csv", "empty.csv is empty."),
        ("far.csv", "far.csv:1 cannot be an example: more than a tenth of its samples lie far beyond"),
        ("pile", "pile is a folder, not a file of signals."),
    ],
)
def test_what_is_said_of_an_example_names_it_once_and_ends_once(here, name, said):
    Image.new("L", (4, 4)).save("x.png")
    (here / "empty.csv").touch()
    (here / "far.csv").write_text("1e9,2e9,5e9\n")
    (here / "pile").mkdir()
    reading = SignalPreprocessing(1, 40, (0.0,), (1.0,), (), (-5.0,), (5.0,))
    with pytest.raises(InputError) as caught:
        examples_from([here / name], reading, ("a", "b"))
    sentence = str(caught.value)
    assert sentence.count(name) == 1 and said in sentence
    assert re.search(r"[^.?][.?]$", sentence)
