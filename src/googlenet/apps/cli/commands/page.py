"""``googlenet page``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..output.screen import shown

commands = typer.Typer()


@commands.command()
def page(
    run: Annotated[
        str | None,
        typer.Argument(help="A run, its weights or a name from googlenet weights list, to look inside."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The file.")] = Path("page.html"),
    examples: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A picture or a table of signals to show it; once for each."),
    ] = None,
) -> None:
    """Write a page that opens from disk, offline, with the network in it: what it sees, branch by branch.

    Without a run it is about the two networks that are part of the package: clothes in pictures, and a hand's movement
    in signals.

    Example: googlenet page runs/demo --out demo.html
    """
    from ...page.job import page_job

    count = page_job(run, out, examples or ())
    more = "" if count else "; it has nothing to show the network: choose a file there, or name some with --examples"
    print(f"{shown(str(out))}: open it in a browser{more}")
