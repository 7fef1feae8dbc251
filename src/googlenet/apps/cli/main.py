"""The command line: parsing only. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ...errors import InputError, unknown
from .weights import weights

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="GoogLeNet, the Inception v1 family: train, evaluate and predict on your pictures and signals.",
)
DATA_HELP = (
    "A folder class/picture, a CSV of path,label, a pair NAME_TRAIN and NAME_TEST of signals (folder/NAME), a table of "
    "signals (CSV, TSV, Parquet, NPZ, ts, arff), or a built-in name."
)
app.add_typer(weights, name="weights")
TargetOption = Annotated[str | None, typer.Option(help="Column of a table that holds the labels.")]
GroupOption = Annotated[str | None, typer.Option(help="Column whose equal rows stay on one side of a split.")]
ChannelOption = Annotated[str | None, typer.Option(help="Column that says which channel a row belongs to.")]
FREE_OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}


class Format(StrEnum):
    """How predictions are written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"


@app.command(context_settings=FREE_OPTIONS)
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
    """Train a network on labelled pictures or signals.

    Built-in data: digits and fashion-mnist (pictures), gunpoint (signals). Every field of a recipe is an option
    too, such as --epochs 20 --learning-rate 0.002 --no-flip --compile; googlenet recipes lists them.

    Example: googlenet train photos/ --epochs 30

    Example: googlenet train ecg.csv --target rhythm --group patient

    Example: googlenet train photos/ --weights googlenet_torchvision.imagenet1k --freeze features
    """
    changes = _field_options(context.args)
    from ...training.runs import REPORT
    from ..jobs import Columns, choose_recipe, default_run, find_data, latest_run, training_job
    from . import display

    found = find_data(data, display.watch, Columns(target, group, channel))
    chosen = choose_recipe(found, recipe, changes | ({"weights": weights} if weights else {}))
    run = out or (latest_run if resume else default_run)(data)
    leads = os.environ.get("RANK", "0") == "0"
    if leads:
        display.show_bad_files(found.bad)
        for note in found.notes:
            display.errors.print(note)
        display.errors.print(
            f"{chosen.arch} (width {chosen.width:g}), recipe {chosen.name}, {chosen.epochs} epochs, "
            f"{len(found.classes)} classes, {len(found.train or ()):,} to learn from; run: {run}"
        )
    log = _tensorboard(run) if tensorboard and leads else None
    try:
        with display.training_progress(log) as report:
            result = training_job(found, chosen, run, resume=resume, report=report if leads else lambda kind, row: None)
    except KeyboardInterrupt:
        words = [word for word in sys.argv[1:] if word != "--resume"]
        again = shlex.join(["googlenet", *words, "--resume", *([] if out else ["--out", str(run)])])
        raise InputError(f"Stopped. What was learned up to the last checkpoint is saved; go on with: {again}") from None
    if result is not None:
        display.errors.print(
            f"accuracy [bold]{result['top1']:.4f}[/] on {result['count']:,} held out; see {run / REPORT}"
        )


@app.command()
def evaluate(
    runs_and_data: Annotated[list[str], typer.Argument(metavar="RUN... DATA", help="Runs, then the data.")],
    crops: Annotated[int, typer.Option(help="1, 10 or 144 crops of each picture (paper, section 7).")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    target: TargetOption = None,
    group: GroupOption = None,
    channel: ChannelOption = None,
) -> None:
    """Measure a run on labelled pictures or signals; several runs average their probabilities.

    Example: googlenet evaluate runs/demo digits
    """
    if len(runs_and_data) < 2:
        raise InputError("Name a run and the data: googlenet evaluate RUN DATA.")
    from ..jobs import Columns, evaluation_job
    from . import display

    *runs, data = runs_and_data
    result = evaluation_job(runs, data, crops, display.watch, Columns(target, group, channel))
    print(json.dumps(result)) if as_json else display.show_evaluation(result)


@app.command()
def predict(
    run: Annotated[
        str,
        typer.Argument(help="A run folder, a weights file, a name from googlenet weights list, or an exported model."),
    ],
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs; - reads a list from standard input.")],
    top: Annotated[int, typer.Option(min=1, help="How many labels for each.")] = 5,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    engine: Annotated[
        str | None, typer.Option(help="openvino, onnx or torch (by default the fastest that is installed).")
    ] = None,
) -> None:
    """Label pictures, or the rows of tables of signals.

    A file that cannot be read gets its reason, the rest get their labels, and the exit status is 1.

    Example: googlenet predict runs/demo holiday/ --format jsonl > labels.jsonl
    """
    from ...data.paths import expand
    from ...inference.load import load
    from .writers import WRITERS

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold bytes that are no text
    predictor = load(run, engine=engine)
    print(f"engine: {predictor.engine.name}", file=sys.stderr)
    predictions = predictor.stream(expand(inputs, sys.stdin, predictor.extensions), top)
    failed = WRITERS[form.value](predictions, sys.stdout, top)
    if failed:
        raise typer.Exit(1)


@app.command()
def export(
    runs: Annotated[list[str], typer.Argument(help="A run or its weights; several are averaged in one model.")],
    form: Annotated[str, typer.Option("--format", help="onnx, openvino or torch.")] = "onnx",
    out: Annotated[Path | None, typer.Option(help="File or folder (by default beside the weights).")] = None,
    int8: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="Compute in 8 bits, calibrated on these pictures or signals."),
    ] = None,
) -> None:
    """Write a run for other programs: 8-bit pixels or prepared signals in, probabilities out.

    What is written is first compared with PyTorch. googlenet predict reads it without PyTorch.

    Example: googlenet export runs/demo --format openvino
    """
    from ..jobs import export_job

    path, found = export_job(runs, form, out, int8)
    print(
        f"{path}: the same most probable class as PyTorch on {found.agreement:.1%} of {found.count} inputs, "
        f"probabilities within {found.largest:.2g}"
    )


