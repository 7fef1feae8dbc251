"""``googlenet weights``: parsing only, like :mod:`~googlenet.apps.cli.main`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

weights = typer.Typer(
    no_args_is_help=True, help="Pretrained weights: list, fetch and check them, and find out what a file is."
)
RecordArgument = Annotated[str, typer.Argument(metavar="NAME", help="A name from googlenet weights list.")]


@weights.command("list")
def list_weights() -> None:
    """List the weights of the catalogue.

    Example: googlenet weights list
    """
    from ...weights.catalogue import CATALOGUE
    from ...weights.store import path_of
    from . import display

    display.show_weights({record: path_of(record).exists() for record in CATALOGUE.values()})


@weights.command()
def show(name: RecordArgument) -> None:
    """Show where weights come from, what they reach and what is peculiar to them.

    Example: googlenet weights show googlenet.bvlc
    """
    from ...weights.catalogue import find_record
    from . import display

    display.show_rows(find_record(name).rows())


@weights.command()
def fetch(name: RecordArgument) -> None:
    """Download weights, going on where an earlier try stopped, and check their hash.

    GOOGLENET_HOME chooses the folder, GOOGLENET_MIRROR other places, GOOGLENET_OFFLINE=1 forbids the network.

    Example: googlenet weights fetch googlenet_torchvision.imagenet1k
    """
    from ...weights.catalogue import find_record
    from ...weights.store import fetch as fetch_record
    from . import display

    with display.download_progress(name) as progress:
        path = fetch_record(find_record(name), progress)
    print(path)


@weights.command()
def verify(name: RecordArgument) -> None:
    """Compare the hash of fetched weights with the published one.

    Example: googlenet weights verify googlenet.bvlc
    """
    from ...weights.catalogue import find_record
    from ...weights.store import verify as verify_record

    print(verify_record(find_record(name)))


@weights.command()
def path(name: RecordArgument) -> None:
    """Print where weights are, or would be.

    Example: googlenet weights path googlenet.bvlc
    """
    from ...weights.catalogue import find_record
    from ...weights.store import path_of

    print(path_of(find_record(name)))


@weights.command()
def identify(file: Annotated[Path, typer.Argument(help="A weights file of any origin, or a run.")]) -> None:
    """Find out which GoogLeNet a file holds, whether it can be loaded or not.

    Example: googlenet weights identify mystery.pth
    """
    from ...weights.identify import describe
    from ...weights.identify import identify as identify_file
    from . import display

    display.show_rows(describe(identify_file(file)))
