import pytest

from googlenet.apps.cli.options import input_shape, recipe_changes
from googlenet.errors import InputError


def test_fields_of_a_recipe_are_options():
    words = ["--no-flip", "--compile", "--epochs", "3", "--crop=no", "--learning-rate=0.1"]
    assert recipe_changes(words) == {
        "flip": "no",
        "compile": "yes",
        "epochs": "3",
        "crop": "no",
        "learning_rate": "0.1",
    }


@pytest.mark.parametrize(
    ("words", "sentence"), [(["x"], "one argument too many"), (["--seed"], "--seed needs a value")]
)
def test_other_words_are_refused(words, sentence):
    with pytest.raises(InputError, match=sentence):
        recipe_changes(words)


@pytest.mark.parametrize(
    ("text", "shape"), [(None, (3, (7, 7))), ("1x1024", (1, (1024,))), ("2×8X32x32", (2, (8, 32, 32)))]
)
def test_shapes_of_inputs(text, shape):
    assert input_shape(text, (7, 7)) == shape


@pytest.mark.parametrize("text", ["", "3x", "big", "3x1.5"])
def test_what_is_no_shape(text):
    with pytest.raises(InputError, match="--input is channels and size"):
        input_shape(text, (7, 7))
