"""Tables of signals (CSV, Parquet, NPZ): what is read from them, and what is said about those that cannot be read."""

import re
import sys

import numpy as np
import pytest

from conftest import complaint, same_signals, write
from googlenet import InputError
from googlenet.data.signals.files import read_file, read_signals
from googlenet.data.signals.tables.match import said_to_network
from googlenet.data.signals.tables.schema import Schema

NAN = float("nan")


# Tables with a header: wide


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.tsv", "\t"), ("a.csv", ";"), ("a.txt", "  ")])
def test_wide_table(tmp_path, name, mark):
    rows = [["t0", "kind", "t1", "t2"], ["1", "a", "2", "3"], ["4", "b", "NaN", "6"], ["7", "a", "8", "nan"]]
    path = write(tmp_path, name, "\n".join(map(mark.join, rows)))
    table = read_signals(path)
    same_signals(table.signals, [[1, 2, 3], [4, NAN, 6], [7, 8]])
    assert table.labels == ("a", "b", "a")
    assert table.names == (f"{path}:2", f"{path}:3", f"{path}:4")
    assert table.layout == "wide table: one signal a row, 2 to 3 samples, labels in column 'kind'"


def test_wide_table_with_groups_quotes_and_empty_rows(tmp_path):
    path = write(tmp_path, "a.csv", '"who","Label","t, 0","t1"\np1,"1.0",1,\n\n"p2", 2 ,"3",4\n,,,\n')
    table = read_signals(path, group="who")
    same_signals(table.signals, [[1], [3, 4]])
    assert (table.labels, table.groups) == (("1.0", "2"), ("p1", "p2"))
    assert table.names == (f"{path}:2", f"{path}:4")
    assert table.layout.endswith(", 1 empty row at the end left out")
    assert "labels in column 'Label', groups in column 'who'" in table.layout


@pytest.mark.parametrize(
    ("header", "target", "found"),
    [
        ("t0,t1,Class", None, "Class"),
        ("y,t0,t1,label", None, "label"),
        ("t0,t1,y", None, "y"),
        ("a,t0,t1,label", "a", "a"),
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
    same_signals(table.signals, [[5, 6], [7, 8]])
    assert "column '' left out" in table.layout
    assert (table.ids, table.schema.id) == (("s1", "s2"), "id")


@pytest.mark.parametrize("names", ["x_0 x_1 y_0 y_1", "x.1 x.0 y.1 y.0", "x[0] x[1] y[0] y[1]", "x_9 x_10 y_9 y_10"])
def test_wide_table_of_channels(tmp_path, names):
    path = write(tmp_path, "a.csv", f"label,{names.replace(' ', ',')}\na,1,2,3,4\n")
    expected = [[2, 1], [4, 3]] if ".1 " in names else [[1, 2], [3, 4]]
    table = read_signals(path)
    same_signals(table.signals, [expected])
    assert "2 channels (x, y), 2 samples" in table.layout


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("x_0,x_1,y_0,y_2", "'x' and 'y' are numbered differently: there is no 'y_1'"),
        ("x_0,x_1,x_2,y_0,y_1", "x_0 … x_2 .3 columns. and y_0, y_1 are not equally many"),
        ("a_1,b_1,c_1,d_1", "are no run of numbered ones.*--ignore"),
        ("a,b,c,d", "the columns a, b, c, d are no run of numbered ones"),
        ("x1,x01,x2,x3", "'x1' and 'x01' have the same number"),
    ],
)
def test_names_that_are_no_channels(tmp_path, names, message):
    row = ",".join(str(at) for at, _ in enumerate(names.split(",")))
    with pytest.raises(InputError, match=message):
        read_signals(write(tmp_path, "a.csv", f"label,{names}\na,{row}\nb,{row}\n"))


def test_what_is_in_no_run_is_no_sample(tmp_path):
    table = read_signals(write(tmp_path, "a.csv", "label,x_0,x_1,y_0,z\na,1,2,3,4\n"))
    same_signals(table.signals, [[1, 2]])
    assert "column 'y_0' left out, column 'z' left out" in table.layout


