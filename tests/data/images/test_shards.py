"""Shards: what webdataset reads of ours, what we read of webdataset's, and that a set of them is the set itself."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import QUICK, run_cli, run_here
from googlenet.data.find import find_data
from googlenet.data.images.sources.sharding import write_shards
from googlenet.data.protocol import unwatched
from googlenet.errors import InputError
from googlenet.files import digest


def jpeg(value, size=(80, 70), form="JPEG", mode="RGB"):
    file = io.BytesIO()
    pixels = np.random.default_rng(value).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, form)
    return file.getvalue()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """30 pictures of three classes in parts, one of them broken."""
    root = tmp_path_factory.mktemp("photos")
    for part, count in (("train", 7), ("test", 3)):
        for at, name in enumerate(("cat", "dog", "eel")):
            for number in range(count):
                path = root / part / name / f"{number}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(jpeg(100 * at + number + (50 if part == "test" else 0)))
    (root / "train" / "cat" / "broken.jpg").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def shards(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("sharded") / "shards"
    done = run_here("shard", photos, out, "--megabytes", "0.1")
    assert done.returncode == 0, done.stderr
    assert "broken.jpg" in done.stdout + done.stderr
    return out


def content_of(part):
    """What each example holds, with its class."""
    found = {}
    for content, label in zip(part.contents, part.labels.tolist(), strict=True):
        found[content] = label
    return found


def test_a_set_of_shards_is_the_set(photos, shards):
    ours, theirs = find_data(str(shards)), find_data(str(photos))
    assert ours.classes == theirs.classes
    assert len(list(shards.glob("train-*.tar"))) > 1
    for part in ("train", "test"):
        assert content_of(getattr(ours, part)) == content_of(getattr(theirs, part))
    assert ours.bad == () and len(theirs.bad) == 1


def test_nothing_is_decoded_until_it_is_wanted(shards, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a picture was opened")

    monkeypatch.setattr("googlenet.data.images.decode._opened", refuse)
    found = find_data(str(shards))
    assert len(found.train) == 21 and len(found.train.contents) == 21


def test_batches_are_those_of_the_files(photos, shards):
    from googlenet.training.recipe import find_recipe

    recipe = find_recipe("photos").with_changes({"batch_size": "4"})
    batches = []
    for source in (photos, shards):
        part = find_data(str(source)).test
        order = sorted(range(len(part)), key=lambda row, part=part: part.contents[row])
        same = part.subset(order)
        loader = same.loader(same.fitted(recipe), recipe)
        batches.append([*loader.training(0, 4), *loader.plain(4)])
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one.inputs, other.inputs) and torch.equal(one.labels, other.labels)


def test_small_pictures_are_kept_in_memory(tmp_path):
    data = find_data("digits")
    write_shards(data, tmp_path / "digits", 1 << 20, unwatched)
    found = find_data(str(tmp_path / "digits"))
    assert found.train.pixels is not None and found.train.recipe == "small"
    assert len(found.train) == len(data.train)


def test_a_network_learns_from_shards(shards, tmp_path):
    done = run_cli("train", shards, "--out", tmp_path / "run", *QUICK, "--batch-size", "8")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["classes"] == ["cat", "dog", "eel"] and record["examples"]["train"] == 21
    done = run_cli("evaluate", tmp_path / "run", shards)
    assert done.returncode == 0 and "9" in done.stdout


# ------------------------------------------------------------------------------------------------ webdataset
READ = """
import hashlib, json, sys, webdataset
rows = webdataset.WebDataset(sys.argv[1:], shardshuffle=False, empty_check=False)
print(json.dumps({hashlib.sha256(row["jpg"]).hexdigest(): int(row["cls"]) for row in rows}))
"""


def test_webdataset_reads_ours(photos, shards):
    pytest.importorskip("webdataset")
    urls = sorted(map(str, shards.glob("train-*.tar")))
    done = subprocess.run([sys.executable, "-c", READ, *urls], capture_output=True, text=True, check=True)
    wanted = {
        hashlib.sha256(path.read_bytes()).hexdigest(): ("cat", "dog", "eel").index(path.parent.name)
        for path in (photos / "train").glob("*/*.jpg")
        if path.name != "broken.jpg"
    }
    assert json.loads(done.stdout) == wanted


def test_ours_reads_webdatasets(tmp_path):
    webdataset = pytest.importorskip("webdataset")
    folder = tmp_path / "theirs"
    folder.mkdir()
    wanted = {}
    for part, count in (("train", 12), ("val", 5)):
        with webdataset.TarWriter(str(folder / f"{part}-0000.tar")) as sink:
            for at in range(count):
                content = jpeg(at + 100 * count, form="PNG", mode="L" if at % 2 else "RGB")
                sink.write(
                    {"__key__": f"deep/{part}.folder/{at:04d}", "png": content, "cls": at % 3, "json": {"at": at}}
                )
                wanted[content] = at % 3
    found = find_data(str(folder))
    assert found.classes == ("0", "1", "2") and "have no names" in found.notes[0]
    assert (len(found.train), len(found.validation)) == (12, 5)
    assert found.train.contents == tuple(digest(source.content()) for source in found.train.sources)
    for part in (found.train, found.validation):
        for source, label in zip(part.sources, part.labels.tolist(), strict=True):
            assert wanted[source.content()] == label


def tar_of(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            head = tarfile.TarInfo(name)
            head.size = len(content)
            archive.addfile(head, io.BytesIO(content))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.jpg": b"x"}, "no labelled picture"),
        ({"a.jpg": jpeg(1), "a.png": jpeg(1, form="PNG"), "a.cls": b"0"}, "has several pictures"),
    ],
)
def test_tars_that_are_no_shards_get_a_sentence(tmp_path, files, said):
    tar_of(tmp_path / "train-0.tar", files)
    with pytest.raises(InputError, match=said):
        find_data(str(tmp_path))


def test_what_cannot_be_read_of_theirs_is_left_out(tmp_path):
    good = {f"{at}.jpg": jpeg(at) for at in range(4)} | {f"{at}.cls": b"%d" % (at % 2) for at in range(4)}
    bad = {
        "x.jpg": b"no picture",
        "x.cls": b"0",
        "y.jpg": jpeg(9),
        "y.cls": b"cat",
        "z.jpg": jpeg(9),
        "z.cls": b"9" * 99,
    }
    tar_of(tmp_path / "train-0.tar", good | bad)
    found = find_data(str(tmp_path))
    assert len(found.train) == 4 and len(found.bad) == 3
    assert {each.path.rpartition(":")[2] for each in found.bad} == {"x.jpg", "y.jpg", "z.jpg"}


# ------------------------------------------------------------------------------------------------ damaged
@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("shards.json", lambda text: text[:20], r"shards\.json"),
        ("shards.json", lambda text: text.replace('"version": 1', '"version": 2'), "of another version"),
        ("shards.json", lambda text: text.replace("train-000000.tar", "../x.tar"), "damaged"),
        ("train-000000.tar.index.jsonl", lambda text: text[: len(text) // 2], "shard the data again"),
        ("train-000000.tar.index.jsonl", lambda text: text.replace("[", "[-", 1), "shard the data again"),
    ],
)
def test_a_damaged_index_gets_a_sentence(shards, tmp_path, name, change, said):
    import shutil

    copy = shutil.copytree(shards, tmp_path / "copy")
    path = copy / name
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=said):
        find_data(str(copy))


def test_a_tar_that_was_cut_says_so_when_it_is_read(shards, tmp_path):
    import shutil

    copy = shutil.copytree(shards, tmp_path / "copy")
    for tar in copy.glob("test-*.tar"):
        tar.write_bytes(tar.read_bytes()[:600])
    part = find_data(str(copy)).test
    from googlenet.training.recipe import find_recipe

    recipe = find_recipe("photos")
    with pytest.raises(InputError, match="cannot be read any more: its tar is shorter"):
        list(part.loader(part.fitted(recipe), recipe).plain(4))


def test_what_was_stopped_is_begun_again_and_nothing_else_replaced(photos, shards, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "train-000000.tar").write_bytes(b"a part of one")
    assert run_here("shard", photos, out, "--megabytes", "0.1").returncode == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        path.name: path.read_bytes() for path in shards.iterdir()
    }
    again = run_here("shard", photos, out)
    assert again.returncode == 1 and "holds something already" in again.stderr
    signals = run_here("shard", "gunpoint", tmp_path / "new")
    assert signals.returncode == 1 and "Shards hold pictures" in signals.stderr


# ------------------------------------------------------------------------------------------------ addresses
@pytest.fixture
def address(shards):
    """Those shards, in the memory that fsspec has for tests."""
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.put(str(shards), "/bucket/shards", recursive=True)
    yield "memory://bucket/shards"
    system.rm("/bucket", recursive=True)


def contents_of(part):
    return [source.content() for source in part.sources]


def test_shards_at_an_address_are_those_of_the_folder(shards, address):
    here, there = find_data(str(shards)), find_data(f"{address}/")
    assert here.classes == there.classes and here.train.contents == there.train.contents
    assert contents_of(here.train) == contents_of(there.train)


def test_a_cache_on_a_disk_is_read_once_it_is_filled(shards, address, tmp_path, monkeypatch):
    from fsspec.config import conf

    monkeypatch.setitem(conf, "simplecache", {"cache_storage": str(tmp_path / "cache")})
    test = find_data(f"simplecache::{address}").test
    wanted = contents_of(test)
    import fsspec

    for tar in shards.glob("test-*.tar"):
        fsspec.filesystem("memory").rm(f"/bucket/shards/{tar.name}")
    assert contents_of(test) == wanted == contents_of(find_data(str(shards)).test)
    assert any((tmp_path / "cache").iterdir())


def test_a_network_learns_from_an_address_as_from_the_folder(shards, address, tmp_path):
    for name, source in (("here", shards), ("there", address)):
        done = run_here("train", source, "--out", tmp_path / name, *QUICK, "--epochs", "1", "--batch-size", "8")
        assert done.returncode == 0, done.stderr
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("here", "there"))
    assert one == other
    done = run_here("evaluate", tmp_path / "here", address, "--json")
    assert json.loads(done.stdout)["count"] == 9, done.stderr


def test_an_address_at_which_nothing_is_or_too_little_gets_a_sentence(address, tmp_path):
    import fsspec

    for nothing in ("memory://nowhere", "nosuch://bucket/shards"):
        done = run_here("train", nothing, "--out", tmp_path / "run")
        assert done.returncode == 1 and "Only shards are read from one, and of its shards.json" in done.stderr
    system = fsspec.filesystem("memory")
    system.pipe("/bucket/shards/shards.json", b"[" * 100_000)
    done = run_here("train", address, "--out", tmp_path / "run")
    assert done.returncode == 1 and "is not JSON" in done.stderr
    system.pipe("/bucket/shards/shards.json", json.dumps({"version": 1, "classes": ["a"], "parts": {}}).encode())
    done = run_here("train", address, "--out", tmp_path / "run")
    assert done.returncode == 1 and "no labelled picture" in done.stderr
    assert not (tmp_path / "run").exists()


# ------------------------------------------------------------------------------------------------ killed
KILLED = """
import os, signal, sys
from googlenet import files
from googlenet.apps.cli.main import main
write, left = files.write_bytes, [int(sys.argv.pop(1))]
def dying(path, content):
    left[0] -= 1
    if left[0] < 0:
        with open(f"{path}.half", "wb") as half:
            half.write(content[:100])
        os.rename(f"{path}.half", path.with_name(f".{path.name}.tmp"))
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, content)
files.write_bytes = dying
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_sharding_that_is_killed_again_and_again_ends_in_the_same_shards(photos, shards, tmp_path):
    out, program = tmp_path / "out", [sys.executable, "-c", KILLED]
    for moment in (0, 1, 3):
        done = run_cli(moment, "shard", photos, out, "--megabytes", "0.1", program=program)
        assert done.returncode == -9, done.stderr
        if any(out.glob("*.tar")):  # nobody learns from a part of it
            done = run_here("train", out, "--out", tmp_path / "run")
            assert done.returncode == 1 and "has no shards.json: what wrote these shards was stopped" in done.stderr
    assert run_here("shard", photos, out, "--megabytes", "0.1").returncode == 0
    found = {path.name: path.read_bytes() for path in out.iterdir() if not path.name.startswith(".")}
    assert found == {path.name: path.read_bytes() for path in shards.iterdir()}
