import dataclasses

import pytest
from typer.testing import CliRunner

from googlenet.apps.cli import usage
from googlenet.apps.cli.main import app
from googlenet.apps.jobs import choose_recipe, recipe_for_minutes
from googlenet.data.builtin import digits, gunpoint
from googlenet.data.signals.preparation.preprocessing import SignalPreprocessing
from googlenet.errors import InputError
from googlenet.training import loop
from googlenet.training.recipe import INCEPTIONTIME, PAPER, RECIPES, SIGNALS, SMALL, planned, seconds_to_learn
from googlenet.training.recipe.budget import OFTEN, SELDOM, WIDTHS
from googlenet.training.recipe.rows import RECORDINGS
from googlenet.training.start.given import task_and_start

PLAIN = dataclasses.replace(SMALL, growth=0.0)


def test_what_is_left_to_learn_in_by_hand():
    # 96 % of 120 seconds less 5 for the report and 10 that were spent; and never less than three tenths.
    assert seconds_to_learn(2, 10) == pytest.approx(100.2)
    assert seconds_to_learn(1, 55) == pytest.approx(18)


def test_what_time_buys_by_hand():
    plan = planned(PLAIN, 100.0, 1000, 100.2, True)
    assert plan.passes == pytest.approx(10.02)
    assert (plan.recipe.max_seconds, plan.recipe.epochs) == (100.0, 12)
    assert plan.described() == (
        "This machine learns from 100 examples a second here: about 10 passes over them by the recipe small, "
        "annealed in time."
    )


def test_small_pictures_at_first_are_more_pictures():
    grown = planned(dataclasses.replace(SMALL, growth=0.5), 100.0, 1000, 100.2, True)
    assert grown.passes == pytest.approx(10.02 / (0.5 + 0.5 * 9 / 16))


def test_what_an_epoch_takes_beside_learning_counts():
    # 10 seconds of learning and 2 for looking at what is held out.
    assert planned(PLAIN, 120.0, 1000, 100.0, True, 2.0).passes == pytest.approx(10)


def test_less_than_a_pass_is_said_to_be_less():
    plan = planned(PLAIN, 60.0, 10_000, 50.0, True)
    assert "learns from 50 examples a second here: about 0.3 passes" in plan.described()
    assert plan.recipe.epochs == 1


def test_signals_get_the_time_of_their_recipe_and_no_more():
    recipe = SIGNALS.fitted(100, 2)
    plan = planned(recipe, 30_000.0, 100, 1000.0, True)
    assert plan.recipe == recipe and plan.recipe.opines
    assert plan.described().endswith("by the recipe signals, which needs no more than that.")


def test_signals_without_time_for_all_of_it_have_the_networks_alone():
    recipe = SIGNALS.fitted(100, 2)  # 58 passes
    enough, less = (planned(recipe, 58 * 100 / share, 100, 1.0, True) for share in (0.69, 0.71))
    assert enough.recipe == recipe
    assert not less.recipe.opines and not less.recipe.leaves_out
    assert "annealed in time, without competing kernels and calibration, for which there is no time" in less.described()


@pytest.mark.parametrize(
    ("recipe", "alone", "missing"),
    [
        (SIGNALS, True, ("competing kernels", "calibration")),
        (SIGNALS, False, ("competing kernels",)),  # what is held out says how sure it may be, all the same
        (dataclasses.replace(SIGNALS, calibrate=False), True, ("competing kernels",)),
        (dataclasses.replace(SIGNALS, competing=0), True, ("calibration",)),
        (RECORDINGS, False, ()),
        (INCEPTIONTIME, True, ()),
        (SMALL, True, ()),
    ],
)
def test_what_there_is_no_time_for_is_named_and_nothing_else(recipe, alone, missing):
    plan = planned(recipe, 1.0, 100, 1.0, alone)
    assert plan.missing == missing and ("without" in plan.described()) == bool(missing)


