"""What a predictor takes: equal answers for equal examples, however they come, and a reason for whatever is none."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import googlenet
from googlenet import InputError, Prediction, Predictor, load
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.data.volumes.preprocessing import VolumePreprocessing
from googlenet.inference.engines.engine import Engine

GREY = ImagePreprocessing(1, 28, 28, (0.5,), (0.25,))
COLOUR = ImagePreprocessing(3, 28, 28, (0.5,) * 3, (0.25,) * 3)
ONE = SignalPreprocessing(1, 30, (0.0,), (1.0,), ())
TINY = SignalPreprocessing(1, 30, (0.0,), (1e-6,), ())
TWO = SignalPreprocessing(2, 30, (0.0, 0.0), (1.0, 1.0), ())
SHARES = VolumePreprocessing(1, (6, 7, 8), True, (0.5,), (0.25,))
FLOATS = VolumePreprocessing(2, (6, 7, 8), False, (0.5, 0.0), (0.25, 2.0))


class Seen(Engine):
    """Keeps what it is given; its answer says which inputs it was for.

    Attributes:
        inputs: Every prepared example, in order.
    """

    name = "seen"

    def __init__(self):
        self.inputs = []

    def __call__(self, inputs):
        self.inputs += list(inputs)
        means = inputs.reshape(len(inputs), -1).astype(np.float64).mean(1)
        first = 1 / (1 + np.exp(-means / 100))
        return np.stack([first, 1 - first], 1).astype(np.float32)


def predictor(preprocessing):
    return Predictor(Seen(), ("a", "b"), preprocessing)


def read(source, preprocessing):
    """What the network gets of the one example of a source, and the prediction."""
    labels = predictor(preprocessing)
    (prediction,) = labels.predict(source)
    assert prediction.error is None, prediction.error
    (inputs,) = labels.engine.inputs
    return inputs, prediction


def refused(source, preprocessing):
    """The reason why a source is no example."""
    labels = predictor(preprocessing)
    try:
        predictions = labels.predict(source)
    except InputError as error:
        reason = str(error)
    else:
        assert predictions and all(prediction.error for prediction in predictions), predictions
        assert all(prediction.top == () for prediction in predictions)
        reason = predictions[0].error
        assert reason and "error" in predictions[0].to_dict()
        with pytest.raises(InputError):
            labels.probabilities(source)
    assert labels.engine.inputs == []
    return reason


def pixels(channels=1):
    """``(height, width)`` or ``(height, width, 3)``; below 128, which bfloat16 holds as shares of 255."""
    shape = (28, 28) if channels == 1 else (28, 28, 3)
    return np.random.default_rng(channels).integers(0, 128, shape, np.uint8)


def file_of(picture):
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


SHARE = np.float64(255)
# Name to what is made of (height, width) or (height, width, 3) pixels.
FORMS = {
    "bytes": file_of,
    "bytearray": lambda picture: bytearray(file_of(picture)),
    "memoryview": lambda picture: memoryview(file_of(picture)),
    "opened": lambda picture: io.BytesIO(file_of(picture)),
    "pillow": Image.fromarray,
    "array": lambda picture: picture,
    "array with its channels": lambda picture: np.atleast_3d(picture),
    "channels first": lambda picture: np.atleast_3d(picture).transpose(2, 0, 1),
    "not in one piece": lambda picture: np.repeat(picture, 2, 1)[:, ::2],
    "float64": lambda picture: picture / SHARE,
    "float32": lambda picture: (picture / SHARE).astype(np.float32),
    "float16": lambda picture: (picture / SHARE).astype(np.float16),
    "float32, channels first": lambda picture: np.atleast_3d(picture / SHARE).transpose(2, 0, 1).astype(np.float32),
    "tensor": torch.from_numpy,
    "tensor, channels first": lambda picture: torch.from_numpy(np.atleast_3d(picture)).permute(2, 0, 1),
    "tensor of floats": lambda picture: torch.from_numpy(picture / SHARE).float().requires_grad_(),
    "tensor of bfloat16": lambda picture: torch.from_numpy(picture / SHARE).bfloat16(),
    "tensor of float16": lambda picture: torch.from_numpy(picture / SHARE).half(),
}


@pytest.mark.parametrize("preprocessing", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("form", FORMS)
def test_a_picture_is_the_same_however_it_comes(form, preprocessing):
    picture = pixels(preprocessing.channels)
    inputs, prediction = read(FORMS[form](picture), preprocessing)
    expected = picture[None] if preprocessing is GREY else picture.transpose(2, 0, 1)
    assert np.array_equal(inputs, expected) and inputs.dtype == np.uint8
    assert prediction.input == "#0" and prediction.taken_for


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_its_own_name(tmp_path, kind):
    path = tmp_path / "a.png"
    path.write_bytes(file_of(pixels()))
    inputs, prediction = read(kind(path), GREY)
    assert np.array_equal(inputs, pixels()[None])
    assert prediction.input == str(path) and prediction.taken_for == ""
    with path.open("rb") as file:
        assert np.array_equal(read(file, GREY)[0], pixels()[None])


def test_grey_pictures_of_a_network_that_sees_colours_are_grey():
    for form in ("array", "pillow", "float32", "channels first", "tensor"):
        inputs, _ = read(FORMS[form](pixels()), COLOUR)
        assert np.array_equal(inputs, np.stack([pixels()] * 3)), form


def test_colours_of_a_network_that_sees_grey_are_those_that_pillow_makes_grey():
    expected = np.asarray(Image.fromarray(pixels(3)).convert("L"))
    for form in ("array", "pillow", "bytes", "float32"):
        inputs, _ = read(FORMS[form](pixels(3)), GREY)
        assert np.array_equal(inputs[0], expected), form


def test_a_picture_with_transparency_lies_on_white():
    picture = np.dstack([pixels(3), np.where(pixels() > 60, 255, 0).astype(np.uint8)])
    inputs, _ = read(picture, COLOUR)
    opaque = picture[..., 3] > 0
    assert (inputs[:, ~opaque] == 255).all() and np.array_equal(inputs[:, opaque], picture[opaque, :3].T)


GREYS = np.random.default_rng(5).integers(0, 128, (5, 28, 28), np.uint8)
COLOURS = np.random.default_rng(6).integers(0, 128, (5, 28, 28, 3), np.uint8)
SIGNALS = np.random.default_rng(7).normal(size=(5, 2, 30)).astype(np.float32)
VOLUMES = np.random.default_rng(8).integers(0, 256, (5, 1, 6, 7, 8), np.uint8)
MANY = {
    "grey": (GREY, GREYS[:, None], GREYS),
    "grey, channels last": (GREY, GREYS[:, None], GREYS[..., None]),
    "grey, channels first": (GREY, GREYS[:, None], GREYS[:, None]),
    "grey floats": (GREY, GREYS[:, None], GREYS / 255),
    "grey tensors": (GREY, GREYS[:, None], torch.from_numpy(GREYS[:, None])),
    "a list of grey": (GREY, GREYS[:, None], list(GREYS)),
    "a tuple of tensors": (GREY, GREYS[:, None], tuple(map(torch.from_numpy, GREYS))),
    "a list of opened pictures": (GREY, GREYS[:, None], list(map(Image.fromarray, GREYS))),
    "a list of files": (GREY, GREYS[:, None], list(map(file_of, GREYS))),
    "all sorts": (
        GREY,
        GREYS[:, None],
        [GREYS[0], torch.from_numpy(GREYS[1]), file_of(GREYS[2]), Image.fromarray(GREYS[3]), GREYS[4] / 255],
    ),
    "colours": (COLOUR, COLOURS.transpose(0, 3, 1, 2), COLOURS),
    "colours, channels first": (COLOUR, COLOURS.transpose(0, 3, 1, 2), COLOURS.transpose(0, 3, 1, 2)),
    "colour tensors": (COLOUR, COLOURS.transpose(0, 3, 1, 2), torch.from_numpy(COLOURS).permute(0, 3, 1, 2) / 255),
    "signals": (TWO, SIGNALS, SIGNALS),
    "signal tensors": (TWO, SIGNALS, torch.from_numpy(SIGNALS)),
    "a list of signals": (TWO, SIGNALS, list(SIGNALS)),
    "signals of one channel": (ONE, SIGNALS[:, :1], SIGNALS[:, 0]),
    "signals of one channel, with it": (ONE, SIGNALS[:, :1], SIGNALS[:, :1]),
    "lists of numbers": (ONE, SIGNALS[:, :1], [signal[0].tolist() for signal in SIGNALS]),
    "volumes": (SHARES, (VOLUMES / 255 - 0.5) / 0.25, VOLUMES),
    "volumes without channels": (SHARES, (VOLUMES / 255 - 0.5) / 0.25, VOLUMES[:, 0]),
    "volumes of shares": (SHARES, (VOLUMES / 255 - 0.5) / 0.25, torch.from_numpy(VOLUMES / 255)),
    "volumes of 16 bits": (SHARES, (VOLUMES / 255 - 0.5) / 0.25, VOLUMES.astype(np.uint16) * 257),
    "a list of volumes": (SHARES, (VOLUMES / 255 - 0.5) / 0.25, list(VOLUMES)),
}


@pytest.mark.parametrize("name", MANY)
def test_many_examples_are_many_answers_in_order(name):
    preprocessing, expected, sources = MANY[name]
    labels = predictor(preprocessing)
    predictions = labels.predict(sources, top=1)
    assert [prediction.input for prediction in predictions] == [f"#{row}" for row in range(5)]
    np.testing.assert_allclose(labels.engine.inputs, expected, atol=1e-5)
    probabilities = labels.probabilities(sources)
    assert probabilities.shape == (5, 2) and probabilities.dtype == np.float32
    assert [prediction.probability for prediction in predictions] == pytest.approx(probabilities.max(1).tolist())
    assert [prediction.label for prediction in predictions] == ["ab"[best] for best in probabilities.argmax(1)]


@pytest.mark.parametrize(
    ("preprocessing", "source", "expected"),
    [
        (TWO, SIGNALS[0], SIGNALS[0]),
        (TWO, torch.from_numpy(SIGNALS[0]).double(), SIGNALS[0]),
        (ONE, SIGNALS[0, 0], SIGNALS[0, :1]),
        (ONE, torch.from_numpy(SIGNALS[0, 0]), SIGNALS[0, :1]),
        (ONE, np.arange(30) % 9, np.arange(30.0)[None] % 9),
        (SHARES, VOLUMES[0], (VOLUMES[0] / 255 - 0.5) / 0.25),
        (SHARES, VOLUMES[0, 0], (VOLUMES[0] / 255 - 0.5) / 0.25),
        (SHARES, torch.from_numpy(VOLUMES[0]), (VOLUMES[0] / 255 - 0.5) / 0.25),
        (FLOATS, np.full((2, 6, 7, 8), 300.5), np.stack([np.full((6, 7, 8), 1200.0), np.full((6, 7, 8), 150.25)])),
    ],
)
def test_one_signal_and_one_volume_are_one_example(preprocessing, source, expected):
    inputs, prediction = read(source, preprocessing)
    np.testing.assert_allclose(inputs, expected, atol=1e-4)
    assert prediction.taken_for and prediction.input == "#0"


@pytest.mark.parametrize(
    ("preprocessing", "source", "words"),
    [
        (GREY, pixels(), "uint8 array (28, 28): height × width"),
        (COLOUR, pixels(3), "uint8 array (28, 28, 3): height × width × channels"),
        (COLOUR, torch.zeros(3, 28, 28), "float32 array (3, 28, 28): channels × height × width, from 0 to 1"),
        (GREY, np.zeros((2, 28, 28)), "float64 array (28, 28): height × width, from 0 to 1"),
        (GREY, Image.new("RGB", (40, 30)), "picture of Pillow's, 40×30, mode RGB"),
        (GREY, file_of(pixels()), f"the bytes of a file, {len(file_of(pixels())):,}"),
        (GREY, io.BytesIO(file_of(pixels())), "an opened file"),
        (ONE, SIGNALS[0, 0], "float32 array (30,): length"),
        (TWO, SIGNALS, "float32 array (2, 30): channels × length"),
        (SHARES, VOLUMES, "uint8 array (1, 6, 7, 8): a volume"),
    ],
)
def test_it_is_said_what_an_object_was_taken_for(preprocessing, source, words):
    for prediction in predictor(preprocessing).predict(source):
        assert prediction.taken_for == prediction.to_dict()["taken_for"] == words


NAN = np.where(np.eye(28) > 0, np.nan, 0.5)


@pytest.mark.parametrize(
    ("preprocessing", "source", "words"),
    [
        (GREY, np.zeros((0, 28), np.uint8), "no pixels"),
        (GREY, np.zeros((28, 0), np.uint8), "no pixels"),
        (COLOUR, np.zeros((28, 0, 3), np.uint8), "no pixels"),
        (COLOUR, torch.zeros(3, 0, 28), "no pixels"),
        (GREY, np.zeros((2, 0, 28), np.uint8), "no pixels"),
        (GREY, Image.new("L", (0, 5)), "no pixels"),
        (GREY, NAN, r"outside of \[0, 1\]"),
        (GREY, torch.from_numpy(NAN).bfloat16(), r"outside of \[0, 1\]"),
        (GREY, np.full((28, 28), np.inf), r"outside of \[0, 1\]"),
        (GREY, np.full((28, 28), 1.5), r"outside of \[0, 1\]"),
        (GREY, np.full((28, 28), -0.1), r"outside of \[0, 1\]"),
        (GREY, np.full((28, 28), 128.0), r"outside of \[0, 1\]"),
        (GREY, np.zeros((28, 28), np.int64), "of uint8, or of floats"),
        (GREY, torch.zeros(28, 28, dtype=torch.int32), "of uint8, or of floats"),
        (GREY, np.zeros((28, 28), np.uint16), "of uint8, or of floats"),
        (GREY, np.zeros((28, 28), bool), "of uint8, or of floats"),
        (GREY, np.zeros((28, 28), complex), "of uint8, or of floats"),
        (GREY, np.zeros((28, 28), object), "of uint8, or of floats"),
        (GREY, np.full((28, 28), "x"), "of uint8, or of floats"),
        (GREY, np.zeros((3, 28, 28), np.uint8), "one picture in colour or three grey ones"),
        (GREY, torch.zeros(3, 28, 28), "one picture in colour or three grey ones"),
        (COLOUR, np.zeros((3, 5, 3), np.uint8), "channels first or last"),
        (COLOUR, np.zeros((2, 3, 5, 3), np.uint8), "channels first or last"),
        (GREY, np.zeros((1, 5, 1), np.uint8), "channels first or last"),
        (GREY, np.zeros(28, np.uint8), "a picture is"),
        (GREY, np.array(7, np.uint8), "a picture is"),
        (GREY, np.zeros((2, 28, 28, 5), np.uint8), "a picture is"),
        (GREY, np.zeros((2, 2, 1, 28, 28), np.uint8), "a picture is"),
        (GREY, b"", "empty file"),
        (GREY, b"nothing", "not a picture"),
        (GREY, file_of(pixels())[:200], "truncated|damaged"),
        (GREY, io.BytesIO(b"nothing"), "not a picture"),
        (GREY, [object()], "object is no picture"),
        (GREY, [7], "int is no picture"),
        (GREY, "nowhere.png", "no such file"),
        (GREY, ".", "a folder, not a picture"),
        (ONE, np.zeros(0), r"a signal is \(length,\)"),
        (TWO, np.zeros((2, 0)), r"a signal is \(length,\) or \(2, length\)"),
        (TWO, np.zeros((3, 30)), r"the shape is \(3, 30\), and the network reads \(2, length\)"),
        (TWO, np.zeros(30), r"the shape is \(1, 30\)"),
        (TWO, np.zeros((5, 3, 30)), r"the shape is \(3, 30\)"),
        (TWO, np.zeros((5, 5, 2, 30)), "a signal is"),
        (ONE, np.array(3.0), "a signal is"),
        (ONE, np.array([1, 2, np.inf]), "infinite"),
        (ONE, np.full(9, np.nan), "every sample is missing"),
        (ONE, np.ma.masked_all(9), "every sample is missing"),
        (TINY, np.array([3e38, -3e38], np.float32), "too large"),
        (ONE, torch.eye(3).to_sparse(), "a tensor that is no array of numbers"),
        (GREY, torch.zeros(28, 28, device="meta"), "a tensor that is no array of numbers"),
        (ONE, np.array([1, 2, 1e300]), "too large"),
        (ONE, np.array([1, 2j]), "complex"),
        (ONE, [np.array(["a", "b"])], "no signal"),
        (ONE, np.array([1, None, "x"], dtype=object), "no signal"),
        (ONE, [{"a": 1}], "no signal"),
        (ONE, "nowhere.csv", "no file"),
        (SHARES, VOLUMES[:, :, 1:], r"the shape is \(1, 5, 7, 8\), and the network reads \(1, 6, 7, 8\)"),
        (SHARES, np.zeros((2, 6, 7, 8), np.uint8)[None], r"the shape is \(2, 6, 7, 8\)"),
        (SHARES, np.zeros((0, 6, 7, 8), np.uint8)[None], "the shape is"),
        (SHARES, np.zeros(9, np.uint8), "the shape is"),
        (SHARES, np.array(3, np.uint8), "the shape is"),
        (SHARES, np.full((6, 7, 8), 1.5), "not from 0 to 1"),
        (SHARES, np.full((6, 7, 8), -0.5), "not from 0 to 1"),
        (SHARES, np.full((6, 7, 8), np.nan), "missing, infinite"),
        (SHARES, np.zeros((6, 7, 8), np.int16), "unsigned integers or of floats"),
        (SHARES, np.zeros((6, 7, 8), complex), "unsigned integers or of floats"),
        (FLOATS, np.zeros((2, 6, 7, 8), np.uint8), "learned from floats"),
        (FLOATS, np.full((2, 6, 7, 8), 1e300), "beyond 3e38"),
        (SHARES, "nowhere.npz", "no such file|could not be read|not an NPZ file"),
        (SHARES, [object()], "the shape is"),
    ],
)
def test_what_is_no_example_gets_a_reason_and_never_an_answer(preprocessing, source, words):
    reason = refused(source, preprocessing)

    assert re.search(words, reason), reason


def test_what_cannot_be_read_is_left_out_and_the_others_keep_their_places(tmp_path):
    labels = predictor(GREY)
    sources = [GREYS[0], "nowhere.png", GREYS[1], b"nothing", np.zeros((0, 3), np.uint8), GREYS[2]]
    found = labels.predict(sources)
    assert [prediction.error is None for prediction in found] == [True, False, True, False, False, True]
    assert [prediction.input for prediction in found] == ["#0", "nowhere.png", "#2", "#3", "#4", "#5"]
    assert np.array_equal(labels.engine.inputs, GREYS[:3, None])
    with pytest.raises(InputError, match=r"nowhere\.png cannot be read: no such file\."):
        labels.probabilities(sources)
    assert predictor(GREY).predict([]) == [] and predictor(GREY).probabilities([]).shape == (0, 2)


def test_a_stream_takes_sources_as_they_are_needed():
    labels, taken = predictor(GREY), []
    endless = (taken.append(number) or GREYS[number % 5] for number in range(10**9))
    stream = labels.stream(endless, labels.wanted())
    first = [next(stream) for _ in range(3)]
    assert [prediction.input for prediction in first] == ["#0", "#1", "#2"]
    stream.close()
    assert len(taken) < 200 * labels.batch


def test_a_prediction_is_a_row_of_json():
    found = Prediction("a.png", (("x", 0.75), ("y", 0.25)))
    assert (found.label, found.probability) == ("x", 0.75)
    top = [{"label": "x", "probability": 0.75}, {"label": "y", "probability": 0.25}]
    assert found.to_dict() == {"input": "a.png", "label": "x", "probability": 0.75, "top": top}
    assert Prediction("#0", (), "no", "a thing").to_dict() == {"input": "#0", "taken_for": "a thing", "error": "no"}


@pytest.mark.parametrize("top", [1, 2, 5])
def test_labels_come_most_probable_first(top):
    (found,) = predictor(GREY).predict(GREYS[0], top=top)
    values = [probability for _, probability in found.top]
    assert len(values) == min(top, 2) and values == sorted(values, reverse=True)


@pytest.mark.parametrize("top", [0, -1, 1.0, None])
def test_a_number_of_labels_that_is_none_is_a_sentence(top):
    with pytest.raises(InputError, match="top is a whole number from 1"):
        predictor(GREY).predict(GREYS[0], top=top)


def test_masked_samples_are_missing_ones():
    values = np.random.default_rng(0).normal(size=30)
    gaps = np.where(np.arange(30) % 7 == 3, np.nan, values)
    masked = np.ma.masked_invalid(gaps)
    assert masked.data[3] != 0
    np.testing.assert_array_equal(read(masked, ONE)[0], read(gaps, ONE)[0])
    np.testing.assert_array_equal(read(np.ma.asarray(values), ONE)[0], read(values, ONE)[0])


def test_a_network_that_answers_for_other_classes_is_refused():
    labels = Predictor(Seen(), ("a", "b", "c"), GREY)
    with pytest.raises(InputError, match="tells 2 classes apart, and 3 are named"):
        labels.predict(GREYS[0])


def test_nothing_to_load_is_a_sentence():
    with pytest.raises(InputError, match="Name what to load: a run, a weights file"):
        load()
    assert googlenet.Predictor is Predictor


def test_the_public_interface_of_a_predictor():
    labels = predictor(COLOUR)
    assert labels.classes == ("a", "b") and labels.preprocessing is COLOUR and labels.engine.name == "seen"
    assert {"predict", "stream", "probabilities"} <= set(dir(labels))
