"""What the reader brings to the page: pictures, tables, networks, and files that are none of these."""

import base64
import gzip
import json
import re

import numpy as np
import pytest
from PIL import Image

import googlenet
from browser import Browser
from googlenet.apps.page.job import export_page_job

STATUS = "() => document.querySelector('#own .status').innerText"
RANKED = """() => [...document.querySelectorAll("#own .explanation:not([hidden]) .answers li:not([hidden])")]
  .map((row) => [row.children[0].innerText, row.children[1].innerText])"""


@pytest.fixture
def own(browser):
    """The page open at its last chapter, with the width of a desk; opened anew if another test had it."""
    try:
        ours = browser.evaluate("() => globalThis.ofTheReader === true")
    except AssertionError:  # no page is open
        ours = False
    if not ours:
        browser.open(locale="en-US", viewport={"width": 1280, "height": 900})
        browser.evaluate("() => { globalThis.ofTheReader = true; }")
    browser.evaluate("() => document.getElementById('own').scrollIntoView({ behavior: 'instant' })")
    return browser


@pytest.fixture
def changing(own):
    """The same for a test that puts another network into the page; the next test opens it anew."""
    yield own
    own.evaluate("() => { globalThis.ofTheReader = false; }")


def give(own, path):
    """Chooses a file, and waits for what the page says of it."""
    own.evaluate("() => { document.querySelector('#own .status').textContent = ''; }")
    own.do("page", "setInputFiles", "#file", str(path))
    return said(own)


def said(own):
    """What the page says, when it has read."""
    return own.evaluate(
        """() => new Promise((done) => {
          const look = () => {
            const { innerText } = document.querySelector("#own .status");
            if (innerText && !innerText.startsWith("Reading")) done(innerText);
            else setTimeout(look, 20);
          };
          look();
        })"""
    )


def network_of(page_file, name):
    """The file of a network that lies in the page."""
    text = page_file.read_text(encoding="utf-8")
    packed = re.search(rf'id="network-{name}">([^<]+)<', text).group(1)
    return gzip.decompress(base64.b64decode(packed))


def test_a_picture_is_answered_as_pythons_predictor_answers_it(own, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 52, 3), dtype=np.uint8)
    path = tmp_path / "noise.png"
    Image.fromarray(pixels).save(path)
    assert give(own, path) == "This is your picture as the network sees it: 28 × 28."
    expected = googlenet.load("fashion_mnist", engine="torch").predict([path])[0]
    label, share = own.evaluate(RANKED)[0]
    assert label == expected.label
    assert abs(float(share.rstrip("%")) / 100 - expected.probability) < 1e-3
    own.evaluate("() => scrollTo(0, 0)")
    assert own.becomes("(label) => document.querySelector('#hero .label').innerText === label", label)


def test_a_picture_may_be_dropped(own):
    own.evaluate(
        """() => {
          document.querySelector("#own .status").textContent = "";
          const canvas = Object.assign(document.createElement("canvas"), { width: 30, height: 30 });
          canvas.getContext("2d").fillRect(5, 5, 20, 20);
          canvas.toBlob((blob) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([blob], "square.png", { type: "image/png" }));
            const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
            document.getElementById("drop").dispatchEvent(drop);
          });
        }"""
    )
    assert said(own).startswith("This is your picture")


def test_a_table_of_signals_can_be_walked(own, tmp_path):
    path = tmp_path / "three.csv"
    rows = np.sin(np.linspace(0, 6, 150) + np.arange(3)[:, None])
    path.write_text("\n".join(",".join(f"{value:.4f}" for value in row) for row in rows))
    told = give(own, path)
    assert told.startswith("Signals read: 3.") and "Cells are separated by commas." in told
    labels = "() => [...document.querySelectorAll('#own-rows option')].map((option) => option.innerText)"
    assert len(own.evaluate(labels)) == 3
    line = "document.querySelector('#own .explanation:not([hidden]) .trace path')"
    assert own.becomes(f"() => {line}?.getAttribute('d')")
    first = own.evaluate(f"() => {line}.getAttribute('d')")
    assert {label for label, _ in own.evaluate(RANKED)} == {"gun", "point"}
    own.do("page", "selectOption", "#own-rows", "2")
    assert own.becomes(f"(first) => {line}.getAttribute('d') !== first", first)


