import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

from googlenet.apps.cli import display
from googlenet.apps.cli.output import results
from googlenet.apps.cli.output.screen import Screen
from googlenet.data.protocol import BadFile, Dataset
from googlenet.training.recipe import RECIPES
from googlenet.training.runs.folder import Run
from googlenet.training.runs.records import ClassScores, Evaluation, GroupScores

MARKUP = "[red]x[/]"  # what rich would read as a colour, were it not told


def evaluation(classes):
    scores = [ClassScores(name, 0.75, 0.6, 2 / 3, 5) for name in classes]
    return Evaluation(0.8, None, 0.5, 0.1, 10, scores, np.diag([3] * len(classes)).tolist(), part="test")


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


def test_an_evaluation_is_its_figures_and_a_row_a_class(capsys):
    display.show_evaluation(evaluation(("cat", MARKUP)))
    first, second, third, _, head, *rows = capsys.readouterr().out.splitlines()
    assert first == "top-1 0.8000"
    assert second == "loss 0.5000   calibration error 0.1000"  # of a record of before there was more
    assert third == "examples 10 (the test part)"
    assert head.split() == ["class", "precision", "recall", "f1", "count", "cat", MARKUP]
    assert [row.split() for row in rows] == [
        ["cat", "0.750", "0.600", "0.667", "5", "3", "·"],
        [MARKUP, "0.750", "0.600", "0.667", "5", "·", "3"],
    ]


def test_an_evaluation_says_between_what_the_share_right_may_lie(capsys):
    found = replace(evaluation(("cat", "dog")), interval=[0.49016, 0.94332], brier=0.25, top5=0.9)
    display.show_evaluation(found)
    assert capsys.readouterr().out.splitlines()[:2] == [
        "top-1 0.8000 (95 %: 0.4902 to 0.9433)   top-5 0.9000",
        "loss 0.5000   Brier 0.2500   calibration error 0.1000",
    ]
    for names, words in (("ab", "95 %, for other groups: 0.4902 to 0.9433"), ("a", "of one group, which says nothing")):
        groups = [GroupScores(name, 5, 0.8, [[4, 1], [0, 0]]) for name in names]
        display.show_evaluation(replace(found, by_group=groups))
        assert f"top-1 0.8000 ({words}" in capsys.readouterr().out


def test_a_confusion_matrix_whose_names_are_too_wide_has_numbers(capsys):
    display.show_evaluation(evaluation([f"a class with a rather long name {n}" for n in range(9)]))
    _, _, _, _, head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[5:] == [str(n) for n in range(1, 10)]
    assert rows[8].split()[:9] == ["9", *["a", "class", "with", "a", "rather", "long", "name", "8"]][:9]


