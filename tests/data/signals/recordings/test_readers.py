"""Every format gives the samples, rate, names and marks that its own library wrote; a damaged file gives a sentence."""

import wave

import numpy as np
import pytest

from googlenet import InputError
from googlenet.data.signals.recordings.annotations import read_annotations
from googlenet.data.signals.recordings.readers.formats import EXTENSIONS, open_recording, open_recordings
from googlenet.data.signals.recordings.recording import Mark
from googlenet.data.signals.tables.schema import TableColumns

edfio = pytest.importorskip("edfio")
h5py = pytest.importorskip("h5py")
soundfile = pytest.importorskip("soundfile")
wfdb = pytest.importorskip("wfdb")
DRAWS = np.random.default_rng(0)
VALUES = DRAWS.uniform(-0.9, 0.9, (2, 1000))


def write_wav(path, values, rate=100, width=2):
    scaled = np.round(values.T * 2 ** (8 * width - 1)).astype(np.int64)
    raw = b"".join(int(value).to_bytes(width, "little", signed=True) for value in scaled.ravel())
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(values))
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(raw)
    return path


@pytest.mark.parametrize("width", [2, 3, 4])
def test_wav_is_what_soundfile_reads(tmp_path, width):
    path = write_wav(tmp_path / "a.wav", VALUES, width=width)
    found = open_recording(path)
    assert (found.channels, found.rate, found.length) == (("1 of 2", "2 of 2"), 100.0, 1000)
    np.testing.assert_allclose(found.read(10, 900), soundfile.read(path)[0].T[:, 10:900], atol=1e-9)


@pytest.mark.parametrize(("name", "subtype"), [("a.flac", "PCM_16"), ("a.wav", "FLOAT"), ("a.wav", "PCM_U8")])
def test_other_audio(tmp_path, name, subtype):
    soundfile.write(tmp_path / name, VALUES.T, 100, subtype=subtype)
    found = open_recording(tmp_path / name)
    np.testing.assert_allclose(found.read(7, 500), soundfile.read(tmp_path / name)[0].T[:, 7:500], atol=1e-9)


def write_edf(path, values, rates=(100, 100), marks=()):
    signals = [
        edfio.EdfSignal(row, rate, label=name, physical_range=(-1, 1))
        for row, rate, name in zip(values, rates, ("EEG", "EOG"), strict=True)
    ]
    edfio.Edf(signals, annotations=[edfio.EdfAnnotation(*mark) for mark in marks]).write(path)
    return path


def test_edf_with_annotations(tmp_path):
    path = write_edf(tmp_path / "a.edf", VALUES, marks=[(0, 3, "wake"), (3, 7, "sleep"), (5, None, "lights")])
    found = open_recording(path)
    assert (found.channels, found.rate, found.length) == (("EEG", "EOG"), 100.0, 1000)
    assert found.marks == (Mark(0, 3, "wake"), Mark(3, 10, "sleep"), Mark(5, 5, "lights"))
    np.testing.assert_allclose(found.read(250, 777), VALUES[:, 250:777], atol=2 / 65535)


def test_a_slow_channel_of_edf_is_drawn_out(tmp_path):
    slow = np.linspace(-0.5, 0.5, 100)
    found = open_recording(write_edf(tmp_path / "a.edf", (VALUES[0], slow), rates=(100, 10)))
    expected = np.interp(np.arange(1000) / 10, np.arange(100), slow)
    np.testing.assert_allclose(found.read(0, 1000)[1], expected, atol=1e-4)
    np.testing.assert_array_equal(found.read(0, 1000)[:, 313:640], found.read(313, 640))
    assert "EOG of a lower rate" in found.remarks[0]


def write_wfdb(folder, name="r", beats="NNVN", fs=100):
    samples = np.arange(len(beats)) * 200 + 150
    wfdb.wrsamp(
        name,
        fs=fs,
        units=["mV"] * 2,
        sig_name=["MLII", "V5"],
        p_signal=VALUES.T,
        fmt=["16", "16"],
        write_dir=str(folder),
    )
    wfdb.wrann(
        name,
        "atr",
        np.array([5, *samples]),
        symbol=["+", *beats],
        aux_note=["(AFIB", *[""] * len(beats)],
        write_dir=str(folder),
        fs=fs,
    )
    return folder / f"{name}.hea"