def test_a_schedule_that_knows_no_time_is_not_said_to_be_annealed():
    said = planned(INCEPTIONTIME, 60.0, 100, 100.0, True).described()
    assert said.endswith("by the recipe inceptiontime, which then ends, wherever its schedule 'plateau' is.")
    assert "schedule 'step'" in planned(PAPER, 60.0, 1000, 100.0, True).described()


def test_pictures_are_seen_four_times_as_often_at_most():
    plan = planned(SMALL, 6e5, 1000, 100.0, True)
    assert (plan.recipe.epochs, plan.recipe.max_seconds, plan.passes) == (88, 0.0, 88)


@pytest.fixture
def fast(monkeypatch):
    """A machine of a known speed, 1,000 examples a second by any recipe, where a look at the data takes no time."""
    tried = []
    monkeypatch.setattr("googlenet.apps.jobs.now", lambda: 0.0)

    def speed(task):
        tried.append(task.recipe.name)
        return 1000.0, 0.0

    monkeypatch.setattr("googlenet.apps.jobs.speed_of", speed)
    return tried


def test_the_speed_is_tried_once_by_the_recipe_of_the_data_or_the_one_that_is_named(fast):
    plans = [recipe_for_minutes(digits(), 0.5, name, {}, 0.0) for name in (None, "small-colour")]
    assert fast == [plan.recipe.name for plan in plans] == ["small", "small-colour"]
    assert plans[0].recipe.max_seconds == pytest.approx(23.8)  # 96 % of 30, less 5


def test_less_is_blanked_where_pictures_are_seen_seldom(fast):
    data = digits()  # 20 seconds of 1,000 a second are 15 passes over the 1,317 that are not held out
    few, many = (recipe_for_minutes(data, minutes, None, {}, 0.0) for minutes in (0.4, 0.5))
    assert few.passes < OFTEN <= many.passes
    assert (few.recipe.cutout, many.recipe.cutout) == (SELDOM["small"]["cutout"], SMALL.cutout) == (5, 8)
    assert "passes over them by the recipe small, cutout 5, annealed in time." in few.described()
    assert "cutout" not in many.described()


@pytest.mark.parametrize(("name", "changes"), [("small", {}), (None, {"cutout": "8"})])
def test_what_was_asked_for_stays(fast, name, changes):
    plan = recipe_for_minutes(digits(), 0.4, name, {"width": "0.25", "seed": "3", **changes}, 0.0)
    assert plan.passes < OFTEN and "cutout" not in plan.described()
    assert (plan.recipe.cutout, plan.recipe.width, plan.recipe.seed) == (8, 0.25, 3)


@pytest.mark.parametrize(("minutes", "width"), [(0.2, 0.5), (0.5, 0.8), (1.0, 1.1)])
def test_the_more_passes_there_is_time_for_the_wider_the_network_and_it_is_tried(fast, monkeypatch, minutes, width):
    tried = []

    def speed(task):
        tried.append(task.recipe.width)
        return 1000 * (0.8 / task.recipe.width) ** 2, 0.0

    monkeypatch.setattr("googlenet.apps.jobs.speed_of", speed)
    plan = recipe_for_minutes(digits(), minutes, None, {}, 0.0)
    assert plan.recipe.width == width and tried == list(dict.fromkeys([0.8, width]))
    usual = recipe_for_minutes(digits(), minutes, None, {"width": "0.8"}, 0.0)
    assert plan.passes == pytest.approx(usual.passes * (0.8 / width) ** 2)
    assert (f"by the recipe small, width {width:g}" in plan.described()) == (width != 0.8)
    for changes in ({"width": "0.8"}, {"arch": "googlenet_short"}, {"weights": "googlenet_small.fashion_mnist"}):
        plan = recipe_for_minutes(digits(), minutes, None, changes, 0.0)
        assert plan.recipe.width == choose_recipe(digits(), None, changes).width and "width" not in plan.suited


