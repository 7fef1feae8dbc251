"""Tables of signals as spreadsheets, R, pandas, devices and NumPy write them: read as meant, or refused with a cure."""

import csv
import gzip
import io
import json
import re
import wave

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conftest import complaint, write
from googlenet import InputError, limits
from googlenet.data.signals.files import read_signals
from googlenet.data.signals.find import find_signals
from googlenet.data.signals.sources.frames import FrameSource
from googlenet.data.signals.sources.text.columns import CsvSource
from googlenet.data.signals.sources.text.dates import moments
from googlenet.data.signals.sources.text.marks import TextGrid
from googlenet.data.signals.sources.text.table import Table

X = np.round(np.random.default_rng(0).normal(size=(8, 20)), 3)
NAMES = ["slow", "fast"] * 4
CELLS = [[f"{value:.3f}" for value in row] for row in X]
HEADER = ["label", *(f"s{at}" for at in range(20))]


def table(mark=",", header=True, cell=str, end="\n", label=str, tail=""):
    rows = ([HEADER] if header else []) + [
        [label(name), *map(cell, cells)] for name, cells in zip(NAMES, CELLS, strict=True)
    ]
    return end.join(mark.join(row) + tail for row in rows) + end


def comma(cell):
    return cell.replace(".", ",")


def source_of(path):
    found = Table(TextGrid(path))
    assert found.has_header()
    return CsvSource(found)


READ = {
    "semicolon.csv": table(";"),
    "semicolon_decimal_comma.csv": table(";", cell=comma),
    "decimal_comma_without_header.csv": table(";", header=False, cell=comma),
    "tab_decimal_comma.tsv": table("\t", cell=comma),
    "blank_decimal_comma.txt": table(" ", header=False, cell=comma),
    "quoted_decimal_comma.csv": table(cell=lambda cell: f'"{comma(cell)}"'),
    "bom.csv": b"\xef\xbb\xbf" + table().encode(),
    "bom_without_header.csv": b"\xef\xbb\xbf" + table(header=False).encode(),
    "utf16_of_excel.txt": table("\t").encode("utf-16"),
    "utf16_big.csv": b"\xfe\xff" + table(";").encode("utf-16-be"),
    "crlf.csv": table(end="\r\n"),
    "cr_only.csv": table(end="\r"),
    "twice_translated.csv": table(end="\r\r\n"),
    "quoted_numbers.csv": table(cell=lambda cell: f'"{cell}"', label=lambda name: f'"{name}"'),
    "blanks_behind_commas.csv": table(", "),
    "white_space.txt": table(" "),
    "many_blanks.txt": table("   ", header=False),
    "r_write_table.txt": table(" ", label=lambda name: f'"{name}"'),
    "pipe.csv": table("|"),
    "separator_at_the_end.csv": table(tail=","),
    "two_separators_at_the_end.csv": table(";", tail=";;"),
    "separator_at_the_end_of_rows.csv": table(";", header=False, tail=";"),
    "blank_lines.csv": table(end="\n\n"),
    "comments.csv": "# made by me\n#  2026, and so on\n" + table(),
    "comments_of_matlab.dat": "% made by me\n" + table(" ", header=False),
    "header_of_savetxt.csv": "# " + table(),
    "sep_line_of_excel.csv": "sep=;\n" + table(";", cell=comma),
    "units.csv": table().replace("\n", "\n-," + ",".join(["mV"] * 20) + "\n", 1),
    "units_in_brackets.csv": table().replace("\n", "\n," + ",".join(["[m/s^2]"] * 20) + "\n", 1),
    "units_µ.csv": table(";", cell=comma).replace("\n", "\n;" + ";".join(["µV", "°C"] * 10) + "\n", 1),
    "row_names_of_r.csv": table(header=False, label=lambda name: f'"7","{name}"').join((",".join(HEADER) + "\n", "")),
    "upper.CSV": table(),
    "no_extension": table(),
    "data.dat": table(" ", header=False),
    "data.asc": table("\t"),
    "packed.csv.gz": gzip.compress(table().encode()),
    "packed.tsv.gz": gzip.compress(table("\t", cell=comma).encode("utf-16")),
    "packed_and_misnamed.csv": gzip.compress(table().encode()),
    "brackets.csv": "label,signal\n"
    + "\n".join(f'{name},"[{", ".join(row)}]"' for name, row in zip(NAMES, CELLS, strict=True)),
    "brackets_of_numpy.csv": "label,signal\n"
    + "\n".join(f"{name},[{'  '.join(row)}]" for name, row in zip(NAMES, CELLS, strict=True)),
    "joined_by_blanks.csv": "label,signal\n"
    + "\n".join(f"{name},{' '.join(row)}" for name, row in zip(NAMES, CELLS, strict=True)),
    "joined_without_header.csv": "\n".join(f"{name},{' '.join(row)}" for name, row in zip(NAMES, CELLS, strict=True)),
    "lists_with_decimal_commas.csv": "label;signal\n"
    + "\n".join(f"{name};{comma(' '.join(row))}" for name, row in zip(NAMES, CELLS, strict=True)),
}