def test_wide_table_for_prediction(tmp_path):
    path = write(tmp_path, "a.csv", "t0,t1\n1,2\n3,4\n")
    assert read_signals(path, labelled=False).labels is None
    assert read_signals(path, target="kind", labelled=False).labels is None
    labelled = write(tmp_path, "b.csv", "t0,kind,t1\n1,a,2\n3,b,4\n")
    table = read_signals(labelled, target="kind", labelled=False)
    same_signals(table.signals, [[1, 2], [3, 4]])
    assert table.labels == ("a", "b")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("label,t0,t1\na,1,2\nb,3\n", {}, "row 3 has 2 cells, but the header has 3"),
        ("label,t0,t1\na,1,2\nb,3,4,5\n", {}, "row 3 has 4 cells"),
        ("label,t0,t1\na,1,2\nb,3,oops\n", {}, "row 3, column 't1' holds 'oops', which is not a number"),
        ("label,t0,t1\na,1,2\nb,,\n", {}, "row 3: every sample is missing"),
        ("label,t0,t1\na,1,2\nb,1,inf\n", {}, "row 3, column 't1' is infinite. Write NaN"),
        ("label,t0,t1\na,1,2\n,,\nb,1,2\n", {}, "row 3 is empty. Remove it"),
        ("label,t0,t1\na,1,2\n,3,4\n", {}, "row 3: the label is missing"),
        ("label,who,t0,t1\na,p,2,2\nb,,4,4\n", {"group": "who"}, "row 3: the group is missing"),
        ("label,t0,t0\na,1,2\n", {}, "the column 't0' twice"),
        ("label,t0,t1\n", {}, "holds no signals"),
        ("label,id\na,1\n", {}, "no column of samples"),
        ("a,b,c\n1,2,3\n", {}, "no column is named label, .*or y, and none holds text.*--target.*a, b, c"),
        ("a,b,c\nx,y,3\n", {}, "the columns a, b hold text.*--target"),
        ("kind,t0\na,1\n", {"target": "kin"}, "--target: There is no column 'kin'. Did you mean 'kind'"),
        ("kind,t0\na,1\n", {"target": "KIND"}, "Did you mean 'kind'"),
        ("kind,t0\na,1\n", {"target": "zzz"}, "There are: kind, t0"),
        ("kind,t0\na,1\n", {"group": "kin"}, "--group: There is no column 'kin'. Did you mean 'kind'"),
        ("kind,t0\na,1\n", {"channel": "kin"}, "--channel: There is no column 'kin'"),
        ("kind,t0,what\na,1,b\n", {"channel": "kind"}, "--channel is for a table of one sample a row"),
        ("kind,t0\na,1\n", {"target": "kind", "group": "kind"}, "--target and --group name the same column"),
        ("1,2,3\n", {"target": "kind"}, "no column 'kind' for --target: it has no header"),
        ("1,2,3\n", {"group": "kind"}, "no column 'kind' for --group"),
        ('label,t0\na,"1\n' + "2\n" * 100_000, {}, "is not a row of a table"),
        ('label,t0\na,"1\n' + "2\n" * 9, {}, "row 2 is not a row of a table: a quote has no partner"),
        (b"label,t0\na,1\n\x90,2\n", {}, "row 3 is not UTF-8 text"),
    ],
)
def test_bad_wide_tables(tmp_path, text, options, message):
    path = write(tmp_path, "a.csv", text)
    said = complaint(path, **options)
    assert re.search(message, said)
    assert said.startswith(str(path))


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
    same_signals(table.signals, [[[5, 6], [50, 60]], [[1, 2], [NAN, 20]]])
    assert table.labels == ("run", "walk")
    assert table.names == (f"{path}:2", f"{path}:3")
    assert table.layout == (
        "long table: one sample a row, 2 signals by column 'id' in the order of column 'time', "
        "2 channels (x, y), 2 samples, labels in column 'label'"
    )


def test_long_table_of_dates_and_groups(tmp_path):
    text = "Timestamp,Series,kind,who,v\n2026-01-10,1,a,p,2\n2026-01-02T12:00:00,1,a,p,1\n2026-01-02 11:00:00,1,a,p,0\n"
    table = read_signals(write(tmp_path, "a.csv", text), group="who", target="kind")
    same_signals(table.signals, [[0, 1, 2]])
    assert table.groups == ("p",)


