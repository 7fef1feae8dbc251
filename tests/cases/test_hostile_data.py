"""Arrays and tables that a stranger made to exhaust whoever reads them: one sentence, in bounded memory."""

import io
import struct
import zipfile

import numpy as np
import pytest
from bounded import outcome

from googlenet.data.find import find_data
from googlenet.data.images.preprocessing import ImagePreprocessing
from googlenet.data.signals.files import read_file
from googlenet.data.volumes.preprocessing import VolumePreprocessing


def header(shape, descr="<f4", version=1, fortran=False):
    """Of an array of NumPy's, whatever it says."""
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text


def packed(path, zeros=0, *, method=zipfile.ZIP_DEFLATED, **arrays):
    """An NPZ of headers, each followed by so many zeros."""
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        for name, begins in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                file.write(begins)
                for _ in range(zeros // 1_000_000):
                    file.write(bytes(1_000_000))
    return path


def altered(path, what, value):
    """An NPZ whose directory says something else of its first file: at a place of its record."""
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + what
    content[at : at + len(value)] = value
    path.write_bytes(content)
    return path


# Headers that claim what is not there, or what would take all memory or all time.
CLAIMS = {
    "a large shape": header((2, 10**12)),
    "no channel of many samples": header((10**18, 0)),
    "many of nothing": header((0, 10**18), "<U0"),
    "a shape beyond 64 bits": header((2**40, 2**40)),
    "below zero": header((-1, 4)),
    "a large type": header((2, 2), "<U100000000"),
    "a type of no size": header((10**12,), "|V0"),
    "a type in a type": header((2, 2), ("<f4", (10**4, 10**4))),
    "turned axes": header((10**6, 10**6), fortran=True),
    "a long header": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{" * 64,
    "a long header, version 3": b"\x93NUMPY\x03\x00" + struct.pack("<I", 2**31) + b"{" * 64,
    "a deep header": b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"-" * 9000,
    "a header of brackets": b"\x93NUMPY\x01\x00" + struct.pack("<H", 60_000) + b"(" * 60_000,
    "objects": header((2, 2), "|O"),
    "cut": header((2, 40)) + bytes(3),
}


def as_signals(path):
    read_file(path, labelled=False)


def as_recording(path):
    from googlenet.data.signals.recordings.readers.formats import open_recording

    open_recording(path, 250.0)


def as_data(path):
    find_data(str(path))


def as_pictures(path):
    refused(ImagePreprocessing().examples(path, "x"))


def as_volumes(path):
    refused(VolumePreprocessing(1, (8, 8, 8), True, (0.0,), (1.0,)).examples(path, "x"))


def refused(examples):
    from googlenet.errors import InputError

    for example in examples:
        if example.error:
            raise InputError(example.error)


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("read", [as_signals, as_recording])
def test_an_array_that_claims_too_much_is_refused_by_its_header(tmp_path, claim, read):
    path = tmp_path / "x.npy"
    path.write_bytes(claim)
    assert str(path) in outcome(read, path)


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("read", [as_signals, as_data, as_pictures, as_volumes])
def test_an_archive_is_refused_by_the_headers_in_it(tmp_path, claim, read):
    assert "x.npz" in outcome(read, packed(tmp_path / "x.npz", X=claim, y=header((2,)) + bytes(8)))


@pytest.mark.parametrize("read", [as_signals, as_data, as_pictures, as_volumes])
@pytest.mark.parametrize("name", ["X", "junk", "train_images"])
def test_an_archive_that_unpacks_a_thousandfold_is_refused_before_it_is_unpacked(tmp_path, read, name):
    path = packed(tmp_path / "x.npz", 150_000_000, **{name: header((2, 18_750_000))})
    assert path.stat().st_size < 1_000_000
    assert "far more than such files do" in outcome(read, path)


@pytest.mark.parametrize(
    ("shape", "descr"),
    [
        ((30_000_000, 2, 2), "|u1"),
        ((120_000_000, 1, 1), "|u1"),
        ((30_000_000, 4), "|u1"),
        ((20_000_000, 1, 1, 3), "|u1"),
    ],
)
@pytest.mark.parametrize("read", [as_signals, as_data, as_pictures])
def test_many_tiny_examples_are_weighed_with_what_stands_around_them(tmp_path, shape, descr, read):
    path = packed(
        tmp_path / "x.npz", 120_000_000, train_images=header(shape, descr), train_labels=header(shape[:1], descr)
    )
    assert "x.npz" in outcome(read, path)


def test_pictures_of_a_pixel_are_weighed_as_they_are_enlarged(tmp_path):
    draws = np.random.default_rng(0)
    path = tmp_path / "x.npz"
    np.savez(path, train_images=draws.integers(0, 255, (2_000, 1, 5), np.uint8), train_labels=np.arange(2_000) % 2)
    assert outcome(as_data, path) == ""
    many = {"train_images": header((50_000, 1, 65), "|u1"), "train_labels": header((50_000,), "|u1")}
    assert "split them" in outcome(as_data, packed(tmp_path / "x.npz", 4_000_000, **many))


# Places in the record of a file in an archive's directory, and what stands there.
LIES = {
    "unpacked size": (24, struct.pack("<I", 2**32 - 2)),
    "packed size": (20, struct.pack("<I", 2**32 - 2)),
    "zip64 without a field": (24, b"\xff\xff\xff\xff"),
    "encrypted": (8, b"\x01\x00"),
    "LZMA": (10, struct.pack("<H", 14)),
    "bzip2": (10, struct.pack("<H", 12)),
    "no method": (10, struct.pack("<H", 77)),
    "its place": (42, struct.pack("<I", 2**31)),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_directory_that_lies_is_a_sentence(tmp_path, lie):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, X=np.zeros((4, 8)), y=np.arange(4))
    assert "x.npz" in outcome(as_data, altered(path, *lie))


def test_files_of_an_archive_that_lie_over_each_other_count_each(tmp_path):
    path = packed(tmp_path / "x.npz", 4_000_000, a=header((2, 500_000)))
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    record, count = content[start:end], 200
    closing = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(record) * count, start, 0)
    path.write_bytes(content[:start] + record * count + closing)
    assert "x.npz" in outcome(as_data, path)


def test_an_archive_of_thousands_of_arrays_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number}.npy", b"")
    assert "20,000 arrays" in outcome(as_data, path)


def test_arrays_that_are_what_they_say_are_read_however_well_they_pack(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, X=np.repeat(np.arange(200.0), 64).reshape(200, 64), y=np.arange(200) % 2)
    assert outcome(as_data, path) == ""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asfortranarray(np.arange(64.0).reshape(2, 32)), version=(3, 0))
    (tmp_path / "x.npy").write_bytes(file.getvalue())
    assert outcome(as_signals, tmp_path / "x.npy") == ""