@pytest.mark.parametrize("name", READ)
def test_usual_ways_to_write_a_table(tmp_path, name):
    found = read_signals(write(tmp_path, name, READ[name]))
    assert found.labels == tuple(NAMES)
    np.testing.assert_array_equal(np.stack(found.signals)[:, 0], X)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("semicolon_decimal_comma.csv", "decimal commas"),
        ("comments.csv", "2 comment lines left out"),
        ("header_of_savetxt.csv", "header in comment line 1"),
        ("units.csv", "row 2 left out, for it holds units"),
        ("row_names_of_r.csv", "row names left out"),
    ],
)
def test_what_is_found_out_is_said(tmp_path, name, said):
    assert said in read_signals(write(tmp_path, name, READ[name])).layout


@pytest.mark.parametrize("word", ["größe", "Ångström", "l\u2019été"])
def test_western_text_that_is_not_utf_8(tmp_path, word):
    text = table().replace("slow", word)
    found = read_signals(write(tmp_path, "a.csv", text.encode("cp1252")))
    assert found.labels == tuple(word if name == "slow" else name for name in NAMES)
    assert "text taken for Windows-1252" in found.layout
    assert "1252" not in read_signals(write(tmp_path, "a.csv", text)).layout


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("медленно", "cp1251"), ("느린신호", "cp949"), ("ゆっくり", "shift-jis"), ("αργός", "cp1253")],
)
def test_text_of_other_scripts_has_to_be_utf_8(tmp_path, name, encoding):
    with pytest.raises(InputError, match="a.csv, row 2 is not UTF-8 text. Save the file as UTF-8"):
        read_signals(write(tmp_path, "a.csv", table().replace("slow", name).encode(encoding)))


def test_a_file_of_two_encodings_is_refused(tmp_path):
    content = table().replace("slow", "é").encode() + "é,".encode("latin-1") + ",".join(CELLS[0]).encode()
    with pytest.raises(InputError, match="row 10 is not UTF-8 text"):
        read_signals(write(tmp_path, "a.csv", content))


