"""Rates, windows and labels: stretches are the whole, and arithmetic by hand."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from googlenet import InputError
from googlenet.data.signals.recordings import resample
from googlenet.data.signals.recordings.annotations import read_annotations
from googlenet.data.signals.recordings.labels import around_moments, by_majority
from googlenet.data.signals.recordings.recording import Mark, Recording
from googlenet.data.signals.recordings.resample import ratio
from googlenet.data.signals.recordings.stream import cut
from googlenet.data.signals.recordings.windows import Cut, Windows, samples_of

DRAWS = np.random.default_rng(0)


def recording(values, rate=100.0, path="a.wav", channels=("a", "b")):
    return Recording(Path(path), channels, rate, values.shape[1], lambda start, stop: values[:, start:stop])


@pytest.mark.parametrize(("source", "target"), [(360, 250), (250, 360), (256, 100), (44100, 8000), (128.5, 100)])
def test_stretches_become_what_the_whole_becomes(monkeypatch, source, target):
    values = DRAWS.normal(size=(2, 30_011)) + 5
    monkeypatch.setattr(resample, "BLOCK", 3000)
    blocks = list(resample.resampled(recording(values, float(source)), float(target), ("b", "a")))
    assert len(blocks) > 1
    found = np.concatenate(blocks, axis=1)
    up, down = resample.ratio(source, target)
    expected = resample_poly(values[::-1], up, down, axis=1, padtype="edge")
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert found.shape[1] == resample.length_at(recording(values, float(source)), float(target))


def test_what_a_lower_rate_cannot_carry_is_removed():
    time = np.arange(5000) / 500
    values = np.stack([np.sin(2 * np.pi * 5 * time), np.sin(2 * np.pi * 140 * time)])
    found = np.concatenate(list(resample.resampled(recording(values, 500.0), 100.0, ("a", "b"))), axis=1)
    low, high = found[:, 100:-100].std(1)
    assert abs(low - np.sqrt(0.5)) < 0.01 and high < 0.01


def test_missing_values_stay_missing_at_another_rate():
    values = DRAWS.normal(size=(2, 1000))
    values[0, 300:400] = np.nan
    found = np.concatenate(list(resample.resampled(recording(values, 100.0), 50.0, ("a", "b"))), axis=1)
    assert np.isnan(found[0, 151:199]).all() and np.isfinite(found[0, :149]).all() and np.isfinite(found[1]).all()


def test_windows_are_the_same_however_samples_come():
    values = np.arange(2000.0).reshape(2, 1000)
    for sizes in (1, 7, 300, 1000):
        blocks = [values[:, at : at + sizes] for at in range(0, 1000, sizes)]
        for window, hop in ((100, 30), (50, 50), (20, 90)):
            starts = list(range(0, 1000 - window + 1, hop))
            found = list(cut(blocks, iter(starts), window))
            assert len(found) == len(starts)
            for start, signal in zip(starts, found, strict=True):
                np.testing.assert_array_equal(signal, values[:, start : start + window])


def test_the_label_of_a_window_is_what_covers_most_of_it():
    windows = Windows(10.0, ("a",), 20, 10)
    marks = [Mark(0, 4, "x"), Mark(4, 5.5, "y"), Mark(7.9, 10, "x")]
    starts = np.arange(0, 81, 10)
    expected = {}
    for start in starts:
        shares = dict.fromkeys("xy", 0.0)
        for mark in marks:
            shares[mark.label] += max(0, min(mark.end * 10, start + 20) - max(mark.start * 10, start))
        best = max(shares.values())
        if best >= 10 and list(shares.values()).count(best) == 1:
            expected[int(start)] = max(shares, key=shares.get)
    found = by_majority(marks, windows, 100)
    assert dict(zip(found.starts.tolist(), found.labels, strict=True)) == expected
    assert found.unlabelled + found.torn + len(expected) == len(starts)


@pytest.mark.parametrize(
    "twice", [[Mark(0, 0.4, "x")] * 2, [Mark(0, 0.3, "x"), Mark(0.1, 0.4, "x"), Mark(0.2, 0.3, "x")]]
)
def test_marks_of_one_label_that_overlap_cover_once(twice):
    """Of two who scored the same recording, or of rows that occur twice."""
    windows = Windows(10.0, ("a",), 10, 10)
    assert by_majority([*twice, Mark(0.4, 1, "y")], windows, 10).labels == ["y"]
    assert by_majority(twice, windows, 10).unlabelled == 1


def test_a_window_that_two_labels_share_alike_has_none():
    windows = Windows(10.0, ("a",), 20, 20)
    found = by_majority([Mark(0, 1, "x"), Mark(1, 2, "y"), Mark(2, 4, "y")], windows, 40)
    assert (found.starts.tolist(), found.labels, found.torn) == ([20], ["y"], 1)


def test_moments_are_in_the_middle_of_their_windows():
    windows = Windows(10.0, ("a",), 20, 20, centred=True)
    found = around_moments([Mark(0.5, 0.5, "x"), Mark(5, 5, "y"), Mark(9.5, 9.5, "z")], windows, 100)
    assert (found.starts.tolist(), found.labels, found.outside) == ([40], ["y"], 2)


@pytest.mark.parametrize(
    ("text", "samples"), [("2s", 500), ("500ms", 125), ("0.5 s", 125), ("1min", 15000), ("64samples", 64), ("64", 64)]
)
def test_lengths_of_time(text, samples):
    assert samples_of(text, "--window", 250.0) == samples


@pytest.mark.parametrize("text", ["", "s", "2 hours", "-1s", "2.5", "1e3s"])
def test_what_is_no_length_of_time(text):
    with pytest.raises(InputError, match="--window"):
        samples_of(text, "--window", 250.0)


def test_what_a_user_asks_is_checked():
    with pytest.raises(InputError, match="Seconds are written 2s"):
        Cut(window="2").sizes(250.0)
    with pytest.raises(InputError, match="less than a sample"):
        Cut(window="2s", hop="1ms").sizes(250.0)
    with pytest.raises(InputError, match="say how long one is"):
        Cut(hop="1s").sizes(250.0)


RECORDINGS = [recording(np.zeros((2, 1000)), path=f"x/{name}.wav") for name in ("r1", "r2")]


def annotated(tmp_path, text, recordings=RECORDINGS, **columns):
    path = tmp_path / "marks.csv"
    path.write_text(text)
    return read_annotations(path, recordings, **columns)


@pytest.mark.parametrize(
    "text",
    [
        "file,start,end,label\nr1.wav,1,2,a\nr2.wav,0,10,b\n",
        "label;stop;onset;recording\na;2;1;r1\nb;10;0;x/r2\n",
        "path\tbegin (ms)\tduration (ms)\tclass\nx/r1.wav\t1000\t1000\ta\nr2\t0\t10000\tb\n",
        "record,start_sample,end_sample,symbol\nr1,100,200,a\nr2,0,1000,b\n",
        "file,start,end,label\nr1.wav,0:01,0:02,a\nr2.wav,0:00:00,00:00:10.0,b\n",
        "r1.wav,1,2,a\nr2.wav,0,10,b\n",
    ],
)
def test_tables_of_annotations(tmp_path, text):
    found = annotated(tmp_path, text)
    assert {path.stem: marks for path, marks in found.marks.items()} == {
        "r1": [Mark(1, 2, "a")],
        "r2": [Mark(0, 10, "b")],
    }


def test_groups_and_labels_by_name_and_rows_without_a_label(tmp_path):
    text = "file,start,end,kind,label,patient\nr1,0,1,x,a,p\nr1,1,2,,b,p\nr2,0,11,y,b,q\n"
    found = annotated(tmp_path, text, target="kind", group="patient")
    assert [mark.label for marks in found.marks.values() for mark in marks] == ["x", "y"]
    assert {path.stem: group for path, group in found.groups.items()} == {"r1": "p", "r2": "q"}
    assert len(found.notes) == 2 and found.marks[RECORDINGS[1].path][0].end == 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,start,end,label\nr1,3,2,a\n", "row 2: it ends at 2 s, before it begins at 3 s"),
        ("file,start,end,label\nr1,1,2,a\nr1,12,13,a\n", "row 3: 12 s is outside x/r1.wav, which has 10 s"),
        ("file,start,end,label\nr1,-1,2,a\n", "row 2: -1 s is outside"),
        ("file,start,end,label\nr3,1,2,a\n", "there is no recording 'r3'. There is: r1.wav, r2.wav"),
        ("file,start,end,label\nr1,one,2,a\n", "'one' is no time"),
        ("file,start,end,label\nr1,2020-01-01 00:00:01,2,a\n", "does not say when it began"),
        ("file,start,end,label\nr1,1,a\n", "has 3 cells"),
        ("start,end,label\n1,2,a\n", "no column that names the file"),
        ("file,end,label\nr1,2,a\n", "no column for the start"),
        ("file,start,end\nr1,1,2\n", "no column for the label"),
        ("1,2\n3,4\n", "has no header"),
        ("", "is empty"),
    ],
)
def test_wrong_annotations_are_sentences(tmp_path, text, said):
    with pytest.raises(InputError) as raised:
        annotated(tmp_path, text)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("source", "target", "wanted"),
    [
        (1 / 900, 1 / 1800, (1, 2)),
        (1 / 1200, 1 / 1800, (2, 3)),
        (1 / 3600, 1 / 3600, (1, 1)),
        (0.3, 50, (500, 3)),
        (360, 250, (25, 36)),
        (5e-324, 5e-324, (1, 1)),
    ],
)
def test_low_rates_are_exact(source, target, wanted):
    assert ratio(source, target) == wanted