def test_wfdb_with_beats(tmp_path):
    found = open_recording(write_wfdb(tmp_path))
    assert (found.channels, found.rate, found.length) == (("MLII", "V5"), 100.0, 1000)
    assert [(mark.start, mark.label) for mark in found.marks] == [(1.5, "N"), (3.5, "N"), (5.5, "V"), (7.5, "N")]
    np.testing.assert_allclose(found.read(100, 300), VALUES[:, 100:300], atol=1e-3)


def test_wfdb_with_rhythms_alone(tmp_path):
    found = open_recording(write_wfdb(tmp_path, beats=""))
    assert found.marks == (Mark(0.05, 10.0, "AFIB"),)


def test_matlab_and_hdf5_and_npy(tmp_path):
    from scipy.io import savemat

    savemat(tmp_path / "a.mat", {"data": VALUES, "fs": 100.0, "channels": ["x", "y"]})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("group/signal", data=VALUES.T).attrs["sampling_rate"] = 100
    np.save(tmp_path / "a.npy", VALUES)
    for name in ("a.mat", "a.h5", "a.npy"):
        found = open_recording(tmp_path / name, 100.0)
        assert (found.rate, found.length) == (100.0, 1000), name
        np.testing.assert_array_equal(found.read(20, 90), VALUES[:, 20:90])
    assert open_recording(tmp_path / "a.mat").channels == ("x", "y")
    with pytest.raises(InputError, match="does not say its sampling rate"):
        open_recording(tmp_path / "a.npy")


@pytest.mark.parametrize("shape", [(20, 30), (20, 400)])
def test_labelled_signals_of_matlab_are_no_recording(tmp_path, shape):
    from scipy.io import savemat

    savemat(tmp_path / "a.mat", {"X": DRAWS.normal(size=shape), "y": np.arange(20)})
    with pytest.raises(InputError, match="NPZ"):
        open_recording(tmp_path / "a.mat", 100.0)


def long_table(ids="", step=0.02, column="time", unit=1.0):
    rows = [f"{'session,' if ids else ''}{column},ax,ay,activity"]
    for name in ids or " ":
        for at in range(100):
            label = "walk" if at < 50 else "run"
            rows.append(f"{name + ',' if ids else ''}{at * step * unit:.6g},{at},{-at},{label}")
    return "\n".join(rows) + "\n"


def test_a_long_table(tmp_path):
    (tmp_path / "a.csv").write_text(long_table())
    (found,) = open_recordings(tmp_path / "a.csv")
    assert (found.channels, found.rate, found.length) == (("ax", "ay"), 50.0, 100)
    assert found.marks == (Mark(0, 1, "walk"), Mark(1, 2, "run"))
    np.testing.assert_array_equal(found.read(3, 6), [[3, 4, 5], [-3, -4, -5]])


def test_a_long_table_of_sessions_and_its_group(tmp_path):
    (tmp_path / "a.csv").write_text(long_table(ids="AB"))
    found = open_recordings(tmp_path / "a.csv", said=TableColumns(group="session"))
    assert [each.path.name for each in found] == ["a.csv:A", "a.csv:B"]
    assert [each.group for each in found] == ["A", "B"]
    assert [each.length for each in found] == [100, 100]


def test_a_long_table_without_labels_has_no_marks(tmp_path):
    (tmp_path / "a.csv").write_text(long_table().replace(",activity", ",note"))
    (found,) = open_recordings(tmp_path / "a.csv")
    assert found.marks == () and found.channels == ("ax", "ay") and "note left out" in found.remarks[0]


def test_parquet_is_read_as_text_is(tmp_path):
    pandas = pytest.importorskip("pandas")
    (tmp_path / "a.csv").write_text(long_table(ids="AB"))
    pandas.read_csv(tmp_path / "a.csv").to_parquet(tmp_path / "a.parquet")
    for ours, theirs in zip(open_recordings(tmp_path / "a.csv"), open_recordings(tmp_path / "a.parquet"), strict=True):
        assert (ours.channels, ours.rate, ours.marks) == (theirs.channels, theirs.rate, theirs.marks)
        np.testing.assert_array_equal(ours.read(0, 100), theirs.read(0, 100))


