import dataclasses
import re

import pytest
import typer

from googlenet.apps.cli.main import app
from googlenet.apps.cli.options import PANELS, input_shape, recipe_changes
from googlenet.errors import InputError
from googlenet.training.recipe import Recipe


def test_options_that_are_given_become_changes():
    given = {"flip": False, "compile": True, "epochs": "3", "crop": None, "learning_rate": "0.1"}
    assert recipe_changes(given) == {"flip": "no", "compile": "yes", "epochs": "3", "learning_rate": "0.1"}


def test_every_field_of_a_recipe_is_an_option_with_the_words_of_its_docstring():
    train = typer.main.get_command(app).commands["train"]
    options = {param.name: param for param in train.params}
    words = re.sub(r"\s+", " ", Recipe.__doc__).replace("`", "")
    for field in dataclasses.fields(Recipe):
        if field.name == "name":
            continue
        option = options[field.name]
        assert option.opts == [f"--{field.name.replace('_', '-')}"]
        if field.name != "weights":  # which has words of its own
            assert f"{field.name}: {option.help}" in words
            assert option.default is None and option.rich_help_panel in PANELS


def test_a_switch_has_two_options():
    train = typer.main.get_command(app).commands["train"]
    (flip,) = (param for param in train.params if param.name == "flip")
    assert (flip.opts, flip.secondary_opts) == (["--flip"], ["--no-flip"])


def test_a_field_stands_in_one_panel():
    names = [name for panel in PANELS.values() for name in panel]
    assert len(names) == len(set(names)) and set(names) <= {field.name for field in dataclasses.fields(Recipe)}


@pytest.mark.parametrize(
    ("text", "shape"), [(None, (3, (7, 7))), ("1x1024", (1, (1024,))), ("2×8X32x32", (2, (8, 32, 32)))]
)
def test_shapes_of_inputs(text, shape):
    assert input_shape(text, (7, 7)) == shape


@pytest.mark.parametrize("text", ["", "3x", "big", "3x1.5"])
def test_what_is_no_shape(text):
    with pytest.raises(InputError, match="--input is channels and size"):
        input_shape(text, (7, 7))
