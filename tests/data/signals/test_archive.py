"""The formats of the UCR and UEA archives (.tsv, .txt, .ts, .arff): what is read, and what is said of bad rows."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from conftest import SHARED, same_signals, write
from googlenet import InputError
from googlenet.data.signals.files import find_parts, read_file, read_signals

UCR = SHARED / "data" / "ucr"
NAN = float("nan")


# UCR: rows without a header


@pytest.mark.parametrize("name", ["a.tsv", "a.txt", "a.csv"])
@pytest.mark.parametrize("mark", ["\t", ",", "  ", ";", ", "])
def test_ucr_rows(tmp_path, name, mark):
    rows = [["1", "0.5", "-2", "3e-1"], ["2.0000e+00", "NaN", "1", "nan"], ["-1", "7", "NAN", "9"]]
    path = write(tmp_path, name, "\r\n".join(map(mark.join, rows)) + "\r\n\r\n")
    table = read_signals(path)
    same_signals(table.signals, [[0.5, -2, 0.3], [NAN, 1], [7, NAN, 9]])
    assert table.labels == ("1", "2", "-1")
    assert table.groups is None
    assert table.names == (f"{path}:1", f"{path}:2", f"{path}:3")
    assert table.layout == "rows without a header: the label, then 2 to 3 samples"


def test_ucr_rows_of_unequal_length_and_empty_cells(tmp_path):
    path = write(tmp_path, "a.tsv", "\ufeff1\t1\t\t3\t\t\n\n2\t4\n")
    table = read_signals(path)
    same_signals(table.signals, [[1, NAN, 3], [4]])
    assert table.names == (f"{path}:1", f"{path}:3")
    leading = write(tmp_path, "b.txt", "   1.0e+00  1.0  2.0  \n   2.0e+00  3.0  4.0\n")
    same_signals(read_signals(leading).signals, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("cell", "label"),
    [("1", "1"), ("1.0000e+00", "1"), ("-1.0", "-1"), ("+2", "2"), ("-0", "0"), ("1.5", "1.5"), ("1e400", "1e400"),
     ("12345678901234567890", "12345678901234567890"), ("walk", "walk"), ("'a b'", "a b"), ("1_0", "1_0"),
     ("none", "none")],
)  # fmt: skip
def test_labels_as_text(tmp_path, cell, label):
    assert read_signals(write(tmp_path, "a.tsv", f"{cell}\t3\t1\t2\n{cell}\t1\t3\t2\n")).labels == (label, label)


def test_ucr_for_prediction(tmp_path):
    numbers = read_signals(write(tmp_path, "a.tsv", "1\t5\t6\n2\t8\t9\n"), labelled=False)
    same_signals(numbers.signals, [[1, 5, 6], [2, 8, 9]])
    assert numbers.labels is None
    texts = read_signals(write(tmp_path, "b.tsv", "walk\t6\t5\nrun\t8\t9\n"), labelled=False)
    same_signals(texts.signals, [[6, 5], [8, 9]])
    assert texts.labels == ("walk", "run")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\t2\n2\t3\tabc\n", "row 2, column 3 holds 'abc', which is not a number"),
        ("1\t2\n2\t3\t1_0\n", "row 2, column 3 holds '1_0'"),
        ("1\t2\n2\t3\t" + "x" * 99, "holds 'x{37}...', which"),
        ("1\t2\n2\t3\t-inf\n", "row 2: sample 2 is infinite"),
        ("1\t2\n2\t3\t1e399\n", "row 2: sample 2 is infinite"),
        ("1\t2\n2\tNaN\tNaN\n", "row 2: every sample is missing"),
        ("1\t2\n2\n", "row 2: the signal has no samples"),
        ("1\t2\nNaN\t3\n", "row 2: the label is missing"),
        ("1\t2\n\t3\n", "row 2: the label is missing"),
        (b"1\t2\n\xff\x81\t3\n", "row 2 is not UTF-8 text"),
        (b"PK\x03\x04\x00\x00\x00", "row 1 is not UTF-8 text"),
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("0.5\twalk\t0.1\n0.2\trun\t0.4\n", "'walk' among numbers, is no header"),
    ],
)
def test_bad_ucr_rows(tmp_path, text, message):
    path = write(tmp_path, "a.tsv", text)
    try:
        said = " ".join(bad.reason for bad in read_signals(path).bad.values())  # of the rows that are left out
    except InputError as error:
        said = str(error)
    assert re.search(message, said)
    assert said.startswith(str(path))


# .ts

TS = """#{comment}
% another
@problemName Test
@timeStamps {timed}
@missing false
@univariate {univariate}
{dimensions}@equalLength false
@classLabel {classes}

