"""Tables that may be read in two ways are asked about; each was read in the wrong one without a word."""

import json
import warnings

import numpy as np
import pytest

from conftest import same_signals, write
from googlenet import InputError
from googlenet.data.signals.files import examples_of, read_file, read_signals
from googlenet.data.signals.tables.schema import Schema, TableColumns

RANDOM = np.random.default_rng(0)
LABELS = ("slow", "fast")


def lines(path, header, rows, mark=","):
    return write(path, "a.csv", "\n".join(mark.join(map(str, row)) for row in [header, *rows]) + "\n")


def long_rows(blank=False, signals=6, length=12):
    """Rows of id, time, two channels and a label; with ``blank`` ids stand in the first row of each alone."""
    for signal in range(signals):
        for at in range(length):
            name = "" if blank and at else f"rec{signal}"
            yield name, at / 100, *RANDOM.normal(size=2).round(3), LABELS[signal % 2]


def test_merged_ids_are_to_be_filled_down(tmp_path):
    header = ["id", "time", "ax", "ay", "label"]
    for labelled in (True, False):
        path = lines(tmp_path, header, long_rows(blank=True))
        with pytest.raises(InputError, match=r"'id' is empty in 66 of 72 rows, the first is row 3: merged cells"):
            read_signals(path, labelled=labelled)
    rows = [*long_rows(), ("", "", "", "", "")]  # a line below the table
    assert len(read_signals(lines(tmp_path, header, rows)).signals) == 6


def test_a_label_in_the_first_row_alone_is_to_be_filled_down(tmp_path):
    rows = [(*row[:4], row[4] if row[1] == 0 else "") for row in long_rows()]
    with pytest.raises(InputError, match="Merged cells. Fill them down"):
        read_signals(lines(tmp_path, ["id", "time", "ax", "ay", "label"], rows))