@app.command()
def summary(
    arch: Annotated[str, typer.Argument(help="A name from googlenet list.")] = "googlenet",
    size: Annotated[str | None, typer.Option("--input", help="Channels and size, such as 3x224x224.")] = None,
    classes: Annotated[int, typer.Option(min=1, help="Width of the classifier.")] = 1000,
    width: Annotated[float, typer.Option(help="Multiplies every channel count.")] = 1.0,
    layers: Annotated[bool, typer.Option("--layers", help="Show every layer.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what an architecture costs, row by row as in the paper's Table 1.

    Example: googlenet summary googlenet_1d --input 1x1024
    """
    from ...arch.cost import cost
    from ...arch.variants import find_arch

    found = find_arch(arch).scaled(width)
    channels, spatial = _input_size(size, found.input_size)
    counted = cost(found, spatial, in_channels=channels, num_classes=classes)
    if as_json:
        print(json.dumps(counted.to_dict()))
    else:
        from . import display

        display.show_summary(counted, layers)


@app.command("list")
def list_() -> None:
    """List the architectures.

    Example: googlenet list
    """
    from ...arch.variants import VARIANTS

    for name, arch in VARIANTS.items():
        print(f"{name:<23}{'×'.join(map(str, arch.input_size)):<12}{arch.description}")


@app.command()
def recipes() -> None:
    """List the recipes and every field of them.

    Example: googlenet recipes
    """
    from ...training.recipe import RECIPES

    rows = [recipe.to_dict() for recipe in RECIPES.values()]
    for field in rows[0]:
        print(f"{field:<17}" + "".join(f"{row[field]!s:<18}" for row in rows).rstrip())


@app.command()
def convert(
    source: Annotated[str, typer.Argument(help="A run, a weights file of any format, or a name of the catalogue.")],
    target: Annotated[Path, typer.Argument(help=".safetensors, .pth (torchvision), .caffemodel or .onnx.")],
    bf16: Annotated[bool, typer.Option("--bf16", help="Keep safetensors in bfloat16: half the size.")] = False,
) -> None:
    """Write weights in another format, every tensor's name and shape asserted, and compare the outputs of both.

    Example: googlenet convert googlenet.bvlc bvlc.safetensors
    """
    from ..jobs import convert_job

    for sentence in convert_job(source, target, bf16):
        print(sentence)


def main() -> None:
    """Runs the command line; whatever goes wrong for a reason the user can mend is one sentence."""
    try:
        _check_command()
        sys.exit(app(standalone_mode=False))
    except InputError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("Stopped.", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        if hasattr(error, "format_message"):
            _fail(error.format_message(), code)
        sys.exit(code)


def _check_command() -> None:
    """Raises the sentence for a command that does not exist."""
    names = [
        command.name or command.callback.__name__.rstrip("_") for command in app.registered_commands if command.callback
    ]
    names += [group.name for group in app.registered_groups if group.name]
    word = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    if word is not None and sys.argv[1] == word and word not in names:
        raise unknown("command", word, names)


def _fail(sentence: str, code: int) -> None:
    print(f"googlenet: {sentence}", file=sys.stderr)
    sys.exit(code)


def _field_options(words: list[str]) -> dict[str, str]:
    """``--learning-rate 0.1 --no-flip --compile`` to ``{"learning_rate": "0.1", "flip": "no", "compile": "yes"}``."""
    from ...training.recipe import SWITCHES

    changes = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise InputError(f"{word!r} is one argument too many; train takes one DATA.")
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        if name.startswith("no_") and not equals:
            name, value = name[3:], "no"
        elif name in SWITCHES and not equals:
            value = "yes"
        elif not equals:
            value = next(rest, "")
            if not value:
                raise InputError(f"{word} needs a value.")
        changes[name] = value
    return changes


def _input_size(text: str | None, default: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    if text is None:
        return 3, default
    try:
        channels, *spatial = (int(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        raise InputError(f"--input is channels and size, such as 3x224x224, not {text!r}.") from None
    return channels, tuple(spatial)


def _tensorboard(run: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError("TensorBoard is not installed: pip install 'googlenet[log]'.") from None
    return SummaryWriter(str(run / "tensorboard"))