@data
{data}
"""


def ts(folder, data, timed="false", univariate="false", dimensions="", classes="true a b", comment=""):
    text = TS.format(**locals())
    return write(folder, "a.ts", text.encode("latin-1"))


def test_ts_of_one_channel(tmp_path):
    path = ts(tmp_path, "1,2,?:a\n3,NaN,5:b\n", univariate="true", comment="Schäfer, not in UTF-8")
    table = read_signals(path)
    same_signals(table.signals, [[1, 2], [3, NAN, 5]])
    assert table.labels == ("a", "b")
    assert table.names == (f"{path}:11", f"{path}:12")
    assert table.layout == ".ts file: 1 channel, 2 to 3 samples"


def test_ts_of_channels_that_differ_in_length(tmp_path):
    table = read_signals(ts(tmp_path, "1,2,3:4,5:a\n?,6:7,8:b\n9::a\n", dimensions="@dimensions 2\n"))
    same_signals(table.signals, [[[1, 2, 3], [4, 5, NAN]], [[NAN, 6], [7, 8]], [[9], [NAN]]])


@pytest.mark.parametrize("stamp", ["{}", "2007-01-01 00:0{}:00"])
def test_ts_with_time_stamps(tmp_path, stamp):
    def row(*values):
        return ",".join(f"({stamp.format(at)},{value})" for at, value in enumerate(values))

    table = read_signals(ts(tmp_path, f"{row(1, 2)}:{row(3, '?', 5)}:a\n{row(6)}:{row(7)}:b\n", timed="True"))
    same_signals(table.signals, [[[1, 2, NAN], [3, NAN, 5]], [[6], [7]]])
    assert "time stamps left out" in table.layout


def test_ts_labels(tmp_path):
    path = ts(tmp_path, "1,2:1.0\n3,4:two words\n", classes="true 1 two words")
    assert read_signals(path).labels == ("1", "two words")
    hidden = ts(tmp_path, "1,2:a\n3,4:?\n")
    assert read_signals(hidden, labelled=False).labels is None
    with pytest.raises(InputError, match="row 12: the label is missing"):
        read_signals(hidden)
    without = ts(tmp_path, "1,2\n3,4\n", classes="false")
    assert read_signals(without, target="kind", labelled=False).labels is None
    with pytest.raises(InputError, match="has no labels: @classLabel is not true"):
        read_signals(without)
    with pytest.raises(InputError, match="no column 'kind' for --target"):
        read_signals(without, target="kind")


@pytest.mark.parametrize(
    ("row", "header", "message"),
    [
        ("1:2:a\n3:b", {"dimensions": "@dimensions 2\n"}, "row 13 has 1 dimension and a label, but @dimensions is 2"),
        ("1:2:a\n3:4:5:b", {}, "row 12 has 3 dimensions and a label, but row 11 has 2 dimensions"),
        ("1:2:a", {"univariate": "true"}, "has 2 dimensions and a label, but @univariate is true"),
        ("1:2:a", {"dimensions": "@dimension two\n"}, "@dimension is a number from 1, not 'two'"),
        ("1,2", {}, "row 11 has no label behind a colon"),
        ("1,2:c", {}, "row 11: @classLabel has no class 'c'. There are: a, b"),
        ("1,2:", {}, "row 11: the label is missing"),
        ("1,x:a", {}, "row 11, dimension 1, sample 2 holds 'x'"),
        ("1:2,x:a", {}, "row 11, dimension 2, sample 2 holds 'x'"),
        ("1,2:a", {"timed": "true"}, "row 11, dimension 1: @timeStamps is true"),
        ("(0,1),(1,x):a", {"timed": "true"}, "sample 2 holds 'x'"),
        ("1,inf:a", {}, "row 11: sample 2 is infinite"),
        ("1,2:3,inf:a", {}, "sample 2 of channel 2 is infinite"),
        ("?,?:a", {}, "row 11: every sample is missing"),
        (":a", {}, "row 11: the signal has no samples"),
        ("", {}, "holds no signals"),
        ("1,\x002:a", {}, "row 11 is not UTF-8 text"),
        ("1,2:\xe4", {}, "row 11 is not UTF-8 text"),
    ],
)
def test_bad_ts_rows(tmp_path, row, header, message):
    with pytest.raises(InputError, match=message):
        read_signals(ts(tmp_path, row, **header))


def test_bad_ts_headers(tmp_path):
    with pytest.raises(InputError, match="no @data line, so no data"):
        read_signals(write(tmp_path, "a.ts", "@problemName x\n@classLabel true a\n"))
    with pytest.raises(InputError, match="row 2: there is no @data line before the data"):
        read_signals(write(tmp_path, "a.ts", "@problemName x\n1,2:a\n"))
    with pytest.raises(InputError, match="numbers to predict"):
        read_signals(write(tmp_path, "a.ts", "@targetLabel true\n@data\n1,2:0.5\n"))


def test_times_of_ts_rise_and_are_those_of_every_dimension(tmp_path):
    head = "@problemName x\n@timeStamps true\n@univariate false\n@dimensions 2\n@classLabel true a b\n@data\n"
    good = (
        "(0,1),(1,2),(2,3):(0,4),(1,5):a\n(2020-01-01 00:00:00,1),(2020-01-01 00:00:01,2):(2020-01-01 00:00:00,3):b\n"
    )
    assert [signal.shape for signal in read_signals(write(tmp_path, "a.ts", head + good)).signals] == [(2, 3), (2, 2)]
    for row, said in (
        ("(0,1),(2,3),(1,2):(0,4),(2,5),(1,6):a", "row 7, dimension 1: the times do not rise. Sort the samples"),
        ("(0,1),(1,2),(2,3):(0,4),(2,5),(4,6):a", "row 7, dimension 2 has other times than the first"),
        ("(0,1),(0,2):(0,4),(0,5):a", "do not rise"),
    ):
        with pytest.raises(InputError, match=said):
            read_signals(write(tmp_path, "a.ts", head + row + "\n"))


# .arff

FLAT = "% caf\xe9\n@relation 'Some thing'\n@attribute att0 numeric\n@Attribute 'att 1' REAL\n@attribute att2 integer\n"
RELATIONAL = """@relation x
@attribute relationalAtt relational
 @attribute t0 numeric
 @attribute t1 numeric
