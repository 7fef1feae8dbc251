import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from googlenet import files
from googlenet.errors import InputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_json_comes_back_as_it_was(tmp_path):
    value = {"name": "caf\u00e9 \u4e2d", "no text": os.fsdecode(b"caf\xe9.jpg"), "rows": [1, None, 0.1]}
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value
    assert "café 中" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "No such file"),
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1]", "does not hold a JSON object"),
    ],
)
def test_what_is_no_json_object_is_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=sentence) as raised:
        files.read_json(path)
    assert str(path) in str(raised.value)


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    files.write_json(path, {"old": 1})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        files.write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}
    assert names(tmp_path) == ["a.json"]


def test_fresh_files_move_together_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "model.xml"
    with files.fresh(path) as new:
        new.write_text("graph")
        new.with_suffix(".bin").write_text("weights")
        assert not path.exists()
    assert names(path.parent) == ["model.bin", "model.xml"]
    with pytest.raises(ZeroDivisionError), files.fresh(path) as new:
        new.write_text("half")
        1 / 0  # noqa: B018
    assert path.read_text() == "graph"
    assert names(path.parent) == ["model.bin", "model.xml"]


def test_home_is_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLENET_HOME", str(tmp_path))
    assert files.home() == tmp_path
    monkeypatch.setenv("GOOGLENET_HOME", "~nobody-of-this-name/x")
    with pytest.raises(InputError, match="GOOGLENET_HOME"):
        files.home()
    monkeypatch.delenv("GOOGLENET_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.home() == tmp_path / ".cache" / "googlenet"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs users")
def test_who_has_no_home_has_a_folder_of_his_own_or_a_sentence(tmp_path, monkeypatch):
    monkeypatch.delenv("GOOGLENET_HOME", raising=False)
    monkeypatch.setattr(files.Path, "home", mock.Mock(side_effect=RuntimeError("no home")))
    monkeypatch.setattr(files.tempfile, "tempdir", str(tmp_path))
    own = tmp_path / f"googlenet-{os.getuid()}"
    assert files.home() == own
    own.mkdir()
    assert files.home() == own
    own.rmdir()
    own.symlink_to(tmp_path)
    with pytest.raises(InputError, match="somebody else's. Name a folder of yours with GOOGLENET_HOME"):
        files.home()


@pytest.mark.parametrize(("value", "is_offline"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_offline(monkeypatch, value, is_offline):
    monkeypatch.delenv("GOOGLENET_OFFLINE", raising=False)
    if value is not None:
        monkeypatch.setenv("GOOGLENET_OFFLINE", value)
    assert files.offline() == is_offline


def test_of_several_files_no_old_one_stands_beside_new_ones(tmp_path, monkeypatch):
    path = tmp_path / "model.xml"
    path.write_text("old graph")
    path.with_suffix(".bin").write_text("old weights")
    replace = Path.replace

    def fails_at_the_graph(self, target):
        if self.suffix == ".xml":
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails_at_the_graph)
    with pytest.raises(InputError, match="Input/output error"), files.fresh(path) as new:
        new.write_text("graph")
        new.with_suffix(".bin").write_text("weights")
    assert names(tmp_path) == ["model.bin"]  # whoever reads it now is told so


def test_of_several_files_none_takes_the_place_of_one_that_is_of_something_else(tmp_path):
    path = tmp_path / "model.xml"
    other = path.with_suffix(".bin")
    other.write_text("precious")

    def write():
        with files.fresh(path) as new:
            new.write_text("graph")
            new.with_suffix(".bin").write_text("weights")

    with pytest.raises(InputError, match=r"model\.bin is there, and no model\.xml that it is of"):
        write()
    assert names(tmp_path) == ["model.bin"] and other.read_text() == "precious"
    other.unlink()
    write()
    write()
    assert other.read_text() == "weights"


def test_a_link_at_the_name_of_a_temporary_file_is_not_followed(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr("secrets.token_hex", lambda _: "0" * 16)  # even where the name is known
    (tmp_path / f".a.json.{'0' * 16}.googlenet").symlink_to(victim)
    with pytest.raises(InputError, match="could not be written"):
        files.write_json(tmp_path / "a.json", {"new": 2})
    assert victim.read_text() == "precious"


def test_names_of_temporary_files_cannot_be_guessed(tmp_path, monkeypatch):
    seen = []
    new_file = files._new_file
    monkeypatch.setattr(files, "_new_file", lambda path: seen.append(new_file(path)) or seen[-1])
    for _ in range(2):
        files.write_json(tmp_path / "a.json", {})
    one, two = (path.name for _, path in seen)
    assert one != two
    assert str(os.getpid()) not in one.replace(".json", "")


def test_what_killed_processes_left_is_removed_and_what_lives_is_not(tmp_path):
    theirs = [".mine.tmp", "a.tmp", ".hidden", ".syncthing.holiday.jpg.tmp", ".a.json.0123.tmp", ".notes.googlenet"]
    for folder in (".googlenet-fresh-left0123", ".fresh-fruit", ".googlenet-fresh-fruit"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.bin").write_text("half")
    for name in (".a.json.0123456789abcdef.googlenet", *theirs):
        (tmp_path / name).write_text("half")
    theirs += [".fresh-fruit", ".googlenet-fresh-fruit"]
    program = (
        "import os, sys, time; from pathlib import Path; from googlenet import files\n"
        "d, path = files._new_file(Path(sys.argv[1])); files._hold(d); print(path.name, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "b.json"], stdout=subprocess.PIPE, text=True
    ) as other:
        try:
            alive = other.stdout.readline().strip()
            files.sweep.cache_clear()
            files.write_json(tmp_path / "c.json", {})
            assert names(tmp_path) == sorted([*theirs, "c.json", alive])
        finally:
            other.kill()
    files.sweep.cache_clear()
    files.sweep(tmp_path)
    assert alive not in names(tmp_path)


def test_a_pipe_or_a_device_is_no_file_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        for read in (files.open_plain, files.check_plain, files.digest_of):
            with pytest.raises(InputError, match="is no plain file"):
                read(path)
    files.check_plain(tmp_path / "nothing")
    (tmp_path / "a").write_bytes(b"12345")
    assert files.read_bytes(tmp_path / "a", 5) == b"12345"
    with pytest.raises(InputError, match="larger than such files are"):
        files.read_bytes(tmp_path / "a", 4)
