import numpy as np
import pytest
from markupsafe import Markup

from googlenet.apps.report.examples import Examples, examples_for

CLASSES = ("cat", "dog")
# Of each example the probability of "dog".
DOGS = np.array([0.9, 0.6, 0.2, 0.4, 0.7, 0.95])
LABELS = np.array([0, 0, 0, 0, 1, 1])
NAMES = [f"{row}.png" for row in range(6)]


def chosen(right=0, dogs=DOGS, labels=LABELS):
    def draw(rows, guesses):
        return [Markup(f"<i>{row} {guess}</i>") for row, guess in zip(rows, guesses, strict=True)]

    names = [f"{row}.png" for row in range(len(labels))]
    return examples_for(names, labels, CLASSES, np.stack([1 - dogs, dogs], 1), draw, right)


def test_mistakes_are_the_surest_first():
    found = chosen()
    assert [example.name for example in found.mistakes] == ["0.png", "1.png"]
    first = found.mistakes[0]
    assert (first.label, first.guess, first.figure) == ("cat", "dog", "<i>0 1</i>")
    assert first.probability == pytest.approx(0.9)
    assert found.right == []


@pytest.mark.parametrize(("right", "names"), [(1, ["2.png", "5.png"]), (2, ["2.png", "3.png", "5.png", "4.png"])])
def test_right_answers_are_the_surest_of_each_class(right, names):
    found = chosen(right)
    assert [example.name for example in found.right] == names
    assert all(example.label == example.guess for example in found.right)
    assert [example.figure for example in found.right] == [f"<i>{n[0]} {int(int(n[0]) > 3)}</i>" for n in names]


def test_there_are_never_too_many():
    found = chosen(100, np.full(100, 0.9), np.arange(100) % 2)
    assert len(found.mistakes) == len(found.right) == 12


def test_nothing_is_drawn_where_nothing_is_asked_for():
    def draw(rows, guesses):
        raise AssertionError

    assert examples_for(["a"], np.array([1]), CLASSES, np.array([[0.1, 0.9]]), draw) == Examples()
