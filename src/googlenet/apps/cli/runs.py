"""``googlenet train``, ``evaluate`` and ``recipes``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from ...errors import InputError
from .options import DATA_HELP, ChannelOption, GroupOption, JsonOption, TargetOption, recipe_changes

commands = typer.Typer()


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    out: Annotated[Path | None, typer.Option(help="Folder of the run (by default runs/NAME).")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A name from googlenet recipes (by default the one for the data).")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Begin with these: a run, a file, or a name from googlenet weights list.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --out, or the last run of DATA.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard logs.")] = False,
    target: TargetOption = None,
    group: GroupOption = None,
    channel: ChannelOption = None,
) -> None:
    """Train a network on labelled pictures, signals or volumes.

    Built-in data: digits and fashion-mnist (pictures), gunpoint (signals). Every field of a recipe is an option
    too, such as --epochs 20 --learning-rate 0.002 --no-flip --compile; googlenet recipes lists them.

    Example: googlenet train photos/ --epochs 30

    Example: googlenet train ecg.csv --target rhythm --group patient

    Example: googlenet train photos/ --weights googlenet_torchvision.imagenet1k --freeze features
    """
    changes = recipe_changes(context.args) | ({"weights": weights} if weights else {})
    from ...data.find import Columns, find_data
    from ...nn.device import keep_memory
    from ..jobs import choose_recipe, default_run, latest_run, training_job
    from . import display, progress

    keep_memory()
    found = find_data(data, progress.watch, Columns(target, group, channel))
    chosen = choose_recipe(found, recipe, changes)
    run = out or (latest_run if resume else default_run)(data)
    leads = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts the first one speaks
    if leads:
        display.show_training(found, chosen, run)
    try:
        with progress.training_progress(leads, run if tensorboard else None) as report:
            result = training_job(found, chosen, run, resume=resume, report=report)
    except KeyboardInterrupt:
        raise _stopped(run, out is not None) from None
    if result is not None:
        display.show_result(result, run)


def _stopped(run: Path, named: bool) -> InputError:
    """What to say to who stopped a training."""
    words = [word for word in sys.argv[1:] if word != "--resume"]
    again = shlex.join(["googlenet", *words, "--resume", *([] if named else ["--out", str(run)])])
    return InputError(f"Stopped. What was learned up to the last checkpoint is saved; go on with: {again}")


@commands.command()
def evaluate(
    runs_and_data: Annotated[list[str], typer.Argument(metavar="RUN... DATA", help="Runs, then the data.")],
    crops: Annotated[int, typer.Option(help="1, 10 or 144 crops of each picture (paper, section 7).")] = 1,
    as_json: JsonOption = False,
    target: TargetOption = None,
    group: GroupOption = None,
    channel: ChannelOption = None,
) -> None:
    """Measure a run on labelled pictures, signals or volumes; several runs average their probabilities.

    Example: googlenet evaluate runs/demo digits
    """
    if len(runs_and_data) < 2:
        raise InputError("Name a run and the data: googlenet evaluate RUN DATA.")
    from ...data.find import Columns
    from ...nn.device import keep_memory
    from ..jobs import evaluation_job
    from . import display, progress

    keep_memory()
    *runs, data = runs_and_data
    result = evaluation_job(runs, data, crops, progress.watch, Columns(target, group, channel))
    print(json.dumps(result.to_dict())) if as_json else display.show_evaluation(result)


@commands.command()
def recipes() -> None:
    """List the recipes and every field of them.

    Example: googlenet recipes
    """
    from ...training.recipe import RECIPES

    rows = [recipe.to_dict() for recipe in RECIPES.values()]
    for field in rows[0]:
        print(f"{field:<17}" + "".join(f"{row[field]!s:<18}" for row in rows).rstrip())
