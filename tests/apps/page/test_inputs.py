"""What the page makes of files, in a browser, against what this package makes of them."""

import base64
import io
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from browser import WEB
from googlenet.data.builtin import gunpoint
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.files import read_file
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.signals.tables.schema import Channel, Schema

MODULES = "\n".join(f'export * from "./inputs/{name}.js";' for name in ("pictures", "signals", "csv"))


@pytest.fixture(scope="module")
def modules(browser):
    browser.open()
    browser.do("harness", "modules", MODULES, "inputs")
    yield browser
    assert browser.heard()["errors"] == []


@pytest.fixture
def draws():
    return np.random.default_rng(0)


# ---------------------------------------------------------------- pictures
def seen(browser, content, preprocessing, kind="image/png"):
    """What the page makes of the bytes of a picture: numbers, or the key of a sentence."""
    text = """async ([content, type, preprocessing]) => {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        try {
            const { input, pixels } = await inputs.pictureFrom(new Blob([bytes], { type }), { preprocessing });
            return [Array.from(input), pixels.width, Array.from(pixels.data.slice(0, 4))];
        } catch (error) {
            if (error.name !== "SentenceError") throw error;
            return error.key;
        }
    }"""
    return browser.evaluate(text, [base64.b64encode(content).decode(), kind, preprocessing.to_dict()])


def saved(image, form="PNG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def noise(draws, mode, size):
    """A picture of that mode, all of its values."""
    bands = {"1": 1, "L": 1, "P": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    values = draws.integers(0, 256, (size[1], size[0], bands), np.uint8)
    if mode == "1":
        return Image.fromarray(values[..., 0] > 100)
    if mode == "P":
        image = Image.fromarray(values[..., 0] % 40, "P")
        image.putpalette(draws.integers(0, 256, 40 * 3, np.uint8).tobytes())
        return image
    return Image.fromarray(values[..., 0] if bands == 1 else values, mode)


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("mode", "size", "options"),
    [
        ("L", (28, 28), {}),
        ("RGB", (28, 28), {}),
        ("RGB", (13, 40), {}),
        ("RGB", (301, 187), {}),
        ("L", (640, 97), {}),
        ("1", (57, 61), {}),
        ("P", (90, 33), {}),
        ("P", (90, 33), {"transparency": 7}),
        ("P", (90, 33), {"transparency": bytes(range(0, 240, 6))}),
        ("LA", (50, 51), {}),
        ("RGBA", (123, 77), {}),
        ("L", (60, 60), {"transparency": 9}),
        ("RGB", (30, 33), {"bits": 8}),
        ("RGB", (64, 64), {"exif": 6}),
    ],
)
def test_a_png_is_seen_to_the_bit(modules, draws, mode, size, options, channels):
    if "exif" in options:
        exif = Image.Exif()
        exif[274] = options["exif"]
        options = {"exif": exif}
    preprocessing = ImagePreprocessing(channels, 28, 32, (0.5,) * channels, (0.2,) * channels)
    content = saved(noise(draws, mode, size), **options)
    values, width, _ = seen(modules, content, preprocessing)
    np.testing.assert_array_equal(np.array(values), preprocessing.read(content).ravel())
    assert width == 28


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(modules, draws, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    content = saved(noise(draws, "RGB", (40, 23)), exif=exif)
    preprocessing = ImagePreprocessing(3, 23, 23)
    np.testing.assert_array_equal(
        np.array(seen(modules, content, preprocessing)[0]), preprocessing.read(content).ravel()
    )


def sixteen(draws, colours):
    """A PNG of 16 bits, by hand: Pillow writes none in colour."""
    import cv2

    shape = (31, 37, 3) if colours else (31, 37)
    return bytes(cv2.imencode(".png", draws.integers(0, 65536, shape, np.uint16))[1])


@pytest.mark.parametrize("colours", [True, False])
def test_of_16_bits_the_high_ones_are_seen(modules, draws, colours):
    preprocessing = ImagePreprocessing(3, 31, 31)
    content = sixteen(draws, colours)
    np.testing.assert_array_equal(
        np.array(seen(modules, content, preprocessing)[0]), preprocessing.read(content).ravel()
    )


def test_a_large_picture_is_averaged_first(modules, draws):
    coarse = noise(draws, "RGB", (12, 9)).resize((1200, 901), Image.Resampling.BICUBIC)
    preprocessing = ImagePreprocessing(3, 32, 36)
    content = saved(coarse)
    np.testing.assert_array_equal(
        np.array(seen(modules, content, preprocessing)[0]), preprocessing.read(content).ravel()
    )


def test_a_jpeg_is_seen_as_far_as_decoders_agree(modules, draws):
    smooth = noise(draws, "RGB", (9, 9)).resize((90, 70), Image.Resampling.BICUBIC)
    content = saved(smooth, "JPEG", quality=95)
    preprocessing = ImagePreprocessing(3, 60, 70)
    values = np.array(seen(modules, content, preprocessing, "image/jpeg")[0])
    assert np.abs(values - preprocessing.read(content).ravel().astype(int)).max() <= 3


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "picture.empty"),
        (b"no picture at all", "picture.none"),
        (saved(Image.new("RGB", (40, 40), "red"))[:70], "picture.damaged"),
        (b"\x89PNG\r\n\x1a\n", "picture.damaged"),
        (saved(Image.new("L", (2, 2))).replace(b"\0\0\0\2\0\0\0\2", b"\0\1\0\0\0\1\0\0", 1), "picture.large"),
    ],
)
def test_what_is_no_picture_is_a_sentence(modules, content, key):
    assert seen(modules, content, ImagePreprocessing(3, 8, 8)) == key


