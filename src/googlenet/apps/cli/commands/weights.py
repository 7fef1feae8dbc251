"""``googlenet convert`` and ``weights``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import numbers
from ..output.screen import put, shown

commands = typer.Typer()
weights = typer.Typer(
    no_args_is_help=True, help="Pretrained weights: list, fetch and check them, and find out what a file is."
)
commands.add_typer(weights, name="weights")
RecordArgument = Annotated[str, typer.Argument(metavar="NAME", help="A name from googlenet weights list.")]


@commands.command()
def convert(
    source: Annotated[str, typer.Argument(help="A run, a weights file of any format, or a name of the catalogue.")],
    target: Annotated[Path, typer.Argument(help=".safetensors, .pth (torchvision), .caffemodel or .onnx.")],
    bf16: Annotated[bool, typer.Option("--bf16", help="Keep safetensors in bfloat16: half the size.")] = False,
    mean: Annotated[
        str | None, typer.Option(help="Of pixels in [0, 1], such as 0.485,0.456,0.406: what the source does not say.")
    ] = None,
    std: Annotated[str | None, typer.Option(help="The deviation that goes with it.")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Side of the pictures that it reads.")] = None,
    transform_input: Annotated[
        bool, typer.Option("--transform-input", help="As torchvision's networks that began with its own weights.")
    ] = False,
) -> None:
    """Write weights in another format, every tensor's name and shape asserted, and compare the outputs of both.

    Example: googlenet convert googlenet.bvlc bvlc.safetensors

    Example: googlenet convert tuned.pth tuned.safetensors --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5
    """
    from ....weights.convert import Reading
    from ....weights.convert import convert as convert_weights

    told = Reading(numbers("--mean", mean), numbers("--std", std), size, transform_input or None)
    done = convert_weights(source, target, bf16, None if told == Reading() else told)
    compared = "; ".join(f"{who}, probabilities within {far:.1g}" for who, far in done.differences.items())
    written = f"{done.target}: {done.tensors} tensors, {done.numbers:,} numbers; {compared}."
    for line in (*done.quirks, written, *done.notes):
        print(shown(line))


@weights.command("list")
def list_weights() -> None:
    """List the weights of the catalogue.

    Example: googlenet weights list
    """
    from ....weights.catalogue import CATALOGUE
    from ....weights.store import path_of
    from .. import display

    display.show_weights({record: path_of(record).exists() for record in CATALOGUE.values()})


@weights.command()
def show(name: RecordArgument) -> None:
    """Show where weights come from, what they reach and what is peculiar to them.

    Example: googlenet weights show googlenet.bvlc
    """
    from ....weights.catalogue import find_record
    from .. import display

    display.show_rows(find_record(name).rows())


@weights.command()
def fetch(name: RecordArgument) -> None:
    """Download weights, going on where an earlier try stopped, and check their hash.

    GOOGLENET_HOME chooses the folder, GOOGLENET_MIRROR other places, GOOGLENET_OFFLINE=1 forbids the network.

    Example: googlenet weights fetch googlenet_torchvision.imagenet1k
    """
    from ....weights.catalogue import find_record
    from ....weights.store import fetch as fetch_record
    from ..progress import download_progress

    with download_progress(name) as progress:
        path = fetch_record(find_record(name), progress)
    put(str(path))


@weights.command()
def verify(name: RecordArgument) -> None:
    """Compare the hash of fetched weights with the published one.

    Example: googlenet weights verify googlenet.bvlc
    """
    from ....weights.catalogue import find_record
    from ....weights.store import verify as verify_record

    put(verify_record(find_record(name)))


@weights.command()
def path(name: RecordArgument) -> None:
    """Print where weights are, or would be.

    Example: googlenet weights path googlenet.bvlc
    """
    from ....weights.catalogue import find_record
    from ....weights.store import path_of

    put(str(path_of(find_record(name))))


@weights.command()
def identify(file: Annotated[Path, typer.Argument(help="A weights file of any origin, or a run.")]) -> None:
    """Find out which GoogLeNet a file holds, whether it can be loaded or not.

    Example: googlenet weights identify mystery.pth
    """
    from ....weights.identity import describe
    from ....weights.identity import identify as identify_file
    from .. import display

    display.show_rows(describe(identify_file(file)))