def test_a_network_takes_the_place_of_the_pages_own(changing, page_file, tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(network_of(page_file, "gunpoint"))
    told = give(changing, path)
    assert told.startswith("This is your network now: mine.onnx, 2 classes, 6 modules.")
    rows = "() => document.querySelectorAll('#own .explanation:not([hidden]) .branch-table tr').length"
    assert changing.evaluate(rows) == 6


def test_contributions_say_so_where_kernels_answer_too(changing, tmp_path):
    """Asked of a network of signals with competing kernels and of the same without; their answers differ."""
    draws = np.random.default_rng(0)
    labels = np.arange(24) % 2
    signals = np.sin(np.linspace(0, 6, 64) * (1 + labels[:, None])) + 0.1 * draws.normal(size=(24, 64))
    table = tmp_path / "one.csv"
    table.write_text(",".join(f"{value:.4f}" for value in signals[0]))
    told = {}
    for kernels in (0, 16):
        recipe = {"width": 0.125, "members": 1, "epochs": 1, "competing": kernels, "calibrate": False}
        model = googlenet.GoogLeNetClassifier(recipe, random_state=0).fit(signals, labels)
        model.save(tmp_path / f"{kernels}.safetensors")
        give(changing, export_page_job([str(tmp_path / f"{kernels}.safetensors")], tmp_path / f"{kernels}.onnx"))
        assert give(changing, table).startswith("Signals read: 1.")
        note = "document.querySelector('#own .explanation:not([hidden]) .contributing .note')"
        changing.do("page", "click", "#own .explanation:not([hidden]) .contributing button")
        assert changing.becomes(f"() => {note}.innerText")
        told[kernels] = changing.evaluate(f"() => {note}.innerText")
        assert told[kernels].startswith("Of the difference of")
    sentence = "Random kernels that compete answer beside the network; they are no part of these numbers."
    assert sentence in told[16] and sentence not in told[0]


def test_a_network_that_is_damaged_leaves_the_one_before_at_work(own, page_file, tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (28, 28), dtype=np.uint8)
    pictures = [tmp_path / "noise.png", tmp_path / "dark.png"]
    Image.fromarray(pixels).save(pictures[0])
    Image.fromarray(pixels // 255).save(pictures[1])
    expected = [row.label for row in googlenet.load("fashion_mnist", engine="torch").predict(pictures)]
    assert expected[0] != expected[1]
    first = "(label) => document.querySelector('#own .explanation:not([hidden]) .answers li').innerText.includes(label)"
    give(own, pictures[0])
    assert own.becomes(first, expected[0])
    whole = network_of(page_file, "fashion_mnist")
    path = tmp_path / "damaged.onnx"
    path.write_bytes(whole.replace(b'"resize": 28', b'"resize": -1'))
    assert path.read_bytes() != whole
    assert give(own, path).startswith("This network is damaged")
    assert own.evaluate(first, expected[0])
    assert give(own, pictures[1]).startswith("This is your picture")
    assert own.becomes(first, expected[1])


def test_a_long_signal_is_drawn(own, tmp_path):
    path = tmp_path / "long.csv"
    path.write_text(",".join(str(at % 97) for at in range(400_000)))
    own.heard()
    assert give(own, path).startswith("Signals read: 1.")
    line = "document.querySelector('#own .explanation:not([hidden]) .trace path')"
    assert own.becomes(f"() => {line}?.getAttribute('d').length > 400000")
    assert own.heard()["errors"] == []


def test_a_picture_of_many_pixels_is_the_browsers_to_decode(own, tmp_path):
    path = tmp_path / "large.png"
    Image.new("L", (4200, 4200), 90).save(path)
    assert give(own, path).startswith("This is your picture")
    larger = bytearray(path.read_bytes())
    larger[16:24] = (20_000).to_bytes(4, "big") * 2
    path.write_bytes(larger)
    assert "more than the page reads" in give(own, path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("broken.onnx", b"nothing", "no network"),
        ("broken.png", b"\x89PNG\r\n\x1a\nnothing", "damaged"),
        ("broken.jpg", b"nothing", "no picture"),
        ("arrays.npz", b"PK\3\4nothing", "tables of signals (.csv, .tsv, .txt)"),
        ("words.csv", b"a,b\nc,d\n", ""),
        ("empty.csv", b"", "no signals"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_and_the_page_goes_on(own, tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    told = give(own, path)
    assert sentence in told and told != "This file could not be read."
    assert own.evaluate("() => document.querySelector('#own .status').classList.contains('wrong')")
    own.heard()
    picture = tmp_path / "grey.png"
    Image.new("L", (28, 28), 90).save(picture)
    assert give(own, picture).startswith("This is your picture")
    assert not own.evaluate("() => document.querySelector('#own .status').classList.contains('wrong')")


def test_a_square_shows_its_branchs_channels(own):
    own.evaluate("() => document.querySelector('#own-kind input[value=picture]').click()")
    own.evaluate("() => document.querySelectorAll('#own .explanation:not([hidden]) button.map')[4 * 4 + 2].click()")
    assert (
        own.evaluate("() => document.querySelector('#own .channels .of').innerText")
        == "4c, branch 5×5: its 32 channels"
    )


@pytest.mark.slow
def test_contributions_of_every_module_sum_to_the_difference(own):
    own.evaluate("() => document.querySelector('#signals .contributing button').click()")
    found = own.evaluate(
        """() => new Promise((done) => {
          const number = (text) => Number(text.replace("−", "-"));
          const look = () => {
            const { innerText } = document.querySelector("#signals .contributing .note");
            if (!innerText) return setTimeout(look, 100);
            const rows = [...document.querySelectorAll("#signals .branch-table tr")];
            const values = rows.map((row) => [...row.querySelectorAll(".value")].map((value) => value.textContent));
            done({ told: innerText, rows: values.map((row) => row.filter(Boolean).map(number)) });
          };
          look();
        })"""
    )
    difference = float(re.search(r"difference of ([+−][\d.]+)", found["told"]).group(1).replace("−", "-"))
    for row in found["rows"]:
        assert len(row) >= 4
        assert abs(sum(row) - difference) < 0.01 * abs(difference) + 0.005 * len(row)


def test_the_camera_is_a_picture_too(own):
    """The browser's own made-up camera, which shows a moving disc."""
    own.evaluate("() => { document.querySelector('#own .status').textContent = ''; }")
    own.do("page", "click", "#own button[data-text='own.camera']")
    own.do("page", "waitForFunction", "() => document.querySelector('#own video').videoWidth > 0")
    own.do("page", "click", "#own button[data-text='own.take']")
    assert said(own) and len(own.evaluate(RANKED)) >= 3
    assert own.evaluate("() => document.querySelector('#own .camera').hidden")


def test_a_page_without_examples_asks_for_them(page_file, tmp_path):
    before, facts, after = re.split(r'(?<=id="facts">)(.+?)(?=</script>)', page_file.read_text(), maxsplit=1)
    facts = json.loads(facts)
    for network in facts["networks"]:
        network["examples"] = []
    path = tmp_path / "page.html"
    path.write_text(before + json.dumps(facts) + after)
    bare = Browser(path)
    try:
        bare.open(locale="en-US")
        says = bare.evaluate("() => document.querySelector('.waking').innerText")
        assert says == "This page has no picture to show the network: choose one under Your own."
        bare.evaluate("() => document.querySelector('#signals .live').scrollIntoView({ behavior: 'instant' })")
        assert bare.becomes("() => document.querySelector('#signals .says').innerText.includes('no signal to show')")
        bare.do("page", "setInputFiles", "#file", picture_of(tmp_path))
        bare.evaluate("() => document.getElementById('hero').scrollIntoView({ behavior: 'instant' })")
        assert bare.becomes("() => document.querySelector('.waking').hidden")
    finally:
        bare.close()


def picture_of(folder):
    """A grey picture in a file."""
    Image.fromarray(np.full((28, 28), 120, np.uint8)).save(folder / "grey.png")
    return str(folder / "grey.png")
