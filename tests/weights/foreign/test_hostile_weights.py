"""Weights of strangers that would take gigabytes, hours or run code: a sentence, before anything of their size is made.

Each file is small; what it asks for is not. Memory is bounded in a child process, work by counting.
"""

import io
import struct
import subprocess
import sys
import zipfile
from itertools import islice

import numpy as np
import pytest
import torch

from googlenet import InputError
from googlenet.limits import FIELDS, KEY, OPERATIONS
from googlenet.weights import formats
from googlenet.weights.checkpoint import read_tensors, write_tensors
from googlenet.weights.create import create_model, save_weights
from googlenet.weights.foreign.caffe import binary
from googlenet.weights.foreign.protobuf import LENGTH, Damaged, encoded, field, key
from googlenet.weights.foreign.pytorch.state_dicts import saved, state_dict_of, tensors_of
from googlenet.weights.foreign.tensorflow import leveldb_table, tensor_bundle
from googlenet.weights.foreign.tensorflow.crc32c import crc32c, masked
from googlenet.weights.identity import identify

NAMES = [f"inception{module}.branch1.conv.weight" for module in ("3a", "3b", "4a", "4b")]


def torchvision_file(path, **changes):
    """A file of torchvision's network with tensors exchanged."""
    from torchvision.models import googlenet

    state = googlenet(weights=None, num_classes=3, aux_logits=False, init_weights=False).state_dict()
    torch.save(state | {name.replace("__", "."): tensor for name, tensor in changes.items()}, path)
    return path


# ------------------------------------------------------------------------------------------------- PyTorch's
def test_a_zip_of_a_version_that_nobody_reads_is_a_sentence(tmp_path):
    whole = io.BytesIO()
    torch.save({"conv.weight": torch.zeros(2)}, whole)
    content = bytearray(whole.getvalue())
    content[content.rindex(b"PK\x01\x02") + 6] = 255  # the version that is needed to read a part
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(InputError):
        formats.read(tmp_path / "x.pth")


def test_a_tensor_without_strides_is_no_tensor_of_a_file(tmp_path):
    wide = torch.zeros(1).expand(4_000_000, 1024)
    path = torchvision_file(tmp_path / "x.pth", fc__weight=wide, fc__bias=torch.zeros(1).expand(4_000_000))
    with pytest.raises(InputError, match=r"it lacks fc\.weight"):
        formats.read(path)
    assert "fc.weight" not in tensors_of(path)


def test_tensors_that_share_their_numbers_are_refused(tmp_path):
    shared = torch.zeros(1_000_000)
    torch.save(dict.fromkeys(NAMES, shared) | {"fc.weight": shared}, tmp_path / "x.pth")
    with pytest.raises(InputError, match="its tensors share them"):
        state_dict_of(tmp_path / "x.pth", NAMES, "a network")


def test_dictionaries_in_each_other_are_counted(tmp_path, monkeypatch):
    """Ten levels of a thousand names for one dictionary would be 10^30 of them."""
    inner = {"a": torch.zeros(1)}
    for _ in range(10):
        inner = {f"k{at}": inner for at in range(1000)}
    torch.save(inner, tmp_path / "x.pth")
    looked = []
    from googlenet.weights.foreign.pytorch import state_dicts

    found = state_dicts._dictionaries
    monkeypatch.setattr(state_dicts, "_dictionaries", lambda *args: looked.append(1) or found(*args))
    tensors_of(tmp_path / "x.pth")
    assert len(looked) < 10_000


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "packed in part"])
def test_an_archive_that_unpacks_is_refused(tmp_path, packed):
    torch.save({"a": torch.zeros(10_000_000)}, tmp_path / "whole.pth")
    with zipfile.ZipFile(tmp_path / "whole.pth") as whole, zipfile.ZipFile(tmp_path / "x.pth", "w") as small:
        for name in whole.namelist():
            kind = zipfile.ZIP_DEFLATED if packed or "/data/" in name else zipfile.ZIP_STORED
            small.writestr(name, whole.read(name), kind)
    assert (tmp_path / "x.pth").stat().st_size < 100_000
    with pytest.raises(InputError, match="not a file of plain tensors"):
        saved(tmp_path / "x.pth")


