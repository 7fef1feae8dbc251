import json
import os

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


@pytest.mark.parametrize(("value", "is_offline"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_offline(monkeypatch, value, is_offline):
    monkeypatch.delenv("GOOGLENET_OFFLINE", raising=False)
    if value is not None:
        monkeypatch.setenv("GOOGLENET_OFFLINE", value)
    assert files.offline() == is_offline
