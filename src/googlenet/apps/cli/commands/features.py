"""``googlenet features`` and ``dream``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..usage import Stopped, check_local, explained

if TYPE_CHECKING:
    from ...inside.features import Features

commands = typer.Typer()
LONGEST = 40  # letters of a folder's name that is made of what is drawn
RUN_HELP = "A run folder, a weights file, or a name from googlenet weights list."


@commands.command()
def features(
    run: Annotated[str, typer.Argument(help=RUN_HELP)],
    what: Annotated[
        str | None,
        typer.Argument(
            help="4a or 4a.5x5, every channel there; 4a:0-7,12, some; 4a:3@2,5, a neuron; 4a:whole, all together; "
            "class:NAME, or class for every class (by default the module in the middle).",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to draw into (by default features/WHAT).")] = None,
    data: Annotated[
        str | None, typer.Option(help="Data whose training part shows what excites the same, beside what is drawn.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of the ascent.")] = 96,
    seed: Annotated[int, typer.Option(min=0, help="Of chance.")] = 0,
    variety: Annotated[int, typer.Option(min=1, help="Different pictures or signals of each.")] = 1,
) -> None:
    """Draw what a network looks for: the picture or signal that excites each channel, neuron or class the most.

    A folder gets sheet.png with all of them (of signals sheet.svg too) and features.jsonl, a line for each. What is
    drawn is kept as it comes: the same command goes on where it was stopped.

    Example: googlenet features runs/demo 3a --data digits
    """
    from ....nn.device import keep_memory
    from ...inside.features import Asked, features_job
    from ..output.screen import beside, shown
    from ..progress import watch

    check_local([run])
    keep_memory()
    folder = Path("features") / _named("middle" if what is None else what) if out is None else out
    try:
        with explained("features", [run]), _bar("drawn") as report:
            result = features_job(run, folder, Asked(what, data, steps, seed, variety), watch, report)
    except KeyboardInterrupt:
        raise _stopped(folder) from None
    for line in _said(result, folder):
        beside(line)
    for sheet in result.sheets:
        print(shown(str(sheet)))


def _named(what: str) -> str:
    """What is drawn as the name of one folder: letters, digits and what file systems take; of a long one the beginning
    and what tells it from others."""
    from ....files import digest

    plain = re.sub(r"[^\w.,@=+-]", "-", what).lstrip(".")
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}-{digest(what.encode(errors='surrogatepass'))}"


@contextmanager
def _bar(description: str) -> Iterator[Callable[[int, int], None]]:
    """Yields what moves a bar, which is there from the first step on: before, there may be one of the data."""
    from ..progress import progress_over

    with ExitStack() as stack:
        bars: list[Callable[[int, str, int | None], None]] = []

        def report(done: int, total: int) -> None:
            if not bars:
                bars.append(stack.enter_context(progress_over(description)))
            bars[0](done, f"{done / total:.0%}", total)

        yield report


def _said(result: Features, folder: Path) -> list[str]:
    """What there is to say of what was drawn."""
    count = len(result.found.objectives)
    pictures = len(result.found.preprocessing.input_shape) == 3
    lines = [f"{'Colours' if pictures else 'Values'} and range: {result.found.statistics}."]
    if result.before:
        lines.insert(0, f"{result.before} of {count} were in {folder} already.")
    if result.best:
        lines.append(
            f"{result.exceeding} of {count} drawings excite more than the best of {result.examples:,} examples does."
        )
    return lines


def _stopped(folder: Path) -> Stopped:
    if not (folder / "settings.json").exists():
        return Stopped("Stopped before anything was drawn.")
    again = shlex.join(["googlenet", *sys.argv[1:]])
    return Stopped(f"Stopped. What was drawn is kept; go on with: {again}")


@commands.command()
def dream(
    run: Annotated[str, typer.Argument(help=RUN_HELP)],
    example: Annotated[str, typer.Argument(metavar="PICTURE", help="A picture, or a table of signals.")],
    out: Annotated[
        Path | None,
        typer.Option(help="A .png; of a signal .svg, before and after, or .csv (by default dream.png or dream.svg)."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="What there is to be more of: 4a, 4a.5x5, 4a:17 or class:NAME (by default the module in the middle).",
            show_default=False,
        ),
    ] = None,
    guide: Annotated[
        str | None, typer.Option(help="Another picture, whose features at that place are sought.", show_default=False)
    ] = None,
    octaves: Annotated[int, typer.Option(min=1, help="Sizes, the smallest first, each 1.4 times the last.")] = 4,
    steps: Annotated[int, typer.Option(min=1, help="Of ascent in each octave.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of chance.")] = 0,
    row: Annotated[int, typer.Option(min=1, help="Of a table of signals.")] = 1,
) -> None:
    """Change a picture or a signal so that a network sees more of what it sees in it (DeepDream).

    A picture keeps its size, and its colours where the network reads none. A signal is written as the network reads
    it. Each octave is kept until the dream is done: the same command goes on where it was stopped.

    Example: googlenet dream runs/demo holiday.jpg --at 4a --out dream.png
    """
    from ....errors import short
    from ....nn.device import keep_memory
    from ...inside.dreams import Wanted, dream_job
    from ..output.screen import beside, shown

    check_local([word for word in (run, example, guide) if word])
    keep_memory()
    try:
        with explained("dream", [run, example]), _bar("dreamt") as report:
            result = dream_job(run, example, out, Wanted(at, guide, octaves, steps, seed, row), report)
    except KeyboardInterrupt:
        again = shlex.join(["googlenet", *sys.argv[1:]])
        raise Stopped(f"Stopped. The octaves that are done are kept; go on with: {again}") from None
    if result.before:
        beside(f"{result.before} of {result.octaves} octaves were done already.")
    if result.rows > 1:
        beside(f"Row {row:,} of {result.rows:,} of {example} (--row).")
    beside(f"More of {short(result.of)}, {result.octaves} octaves.")
    print(shown(str(result.path)))
