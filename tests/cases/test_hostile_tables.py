"""Packed tables and recordings that a stranger made: what they claim is weighed, and they open no other file."""

import os
import struct
import warnings
import wave
import zipfile
import zlib

import numpy as np
import pytest
from bounded import outcome

from googlenet.data.signals.files import read_file
from googlenet.data.signals.recordings.annotations import read_annotations
from googlenet.data.signals.recordings.readers.formats import open_recording, open_recordings
from googlenet.data.signals.recordings.recording import Recording
from googlenet.errors import InputError

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def table(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read_file(path, labelled=False)


def recording(path):
    found = open_recording(path, 250.0)
    found.read(0, min(found.length, 1000))


def recordings(path):
    open_recordings(path, 250.0)


ROWS = 20_000_000
TABLES = {
    "zeros": lambda: pa.table({"x": pa.array(np.zeros(ROWS)), "y": pa.array(np.zeros(ROWS))}),
    "long texts": lambda: pa.table({"x": pa.array(["a" * 1_000_000] * 180)}),
    "a long text in a dictionary": lambda: pa.table(
        {"x": pa.DictionaryArray.from_arrays(np.zeros(2_000, np.int32), ["a" * 200_000])}
    ),
    "a long text of a million rows": lambda: pa.table(
        {"class": pa.DictionaryArray.from_arrays(np.zeros(10**6, np.int32), ["a" * 200_000]), "x": np.zeros(10**6)}
    ),
    "a list of zeros": lambda: pa.table({"x": pa.array([np.zeros(2 * ROWS)]), "y": ["a"]}),
    "lists of all lengths": lambda: pa.table({"x": pa.array([np.zeros(9_000), *[np.zeros(1)] * 9_000])}),
}


@pytest.mark.slow
@pytest.mark.parametrize("made", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("end", [".parquet", ".feather"])
def test_a_packed_table_takes_no_more_than_its_size_is_worth(tmp_path, made, end):
    path = tmp_path / f"x{end}"
    if end == ".parquet":
        parquet.write_table(made(), path, compression="zstd")
    else:
        with pa.OSFile(str(path), "wb") as file:
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with pa.ipc.new_file(file, made().schema, options=options) as writer:
                writer.write_table(made())
    assert path.stat().st_size < 5_000_000
    assert "x" + end in outcome(table, path)
    if end == ".parquet":
        assert "x" + end in outcome(recordings, path)


@pytest.mark.parametrize("end", [".parquet", ".feather", ".xlsx", ".mat", ".h5", ".edf", ".wav", ".flac", ".npz"])
@pytest.mark.parametrize(
    "content", [b"ARROW1\0\0" + b"\xff" * 64 + b"ARROW1", b"PAR1" + b"\xff" * 40 + b"PAR1", b"PK\3\4" * 9]
)
def test_what_is_damaged_is_a_sentence(tmp_path, end, content):
    path = tmp_path / f"x{end}"
    path.write_bytes(content)
    assert "x" + end in outcome(recording if end in (".mat", ".h5", ".edf", ".wav", ".flac") else table, path)


HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def workbook(path, sheet, **parts):
    """A workbook whose first sheet, or another part, is that text."""
    openpyxl = pytest.importorskip("openpyxl")
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path) as old:
        kept = {name: old.read(name) for name in old.namelist()}
    kept["xl/worksheets/sheet1.xml"] = (HEAD + sheet + "</worksheet>").encode()
    kept |= {name.replace("__", "/") + ".xml": text.encode() for name, text in parts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, text in kept.items():
            new.writestr(name, text)
    return path


CELL = '<row r="{0}"><c r="{1}{0}"><v>1</v></c></row>'
SHEETS = {
    "a claim of all cells": '<dimension ref="A1:XFD1048576"/><sheetData>' + CELL.format(1, "A") + "</sheetData>",
    "a cell far down": "<sheetData>" + CELL.format(1, "A") + CELL.format(10**12, "A") + "</sheetData>",
    "a cell down in the sheet": "<sheetData>" + CELL.format(1, "A") + CELL.format(900_000, "D") + "</sheetData>",
    "cells far right": "<sheetData>" + "".join(CELL.format(at, "XFD") for at in range(1, 9_000)) + "</sheetData>",
    "millions of cells": "<sheetData>" + ("<row>" + "<c/>" * 1_000 + "</row>") * 5_000 + "</sheetData>",
    "entities": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><sheetData/>',
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_a_workbook_is_as_large_as_its_cells(tmp_path, sheet):
    said = outcome(table, workbook(tmp_path / "x.xlsx", sheet))
    assert "x.xlsx" in said or not said


def test_texts_of_a_workbook_are_counted(tmp_path):
    texts = "<sst>" + "<si/>" * 3_000_000 + "</sst>"
    assert "x.xlsx" in outcome(table, workbook(tmp_path / "x.xlsx", "<sheetData/>", xl__sharedStrings=texts))


# ------------------------------------------------------------------------------------------------ recordings
@pytest.mark.parametrize("name", ["../x.dat", "/etc/passwd", "http://x/y", "a/b.dat", "..", "pipe.dat", "s3://a"])
def test_a_header_names_files_beside_it_alone(tmp_path, name):
    pytest.importorskip("wfdb")
    os.mkfifo(tmp_path / "pipe.dat")
    path = tmp_path / "x.hea"
    path.write_text(f"x 1 250 100\n{name} 16 200 16 0 0 0 0 I\n")
    assert str(tmp_path) in outcome(recording, path)
    path.write_text(f"x/2 1 250 100\n{name} 50\n{name} 50\n")
    assert "x.hea" in outcome(recording, path)


@pytest.mark.parametrize("line", ["x 1 250 999999999999", "x 99999 250 99999999", "x/2 1 250 100\nx 50\nx 50"])
def test_a_header_says_no_more_than_its_files_hold(tmp_path, line):
    pytest.importorskip("wfdb")
    (tmp_path / "x.dat").write_bytes(bytes(200))
    (tmp_path / "x.hea").write_text(line + ("" if "/" in line else "\nx.dat 16 200 16 0 0 0 0 I") + "\n")
    assert "x.hea" in outcome(recording, tmp_path / "x.hea")


def hdf5(path, kind):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        if kind == "virtual":
            layout = h5py.VirtualLayout((2, 100), "f8")
            layout[:] = h5py.VirtualSource("other.h5", "x", (2, 100))
            file.create_virtual_dataset("x", layout)
        elif kind == "external":
            file.create_dataset("x", (2, 100), "u1", external=[("/etc/passwd", 0, 200)])
        elif kind == "link":
            file["x"] = h5py.ExternalLink("other.h5", "x")
        elif kind == "one piece":
            file.create_dataset("x", (2, 10_000_000), "f8", chunks=(2, 10_000_000), compression=1)[:, :9] = 0
        elif kind == "nothing stored":
            file.create_dataset("x", (2, 10**15), "f8", chunks=(2, 1000))
        else:
            group = file
            for _ in range(3_000):
                group = group.create_group("g")
            group["x"] = np.zeros((2, 100))
    return path


@pytest.mark.parametrize("kind", ["virtual", "external", "link", "one piece", "nothing stored", "deep"])
def test_hdf5_opens_no_other_file_and_claims_what_it_holds(tmp_path, kind):
    assert "x.h5" in outcome(recording, hdf5(tmp_path / "x.h5", kind))


@pytest.mark.parametrize("inside", [8, 0])
def test_a_file_of_matlab_that_unpacks_a_thousandfold_is_refused(tmp_path, inside):
    rows = 60_000_000
    flags = struct.pack("<IIII", 6, 8, 6, 0)
    shape = struct.pack("<IIii", 5, 8, 2, rows // 2)
    numbers = struct.pack("<HHI", 1, 1, ord("x")) + struct.pack("<II", 9, 8 * rows if inside else 0)
    packer = zlib.compressobj(1)
    head = struct.pack("<II", 14, len(flags + shape + numbers) + inside * rows) + flags + shape + numbers
    packed = packer.compress(head) + b"".join(packer.compress(bytes(1_000_000)) for _ in range(300)) + packer.flush()
    path = tmp_path / "x.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + struct.pack("<II", 15, len(packed)) + packed)
    assert "x.mat" in outcome(recording, path)


@pytest.mark.parametrize(("channels", "width", "rate"), [(65_535, 4, 8_000), (1, 1, 2**32 - 1), (1, 3, 0), (1, 9, 100)])
def test_a_wave_of_a_strange_header_is_read_or_refused(tmp_path, channels, width, rate):
    path = tmp_path / "x.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(2_000))
    content = bytearray(path.read_bytes())
    content[22:24], content[24:28] = struct.pack("<H", channels), struct.pack("<I", rate)
    content[34:36], content[40:44] = struct.pack("<H", 8 * width), struct.pack("<I", 2**31)
    path.write_bytes(content)
    said = outcome(recording, path)
    assert "x.wav" in said or not said


@pytest.mark.parametrize(("place", "text"), [(252, b"9999"), (252, b"-5  "), (236, b"99999999"), (472, b"-9      ")])
def test_an_edf_of_a_strange_header_is_refused(tmp_path, place, text):
    pytest.importorskip("edfio")
    fields = [
        (b"0", 8),
        (b"X", 160),
        (b"01.01.0100.00.00", 16),
        (b"512", 8),
        (b"", 44),
        (b"10", 8),
        (b"1", 8),
        (b"1", 4),
    ]
    signal = [
        (b"a", 16),
        (b"", 80),
        (b"uV", 8),
        (b"-1", 8),
        (b"1", 8),
        (b"-9", 8),
        (b"9", 8),
        (b"", 80),
        (b"50", 8),
        (b"", 32),
    ]
    content = bytearray(b"".join(value.ljust(width) for value, width in (*fields, *signal)) + bytes(1_000))
    content[place : place + len(text)] = text
    (tmp_path / "x.edf").write_bytes(content)
    assert "x.edf" in outcome(recording, tmp_path / "x.edf")


@pytest.mark.parametrize("kind", ["pipe", "damaged", "nothing"])
@pytest.mark.parametrize("name", ["marks.edf", "marks.bdf"])
def test_marks_alone_in_a_file_are_read_as_carefully_as_recordings(tmp_path, name, kind):
    pytest.importorskip("edfio")
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "damaged":  # annotations that are no UTF-8
        fields = {0: b"0", 184: b"512", 236: b"1", 244: b"1", 252: b"1", 256: b"EDF Annotations", 472: b"10"}
        content = bytearray(b" " * 512)
        for place, text in fields.items():
            content[place : place + len(text)] = text
        path.write_bytes(bytes(content) + b"\xff" * 30)
    alone = Recording(tmp_path / "a.wav", ("a",), 100.0, 1000, lambda start, stop: np.zeros((1, stop - start)))
    with pytest.raises(InputError, match=name):
        read_annotations(path, [alone])
