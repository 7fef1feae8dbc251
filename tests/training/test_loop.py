"""The loop by a clock that the test turns: budgets of time, and how often the device's numbers are looked at."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from googlenet import GoogLeNetClassifier
from googlenet.data.images.dataset import ImageSet
from googlenet.data.protocol import Dataset
from googlenet.training import loop, progress
from googlenet.training.distributed import World
from googlenet.training.learner import Diverged, Learner
from googlenet.training.loop import epochs
from googlenet.training.progress import EpochDone, StepDone, silent
from googlenet.training.recipe import SIGNALS, SMALL
from googlenet.training.runs.folder import Run
from googlenet.training.start.fresh import fresh_state
from googlenet.training.task import task_for

pytestmark = pytest.mark.usefixtures("short")
STEPS = 20  # of an epoch of 40 pictures
RECIPE = dataclasses.replace(SMALL, arch="short_2d", width=0.125, batch_size=2, epochs=3, min_steps=0, precision="fp32")
ALONE = World(0, 1, torch.device("cpu"))


class Clock:
    """Stands still but for what each step takes.

    Attributes:
        seconds: That a step takes.
        rates: The learning rate of each step that was taken.
        loss: Of every step.
    """

    def __init__(self):
        self.time, self.seconds, self.rates, self.loss = 100.0, 0.0, [], 0.5

    def __call__(self):
        return self.time


@pytest.fixture
def clock(monkeypatch):
    """The clock of a training whose steps do nothing but take their time."""
    turned = Clock()

    def step(learner, batch, rate, where):
        turned.rates.append(rate)
        turned.time += turned.seconds
        learner.state.step += 1
        return torch.tensor([turned.loss, 0.25])

    monkeypatch.setattr(Learner, "step", step)
    for module in (progress, loop):
        monkeypatch.setattr(module, "now", turned)
    return turned


def task(recipe=RECIPE):
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (40, 1, 24, 24), np.uint8))
    images = ImageSet(torch.arange(40) % 2, tuple(map(str, range(40))), pixels, 1)
    return task_for(Dataset("noise", ("a", "b"), images), recipe)


def trained(recipe, report=silent):
    work = task(recipe)
    return list(epochs(work, fresh_state(work, ALONE), ALONE, report))


def cosine(share, recipe):
    """Section by section: up to the peak in a line, then down in half a cosine."""
    peak, warmup = recipe.learning_rate, recipe.warmup
    return (
        peak * share / warmup
        if share < warmup
        else peak * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup))) / 2
    )


def test_a_budget_of_time_ends_the_schedule_and_not_only_the_training(clock):
    clock.seconds = 1.0
    rows = trained(dataclasses.replace(RECIPE, epochs=1000, max_seconds=50.0))
    assert len(clock.rates) == 50  # in the middle of the third epoch
    assert clock.rates == pytest.approx([cosine(step / 50, RECIPE) for step in range(50)])
    assert clock.rates[-1] < 0.01 * max(clock.rates)  # annealed, not cut off
    assert [(row.epoch, row.seconds) for row in rows] == [(1, 20.0), (2, 20.0), (3, 10.0)]
    assert rows[-1].loss == pytest.approx(clock.loss)  # a mean over the steps that were taken


def test_without_hurry_the_steps_are_the_schedule(clock):
    clock.seconds = 1.0
    trained(dataclasses.replace(RECIPE, max_seconds=1e6))
    assert len(clock.rates) == 3 * STEPS
    assert clock.rates == pytest.approx([cosine(step / 60, RECIPE) for step in range(60)], rel=1e-3)


def test_a_resumed_training_has_what_is_left_of_its_time(clock, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    clock.seconds = 1.0
    recipe = dataclasses.replace(RECIPE, epochs=1000, max_seconds=50.0)

    class Stop(Exception):
        pass

    def stop(event):
        if isinstance(event, EpochDone) and event.row.epoch == 2:
            raise Stop

    with pytest.raises(Stop):
        loop.train(task(recipe), Run(tmp_path / "run"), ALONE, False, stop)
    assert len(clock.rates) == 40
    clock.time += 5000  # a night
    loop.train(task(recipe), Run(tmp_path / "run"), ALONE, True, silent)
    assert len(clock.rates) == 50
    assert clock.rates == pytest.approx([cosine(step / 50, RECIPE) for step in range(50)])


def test_time_between_epochs_counts_and_a_training_that_its_time_ended_is_finished(clock, tmp_path):
    clock.seconds = 0.0703  # which no sum of hundredths is

    def written(event):
        if isinstance(event, EpochDone):
            clock.time += 3.0  # what is written, or said, behind an epoch

    recipe, run = dataclasses.replace(RECIPE, epochs=1000, max_seconds=20.0), Run(tmp_path / "run")
    loop.train(task(recipe), run, ALONE, False, written)
    assert sum(row.seconds for row in run.history()) >= 20
    steps = len(clock.rates)
    assert steps < 20 / 0.0703 / 2  # most of the time went by between epochs
    clock.time += 5000
    loop.train(task(recipe), run, ALONE, True, silent)
    assert len(clock.rates) == steps


def test_the_estimator_keeps_to_its_budget(clock):
    clock.seconds = 1.0
    recipe = dataclasses.replace(SIGNALS, arch="short_1d", width=0.25, members=1, batch_size=4)
    X, y = np.random.default_rng(0).normal(size=(12, 20)), [0, 1] * 6
    model = GoogLeNetClassifier(recipe=recipe, max_seconds=50, random_state=0).fit(X, y)
    assert len(clock.rates) == 50
    assert model.history_[-1].learning_rate == clock.rates[-1] < 0.01 * SIGNALS.learning_rate


@pytest.mark.parametrize(
    ("seconds", "looks"),
    [(0.0, [20]), (0.03, [4, 8, 12, 16, 20]), (0.06, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]), (1.0, list(range(1, 21)))],
)
def test_numbers_are_read_at_the_pace_of_the_progress_bar(clock, monkeypatch, seconds, looks):
    """Ten times a second at most and at the end of each epoch, however many steps there are in between."""
    clock.seconds = seconds
    read, tolist = [], torch.Tensor.tolist

    def counted(tensor):
        if tensor.shape == (2,) and tensor.is_floating_point():
            read.append(len(clock.rates))
        return tolist(tensor)

    monkeypatch.setattr(torch.Tensor, "tolist", counted)
    events = []
    trained(RECIPE, events.append)
    assert [(event.epoch, event.step) for event in events if isinstance(event, StepDone)] == [
        (epoch, step) for epoch in (1, 2, 3) for step in looks
    ]
    assert all(event.loss == clock.loss and event.accuracy == 0.25 for event in events)
    assert all((event.epochs, event.steps) == (3, STEPS) for event in events)
    # And once more for the row of the epoch.
    assert sorted(read) == sorted(STEPS * epoch + step for epoch in (0, 1, 2) for step in [*looks, STEPS])


def test_the_speed_is_that_of_the_epoch_so_far(clock):
    clock.seconds = 0.25
    events = []
    trained(RECIPE, events.append)
    assert [event.examples_per_second for event in events] == pytest.approx([8.0] * 3 * STEPS)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_found_at_the_next_look(clock, loss):
    clock.loss = loss
    with pytest.raises(Diverged, match=r"The loss became (nan|inf) at epoch 1, batch 20 or shortly before"):
        trained(RECIPE)
    assert len(clock.rates) == STEPS


def test_checkpoints_are_written_by_the_clock_and_at_the_end(clock, tmp_path, monkeypatch):
    written, write = [], loop.write_epoch
    monkeypatch.setattr(
        loop, "write_epoch", lambda run, state, task: written.append(state.epoch) or write(run, state, task)
    )
    clock.seconds = 0.06  # an epoch takes 1.2 seconds
    recipe = dataclasses.replace(RECIPE, epochs=5)
    loop.train(task(recipe), Run(tmp_path / "run"), ALONE, False, silent)
    assert written == [1, 3, 5]
    assert [row.epoch for row in Run(tmp_path / "run").history()] == [1, 2, 3, 4, 5]