@pytest.mark.parametrize(
    ("cells", "mark", "values"),
    [
        (["1'234.5", "12.25"], ";", [1234.5, 12.25]),
        (["1’234’567", "5"], "\t", [1234567, 5]),
        (["1.234,5", "1.234"], ";", [1234.5, 1234]),
        (["1,234.5", "1,234"], ";", [1234.5, 1234]),
        (["1 234,5", "0,5"], ";", [1234.5, 0.5]),
        (["1\u202f234,5", "-1\u202f234"], "\t", [1234.5, -1234]),
        (["1,234", "0,5"], "\t", [1.234, 0.5]),
        (["1,234", "2,345"], ";", [1.234, 2.345]),
        (["1,5e3", "-,5"], ";", [1500, -0.5]),
        (["0,0", "1e-40", "1e-40", "0,0", "1e-12", "0,5"], ";", [0, 1e-40, 1e-40, 0, 1e-12, 0.5]),
    ],
)
def test_thousands_and_decimal_commas(tmp_path, cells, mark, values):
    rows = "".join(f"{name}{mark}{mark.join(cells)}\n" for name in "ab")
    header = mark.join(["label", *(f"t{at}" for at in range(len(cells)))])
    found = read_signals(write(tmp_path, "a.csv", f"{header}\n{rows}"))
    assert [signal[0].tolist() for signal in found.signals] == [values, values]
    found = read_signals(write(tmp_path, "b.csv", rows))
    assert [signal[0].tolist() for signal in found.signals] == [values, values]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\tt0\tt1\na\t1,234\t2\n", r"row 2, column 2 holds '1,234': its comma may be .* Write 1.234 or 1234"),
        ('label,t0\na,"1,234,567"\n', "row 2, column 2 holds '1,234,567'"),
        ("label;t0;t1\na;0,5;1,5\nb;0.5;1,5\n", "row 3, column 't0' holds '0.5'.* The table has decimal commas"),
        ("label;t0;t1\na;0.5;1.5\nb;0.5;1,5\n", "row 3, column 't1' holds '1,5'"),
        (table().replace(CELLS[3][3], "Inf"), "row 5, column 's3' is infinite. Write NaN"),
        (table().replace(CELLS[3][3], "-1e400"), "row 5, column 's3' is infinite"),
        (table().replace("," + CELLS[3][3], ",#N/A"), "row 5, column 's3' holds '#N/A'.*--missing"),
        (table().replace("," + CELLS[3][3], ",-"), "row 5, column 's3' holds '-'.*--missing"),
        (table().replace("fast", "NaN", 1), "row 3: the label is missing. Write one, or remove the row"),
        (table().replace(",".join(CELLS[2]), "," * 19), "row 4: every sample is missing. Remove the row"),
        (table(header=False).replace("slow,", "slow,rec,"), "no header, and no label is its first or last cell"),
        ("# a,1,2,3\nb,4,2,6\n", "row 1 may be a comment or a signal"),
        ("# a\n# b\n", "is empty: every line begins with # or %"),
        ("label,t0\n1,a,\n2,b,\n", "whether they begin with row names or end with an empty cell"),
        ('label,signal\na,"[0.1 0.2 ... 0.9]"\nb,"[0.1 0.2 ... 0.9]"\n', "cut short with '...'"),
        ('label,t0,t1\na,"1,2\nb,3,4\nc,"5,6\nd,7,8\n', "quote"),
        ("label,t0,t1\na,1,2\nend of data\n", "row 3 has 1 cell, but the header has 3. Mend or remove it"),
        ("label,t0,t1\na,ERR,ERR\na,1,2\n", "row 2, column 't0' holds 'ERR'"),
        (gzip.compress(table().encode(), mtime=0)[:-20], "packed by gzip and damaged"),
        ("a,\x001\n", "row 1 is not UTF-8 text"),
    ],
)
def test_what_cannot_be_known_is_refused_with_its_place(tmp_path, text, message):
    path = write(tmp_path, "a.csv", text)
    said = complaint(path)
    assert re.search(message, said) and said.startswith(str(path))


def test_a_packed_file_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "UNPACKED_SLACK", 0)
    with pytest.raises(InputError, match="a.csv.gz unpacks to more than 10 times its size"):
        read_signals(write(tmp_path, "a.csv.gz", gzip.compress(b"a,1,2\n" + b" " * (1 << 20))))


# A bad cell is its row's


def test_a_bad_cell_leaves_the_other_rows_and_its_column_alone(tmp_path):
    text = [",".join(HEADER[1:]), *map(",".join, CELLS)]
    text[3] = ",".join([*CELLS[2][:7], "ERR", *CELLS[2][8:]])
    text[5] = "," * 19
    text[7] += ",1"
    text[8] = text[8].replace(CELLS[7][0], "inf", 1)
    source = source_of(write(tmp_path, "a.csv", "\n".join(text)))
    assert source.text_columns(source.header) == {"s7": False}
    cells = source.read((), source.header)
    assert list(cells.rows) == list(range(2, 10)) and cells.numbers.dtype == np.float64
    assert list(cells.bad) == [2, 4, 6, 7]
    for index, words in {2: "'s7' holds 'ERR'", 4: "is empty", 6: "has 21 cells", 7: "'s0' is infinite"}.items():
        assert f"a.csv, row {index + 2}" in cells.bad[index] and words in cells.bad[index]
    expected = X.copy()
    expected[list(cells.bad)] = np.nan
    np.testing.assert_array_equal(cells.numbers, expected)


