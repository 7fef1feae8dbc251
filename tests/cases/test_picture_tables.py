"""Which files, which classes, which part: tables of pictures as people have them."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from small_pictures import counts, labelled, left_out, pictures, said

from conftest import run_here
from googlenet import InputError
from googlenet.data.find import Columns, find_data, to_learn_from
from googlenet.data.splits import hold_out

TINY = ["--arch", "short_2d", "--width", "0.125", "--epochs", "1"]


# --------------------------------------------------------------------------------------------------- tables
FILES = ("a/1.png", "a/2.png", "b/1.png", "b/2.png")
ROWS = tuple((file, {"a": "red", "b": "blue"}[file[0]]) for file in FILES)
RIGHT = {"train": dict(ROWS)}


def table(name="t.csv", rows=ROWS, head=("path", "label"), encoding="utf-8", end="", **dialect):
    """A table as the module csv writes it."""
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows([head, *rows])
    Path(name).write_bytes((text.getvalue() + end).encode(encoding))
    return name


@pytest.fixture
def files(here):
    pictures(*FILES)
    return here


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"encoding": "utf-8-sig"},
        {"encoding": "utf-16"},
        {"encoding": "utf-16-le"},
        {"encoding": "utf-16-be"},
        {"delimiter": ";"},
        {"delimiter": "\t", "name": "t.tsv"},
        {"delimiter": "|", "name": "t.txt"},
        {"delimiter": ";", "encoding": "utf-16", "lineterminator": "\n"},
        {"lineterminator": "\r"},
        {"quoting": csv.QUOTE_ALL},
        {"quoting": csv.QUOTE_ALL, "delimiter": ";"},
        {"head": ("Path", "LABEL")},
        {"head": ("filename", "class")},
        {"head": ("File_Path", "Category")},
        {"head": ("image", "target")},
        {"head": ("Image Path", " label ")},
        {"name": "T.CSV"},
        {"end": "\r\n\r\n ,\r\n"},
        {"rows": [(file.replace("/", "\\"), label) for file, label in ROWS]},
        {"rows": [(f" {file} ", label) for file, label in ROWS]},
        {"head": ("", "path", "label"), "rows": [(k, *row) for k, row in enumerate(ROWS)]},
        {"head": ("Unnamed: 0", "label", "note", "path"), "rows": [(k, b, "x.y", a) for k, (a, b) in enumerate(ROWS)]},
        {"head": ("path", "label", ""), "rows": [(*row, "") for row in ROWS]},
    ],
    ids=str,
)
def test_tables_in_every_dialect(files, given):
    assert labelled(table(**given)) == RIGHT


def test_paths_in_full(files):
    Path("lists").mkdir()
    table("lists/t.csv", rows=[(str(files / file), label) for file, label in ROWS])
    assert labelled("lists/t.csv") == {"train": {str(files / file): label for file, label in ROWS}}


@pytest.mark.parametrize("text", ["path, label\n{}", "path,label\n{}", '"path", "label"\n{}'])
def test_blanks_after_commas_are_no_part_of_labels(files, text):
    quote = '"' if '"' in text else ""
    rows = "\n".join(f"{quote}{file}{quote}, {quote}{label}{quote}" for file, label in ROWS)
    Path("t.csv").write_text(text.format(rows))
    assert labelled("t.csv") == RIGHT


def test_columns_of_other_names_are_named(files):
    table(head=("foto", "tier"))
    assert labelled("t.csv", path="foto", target="tier") == RIGHT
    assert "paths in column 'foto', labels in column 'tier'" in said("t.csv", path="foto", target="tier")
    with pytest.raises(InputError, match="--path-column 'foto'"):
        find_data("t.csv")
    with pytest.raises(InputError, match=r"column of labels .*--target.* foto, tier"):
        find_data("t.csv", columns=Columns(path="foto"))
    with pytest.raises(InputError, match="--path-column: There is no column 'photo'. Did you mean 'foto'"):
        find_data("t.csv", columns=Columns(path="photo"))
    table(head=("path", "label"))
    for columns in (Columns(group="x"), Columns(channel="x")):
        with pytest.raises(InputError, match="is for tables of signals"):
            find_data("t.csv", columns=columns)


def test_the_command_line_takes_the_column_of_paths(files, short):
    table(head=("foto", "tier"))
    trained = run_here("train", "t.csv", "--path-column", "foto", "--target", "tier", "--out", "run", *TINY)
    assert trained.returncode == 0, trained.stderr
    shown = run_here("evaluate", "run", "t.csv", "--path-column", "foto", "--target", "tier", "--json")
    assert json.loads(shown.stdout)["count"] == 2


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("split", ("train", "train", "val", "test")),
        ("Split", ("Training", "", "DEV", "holdout")),
        ("subset", ("train", "TRAIN", "valid", "testing")),
        ("set", ("train", "training", "validation", "eval")),
    ],
)
def test_parts_of_a_table(files, column, values):
    table(head=("path", "label", column), rows=[(*row, value) for row, value in zip(ROWS, values, strict=True)])
    found = labelled("t.csv")
    assert {part: list(rows) for part, rows in found.items()} == {
        "train": ["a/1.png", "a/2.png"],
        "validation": ["b/1.png"],
        "test": ["b/2.png"],
    }


FIRST_IS_TRAIN = {"train": ["a/1.png", "b/1.png"], "test": ["a/2.png", "b/2.png"]}


@pytest.mark.parametrize(
    ("head", "cells"),
    [
        (("fold",), [("train",), ("test",), ("train",), ("test",)]),
        (("Phase",), [("Training",), ("Evaluation",), ("",), ("test",)]),
        (("Usage",), [("train",), ("TEST",), ("train",), ("holdout",)]),
        (("data_split",), [("train",), ("test",), ("train",), ("test",)]),
        (("Dataset",), [("training set",), ("test set",), ("training set",), ("test set",)]),
        (("is_test",), [("0",), ("1",), ("0",), ("1",)]),
        (("IsTest",), [("False",), ("True",), ("",), ("TRUE",)]),
        (("is_train",), [("1.0",), ("0.0",), ("1.0",), ("0.0",)]),
        (("train", "test"), [("yes", "no"), ("no", "yes"), ("yes", "no"), ("no", "yes")]),
        (("is_valid", "is_test"), [("f", "f"), ("f", "t"), ("f", "f"), ("f", "t")]),
        (("split", "is_test"), [("train", 0), ("test", 1), ("train", 0), ("test", 1)]),
        (("split",), [("1-train",), ("3 test",), ("",), ("3_test",)]),
    ],
    ids=str,
)
def test_parts_under_other_names(files, head, cells):
    table(head=("path", "label", *head), rows=[(*row, *more) for row, more in zip(ROWS, cells, strict=True)])
    assert {part: list(rows) for part, rows in labelled("t.csv").items()} == FIRST_IS_TRAIN
    assert f"parts in column{'s' * (len(head) == 2 and head[0] != 'split')} {head[0]!r}" in said("t.csv")


def test_rows_without_a_part_among_others_are_said(files):
    rows = [(*row, part) for row, part in zip(ROWS, ("train", "", "test", ""), strict=True)]
    one = table(rows=rows, head=("path", "label", "split"))
    assert "Learned from, for column 'split' is empty there: 2 rows." in said(one)
    rest = table(
        "rest.csv",
        [(*row, part) for row, part in zip(ROWS, ("", "", "test", ""), strict=True)],
        ("path", "label", "split"),
    )
    assert "Learned from" not in said(rest)


def test_an_empty_column_of_parts_is_none(files):
    table(head=("path", "label", "split", "is_test"), rows=[(*row, "", k % 2) for k, row in enumerate(ROWS)])
    assert {part: list(rows) for part, rows in labelled("t.csv").items()} == FIRST_IS_TRAIN


@pytest.mark.parametrize("head", ["", "path label\n", "# a list\n"])
@pytest.mark.parametrize("name", ["t.txt", "t.csv"])
def test_blanks_between_cells_are_no_table_of_signals(files, head, name):
    Path(name).write_text(head + "".join(f"{file} {k // 2}\n" for k, file in enumerate(FILES)))
    with pytest.raises(InputError, match="2 words in a row.*write a comma or a tab between path and label"):
        find_data(name)


def test_is_valid_is_the_part_to_validate_on(files):
    table(head=("path", "label", "is_valid"), rows=[(*row, k % 2 == 1) for k, row in enumerate(ROWS)])
    assert {part: list(rows) for part, rows in labelled("t.csv").items()} == {
        "train": ["a/1.png", "b/1.png"],
        "validation": ["a/2.png", "b/2.png"],
    }


@pytest.mark.parametrize(
    ("name", "cells", "words"),
    [
        ("role", ["train", "test", "train", "test"], "'role' holds 'test', 'train' and is not used: .* call it split"),
        ("Group", ["dev", "test", "dev", "test"], "'Group' holds 'dev', 'test' and is not used"),
        ("fold", ["0", "1", "2", "3"], "'fold' holds '0', '1', '2', … and is not used: .* train, val and test"),
        ("set", ["x"] * 4, "'set' holds 'x' and is not used"),
        ("valid", ["1", "0", "1", "1"], "'valid' holds '0', '1' and is not used"),
    ],
)
def test_what_may_be_a_part_and_is_not_read_is_said(files, name, cells, words):
    table(head=("path", "label", name), rows=[(*row, cell) for row, cell in zip(ROWS, cells, strict=True)])
    assert labelled("t.csv") == RIGHT
    assert re.search(words, said("t.csv"))
    table(
        head=("path", "label", "note"),
        rows=[(*row, cell) for row, cell in zip(ROWS, ["train", "some", "x", "1"], strict=True)],
    )
    assert "not used" not in said("t.csv")


@pytest.mark.parametrize(
    ("head", "cells", "words"),
    [
        (("split",), [("train",), ("fold 1",)], "line 3: split is train, val or test, not 'fold 1'"),
        (("subset",), [("train",), ("unlabelled",)], "line 3: subset is train, val or test, not 'unlabelled'"),
        (("is_train", "is_test"), [(1, 0), (1, 1)], "line 3: 'is_train' and 'is_test' both say yes"),
        (("is_train", "is_test"), [(1, 0), (0, 0)], "line 3: none of .is_train., .is_test. says yes"),
        (("split", "is_test"), [("train", 0), ("train", 1)], "line 3: column 'split' and column 'is_test' name diff"),
        (("split", "subset"), [("train", "train"), ("val", "test")], "line 3: column 'split' and column 'subset'"),
    ],
)
def test_parts_that_say_two_things_are_refused(files, head, cells, words):
    table(head=("path", "label", *head), rows=[(*row, *more) for row, more in zip(ROWS, cells, strict=False)])
    with pytest.raises(InputError, match=words):
        find_data("t.csv")


@pytest.mark.parametrize(
    ("head", "cells", "words"),
    [
        (
            ("label", "class"),
            "xyxy",
            "columns 'label' and 'class' may both be meant, and differ. Name one with --target",
        ),
        (("Label", "label"), "xxxy", "columns 'Label' and 'label' may both be meant"),
        (("category", "target"), "xyzz", "'target' and 'category' may both be meant"),
        (("label", "label"), "xyxy", "two columns called 'label', which differ. Rename one"),
    ],
)
def test_two_columns_of_labels_are_asked_about_where_they_differ(files, head, cells, words):
    table(head=("path", *head), rows=[(*row, cell) for row, cell in zip(ROWS, cells, strict=True)])
    with pytest.raises(InputError, match=words):
        find_data("t.csv")
    if head[0] != head[1]:
        assert labelled("t.csv", target=head[0]) == RIGHT
        assert list(labelled("t.csv", target=head[1])["train"].values()) == list(cells)


@pytest.mark.parametrize("head", [("class", "label"), ("LABEL", "label"), ("label", "label"), ("target", "class")])
def test_two_columns_of_the_same_classes_are_one(files, head):
    table(head=("path", *head), rows=[(file, label, label[0]) for file, label in ROWS])
    assert set(labelled("t.csv")["train"].values()) in ({"red", "blue"}, {"r", "b"})
    assert "tells the same classes apart, and is not used" in said("t.csv")
    table(head=("path", *head), rows=[(*row, "") for row in ROWS])  # an empty one is none
    assert labelled("t.csv") == RIGHT


def test_two_columns_of_paths(files):
    table(head=("path", "image", "label"), rows=[(file, file[::-1], label) for file, label in ROWS])
    assert labelled("t.csv") == RIGHT and "'image' holds paths too, and is not used" in said("t.csv")
    table(head=("path", "path", "label"), rows=[(file, FILES[0], label) for file, label in ROWS])
    with pytest.raises(InputError, match="two columns called 'path'"):
        find_data("t.csv")
    table(head=("path", "label", "note", "note"), rows=[(*row, 1, k) for k, row in enumerate(ROWS)])
    assert labelled("t.csv") == RIGHT  # what is not asked for may be called as it likes


def test_a_number_to_predict_is_no_class(files):
    pictures(*(f"{k}.png" for k in range(10)))
    table(rows=[(f"{k}.png", f"{k * 0.37:.2f}") for k in range(10)])
    with pytest.raises(InputError, match=r"column 'label' holds numbers such as 0\.00, 10 different ones in 10 rows"):
        find_data("t.csv")
    table(rows=[(f"{k}.png", f"{k % 2}.5") for k in range(10)])
    assert counts("t.csv") == {"train": {"0.5": 5, "1.5": 5}}
    table(rows=[(f"{k}.png", f"name {k}") for k in range(10)])  # to measure with, that is right
    with pytest.raises(InputError, match="each class needs two"):
        hold_out(find_data("t.csv"), 0.2, 0)
    assert list(counts("t.csv")["train"].values()) == [1] * 10


@pytest.mark.parametrize("mark", [";", ",", "|", "\t"])
def test_a_first_line_that_names_the_mark_is_no_header(files, mark):
    table(delimiter=mark)
    whole = Path("t.csv").read_bytes()
    Path("t.csv").write_bytes(f"sep={mark}\r\n".encode() + whole)
    assert labelled("t.csv") == RIGHT
    Path("t.csv").write_bytes(f"sep={mark}\r\n".encode() + whole + f"a/1.png{mark}\r\n".encode())
    with pytest.raises(InputError, match="line 7: the label"):
        find_data("t.csv")


LABELS = [
    "01",
    "1",
    "NA",
    "None",
    "nan",
    "True",
    "1e3",
    "1.0",
    "a,b",
    'say "x"',
    "a/b",
    "[red]",
    "[/bold]",
    "😀 é",
    "'q'",
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_labels_are_text_as_it_is_written(here, delimiter):
    labels = [*LABELS, " lead", "lead", "a;b", "x\ty", "null", "-", "0"]
    pictures(*(f"{k}.png" for k in range(len(labels))))
    table(rows=[(f"{k}.png", label) for k, label in enumerate(labels)], delimiter=delimiter)
    assert list(labelled("t.csv")["train"].values()) == labels
    assert find_data("t.csv").classes == tuple(sorted(labels))
    assert "' lead' and 'lead' differ" in said("t.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,label\na/1.png,rot é\n".encode("cp1252"), "line 2 is not UTF-8 text. Save the table as UTF-8"),
        (b"a/1.png,red\nb/1.png,blue\n", "no header: write path,label"),
        (b"path,label\n", "no row"),
        (b"path,label\na/1.png,\n", r"line 2: the label of a/1\.png \(column 'label'\) is empty\. Fill"),
        (b"path,label\na/1.png\n", r"line 2: the label of a/1\.png .* is empty"),
        (b"path,label\n,red\n", "line 2: the path is empty"),
        (b"path,class\na/1.png,red\na/2.png, \nb/1.png,\n", r"line 3: the label of a/2\.png .*'class'.*1 more rows"),
        (b"path,label\na/1.png,a,b\n", "line 2 has 3 cells, the header 2"),
        (b'path,label\na/1.png,"red\nb/1.png,blue\n', "not a row of a table"),
        (b"path,label\na/1.png,red\n./a/1.png,blue\n", "'red' in line 2 and 'blue' in line 3"),
        (b"id,breed\n000,red\n001,blue\n", "no column of samples of signals, and none of paths of pictures"),
        (b"path,label\n" + b"x" * 5000 + b".png,red\n", "No path in"),
        (b"path,label\na\0.png,red\n", "No path in"),
    ],
)
def test_tables_that_cannot_be_read_are_sentences(files, text, words):
    Path("t.csv").write_bytes(text)
    with pytest.raises(InputError, match=words):
        find_data("t.csv")


@pytest.mark.parametrize("word", ["NA", "n/a", "NaN", "none", "-", "?"])
def test_labels_that_may_be_none_are_said(files, word):
    one = table(rows=[*ROWS[:-1], (FILES[-1], word)])
    told = f"1 row with the label '{word}', taken for a class. If it says that there is none, take them out."
    assert told in said(one) and counts(one)["train"][word] == 1
    assert "taken for a class" not in said(table("plain.csv"))


def test_a_picture_is_listed_once(files):
    table(rows=[*ROWS, ROWS[0], ROWS[3]])
    assert labelled("t.csv") == RIGHT and "2 rows, line 6 first" in said("t.csv")


def test_rows_without_their_file_are_left_out_aloud(files):
    Path("lists").mkdir()
    table(
        "lists/t.csv", rows=[(f"../{file}", label) for file, label in (*ROWS, ("a/9.png", "red"), ("c.png", "green"))]
    )
    assert counts("lists/t.csv") == {"train": {"red": 2, "blue": 2}}
    reasons = left_out("lists/t.csv")
    assert set(reasons) == {"lists/../a/9.png", "lists/../c.png"}
    assert all(reason.startswith("no such file") and str(files / "lists") in reason for reason in reasons.values())
    with pytest.raises(InputError, match="Class 'green'.*no picture to learn from.*2 files left out"):
        to_learn_from(find_data("lists/t.csv"))


def test_against_what_paths_are_resolved(files):
    Path("lists").mkdir()
    table("lists/t.csv")
    assert labelled("lists/t.csv") == RIGHT
    assert f"from the current folder, {files}, and none does from the table's" in said("lists/t.csv")
    pictures("lists/a/1.png")  # from the table's folder one path leads to a file: the others are left out
    assert list(labelled("lists/t.csv")["train"]) == ["lists/a/1.png"]
    assert set(left_out("lists/t.csv")) == {f"lists/{file}" for file in FILES[1:]}
    table("lists/n.csv", rows=[("nowhere/1.png", "a"), ("nowhere/2.png", "b")])
    with pytest.raises(InputError, match=rf"\(2 rows, 'nowhere/1.png' first\).*{files}/lists, from the current"):
        find_data("lists/n.csv")
    table("lists/w.csv", rows=[(f"https://example.org/{file}", label) for file, label in ROWS])
    with pytest.raises(InputError, match="pictures are not fetched"):
        find_data("lists/w.csv")


def test_paths_from_the_folder_around_that_of_the_table(files, monkeypatch):
    Path("lists").mkdir()
    Path("away").mkdir()
    table("lists/t.csv")
    monkeypatch.chdir("away")
    assert list(labelled("../lists/t.csv")["train"].values()) == [label for _, label in ROWS]
    assert f"from the folder around the table's, {files}, and none" in said("../lists/t.csv")


def test_paths_written_in_every_way(files):
    pictures("a b/ü 1.png", "100%25.png", "100%.png", "a/7.png")
    ways = [
        str(files / "a/1.png"),
        "a\\2.png",
        "./b/../b/1.png",
        "a%20b/%C3%BC%201.png",
        (files / "b/2.png").as_uri(),
        "file://localhost" + str(files / "a/7.png"),
        "100%25.png",  # as it is written it is there: it is no address
    ]
    table(rows=[(way, "red" if number % 2 else "blue") for number, way in enumerate(ways)])
    expected = ["a/1.png", "a/2.png", "b/1.png", "a b/ü 1.png", "b/2.png", "a/7.png", "100%25.png"]
    found = labelled("t.csv")["train"]
    assert [Path(file).resolve() for file in found] == [files / file for file in expected]
    assert list(found.values()) == ["blue", "red"] * 3 + ["blue"] and left_out("t.csv") == {}


def test_a_picture_is_one_however_its_path_is_written(files):
    table(rows=[*ROWS, (str(files / "a/1.png"), "red"), ("a\\2.png", "red")])
    assert labelled("t.csv") == RIGHT and "2 rows, line 6 first" in said("t.csv")
    table(rows=[*ROWS, ((files / "a/1.png").as_uri(), "blue")])
    with pytest.raises(InputError, match="'red' in line 2 and 'blue' in line 6"):
        find_data("t.csv")


def test_tables_of_signals_stay_theirs(files):
    numbers = np.random.default_rng(0).normal(size=(6, 30)).round(3)
    wide = [[f"f{k}", "ab"[k % 2], *row] for k, row in enumerate(numbers)]
    table("s.csv", rows=[row[1:] for row in wide], head=("label", *(f"s{k}" for k in range(30))))
    assert find_data("s.csv").kind == "signal"
    table("l.csv", rows=[(k // 3, k % 3, k, "ab"[k // 3]) for k in range(6)], head=("id", "time", "value", "label"))
    assert find_data("l.csv").kind == "signal"
    # Many columns are no reason against pictures that are there.
    table("p.csv", rows=[(*row, *numbers[0]) for row in ROWS], head=("path", "label", *map(str, range(30))))
    assert find_data("p.csv").kind == "picture" and labelled("p.csv") == RIGHT
