"""What there is to say of a training: a better start, what it came to, whether it differs from another, that it has
nothing left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from ....errors import InputError, between, count
from ..display import say, strange
from .screen import console, shown

if TYPE_CHECKING:
    from ....data.protocol import Dataset
    from ....training.recipe import Recipe
    from ....training.runs.folder import Run
    from ....training.runs.records import Evaluation
    from ...measure.compare import Difference


FEW = 5000  # photos of a training part for which weights that have seen more are the better start
START = "googlenet_torchvision.imagenet1k"


def show_better_start(data: Dataset, recipe: Recipe) -> None:
    """That few photos are better begun with pretrained weights, on standard error, where they are not.

    Args:
        data: To learn from.
        recipe: How.
    """
    if data.train is None or data.train.recipe != "photos" or len(data.train) >= FEW or recipe.weights:
        return
    from ....weights.catalogue import find_record
    from ....weights.store import path_of

    here = path_of(find_record(START)).exists()
    say(
        f"{len(data.train):,} photos are few for a network from scratch; better begin with ImageNet's weights: "
        f"--weights {START}{'' if here else f', once googlenet weights fetch {START} has got them'}."
    )


def show_result(evaluation: Evaluation, run: Run) -> None:
    """What a training came to, on standard error."""
    say(f"accuracy {evaluation.top1:.4f} on {evaluation.measured}; see {run.report}")
    if evaluation.calibrated_on:
        undone = f"label smoothing of {evaluation.smoothing:g} undone, " if evaluation.smoothing else ""
        said = f"{undone}temperature {evaluation.temperature:.2f}"
        say(f"probabilities calibrated on {evaluation.calibrated_on} ({said})")
    history = run.history() if evaluation.part == "validation" else []
    before = history[-1].validation_accuracy if history else None
    if before is not None and abs(before - evaluation.top1) >= 0.0005:
        mirrored = run.record().preprocessing.get("mirror")
        how = ["over each picture and its mirror image"] * bool(mirrored)
        how += ["with the kernels that answer beside it"] * run.recipe().opines
        said = ", ".join(how or ["its norms fitted to more of the training part"])
        say(
            f"(The last epoch's {before:.4f} held out was a quick look; {evaluation.top1:.4f} is of the network that "
            f"is kept, {said}, as predict and evaluate compute it.)"
        )
    if evaluation.doubt:
        say(evaluation.doubt)


def show_difference(found: Difference) -> None:
    """Both accuracies, who has what right, and whether that is more than chance."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, top1, interval in found.rows():
        table.add_row(shown(name), f"{top1:.4f}", between(interval, found.groups, ".4f"))
    console.print(table)
    first, second = shown(found.first), shown(found.second)
    of, left_out = count(found.count, "example"), found.left_out
    if left_out:
        of += f" (of {found.count + left_out:,}: {left_out:,} left out, which one or the other learned from)"
    verdict = "they differ" if found.shown else "no difference is shown"
    if found.too_few:
        verdict += "; so few examples could show none"
    copied = f"copies together, {found.apart:,} differ, exact" if found.apart < found.count else "McNemar, exact"
    how = f"whole groups of {found.groups:,}, exact" if found.groups else copied
    lines = [
        f"Of {of}, {first} alone has {found.only_first:,} right, {second} alone {found.only_second:,}, "
        f"both {found.both:,}.",
        f"p = {found.p:.3g} ({how}): {verdict}.",
    ]
    if found.strangers:
        lines.append(f"{strange(found.strangers, 'they do')}; left out.")
    if found.unknown:
        names = " and ".join(map(shown, found.unknown))
        lines.append(f"What {names} learned from is not known, and may be among them.")
    for line in lines:
        console.print(line, soft_wrap=not console.is_terminal, markup=False, highlight=False)


def show_finished(run: Run, recipe: Recipe) -> None:
    """That a run which is to be gone on with has nothing left to do, on standard error.

    Args:
        run: It.
        recipe: That it goes on with.
    """
    try:
        history = run.history() if run.weights.exists() else []
    except InputError as error:
        say(f"{error} It is written anew from the checkpoint.")
        return
    if not history:
        return
    seconds = sum(row.seconds for row in history)
    if recipe.max_seconds and seconds >= recipe.max_seconds:
        over = f"{run.path} is finished: its {recipe.max_seconds:,.1f} s are over."
        say(f"{over} --max-seconds N gives it more, where N counts these too.")
    elif len(history) >= recipe.epochs:
        say(f"{run.path} is finished, with {len(history)} of {recipe.epochs} epochs. --epochs N gives it more.")