# ---------------------------------------------------------------- signals
def prepared(browser, signal, preprocessing):
    """What the page makes of a signal ``(channels, n)``: ``(numbers, doubt)``, or the key of a sentence."""
    text = """([channels, preprocessing]) => {
        try {
            const { input, doubt } = inputs.preparedSignal(
                channels.map((values) => values.map((value) => value ?? NaN)), { preprocessing });
            return [Array.from(input), doubt];
        } catch (error) {
            if (error.name !== "SentenceError") throw error;
            return error.key;
        }
    }"""
    rows = [[None if np.isnan(value) else value for value in channel] for channel in signal.tolist()]
    return browser.evaluate(text, [rows, preprocessing.to_dict()])


def waves(draws, count, channels, length):
    time = np.arange(length)
    return [
        np.stack([10 * c + np.sin(time / draws.uniform(3, 9)) + draws.normal(0, 0.3, length) for c in range(channels)])
        for _ in range(count)
    ]


def with_gaps(signal):
    signal = signal.copy()
    signal[0, 5:9] = signal[-1, :3] = signal[-1, -4:] = np.nan
    return signal


def with_glitches(signal):
    signal = signal.copy()
    signal[0, [3, 17]] = 9999.0, -9999.0
    return signal


@pytest.mark.parametrize("differences", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("change", [np.array, with_gaps, with_glitches, lambda x: x[:, :20], lambda x: np.tile(x, 3)])
@pytest.mark.parametrize("scales", ["alike", "of their own"])
def test_a_signal_is_prepared_alike(modules, draws, differences, channels, change, scales):
    signals = waves(draws, 20, channels, 60)
    if scales == "of their own":
        signals = [signal * 10.0 ** (row % 4) for row, signal in enumerate(signals)]
    preprocessing = SignalPreprocessing.fitted(signals, 60, differences)
    assert bool(preprocessing.mean) == (scales == "alike")
    signal = change(signals[0])
    values, _ = prepared(modules, signal, preprocessing)
    np.testing.assert_allclose(np.array(values), preprocessing.prepared(signal).ravel(), rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda x: x * np.nan, "signal.missing"),
        (lambda x: x + np.where(np.arange(150) % 3 == 0, 1e6, 0), "signal.unit"),
        (lambda x: np.concatenate([x, x]), "signal.channels"),
        (lambda x: x[:, :0], "signal.lengths"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(modules, change, key):
    data = gunpoint()
    preprocessing = SignalPreprocessing.fitted(list(data.train.signals), 150)
    assert prepared(modules, change(data.test.signals[0].astype(float)), preprocessing) == key


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda x: x, None),
        (lambda x: x * 1e-4, "signal.small"),
        (lambda x: x * 0 + 3, "signal.constant"),
        (lambda x: x + 40, "signal.strange"),
        (lambda x: np.tile(x, 2), "signal.longer"),
        (with_glitches, "signal.beyond"),
    ],
)
def test_doubts_are_those_of_the_package(modules, change, doubt):
    data = gunpoint()
    preprocessing = replace(SignalPreprocessing.fitted(list(data.train.signals), 150), longest=150)
    signal = change(data.test.signals[0].astype(float))
    if doubt is None:
        preprocessing.read(signal)
    else:
        with pytest.warns(RuntimeWarning):
            preprocessing.read(signal)
    assert prepared(modules, signal, preprocessing)[1] == doubt


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda x: x, None),
        (lambda x: x * 1e-4, "signal.small"),
        (lambda x: x * 0 + 3, "signal.channel_off"),
        (lambda x: x * np.nan, "signal.channel_off"),
    ],
)
def test_doubts_of_a_channel_are_those_of_the_package(modules, change, doubt):
    one = gunpoint().train.signals
    signals = [np.concatenate(pair).astype(float) for pair in zip(one, one[::-1], strict=True)]
    preprocessing = SignalPreprocessing.fitted(signals, 150)
    signal = np.stack([signals[0][0], change(signals[0][1])])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        preprocessing.read(signal)
    assert bool(said) == bool(doubt)
    assert prepared(modules, signal, preprocessing)[1] == doubt


