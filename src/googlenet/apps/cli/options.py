"""What several commands share: options, and words that become values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ...errors import InputError

DATA_HELP = (
    "A folder class/picture, a table of path and label, a pair NAME_TRAIN and NAME_TEST of signals (folder/NAME), a "
    "table of signals (CSV, TSV, Parquet, NPZ, ts, arff), volumes (NPZ), or a built-in name."
)
TargetOption = Annotated[str | None, typer.Option(help="Column of a table that holds the labels.")]
PathOption = Annotated[
    str | None, typer.Option("--path-column", help="Column of a table of pictures that holds their paths.")
]
GroupOption = Annotated[str | None, typer.Option(help="Column whose equal rows stay on one side of a split.")]
ChannelOption = Annotated[str | None, typer.Option(help="Column that says which channel a row belongs to.")]
MaxPixelsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Pixels that a picture may have to be decoded whole, a JPEG four times as many (by default 128000000).",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def recipe_changes(words: Sequence[str]) -> dict[str, str]:
    """``--learning-rate 0.1 --no-flip --compile`` to ``{"learning_rate": "0.1", "flip": "no", "compile": "yes"}``.

    Raises:
        InputError: For a word that is no option, or an option without its value.
    """
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
