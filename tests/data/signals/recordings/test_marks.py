"""Tables of marks: when each begins and ends, in which unit, and by which clock."""

import numpy as np
import pytest
from long_tables import dated_table, long_table

from googlenet import InputError
from googlenet.data.signals.recordings.annotations import read_annotations
from googlenet.data.signals.recordings.readers.formats import open_recording, open_recordings
from googlenet.data.signals.recordings.recording import Mark

DRAWS = np.random.default_rng(0)


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