# ---------------------------------------------------------------- tables
def table(browser, text, classes=("gun", "point"), channels=1, names=(), longest=0, schema=None):
    """``(signals, keys of what is said)``, or the key of a sentence."""
    function = """([text, classes, preprocessing]) => {
        try {
            const { signals, said } = inputs.signalsFromCsv(text, { classes, preprocessing });
            return [signals, said.map(({ key }) => key)];
        } catch (error) {
            if (error.name !== "SentenceError") throw error;
            return error.key;
        }
    }"""
    schema = {"channels": [{"name": name} for name in names]} if names else schema
    preprocessing = {"channels": channels, "longest": longest, "schema": schema}
    return browser.evaluate(function, [text, classes, preprocessing])


@pytest.mark.parametrize(
    ("text", "label", "values", "said"),
    [
        ("gun,1,2,3\npoint,4,5,6", "gun", [1, 2, 3], {"csv.label_first"}),
        ("1\t2.5\t-3e2\tgun\n4\t5\t6\tpoint", "gun", [1, 2.5, -300], {"csv.label_last"}),
        ("label;a;b\npoint;1,5;2\ngun;3;4,25", "point", [1.5, 2], {"csv.label", "csv.comma_read", "csv.header"}),
        ("1,2,3\n4,5,6", None, [1, 2, 3], {"csv.no_label"}),
        ("1 2  3\n4 5 6", None, [1, 2, 3], {"csv.no_label"}),
        ("\ufeffgun,1,,3,\r\npoint,4,?,NaN,6\r\n", "gun", [1, None, 3], {"csv.lengths"}),
        ("# of a sensor\n5\n6\n7\n", None, [5], set()),
        ("x1,class\n3,gun\n4,point", "gun", [3], {"csv.label"}),
        ("label,v0,v1,v2\n1,0.5,,\n2,0.25,1.5,3", "1", [0.5], {"csv.label", "csv.lengths"}),
    ],
)
def test_a_table_is_read_and_what_was_guessed_is_said(modules, text, label, values, said):
    signals, keys = table(modules, text)
    assert signals[0].get("label") == label
    assert signals[0]["channels"] == [values]  # JSON has null for what is missing
    assert said <= set(keys)


def test_labels_that_are_numbers_are_known_by_the_classes(modules):
    signals, _ = table(modules, "1\t0.5\t0.25\n2\t0.75\t1.5", classes=("1", "2"))
    assert [(row["label"], row["channels"]) for row in signals] == [("1", [[0.5, 0.25]]), ("2", [[0.75, 1.5]])]


def test_channels_are_columns(modules):
    text = "time,b,a\n0,1,2\n1,3,4\n"
    assert table(modules, text, channels=2, names=("a", "b"))[0][0]["channels"] == [[2, 4], [1, 3]]
    assert table(modules, "1,2\n3,4", channels=2)[0][0]["channels"] == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "csv.empty"),
        ("\n \n", "csv.empty"),
        ("\0\1\2", "csv.none"),
        ("1;2,5\n1.5;3", "csv.comma"),
        ("gun,1,2\npoint,3,oops", "csv.cell"),
        ("gun,1,2\npoint,,", "csv.row_empty"),
        ("gun,1,gun\npoint,2,gun", "csv.two_labels"),
        ("x0,x1,y0,y1\n1,2,3,4\n5,6,7,8", "signal.channels"),
        ("1,0.5,2\n2,0.25,3\n1,7.5,4\n2,3.5,5", "csv.label_or_sample"),
    ],
)
def test_what_cannot_be_known_is_refused(modules, text, key):
    assert table(modules, text) == key


def test_a_table_of_other_channels_is_refused(modules):
    assert table(modules, "1,2,3\n4,5,6", channels=2) == "csv.channels"
    assert table(modules, "1,2\n3,4,5", channels=2) == "csv.ragged"


def rows_of(count, form, separator=","):
    """The first signals of GunPoint as rows of text, as ``form(label, samples, row)`` orders the cells."""
    test = gunpoint().test
    samples = [[f"{value:.7f}" for value in signal[0]] for signal in test.signals[:count]]
    rows = [form(int(label), cells, row) for row, (label, cells) in enumerate(zip(test.labels, samples, strict=False))]
    return "\n".join(separator.join(row) for row in rows) + "\n"


def first(label, samples, row):
    return [str(label + 1), *samples]


def last(label, samples, row):
    return [*samples, str(label + 1)]


def bare(label, samples, row):
    return samples


def word(label, samples, row):
    return [("gun", "point")[label], *samples]


NAMES = [f"v{at}" for at in range(150)]
LEARNED = Schema("rows", (Channel(""),), label="first", lengths=(150, 150))


