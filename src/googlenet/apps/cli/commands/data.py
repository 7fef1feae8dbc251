"""``googlenet shard``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import DATA_HELP

commands = typer.Typer()


@commands.command()
def shard(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    out: Annotated[Path, typer.Argument(help="New folder for the shards.")],
    megabytes: Annotated[float, typer.Option(min=0.1, max=2048, help="Of a shard, about.")] = 256,
) -> None:
    """Write labelled pictures as tars that webdataset reads, with an index; train takes the folder as data.

    Every picture is looked through now, and those that cannot be read are left out.

    Example: googlenet shard photos/ shards/
    """
    from ....data.find import find_data
    from ....data.images.sources.shards import left_in, write_shards
    from ..display import show_bad_files
    from ..output.screen import shown
    from ..progress import watch

    left_in(out)  # before much is looked through for nothing
    found = find_data(data, watch)
    show_bad_files(found.bad)
    written = write_shards(found, out, int(megabytes * 2**20), watch)
    sizes = {name: len(part) for name, part in found.parts.items()}
    named = ", ".join(
        f"{count:,} {'shards' if count > 1 else 'shard'} of {size:,} pictures ({part})"
        for (part, count), size in zip(written.items(), sizes.values(), strict=True)
    )
    print(f"{shown(str(out))}: {named}, {len(found.classes)} classes")