def test_a_confusion_matrix_that_does_not_fit_is_what_is_confused_most(capsys):
    found = evaluation([f"class{n}" for n in range(60)])
    found.confusion[7][3], found.confusion[2][5] = 4, 9
    display.show_evaluation(found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[4].split() == ["class", "precision", "recall", "f1", "count"]
    assert lines[66:] == [
        "The confusion matrix of 60 classes does not fit here; --json has it.",
        "times  of class  taken for",
        "    9  class2    class5   ",
        "    4  class7    class3   ",
    ]


def test_an_evaluation_says_how_many_of_how_many(capsys):
    for changes, words in (
        ({"left_out": 1990}, "examples 10 of 2,000 (the test part; 1,990 left out, which the run learned from)"),
        ({"learned": 4}, "examples 10 (the test part; the run learned from 4 of them)"),
        (
            {"unknown": ["w.onnx"]},
            "examples 10 (the test part; what w.onnx learned from is not known, and may be among them)",
        ),
        ({"bad_files": [{}] * 3}, "examples 10 (the test part; 3 more could not be read)"),
    ):
        display.show_evaluation(replace(evaluation(("cat", "dog")), **changes))
        assert capsys.readouterr().out.splitlines()[2] == words


def test_a_training_says_what_it_learns_from_and_what_is_held_out(capsys):
    data = Dataset("data", ("a", "b"), [None] * 48, validation=[None] * 12)
    display.show_training(data, RECIPES["small"].with_changes({"epochs": "1"}), Path("run"))
    assert "1 epoch, 2 classes, 48 to learn from, 12 for validation; run: run\n" in capsys.readouterr().err


def test_a_training_says_what_it_begins_with(capsys):
    bad = tuple(BadFile(f"{MARKUP}/{n}.png", "truncated [/]") for n in range(52))
    data = Dataset("data", ("a", "b"), [None] * 1234, notes=(f"the labels are in {MARKUP}",), bad=bad)
    display.show_training(data, RECIPES["small"], Path(MARKUP))
    out, err = capsys.readouterr()
    assert out == "" and "52 files are left out" in err and f"{MARKUP}/49.png" in err and f"{MARKUP}/50.png" not in err
    assert "… and 2 more; run.json lists them all." in err and "truncated [/]" in err
    assert f"the labels are in {MARKUP}\n" in err
    assert f"2 classes, 1,234 to learn from; run: {MARKUP}\n" in err


class Photos(list):
    recipe = "photos"


def test_few_photos_from_scratch_are_told_of_the_better_start(capsys):
    few = Dataset("data", ("a", "b"), Photos([None] * 100))
    results.show_better_start(few, RECIPES["photos"])
    said = capsys.readouterr().err
    assert said.startswith("100 photos are few") and "--weights googlenet_torchvision.imagenet1k" in said
    assert "googlenet weights fetch googlenet_torchvision.imagenet1k" in said
    results.show_better_start(few, RECIPES["photos"].with_changes({"weights": "imagenet1k"}))
    results.show_better_start(Dataset("data", ("a",), Photos([None] * 5000)), RECIPES["photos"])
    assert capsys.readouterr().err == ""


def test_a_result_says_where_to_look(capsys):
    results.show_result(evaluation(("a", "b")), Run(Path(MARKUP)))
    assert capsys.readouterr().err == f"accuracy 0.8000 on 10 held out; see {MARKUP}/report.html\n"


def test_a_result_says_what_its_probabilities_were_calibrated_on_and_how(capsys):
    found = replace(evaluation(("a", "b")), calibrated_on="90 others", temperature=0.8)
    for each, how in ((found, ""), (replace(found, smoothing=0.05), "label smoothing of 0.05 undone, ")):
        results.show_result(each, Run(Path(MARKUP)))
        said = " ".join(capsys.readouterr().err.split())
        assert said.endswith(f"probabilities calibrated on 90 others ({how}temperature 0.80)")


def test_rows_are_shown_as_they_are(capsys):
    display.show_rows([("name", MARKUP), ("licence", "MIT")])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [["name", MARKUP], ["licence", "MIT"]]


def test_a_table_that_is_wider_than_its_terminal_is_a_few_lines_a_row(capsys, monkeypatch):
    table = Table(box=None)
    for name in ("name", "trained on", "licence"):
        table.add_column(name, no_wrap=True)
    table.add_row(MARKUP, "a hundred thousand pictures", "")
    table.add_row("other", "signals", "MIT")
    display.show_table(table)
    assert len(capsys.readouterr().out.splitlines()) == 3
    monkeypatch.setattr(display, "console", Screen(width=30, force_terminal=True, no_color=True))
    display.show_table(table)
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert [line.strip() for line in lines] == [
        MARKUP,
        "trained on a hundred",
        "thousand pictures",
        "other",
        "trained on signals   licence",
        "MIT",
    ]


@pytest.mark.parametrize("letter", ["a", "\u2028"])
def test_a_sentence_with_a_text_of_any_length_is_short(capsys, letter):
    display.say(f"begin {letter * 9000} end")
    said = capsys.readouterr().err
    assert len(said) < 1010 and said.startswith("begin ") and " … " in said and said.endswith(" end\n")
    display.say("b" * 1000)
    assert capsys.readouterr().err == "b" * 1000 + "\n"