def test_times_of_a_column_all_name_their_zone_or_none_does(tmp_path):
    rows = ["2026-01-02T12:00:00+02:00,1,a,0", "2026-01-02T11:00:00Z,1,a,2", "2026-01-02T12:30:00+0200,1,a,1"]
    table = read_signals(write(tmp_path, "a.csv", "\n".join(["time,id,y,v", *rows]) + "\n"))
    same_signals(table.signals, [[0, 1, 2]])
    said = r"row 4: column 'time' holds '2026-01-02T12:30:00', which names no time zone, and others do"
    rows[2] = "2026-01-02T12:30:00,1,a,1"
    with pytest.raises(InputError, match=said):
        read_signals(write(tmp_path, "a.csv", "\n".join(["time,id,y,v", *rows]) + "\n"))


def test_long_table_with_a_column_of_channels(tmp_path):
    text = "case,step,axis,value,y\n1,0,u,1,a\n1,1,u,2,a\n1,1,v,4,a\n2,5,v,6,b\n2,5,u,5,b\n"
    table = read_signals(write(tmp_path, "a.csv", text), channel="axis")
    same_signals(table.signals, [[[1, 2], [NAN, 4]], [[5], [6]]])
    assert table.labels == ("a", "b")
    assert "2 channels (u, v)" in table.layout


def test_y_is_an_axis_beside_x(tmp_path):
    table = read_signals(write(tmp_path, "a.csv", "id,t,x,y,what\n1,0,3,4,a\n1,1,5,6,a\n"))
    same_signals(table.signals, [[[3, 5], [4, 6]]])
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
        (LONG.replace("b,2,", "b,2026-01-01,"), {}, "row 5: column 'time' holds '10', which is not a date"),
        (LONG + ",3,walk,1,1\n", {}, "row 6: column 'id' is empty"),
        (LONG + "a,3,walk,1,z\n", {}, "row 6, column 'y' holds 'z'"),
        (LONG + "c,3,walk,,\n", {}, "row 6: every sample is missing"),
        ("id,time,label,axis,v,w\n1,0,a,x,1,2\n", {"channel": "axis"}, "one column of values, but there are v, w"),
        (
            "id,time,label,axis,v\n1,0,a,x,1\n1,0,a,x,1\n",
            {"channel": "axis"},
            "time 0 twice, in rows 2 and 3. Remove one",
        ),
        ("id,time,label,who,v\n1,0,a,p,2\n1,1,a,q,3\n", {"group": "who"}, "signal '1' has 'p' and 'q' in column 'who'"),
    ],
)
def test_bad_long_tables(tmp_path, text, options, message):
    assert re.search(message, complaint(write(tmp_path, "a.csv", text), **options))


def test_ids_that_never_repeat_are_those_of_whole_signals(tmp_path):
    table = read_signals(write(tmp_path, "a.csv", "id,time,label,t0,t1\n1,0,a,1,2\n2,0,b,3,4\n"))
    same_signals(table.signals, [[1, 2], [3, 4]])
    assert table.ids == ("1", "2")
    assert "column 'time' left out" in table.layout


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
    same_signals(table.signals, [[1, 2], [NAN, 3]])
    assert (table.labels, table.names) == (("a", "b"), (f"{path}:1", f"{path}:2"))
    frame.assign(t1=["4", "five"]).to_parquet(path)
    assert "row 2, column 't1' holds 'five'" in complaint(path, target="kind")
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
    same_signals(table.signals, [[1, 2], [3]])
    assert (table.labels, table.groups) == (("1", "2"), ("p", "q"))
    assert table.names == (f"{path}:1", f"{path}:2")
    assert table.layout == "NPZ arrays: signals in X, 1 channel, 1 to 2 samples, labels in y, groups in group"
    np.savez(path, data=np.arange(12, dtype=np.int16).reshape(2, 2, 3), names=np.array([b"a", b"b"]))
    table = read_signals(path)
    same_signals(table.signals, [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]])
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


def test_what_the_times_of_a_long_table_show_is_said(tmp_path):
    back = [*range(20), *(at - 7.5 for at in range(20, 40))]
    rows = [
        f"{name},{t},{at},{label}"
        for name, label in ("au", "bv", "cv")
        for at, t in enumerate(back if name == "a" else range(40))
    ]
    table = read_signals(write(tmp_path, "a.csv", "\n".join(["id,time,x,y", *rows]) + "\n"))
    assert any("1 of 3 signals column 'time' steps back, such as in 'a' at row 22" in note for note in table.notes)
    rows = [
        f"{name},{at * step},{at},{label}"
        for name, label, step in (("a", "u", 1), ("b", "v", 1), ("c", "v", 4))
        for at in range(9)
    ]
    table = read_signals(write(tmp_path, "a.csv", "\n".join(["id,time,x,y", *rows]) + "\n"))
    assert any(
        "1 of 3 signals have samples at another step in column 'time', such as 'c' of 4" in n for n in table.notes
    )


