"""Long tables: which columns are channels, times, labels and names of recordings, and what their times say."""

import numpy as np
import pytest
from long_tables import dated_table, long_table

from googlenet import InputError
from googlenet.data.signals.recordings.readers.formats import open_recordings
from googlenet.data.signals.recordings.recording import Mark
from googlenet.data.signals.tables.schema import TableColumns

DRAWS = np.random.default_rng(0)


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
