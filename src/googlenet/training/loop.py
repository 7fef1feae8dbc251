"""The training loop. Reads top to bottom: what is trained, an epoch, what is kept, what is written."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..data.parallel import steps_of
from ..errors import InputError
from ..nn.device import best_device
from ..nn.googlenet import GoogLeNet
from ..weights.create import save_weights
from .distributed import World
from .learner import Learner, finished, grown, norms_of, validate, with_norms_of
from .optimizers import learning_rate
from .progress import Clock, EpochDone, Pace, Report, StepDone, now, silent
from .recipe import Recipe
from .runs.folder import Run
from .runs.records import EpochRow
from .start.fresh import fresh_state, pretrained_state
from .state import State, go_on, keep_previous, make_newest
from .task import Task, learned_from, run_record, what_it_says

CHECKPOINT_SECONDS = 2.0  # where epochs are shorter, not each is written
TRIAL = 2.5  # seconds
WITHIN = 1000  # steps of an epoch after which there is a checkpoint in it, and chance begins anew


def train(
    task: Task, run: Run, world: World, resume: bool, report: Report, start: GoogLeNet | None = None
) -> GoogLeNet:
    """Trains a network and writes the run: weights, metrics, and what prediction needs.

    A run that was stopped at any moment loses at most the epoch it was in, or :data:`WITHIN` steps of it, or a few
    seconds where epochs are shorter; resumed on the CPU with as many threads, it ends in the same weights bit for bit.
    Resumed in another number of processes, it goes on with the examples that the epoch has not had.

    Args:
        task: The data and how to train, from :func:`~googlenet.training.task.task_for`.
        run: Folder to write.
        world: The processes, from :func:`~googlenet.training.distributed.joined`.
        resume: Whether to go on from the folder's checkpoint, if it has one.
        report: Called with every event, for progress.
        start: The network to go on from, of :func:`~googlenet.training.start.given.start_from`; else a fresh one.

    Returns:
        The network with its final weights, in evaluation mode.

    Raises:
        InputError: For data that cannot be trained on, or a checkpoint of other data or another recipe.
        Diverged: If the loss becomes infinite or not a number; the last checkpoint stays.
    """
    recipe = task.recipe
    state = fresh_state(task, world) if start is None else pretrained_state(start, task, world)
    _begin(task, run, world, state, resume)
    written, written_at = state.epoch, now() - CHECKPOINT_SECONDS  # the first is, so that there is one

    def keep() -> None:
        if world.leads:
            write_epoch(run, state, task)
        world.wait()

    for row in epochs(task, state, world, report, keep):
        if world.leads:
            if now() - written_at >= CHECKPOINT_SECONDS:
                write_epoch(run, state, task)
                written, written_at = state.epoch, now()
            report(EpochDone(row, recipe.epochs))
        world.wait()
    if world.leads and (written < state.epoch or recipe.max_seconds):
        write_epoch(run, state, task)

    final = finished(task, state)
    if world.leads:
        save_weights(final, run.weights, **what_it_says(task, run), calibration=None)  # which is still to be found
        run.previous.unlink(missing_ok=True)
    return final


def _begin(task: Task, run: Run, world: World, state: State, resume: bool) -> None:
    """Goes on from the run's checkpoint, if it is to and there is one, and writes what makes the run."""
    recipe = task.recipe
    source: Path | None = None
    said: list[str] = []
    if resume and run.exists:
        run.check_goes_on(task.data, recipe)
        source, said = go_on(state, run, recipe, task.fingerprint)
        if state.epoch > recipe.epochs:
            raise InputError(f"{run.path} has done {state.epoch} epochs already; ask for more than that (--epochs).")
    world.wait()
    if world.leads:
        for sentence in said:
            warnings.warn(sentence, RuntimeWarning, stacklevel=1)
        run.begin(run_record(task), learned_from(task))
        if source is not None:
            make_newest(source, run)
            run.write_history(state.history)  # of the checkpoint, and of nothing after it


def epochs(
    task: Task, state: State, world: World, report: Report, keep: Callable[[], None] | None = None
) -> Iterator[EpochRow]:
    """Trains epoch by epoch, from where the state stands.

    Args:
        task: The data and how to train.
        state: Is changed.
        world: The processes.
        report: Called now and then.
        keep: Called within long epochs, to write the state.

    Yields:
        What each epoch came to.
    """
    recipe = task.recipe
    batch_size = _batch_size(task, world)
    learner = Learner(state, recipe, world, _class_weights(task), task.weights)
    steps = steps_of(task.examples, batch_size)
    clock = Clock(recipe, steps, sum(row.seconds for row in state.history) + state.seconds)
    while state.epoch < recipe.epochs and _progress(clock, state, world) < 1:
        row = _epoch(task, learner, clock, batch_size, report, keep)
        state.epoch, state.done, state.totals, state.seconds = state.epoch + 1, 0, (0.0, 0.0), 0.0
        state.history.append(row)
        yield row
    if state.history and state.epoch < recipe.epochs:  # its time is over, perhaps since the last epoch was written
        last = state.history[-1]
        left = recipe.max_seconds + 0.01 - sum(row.seconds for row in state.history)
        state.history[-1] = dataclasses.replace(last, seconds=round(last.seconds + max(0.0, left), 2))


