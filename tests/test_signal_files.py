"""Files of signals of every format: what is read from them, and what is said about those that cannot be read."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from conftest import SHARED
from googlenet import InputError
from googlenet.data.signal_files import find_parts, read_signals

UCR = SHARED / "data" / "ucr"
NAN = float("nan")


def write(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def same(signals, expected):
    """Whether signals are these, channel by channel, sample by sample."""
    assert len(signals) == len(expected)
    for signal, rows in zip(signals, expected, strict=True):
        assert signal.dtype == np.float32
        np.testing.assert_array_equal(signal, np.atleast_2d(np.array(rows, np.float32)))


# UCR: rows without a header


@pytest.mark.parametrize("name", ["a.tsv", "a.txt", "a.csv"])
@pytest.mark.parametrize("mark", ["\t", ",", "  ", ";", ", "])
def test_ucr_rows(tmp_path, name, mark):
    rows = [["1", "0.5", "-2", "3e-1"], ["2.0000e+00", "NaN", "1", "nan"], ["-1", "7", "NAN", "9"]]
    path = write(tmp_path, name, "\r\n".join(map(mark.join, rows)) + "\r\n\r\n")
    table = read_signals(path)
    same(table.signals, [[0.5, -2, 0.3], [NAN, 1], [7, NAN, 9]])
    assert table.labels == ("1", "2", "-1")
    assert table.groups is None
    assert table.names == (f"{path}:1", f"{path}:2", f"{path}:3")
    assert table.layout == "rows without a header: the label, then 2 to 3 samples"


def test_ucr_rows_of_unequal_length_and_empty_cells(tmp_path):
    path = write(tmp_path, "a.tsv", "\ufeff1\t1\t\t3\t\t\n\n2\t4\n")
    table = read_signals(path)
    same(table.signals, [[1, NAN, 3], [4]])
    assert table.names == (f"{path}:1", f"{path}:3")
    leading = write(tmp_path, "b.txt", "   1.0e+00  1.0  2.0  \n   2.0e+00  3.0  4.0\n")
    same(read_signals(leading).signals, [[1, 2], [3, 4]])


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
    same(numbers.signals, [[1, 5, 6], [2, 8, 9]])
    assert numbers.labels is None
    texts = read_signals(write(tmp_path, "b.tsv", "walk\t6\t5\nrun\t8\t9\n"), labelled=False)
    same(texts.signals, [[6, 5], [8, 9]])
    assert texts.labels == ("walk", "run")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\t2\n2\t3\tabc\n", "row 2, column 3 holds 'abc', which is not a number"),
        ("1\t2\n2\t3\t1_0\n", "row 2, column 3 holds '1_0'"),
        ("1\t2\n2\t3\t" + "x" * 99, "holds 'x{37}...', which"),
        ("1\t2\n2\t3\t-inf\n", "row 2: sample 2 is infinite"),
        ("1\t2\n2\t3\t1e39\n", "row 2: sample 2 is infinite or beyond 3e38"),
        ("1\t2\n2\tNaN\tNaN\n", "row 2: every sample is missing"),
        ("1\t2\n2\n", "row 2: the signal has no samples"),
        ("1\t2\nNaN\t3\n", "row 2: the label is missing"),
        ("1\t2\n\t3\n", "row 2: the label is missing"),
        (b"1\t2\n\xff\xfe\t3\n", "row 2 is not UTF-8 text"),
        (b"PK\x03\x04\x00\x00\x00", "row 1 is not UTF-8 text"),
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("0.5\t0.1\twalk\n0.2\t0.4\trun\n", "'walk' among numbers, is no header"),
    ],
)
def test_bad_ucr_rows(tmp_path, text, message):
    path = write(tmp_path, "a.tsv", text)
    with pytest.raises(InputError, match=message) as caught:
        read_signals(path)
    assert str(caught.value).startswith(str(path))


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
    same(table.signals, [[1, 2], [3, NAN, 5]])
    assert table.labels == ("a", "b")
    assert table.names == (f"{path}:11", f"{path}:12")
    assert table.layout == ".ts file: 1 channel, 2 to 3 samples"


def test_ts_of_channels_that_differ_in_length(tmp_path):
    table = read_signals(ts(tmp_path, "1,2,3:4,5:a\n?,6:7,8:b\n9::a\n", dimensions="@dimensions 2\n"))
    same(table.signals, [[[1, 2, 3], [4, 5, NAN]], [[NAN, 6], [7, 8]], [[9], [NAN]]])


@pytest.mark.parametrize("stamp", ["{}", "2007-01-01 00:0{}:00"])
def test_ts_with_time_stamps(tmp_path, stamp):
    def row(*values):
        return ",".join(f"({stamp.format(at)},{value})" for at, value in enumerate(values))

    table = read_signals(ts(tmp_path, f"{row(1, 2)}:{row(3, '?', 5)}:a\n{row(6)}:{row(7)}:b\n", timed="True"))
    same(table.signals, [[[1, 2, NAN], [3, NAN, 5]], [[6], [7]]])
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
    same(table.signals, [[1, 2, 3], [4, NAN, 6], [7, 8]])
    assert table.labels == ("1", "2", "1")
    assert table.names[0] == f"{path}:9"
    assert read_signals(path, target="target").labels == table.labels
    assert table.layout == ".arff file: 1 channel, 2 to 3 samples"


def test_arff_of_several_channels(tmp_path):
    rows = """'1,2\\n3,?',Standing\n"4,5\\n6,7" , 'Running fast'\n'8\\n9,10',"Running fast"\n"""
    table = read_signals(arff(tmp_path, RELATIONAL + rows))
    same(table.signals, [[[1, 2], [3, NAN]], [[4, 5], [6, 7]], [[8, NAN], [9, 10]]])
    assert table.labels == ("Standing", "Running fast", "Running fast")
    assert table.layout == ".arff file: 2 channels, 2 samples"


def test_arff_with_the_class_first_or_in_words(tmp_path):
    head = "@attribute kind {a,'b, c'}\n@attribute t0 numeric\n@attribute t1 numeric\n@data\n"
    table = read_signals(arff(tmp_path, head + "a,1,2\n'b, c',3,4\n"))
    same(table.signals, [[1, 2], [3, 4]])
    assert table.labels == ("a", "b, c")
    assert read_signals(arff(tmp_path, head + "?,1,2\n"), labelled=False).labels is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FLAT + "@attribute y {1,2}\n@data\n1,2,3,3\n", "row 8: attribute 'y' has no class '3'. There are: 1, 2"),
        (FLAT + "@attribute y {1,2}\n@data\n1,2,3,?\n", "row 8: the label is missing"),
        (FLAT + "@attribute y {1,2}\n@data\n1,b,3,1\n", "row 8, attribute 'att 1', holds 'b'"),
        (FLAT + "@attribute y {1,2}\n@data\n1,2,1\n", "row 8 has 3 values for 4 attributes"),
        (FLAT + "@attribute y {1,2}\n@data\n{0 1, 3 2}\n", "sparse form"),
        (FLAT + "@attribute y {1,2}\n@data\n?,?,?,1\n", "row 8: every sample is missing"),
        (FLAT + "@attribute y {1,2}\n@attribute s string\n@data\n", "attribute 'y' is not numeric"),
        (FLAT + "@data\n1,2,3\n", "no labels: no attribute names a class"),
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
    with pytest.raises(InputError, match="no attribute 'knd' to take as --target. There is: kind"):
        read_signals(path, target="knd")
    assert read_signals(path, target="knd", labelled=False).labels == ("1",)


# Tables with a header: wide


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.tsv", "\t"), ("a.csv", ";"), ("a.txt", "  ")])
def test_wide_table(tmp_path, name, mark):
    rows = [["t0", "kind", "t1", "t2"], ["1", "a", "2", "3"], ["4", "b", "NaN", "6"], ["7", "a", "8", "nan"]]
    path = write(tmp_path, name, "\n".join(map(mark.join, rows)))
    table = read_signals(path)
    same(table.signals, [[1, 2, 3], [4, NAN, 6], [7, 8]])
    assert table.labels == ("a", "b", "a")
    assert table.names == (f"{path}:2", f"{path}:3", f"{path}:4")
    assert table.layout == "wide table: one signal a row, 2 to 3 samples, labels in column 'kind'"


def test_wide_table_with_groups_quotes_and_empty_rows(tmp_path):
    path = write(tmp_path, "a.csv", '"who","Label","t, 0","t1"\np1,"1.0",1,\n,,,\n"p2", 2 ,"3",4\n')
    table = read_signals(path, group="who")
    same(table.signals, [[1], [3, 4]])
    assert (table.labels, table.groups) == (("1", "2"), ("p1", "p2"))
    assert table.names == (f"{path}:2", f"{path}:4")
    assert "labels in column 'Label', groups in column 'who'" in table.layout


@pytest.mark.parametrize(
    ("header", "target", "found"),
    [
        ("a,b,Class", None, "Class"),
        ("y,b,label", None, "label"),
        ("a,b,y", None, "y"),
        ("a,b,label", "a", "a"),
        ("0,1,2,3,4,5,6,7,8", "8", "8"),
        ("label,0,1", None, "label"),
    ],
)
def test_column_of_the_labels(tmp_path, header, target, found):
    rows = [",".join(str(at) for at, _ in enumerate(header.split(","), start=5))] * 2
    path = write(tmp_path, "a.csv", "\n".join([header, *rows]))
    table = read_signals(path, target)
    assert f"labels in column {found!r}" in table.layout
    assert table.labels == (str(5 + header.split(",").index(found)),) * 2


@pytest.mark.parametrize(
    ("first", "is_header"),
    [("kind,0.0,0.1,0.2", True), ("walk,0.3,0.1,0.2", False), ("walk,1,nan,2", False), ("label,3,1,2", True)],
)
def test_one_text_in_the_first_row(tmp_path, first, is_header):
    table = read_signals(write(tmp_path, "a.csv", f"{first}\nwalk,3,1,2\n"))
    assert len(table.signals) == 2 - is_header
    assert ("without a header" in table.layout) is not is_header


def test_row_numbers_and_ids_are_left_out(tmp_path):
    path = write(tmp_path, "a.csv", ",id,label,t0,t1\n0,s1,a,5,6\n1,s2,b,7,8\n")
    table = read_signals(path)
    same(table.signals, [[5, 6], [7, 8]])
    assert "column '' left out, column 'id' left out" in table.layout


@pytest.mark.parametrize("names", ["x_0 x_1 y_0 y_1", "x.1 x.0 y.1 y.0", "x[0] x[1] y[0] y[1]", "x_9 x_10 y_9 y_10"])
def test_wide_table_of_channels(tmp_path, names):
    path = write(tmp_path, "a.csv", f"label,{names.replace(' ', ',')}\na,1,2,3,4\n")
    expected = [[2, 1], [4, 3]] if ".1 " in names else [[1, 2], [3, 4]]
    table = read_signals(path)
    same(table.signals, [expected])
    assert "2 channels (x, y), 2 samples" in table.layout


@pytest.mark.parametrize("names", ["x_0,x_1,y_0,y_2", "x_0,x_1,x_2,x_3", "x_0,x_1,y_0,z", "a_1,b_1,c_1,d_1"])
def test_names_that_are_no_channels(tmp_path, names):
    same(read_signals(write(tmp_path, "a.csv", f"label,{names}\na,1,2,3,4\n")).signals, [[1, 2, 3, 4]])


def test_wide_table_for_prediction(tmp_path):
    path = write(tmp_path, "a.csv", "t0,t1\n1,2\n3,4\n")
    assert read_signals(path, labelled=False).labels is None
    assert read_signals(path, target="kind", labelled=False).labels is None
    labelled = write(tmp_path, "b.csv", "t0,kind,t1\n1,a,2\n3,b,4\n")
    table = read_signals(labelled, target="kind", labelled=False)
    same(table.signals, [[1, 2], [3, 4]])
    assert table.labels == ("a", "b")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("label,t0,t1\na,1,2\nb,3\n", {}, "row 3 has 2 cells, but the header has 3"),
        ("label,t0,t1\na,1,2\nb,3,4,5\n", {}, "row 3 has 4 cells"),
        ("label,t0,t1\na,1,2\nb,3,oops\n", {}, "row 3, column 't1' holds 'oops', which is not a number"),
        ("label,t0,t1\na,1,2\nb,,\n", {}, "row 3: every sample is missing"),
        ("label,t0,t1\na,1,2\nb,1,inf\n", {}, "row 3: sample 2 is infinite"),
        ("label,t0,t1\na,1,2\n,3,4\n", {}, "row 3: the label is missing"),
        ("label,who,t1\na,p,2\nb,,4\n", {"group": "who"}, "row 3: the group is missing"),
        ("label,t0,t0\na,1,2\n", {}, "the column 't0' twice"),
        ("label,t0,t1\n", {}, "holds no signals"),
        ("label,id\na,1\n", {}, "no column of samples"),
        ("a,b,c\n1,2,3\n", {}, "no column is named label, class, target or y, and none holds text.*--target.*a, b, c"),
        ("a,b,c\nx,y,3\n", {}, "the columns a, b hold text.*--target"),
        ("kind,t0\na,1\n", {"target": "kin"}, "--target: There is no column 'kin'. Did you mean 'kind'"),
        ("kind,t0\na,1\n", {"target": "KIND"}, "Did you mean 'kind'"),
        ("kind,t0\na,1\n", {"target": "zzz"}, "There are: kind, t0"),
        ("kind,t0\na,1\n", {"group": "kin"}, "--group: There is no column 'kin'. Did you mean 'kind'"),
        ("kind,t0\na,1\n", {"channel": "kin"}, "--channel: There is no column 'kin'"),
        ("kind,t0\na,1\n", {"channel": "kind"}, "--channel is for a table of one sample a row"),
        ("kind,t0\na,1\n", {"target": "kind", "group": "kind"}, "--target and --group name the same column"),
        ("1,2,3\n", {"target": "kind"}, "no column 'kind' for --target: it has no header"),
        ("1,2,3\n", {"group": "kind"}, "no column 'kind' for --group"),
        ('label,t0\na,"1\n' + "2\n" * 100_000, {}, "is not a row of a table"),
        ('label,t0\na,"1\n' + "2\n" * 9, {}, "column 't0' holds '1\\\\n2"),
        (b"label,t0\na,1\n\xb0,2\n", {}, "row 3 is not UTF-8 text"),
    ],
)
def test_bad_wide_tables(tmp_path, text, options, message):
    path = write(tmp_path, "a.csv", text)
    with pytest.raises(InputError, match=message) as caught:
        read_signals(path, **options)
    assert str(caught.value).startswith(str(path))


def test_a_long_header_is_not_listed_whole(tmp_path):
    path = write(tmp_path, "a.csv", ",".join(f"t{at}" for at in range(500)) + "\n" + ",".join("1" * 500))
    with pytest.raises(InputError, match="500 in all") as caught:
        read_signals(path)
    assert len(str(caught.value)) < 400 + len(str(path))


# Tables with a header: long

LONG = """id,time,label,x,y
b,2,run,5,50
a,1,walk,2,20
a,0,walk,1,
b,10,run,6,60
"""


def test_long_table(tmp_path):
    path = write(tmp_path, "a.csv", LONG)
    table = read_signals(path)
    same(table.signals, [[[5, 6], [50, 60]], [[1, 2], [NAN, 20]]])
    assert table.labels == ("run", "walk")
    assert table.names == (f"{path}:2", f"{path}:3")
    assert table.layout == (
        "long table: one sample a row, 2 signals by column 'id' in the order of column 'time', "
        "2 channels (x, y), 2 samples, labels in column 'label'"
    )


def test_long_table_of_dates_and_groups(tmp_path):
    text = (
        "Timestamp,Series,kind,who,v\n2026-01-10,1,a,p,2\n2026-01-02T12:00:00,1,a,p,1\n2026-01-02T11:00:00Z,1,a,p,0\n"
    )
    table = read_signals(write(tmp_path, "a.csv", text), group="who", target="kind")
    same(table.signals, [[0, 1, 2]])
    assert table.groups == ("p",)


def test_long_table_with_a_column_of_channels(tmp_path):
    text = "case,step,axis,value,y\n1,0,u,1,a\n1,1,u,2,a\n1,1,v,4,a\n2,5,v,6,b\n2,5,u,5,b\n"
    table = read_signals(write(tmp_path, "a.csv", text), channel="axis")
    same(table.signals, [[[1, 2], [NAN, 4]], [[5], [6]]])
    assert table.labels == ("a", "b")
    assert "2 channels (u, v)" in table.layout


def test_y_is_an_axis_beside_x(tmp_path):
    table = read_signals(write(tmp_path, "a.csv", "id,t,x,y,what\n1,0,3,4,a\n1,1,5,6,a\n"))
    same(table.signals, [[[3, 5], [4, 6]]])
    assert table.labels == ("a",)
    path = write(tmp_path, "a.csv", "id,t,x,y\n1,0,3,4\n1,1,5,6\n")
    assert read_signals(path, labelled=False).signals[0].shape == (2, 2)
    with pytest.raises(InputError, match="--target"):
        read_signals(path)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (LONG + "a,7,run,1,1\n", {}, "signal 'a' has 'walk' and 'run' in column 'label', in rows 3 and 6"),
        (LONG + "a,1,walk,1,1\n", {}, "signal 'a' has time 1 twice, in rows 3 and 6. If they are channels.*--channel"),
        (LONG.splitlines()[0], {}, "holds no signals: there is no row below the header"),
        (LONG + "a,x,walk,1,1\n", {}, "row 6: column 'time' holds 'x', which is not a number"),
        (LONG.replace("b,2,", "b,2026-01-01,"), {}, "row 3: column 'time' holds '1', which is not a date"),
        (LONG + ",3,walk,1,1\n", {}, "row 6: column 'id' is empty"),
        (LONG + "a,3,walk,1,z\n", {}, "row 6, column 'y' holds 'z'"),
        (LONG + "c,3,walk,,\n", {}, "row 6: every sample is missing"),
        ("id,time,label,axis,v,w\n1,0,a,x,1,2\n", {"channel": "axis"}, "one column of values, but there are v, w"),
        (
            "id,time,label,axis,v\n1,0,a,x,1\n1,0,a,x,1\n",
            {"channel": "axis"},
            "time 0 twice, in rows 2 and 3. Remove one",
        ),
        ("id,time,label,t0,t1\n1,0,a,1,2\n2,0,b,3,4\n", {}, "every row has a 'id' of its own"),
        ("id,time,label,who,v\n1,0,a,p,2\n1,1,a,q,3\n", {"group": "who"}, "signal '1' has 'p' and 'q' in column 'who'"),
    ],
)
def test_bad_long_tables(tmp_path, text, options, message):
    with pytest.raises(InputError, match=message):
        read_signals(write(tmp_path, "a.csv", text), **options)


# Parquet and NPZ


def test_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    frame = pandas.DataFrame(
        {"t0": [1.0, None], "kind": ["a", "b"], "t1": [2, 3], "n": pandas.array([1, None], "Int64")}
    )
    frame.to_parquet(path)
    table = read_signals(path)
    same(table.signals, [[1, 2, 1], [NAN, 3]])
    assert (table.labels, table.names) == (("a", "b"), (f"{path}:1", f"{path}:2"))
    frame.assign(t1=["4", "five"]).to_parquet(path)
    with pytest.raises(InputError, match="row 2, column 't1' holds 'five'"):
        read_signals(path, target="kind")
    write(tmp_path, "a.parquet", "no such thing")
    with pytest.raises(InputError, match="not a Parquet file"):
        read_signals(path)


def test_parquet_without_pandas(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"pip install 'googlenet\[tables\]'"):
        read_signals(write(tmp_path, "a.parquet", "x"))


def test_npz(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, X=np.array([[1, 2], [3, np.nan]]), y=np.array([1.0, 2.0]), group=np.array(["p", "q"]))
    table = read_signals(path)
    same(table.signals, [[1, 2], [3]])
    assert (table.labels, table.groups) == (("1", "2"), ("p", "q"))
    assert table.names == (f"{path}:1", f"{path}:2")
    assert table.layout == "NPZ arrays: signals in X, 1 channel, 1 to 2 samples, labels in y, groups in group"
    np.savez(path, data=np.arange(12, dtype=np.int16).reshape(2, 3, 2), names=np.array([b"a", b"b"]))
    table = read_signals(path)
    same(table.signals, [[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]])
    assert table.labels == ("a", "b")
    np.savez(path, X=np.ones((2, 3)), kind=np.array(["a", "b"]), who=np.array([7, 8]))
    table = read_signals(path, target="kind", group="who")
    assert (table.labels, table.groups) == (("a", "b"), ("7", "8"))
    np.savez(path, X=np.ones((2, 3)))
    assert read_signals(path, labelled=False).labels is None


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            {"X": np.ones((3, 4)), "y": np.ones(2)},
            {},
            r"X holds 3 signals, so y has to have the shape \(3,\), not \(2,\)",
        ),
        ({"X": np.ones((2, 4)), "y": np.ones(2), "group": np.ones(3)}, {}, "so group has to have the shape"),
        ({"X": np.array([[1, "a"]], object), "y": np.ones(1)}, {}, "Python objects"),
        ({"X": np.array([["a", "b"]]), "y": np.ones(1)}, {}, "X has to be numbers"),
        ({"X": np.ones(4), "y": np.ones(1)}, {}, "X has to be numbers of shape"),
        ({"a": np.ones((2, 3)), "b": np.ones((2, 3))}, {}, r"no array X, and more than one that may be it: a \(2, 3\)"),
        ({"a": np.ones((2, 3)), "b": np.ones(2), "c": np.ones(2)}, {}, "no array y, and more than one"),
        ({"y": np.ones(2)}, {}, r"no array X of signals: it has y \(2,\)"),
        ({"X": np.ones((2, 3))}, {}, "no labels: it needs an array y"),
        ({"X": np.ones((2, 3)), "y": np.array([1, np.nan])}, {}, "row 2: the label is missing"),
        ({"X": np.full((1, 3), np.nan), "y": np.ones(1)}, {}, "row 1: every sample is missing"),
        ({"X": np.array([[1, np.inf]]), "y": np.ones(1)}, {}, "row 1: sample 2 is infinite"),
        ({"X": np.ones((2, 0)), "y": np.ones(2)}, {}, "row 1: the signal has no samples"),
        ({"X": np.ones((0, 3)), "y": np.ones(0)}, {}, "holds no signals"),
        ({"X": np.ones((1, 3)), "kind": np.ones(1)}, {"target": "kin"}, "--target: There is no array 'kin'.*'kind'"),
        ({"X": np.ones((1, 3)), "who": np.ones(1)}, {"group": "whom"}, "--group: There is no array 'whom'"),
        ({"X": np.ones((1, 3))}, {"channel": "c"}, "--channel"),
    ],
)
def test_bad_npz(tmp_path, content, options, message):
    path = tmp_path / "a.npz"
    np.savez(path, **content)
    with pytest.raises(InputError, match=message):
        read_signals(path, **options)


def test_damaged_npz(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(InputError, match="not an NPZ file"):
        read_signals(write(tmp_path, "a.npz", "text"))
    np.savez(path, X=np.random.default_rng(0).normal(size=(9, 99)), y=np.ones(9))
    content = bytearray(path.read_bytes())
    content[1000:1100] = bytes(100)
    write(tmp_path, "a.npz", bytes(content))
    with pytest.raises(InputError, match="damaged"):
        read_signals(path)


# Files as such


def test_neither_torch_nor_pandas_is_loaded():
    code = "import sys, googlenet.data.signal_files; sys.exit(bool({'torch', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="There is no file .*nowhere.tsv"):
        read_signals(tmp_path / "nowhere.tsv")
    with pytest.raises(InputError, match="is a folder"):
        read_signals(tmp_path)
    with pytest.raises(InputError, match=r"read from .tsv, .ts, .*not from '.xlsx'"):
        read_signals(write(tmp_path, "a.xlsx", "x"))
    for kind in (".tsv", ".ts", ".csv", ".arff", ".npz", ".parquet"):
        with pytest.raises(InputError, match="is empty"):
            read_signals(write(tmp_path, f"a{kind}", ""))
        if kind != ".parquet" or importlib.util.find_spec("pandas"):
            with pytest.raises(InputError):
                read_signals(write(tmp_path, f"a{kind}", bytes(range(256)) * 20))


def test_parts(tmp_path):
    for folder, name in (("", "Gun_TRAIN.tsv"), ("", "Gun_TEST.tsv"), ("", "Gun_TRAIN.ts"), ("", "Saw_TRAIN.txt"),
                         ("Pen", "Pen_TRAIN.arff"), ("Pen", "Pen_TEST.ts"), ("Pen", "PenDimension1_TRAIN.arff"),
                         ("one", "my_train.csv"), ("one", "my_test.csv"), ("none", "readme.md"),
                         ("", "mine.csv")):  # fmt: skip
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).touch()

    def parts(source):
        return {part: str(path.relative_to(tmp_path)) for part, path in find_parts(tmp_path / source).items()}

    gun = {"train": "Gun_TRAIN.tsv", "test": "Gun_TEST.tsv"}
    assert parts("Gun") == parts("Gun_TRAIN.tsv") == gun
    assert parts("Gun_TRAIN.ts") == {"train": "Gun_TRAIN.ts", "test": "Gun_TEST.tsv"}
    assert parts("Saw") == {"train": "Saw_TRAIN.txt"}
    assert parts("mine.csv") == {"train": "mine.csv"}
    assert parts("Pen") == {"train": "Pen/Pen_TRAIN.arff", "test": "Pen/Pen_TEST.ts"}
    assert parts("one") == {"train": "one/my_train.csv", "test": "one/my_test.csv"}
    assert find_parts(str(tmp_path / "Saw"))["train"].name == "Saw_TRAIN.txt"

    with pytest.raises(InputError, match="holds 2 data sets. Name one: .*/Gun, .*/Saw"):
        parts("")
    with pytest.raises(InputError, match=r"none has no file of signals called NAME_TRAIN.tsv \(or .ts, .txt"):
        parts("none")
    with pytest.raises(InputError, match=r"There is no .*/Gum, and no .*/Gum_TRAIN.tsv .*Did you mean .*/Gun\?"):
        parts("Gum")
    with pytest.raises(InputError, match=r"Did you mean .*/mine.csv\?"):
        parts("mime.csv")
    with pytest.raises(InputError, match=r"There is no .*/nowhere/x"):
        parts("nowhere/x")


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
    same(table.signals, signals)
    assert table.labels == tuple(labels)


@settings(deadline=None, max_examples=60)
@given(labelled_signals(max_channels=1), st.sampled_from("\t, ;"), st.booleans(), st.data())
def test_ucr_round_trip(tmp_path_factory, drawn, mark, padded, data):
    signals = [signal[0] for signal in drawn[0]]
    labels = [str(data.draw(st.integers(-5, 99))) for _ in signals]
    longest = max(map(len, signals)) if padded else 0
    lines = [
        mark.join([name, *(cell(value, "NaN") for value in signal), *["NaN"] * (longest - len(signal))])
        for signal, name in zip(signals, labels, strict=True)
    ]
    table = read_signals(write(tmp_path_factory.mktemp("ucr"), "a.txt", "\n".join(lines)))
    same(table.signals, signals)
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
            np.testing.assert_array_equal(signal[0], np.array(kept, np.float64).astype(np.float32))
        assert (len({signal.shape[1] for signal in table.signals}) > 1) is unequal
        assert any(np.isnan(signal).any() for signal in table.signals) is missing