@pytest.mark.parametrize("word", ["ERR", "-", "#N/A"])
def test_words_for_no_value(tmp_path, word):
    text = table().replace("," + CELLS[3][3], "," + word)
    cells = source_of(write(tmp_path, "a.csv", text)).read(["label"], HEADER[1:], frozenset({word}))
    assert not cells.bad and cells.texts["label"] == NAMES
    expected = X.copy()
    expected[3, 3] = np.nan
    np.testing.assert_array_equal(cells.numbers, expected)


def test_a_column_is_text_by_most_of_its_cells(tmp_path):
    rows = ["a,1,x,,1", "b,2,oops,,2", "a,ERR,3,,3", "b,4,y,late,4", "a,5,z,,5"]
    source = source_of(write(tmp_path, "a.csv", "kind,few,many,seldom,none\n" + "\n".join(rows)))
    assert source.text_columns(source.header) == {**{"kind": True, "few": False, "many": True, "seldom": True}}


def test_labels_of_a_table_are_what_its_cells_say(tmp_path):
    names = ["01", "1", "1E1", "10", "007", "1.0"]
    rows = "".join(f"{name},{at},2,3\n" for at, name in enumerate(names))
    assert read_signals(write(tmp_path, "a.csv", "label,v0,v1,v2\n" + rows)).labels == tuple(names)
    archived = read_signals(write(tmp_path, "a.tsv", "1.0000e+00\t3\t2\n01\t4\t2\n"))
    assert archived.labels == ("1", "1")
    found = find_signals(str(write(tmp_path, "a.csv", "label,v0,v1,v2\n" + rows * 2)))
    assert found.classes == ("01", "1", "1.0", "007", "10", "1E1")


@pytest.mark.parametrize("value", [1e-40, 5e-324, 1e39, 1.7e308, 123456789.123456789])
def test_numbers_are_those_of_float64(tmp_path, value):
    text = f"label,v0,v1\nx,{value!r},1\ny,{-value!r},2\n"
    found = read_signals(write(tmp_path, "a.csv", text))
    assert [signal[0, 0] for signal in found.signals] == [value, -value]


def test_the_label_may_stand_behind_the_samples(tmp_path):
    text = "".join(f"{','.join(row)},{name}\n" for name, row in zip(NAMES, CELLS, strict=True))
    found = read_signals(write(tmp_path, "a.csv", text))
    assert found.labels == tuple(NAMES)
    np.testing.assert_array_equal(np.stack(found.signals)[:, 0], X)


def test_lists_of_several_channels_and_lengths(tmp_path):
    text = 'label,x,y\na,"[1, 2, 3]","[4, 5]"\nb,[6],"[7, 8, 9]"\n'
    found = read_signals(write(tmp_path, "a.csv", text))
    np.testing.assert_array_equal(found.signals[0], [[1, 2, 3], [4, 5, np.nan]])
    np.testing.assert_array_equal(found.signals[1], [[6, np.nan, np.nan], [7, 8, 9]])


@pytest.mark.parametrize("name", ["stage 1", "a 2", "walk 1.5"])
def test_a_label_of_two_words_is_one_cell(tmp_path, name):
    found = read_signals(write(tmp_path, "a.csv", f"{name},0.0,0.0\nrun,0.5,0.25\n"))
    assert found.labels == (name, "run")
    assert read_signals(write(tmp_path, "c.csv", f"label\tv0\tv1\n{name}\t0.0\t0.0\n")).labels == (name,)
    assert read_signals(write(tmp_path, "b.csv", f"label,v0,v1\n{name},0.0,0.0\n")).labels == (name,)


@pytest.mark.parametrize("name", ["Y", "t", "step", "id"])
def test_a_class_may_be_called_as_a_column_is(tmp_path, name):
    found = read_signals(write(tmp_path, "a.csv", table(header=False).replace("slow", name)))
    assert found.labels == tuple(name if own == "slow" else own for own in NAMES)


# Dates


