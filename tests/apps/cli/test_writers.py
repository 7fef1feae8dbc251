import csv
import io
import json
from dataclasses import replace

import pytest

from googlenet.apps.cli.output.writers import WRITERS
from googlenet.inference.prediction import Prediction, Wanted

PREDICTIONS = (
    Prediction("a.png", (("cat, wild", 0.75), ("dog", 0.25))),
    Prediction("b.png", error="truncated"),
    Prediction("caf\u00e9.png", (('"dog"', 1.0), ("cat, wild", 0.0))),
)


def written(form):
    out = io.StringIO()
    assert WRITERS[form](iter(PREDICTIONS), out, Wanted(2)) == 1  # could not be read
    return out.getvalue()


def test_a_table_is_a_line_an_example():
    assert written("table").splitlines() == [
        "a.png  cat, wild 0.750  dog 0.250",
        "b.png  error: truncated",
        'café.png  "dog" 1.000  cat, wild 0.000',
    ]


def test_json_lines_say_what_predictions_hold():
    assert [json.loads(line) for line in written("jsonl").splitlines()] == [each.to_dict() for each in PREDICTIONS]


def test_csv_has_a_column_for_each_label_and_each_probability():
    head, *rows = csv.reader(io.StringIO(written("csv")))
    assert head == ["input", "error", "label_1", "probability_1", "label_2", "probability_2"]
    assert rows == [
        ["a.png", "", "cat, wild", "0.75", "dog", "0.25"],
        ["b.png", "truncated", "", "", "", ""],
        ["café.png", "", '"dog"', "1.0", "cat, wild", "0.0"],
    ]


@pytest.mark.parametrize("form", WRITERS)
def test_predictions_are_written_as_they_come(form):
    out = io.StringIO()
    lengths = []

    def predictions():
        for prediction in PREDICTIONS:
            lengths.append(len(out.getvalue()))
            yield prediction

    WRITERS[form](predictions(), out, Wanted(2))
    assert lengths[0] < lengths[1] < lengths[2]


DOUBTED = (
    Prediction("a.png", (("cat, wild", 0.75), ("dog", 0.25)), labels=("cat, wild", "dog")),
    Prediction("b.png", error="truncated"),
    Prediction("c.png", (("dog", 0.6), ("cat, wild", 0.4)), rejected=True, labels=("dog",)),
)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            "table",
            [
                "a.png  {cat, wild, dog}  cat, wild 0.750",
                "b.png  error: truncated",
                "c.png  rejected  {dog}  dog 0.600",
            ],
        ),
        (
            "csv",
            [
                "input,error,label,labels,label_1,probability_1",
                'a.png,,"cat, wild","[""cat, wild"", ""dog""]","cat, wild",0.75',
                "b.png,truncated,,,,",
                'c.png,,,"[""dog""]",dog,0.6',
            ],
        ),
    ],
)
def test_what_is_rejected_has_no_label(form, expected):
    out = io.StringIO()
    shown = [replace(each, top=each.top[:1]) for each in DOUBTED]
    WRITERS[form](shown, out, Wanted(1, reject_below=0.7, least=0.2))
    assert out.getvalue().splitlines() == expected


def test_json_has_no_label_for_what_is_rejected():
    rows = [each.to_dict() for each in DOUBTED]
    assert [row.get("label") for row in rows] == ["cat, wild", None, None]
    assert [row.get("labels") for row in rows] == [["cat, wild", "dog"], None, ["dog"]]
    assert rows[2]["top"][0] == {"label": "dog", "probability": 0.6}
