"""What several commands share: options, the fields of a recipe as options, and words that become values."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_type_hints

import typer

from ...errors import InputError
from ...training.recipe import RECIPES, Recipe

RECORDINGS = "Recordings"
DATA_HELP = (
    "A folder class/picture, a table of path and label, a pair NAME_TRAIN and NAME_TEST of signals (folder/NAME), a "
    "table of signals (CSV, TSV, Parquet, NPZ, ts, arff), recordings (WAV, FLAC, EDF, BDF, WFDB, MAT, HDF5), "
    "volumes (NPZ), or a built-in name."
)
TargetOption = Annotated[str | None, typer.Option(help="Column of a table that holds the labels.")]
PathOption = Annotated[
    str | None, typer.Option("--path-column", help="Column of a table of pictures that holds their paths.")
]
GroupOption = Annotated[str | None, typer.Option(help="Column whose equal rows stay on one side of a split.")]
ChannelOption = Annotated[str | None, typer.Option(help="Column that says which channel a row belongs to.")]
IdOption = Annotated[
    str | None, typer.Option("--id", help="Column that says which signal a row is, or belongs to.", metavar="TEXT")
]
TimeOption = Annotated[str | None, typer.Option(help="Column of times, of a table with a sample a row.")]
IgnoreOption = Annotated[list[str] | None, typer.Option(help="Column that is no sample; may be given several times.")]
LabelFirstOption = Annotated[
    bool | None,
    typer.Option("--label-first/--label-last", help="Where the label stands in a table without a header."),
]
NoHeaderOption = Annotated[bool, typer.Option("--no-header", help="The first row holds a signal, and no names.")]
MissingOption = Annotated[
    str | None,
    typer.Option(metavar="WORDS", help="Words that say that a value is missing, such as ERR,-,#N/A."),
]
AnnotationsOption = Annotated[
    str | None,
    typer.Option(help="Table of file,start,end,label: what is said of recordings.", rich_help_panel=RECORDINGS),
]
WindowOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Of a recording: 2s, 500ms or 512samples at once.", rich_help_panel=RECORDINGS),
]
HopOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="From window to window (by default a window).", rich_help_panel=RECORDINGS),
]
RateOption = Annotated[
    float | None,
    typer.Option(
        min=1e-3,
        help="Samples a second to bring recordings to (by default the lowest there is); of a file that does not say "
        "its own, that too.",
        rich_help_panel=RECORDINGS,
    ),
]
MaxPixelsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Pixels that a picture may have to be decoded whole, a JPEG four times as many (by default 128000000).",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


# Where the help of train shows a field of a recipe; one that stands nowhere is shown at the end.
PANELS = {
    "How long": ("epochs", "class_epochs", "min_steps", "max_seconds", "batch_size"),
    "Network": ("arch", "width", "members", "competing", "dropout", "aux_weight", "whiten"),
    "How it learns": (
        *("optimizer", "learning_rate", "schedule", "warmup", "momentum", "weight_decay", "label_smoothing", "clip"),
        *("ema", "balance", "calibrate"),
    ),
    "Chance and machine": ("seed", "precision", "compile"),
    "Pretrained weights": ("freeze", "body_rate"),
    "How pictures and volumes are varied": ("crop", "flip", "shift", "cutout", "colour", "growth", "mixup", "cutmix"),
    "How signals are read and varied": ("longest", "differences", "slice", "warp", "gain"),
}
_KINDS = {int: "INTEGER", float: "NUMBER", str: "NAME"}


def with_recipe_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose keyword arguments ``**changes`` are the fields of a recipe, each an option.

    Names, types and help are the dataclass's own; an option that is not given is ``None``.
    """
    written = inspect.signature(command, eval_str=True)
    given = [each for each in written.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    own = {each.name for each in given} | {"name"}
    fields = [field.name for field in dataclasses.fields(Recipe) if field.name not in own]
    panels = {name: panel for panel, names in PANELS.items() for name in names}
    order = [*(name for name in panels if name in fields), *(name for name in fields if name not in panels)]
    help_of, kinds = _documented(Recipe), get_type_hints(Recipe)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=_option(name, kinds[name], help_of.get(name, ""), panels.get(name, "Other fields of a recipe")),
        )
        for name in order
    ]
    command.__signature__ = written.replace(parameters=[*given, *options])  # type: ignore[attr-defined]
    return command