@pytest.mark.parametrize(
    "cells",
    [
        ["2026-01-31", "2026-01-31 00:00:01.5", "2026-02-01T00:00:00"],
        ["31.01.2026 00:00", "31.01.2026 00:00:01,5", "01.02.2026 00:00:00"],
        ["01/31/2026 12:00 AM", "1/31/2026 12:00:01.5 am", "02/01/2026 12:00 AM"],
        ["31/01/2026", "31/01/2026 00:00:01.500", "01/02/2026"],
        ["2026/01/31 00:00", "20260131T000001.500", "2026-02-01T00:00"],
        ["2026-01-31T00:00:00Z", "2026-01-31 00:00:01.5+0000", "2026-02-01T02:00:00+02:00"],
        ["1769817600", "1769817601.5", "1769904000"],
    ],
)
def test_dates_in_common_forms(tmp_path, cells):
    found, wrong = moments(tmp_path, [2, 3, 4], cells, "time")
    assert not wrong
    np.testing.assert_allclose(found - found[0], [0, 1.5, 86400])


def test_nanoseconds_are_told_apart(tmp_path):
    whole = ["1769817600000000001", "1769817600000000003"]
    assert np.diff(moments(tmp_path, [2, 3], whole, "time")[0]) == [2]
    dates = ["2026-01-31 00:00:00.000000001", "2026-01-31 00:00:00.000000003"]
    np.testing.assert_allclose(np.diff(moments(tmp_path, [2, 3], dates, "time")[0]), [2e-9])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["01/02/2026", "02/03/2026"], "row 2: column 'time' holds '01/02/2026', which may begin with the day"),
        (["31/01/2026", "01/31/2026"], "of which one begins with the day and one with the month"),
    ],
)
def test_dates_that_may_be_two(tmp_path, cells, message):
    with pytest.raises(InputError, match=message):
        moments(tmp_path, range(2, 2 + len(cells)), cells, "time")


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        (["31.01.26", "01.02.26"], {0: "which is not a date", 1: "which is not a date"}),
        (["2026-01-31", "soon"], {1: "row 3: column 'time' holds 'soon'"}),
        (["1", "x"], {1: "row 3: column 'time' holds 'x', which is not a number"}),
        (["", "1"], {0: "row 2: column 'time' holds '', which is not a number"}),
        (["2026-02-30"], {0: "which is not a date"}),
    ],
)
def test_a_cell_that_is_no_time_is_its_rows(tmp_path, cells, wrong):
    found, reasons = moments(tmp_path, range(2, 2 + len(cells)), cells, "time")
    assert list(reasons) == list(wrong) and all(words in reasons[at] for at, words in wrong.items())
    assert np.flatnonzero(np.isnan(found)).tolist() == list(wrong)


def test_dates_of_one_day_are_in_order_however_they_are_read(tmp_path):
    assert moments(tmp_path, [2, 3], ["01/02/2026 10:00", "01/02/2026 09:00"], "t")[0].tolist() == [3600, 0]


# Files of packages


def frame():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    return pandas, pandas.DataFrame(X, columns=HEADER[1:]).assign(label=NAMES)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_frames(tmp_path, kind):
    _, data = frame()
    path = tmp_path / f"a.{kind}"
    getattr(data, f"to_{kind}")(path)
    found = read_signals(path)
    assert found.labels == tuple(NAMES)
    np.testing.assert_array_equal(np.stack(found.signals)[:, 0], X)


def test_frames_of_lists_and_with_an_index(tmp_path):
    pandas, data = frame()
    pandas.DataFrame({"signal": [row.tolist() for row in X], "label": NAMES}).to_parquet(tmp_path / "lists.parquet")
    found = read_signals(tmp_path / "lists.parquet")
    np.testing.assert_array_equal(np.stack(found.signals)[:, 0], X)
    data.index = pandas.Index([f"r{at}" for at in range(8)], name="rec")
    data.to_parquet(tmp_path / "index.parquet")
    source = FrameSource(tmp_path / "index.parquet")
    assert source.header == ["rec", *HEADER[1:], "label"] and source.text_columns(source.header) == {
        **dict.fromkeys(["rec", "label"], True)
    }
    cells = source.read(["rec", "label"], HEADER[1:])
    assert cells.texts["rec"][7] == "r7"
    np.testing.assert_array_equal(cells.numbers, X)
    pandas.DataFrame({"a": ["1", "x", "3"], "b": [1.0, np.inf, np.nan]}).to_parquet(tmp_path / "bad.parquet")
    cells = FrameSource(tmp_path / "bad.parquet").read((), ["a", "b"])
    assert list(cells.bad) == [1] and "row 2, column 'a' holds 'x'" in cells.bad[1]
    np.testing.assert_array_equal(cells.numbers, [[1, 1], [np.nan] * 2, [3, np.nan]])


