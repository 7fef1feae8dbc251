"""The main jobs from end to end, for the command line and for Python: a name or a path in, a run out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from markupsafe import Markup

from ..data.builtin import BUILTIN
from ..data.find import to_learn_from
from ..data.protocol import BadFile, Dataset, ExampleSet
from ..data.splits import copies, with_held_out
from ..errors import InputError, unknown
from ..explain.maps.activation import what_decided
from ..inference.calibration.competing import opinion_of
from ..inference.calibration.found import calibration_of
from ..inference.calibration.quantization import examples_from
from ..inference.engines.backend import BACKENDS
from ..inference.evaluate import predicted
from ..inference.export import Comparison, export, notes_of
from ..inference.load import load_pipeline
from ..inference.pipeline import Pipeline
from ..inference.predictor import Predictor, read_example
from ..nn.googlenet import GoogLeNet
from ..training.distributed import joined, leads, processes
from ..training.loop import speed_of, train
from ..training.progress import Report, now, silent
from ..training.recipe import Plan, Recipe, find_recipe, planned, seconds_to_learn, width_for
from ..training.runs.folder import Run
from ..training.runs.reading import NOTHING
from ..training.runs.records import Evaluation
from ..training.start.given import fitted_to, task_and_start, train_on_features
from ..training.task import Task, learned_before, what_it_says
from ..weights.create import read_source
from .measure.evaluation import scores
from .measure.held_out import new_rows
from .report import charts
from .report.examples import Ints, examples_for, write_pictures
from .report.inside import look_inside
from .report.page import write_report


def learning_data(data: Dataset, recipe: Recipe) -> Dataset:
    """The data as a training sees them: a part held out where there is none, and what is to be said of copies, and of
    what its weights learned from before."""
    held = with_held_out(data, recipe)
    return replace(held, notes=(*held.notes, *copies(data), *_seen_before(held, recipe)))


def _seen_before(data: Dataset, recipe: Recipe) -> Iterator[str]:
    part = data.held_out
    seen = len(part) - len(new_rows(part, learned_before(recipe).contents))
    if seen:
        epochs = "the accuracies of epochs count them, and " if part is data.validation else ""
        rest = "the result leaves these out" if seen < len(part) else "no accuracy of this training is one on new ones"
        yield (
            f"{recipe.weights} learned from {seen:,} of the {len(part):,} {data.kind}s to measure on, by content: "
            f"{epochs}{rest}."
        )


def choose_recipe(data: Dataset, name: str | None, changes: Mapping[str, str], resumed: Run | None = None) -> Recipe:
    """The recipe for data, fitted to the weights that it begins with, changed, and fitted to the number of examples.

    Args:
        data: With a training part.
        name: Of the recipe; ``None`` for the one for data of this kind and size.
        changes: Fields as text. Epochs that are asked for are all there are.
        resumed: The run to go on with, which brings its own recipe unless one is named.

    Raises:
        InputError: For an unknown name or field, a value that does not fit it, or nothing to learn from.
    """
    part = to_learn_from(data)
    if "epochs" in changes:
        changes = {"class_epochs": "0", "min_steps": "0"} | dict(changes)
    if resumed is not None and resumed.exists and name is None:
        return resumed.recipe().with_changes(changes)
    recipe = find_recipe(name or part.recipe)
    if changes.get("weights"):
        recipe = fitted_to(recipe, read_source(changes["weights"]))
    return recipe.with_changes(changes).fitted(len(part), len(data.classes))


def recipe_for_minutes(
    data: Dataset, minutes: float, name: str | None, changes: Mapping[str, str], started: float
) -> Plan:
    """The training for the minutes that there are, after a few seconds of trial on this machine.

    Args:
        data: With a training part.
        minutes: From then to the end of everything, about.
        name: As of :func:`choose_recipe`.
        changes: The same.
        started: When they began, by :func:`~googlenet.training.progress.now`.

    Raises:
        InputError: As of :func:`choose_recipe`; for minutes that are none, and fields that say how long, too; for
            several processes; and for what no training could begin with.
    """
    if not (math.isfinite(minutes) and minutes > 0):
        raise InputError(f"The minutes must be a finite number above 0, not {minutes}.")
    if said := [field for field in ("epochs", "max_seconds") if field in changes]:
        word = f"--{said[0].replace('_', '-')}"
        raise InputError(f"--minutes says how long to train, and so does {word}: leave one of them out.")
    if changes.get("freeze") == "features":
        raise InputError("With freeze=features there is nothing to spend minutes on: leave --minutes out.")
    if processes() > 1:
        raise InputError("--minutes is for one process; give several --max-seconds, and a recipe.")

    recipe = choose_recipe(data, name, changes)
    plan = _tried(data, recipe, minutes, started)
    if name is not None:
        return plan
    width = width_for(recipe, plan.passes)
    if width != recipe.width and not {"width", "arch", "weights"} & set(changes):
        plan = replace(_tried(data, replace(recipe, width=width), minutes, started), suited={"width": width})
    return plan.suiting(changes)


def _tried(data: Dataset, recipe: Recipe, minutes: float, started: float) -> Plan:
    """What a recipe comes to in the minutes that there are, after a few seconds of trial."""
    task, _ = task_and_start(with_held_out(data, recipe), recipe)
    speed, beside = speed_of(task)
    seconds = seconds_to_learn(minutes, now() - started)
    return planned(recipe, seconds, task.examples, speed, task.data.validation is None, beside)


def training_job(
    data: Dataset, recipe: Recipe, folder: Path, *, resume: bool = False, report: Report = silent
) -> Evaluation | None:
    """Trains, evaluates the final weights once on the held-out part, and writes the report.

    Args:
        data: With a training part; a share of it is held out where there is nothing to evaluate on.
        recipe: How to train.
        folder: Of the run.
        resume: Whether to go on from its checkpoint.
        report: Called with every event, for progress.

    Returns:
        The evaluation; ``None`` in processes that do not lead.

    Raises:
        InputError: If the folder already holds a run and ``resume`` is not set, or another training is at work in it.
    """
    run = Run(folder)
    if not resume and run.exists:
        raise InputError(f"{folder} already holds a run. Go on with it (--resume), or name another folder (--out).")
    if leads():
        run.hold()
    try:
        return train_into(data, recipe, run, resume=resume, report=report)
    finally:
        run.release()


def train_into(data: Dataset, recipe: Recipe, run: Run, *, resume: bool, report: Report) -> Evaluation | None:
    """:func:`training_job` for a run that the process that leads holds, so that nobody else works in it.

    Args:
        data: With a training part.
        recipe: How to train.
        run: It.
        resume: Whether to go on from its checkpoint.
        report: Called with every event, for progress.
    """
    with joined() as world:
        data = with_held_out(data, recipe)
        task, start = task_and_start(data, recipe)
        if start is not None and recipe.freeze == "features":
            model = train_on_features(task, start, run) if world.leads else start
        else:
            model = train(task, run, world, resume, report, start)
        return finish(task, model, run, report) if world.leads else None


def finish(task: Task, model: GoogLeNet, run: Run, report: Report = silent) -> Evaluation:
    """Evaluates a trained network and writes its evaluation, its report and examples to predict on.

    Args:
        task: What it was trained on.
        model: In evaluation mode.
        run: Its folder.
        report: Called now and then.
    """
    data, learned, engines = task.data, (run.learned() or NOTHING).contents, BACKENDS["torch"].load()
    opinion = opinion_of(task)
    beside = [] if opinion is None else [opinion.kernels]
    uncalibrated = Pipeline([model], task.preprocessing, competing=beside)
    plain = Predictor(engines.engine_of(uncalibrated), data.classes, task.preprocessing)
    new = new_rows(data.held_out, learned)
    rows = new or range(len(data.held_out))
    part = data.held_out.subset(rows)
    found, labels = predicted(plain, part, data.classes)
    unseen = [] if data.validation is None else new_rows(data.validation, learned)
    calibration, measured = calibration_of(task, plain, unseen, found, labels, opinion, report)
    pipeline = Pipeline([model], task.preprocessing, calibration, beside)
    pipeline.save(run.weights, **what_it_says(task, run))
    evaluation = scores(calibration, measured, labels, data.classes, data, rows)
    evaluation = replace(evaluation, learned=0 if new else len(part))
    run.write_evaluation(evaluation)

    def draw(rows: Sequence[int], guesses: Ints) -> list[Markup]:
        return _drawn(pipeline, part.subset(rows), guesses)

    probabilities = calibration.applied(found)
    examples = examples_for(part.names, labels, data.classes, probabilities, draw, right=1)
    write_report(run, model, examples, look_inside(pipeline, part, probabilities, labels))
    if data.name in BUILTIN:
        write_pictures(part, data.classes, run.examples, task.preprocessing)
    return evaluation


def _drawn(pipeline: Pipeline, part: ExampleSet, guesses: Ints) -> list[Markup]:
    """The examples of a part as the networks see them, with what decided for a guess."""
    preprocessing = pipeline.preprocessing
    read = [read_example(example, preprocessing) for example in part.examples(preprocessing)]
    inputs = np.concatenate(read)
    evidence = what_decided(pipeline, inputs, torch.from_numpy(guesses))
    return [charts.drawn(preprocessing.draw(x, each)) for x, each in zip(inputs, evidence, strict=True)]


def export_job(
    runs: Sequence[str], form: str, out: Path | None, int8: str | None
) -> tuple[Path, Comparison, tuple[BadFile, ...]]:
    """Writes a run, or several as one that averages their probabilities, for other programs.

    Args:
        runs: Run folders or weight files.
        form: A key of :data:`~googlenet.inference.engines.backend.BACKENDS`.
        out: The file, or a folder for it; by default beside the weights.
        int8: Pictures or signals to calibrate 8 bits with; ``None`` for float32.

    Returns:
        The file, how it compares with PyTorch, and what could not be read to calibrate with.

    Raises:
        InputError: If it cannot be written, or does not compute what PyTorch computes.
    """
    if form not in BACKENDS:
        raise unknown("format", form, BACKENDS)
    pipeline, classes = load_pipeline(*runs)
    suffix = BACKENDS[form].suffix
    first = Path(runs[0])
    out = out or (first if first.is_dir() else first.parent)
    if out.exists() and not out.is_dir() and out.suffix != suffix:
        raise InputError(f"{out} is there and is no folder; name a folder, or a file that ends in {suffix} (--out).")
    if out.is_dir() or not out.suffix:
        out = out / f"model{'-int8' if int8 else ''}{suffix}"
    if out.suffix != suffix:
        raise InputError(f"A file for {form} ends in {suffix}, and {out} does not.")
    calibration, bad = (None, ()) if int8 is None else examples_from(int8, pipeline.preprocessing)
    return out, export(pipeline, notes_of(pipeline, classes), form, out, calibration), bad