def test_rows_in_no_order_are_sorted_without_a_word(tmp_path):
    places = np.random.default_rng(0).permutation(40).tolist()
    rows = [f"{name},{at},{at},{name}" for name in "ab" for at in places]
    table = read_signals(write(tmp_path, "a.csv", "\n".join(["id,time,x,y", *rows]) + "\n"))
    same_signals(table.signals, [list(range(40))] * 2)
    assert not table.notes


def test_label_above_wavelengths_is_a_header_and_missing_words_are_no_units(tmp_path):
    waves = np.geomspace(0.5, 100, 12).round(3).tolist()
    rows = [",".join(["ab"[at % 2], *(str(at + step) for step in range(12))]) for at in range(6)]
    table = read_signals(write(tmp_path, "a.csv", "\n".join([",".join(["label", *map(str, waves)]), *rows]) + "\n"))
    assert table.labels == tuple("ababab")
    rows = ["NA,NA,NA", *(f"{at},{at},{at}" for at in range(6))]
    table = read_signals(write(tmp_path, "a.csv", "\n".join(["v0,v1,v2", *rows]) + "\n"), labelled=False)
    assert len(table.signals) + len(table.bad) == 7


def test_of_columns_that_differ_in_a_separator_the_learned_one_is_read(tmp_path):
    learned = read_signals(write(tmp_path, "a.csv", "v0,v1,v2,y\n1,2,3,a\n4,5,6,b\n")).schema
    both = write(tmp_path, "b.csv", "v0,v1,v2,v_0,v_1,v_2,y\n1,2,3,9,9,9,a\n")
    table = read_file(both, labelled=False, learned=learned)
    same_signals(table.signals, [[1, 2, 3]])
    assert any("left out" in note and "v_0" in note for note in [*table.notes, table.layout])
    with pytest.raises(InputError, match="may each be 'v0'"):
        read_file(
            write(tmp_path, "b.csv", "v-0,v-1,v-2,v_0,v_1,v_2,y\n1,2,3,9,9,9,a\n"), labelled=False, learned=learned
        )


@pytest.mark.parametrize("header", ["id,time,bp,y", "bp0,bp1,bp2,y"])
def test_another_unit_than_was_learned_from_is_said(tmp_path, header):
    def table(unit):
        units = f",s,{unit}," if header.startswith("id") else f"{unit},{unit},{unit},"
        rows = [f"{at // 4},{at % 4},{at},{'ab'[at // 4 % 2]}" for at in range(16)]
        return write(tmp_path, f"{unit}.csv", "\n".join([header, units, *rows]) + "\n")

    learned = read_file(table("mmHg")).schema
    assert learned.units == ("mmHg",) and Schema.from_dict(learned.to_dict()) == learned
    for unit, many in (("mmHg", 0), ("kPa", 1)):
        path = table(unit)
        said = said_to_network(path, read_file(path, labelled=False, learned=learned), learned)
        assert (
            len([each for each in said if "says 'kPa' for" in each and "'mmHg': nothing is converted" in each]) == many
        )


@pytest.mark.parametrize("rows", [1, 70, 3000])
def test_a_thousand_that_may_be_one_and_a_bit_is_refused_wherever_it_comes(tmp_path, rows):
    whole = ["500;612;998;a"] * rows
    path = write(tmp_path, "a.csv", "\n".join(["x0;x1;x2;y", *whole, "1.919;712;1.202;b", ""]))
    if rows == 1:
        with pytest.raises(InputError, match="row 3, column 1 holds '1.919': its dot may be a decimal one"):
            read_signals(path)
    else:
        (bad,) = read_signals(path).bad.values()
        assert f"row {rows + 2}, column 'x0' holds '1.919'" in bad.reason and "or between thousands?" in bad.reason
    table = read_signals(write(tmp_path, "a.csv", "\n".join(["x0;x1;x2;y", *whole, "1.5;712;2.25;b", ""])))
    same_signals(table.signals[-1:], [[1.5, 712, 2.25]])