def test_workbooks(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    sheet.append(HEADER)
    sheet.append(["-", *["mV"] * 20])
    for name, row in zip(NAMES, X.tolist(), strict=True):
        sheet.append([name, *row])
    book.create_sheet("Notes")
    book.save(tmp_path / "a.xlsx")
    found = read_signals(tmp_path / "a.xlsx")
    assert found.labels == tuple(NAMES)
    np.testing.assert_array_equal(np.stack(found.signals)[:, 0], X)
    assert "sheet 'Data', not 'Notes'" in found.layout and "row 2 left out, for it holds units" in found.layout
    sheet["C5"] = "#N/A"
    book.save(tmp_path / "a.xlsx")
    assert "a.xlsx, row 5, column 's1' holds '#N/A'" in complaint(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="is not an Excel workbook, or it is damaged"):
        read_signals(write(tmp_path, "fake.xlsx", b"PK\x03\x04junk"))


# Arrays

Y = np.arange(8) % 2


@pytest.mark.parametrize(
    ("arrays", "labels", "said"),
    [
        ({"X": X, "y": Y}, Y, "signals in X"),
        ({"x": X, "labels": Y}, Y, "labels in labels"),
        ({"signals": X, "target": np.array(NAMES)}, NAMES, "signals in signals"),
        ({"data": X, "label": np.array(NAMES, "S")}, NAMES, "labels in label"),
        ({"X": X, "y": Y[:, None]}, Y, "labels in y"),
        ({"X": X, "y": np.eye(2)[Y]}, Y, "one-hot"),
        ({"X": X, "y": Y, "fs": np.array(360), "t": np.arange(20) / 360}, Y, "fs, t left out"),
        ({"X": X[..., None], "y": Y}, Y, "(n, length, channels) = (8, 20, 1), 1 channel"),
        ({"X": X, "y": Y, "names": np.array(list("abcdefgh"), object)}, Y, "names left out"),
    ],
)
def test_npz_of_others(tmp_path, arrays, labels, said):
    np.savez(tmp_path / "a.npz", **arrays)
    found = read_signals(tmp_path / "a.npz")
    assert found.labels == tuple(map(str, labels)) and said in found.layout
    np.testing.assert_array_equal(np.stack(found.signals)[:, 0], X)


def test_npz_with_the_channels_at_the_end(tmp_path):
    both = np.stack([X, -X], axis=-1)
    np.savez(tmp_path / "a.npz", X=both, y=Y)
    np.testing.assert_array_equal(np.stack(read_signals(tmp_path / "a.npz").signals), both.transpose(0, 2, 1))
    np.savez(tmp_path / "a.npz", X=np.ones((8, 12, 10)), y=Y)
    with pytest.raises(InputError, match=r"12 channels of 10 samples, or 10 channels of 12 .*X.transpose\(0, 2, 1\)"):
        read_signals(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "names",
    [
        ("X_train", "y_train", "X_test", "y_test"),
        ("x_train", "labels_train", "x_test", "labels_test"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("train_data", "train_labels", "test_data", "test_labels"),
        ("X_tr", "y_tr", "X_te", "y_te"),
    ],
)
def test_npz_of_two_parts(tmp_path, names):
    path = tmp_path / "a.npz"
    np.savez(path, **dict(zip(names, (X, Y, X[:4] + 1, Y[:4]), strict=True)))
    found = find_signals(str(path))
    np.testing.assert_array_equal(np.stack(found.train.signals)[:, 0], X)
    np.testing.assert_array_equal(np.stack(found.test.signals)[:, 0], X[:4] + 1)
    assert found.test.labels.tolist() == Y[:4].tolist()
    with pytest.raises(InputError, match="holds 2 parts, train, test. Save the signals that are meant as X"):
        read_signals(path, labelled=False)
    np.savez(path, **{names[0]: X})
    with pytest.raises(InputError, match="has no array y_train"):
        find_signals(str(path))


@pytest.mark.parametrize("word", ["val", "valid", "validation", "dev"])
def test_npz_with_a_part_to_validate_on(tmp_path, word):
    np.savez(tmp_path / "a.npz", X_train=X, y_train=Y, **{f"X_{word}": X[:4] + 1, f"y_{word}": Y[:4]})
    found = find_signals(str(tmp_path / "a.npz"))
    assert found.test is None and len(found.train) == 8
    np.testing.assert_array_equal(np.stack(found.validation.signals)[:, 0], X[:4] + 1)


@pytest.mark.parametrize("shape", [(8, 20), (8, 2, 10)])
def test_npy_is_for_prediction(tmp_path, shape):
    np.save(tmp_path / "a.npy", X.reshape(shape))
    found = read_signals(tmp_path / "a.npy", labelled=False)
    np.testing.assert_array_equal(np.stack(found.signals).reshape(8, 20), X)
    with pytest.raises(InputError, match=r"a.npy has no labels, only signals. .*numpy.savez\('signals.npz', X="):
        read_signals(tmp_path / "a.npy")


def test_npy_of_other_things(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[1], [1, 2]], object))
    with pytest.raises(InputError, match="Python objects.*fill them up with NaN"):
        read_signals(tmp_path / "a.npy", labelled=False)
    np.save(tmp_path / "a.npy", X[0])
    with pytest.raises(InputError, match="A single signal is"):
        read_signals(tmp_path / "a.npy", labelled=False)
    with pytest.raises(InputError, match="is not an NPY file, or it is damaged"):
        read_signals(write(tmp_path, "a.npy", "x"), labelled=False)


