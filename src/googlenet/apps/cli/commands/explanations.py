"""``googlenet explain``: parsing only; what is heavy is imported by who needs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import count
from ..options import JsonOption
from ..usage import check_local, explained

if TYPE_CHECKING:
    from ....explain.explainer import Explainer
    from ...inside.explanations import Figures, Wanted

commands = typer.Typer()


RunArgument = Annotated[
    str, typer.Argument(help="A run folder, a weights file, or a name from googlenet weights list.")
]
InputsArgument = Annotated[list[str] | None, typer.Argument(help="Files, folders, globs.", show_default=False)]
MethodOption = Annotated[
    str,
    typer.Option(
        help="cam, grad-cam, integrated-gradients, smoothgrad, occlusion or conductance draws a map; branches says "
        "what passes through each branch, ablation what is lost without each, nearest which training examples are "
        "most like it."
    ),
]
ClassOption = Annotated[
    str | None, typer.Option("--class", help="To explain (by default what the network says).", show_default=False)
]
AgainstOption = Annotated[str | None, typer.Option(help="Class to hold it against (of branches the runner-up).")]
AtOption = Annotated[
    str | None,
    typer.Option(metavar="PLACE", help="Of grad-cam and conductance: 4a, 4a.5x5, conv2 (by default the last module)."),
]
DataOption = Annotated[
    str | None, typer.Option(help="Labelled data: of branches and ablation, to measure over; of nearest, to search.")
]
MostOption = Annotated[
    int | None,
    typer.Option(min=1, help="Examples of DATA (by default 20 for branches, seconds each, and 1000 for ablation)."),
]
FillOption = Annotated[
    str | None, typer.Option(help="Of ablation: mean or zero, in place of what is off (by default mean).")
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        help="A .png or .svg, or a folder (by default explanations, and with --json nothing is drawn).",
        show_default=False,
    ),
]


@commands.command()
def explain(
    run: RunArgument,
    inputs: InputsArgument = None,
    method: MethodOption = "cam",
    label: ClassOption = None,
    against: AgainstOption = None,
    at: AtOption = None,
    data: DataOption = None,
    most: MostOption = None,
    fill: FillOption = None,
    out: OutOption = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of chance.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show why a run says what it says: where it looked, through which branches, like what it has seen.

    With --json a line for each example is printed, and figures are drawn where --out says.

    Example: googlenet explain fashion_mnist shoe.png

    Example: googlenet explain fashion_mnist shoe.png --method branches --against Sandal --json

    Example: googlenet explain runs/demo --method ablation --data digits
    """
    from ...inside.explanations import Figures, Wanted

    wanted, inputs = Wanted(method, label, against, at, seed, most, fill), inputs or []
    wanted.check(inputs, data)
    place = out or (None if as_json else Path("explanations"))
    figures = None if place is None else Figures(place, method, [run, *inputs, *([data] if data else [])])
    check_local([run])
    from ....explain.explainer import Explainer

    with explained("explain", [run, *inputs]):
        explainer = Explainer(run)
        if data is not None and not inputs:
            _explain_set(run, explainer, data, wanted, figures, as_json)
        elif _explain_inputs(explainer, inputs, wanted, data, figures, as_json):
            raise typer.Exit(1)


def _explain_inputs(
    explainer: Explainer,
    inputs: Sequence[str],
    wanted: Wanted,
    data: str | None,
    figures: Figures | None,
    as_json: bool,
) -> int:
    """Explains inputs one by one; gives how many could not be read."""
    from ....data.protocol import Example
    from ....data.walk import expand
    from ...inside.explanations import each_explained
    from ..output.screen import beside, safe, shown
    from ..output.writers import json_row
    from ..progress import watch

    paths = list(expand(inputs, sys.stdin or (), explainer.pipeline.preprocessing.extensions))
    if figures is not None:
        figures.read += map(Path, paths)
    failed = 0
    for found in each_explained(explainer, watch(paths, "explained"), wanted, data, watch):
        if isinstance(found, Example):
            failed += 1
            reason = str(found.error)
            sys.stdout.write(json_row({"input": found.name, "error": reason}, sys.stdout)) if as_json else beside(
                f"{shown(found.name)}: {shown(reason)}"
            )
            continue
        path = None if figures is None else figures.write(found.input, found.figure())
        if as_json:
            sys.stdout.write(json_row(found.to_dict(), sys.stdout))
        else:
            print(f"{safe(found.input)}  {safe(found.label)} {found.probability:.3f}  {shown(str(path))}")
            for like in getattr(found, "nearest", ()):
                print(f"  {like.similarity:.3f}  {safe(like.label)}  {safe(like.input)}")
    return failed


def _explain_set(
    run: str,
    explainer: Explainer,
    data: str,
    wanted: Wanted,
    figures: Figures | None,
    as_json: bool,
) -> None:
    """Measures over a set, and shows the table."""
    from ....explain.branches.ablation import Ablation
    from ...inside.explanations import over_set
    from ..display import say
    from ..output.screen import shown
    from ..progress import watch

    found, left_out = over_set(run, explainer, data, wanted, watch)
    for sentence in left_out:
        say(sentence)
    path = None if figures is None else figures.write(data, found.figure())
    if as_json:
        print(json.dumps(found.to_dict()))
    elif isinstance(found, Ablation):
        say(
            f"accuracy {found.accuracy:.4f} on {count(found.count, 'held-out example')}; what is lost with the "
            f"{found.fill} in place of each part:"
        )
        _show_table({part: {"lost": lost} for part, lost in found.lost.items()}, ".4f")
    else:
        other = "the runner-up" if wanted.against is None else wanted.against
        say(f"% of the difference to {other} that passes through each branch, mean of {count(found.count, 'example')}:")
        _show_table(found.modules, ".1f")
        say("by class, the mean over the modules that have the branch:")
        _show_table(found.classes, ".1f")
    if path is not None and not as_json:
        print(shown(str(path)))


def _show_table(rows: Mapping[str, Mapping[str, float]], form: str) -> None:
    """Numbers in columns by name."""
    from rich.table import Table

    from ..display import show_table
    from ..output.screen import safe

    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", *columns):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for name, row in rows.items():
        table.add_row(safe(name), *(format(row[key], form) if key in row else "" for key in columns))
    show_table(table)
