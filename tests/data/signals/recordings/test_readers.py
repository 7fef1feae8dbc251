"""Every format gives the samples, rate, names and marks that its own library wrote; a damaged file gives a sentence."""

import wave

import numpy as np
import pytest

from googlenet import InputError
from googlenet.data.signals.recordings.readers.formats import EXTENSIONS, open_recording
from googlenet.data.signals.recordings.recording import Mark

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
