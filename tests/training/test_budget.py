import dataclasses

import pytest

from googlenet.apps.cli.main import app
from googlenet.apps.jobs import choose_recipe, recipe_for_minutes
from googlenet.data.builtin import digits
from googlenet.errors import InputError
from googlenet.training import loop
from googlenet.training.recipe import RECIPES, SIGNALS, SMALL, planned


def test_what_a_minute_buys_by_hand():
    # 57 of 60 seconds at 100 examples a second are 5,700 examples: 5.7 passes over 1,000.
    plan = planned(SMALL, 1, 1000, 100.0)
    assert plan.passes == pytest.approx(5.7)
    assert (plan.recipe.max_seconds, plan.recipe.epochs) == (pytest.approx(57.0), 7)
    assert plan.described() == (
        "This machine learns from 100 examples a second here: about 6 passes over them by the recipe small, "
        "annealed in time."
    )


def test_small_pictures_at_first_are_more_pictures():
    # Half of the time at 9/16 of the pixels: 0.5 / (9/16) + 0.5 would be of the time; of the steps it is the mean area.
    grown = planned(dataclasses.replace(SMALL, growth=0.5), 1, 1000, 100.0)
    assert grown.passes == pytest.approx(5.7 / (0.5 + 0.5 * 9 / 16))


def test_signals_get_the_time_of_their_recipe_and_no_more():
    recipe = SIGNALS.fitted(100, 2)
    plan = planned(recipe, 600, 100, 1000.0)
    assert plan.recipe == recipe and plan.recipe.opines
    assert "which needs no more than that" in plan.described()
    short = planned(recipe, 0.1, 100, 1000.0)  # 4.2 of 6 seconds: the rest is for calibration
    assert short.recipe.max_seconds == pytest.approx(4.2) and short.passes == pytest.approx(42)


def test_pictures_are_seen_four_times_as_often_at_most():
    plan = planned(SMALL, 1e4, 1000, 100.0)
    assert (plan.recipe.epochs, plan.recipe.max_seconds, plan.passes) == (88, 0.0, 88)


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf")])
def test_minutes_that_are_none(minutes):
    with pytest.raises(InputError, match="minutes must be a number above 0"):
        planned(SMALL, minutes, 10, 1.0)


@pytest.fixture
def fast(monkeypatch):
    """A machine of a known speed: 1,000 examples a second by any recipe."""
    tried = []
    monkeypatch.setattr(
        "googlenet.apps.jobs.examples_per_second", lambda task: tried.append(task.recipe.name) or 1000.0
    )
    return tried


def test_many_passes_are_by_the_recipe_for_many_passes(fast):
    data = digits()
    few, many = (recipe_for_minutes(data, minutes, None, {}).recipe for minutes in (0.5, 5))
    assert (few.name, many.name) == ("small", "small-long")
    assert fast == ["small", "small", "small-long"]
    assert many.width == RECIPES["small-long"].width and many.max_seconds == pytest.approx(285)


def test_a_recipe_that_is_named_stays(fast):
    assert recipe_for_minutes(digits(), 5, "small", {}).recipe.name == "small"


def test_fields_that_are_given_stay(fast):
    recipe = recipe_for_minutes(digits(), 5, None, {"width": "0.25", "seed": "3"}).recipe
    assert (recipe.name, recipe.width, recipe.seed) == ("small-long", 0.25, 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epochs": "3"}, "so does epochs"),
        ({"max_seconds": "3"}, "so does max_seconds"),
        ({"freeze": "features", "weights": "googlenet_small.fashion_mnist"}, "nothing to spend minutes on"),
    ],
)
def test_what_contradicts_minutes_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        recipe_for_minutes(digits(), 1, None, changes)


def test_several_processes_are_not_measured_by_one(monkeypatch):
    monkeypatch.setattr("googlenet.apps.jobs.processes", lambda: 2)
    with pytest.raises(InputError, match="for one process"):
        recipe_for_minutes(digits(), 1, None, {})


def test_speed_is_what_a_training_has(monkeypatch):
    """With a clock that steps move: a step of 64 examples takes a second, so it is 64 a second."""
    data = digits()
    data = dataclasses.replace(data, train=data.train.subset(range(640)))
    recipe = choose_recipe(data, "small", {"width": "0.1", "batch_size": "64"})
    ticks = [0.0]
    real = loop.Learner.step

    def step(self, *words):
        ticks[0] += 1
        return real(self, *words)

    monkeypatch.setattr(loop.Learner, "step", step)
    monkeypatch.setattr(loop, "now", lambda: ticks[0])
    monkeypatch.setattr("googlenet.training.progress.now", lambda: ticks[0])
    from googlenet.training.start.given import task_and_start

    assert loop.examples_per_second(task_and_start(data, recipe)[0]) == pytest.approx(64.0)


def test_a_resumed_training_has_its_limit_already(capsys):
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, ["train", "digits", "--minutes", "1", "--resume"])
    assert done.exit_code == 2 and "has its limit already" in done.output.replace("\n", " ")