@pytest.mark.parametrize(
    "old", [pytest.param(True, marks=pytest.mark.slow), False], ids=["before PyTorch 1.6", "of today"]
)
def test_a_pickle_of_millions_of_operations_is_refused(tmp_path, old):
    content = b"\x80\x02" + b"]" * (OPERATIONS + 10) + b"."
    path = tmp_path / "x.pth"
    if old:
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", content)
            archive.writestr("archive/version", "3\n")
    with pytest.raises(InputError, match="not a file of plain tensors"):
        saved(path)


def test_a_file_that_is_a_tar_too_is_no_archive_for_pytorch(tmp_path, monkeypatch):
    """PyTorch would unpack it to the disk."""
    import tarfile

    monkeypatch.setattr(tarfile, "open", lambda *_, **__: pytest.fail("it was opened as an archive"))
    path = tmp_path / "x.pth"
    path.write_bytes(b"\x80\x02storages".ljust(512, b"\0") + b"\0" * 1024)
    with pytest.raises(InputError, match="not a file of plain tensors"):
        saved(path)


def test_code_in_a_pickle_is_named_and_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    for path, write in ((tmp_path / "new.pth", torch.save), (tmp_path / "old.pth", _legacy)):
        write({"a": Evil()}, path)
        with pytest.raises(InputError, match="code in it would have to be run"):
            saved(path)


def _legacy(value, path):
    torch.save(value, path, _use_new_zipfile_serialization=False)


def test_a_tensor_without_data_is_none_of_a_file(tmp_path):
    torch.save({name: torch.zeros(3, device="meta") for name in NAMES}, tmp_path / "x.pth")
    assert tensors_of(tmp_path / "x.pth") == {}


# ------------------------------------------------------------------------------------------------- protocol buffers
def test_numbers_that_lie_loose_by_the_million_are_refused():
    one = b"\x2d" + struct.pack("<f", 1.0)  # field 5 of a blob, unpacked
    blob = field(7, one * (FIELDS + 10))
    with pytest.raises(Damaged, match="fields"):
        binary.decode(field(100, field(1, b"layer") + blob))


def test_the_fields_of_a_file_are_counted_together():
    layer = field(100, field(1, b"layer") + b"\x48\x01" * 1000)
    with pytest.raises(Damaged, match="fields"):
        binary.decode(layer * (FIELDS // 1000 + 10))


# ------------------------------------------------------------------------------------------------- LevelDB's tables
def block(*entries):
    content = b"".join(
        encoded(shared) + encoded(len(own)) + encoded(len(value)) + own + value for shared, own, value in entries
    )
    content += struct.pack("<II", 0, 1)
    return content + b"\0" + struct.pack("<I", masked(crc32c(content + b"\0")))


def handle(offset, size):
    return encoded(offset) + encoded(size)


def table(blocks, index):
    """The bytes of a table; ``index`` has the handles of blocks."""
    data, places = b"", []
    for each in blocks:
        places.append(handle(len(data), len(each) - 5))
        data += each
    entries = block(*((0, struct.pack(">I", at), places[which]) for at, which in enumerate(index)))
    footer = handle(0, 0) + handle(len(data), len(entries) - 5)
    return memoryview(data + entries + footer.ljust(40, b"\0") + leveldb_table.MAGIC)


def test_a_good_table_is_read():
    read = list(leveldb_table.entries_of(table([block((0, b"ab", b"1"), (1, b"c", b"2"))], [0])))
    assert [(name, bytes(value)) for name, value in read] == [(b"ab", b"1"), (b"ac", b"2")]


def test_keys_that_grow_without_end_are_refused():
    """Each repeats all of the one before: a file of n bytes would have keys of n² together."""
    entries = [(at * 10, b"0123456789", b"") for at in range(KEY // 10 + 10)]
    with pytest.raises(ValueError, match="a key is longer"):
        list(leveldb_table.entries_of(table([block(*entries)], [0])))


def test_a_block_that_comes_again_is_refused():
    with pytest.raises(ValueError, match="larger together"):
        list(leveldb_table.entries_of(table([block((0, b"a", b"1" * 5000))], [0] * 1000)))


# ------------------------------------------------------------------------------------------------- ours
@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(create_model("googlenet_small", 3, 1, width=0.05, auxiliary=False), path, classes=list("abc"))
    return path


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_classes": "1" + "0" * 15}, "classes apart"),
        ({"num_classes": "9" * 5000}, "does not say which architecture"),
        ({"num_classes": "999999"}, "of another shape|names 3 classes"),
        ({"in_channels": "0"}, "classes apart"),
        ({"in_channels": "4000"}, "of another shape|bytes for one input"),
        ({"extra": "[" * 100_000}, "does not say which architecture"),
        ({"arch": "[" * 100_000}, "does not say which architecture"),
        ({"arch": "{}"}, "does not say which architecture"),
    ],
)
def test_a_header_that_claims_is_a_sentence(weights, changes, sentence):
    from googlenet.weights.checkpoint import network_of

    tensors, metadata = read_tensors(weights)
    write_tensors(weights, tensors, metadata | changes)  # with a checksum that fits
    with pytest.raises(InputError, match=sentence):
        network_of(formats.read(weights))


CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (6_000_000_000, 6_000_000_000))
from pathlib import Path
from googlenet import InputError
from googlenet.weights.create import load_model
from googlenet.weights.identity import identify
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in map(Path, sys.argv[1:]):
    for read in (load_model, identify):
        try:
            read(path)
        except InputError as error:
            assert "\\n" not in str(error), error
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) * 1024
    assert grown < 30 * path.stat().st_size + 500 * 2**20, (path, grown)
