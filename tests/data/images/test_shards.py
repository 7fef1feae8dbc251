"""Shards: what webdataset reads of ours, what we read of webdataset's, and that a set of them is the set itself."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import QUICK, run_cli, run_here
from googlenet.data.find import find_data
from googlenet.data.images.sources.shards import write_shards
from googlenet.data.protocol import unwatched
from googlenet.errors import InputError
from googlenet.files import digest

ROWS = "train-000000.tar.index.jsonl"


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
    alone = {"v.jpg": jpeg(8), "w.json": b"{}"}
    tar_of(tmp_path / "train-0.tar", good | bad | alone)
    found = find_data(str(tmp_path))
    assert len(found.train) == 4 and len(found.bad) == 4
    assert {each.path.rpartition(":")[2] for each in found.bad} == {"v.jpg", "x.jpg", "y.jpg", "z.jpg"}
    assert {each.reason for each in found.bad if each.path.endswith("v.jpg")} == {
        "no label stands beside it (.cls, .cls2, .label)"
    }


@pytest.mark.parametrize("again", ["a.jpg", "a.cls", "a.JPG"])
def test_a_key_that_comes_again_is_refused(tmp_path, again):
    with tarfile.open(tmp_path / "train-0.tar", "w") as archive:
        for name, content in (("a.jpg", jpeg(1)), ("a.cls", b"0"), ("b.jpg", jpeg(2)), ("b.cls", b"1"), (again, b"1")):
            head = tarfile.TarInfo(name)
            head.size = len(content)
            archive.addfile(head, io.BytesIO(content))
    with pytest.raises(InputError, match=f"'{again}' stands in it twice. Give each example a key of its own"):
        find_data(str(tmp_path))


# ------------------------------------------------------------------------------------------------ damaged
@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("shards.json", lambda text: text[:20], r"shards\.json"),
        ("shards.json", lambda text: text.replace('"version": 2', '"version": 1'), "of another version"),
        ("shards.json", lambda text: text.replace('"version": 2', '"version": true'), "of another version"),
        ("shards.json", lambda text: text.replace('"picture"', '"signal"'), "of another version"),
        ("shards.json", lambda text: text.replace("train-000000.tar", "../x.tar"), "damaged"),
        ("shards.json", lambda text: text.replace("train-000001.tar", "train-000000.tar"), "damaged|shard again"),
        ("shards.json", lambda text: text.replace('"test": ', '"tset": '), "a part that there is not"),
        ("shards.json", lambda text: text.replace('["cat", "dog", "eel"]', '"abc"'), "classes are none"),
        ("shards.json", lambda text: text.replace('["cat", "dog", "eel"]', '[["cat"], {}, null]'), "classes are none"),
        ("shards.json", lambda text: text.replace('["cat", "dog", "eel"]', '["cat", "cat", "eel"]'), "something twice"),
        (ROWS, lambda text: text[: len(text) // 2], "shard again"),
        (ROWS, lambda text: text[: text.index("\n") + 1], "rows in their order"),
        (ROWS, lambda text: text + text, "rows in their order"),
        (ROWS, lambda text: "\n".join(text.splitlines()[::-1]) + "\n", "rows in their order"),
        (ROWS, lambda text: text.replace("[", "[-", 1), "shard again"),
        (ROWS, lambda text: re.sub(r'"[0-9a-f]{16}"', "5", text, count=1), "shard again"),
        (ROWS, lambda text: re.sub(r'"[0-9a-f]{16}"', '"zz"', text, count=1), "no digest"),
        (ROWS, lambda text: re.sub(r"(\d+), (true|false)", r"true, \2", text, count=1), "no places"),
        ("train-000000.tar", lambda text: None, "train-000000.tar is missing: copy it"),
        ("train-000000.tar", lambda text: "", "its tar is shorter"),
    ],
)
def test_a_damaged_index_gets_a_sentence(shards, tmp_path, name, change, said):
    copy = shutil.copytree(shards, tmp_path / "copy")
    path = copy / name
    changed = change(path.read_text("latin-1"))
    path.unlink() if changed is None else path.write_text(changed, "latin-1")
    with pytest.raises(InputError, match=said):
        find_data(str(copy))


def test_a_tar_that_was_cut_says_so_when_it_is_read(shards, tmp_path):
    copy = shutil.copytree(shards, tmp_path / "copy")
    part = find_data(str(copy)).test
    for tar in copy.glob("test-*.tar"):
        tar.write_bytes(tar.read_bytes()[:600])
    from googlenet.training.recipe import find_recipe

    recipe = find_recipe("photos")
    with pytest.raises(InputError, match="cannot be read any more: its tar is shorter"):
        list(part.loader(part.fitted(recipe), recipe).plain(4))


def test_what_was_stopped_is_begun_again_and_nothing_else_replaced(photos, shards, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(shards, out)
    for ending in ("", ".index.jsonl"):  # as if it had been stopped, with more of them than there will be
        shutil.copy(shards / f"train-000000.tar{ending}", out / f"train-000099.tar{ending}")
    (out / "shards.json").unlink()
    assert run_here("shard", photos, out, "--megabytes", "0.1").returncode == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        path.name: path.read_bytes() for path in shards.iterdir()
    }
    again = run_here("shard", photos, out)
    assert again.returncode == 1 and "holds something already" in again.stderr
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "train-000000.tar").write_bytes(b"somebody's, for it has no index")
    again = run_here("shard", photos, theirs)
    assert again.returncode == 1 and "holds something already" in again.stderr and len(list(theirs.iterdir())) == 1
    signals = run_here("shard", "gunpoint", tmp_path / "new")
    assert signals.returncode == 1 and "Shards hold pictures" in signals.stderr


def test_a_tar_of_other_pictures_is_noticed(shards, tmp_path):
    """Of the same names and sizes, in the same places."""
    copy = shutil.copytree(shards, tmp_path / "copy")
    part = find_data(str(copy)).train
    tar = copy / "train-000000.tar"
    content = bytearray(tar.read_bytes())
    first = next(source for source in part.sources if source.tar == str(tar))
    content[first.start + first.size // 2] ^= 1
    tar.write_bytes(content)
    with pytest.raises(InputError, match="is not the one of the index: shard the data again"):
        first.content()
    done = run_here("train", copy, "--out", tmp_path / "run", *QUICK, "--epochs", "1", "--batch-size", "8")
    assert done.returncode == 1 and f"{tar}:{first.name}" in done.stderr and "shard the data again" in done.stderr


def test_the_picture_that_cannot_be_read_is_named_where_all_are_read_at_once(tmp_path):
    write_shards(find_data("digits"), tmp_path / "digits", 1 << 20, unwatched)
    tar = tmp_path / "digits" / "train-000000.tar"
    tar.write_bytes(bytes(len(tar.read_bytes())))
    with pytest.raises(InputError, match=r"train-000000\.tar:0000\d+\.png cannot be read: its tar is not the one"):
        find_data(str(tmp_path / "digits"))


def test_tars_beside_folders_of_classes_are_no_shards(photos, shards, tmp_path):
    both = shutil.copytree(photos / "train", tmp_path / "both")
    tar_of(both / "backup.tar", {"a.jpg": jpeg(1), "a.cls": b"0"})
    assert len(find_data(str(both)).train) == 21  # as before
    shutil.copy(shards / "shards.json", both)
    with pytest.raises(InputError, match=r"has both shards \(shards.json\) and folders \(cat, dog, eel\)"):
        find_data(str(both))


@pytest.mark.parametrize(
    ("names", "parts", "said"),
    [
        (("imagenet-train-000000", "imagenet-val-000000"), (2, 2, None), 1),
        (("train-0", "unseen-test-0"), (2, None, 2), 1),
        (("Training_Set_01", "validation_00"), (2, 2, None), 1),
        (("train-0", "more-0"), (4, None, None), 2),
        (("a-0", "b-0"), (4, None, None), 1),
    ],
)
def test_tars_of_others_are_of_the_part_that_their_names_say(tmp_path, names, parts, said):
    for name in names:
        tar_of(tmp_path / f"{name}.tar", {"a.jpg": jpeg(1), "a.cls": b"0", "b.jpg": jpeg(2), "b.cls": b"1"})
    found = find_data(str(tmp_path))
    assert tuple(part and len(part) for part in (found.train, found.validation, found.test)) == parts
    assert len(found.notes) == said and (said == 1 or "more-0.tar name no part" in found.notes[0])


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


def test_a_cache_that_is_out_of_date_is_noticed(shards, address, tmp_path, monkeypatch):
    import fsspec
    from fsspec.config import conf

    monkeypatch.setitem(conf, "simplecache", {"cache_storage": str(tmp_path / "cache")})
    contents_of(find_data(f"simplecache::{address}").test)
    system, cached = fsspec.filesystem("memory"), tmp_path / "cache"
    for path in cached.iterdir():
        if path.stat().st_size < 5000:  # what is small is forgotten: the indexes, and not the tars
            path.unlink()
    for path in system.ls("/bucket/shards", detail=False):
        if path.endswith(".jsonl"):
            system.pipe(path, re.sub(rb'"([0-9a-f]{15}).(?=")', rb'"\g<1>0', system.cat(path)))
    with pytest.raises(InputError, match="is not the one of the index: empty the cache"):
        contents_of(find_data(f"simplecache::{address}").test)


def test_below_a_chain_of_addresses_names_go_where_the_path_is(shards, tmp_path):
    pytest.importorskip("fsspec")
    shutil.make_archive(str(tmp_path / "all"), "zip", shards.parent, shards.name)
    found = find_data(f"zip://{shards.name}::file://{tmp_path}/all.zip")
    assert contents_of(found.test) == contents_of(find_data(str(shards)).test)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("file:///nowhere/shards", "is an address; name the file or folder itself, without file://"),
        ("memory://", "memory://shards.json could not be read: there is no such file. memory:// is an address on"),
        ("http://me:secret@example.org/shards", "has a password in it"),
        ("file://" + "x" * 9000, "unless there are shards"),
        ("memory://bucket/train-000000.tar", "is one shard: name the folder"),
    ],
)
def test_an_address_of_no_shards_gets_a_sentence(address, said):
    pytest.importorskip("fsspec")
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        find_data(address)
    assert "secret" not in str(caught.value)


def test_a_server_that_sends_no_parts_of_files_is_said_to_be_one(shards, address, monkeypatch):
    from fsspec.implementations.memory import MemoryFileSystem

    whole = MemoryFileSystem.cat_file
    test = find_data(address).test
    monkeypatch.setattr(MemoryFileSystem, "cat_file", lambda self, path, start=None, end=None: whole(self, path))
    with pytest.raises(InputError, match="read it through simplecache::"):
        contents_of(test)


@pytest.mark.parametrize("scheme", ["file", "s3", "memory", "hdfs"])
def test_nothing_is_written_at_an_address(shards, tmp_path, scheme):
    for words in (["shard", "digits", f"{scheme}:///out"], ["train", shards, "--out", f"{scheme}:///out", *QUICK]):
        done = run_here(*words, cwd=tmp_path)
        assert done.returncode == 1 and f"{scheme}:///out is an address" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_network_learns_from_an_address_as_from_the_folder(shards, address, tmp_path):
    for name, source in (("here", shards), ("there", address)):
        done = run_here("train", source, "--out", tmp_path / name, *QUICK, "--epochs", "1", "--batch-size", "8")
        assert done.returncode == 0, done.stderr
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("here", "there"))
    assert one == other
    record = json.loads((tmp_path / "here" / "run.json").read_text())
    assert record["classes"] == ["cat", "dog", "eel"] and record["examples"]["train"] == 21
    done = run_here("evaluate", tmp_path / "here", address, "--json")
    assert json.loads(done.stdout)["count"] == 9, done.stderr


def test_an_address_at_which_nothing_is_or_too_little_gets_a_sentence(address, tmp_path):
    import fsspec

    for nothing in ("memory://nowhere", "nosuch://bucket/shards"):
        done = run_here("train", nothing, "--out", tmp_path / "run")
        assert (
            done.returncode == 1
            and "shards.json could not be read: " in done.stderr
            and "unless there are shards" in done.stderr
        )
    system = fsspec.filesystem("memory")
    system.pipe("/bucket/shards/shards.json", b"[" * 100_000)
    done = run_here("train", address, "--out", tmp_path / "run")
    assert done.returncode == 1 and "is not JSON" in done.stderr
    nothing = {"version": 2, "kind": "picture", "classes": ["a"], "parts": {}}
    system.pipe("/bucket/shards/shards.json", json.dumps(nothing).encode())
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
