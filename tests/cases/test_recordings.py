"""Recordings on the command line: from files as they come off the device to stretches with labels."""

import csv
import io
import json
import re
import wave
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from conftest import run_here
from googlenet import InputError
from googlenet.data.find import Columns, find_data
from googlenet.data.kinds import preprocessing_from
from googlenet.data.signals.recordings.windows import Cut
from googlenet.data.splits import with_held_out
from googlenet.training.recipe import find_recipe

pytestmark = pytest.mark.usefixtures("short")
SHORT = ["--arch", "short_1d", "--width", "0.25", "--members", "1", "--epochs", "3", "--batch-size", "16"]
RATE, SECONDS = 50, 40


def tones(seed, seconds=SECONDS, rate=RATE):
    """Two channels in which 4 seconds of 3 Hz ("slow") and of 11 Hz ("fast") follow each other, and the marks."""
    draws = np.random.default_rng(seed)
    time = np.arange(seconds * rate) / rate
    values = draws.normal(size=(2, len(time))) * 0.02
    marks = []
    for start in range(0, seconds, 4):
        fast = bool((start // 4 + seed) % 2)
        part = slice(start * rate, (start + 4) * rate)
        values[:, part] += 0.4 * np.sin(2 * np.pi * (11 if fast else 3) * time[part])
        marks.append((start, start + 4, "fast" if fast else "slow"))
    return values, marks


def write_wav(path, values, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(values))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((values.T * 32767).clip(-32768, 32767).astype("<i2").tobytes())


def draw(root, count=6, rate=RATE):
    """A folder of WAV files and a table of annotations beside it."""
    rows = []
    for number in range(count):
        values, marks = tones(number, rate=rate)
        write_wav(root / "recs" / f"r{number}.wav", values, rate)
        rows += [(f"r{number}.wav", *mark, f"p{number // 2}") for mark in marks]
    annotate(root, rows)
    return root


def annotate(root, rows, header=("file", "start", "end", "label", "patient")):
    with (root / "marks.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return root / "marks.csv"


def found(root, source="recs", target=None, group=None, **cut):
    cut = {"annotations": str(root / "marks.csv"), "window": "2s", **cut}
    return find_data(str(root / source), columns=Columns(target=target, group=group, cut=Cut(**cut)))


@pytest.fixture(scope="module")
def learned(tmp_path_factory, short):
    root = draw(tmp_path_factory.mktemp("recordings"))
    words = ["--annotations", root / "marks.csv", "--window", "2s", "--hop", "1s"]
    result = run_here("train", root / "recs", *words, *SHORT, "--out", root / "run")
    assert result.returncode == 0, result.stderr
    assert "windows of 100 samples (2 s) every 50 samples (1 s), at 50 Hz" in result.stderr
    return root


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def share_right(rows, marks):
    """Of time, by looking every tenth of a second."""
    times = np.arange(0.05, SECONDS, 0.1)
    said = [next((row["label"] for row in rows if float(row["start"]) <= t < float(row["end"])), "") for t in times]
    true = [next(label for start, end, label in marks if start <= t < end) for t in times]
    return np.mean([a == b for a, b in zip(said, true, strict=True)])


def test_a_new_recording_is_labelled_in_stretches(learned):
    values, marks = tones(31)
    write_wav(learned / "new.wav", values)
    result = run_here("predict", learned / "run", learned / "new.wav", "--merge", "--chart", learned / "c.html")
    assert result.returncode == 0, result.stderr
    rows = rows_of(result.stdout)
    assert list(rows[0]) == ["start", "end", "label", "probability", "recording"]
    assert float(rows[0]["start"]) == 0 and float(rows[-1]["end"]) == SECONDS
    assert all(a["end"] == b["start"] for a, b in pairwise(rows))
    assert share_right(rows, marks) > 0.8
    page = (learned / "c.html").read_text()
    assert page.count("<polygon") == 2 and "fast" in page and "http" not in page.replace("http-equiv", "")


def test_windows_are_rows_and_the_library_says_the_same(learned):
    import googlenet

    result = run_here("predict", learned / "run", learned / "recs" / "r0.wav", "--format", "jsonl")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["start"], row["end"]) for row in rows] == [(at, at + 2) for at in range(SECONDS - 1)]
    predictions = googlenet.load(learned / "run").predict(str(learned / "recs" / "r0.wav"))
    assert [row["label"] for row in rows] == [prediction.label for prediction in predictions]
    assert predictions[3].input.endswith("r0.wav 3-5 s")


def test_stretches_that_are_not_probable_enough_have_no_label_and_are_counted(learned):
    words = ["predict", learned / "run", learned / "recs" / "r0.wav"]
    plain = rows_of(run_here(*words).stdout)
    limit = np.mean(sorted(float(row["probability"]) for row in plain)[1:3])  # which are rounded
    result = run_here(*words, "--reject-below", limit)
    for row, before in zip(rows_of(result.stdout), plain, strict=True):
        assert row == before | {"label": "" if float(before["probability"]) < limit else before["label"]}
    assert "no label for 2 windows less probable than" in result.stderr
    assert "no coverage can be promised" in run_here(*words, "--coverage", 0.9).stderr.replace("\n", " ")


def test_other_rates_and_orders_of_channels_are_the_same_recording(learned):
    values, marks = tones(8, rate=150)
    write_wav(learned / "rapid.wav", values, 150)
    result = run_here("predict", learned / "run", learned / "rapid.wav", "--merge")
    assert "150 Hz, brought to 50 Hz" in result.stderr
    assert share_right(rows_of(result.stdout), marks) > 0.8


def test_samples_from_a_pipe(learned):
    values, _ = tones(9)
    lines = "\n".join(f"{a:.5f},{b:.5f}" for a, b in values.T) + "\n"
    piped = run_here("predict", learned / "run", "-", stdin=lines)
    write_wav(learned / "piped.wav", values)
    file = run_here("predict", learned / "run", learned / "piped.wav")
    ours, theirs = rows_of(piped.stdout), rows_of(file.stdout)
    assert [(row["start"], row["label"]) for row in ours] == [(row["start"], row["label"]) for row in theirs]
    with pytest.warns(RuntimeWarning, match="The last 0.3 s of standard input are shorter than a window, and have no"):
        run_here("predict", learned / "run", "-", stdin="\n".join(lines.splitlines()[:115]) + "\n")
    turned = "2 of 2;1 of 2\n" + "\n".join(f"{b:.5f};{a:.5f}" for a, b in values.T)  # names of several words
    assert run_here("predict", learned / "run", "-", stdin=turned).stdout == piped.stdout
    missing = lines.replace(lines.split(",")[0], "", 1)  # the first number of the first row
    assert rows_of(run_here("predict", learned / "run", "-", stdin=missing).stdout)[1:] == ours[1:]
    for bad, said in (
        ("0.1,0.2\n0.3\n", "Row 2 of standard input has 1 numbers"),
        ("0.1,x\n", "Row 1 of standard"),
        ("1,2,\n", "has 3 numbers"),
    ):
        result = run_here("predict", learned / "run", "-", stdin=bad)
        assert result.returncode == 1 and said in result.stderr


def piped(learned, moments, *before, names="time,1 of 2,2 of 2,note"):
    """What is said of samples that come with their times and a note."""
    values, _ = tones(9)
    rows = (f"{moment},{a:.5f},{b:.5f},well" for moment, (a, b) in zip(moments, values.T, strict=False))
    return run_here("predict", learned / "run", "-", stdin="\n".join([*before, names, *rows]) + "\n")


@pytest.mark.parametrize("every", [0.02, 0.0201])
def test_times_of_a_pipe_that_rise_as_the_networks_samples_change_nothing(learned, every):
    values, _ = tones(9)
    bare = run_here("predict", learned / "run", "-", stdin="\n".join(f"{a:.5f},{b:.5f}" for a, b in values.T) + "\n")
    count = values.shape[1]
    began = datetime(2026, 1, 31, 12)
    dates = [str(began + timedelta(seconds=every * at)) for at in range(count)]
    seconds = [f"{5 + every * at:.4f}" for at in range(count)]
    jittered = [f"{every * (at + 0.2 * (at % 2)):.4f}" for at in range(count)]
    for moments in (dates, seconds, jittered):
        assert piped(learned, moments).stdout == bare.stdout != ""
    milliseconds = [f"{1000 * every * at:.1f}" for at in range(count)]
    assert piped(learned, milliseconds, names="t_ms,1 of 2,2 of 2,note").stdout == bare.stdout


@pytest.mark.parametrize(
    ("moments", "said"),
    [
        ([0.01 * at for at in range(300)], "says 100 Hz, and the network reads 50 Hz"),
        ([30.0 * at for at in range(300)], "says 33.33 Hz"),
        ([300.0 * at for at in range(300)], "rises by 300, which 50 Hz does not in any unit"),
        ([0.04 * at for at in range(300)], "says 25 Hz"),
        ([0.02 * at + 3 * (at > 150) for at in range(300)], "goes from 3 to 6.02"),
        (
            [0.02 * (at if at < 150 else 300 - at) for at in range(300)],
            "goes from 3 to 2.98 where a step is 0.02: there is a gap",
        ),
        ([*(0.02 * at for at in range(150)), "soon"], "Row 152 of standard input: 'soon' is no time"),
    ],
)
def test_times_of_a_pipe_that_rise_otherwise_are_refused(learned, moments, said):
    result = piped(learned, moments)
    assert result.returncode == 1 and re.search(said, result.stderr.replace("\n", " ")), result.stderr


def test_columns_of_a_pipe_are_named_once(learned):
    result = piped(learned, range(300), names="1 of 2,1 of 2,2 of 2,note")
    assert result.returncode == 1 and "names '1 of 2' twice" in result.stderr


def test_evaluate_cuts_as_training_did_and_tells_the_recordings_apart(learned):
    words = ("--annotations", learned / "marks.csv", "--all", "--json")
    result = run_here("evaluate", learned / "run", learned / "recs", *words)
    assert result.returncode == 0, result.stderr
    row = json.loads(result.stdout)
    assert row["top1"] > 0.9 and row["learned"]
    by = row["by_group"]
    assert [each["name"].rpartition("/")[2] for each in by] == [f"r{n}.wav" for n in range(6)]
    total = np.sum([each["confusion"] for each in by], axis=0)
    assert total.tolist() == row["confusion"]


def test_what_a_run_keeps(learned):
    row = json.loads((learned / "run" / "run.json").read_text())["preprocessing"]
    assert row["windows"] == {
        "rate": 50.0,
        "channels": ["1 of 2", "2 of 2"],
        "window": 100,
        "hop": 50,
        "centred": False,
        "units": [],
        "time": "",
        "id": "",
        "missing": [],
    }
    assert preprocessing_from(row).to_dict()["windows"]["window"] == 100
    old = {key: value for key, value in row.items() if key != "windows"}
    assert preprocessing_from(old).windows is None


def test_wrong_inputs_of_predict_are_sentences(learned, tmp_path):
    write_wav(tmp_path / "short.wav", tones(0)[0][:, :50])
    write_wav(tmp_path / "mono.wav", tones(0)[0][:1])
    (tmp_path / "cut.wav").write_bytes((learned / "recs" / "r0.wav").read_bytes()[:-500])
    for name, said in (
        ("short.wav", "it is too short"),
        ("mono.wav", "has no channel '1 of 2'"),
        ("cut.wav", "cut short"),
        ("none.wav", "There is no file"),
    ):
        result = run_here("predict", learned / "run", tmp_path / name, learned / "recs" / "r0.wav")
        assert result.returncode == 1 and said in result.stderr, name
        assert len(rows_of(result.stdout)) == SECONDS - 1  # the other file is labelled all the same


# ------------------------------------------------------------------------------------------------- what is found
def test_a_recording_stays_on_one_side(tmp_path):
    data = with_held_out(found(draw(tmp_path)), find_recipe("recordings"))
    sides = [{name.rpartition(":")[0] for name in part.names} for part in (data.train, data.validation)]
    assert sides[0] and sides[1] and not sides[0] & sides[1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_plain_recording_as_spreadsheets_write_it(learned, encoding):
    values, _ = tones(12)
    rows = [(at / RATE, *sample) for at, sample in enumerate(values.T)]
    plain, german = learned / "plain.csv", learned / "german.csv"
    plain.write_text("time,1 of 2,2 of 2\n" + "\n".join(",".join(f"{cell:.5f}" for cell in row) for row in rows))
    lines = [";".join(f"{cell:.5f}".replace(".", ",") for cell in row) for row in rows]
    german.write_text("\r\n".join(["time;1 of 2;2 of 2", *lines]), encoding=encoding)
    found = [rows_of(run_here("predict", learned / "run", each).stdout) for each in (plain, german)]
    assert len(found[0]) == SECONDS - 1
    assert [(row["start"], row["label"]) for row in found[0]] == [(row["start"], row["label"]) for row in found[1]]


@pytest.mark.parametrize(
    ("name", "step", "said"),
    [("time_ms", 40, ""), ("time", 40, "rises by 40, which 50 Hz does not in any unit"), ("time", 20, "")],
)
def test_times_that_rise_by_another_step_are_asked_about(learned, name, step, said):
    values, _ = tones(12, rate=25)
    lines = [",".join(map(str, (at * step, *sample))) for at, sample in enumerate(values.T)]
    (learned / "ms.csv").write_text("\n".join([f"{name},1 of 2,2 of 2", *lines]))
    result = run_here("predict", learned / "run", learned / "ms.csv")
    assert (said in result.stderr) and (result.returncode == 1) == bool(said), result.stderr
    assert (len(rows_of(result.stdout)) > 0) != bool(said)


def test_annotations_as_spreadsheets_write_them(tmp_path):
    draw(tmp_path)
    marks = tmp_path / "marks.csv"
    right = found(tmp_path).train
    header, *rows = [line.split(",") for line in marks.read_text().splitlines()]
    rows = [[file, f"{float(start):.2f}", f"{float(end):.2f}", *rest] for file, start, end, *rest in rows]
    text = "\n".join(",".join(row) for row in (header, *rows))
    decimal = "\r\n".join(";".join([row[0], *(cell.replace(".", ",") for cell in row[1:])]) for row in (header, *rows))
    assert ";4,00;" in decimal
    for content in (decimal.encode("utf-16"), b"# by hand\n" + text.encode(), text.replace(",", "\t").encode()):
        marks.write_bytes(content)
        other = found(tmp_path).train
        assert other.names == right.names and other.labels.tolist() == right.labels.tolist()


def test_a_group_of_annotations_stays_on_one_side(tmp_path):
    data = with_held_out(found(draw(tmp_path, 12), group="patient"), find_recipe("recordings"))
    sides = [{int(name.rpartition("/r")[2].split(".")[0]) // 2 for name in part.names} for part in data.parts.values()]
    assert sides[0] and sides[1] and not sides[0] & sides[1]


def test_one_recording_is_held_out_in_stretches_that_share_no_sample(tmp_path):
    draw(tmp_path, 1)
    values, marks = tones(0, 400)
    write_wav(tmp_path / "recs" / "r0.wav", values)
    annotate(tmp_path, [("r0.wav", *mark, "p") for mark in marks])
    data = with_held_out(found(tmp_path, hop="0.5s"), find_recipe("recordings"))
    assert "cannot be held out whole" in " ".join(data.notes)
    starts = [np.array([float(name.rpartition(":")[2]) for name in part.names]) for part in data.parts.values()]
    assert len(starts[1]) > 10
    assert min(np.abs(starts[0][:, None] - starts[1][None]).ravel()) >= 2


def test_windows_hold_the_samples_that_they_name(tmp_path):
    data = found(draw(tmp_path))
    part = data.train
    values = {f"r{number}.wav": np.round(tones(number)[0] * 32767) / 32768 for number in range(6)}
    for name, signal, label in zip(part.names, part.signals, part.labels.tolist(), strict=True):
        path, _, second = name.rpartition(":")
        start = round(float(second) * RATE)
        number = int(path[-5])
        np.testing.assert_allclose(signal, values[f"r{number}.wav"][:, start : start + 100], atol=1e-4)
        true = next(mark[2] for mark in tones(number)[1] if mark[0] <= float(second) < mark[1])
        assert data.classes[label] == true


def test_rates_that_differ_are_said_and_brought_to_one(tmp_path):
    draw(tmp_path)
    write_wav(tmp_path / "recs" / "r5.wav", tones(5, rate=150)[0], 150)
    data = found(tmp_path)
    assert "5 recordings of 50 Hz, 1 recording of 150 Hz: all are brought to 50 Hz (--rate)." in data.notes
    assert {signal.shape for signal in data.train.signals} == {(2, 100)}
    assert {signal.shape for signal in found(tmp_path, rate=25.0).train.signals} == {(2, 50)}


def test_uneven_classes_are_said_and_weighed(tmp_path):
    draw(tmp_path)
    annotate(tmp_path, [(f"r{n}", 0, 36, "N", "p") for n in range(6)] + [(f"r{n}", 36, 40, "V", "p") for n in range(6)])
    data = found(tmp_path)
    assert "the loss weighs the classes alike" in data.notes[-1]
    assert data.train.recipe == "recordings"


def test_flat_stretches_are_no_copies_of_each_other(tmp_path):
    draw(tmp_path)
    for number in range(6):
        values = tones(number)[0]
        values[:, 400:800] = 0
        write_wav(tmp_path / "recs" / f"r{number}.wav", values)
    data = with_held_out(found(tmp_path), find_recipe("recordings"))
    assert len(data.validation) and not [note for note in data.notes if "by content" in note]


def test_folders_of_short_files_are_whole_signals(tmp_path):
    for number in range(12):
        values, _ = tones(number, 4)
        write_wav(tmp_path / "wavs" / ("fast" if number % 2 else "slow") / f"{number}.wav", values[:1])
    result = run_here("train", tmp_path / "wavs", *SHORT, "--out", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert "Labels are the folders: fast, slow." in result.stderr
    said = run_here("predict", tmp_path / "run", tmp_path / "wavs", "--format", "csv").stdout
    assert [row["input"].rpartition("/")[2] for row in rows_of(said)] == sorted(
        (f"{n}.wav" for n in range(12)), key=lambda name: (int(name[:-4]) % 2 == 0, name)
    )


def test_a_long_table_with_a_label_that_changes(tmp_path):
    lines = ["session,time,ax,ay,activity"]
    for session in range(6):
        values, marks = tones(session)
        for at, (a, b) in enumerate(values.T):
            label = next(name for start, end, name in marks if start <= at / RATE < end)
            lines.append(f"s{session},{at / RATE:.2f},{a:.4f},{b:.4f},{label}")
    (tmp_path / "long.csv").write_text("\n".join(lines))
    data = find_data(str(tmp_path / "long.csv"), columns=Columns(cut=Cut(window="2s")))
    assert data.classes == ("fast", "slow") and len(data.train) == 6 * 20
    assert data.train.windows.channels == ("ax", "ay")
    assert len(set(data.train.groups)) == 6


def test_edf_with_its_own_annotations(tmp_path):
    edfio = pytest.importorskip("edfio")
    for number in range(5):
        values, marks = tones(number)
        signals = [
            edfio.EdfSignal(row, RATE, label=name, physical_range=(-1, 1))
            for row, name in zip(values, "ab", strict=True)
        ]
        if number == 3:
            signals.reverse()
        notes = [edfio.EdfAnnotation(start, end - start, label) for start, end, label in marks]
        edfio.Edf(signals, annotations=notes).write(tmp_path / f"n{number}.edf")
    result = run_here("train", tmp_path, "--window", "2s", *SHORT, "--out", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert "channels a, b" in result.stderr
    _, marks = tones(3)
    said = run_here("predict", tmp_path / "run", tmp_path / "n3.edf").stdout
    assert share_right(rows_of(said), marks) > 0.8


def test_beats_of_wfdb_are_in_the_middle_of_their_windows(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    draws = np.random.default_rng(0)
    for number in range(5):
        values = draws.normal(size=(2000, 1)) * 0.05
        places = np.arange(60, 1940, 80)
        symbols = ["V" if draws.random() < 0.3 else "N" for _ in places]
        for place, symbol in zip(places, symbols, strict=True):
            values[place - 5 : place + 6, 0] += np.hanning(11) * (1 if symbol == "N" else -2)
        wfdb.wrsamp(f"r{number}", 100, ["mV"], ["MLII"], values, fmt=["16"], write_dir=str(tmp_path))
        wfdb.wrann(f"r{number}", "atr", places, symbols, write_dir=str(tmp_path), fs=100)
    result = run_here("train", tmp_path, "--window", "500ms", *SHORT, "--out", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert "around each mark" in result.stderr
    said = run_here("predict", tmp_path / "run", tmp_path / "r4.hea")
    rows = rows_of(said.stdout)
    middles = [(float(row["start"]) + float(row["end"])) / 2 for row in rows]
    np.testing.assert_allclose(middles, places / 100, atol=0.01)
    assert np.mean([row["label"] == symbol for row, symbol in zip(rows, symbols, strict=True)]) > 0.8
    (tmp_path / "r4.atr").unlink()
    said = run_here("predict", tmp_path / "run", tmp_path / "r4.hea")
    assert "has no marks" in said.stderr and len(rows_of(said.stdout)) == 40


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["recs"], "has no labels"),
        (["recs", "--annotations", "nowhere.csv", "--window", "2s"], "no table of annotations nowhere.csv"),
        (["recs", "--annotations", "marks.csv"], "name the length of a window"),
        (["recs", "--annotations", "marks.csv", "--window", "2"], "2 samples at 50 Hz"),
        (["recs", "--annotations", "marks.csv", "--window", "90s"], "has a label"),
        (["recs", "--annotations", "marks.csv", "--window", "two"], "is a length such as 2s"),
        (["recs", "--annotations", "marks.csv", "--window", "2s", "--group", "ward"], "no column 'ward' for --group"),
        (["recs", "--window", "2s", "--group", "patient"], "--group names a column of a table of annotations"),
        (["empty", "--window", "2s"], "holds no recording"),
        (["bad", "--window", "2s"], "x.wav"),
    ],
)
def test_wrong_trainings_are_sentences(tmp_path, words, said):
    draw(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.wav").write_bytes(b"RIFF")
    result = run_here("train", *words, *SHORT, cwd=tmp_path)
    assert result.returncode == 1 and said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_damaged_recording_is_left_out_and_named(tmp_path):
    draw(tmp_path)
    (tmp_path / "recs" / "x.wav").write_bytes((tmp_path / "recs" / "r0.wav").read_bytes()[:-300])
    data = found(tmp_path)
    assert [(file.path.rpartition("/")[2], "cut short" in file.reason) for file in data.bad] == [("x.wav", True)]


def test_channels_that_are_in_no_other_recording_are_a_sentence(tmp_path):
    draw(tmp_path)
    write_wav(tmp_path / "recs" / "r5.wav", tones(5)[0][:1])
    with pytest.raises(InputError, match=r"No channel is in every recording: .*r0.wav has 1 of 2, 2 of 2, and .*mono"):
        found(tmp_path)


def test_merge_is_for_recordings(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "\n".join(["label," + ",".join(f"v{n}" for n in range(10))] + ["a" + ",1,2" * 5, "b" + ",2,1" * 5] * 8)
    )
    assert run_here("train", path, *SHORT, "--out", tmp_path / "run").returncode == 0
    result = run_here("predict", tmp_path / "run", path, "--merge")
    assert result.returncode == 1 and "--merge and --chart are for recordings" in result.stderr


def test_a_recording_of_gaps_is_nothing_to_learn_from(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"time": np.arange(1000) / 50, "a": np.nan, "label": ["x"] * 500 + ["y"] * 500})
    frame.to_csv(tmp_path / "gaps.csv", index=False)
    with pytest.raises(InputError, match="there is nothing to learn from"):
        find_data(str(tmp_path / "gaps.csv"), columns=Columns(cut=Cut(window="2s")))


def test_a_gap_is_a_row_without_a_label(learned, tmp_path):
    values, _ = tones(3)
    lines = [f"{a},{b}" for a, b in values.T]
    lines[500:700] = ["nan,nan"] * 200
    with pytest.warns(RuntimeWarning) as said:
        rows = rows_of(run_here("predict", learned / "run", "-", stdin="\n".join(lines)).stdout)
    assert len(rows) == SECONDS - 1
    assert [row["start"] for row in rows if not row["label"]] == ["10.0", "11.0", "12.0"]
    found = [str(each.message) for each in said]  # once, however long the gap
    assert found == ["Windows of standard input have no label: every sample is missing."]


def test_a_rate_that_is_not_said_is_the_runs_and_that_is_said(learned, tmp_path):
    np.save(tmp_path / "a.npy", tones(3)[0])
    result = run_here("predict", learned / "run", tmp_path / "a.npy")
    assert result.returncode == 0 and "does not say its sampling rate; taken for 50 Hz" in result.stderr


def test_windows_are_not_for_built_in_sets():
    with pytest.raises(InputError, match="gunpoint has none"):
        find_data("gunpoint", columns=Columns(cut=Cut(window="2s")))


def test_pictures_with_a_stray_recording_are_pictures(two_classes):
    write_wav(two_classes / "noise.wav", tones(0)[0])
    (two_classes / "labels.mat").write_bytes(b"MATLAB")
    assert find_data(str(two_classes)).kind == "picture"
