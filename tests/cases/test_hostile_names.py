"""Names, patterns, folders and things that are no files: each ends in one sentence, at once."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
from bounded import outcome
from PIL import Image

from googlenet import InputError
from googlenet.data.find import find_data
from googlenet.data.images.decode import open_picture
from googlenet.data.signals.files import read_file
from googlenet.data.signals.recordings.readers.formats import EXTENSIONS, open_recordings
from googlenet.data.walk import expand, walk, why_missing

PICTURES = (".png", ".jpg")


@pytest.mark.parametrize("pattern", ["a**.png", "**x/*.png", "/**a", "a/**b/c.png"])
def test_a_pattern_that_is_none_is_a_sentence(tmp_path, monkeypatch, pattern):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is no pattern of names of files"):
        list(expand([pattern], [], PICTURES))


@pytest.mark.parametrize(
    "name", ["~nosuchuser/a.png", "~nosuchuser", "a\0b.png", "[", "*\0*", "\udce4.png", "x" * 5000]
)
def test_a_name_of_nothing_comes_out_as_it_is_and_is_missed(name):
    assert list(expand([name], [], PICTURES)) == [name]
    assert why_missing(name) is None or "\n" not in why_missing(name)
    for read in (open_picture, find_data):
        with pytest.raises(InputError):
            read(name)


def special(folder, kind, end):
    """Something in a folder that is no plain file."""
    path = folder / f"x{end}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    else:
        path.mkdir()
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "folder"])
@pytest.mark.parametrize(
    "end", ["", ".png", ".npz", ".npy", ".csv", ".parquet", ".feather", ".xlsx", ".csv.gz", ".ts", ".arff", *EXTENSIONS]
)
def test_what_is_no_file_is_not_waited_for(tmp_path, kind, end):
    path = special(tmp_path, kind, end)
    for read in (find_data, open_picture, read_file, open_recordings):
        assert outcome(lambda path, read=read: read(path if read is open_recordings else str(path)), path)


@pytest.mark.parametrize("kind", ["pipe", "device", "socket"])
def test_what_is_no_file_among_pictures_is_left_out(tmp_path, kind):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.new("L", (30, 30), number).save(tmp_path / name / f"{number}.png")
    path = special(tmp_path / "a", kind, ".jpg")
    data = find_data(str(tmp_path))
    assert [bad.path for bad in data.bad] == [str(path)]
    assert "not a plain file" in data.bad[0].reason


def deep(folder, levels):
    """A folder of many levels, made from inside, as its path is longer than a path may be."""
    here = Path.cwd()
    os.chdir(folder)
    for _ in range(levels):
        Path("d").mkdir()
        os.chdir("d")
    Image.new("L", (30, 30)).save("x.png")
    os.chdir(here)


@pytest.fixture
def below(tmp_path):
    """A folder that is removed by who can: Python's own way ends at a thousand levels."""
    (tmp_path / "deep").mkdir()
    yield tmp_path / "deep"
    subprocess.run(["rm", "-rf", tmp_path / "deep"], check=True)


def test_a_folder_of_a_thousand_levels_is_walked(below):
    deep(below, 1_500)
    assert [path.name for path in walk(below)] == ["x.png"]


@pytest.mark.slow
def test_a_folder_deeper_than_paths_reach_is_a_sentence(below):
    deep(below, 3_000)
    for read in (walk, lambda path: find_data(str(path)), lambda path: list(expand([str(path)], [], PICTURES))):
        with pytest.raises(InputError, match="cannot be listed"):
            read(below)


def test_links_that_lead_round_and_round_are_walked_once(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    Image.new("L", (30, 30)).save(tmp_path / "a" / "b" / "x.png")
    for place, to in (("a/b/up", ".."), ("a/b/self", "."), ("a/here", "b"), ("a/top", tmp_path), ("a/none", "none")):
        (tmp_path / place).symlink_to(to)
    (tmp_path / "a" / "round").symlink_to("round")
    assert [path.name for path in walk(tmp_path)].count("x.png") == 1
    assert [path.name for path in walk(tmp_path / "a" / "b")] == ["x.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads all")
def test_a_folder_that_may_not_be_read_is_a_sentence(tmp_path):
    (tmp_path / "a").mkdir(mode=0)
    with pytest.raises(InputError, match="cannot be listed"):
        walk(tmp_path)
