"""Files of signals as such: which there are, and what is said where there is none."""

import importlib.util
import subprocess
import sys

import pytest

from conftest import write
from googlenet import InputError
from googlenet.data.signals.files import find_parts, read_signals


def test_neither_torch_nor_pandas_is_loaded():
    code = "import sys, googlenet.data.signals.files; sys.exit(bool({'torch', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="There is no file .*nowhere.tsv"):
        read_signals(tmp_path / "nowhere.tsv")
    with pytest.raises(InputError, match="is a folder"):
        read_signals(tmp_path)
    with pytest.raises(InputError, match=r"read from .tsv, .ts, .*not from '.docx'"):
        read_signals(write(tmp_path, "a.docx", "x"))
    for kind in (".tsv", ".ts", ".csv", ".arff", ".npz", ".parquet"):
        with pytest.raises(InputError, match="is empty"):
            read_signals(write(tmp_path, f"a{kind}", ""))
        if kind != ".parquet" or importlib.util.find_spec("pandas"):
            with pytest.raises(InputError):
                read_signals(write(tmp_path, f"a{kind}", bytes(range(256)) * 20))


def test_parts(tmp_path):
    for folder, name in (("", "Gun_TRAIN.tsv"), ("", "Gun_TEST.tsv"), ("", "Gun_TRAIN.ts"), ("", "Saw_TRAIN.txt"),
                         ("Pen", "Pen_TRAIN.arff"), ("Pen", "Pen_TEST.ts"), ("Pen", "PenDimension1_TRAIN.arff"),
                         ("one", "my_train.csv"), ("one", "my_test.csv"), ("none", "readme.md"),
                         ("packed", "Zip_TRAIN.csv.gz"), ("packed", "Zip_TEST.csv.gz"), ("", "mine.csv")):  # fmt: skip
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).touch()

    def parts(source):
        return {part: str(path.relative_to(tmp_path)) for part, path in find_parts(tmp_path / source).items()}

    gun = {"train": "Gun_TRAIN.tsv", "test": "Gun_TEST.tsv"}
    assert parts("Gun") == parts("Gun_TRAIN.tsv") == gun
    assert parts("Gun_TRAIN.ts") == {"train": "Gun_TRAIN.ts", "test": "Gun_TEST.tsv"}
    assert parts("Saw") == {"train": "Saw_TRAIN.txt"}
    assert parts("mine.csv") == {"train": "mine.csv"}
    assert parts("Pen") == {"train": "Pen/Pen_TRAIN.arff", "test": "Pen/Pen_TEST.ts"}
    assert parts("one") == {"train": "one/my_train.csv", "test": "one/my_test.csv"}
    zipped = {"train": "packed/Zip_TRAIN.csv.gz", "test": "packed/Zip_TEST.csv.gz"}
    assert parts("packed") == parts("packed/Zip") == parts("packed/Zip_TRAIN.csv.gz") == zipped
    assert find_parts(str(tmp_path / "Saw"))["train"].name == "Saw_TRAIN.txt"

    with pytest.raises(InputError, match="holds 2 data sets. Name one: .*/Gun, .*/Saw"):
        parts("")
    with pytest.raises(InputError, match=r"none has no file of signals called NAME_TRAIN.tsv \(or .ts, .txt"):
        parts("none")
    with pytest.raises(InputError, match=r"There is no .*/Gum, and no .*/Gum_TRAIN.tsv .*Did you mean .*/Gun\?"):
        parts("Gum")
    with pytest.raises(InputError, match=r"Did you mean .*/mine.csv\?"):
        parts("mime.csv")
    with pytest.raises(InputError, match=r"There is no .*/nowhere/x"):
        parts("nowhere/x")
