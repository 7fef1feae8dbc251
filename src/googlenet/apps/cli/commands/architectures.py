"""``googlenet summary`` and ``list``: parsing only. Neither needs PyTorch."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .... import limits
from ....errors import InputError
from ..options import JsonOption, input_shape

commands = typer.Typer()


@commands.command()
def summary(
    arch: Annotated[str, typer.Argument(help="A name from googlenet list.")] = "googlenet",
    size: Annotated[str | None, typer.Option("--input", help="Channels and size, such as 3x224x224.")] = None,
    classes: Annotated[int, typer.Option(min=1, help="Width of the classifier.")] = 1000,
    width: Annotated[float, typer.Option(help="Multiplies every channel count.")] = 1.0,
    layers: Annotated[bool, typer.Option("--layers", help="Show every layer.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what an architecture costs, row by row as in the paper's Table 1.

    Example: googlenet summary googlenet_1d --input 1x1024
    """
    from ....arch.cost import cost
    from ....arch.variants import find_arch

    if not 0 < width <= limits.WIDEST:
        raise InputError(f"--width is a number above 0, such as 0.5, and at most {limits.WIDEST}, not {width}.")
    found = find_arch(arch).scaled(width)
    channels, spatial = input_shape(size, found.input_size)
    counted = cost(found, spatial, in_channels=channels, num_classes=classes)
    if as_json:
        print(json.dumps(counted.to_dict()))
        return
    from .. import display

    display.show_summary(counted, layers)


@commands.command("list")
def list_architectures() -> None:
    """List the architectures.

    Example: googlenet list
    """
    from ....arch.variants import VARIANTS

    for name, arch in VARIANTS.items():
        print(f"{name:<23}{'×'.join(map(str, arch.input_size)):<12}{arch.description}")