"""


@pytest.mark.slow
def test_memory_is_in_proportion_to_the_file(tmp_path, weights):
    torchvision_file(tmp_path / "strides.pth", fc__weight=torch.zeros(1).expand(4_000_000, 1024))
    (tmp_path / "lists.pth").write_bytes(b"\x80\x02" + b"]" * 30_000_000 + b".")
    (tmp_path / "loose.caffemodel").write_bytes(field(100, field(7, (b"\x2d" + b"\0" * 4) * 6_000_000)))
    (tmp_path / "nodes.onnx").write_bytes(b"\x08\x08" + key(7, LENGTH) + encoded(30_000_000) + b"\x0a\0" * 15_000_000)
    (tmp_path / "graph.pb").write_bytes(b"\x0a\x06\x0a\x01a\x12\x01b" + b"\x0a\0" * 15_000_000)
    command = [sys.executable, "-c", CHILD, *sorted(tmp_path.glob("*.*"))]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]


def test_what_is_no_plain_file_is_not_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.safetensors")
    for path in (tmp_path / "pipe.safetensors", "/dev/zero"):
        with pytest.raises(InputError, match="no plain file|no weights file|no run"):
            identify(path)


def test_the_unpickler_is_given_what_was_looked_at(tmp_path, monkeypatch):
    """Bytes in memory, laid out anew: not a file whose directory could be read in two ways."""
    seen = []
    load = torch.load
    monkeypatch.setattr(torch, "load", lambda file, **how: seen.append(file) or load(file, **how))
    torch.save({"a": torch.arange(5.0)}, tmp_path / "x.pth")
    content = (tmp_path / "x.pth").read_bytes()
    (tmp_path / "x.pth").write_bytes(b"\0" * 100 + content)  # something before an archive is no part of it
    found = saved(tmp_path / "x.pth")
    assert np.array_equal(found["a"], np.arange(5.0))
    assert isinstance(seen[0], io.BytesIO)


def test_keys_that_share_what_they_begin_with_are_bounded_in_memory():
    """A few bytes of a file each, and thousands in memory."""
    keys = ((b"k" * 4000 + str(at).encode(), memoryview(b"")) for at in range(10**9))
    with pytest.raises(ValueError, match="take more memory than a file of its size may"):
        tensor_bundle._within(10**6, keys)
    assert len(tensor_bundle._within(10**6, islice(keys, 100))) == 100