def test_npz_of_objects_names_the_array_and_the_cure(tmp_path):
    ragged = np.array([row[: 9 + at] for at, row in enumerate(X)], object)
    np.savez(tmp_path / "a.npz", X=ragged, y=Y)
    with pytest.raises(InputError, match="X holds Python objects.*fill them up with NaN"):
        read_signals(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", X=X, y=np.array(NAMES, object))
    with pytest.raises(InputError, match=r"y holds Python objects.*y.astype\(str\)"):
        read_signals(tmp_path / "a.npz")


# Files of others


def foreign_files(folder):
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((X[0] * 9000).astype("<i2").tobytes())
    yield "a.wav", "is read as a recording"
    for name, content, cure in (
        ("100.hea", "100 2 360 650000\n100.dat 212 200 11 1024 995 -22131 0 MLII\n", "is read as a recording"),
        ("a.edf", b"0       " + b" " * 248, "is read as a recording"),
        ("m.mat", b"MATLAB 5.0 MAT-file", "signal a row, save those with numpy.savez"),
        ("h.h5", b"\x89HDF\r\n\x1a\n", "signal a row, save those with numpy.savez"),
        ("j.json", json.dumps({"X": X.tolist()}), "json.load"),
        ("p.pkl", b"\x80\x04N.", "may run any code"),
        ("a.xls", b"\xd0\xcf\x11\xe0", ".xlsx"),
        ("a.zip", b"PK\x05\x06", "unpack it"),
    ):
        write(folder, name, content)
        yield name, cure


def test_files_of_others_are_refused_with_what_to_do(tmp_path):
    for name, cure in foreign_files(tmp_path):
        with pytest.raises(InputError, match=cure) as caught:
            read_signals(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name))


# What takes long only where the work grows faster than the file


def test_long_lines_and_many_columns(tmp_path):
    wide = [f"v{at}" for at in range(30_000)]
    row = ",".join(["0.25"] * 30_000)
    found = read_signals(write(tmp_path, "a.csv", ",".join(["label", *wide]) + f"\na,{row}\nb,{row}\n"))
    assert [signal.shape for signal in found.signals] == [(1, 30_000)] * 2
    listed = "label,signal\n" + "".join(f"{name},{row.replace(',', ' ')}\n" for name in "ab")
    assert read_signals(write(tmp_path, "a.csv", listed)).signals[0].sum() == 7500