@pytest.mark.parametrize("name", ["channel", "EXG Channel ", "ch"])
@pytest.mark.parametrize("clock", [["time"], ["Timestamp"], []])
def test_samples_of_numbered_channels_are_no_signals(tmp_path, name, clock):
    rows = [(*([at / 200] * len(clock)), *RANDOM.normal(size=8).round(3), LABELS[at // 30 % 2]) for at in range(120)]
    path = lines(tmp_path, [*clock, *(f"{name}{at}" for at in range(1, 9)), "class"], rows)
    with pytest.raises(InputError, match=r"a row looks like one sample of the channels .*--id.*--window 2s"):
        read_signals(path)
    if clock:
        assert len(read_file(path, TableColumns(ignore=tuple(clock))).signals) == 120


@pytest.mark.parametrize("identity", ["epoch", "id"])
def test_short_epochs_of_many_channels_are_asked_about(tmp_path, identity):
    rows = [(e, at / 100, *RANDOM.normal(size=32).round(3), LABELS[e % 2]) for e in range(20) for at in range(15)]
    path = lines(tmp_path, [identity, "time", *(f"EEG{at}" for at in range(1, 33)), "label"], rows)
    with pytest.raises(InputError, match="If a row is a signal, say --ignore time; if it is a sample, --id"):
        read_signals(path)
    read = read_file(path, TableColumns(id=identity, time="time"))
    assert {signal.shape for signal in read.signals} == {(32, 15)}


def test_an_index_that_pandas_wrote_is_no_sample(tmp_path):
    values = RANDOM.normal(size=(20, 12)).round(3)
    rows = [("" if at == 0 else at - 1, *value, at % 2) for at, value in enumerate(values)]
    table = read_signals(lines(tmp_path, rows[0], rows[1:]))
    same_signals(table.signals, [[value.tolist()] for value in values])
    assert "counts the rows" in table.notes[0]


def test_dots_between_thousands_are_asked_about(tmp_path):
    rows = [("slow", "3.111", "3.297", 749), ("fast", "1.260", 591, "1.176")]
    with pytest.raises(InputError, match=r"row 2, column 2 holds '3.111': its dot may be.* Write 3.1110 or 3111"):
        read_signals(lines(tmp_path, ["label", "v0", "v1", "v2"], rows, ";"))
    rows[0] = ("slow", "3.111", "0.297", 749)
    assert read_signals(lines(tmp_path, ["label", "v0", "v1", "v2"], rows, ";")).signals[0][0, 0] == 3.111


@pytest.mark.parametrize("written", ["-999", "-999.0"])
@pytest.mark.parametrize("header", [["label", "v0", "v1", "v2"], None])
def test_numbers_may_say_that_a_value_is_missing(tmp_path, written, header):
    rows = [("slow", 0.5, written, 1), ("fast", 1, 2, 3), ("slow", 4, 5, 6)]
    path = lines(tmp_path, header or rows[0], rows if header else rows[1:])
    table = read_file(path, TableColumns(missing=("-999",)))
    same_signals(table.signals[:1], [[0.5, np.nan, 1]])


def test_a_signal_for_a_header_is_refused(tmp_path):
    header = [0.3, 0.4, 0.8, "1.0", "1.0.1", 0.9, "0.8.1", 0.2, -0.1, -0.5, -0.8, -1.1, "slow"]
    rows = [(*RANDOM.normal(size=12).round(3), LABELS[at % 2]) for at in range(8)]
    with pytest.raises(InputError, match="holds numbers in no order. If it is a signal, say --no-header"):
        read_signals(lines(tmp_path, header, rows), target="slow")


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([f"{(22 + at) % 24:02}:00" for at in range(10)], "pass midnight"),
        ([f"t-{9 - at}" for at in range(10)], "count down"),
    ],
)
def test_an_order_that_is_not_that_of_the_numbers_is_refused(tmp_path, names, why):
    rows = [(*RANDOM.normal(size=10).round(3), LABELS[at % 2]) for at in range(8)]
    with pytest.raises(InputError, match=f"{why}.*Rename them in their order"):
        read_signals(lines(tmp_path, [*names, "label"], rows))


def test_a_channel_that_rises_is_asked_about(tmp_path):
    rows, random = [], np.random.default_rng(0)  # of its own: one step of nothing, and it does not rise
    for name in range(6):
        charge = (0.01 + random.exponential(size=12)).cumsum().round(3)
        rows += [(name, charge[at], round(random.normal(), 3), LABELS[name % 2]) for at in range(12)]
    path = lines(tmp_path, ["id", "charge", "ax", "label"], rows)
    with pytest.raises(InputError, match="'charge' rises in unequal steps within each 'id': times, or a channel"):
        read_signals(path)
    read = read_file(path, TableColumns(id="id", time="charge")).schema
    assert (read.time, read.channels[0].columns) == ("charge", ("ax",))


@pytest.mark.parametrize(
    "labels", [["0.5", "0.25", "0.125", "0.75", "0.1", "0.2"], ["1", "2", "1", "2", "2", "1"], [""] * 6]
)
def test_a_cell_more_than_the_samples_is_the_label_only_if_it_can_be_one(tmp_path, labels):
    """Of rows without a header, of which the network learned with the label first."""
    draws = np.random.default_rng(0)
    values = draws.normal(size=(6, 12)).round(4).tolist()

    def write(name, first):
        rows = [",".join(map(str, [*start, *row])) for start, row in zip(first, values, strict=True)]
        (tmp_path / name).write_text("\n".join(rows) + "\n")
        return tmp_path / name

    schema = read_file(write("learned.csv", [[label] for label in "121221"])).schema
    more = write("more.csv", [[label] for label in labels])
    if "0.5" in labels:
        with pytest.raises(InputError, match="cannot be told which cell is the label. Remove the labels"):
            list(examples_of(more, schema))
    else:
        found = [example.content[0].tolist() for example in examples_of(more, schema)]
        assert found == values


def long_table(folder, name, step, start=0.0, skip=()):
    """Six signals of two channels, a row a sample, ``step`` apart; without the samples that are skipped."""
    draws = np.random.default_rng(0)
    rows = [
        (f"r{signal}", f"{start + step * at:.6g}", *draws.normal(size=2).round(3), LABELS[signal % 2])
        for signal in range(6)
        for at in range(20)
        if (signal, at) not in skip
    ]
    return write(
        folder, name, "\n".join(",".join(map(str, row)) for row in [("id", "t", "x", "y", "kind"), *rows]) + "\n"
    )


@pytest.mark.parametrize(
    ("step", "said"), [(0.1, False), (0.11, False), (100, True), (0.0001, True), (0.01, True), (0.2, True), (1, True)]
)
def test_samples_of_another_rate_are_said(tmp_path, step, said):
    schema = read_file(long_table(tmp_path, "learned.csv", 0.1)).schema
    assert schema.step == pytest.approx(0.1) and Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(list(examples_of(long_table(tmp_path, "more.csv", step, start=7), schema))) == 6
    notes = " ".join(str(warning.message) for warning in caught)
    assert ("another rate, or unit of time?" in notes) == said
    older = Schema.from_dict({key: value for key, value in schema.to_dict().items() if key != "step"})
    assert older.step == 0 and len(list(examples_of(tmp_path / "more.csv", older))) == 6


def test_a_leap_in_time_is_said(tmp_path):
    assert not any("leap" in note for note in read_file(long_table(tmp_path, "a.csv", 0.1, skip=[(2, 7)])).notes)
    notes = read_file(long_table(tmp_path, "b.csv", 0.1, skip=[(2, at) for at in range(7, 12)])).notes
    assert any(
        "1 of 6 signals leap in column 't', such as 'r2': what is behind a gap is joined" in note for note in notes
    )


@pytest.mark.parametrize("word", ["NA", "", "null"])
def test_a_table_whose_first_time_is_missing_is_read(tmp_path, word):
    path = long_table(tmp_path, "a.csv", 0.1)
    path.write_text(path.read_text().replace("r0,0,", f"r0,{word},", 1))
    found = read_file(path)
    assert len(found.signals) == 5 and list(found.bad) == [0]


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@pytest.mark.parametrize(
    "names",
    [
        [f"{year}-{month:02}" for year in (2020, 2021, 2022) for month in range(1, 13)],
        [f"{month} {year}" for year in (2020, 2021, 2022) for month in MONTHS],
        [f"{year}Q{quarter}" for year in range(2012, 2021) for quarter in (1, 2, 3, 4)],
        [f"Q{quarter} {year}" for year in range(2012, 2021) for quarter in (1, 2, 3, 4)],
        [f"{year}M{month:02}" for year in (2020, 2021, 2022) for month in range(1, 13)],
        [f"2020/{month:02}/{day:02}" for month in (1, 2, 3) for day in range(1, 29)],
        [f"{month:02}/01/{year}" for year in (2020, 2021, 2022) for month in range(1, 13)],
        [f"08:{minute:02}:{second:02}.5" for minute in range(3) for second in range(0, 60, 5)],
        [f"{hour}h{minute:02}" for hour in range(4) for minute in (0, 15, 30, 45)],
        [f"{minute}m{second:02}s" for minute in range(3) for second in range(0, 60, 10)],
        [f"t_{at // 10},{at % 10}" for at in range(30)],
        [f"{at // 10},{at % 10}" for at in range(30)],
    ],
)
def test_parts_of_times_are_no_channels(tmp_path, names):
    rows = [";".join(["ab"[row % 2], *map(str, range(row, row + len(names)))]) for row in range(6)]
    (tmp_path / "t.csv").write_text("\n".join([";".join(["label", *names]), *rows]) + "\n")
    with pytest.raises(InputError):
        read_file(tmp_path / "t.csv")


@pytest.mark.parametrize("form", ["{}_{}", "x{} t{}", "{}m_{}x", "acc{}_t{}", "sepal{} v{}"])
def test_channels_may_be_numbered(tmp_path, form):
    names = [form.format(channel, at) for channel in (1, 2, 3) for at in range(12)]
    rows = [",".join(["ab"[row % 2], *map(str, range(row, row + len(names)))]) for row in range(6)]
    (tmp_path / "t.csv").write_text("\n".join([",".join(["label", *names]), *rows]) + "\n")
    assert read_file(tmp_path / "t.csv").signals[0].shape == (3, 12)