def test_times_say_the_rate_or_are_asked_for(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(long_table(column="time_ms", unit=1000))
    assert open_recordings(path)[0].rate == 50
    path.write_text(long_table(step=1))
    with pytest.raises(InputError, match="may be seconds, milliseconds or samples"):
        open_recordings(path)
    assert open_recordings(path, 250.0)[0].rate == 250
    path.write_text(long_table().replace("0.2,10,", "9.2,10,"))
    with pytest.raises(InputError, match="one rate and no gap"):
        open_recordings(path)


def test_a_cell_that_is_no_number_is_named(tmp_path):
    (tmp_path / "a.csv").write_text(long_table().replace("0.2,10,", "0.2,ERR,"))
    with pytest.raises(InputError, match="row 12, column 'ax' holds 'ERR'"):
        open_recordings(tmp_path / "a.csv")


DAMAGED = {
    "a.edf": b"0       " + b" " * 248,
    "b.hea": b"100 2 360 650000\n100.dat 212 200 11 1024 995 -22131 0 MLII\n",
    "a.h5": b"\x89HDF\r\n\x1a\n",
    "a.wav": b"RIFF....WAVE",
    "b.wav": b"",
    "a.flac": b"fLaC123",
    "a.mat": b"MATLAB",
    "a.npy": b"\x93NUMPY",
    "a.bdf": b"\xffBIOSEMI" + b" " * 300,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_sentences(tmp_path, name):
    (tmp_path / name).write_bytes(DAMAGED[name])
    with pytest.raises(InputError, match=rf"{name}.*\.$"):
        open_recording(tmp_path / name, 100.0)


@pytest.mark.parametrize("write", [write_edf, write_wav])
def test_a_file_that_is_cut_short_is_noticed(tmp_path, write):
    path = write(tmp_path / f"a.{write.__name__.split('_')[1]}", VALUES)
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(InputError, match="cut short"):
        open_recording(path)


def test_samples_of_wfdb_that_are_cut_short_or_missing(tmp_path):
    path = write_wfdb(tmp_path)
    data = tmp_path / "r.dat"
    data.write_bytes(data.read_bytes()[:2000])
    with pytest.raises(InputError):
        open_recording(path)
    data.unlink()
    with pytest.raises(InputError, match=r"r\.dat could not be read"):
        open_recording(path)


def test_every_extension_is_tested_here():
    assert {*EXTENSIONS} == {".wav", ".flac", ".edf", ".bdf", ".hea", ".mat", ".h5", ".hdf5"}


def test_what_is_said_of_the_columns_of_a_long_table_holds(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(long_table().replace("0.2,10,", "0.2,ERR,"))
    (found,) = open_recordings(path, said=TableColumns(missing=("err",)))
    assert np.isnan(found.read(10, 11)[0, 0]) and found.channels == ("ax", "ay")
    path.write_text(long_table())
    (found,) = open_recordings(path, said=TableColumns(ignore=("ay",)))
    assert found.channels == ("ax",) and "ay left out" in found.remarks[0]
    with pytest.raises(InputError, match="--ignore: There is no column 'none'"):
        open_recordings(path, said=TableColumns(ignore=("none",)))
    path.write_text(long_table(column="t_skin"))  # begins as times are called, beside one that is called so
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]},time", *(f"{line},{at / 25}" for at, line in enumerate(lines[1:]))]) + "\n")
    assert open_recordings(path)[0].rate == 25
    assert open_recordings(path, said=TableColumns(time="t_skin"))[0].rate == 50


def test_columns_of_ids_name_a_recording_together(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{who},{part},{at / 50},{at}" for who in "AB" for part in "12" for at in range(20)]
    path.write_text("\n".join(["subject,session,time,x", *rows]) + "\n")
    assert [each.path.name for each in open_recordings(path)] == ["a.csv:A 1", "a.csv:A 2", "a.csv:B 1", "a.csv:B 2"]
    grouped = open_recordings(path, said=TableColumns(group="subject"))
    assert [each.group for each in grouped] == ["A", "A", "B", "B"]
    with pytest.raises(InputError, match="is of group '2' here and of '1' before"):
        open_recordings(path, 50.0, TableColumns(id="subject", group="session", ignore=("time",)))


@pytest.mark.parametrize(
    ("column", "unit", "rate"), [("time_min", 1 / 60, 50), ("time (h)", 1 / 3600, 50), ("time (us)", 1e6, 50)]
)
def test_units_of_times_are_known(tmp_path, column, unit, rate):
    rows = [f"{at / rate * unit:.9g},{at}" for at in range(100)]
    (tmp_path / "a.csv").write_text("\n".join([f"{column},x", *rows]) + "\n")
    assert open_recordings(tmp_path / "a.csv")[0].rate == pytest.approx(rate, rel=1e-6)


def test_dates_are_in_seconds_whatever_the_name_of_their_column_ends_in(tmp_path):
    rows = [f"2024-05-01 10:00:{at // 250:02}.{at % 250 * 4:03},{at}" for at in range(500)]
    (tmp_path / "a.csv").write_text("\n".join(["datetime_ms,x", *rows]) + "\n")
    (found,) = open_recordings(tmp_path / "a.csv")
    assert found.rate == 250 and str(found.began) == "2024-05-01 10:00:00"


def dated_table(tmp_path, zone, date="2024-05-01 10:00:"):
    rows = [f"{date}{at // 50:02}.{at % 50 * 2:02}{zone},{at}" for at in range(500)]
    (tmp_path / "a.csv").write_text("\n".join(["time,x", *rows]) + "\n")
    return open_recordings(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("", "2024-05-01 10:00:04"),
        ("", "2024-05-01T10:00:04.0"),
        ("", "01.05.2024 10:00:04"),
        ("Z", "2024-05-01T10:00:04Z"),
        ("Z", "2024-05-01T12:00:04+02:00"),
        ("+02:00", "2024-05-01T08:00:04Z"),
        ("-0530", "2024-05-01 10:00:04-05:30"),
    ],
)
def test_marks_at_a_date_lie_where_their_clock_says(tmp_path, zone, moment):
    found = dated_table(tmp_path, zone)
    (tmp_path / "m.csv").write_text(f"start,duration,label\n{moment},2,x\n")
    assert read_annotations(tmp_path / "m.csv", found).marks[tmp_path / "a.csv"] == [Mark(4, 6, "x")]


@pytest.mark.parametrize(
    ("zone", "moment"), [("", "2024-05-01 10:00:04Z"), ("", "2024-05-01T10:00:04+00:00"), ("Z", "2024-05-01 10:00:04")]
)
def test_marks_of_another_clock_lie_nowhere(tmp_path, zone, moment):
    found = dated_table(tmp_path, zone)
    (tmp_path / "m.csv").write_text(f"start,duration,label\n{moment},2,x\n")
    with pytest.raises(InputError, match=r"row 2: of 2024.* one names its time zone and one does not; write the mark"):
        read_annotations(tmp_path / "m.csv", found)


def test_times_of_a_recording_are_of_one_clock(tmp_path):
    dated_table(tmp_path, "Z")
    text = (tmp_path / "a.csv").read_text()
    (tmp_path / "a.csv").write_text(text.replace("09.98Z", "09.98"))
    with pytest.raises(InputError, match="row 501: its time is '2024-05-01 10:00:09.98', which names no time zone"):
        open_recordings(tmp_path / "a.csv")


def test_a_rate_is_rounded_no_further_than_its_times_are(tmp_path):
    for true, digits, rate in ((99.95, 3, 99.95), (360, 3, 360), (128, 6, 128)):
        rows = [f"{at / true:.{digits}f},{at}" for at in range(20_000)]
        (tmp_path / "a.csv").write_text("\n".join(["time,x", *rows]) + "\n")
        assert open_recordings(tmp_path / "a.csv")[0].rate == pytest.approx(rate, rel=2e-5)


@pytest.mark.parametrize("first", [0, 55, 1.7e9])
def test_marks_may_be_in_a_tables_own_times_or_from_its_beginning(tmp_path, first):
    rows = [f"{first + at / 50:.2f},{at}" for at in range(500)]
    (tmp_path / "a.csv").write_text("\n".join(["time,x", *rows]) + "\n")
    found = open_recordings(tmp_path / "a.csv")
    assert found[0].first == pytest.approx(first)
    for begin in {0, first}:
        (tmp_path / "m.csv").write_text(f"start,end,label\n{begin + 1},{begin + 2.5},x\n{begin + 4},,y\n")
        said = read_annotations(tmp_path / "m.csv", found)
        marks = [(mark.start, mark.end, mark.label) for mark in said.marks[tmp_path / "a.csv"]]
        assert [label for *_, label in marks] == ["x", "y"]
        assert [moment for *moments, _ in marks for moment in moments] == pytest.approx([1, 2.5, 4, 4], abs=1e-6)
        assert any("are its own, which begin at" in note for note in said.notes) == (begin > 0)
    (tmp_path / "m.csv").write_text(f"start,end,label\n{first + 30},{first + 31},x\n")
    with pytest.raises(InputError, match="is outside"):
        read_annotations(tmp_path / "m.csv", found)


def test_a_duration_counts_where_an_end_is_missing(tmp_path):
    (tmp_path / "a.csv").write_text(long_table())
    (tmp_path / "m.csv").write_text("start,end,duration,label\n0.1,0.5,,x\n1,,0.5,y\n")
    said = read_annotations(tmp_path / "m.csv", open_recordings(tmp_path / "a.csv"))
    assert said.marks[tmp_path / "a.csv"][1] == Mark(1, 1.5, "y")
    (tmp_path / "m.csv").write_text("\n")
    with pytest.raises(InputError):
        read_annotations(tmp_path / "m.csv", open_recordings(tmp_path / "a.csv"))


def test_marks_that_predict_wrote_are_read_as_they_were(tmp_path):
    (tmp_path / "a.csv").write_text(long_table())
    (tmp_path / "m.csv").write_text("start,end,label\n0,0.5,'-low\n0.5,1,'+high\n1,1.5,'tis\n")
    marks = read_annotations(tmp_path / "m.csv", open_recordings(tmp_path / "a.csv")).marks[tmp_path / "a.csv"]
    assert [mark.label for mark in marks] == ["-low", "+high", "'tis"]


def test_marks_in_samples_count_from_the_beginning_whatever_the_times_are(tmp_path):
    rows = [f"{5 + at / 50:.2f},{at}" for at in range(5000)]
    (tmp_path / "a.csv").write_text("\n".join(["time,x", *rows]) + "\n")
    (tmp_path / "m.csv").write_text("start_sample,end_sample,label\n500,600,x\n")
    said = read_annotations(tmp_path / "m.csv", open_recordings(tmp_path / "a.csv"))
    assert said.marks[tmp_path / "a.csv"] == [Mark(10, 12, "x")] and not said.notes


def test_what_numbers_every_row_names_no_recording(tmp_path):
    rows = [f"A,{at},{at / 50},{at}" for at in range(100)]
    (tmp_path / "a.csv").write_text("\n".join(["subject,record_id,time,x", *rows]) + "\n")
    (found,) = open_recordings(tmp_path / "a.csv")
    assert found.path.name == "a.csv:A" and found.channels == ("x",) and "record_id left out" in found.remarks[0]


@pytest.mark.parametrize(("step", "given", "rate"), [(1 / 60, 1.0, 60), (0.02, 25.0, 50), (0.5, 2000.0, 2000)])
def test_a_rate_to_bring_recordings_to_is_no_unit_of_their_times(tmp_path, step, given, rate):
    """Half a millisecond is one, where 2,000 Hz are named and the column does not say its unit."""
    rows = [f"{at * step:.9f},{at}" for at in range(100)]
    (tmp_path / "a.csv").write_text("\n".join(["time,x", *rows]) + "\n")
    assert open_recordings(tmp_path / "a.csv", given)[0].rate == pytest.approx(rate)


def test_names_that_occur_twice_are_none(tmp_path):
    from scipy.io import savemat

    named = {"x": DRAWS.normal(size=(2, 4000)), "names": np.array(["a", "a", "b"], object), "fs": 100.0}
    savemat(tmp_path / "a.mat", named)
    assert len(open_recording(tmp_path / "a.mat").channels) == 2


def test_an_array_has_its_own_rate_and_others_are_said(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["ecg"], file["imu"], file["meta/fs"] = np.zeros(6000), np.zeros(1500), 10.0
        file["ecg"].attrs["fs"], file["imu"].attrs["fs"] = 100, 25
    found = open_recording(tmp_path / "a.h5")
    assert (
        found.rate == 100 and found.seconds == 60 and "ecg is read, the largest array; imu left out" in found.remarks[0]
    )
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["ecg"].attrs["fs"]
    assert open_recording(tmp_path / "a.h5").rate == 10


def test_labels_and_sessions_stay_as_they_are_written_beside_decimal_commas(tmp_path):
    rows = [f"{s};{at / 20:.2f};{at + 0.5};{at // 20 % 2}".replace(".", ",") for s in ("1", "01") for at in range(100)]
    (tmp_path / "a.csv").write_text("\n".join(["session;time;x;label", *rows]) + "\n")
    found = open_recordings(tmp_path / "a.csv")
    assert [each.path.name for each in found] == ["a.csv:1", "a.csv:01"]
    assert [mark.label for mark in found[0].marks] == ["0", "1", "0", "1", "0"]
    assert found[0].rate == 20 and found[0].read(0, 3).tolist() == [[0.5, 1.5, 2.5]]


def test_a_second_label_and_a_second_clock_are_no_channels(tmp_path):
    rows = [f"{at / 20:.2f},{at + 7},{at},{at % 3},{'ab'[at // 50 % 2]},{at // 50 % 2}" for at in range(200)]
    (tmp_path / "a.csv").write_text("\n".join(["time,timestamp,frame,x,activity,label", *rows]) + "\n")
    (found,) = open_recordings(tmp_path / "a.csv")
    assert found.channels == ("x",) and found.rate == 20 and {mark.label for mark in found.marks} == {"a", "b"}
    assert "timestamp, frame, label left out" in found.remarks[0]


def test_channels_are_called_as_their_file_calls_them(tmp_path):
    """By the texts of an attribute or an array, not by the number of channels; names that do not fit are said."""
    from scipy.io import savemat

    cells = np.array(["x", "y"], object)
    savemat(tmp_path / "a.mat", {"fs": 100.0, "channels": 2, "ch_names": cells, "data": VALUES})
    assert open_recording(tmp_path / "a.mat").channels == ("x", "y")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", data=VALUES).attrs["channels"] = 2
        file.attrs["fs"] = 100.0
        file.create_dataset("ch_names", data=["x", "y"])
    assert open_recording(tmp_path / "a.h5").channels == ("x", "y")
    with h5py.File(tmp_path / "b.h5", "w") as file:  # as MATLAB keeps a cell array: a text is an array of letters
        file.create_dataset("data", data=VALUES.T)
        file["fs"] = np.full((1, 1), 100.0)
        letters = [
            file.create_dataset(f"#refs#/{name}", data=np.array([[ord(each)] for each in name], np.uint16))
            for name in ("left", "right")
        ]
        file.create_dataset("ch_names", data=[[each.ref for each in letters]], dtype=h5py.ref_dtype)
    assert open_recording(tmp_path / "b.h5").channels == ("left", "right")
    with h5py.File(tmp_path / "b.h5", "a") as file:
        del file["ch_names"]
        file.create_dataset("ch_names", data=["left", "right", "rear"])
    found = open_recording(tmp_path / "b.h5")
    assert found.channels == ("1 of 2", "2 of 2")
    assert "ch_names holds left, right, rear, no name for each of 2 channels: they are numbered" in found.remarks[0]


@pytest.mark.parametrize(
    "facts", [{"freq": 50.0, "fs": 100.0}, {"fs": 100.0, "freq": 50.0}, {"rate": 100, "fs": 100.0}]
)
def test_a_frequency_is_a_rate_where_nothing_else_is(tmp_path, facts):
    from scipy.io import savemat

    savemat(tmp_path / "a.mat", {**facts, "data": VALUES})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", data=VALUES)
        file.attrs.update(facts)
    for name in ("a.mat", "a.h5"):
        assert (open_recording(tmp_path / name).rate, open_recording(tmp_path / name).remarks) == (100, ())
    savemat(tmp_path / "b.mat", {"freq": 50.0, "data": VALUES})
    assert open_recording(tmp_path / "b.mat", 250).rate == 250
    alone = open_recording(tmp_path / "b.mat")
    assert alone.rate == 50 and "freq 50 is taken for the sampling rate; if it is not: --rate" in alone.remarks[0]
    savemat(tmp_path / "c.mat", {"fs": 100.0, "sample_rate": 250.0, "data": VALUES})
    with pytest.raises(InputError, match="says fs 100 and sample_rate 250, and a recording has one rate"):
        open_recording(tmp_path / "c.mat")


@pytest.mark.parametrize("name", ["Subject ID", "subjectID", "device_id", "animal", "run", "file_name", "trial_no"])
def test_recordings_are_told_apart_by_whatever_names_them(tmp_path, name):
    rows = [f"{each},{at / 50},{DRAWS.normal():.3f},{'ab'[at // 50]}" for each in (3, 7, 12) for at in range(100)]
    (tmp_path / "a.csv").write_text("\n".join([f"{name},time,x,label", *rows]) + "\n")
    found = list(open_recordings(tmp_path / "a.csv"))
    assert [str(each.path).rpartition(":")[2] for each in found] == ["3", "7", "12"]
    assert {each.channels for each in found} == {("x",)}


@pytest.mark.parametrize("name", ["device_temp", "signal", "run_speed", "unit"])
def test_a_channel_is_no_name_of_a_recording(tmp_path, name):
    rows = [f"{at / 50},{DRAWS.integers(20, 90)},{'ab'[at // 50]}" for at in range(100)]
    (tmp_path / "a.csv").write_text("\n".join([f"time,{name},label", *rows]) + "\n")
    (found,) = open_recordings(tmp_path / "a.csv")
    assert found.channels == (name,)


def timed(tmp_path, times):
    rows = [f"{moment:.6f},{DRAWS.normal():.3f}" for moment in times]
    (tmp_path / "a.csv").write_text("\n".join(["time,x", *rows]) + "\n")
    (found,) = open_recordings(tmp_path / "a.csv")
    return found


def test_a_recording_whose_rate_changes_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"rises by 0.01 a row up to (60|59.99), then by 0.014\d*; a recording has one rate"
    ):
        timed(tmp_path, [*(np.arange(6000) / 100), *(60 + np.arange(4200) / 70)])
    drifting = np.cumsum(1 / np.linspace(98, 102, 6000))
    found = timed(tmp_path, drifting)
    assert found.rate == pytest.approx(100, rel=0.001) and "which they leave by up to 0.3" in " ".join(found.remarks)
    jitter = np.arange(6000) / 100 + DRAWS.uniform(-0.002, 0.002, 6000)
    assert "leave" not in " ".join(timed(tmp_path, jitter).remarks)


def marks_of(tmp_path, text, rate=1.0, length=5000, name="m.csv"):
    (tmp_path / name).write_text(text)
    np.save(tmp_path / "r.npy", DRAWS.normal(size=(1, length)))
    found = open_recording(tmp_path / "r.npy", rate)
    return tuple(read_annotations(tmp_path / name, [found]).marks[found.path])


@pytest.mark.parametrize(
    ("header", "row"),
    [("start_ms,duration,label", "10000,2000,a"), ("start_ms,end,label", "10000,12000,a"),
     ("onset_sample,duration,label", "100,20,a"), ("start,duration_ms,label", "10,2000,a"),
     ("sample,end,label", "100,20,a")],
)  # fmt: skip
def test_times_of_marks_say_their_units_all_or_none(tmp_path, header, row):
    with pytest.raises(InputError, match=r"says its unit, and '\w+' does not. Write it into its name, such as \w+_s"):
        marks_of(tmp_path, f"{header}\n{row}\n")


def test_times_of_marks_in_units_that_are_said(tmp_path):
    wanted = (Mark(10.0, 12.0, "a"),)
    for text in (
        "start_ms,duration_ms,label\n10000,2000,a\n",
        "start_ms,duration_s,label\n10000,2,a\n",
        "start,duration_s,label\n10,2,a\n",
        "onset,duration,sample,trial_type,label\n10,2,10,x,a\n",  # as of BIDS, in seconds
    ):
        assert marks_of(tmp_path, text) == wanted


def test_marks_between_thousands_are_not_taken_for_decimal_ones(tmp_path):
    with pytest.raises(InputError, match=r"holds the time '1,200', which may be a thousand and more, or one and a bit"):
        marks_of(tmp_path, "start\tend\tlabel\n1,200\t2,400\ta\n", name="m.tsv")
    assert marks_of(tmp_path, "start;end;label\n1200,5;2400,25;a\n") == (Mark(1200.5, 2400.25, "a"),)
    assert marks_of(tmp_path, "start;end;label\n1.200,5;2.400,25;a\n") == (Mark(1200.5, 2400.25, "a"),)
