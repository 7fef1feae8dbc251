"""Units of channels: what is known of them by hand, and files that say theirs in another."""

from pathlib import Path

import numpy as np
import pytest

from googlenet import InputError
from googlenet.data.find import Columns
from googlenet.data.signals.recordings import stream
from googlenet.data.signals.recordings.annotations import Annotations
from googlenet.data.signals.recordings.readers.formats import open_recording
from googlenet.data.signals.recordings.recording import Recording
from googlenet.data.signals.recordings.units import in_units
from googlenet.data.signals.recordings.windows import Cut, Windows, windows_for

VALUES = np.arange(24.0).reshape(2, 12) - 7


def recording(units, channels=("a", "b")):
    return Recording(Path("r.edf"), channels, 10.0, 12, lambda start, stop: VALUES[:, start:stop], units=units)


def windows(units, channels=("a", "b")):
    return Windows(10.0, channels, 8, 4, units=units)


@pytest.mark.parametrize(
    ("own", "wanted", "factor"),
    [
        ("mV", "uV", 1e3),
        ("uV", "mV", 1e-3),
        ("µV", "V", 1e-6),
        ("V", "μV", 1e6),
        ("kPa", "Pa", 1e3),
        ("nT", "uT", 1e-3),
        ("µV", "uV", 1),
        ("mg", "g", 1e-3),
        ("degC", "degC", 1),
        ("", "uV", 1),
        ("mV", "", 1),
    ],
)
def test_numbers_are_brought_to_the_unit_that_was_learned_in(own, wanted, factor):
    found = in_units(recording((own, "mV")), windows((wanted, "mV")))
    np.testing.assert_allclose(found.read(2, 9)[0], VALUES[0, 2:9] * factor, rtol=1e-12)
    np.testing.assert_array_equal(found.read(2, 9)[1], VALUES[1, 2:9])
    assert [f"a is brought from {own} to {wanted}." in remark for remark in found.remarks] == [True] * (factor != 1)


def test_units_go_with_their_channels_by_name():
    found = in_units(recording(("uV", "mV"), ("b", "a")), windows(("uV", "uV")))
    np.testing.assert_allclose(found.read(0, 12), VALUES * [[1.0], [1e3]])


@pytest.mark.parametrize(("own", "wanted"), [("mV", "mmHg"), ("degC", "K"), ("V", "A"), ("counts", "uV")])
def test_other_quantities_are_refused_by_name(own, wanted):
    with pytest.raises(InputError, match=f"channel 'b' is in '{own}', and '{wanted}' is read here"):
        in_units(recording(("mV", own)), windows(("mV", wanted)))


def test_units_are_kept_and_windows_without_them_are_read():
    kept = windows(("mV", ""))
    assert Windows.from_dict(kept.to_dict()) == kept
    old = kept.to_dict()
    del old["units"]
    assert Windows.from_dict(old).units == ()


def test_edf_and_wfdb_in_thousandths_are_the_same_windows(tmp_path):
    edfio, wfdb = pytest.importorskip("edfio"), pytest.importorskip("wfdb")
    wave = np.sin(np.arange(400) / 5)
    for name, unit, factor in (("mV", "mV", 1), ("uV", "uV", 1e3)):
        signal = edfio.EdfSignal(
            wave * factor, 100, label="ecg", physical_dimension=unit, physical_range=(-factor, factor)
        )
        edfio.Edf([signal]).write(tmp_path / f"{name}.edf")
        wfdb.wrsamp(name, 100, [unit], ["ecg"], wave[:, None] * factor, fmt=["16"], write_dir=str(tmp_path))
    for kind in (".edf", ".hea"):
        assert open_recording(tmp_path / f"uV{kind}").units == ("uV",)
        learned = Windows(100.0, ("ecg",), 100, 100, units=("mV",))
        for name in ("mV", "uV"):
            found = np.concatenate([each.content for each in stream.examples(tmp_path / f"{name}{kind}", learned)], 1)
            np.testing.assert_allclose(found[0], wave, atol=2e-3)


def cut(recordings):
    return windows_for(recordings, Columns(cut=Cut(window="8samples")), Annotations())


def test_units_are_those_of_the_first_recording_that_says_one():
    many = [recording(units) for units in ((), ("mV", ""), ("uV", "g"))]
    found, notes = cut(many)
    assert found.units == ("mV", "g")
    assert any("1 recording without units, taken for those of the others" in note for note in notes)
    np.testing.assert_allclose(in_units(many[2], found).read(0, 12)[0], VALUES[0] / 1000)
    assert cut([recording(()), recording(("", ""))])[0].units == ()


def test_recordings_without_a_channel_that_all_have_are_refused():
    many = [recording((), channels) for channels in (("a", "b"), ("a", "c"), ("b", "c"))]
    assert cut(many[:2])[0].channels == ("a",)
    with pytest.raises(InputError, match="No channel is in every recording: r.edf has a, b"):
        cut(many)