def test_widths_are_of_recipes_and_of_more_passes_the_wider():
    for name, rows in WIDTHS.items():
        least, widths = zip(*rows, strict=True)
        assert RECIPES[name].width in widths and least[0] == 0
        assert list(least) == sorted(set(least)) and list(widths) == sorted(set(widths))


def test_what_suits_few_passes_are_fields_of_recipes():
    for name, fields in SELDOM.items():
        assert {field: type(getattr(RECIPES[name], field)) for field in fields} == {
            field: type(value) for field, value in fields.items()
        }


@pytest.mark.parametrize(
    ("minutes", "changes", "words"),
    [
        *(
            (minutes, {}, "minutes must be a finite number above 0")
            for minutes in (0.0, -1.0, float("nan"), float("inf"))
        ),
        (1, {"epochs": "3"}, "so does --epochs"),
        (1, {"max_seconds": "3"}, "so does --max-seconds"),
        (1, {"freeze": "features", "weights": "googlenet_small.fashion_mnist"}, "nothing to spend minutes on"),
    ],
)
def test_what_contradicts_minutes_is_refused_before_anything_is_tried(fast, minutes, changes, words):
    with pytest.raises(InputError, match=words):
        recipe_for_minutes(digits(), minutes, None, changes, 0.0)
    assert not fast


def test_several_processes_are_not_measured_by_one(monkeypatch):
    monkeypatch.setattr("googlenet.apps.jobs.processes", lambda: 2)
    with pytest.raises(InputError, match="for one process"):
        recipe_for_minutes(digits(), 1, None, {}, 0.0)


@pytest.mark.parametrize("field", ["growth", "whiten"])
def test_what_no_training_begins_with_is_refused_with_minutes_too(field):
    with pytest.raises(InputError, match=f"{field} is for pictures"):
        recipe_for_minutes(gunpoint(), 1, None, {field: {"growth": "0.5", "whiten": "yes"}[field]}, 0.0)


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
    data = dataclasses.replace(data, validation=digits().train.subset(range(960, 1056)))
    speed, beside = loop.speed_of(task_and_start(data, recipe)[0])
    assert speed == pytest.approx(64.0)
    assert beside == pytest.approx(0.5)  # 96 are looked at, at three times the speed; the clock stands still for norms


def test_what_is_prepared_once_is_no_part_of_the_speed(monkeypatch):
    """With a clock that steps and the preparation of signals move."""
    recipe = choose_recipe(gunpoint(), None, {"width": "0.1", "batch_size": "25"})
    ticks, step, array = [0.0], loop.Learner.step, SignalPreprocessing.array

    def moved(real, seconds):
        def call(*words):
            ticks[0] += seconds
            return real(*words)

        return call

    monkeypatch.setattr(loop.Learner, "step", moved(step, 1))
    monkeypatch.setattr(SignalPreprocessing, "array", moved(array, 100))
    monkeypatch.setattr(loop, "now", lambda: ticks[0])
    monkeypatch.setattr("googlenet.training.progress.now", lambda: ticks[0])
    data = dataclasses.replace(gunpoint(), test=None)
    assert loop.speed_of(task_and_start(data, recipe)[0])[0] == pytest.approx(25.0)


def test_minutes_are_for_a_training_from_its_beginning():
    done = CliRunner().invoke(app, ["train", "digits", "--minutes", "1", "--resume"])
    assert done.exit_code == 2 and "leave one of them out" in done.output.replace("\n", " ")


@pytest.mark.parametrize("words", [["--minutes", "3"], ["--minutes=3"], []])
def test_who_stops_a_training_is_told_a_command_that_goes_on_with_it(monkeypatch, tmp_path, words):
    monkeypatch.setattr("sys.argv", ["googlenet", "train", *words, "digits", "--", "--minutes"])

    class Halfway:
        exists, path, checkpoint, previous = True, tmp_path, tmp_path, tmp_path

    said = str(usage.stopped(Halfway(), named=True))
    assert said.endswith("go on with: googlenet train digits --resume -- --minutes")