@end relationalAtt
@attribute activity {Standing, 'Running fast'}
@data
"""


def arff(folder, text):
    return write(folder, "a.arff", text.encode("latin-1"))


def test_arff_of_one_channel(tmp_path):
    path = arff(tmp_path, FLAT + "@attribute target {1,2.0}\n\n@data\n1,2,3,1\n4,?,6,2\n7,8,?,'1.0'\n")
    table = read_signals(path)
    same_signals(table.signals, [[1, 2, 3], [4, NAN, 6], [7, 8]])
    assert table.labels == ("1", "2", "1")
    assert table.names[0] == f"{path}:9"
    assert read_signals(path, target="target").labels == table.labels
    assert table.layout == "wide table: one signal a row, 2 to 3 samples, labels in column 'target'"


def test_arff_of_several_channels(tmp_path):
    rows = """'1,2\\n3,?',Standing\n"4,5\\n6,7" , 'Running fast'\n'8\\n9,10',"Running fast"\n"""
    table = read_signals(arff(tmp_path, RELATIONAL + rows))
    same_signals(table.signals, [[[1, 2], [3, NAN]], [[4, 5], [6, 7]], [[8, NAN], [9, 10]]])
    assert table.labels == ("Standing", "Running fast", "Running fast")
    assert table.layout == ".arff file: 2 channels, 2 samples"


def test_arff_with_the_class_first_or_in_words(tmp_path):
    head = "@attribute kind {a,'b, c'}\n@attribute t0 numeric\n@attribute t1 numeric\n@data\n"
    table = read_signals(arff(tmp_path, head + "a,1,2\n'b, c',3,4\n"))
    same_signals(table.signals, [[1, 2], [3, 4]])
    assert table.labels == ("a", "b, c")
    assert read_signals(arff(tmp_path, head + "?,1,2\n"), labelled=False).labels is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FLAT + "@attribute y {1,2}\n@data\n1,2,3,3\n", "row 8: attribute 'y' has no class '3'. There are: 1, 2"),
        (FLAT + "@attribute y {1,2}\n@data\n1,2,3,?\n", "row 8: the label is missing"),
        (FLAT + "@attribute y {1,2}\n@data\n1,b,3,1\n", "row 8, column 'att 1' holds 'b'"),
        (FLAT + "@attribute y {1,2}\n@data\n1,2,1\n", "row 8 has 3 values for 4 attributes"),
        (FLAT + "@attribute y {1,2}\n@data\n{0 1, 3 2}\n", "sparse form"),
        (FLAT + "@attribute y {1,2}\n@data\n?,?,?,1\n", "row 8: every sample is missing"),
        (FLAT + "@attribute y {1,2}\n@attribute s string\n@data\n", "no row below the header"),
        (FLAT + "@data\n1,2,3\n", "no column is named label"),
        (FLAT + "1,2,3\n", "row 6: there is no @data line before the data"),
        (FLAT, "no @data line, so no data"),
        (RELATIONAL + "1,2,Standing\n", "row 8: the relational attribute is not a text in quotes"),
        (RELATIONAL + "'1,2\\n3,4'\n", "row 8: the label is missing"),
        (RELATIONAL + "'1,2\\n3,x',Standing\n", "row 8, dimension 2, sample 2 holds 'x'"),
        (RELATIONAL + "'1,2\\n3,4',Standing\n'1,2',Standing\n", "row 9 has 1 dimension, the rows before have 2"),
        (RELATIONAL + "'',Standing\n", "no samples"),
    ],
)
def test_bad_arff(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_signals(arff(tmp_path, text))


def test_arff_target(tmp_path):
    path = arff(tmp_path, FLAT + "@attribute kind {1,2}\n@data\n1,2,3,1\n")
    with pytest.raises(InputError, match="There is no column 'knd'. Did you mean 'kind'"):
        read_signals(path, target="knd")
    assert read_signals(path, target="knd", labelled=False).labels is None
    nested = RELATIONAL.replace("{Standing, 'Running fast'}", "numeric") + "'1,2\\n3,4',1\n"
    with pytest.raises(InputError, match="has activity beside the relational attribute. Keep the class alone."):
        read_signals(arff(tmp_path, nested))
    assert read_signals(arff(tmp_path, nested), target="activity").labels == ("1",)


def test_arff_is_read_by_the_names_of_its_attributes(tmp_path):
    """As a CSV of those columns is: in another order, with a column of numbers more, and by way of the CSV."""
    rows = np.random.default_rng(0).normal(size=(6, 5)).round(3)
    names = [f"att{at}" for at in range(5)]

    def laid(order, more=""):
        head = "".join(f"@attribute {name} numeric\n" for name in (*order, *filter(None, [more])))
        lines = (
            ",".join(
                [*(str(row[names.index(name)]) for name in order), *([str(100 + at)] if more else []), "ab"[at % 2]]
            )
            for at, row in enumerate(rows)
        )
        return arff(tmp_path, "@relation r\n" + head + "@attribute kind {a,b}\n@data\n" + "\n".join(lines) + "\n")

    learned = read_signals(laid(names))
    assert learned.labels == tuple("ababab")
    for order, more in ((names[::-1], ""), (names, "patient"), (["att3", "att0", "att4", "att2", "att1"], "patient")):
        found = read_file(laid(order, more), labelled=False, learned=learned.schema)
        same_signals(found.signals, rows)
        assert found.labels == learned.labels
        assert [name for name, _ in found.schema.ignored] + [found.schema.id] in (
            ["patient", None],
            [None],
            ["patient"],
        )
    text = "\n".join(f"{','.join(map(str, row[::-1]))},{'ab'[at % 2]}" for at, row in enumerate(rows))
    csv = write(tmp_path, "a.csv", ",".join([*names[::-1], "kind"]) + "\n" + text + "\n")
    same_signals(read_file(csv, learned=learned.schema).signals, rows)
    with pytest.raises(InputError, match="has no column att4"):
        read_file(laid(names[:4]), labelled=False, learned=learned.schema)


def test_an_attribute_that_is_called_as_labels_are_is_the_class(tmp_path):
    head = "@attribute sex {m,f}\n@attribute att0 numeric\n@attribute att1 numeric\n@attribute class numeric\n@data\n"
    table = read_signals(arff(tmp_path, head + "m,1,2,0\nf,3,4,0\nm,5,6,1\n"))
    assert table.labels == ("0", "0", "1") and dict(table.schema.ignored)["sex"].startswith("text beside")


# Round trips

values = st.one_of(st.just(NAN), st.floats(-1e6, 1e6, width=32))
label = st.text("abcXYZ-.", min_size=1, max_size=5).filter(lambda text: text.lower() not in ("nan", "na"))


@st.composite
def labelled_signals(draw, max_channels=3):
    channels = draw(st.integers(1, max_channels))
    signals = []
    for _ in range(draw(st.integers(1, 5))):
        signal = draw(arrays.arrays(np.float32, (channels, draw(st.integers(1, 12))), elements=values))
        signal[draw(st.integers(0, channels - 1)), -1] = draw(st.floats(-1e6, 1e6, width=32))  # its end is no padding
        signals.append(signal)
    return signals, draw(st.lists(label, min_size=len(signals), max_size=len(signals)))


def cell(value, missing):
    return missing if np.isnan(value) else repr(float(value))


@settings(deadline=None, max_examples=60)
@given(labelled_signals())
def test_ts_round_trip(tmp_path_factory, drawn):
    signals, labels = drawn
    header = f"@univariate {str(len(signals[0]) == 1).lower()}\n@classLabel true {' '.join(labels)}\n@data\n"
    lines = [
        ":".join([*(",".join(cell(value, "?") for value in channel) for channel in signal), name])
        for signal, name in zip(signals, labels, strict=True)
    ]
    table = read_signals(write(tmp_path_factory.mktemp("ts"), "a.ts", header + "\n".join(lines)))
    same_signals(table.signals, signals)
    assert table.labels == tuple(labels)


@settings(deadline=None, max_examples=60)
@given(labelled_signals(max_channels=1), st.sampled_from("\t, ;"), st.booleans(), st.data())
def test_ucr_round_trip(tmp_path_factory, drawn, mark, padded, data):
    signals = [signal[0] for signal in drawn[0]]
    labels = [str(data.draw(st.integers(-5, 99))) for _ in signals]
    assume(len(labels) < 5 or labels != [str(int(labels[0]) + at) for at in range(len(labels))])  # counts the rows
    longest = max(map(len, signals)) if padded else 0
    lines = [
        mark.join([name, *(cell(value, "NaN") for value in signal), *["NaN"] * (longest - len(signal))])
        for signal, name in zip(signals, labels, strict=True)
    ]
    table = read_signals(write(tmp_path_factory.mktemp("ucr"), "a.txt", "\n".join(lines)))
    same_signals(table.signals, signals)
    assert table.labels == tuple(labels)


# The archive itself


@pytest.mark.skipif(not UCR.is_dir(), reason="needs the UCR sets beside the checkout, in shared/data/ucr")
@pytest.mark.parametrize(
    ("name", "classes", "unequal", "missing"),
    [
        ("GunPoint", 2, False, False),
        ("PLAID", 11, True, False),
        ("PickupGestureWiimoteZ", 10, True, False),
        ("DodgerLoopDay", 7, False, True),
    ],
)
def test_archive(name, classes, unequal, missing):
    for path in find_parts(UCR / name).values():
        lines = path.read_text().splitlines()
        table = read_signals(path)
        assert len(table.signals) == len(table.labels) == len(lines)
        assert len(set(table.labels)) == classes
        assert table.labels == tuple(line.split("\t", 1)[0] for line in lines)
        for signal, line in zip(table.signals, lines, strict=True):
            kept = line.split("\t")[1:]
            while kept[-1] == "NaN":
                kept.pop()
            np.testing.assert_array_equal(signal[0], np.array(kept, np.float64))
        assert (len({signal.shape[1] for signal in table.signals}) > 1) is unequal
        assert any(np.isnan(signal).any() for signal in table.signals) is missing
