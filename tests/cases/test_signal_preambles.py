"""What instruments write above a table is none of it; and rows of unequal length are no such thing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import same_signals, write
from googlenet.data.signals.files import read_signals

WIDE = ["label,v0,v1,v2,v3", *(f"{'walk' if n % 2 else 'run'},{n}.5,0.25,-1,{n}" for n in range(6))]
COUNTED = ["label," + ",".join(map(str, range(12)))]
COUNTED += [f"{'walk' if n % 2 else 'run'}," + ",".join(f"{n}.{at}" for at in range(12)) for n in range(6)]
LONG = [
    "id,time,x,label",
    *(f"{n},{t / 100},{n + t / 4},{'walk' if n % 2 else 'run'}" for n in range(4) for t in range(9)),
]
R_ROWS = ["v0,v1,v2,v3,label", *(f"{n + 1},{n}.5,0.25,-1,{n},{'walk' if n % 2 else 'run'}" for n in range(6))]
TABLES = {"wide": WIDE, "names that count": COUNTED, "long": LONG, "names of rows": R_ROWS}
ABOVE = ["Device: MX200", "Subject,S01", "Date,2024-01-02", "Rate (Hz),250", "Rate,250,Hz", "", "Exported by Lab"]


def read(tmp_path, lines):
    return read_signals(write(tmp_path, "a.csv", "\n".join(lines) + "\n"))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(TABLES)),
    above=st.lists(st.sampled_from(ABOVE), min_size=1, max_size=9),
    padded=st.booleans(),
)
def test_lines_above_the_header_change_nothing(tmp_path_factory, name, above, padded):
    lines = TABLES[name]
    commas = lines[-1].count(",")
    padding = [line + "," * (commas - line.count(",")) if padded and line else line for line in above]
    expected = read(tmp_path_factory.mktemp("plain"), lines)
    table = read(tmp_path_factory.mktemp("above"), [*padding, *lines])
    same_signals(table.signals, [signal.tolist() for signal in expected.signals])
    assert table.labels == expected.labels
    assert not table.bad
    if any(above):
        assert "above the header left out" in table.layout


def test_they_are_counted(tmp_path):
    table = read(tmp_path, ["Device: MX200", "Subject,S01", *LONG])
    assert table.layout.endswith(", 2 rows above the header left out")
    assert [name.rpartition(":")[2] for name in table.names] == ["4", "13", "22", "31"]  # rows of the file


def test_of_a_workbook_too(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in ["Device: MX200", "Subject,S01", "", *WIDE]:
        book.active.append([float(cell) if cell[-1:].isdigit() and cell[0] in "-0123456789" else cell or None
                            for cell in line.split(",")])  # fmt: skip
    book.save(tmp_path / "a.xlsx")
    table = read_signals(tmp_path / "a.xlsx")
    assert table.labels == ("run", "walk") * 3
    np.testing.assert_array_equal(table.signals[1], [[1.5, 0.25, -1, 1]])


@pytest.mark.parametrize(
    "lines",
    [
        ["walk,1", "run,2,3,4,5", "walk,5,6,7,8", "run,3,4,5,6", "walk,1,2,3,1"],
        ["1,1", "2,2,3,4", "1,5,6,7", "2,5,6,7"],
        ["walk,1", "run,x,3,4,5", "walk,5,6,7,8", "run,3,4,5,6"],
    ],
)
def test_rows_of_unequal_length_are_all_signals(tmp_path, lines):
    path = write(tmp_path, "a.txt", "\n".join(lines) + "\n")
    table = read_signals(path)
    assert len(table.signals) + len(table.bad) == len(lines)
    assert "left out" not in table.layout


@pytest.mark.parametrize("word", ["NA", "n/a", "null", "None", "-"])
def test_a_label_that_may_say_that_there_is_none_is_said(tmp_path, word):
    lines = [*WIDE, f"{word},1,2,3,4", f"{word},1,2,3,5"]
    (note,) = read(tmp_path, lines).notes
    assert (
        note == f"2 rows have the label {word!r}, taken for a class. If it says that there is none: --missing {word}."
    )
    assert not read(tmp_path, WIDE).notes
