"""What a training came to, and that one has nothing left to do, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..display import say

if TYPE_CHECKING:
    from ....training.recipe import Recipe
    from ....training.runs.folder import Run
    from ....training.runs.records import Evaluation


def show_result(evaluation: Evaluation, run: Run) -> None:
    """What a training came to, on standard error."""
    say(f"accuracy {evaluation.top1:.4f} on {evaluation.count:,} held out; see {run.report}")
    history = run.history() if evaluation.part == "validation" else []
    before = history[-1].validation_accuracy if history else None
    if before is not None and abs(before - evaluation.top1) >= 0.0005:
        say(
            f"(The last epoch's {before:.4f} held out was of the averaged weights as the training had them; "
            f"{evaluation.top1:.4f} is of the network that is kept, its norms fitted to the training part, as predict "
            "and evaluate compute it.)"
        )
    if evaluation.doubt:
        say(evaluation.doubt)


def show_finished(run: Run, recipe: Recipe) -> None:
    """That a run which is to be gone on with has nothing left to do, on standard error.

    Args:
        run: It.
        recipe: That it goes on with.
    """
    history = run.history() if run.weights.exists() else []
    if not history:
        return
    seconds = sum(row.seconds for row in history)
    if recipe.max_seconds and seconds >= recipe.max_seconds:
        say(f"{run.path} is finished: its {recipe.max_seconds:g} s are over. --max-seconds N gives it more.")
    elif len(history) >= recipe.epochs:
        say(f"{run.path} is finished, with {len(history)} of {recipe.epochs} epochs. --epochs N gives it more.")
