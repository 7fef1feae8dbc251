"""``googlenet train``, ``evaluate`` and ``recipes``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ....errors import InputError
from ..options import (
    DATA_HELP,
    HopOption,
    JsonOption,
    RateOption,
    WindowOption,
    recipe_changes,
    with_recipe_options,
    with_table_options,
)
from ..usage import explained, stopped

if TYPE_CHECKING:
    from ....data.protocol import Dataset, Preprocessing
    from ....training.recipe import Recipe
    from ....training.runs.folder import Run

commands = typer.Typer()


@commands.command()
@with_recipe_options
@with_table_options
def train(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    out: Annotated[Path | None, typer.Option(help="Folder of the run (by default runs/NAME).")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A name from googlenet recipes (by default the one for the data).")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Begin with these: a run, a file, or a name from googlenet weights list.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.5,
            metavar="NUMBER",
            help="About how long the command may take: what that buys here is found out, and the recipe chosen by it.",
            rich_help_panel="How long",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --out, or the last run of DATA.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard logs.")] = False,
    window: WindowOption = None,
    hop: HopOption = None,
    rate: RateOption = None,
    *,
    columns: Callable[..., Any],
    **changes: str | bool | None,
) -> None:
    """Train a network on labelled pictures, signals or volumes.

    Built-in data: digits and fashion-mnist (pictures), gunpoint (signals). Every field of a recipe is an option;
    googlenet recipes shows what each is where it is not given.

    Example: googlenet train photos/ --minutes 30

    Example: googlenet train ecg.csv --target rhythm --group patient

    Example: googlenet train recordings/ --annotations beats.csv --window 2s --hop 0.5s

    Example: googlenet train photos/ --weights googlenet_torchvision.imagenet1k --freeze features
    """
    if minutes is not None and resume:
        raise typer.BadParameter(
            "--minutes plans a training from its beginning, and --resume goes on with one as it was begun: leave one "
            "of them out. --max-seconds N gives it another limit, which counts what is done too."
        )
    asked = functools.partial(columns, window=window, hop=hop, rate=rate)
    wanted = recipe_changes({**changes, "weights": weights or None})
    _train(data, asked, out, (recipe, minutes, wanted), resume, tensorboard)


def _train(
    data: str,
    columns: Callable[..., Any],
    out: Path | None,
    how: tuple[str | None, float | None, dict[str, str]],
    resume: bool,
    tensorboard: bool,
) -> None:
    """Finds the data and the run, and trains by the recipe of that name, for those minutes, with those changes."""
    from ....data.find import find_data
    from ....nn.device import keep_memory
    from ....training.distributed import restarted
    from ....training.progress import now
    from ....training.runs.places import latest_run
    from ...jobs import learning_data
    from .. import progress

    started = now()
    keep_memory()
    run = None if out is None else _run_in(out, resume)
    try:

        def read(by: Run | None) -> Dataset:
            return find_data(data, progress.watch, columns(like=_reading(by)))

        if resume and run is None:
            run, found = latest_run(data, read)
            _held(run)
        else:
            found = read(run if resume else None)
            run = run or _run_for(data, found)
        chosen = _recipe(found, how, run if resume else None, started)
        again = resume or (restarted() and run.exists)  # torchrun gives the same command once more
        _trained(learning_data(found, chosen), chosen, run, again, tensorboard)
    except KeyboardInterrupt:
        raise stopped(run, out is not None) from None
    finally:
        if run is not None:
            run.release()


def _recipe(
    data: Dataset, how: tuple[str | None, float | None, dict[str, str]], resumed: Run | None, started: float
) -> Recipe:
    """The recipe; where minutes say how long, it is said what they buy."""
    from ...jobs import choose_recipe, recipe_for_minutes
    from .. import display

    name, minutes, wanted = how
    if minutes is None:
        return choose_recipe(data, name, wanted, resumed)
    plan = recipe_for_minutes(data, minutes, name, wanted, started)
    display.say(plan.described())
    return plan.recipe


def _reading(run: Run | None) -> Preprocessing | None:
    """How the network of a run reads its examples; ``None`` for no run."""
    from ....data.kinds import preprocessing_from

    return None if run is None else preprocessing_from(run.record().preprocessing)


def _run_in(out: Path, resume: bool) -> Run:
    """The run of a folder that the user names: one that is there, or a folder that is taken for a new one."""
    from ....training.distributed import leads, restarted
    from ....training.runs.folder import Run

    run = Run(out)
    if resume and not run.exists:
        raise InputError(f"There is no run in {out} to go on with; without --resume a new one begins.")
    if resume or (restarted() and run.exists):
        return _held(run)
    (run.take if leads() else run.check_free)()
    return run


def _held(run: Run) -> Run:
    """It; no other training works in it until this one is over."""
    from ....training.distributed import leads

    if leads():
        run.hold()
    return run


def _run_for(source: str, data: Dataset) -> Run:
    """A new run of data for which the user names none, or the one that this command began when it was started first."""
    from ....training.distributed import leads, restarted
    from ....training.runs.places import NOWHERE, latest_run, next_run

    if restarted():
        with suppress(InputError):  # there is none: it ended before it began
            run, _ = latest_run(source, lambda _: data)
            if not run.weights.exists():
                return _held(run)
    return next_run(source) if leads() else NOWHERE


def _trained(data: Dataset, recipe: Recipe, run: Run, resume: bool, tensorboard: bool) -> None:
    """Trains, and shows what and with what success."""
    from ....training.distributed import leads, processes
    from ...jobs import train_into
    from .. import display, progress
    from ..output import results

    if leads():
        display.show_training(data, recipe, run.path)
        if (many := processes()) > 1:
            display.say(f"{many} processes learn as one.")
        if recipe.leaves_out and data.test is not None and data.validation is None:
            display.say("Then a smaller network that leaves examples out learns, to say how sure this one may be.")
        if resume:
            results.show_finished(run, recipe)
        else:
            results.show_better_start(data, recipe)
    with progress.training_progress(leads(), run.path if tensorboard else None) as report:
        result = train_into(data, recipe, run, resume=resume, report=report)
    if result is not None:
        results.show_result(result, run)


@commands.command()
@with_table_options
def evaluate(
    runs_and_data: Annotated[list[str], typer.Argument(metavar="RUN... DATA", help="Runs, then the data.")],
    crops: Annotated[int, typer.Option(help="1, 10 or 144 crops of each picture (paper, section 7).")] = 1,
    everything: Annotated[bool, typer.Option("--all", help="Also examples that a run learned from.")] = False,
    against: Annotated[
        str | None, typer.Option(metavar="RUN", help="Say whether this one differs, on the same examples.")
    ] = None,
    as_json: JsonOption = False,
    *,
    columns: Callable[..., Any],
) -> None:
    """Measure a run on labelled pictures, signals or volumes; several runs average their probabilities.

    Of data in parts the test part is measured, else the validation part. Examples that a run learned from are left
    out, whatever their files are called.

    Example: googlenet evaluate runs/demo digits

    Example: googlenet evaluate runs/demo digits --against runs/other
    """
    if len(runs_and_data) < 2:
        raise typer.BadParameter("Name a run and the data: googlenet evaluate RUN DATA.")
    if against is not None:
        _compare(runs_and_data, against, crops > 1 or everything, as_json, columns)
        return
    from ....data.protocol import BadFile
    from ....nn.device import keep_memory
    from ...measure.evaluation import evaluation_job
    from .. import display, progress

    keep_memory()
    *runs, data = runs_and_data
    with explained("evaluate", runs_and_data):
        result = evaluation_job(runs, data, crops, progress.watch, columns(), everything)
    for note in result.notes:
        display.say(note)
    display.show_bad_files([BadFile(**row) for row in result.bad_files], "; --json lists them all")
    print(json.dumps(result.to_dict())) if as_json else display.show_evaluation(result)


def _compare(words: Sequence[str], against: str, more: bool, as_json: bool, columns: Callable[..., Any]) -> None:
    """Compares two runs, and shows what came of it."""
    from ....nn.device import keep_memory
    from ...measure.compare import comparison_job
    from .. import display, progress
    from ..output import results

    if len(words) != 2 or more:
        raise typer.BadParameter("--against compares two runs as they are: googlenet evaluate RUN DATA --against RUN.")
    keep_memory()
    with explained("evaluate", words):
        found = comparison_job(words[0], against, words[1], progress.watch, columns())
    for note in found.notes:
        display.say(note)
    display.show_bad_files(found.bad_files, "; --json lists them all")
    print(json.dumps(found.to_dict())) if as_json else results.show_difference(found)


@commands.command()
def recipes() -> None:
    """List the recipes and every field of them.

    Example: googlenet recipes
    """
    from rich.table import Table

    from ....training.recipe import RECIPES
    from .. import display

    rows = [recipe.to_dict() for recipe in RECIPES.values()]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", *RECIPES):
        table.add_column(name, no_wrap=True)
    for field in rows[0]:
        table.add_row(field, *(str(row[field]) for row in rows))
    display.show_table(table)