def _epoch(
    task: Task,
    learner: Learner,
    clock: Clock,
    batch_size: int,
    report: Report,
    keep: Callable[[], None] | None,
) -> EpochRow:
    """One epoch, and its validation."""
    recipe, state, world = task.recipe, learner.state, learner.world
    pace, number, steps = Pace(), state.epoch + 1, steps_of(task.examples, batch_size)
    started, before = now(), state.done
    if state.done >= steps:
        raise InputError(f"The checkpoint is damaged: it is {state.done} steps into an epoch of {steps}.")
    _seed(recipe, number, state.done, world)
    _to_training(state.model, recipe)
    losses = [row.loss for row in state.history]
    totals = torch.tensor(state.totals, device=world.device)
    progress = _progress(clock, state, world)
    batches = task.training.training(number - 1, batch_size, world.rank, world.size, state.done)
    for step, batch in enumerate(batches, start=state.done + 1):
        rate, where = learning_rate(recipe, progress, losses), f"epoch {number}, batch {step}"
        inputs = grown(batch.inputs, state.model, recipe.growth, progress)
        totals += learner.step(batch._replace(inputs=inputs), rate, where)
        progress = _progress(clock, state, world)
        if pace.due() or step == steps:
            loss, accuracy = (totals / step).tolist()
            learner.check(loss, where)
            speed = (step - before) / steps * task.examples / max(now() - started, 1e-9)
            report(StepDone(number, recipe.epochs, step, steps, loss, accuracy, speed))
        if progress >= 1:
            break
        if keep is not None and step % WITHIN == 0 and step < steps:
            totals = world.mean(totals)
            state.done, state.totals = step, (float(totals[0]), float(totals[1]))
            state.seconds = clock.since(state.history)
            keep()
            _seed(recipe, number, step, world)
    loss, accuracy = world.mean(totals / step).tolist()
    learner.check(loss, where)
    scores = validate(task, state, world) if world.leads and task.validation is not None else (None, None)
    return EpochRow(number, loss, accuracy, clock.since(state.history), rate, *scores)


def speed_of(task: Task) -> tuple[float, float]:
    """How many examples a second this machine learns from, at full size, and the seconds that every epoch takes beside;
    finding it out takes five seconds or a few steps.

    Args:
        task: The data and how to train.

    Raises:
        InputError: As a training would, at its first step.
    """
    world, speed = World(0, 1, best_device()), 0.0
    recipe = dataclasses.replace(task.recipe, epochs=100_000, growth=0.0, max_seconds=TRIAL)
    trial = dataclasses.replace(task, recipe=recipe, data=dataclasses.replace(task.data, validation=None))
    for _ in range(2):  # the first warms up, and prepares what is prepared once
        state = fresh_state(task, world)
        started = now()
        for _ in epochs(trial, state, world, silent):
            pass
        each = task.examples / steps_of(task.examples, _batch_size(trial, world))
        speed = state.step * each / (now() - started)
    started = now()
    with_norms_of(trial, state, task.examples)
    validation = len(task.data.validation or ()) / (3 * speed)  # as it looks at them without learning
    return speed, now() - started + validation


def _seed(recipe: Recipe, epoch: int, done: int, world: World) -> None:
    """Chance from there on: of an epoch, or of what is left of one."""
    torch.manual_seed(recipe.seed + 1_000_003 * epoch + 7_919 * done + world.rank)


def _progress(clock: Clock, state: State, world: World) -> float:
    """The same in every process: their clocks may differ."""
    progress = clock.progress(state.step)
    return world.first(progress) if clock.seconds else progress


def _batch_size(task: Task, world: World) -> int:
    recipe = task.recipe
    batch_size = min(recipe.batch_size, task.examples)
    if batch_size < 2 * world.size:
        raise InputError(
            f"{task.data.name} has too few examples to train on ({task.examples}; batch_size {recipe.batch_size}): "
            "batch norm needs 2 in each process."
        )
    return batch_size


def _to_training(model: GoogLeNet, recipe: Recipe) -> None:
    model.train()
    if recipe.freeze == "norms":
        for norm in norms_of(model):
            norm.eval()


def write_epoch(run: Run, state: State, task: Task) -> None:
    """Checkpoint first, beside the one before, then metrics: a crash in between loses a line that the next epoch writes
    again.

    Args:
        run: Where to.
        state: After an epoch.
        task: What is trained on.
    """
    norms = dict(with_norms_of(task, state, task.examples).named_buffers())
    keep_previous(run)
    state.save(run.checkpoint, task.recipe, task.fingerprint, norms, **what_it_says(task, run))
    run.write_history(state.history)


def _class_weights(task: Task) -> Tensor | None:
    """Inverse frequencies with a mean of 1 over the examples, if the recipe balances by weights."""
    if task.recipe.balance != "weights" or task.data.train is None:
        return None
    counts = np.bincount(task.data.train.labels.numpy(), minlength=len(task.data.classes))
    return torch.tensor(counts.sum() / (len(counts) * counts), dtype=torch.float32)