def _documented(record: type) -> dict[str, str]:
    """The fields that a class describes in its docstring, each with its words on one line."""
    lines = inspect.cleandoc(record.__doc__ or "").partition("Attributes:\n")[2]
    found = re.findall(r"^ {4}(\w+): (.+(?:\n {8,}.+)*)", lines, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", words).replace("``", "") for name, words in found}


def _option(name: str, kind: Any, words: str, panel: str) -> Any:
    """The option for a field of a recipe."""
    word = name.replace("_", "-")
    if kind is bool:
        return Annotated[bool | None, typer.Option(f"--{word}/--no-{word}", help=words, rich_help_panel=panel)]
    choices = get_args(kind)
    return Annotated[
        str | None,
        typer.Option(
            f"--{word}",
            help=words,
            metavar="|".join(choices) or _KINDS[kind],
            rich_help_panel=panel,
            callback=_checked(name),
            autocompletion=lambda incomplete: [choice for choice in choices if choice.startswith(incomplete)],
        ),
    ]


def _checked(name: str) -> Callable[[str | None], str | None]:
    """What refuses a value that does not fit a field, before anything else is done."""

    def check(value: str | None) -> str | None:
        if value is not None:
            try:
                next(iter(RECIPES.values())).with_changes({"weights": "any", name: value})
            except InputError as error:
                raise typer.BadParameter(str(error)) from None
        return value

    return check


# The options that say what the columns of a table mean; each is a parameter of the commands that read labelled tables.
TABLE_OPTIONS: dict[str, Any] = {
    "target": TargetOption,
    "group": GroupOption,
    "channel": ChannelOption,
    "id": IdOption,
    "time": TimeOption,
    "ignore": IgnoreOption,
    "label_first": LabelFirstOption,
    "no_header": NoHeaderOption,
    "missing": MissingOption,
    "path": PathOption,
    "annotations": AnnotationsOption,
    "max_pixels": MaxPixelsOption,
}


def with_table_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose keyword argument ``columns`` is made of :data:`TABLE_OPTIONS`, each an option.

    The command is given a function from further fields to :class:`~googlenet.data.find.Columns`, which imports nothing
    before it is called.
    """
    written = inspect.signature(command, eval_str=True)
    given = [each for each in written.parameters.values() if each.name != "columns"]
    before = [each for each in given if each.kind is not inspect.Parameter.VAR_KEYWORD]
    behind = given[len(before) :]
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=False if name == "no_header" else None, annotation=option
        )
        for name, option in TABLE_OPTIONS.items()
    ]

    @functools.wraps(command)
    def wrapped(*args: Any, **words: Any) -> None:
        said = {name: words.pop(name) for name in TABLE_OPTIONS}
        command(*args, **words, columns=lambda **more: _columns(said, more))

    wrapped.__signature__ = written.replace(parameters=[*before, *options, *behind])  # type: ignore[attr-defined]
    return wrapped


def _columns(said: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    from ...data.find import Columns
    from ...data.signals.recordings.windows import Cut

    asked = {name: more[name] for name in ("window", "hop", "rate") if name in more}
    further = {name: value for name, value in more.items() if name not in asked}
    cut = Cut(said["annotations"], **asked)
    given = {name: said[name] for name in ("target", "group", "channel", "id", "time", "path", "max_pixels")}
    label = {True: "first", False: "last", None: None}[said["label_first"]]
    ignored = tuple(said["ignore"] or ())
    return Columns(
        **given,
        ignore=ignored,
        label=label,
        header=not said["no_header"],
        missing=words(said["missing"]),
        cut=cut,
        **further,
    )


def words(text: str | None) -> tuple[str, ...]:
    """``ERR,-`` as words; none for nothing."""
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def recipe_changes(given: Mapping[str, str | bool | None]) -> dict[str, str]:
    """The options that were given as what :meth:`~googlenet.training.recipe.Recipe.with_changes` takes."""
    return {
        name: str(value) if isinstance(value, str) else "yes" if value else "no"
        for name, value in given.items()
        if value is not None
    }


def input_shape(text: str | None, size: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """``3x224x224`` to channels and size; 3 channels of that size by default.

    Raises:
        InputError: For anything else.
    """
    if text is None:
        return 3, size
    try:
        channels, *spatial = (int(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        raise InputError(f"--input is channels and size, such as 3x224x224, not {text!r}.") from None
    return channels, tuple(spatial)


def numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    """``0.5,0.5,0.5`` as numbers; ``None`` for nothing.

    Raises:
        InputError: For anything else.
    """
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise InputError(f"{option} is numbers with commas between them, such as 0.5,0.5,0.5, not {text!r}.") from None