@pytest.mark.parametrize(
    ("name", "text", "learned"),
    [
        ("first.tsv", rows_of(3, first, "\t"), None),
        ("first.csv", rows_of(12, first), None),
        ("first.txt", rows_of(12, lambda label, cells, row: [f"{label + 1:.7e}", *cells], "  "), None),
        ("first.csv", rows_of(1, first), LEARNED),
        ("first.csv", rows_of(3, first), LEARNED),
        ("last.csv", rows_of(3, last), None),
        ("last.csv", rows_of(12, last, ";"), None),
        ("bare.csv", rows_of(1, bare), None),
        ("bare.csv", rows_of(12, bare), None),
        ("bare.csv", rows_of(12, bare), LEARNED),
        ("words.csv", rows_of(3, word), None),
        ("words.csv", rows_of(12, lambda label, cells, row: word(label, cells, row)[::-1]), None),
        ("ends.csv", rows_of(12, lambda label, cells, row: [*first(label, cells, row), ""]), None),
        ("counted.csv", rows_of(12, lambda label, cells, row: [str(row), *cells]), None),
        ("counted.csv", rows_of(12, lambda label, cells, row: [str(row), *last(label, cells, row)]), None),
        ("named.csv", ",".join(["label", *NAMES]) + "\n" + rows_of(3, first), None),
        (
            "named.csv",
            ",".join(["id", *NAMES, "class"]) + "\n" + rows_of(3, lambda *x: [f"{x[2] + 7}", *last(*x)]),
            None,
        ),
        ("named.csv", ",".join(["", *NAMES]) + "\n" + rows_of(12, lambda *x: [f"{x[2]}", *bare(*x)]), None),
        ("pandas.csv", ",".join(map(str, range(150))) + "\n" + rows_of(3, bare), None),
        ("pandas.csv", ",".join(["label", *map(str, range(150))]) + "\n" + rows_of(3, first), None),
    ],
)
def test_a_table_is_read_as_python_reads_it(modules, tmp_path, name, text, learned):
    path = tmp_path / name
    path.write_text(text)
    expected = read_file(path, labelled=False, learned=learned)
    schema = None if learned is None else learned.to_dict()
    signals, said = table(modules, text, longest=150, schema=schema)
    assert [row["channels"] for row in signals] == [signal.tolist() for signal in expected.signals]
    labels = [row.get("label") for row in signals]
    assert labels == list(expected.labels or [None] * len(signals))
    assert ("csv.no_label" in said) == (expected.labels is None)


def test_a_lone_row_with_a_label_is_known_by_what_the_network_learned_from(modules):
    (signal,), said = table(modules, rows_of(1, first, "\t"), longest=150)
    assert (signal["label"], len(signal["channels"][0])) == ("1", 150)
    assert {"csv.label_first", "csv.one_more"} <= set(said)
    (signal,), said = table(modules, rows_of(1, last), longest=150)
    assert (signal["label"], len(signal["channels"][0])) == ("1", 150)
    assert {"csv.label_last", "csv.one_more"} <= set(said)


@pytest.mark.parametrize(
    ("text", "schema", "key"),
    [
        (rows_of(2, lambda label, cells, row: ["0.25", *cells]), None, "csv.one_more_unknown"),
        (rows_of(2, lambda label, cells, row: ["3", *cells[1:], "4"]), None, "csv.one_more_unknown"),
        (rows_of(2, first), replace(LEARNED, label="none"), "csv.one_more_unknown"),
        (rows_of(12, last), LEARNED, "csv.one_more_unknown"),
        (rows_of(12, lambda label, cells, row: cells[:149]), LEARNED, "csv.length"),
        (rows_of(12, lambda label, cells, row: [str(label), *cells[1:]]), LEARNED, "csv.label_or_sample"),
        (rows_of(12, lambda label, cells, row: [str(7 * row), *cells[:99]]), None, "csv.label_or_sample"),
    ],
)
def test_a_cell_that_may_be_a_label_is_never_read_in_silence(modules, text, schema, key):
    assert table(modules, text, longest=150, schema=schema and schema.to_dict()) == key


def test_texts_name_the_separators_in_both_languages(modules):
    separators = {"commas": "1,2", "tabs": "1\t2", "semicolons": "1;2", "blanks": "1 2"}
    function = "(text) => inputs.signalsFromCsv(text, { classes: [], preprocessing: { channels: 1 } }).said[0].values"
    for name, text in separators.items():
        assert modules.evaluate(function, text) == {"separator": name}
        for language in ("en", "ko"):
            source = (WEB / "src" / "text" / language / "own.js").read_text(encoding="utf-8")
            (wording,) = re.findall(rf'"csv\.{name}": "([^"]+)"', source)
            assert wording.isalpha()