@pytest.mark.parametrize(
    "text",
    [
        "a," + "1" * 300_000 + "x,2\n",
        "label," + "_" * 300_000 + "x,b\na,1,2\n",
        "label,t0\na," + "1_" * 150_000 + "\n",
        "label,t0\na," + "1'234" * 60_000 + "\n",
    ],
)
def test_cells_that_nearly_match_take_no_longer(tmp_path, text):
    with pytest.raises(InputError):
        read_signals(write(tmp_path, "a.csv", text), labelled=True, target="none")


def test_many_colons_of_a_timed_file(tmp_path):
    text = "@timeStamps true\n@classLabel true a\n@data\n" + "(10:00,1)" + ":" * 200_000 + "a\n"
    with pytest.raises(InputError, match="row 5 has 200,000 dimensions"):
        read_signals(write(tmp_path, "a.ts", "@dimension 2\n" + text))


# The same table in any dialect

finite = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e-40, 1e39, -1e300, 1234.0, 1.234, 12345.678]))
word = (
    st.text("abcXYZ-é ß1.", min_size=1, max_size=6)
    .map(str.strip)
    .filter(lambda text: text.lower() not in ("", "-", ".") and not text[0].isdigit() and text[0] not in "-. ")
)


@st.composite
def dialects(draw):
    mark = draw(st.sampled_from([",", ";", "\t", "|"]))
    return {
        "mark": mark,
        "decimal": draw(st.sampled_from([".", ","])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
        "packed": draw(st.booleans()),
        "comments": draw(st.integers(0, 2)),
        "header": draw(st.booleans()),
        "blank": draw(st.booleans()),
    }


def written(values, labels, way):
    """The bytes of a table in a dialect, by the csv module."""
    rows = [
        [label, *(repr(float(value)).replace(".", way["decimal"]) for value in row)]
        for row, label in zip(values, labels, strict=True)
    ]
    header = [["label", *(f"v{at}" for at in range(len(values[0])))]] if way["header"] else []
    text = io.StringIO()
    for row in (*header, *rows):
        csv.writer(text, delimiter=way["mark"], quoting=way["quoting"], lineterminator=way["end"]).writerow(row)
        text.write(way["end"] if way["blank"] else "")
    content = (f"# of a device{way['end']}" * way["comments"] + text.getvalue()).encode(way["encoding"])
    return gzip.compress(content) if way["packed"] else content


@settings(deadline=None, max_examples=200)
@given(st.data(), dialects())
def test_a_table_is_the_same_in_every_dialect_or_refused(tmp_path_factory, data, way):
    width = data.draw(st.integers(2, 12))
    values = data.draw(st.lists(st.lists(finite, min_size=width, max_size=width), min_size=1, max_size=5))
    labels = data.draw(st.lists(word, min_size=len(values), max_size=len(values)))
    steps = np.diff(values[0])
    even = width > 2 and np.ptp(steps) <= 1e-5 * abs(steps[0])
    whole = len(set(values[0])) == width and all(value.is_integer() for value in values[0])
    assume(way["header"] or not (even or whole))  # or it looks like label,0,1,2
    path = write(tmp_path_factory.mktemp("dialect"), "a.csv", written(values, labels, way))
    try:
        found = read_signals(path)
    except InputError as error:
        assert str(error).startswith(str(path))
        plain = way["decimal"] == "." and way["header"]
        assert not plain, error  # what every program reads is read
        return
    assert found.labels == tuple(labels)
    np.testing.assert_array_equal(np.stack(found.signals)[:, 0], np.array(values))


def test_formulas_that_were_never_computed_are_no_gaps(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["label", *(f"v{at}" for at in range(12))])
    for row in range(8):
        book.active.append(["ab"[row % 2], *(0.1 * at + row for at in range(12))])
    book.save(tmp_path / "whole.xlsx")
    assert read_signals(tmp_path / "whole.xlsx").signals[0].shape == (1, 12)
    book.active["H4"] = None
    book.save(tmp_path / "gap.xlsx")
    assert np.isnan(read_signals(tmp_path / "gap.xlsx").signals[2][0, 6])
    book.active["H5"] = "=0.3*2"
    book.save(tmp_path / "formula.xlsx")
    with pytest.raises(InputError, match="cell H5 holds a formula that was never computed. Open it in Excel, and save"):
        read_signals(tmp_path / "formula.xlsx")
