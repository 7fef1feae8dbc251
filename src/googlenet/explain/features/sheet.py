"""A contact sheet: what was drawn, large, and the examples that excite the same beside it, small."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...data.protocol import Drawing, Floats, Picture, Trace
from ..figures import BLUE, DOTS, GREEN, INK, SOFT, check_installed, legible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP, LETTERS, MARGIN = 3, 17, 12  # pixels: between drawings, of a line of words, around all
LETTER = 6.5  # pixels of one, about
LINES = (BLUE, INK, GREEN)  # of the channels of a signal
ASPECT = 1.5  # a sheet is about so much wider than high
WIDE, WIDEST, LARGEST = 900, 1200, 560  # pixels: of a sheet at least, of one that is enlarged, of a picture's height
PICTURE, TRACE = (84, 168), (150, 76)  # least and most pixels of a picture's side; width and height of a signal

Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""Left, top, width, height, in pixels."""


@dataclass(frozen=True)
class Cell:
    """One place of a sheet.

    Attributes:
        words: Above it.
        drawings: One or more, large.
        beside: Some, small, one below the other.
    """

    words: str
    drawings: Sequence[Drawing]
    beside: Sequence[Drawing] = ()


def sheet(title: str, cells: Sequence[Cell], foot: str = "") -> Figure:
    """All cells in rows, in one picture, :data:`WIDE` at least: of few, what is drawn is larger.

    Args:
        title: Above them.
        cells: One or more, with equally many drawings each.
        foot: Below them, what the words say; of signals it says the range of the axes too.

    Raises:
        InputError: If Matplotlib is not installed.
    """
    check_installed()
    from matplotlib.figure import Figure as Fresh

    grid = _grid(cells)
    across = max(WIDE, 2 * MARGIN + grid.columns * grid.wide, 2 * MARGIN + 1.4 * LETTER * len(title))
    words = textwrap.wrap(" ".join(filter(None, [foot, *_range(cells)])), int((across - 2 * MARGIN) / LETTER))
    top = MARGIN + (2 * LETTERS if title else 0)
    bottom = top + math.ceil(len(cells) / grid.columns) * grid.high
    size = math.ceil(across), math.ceil(bottom + len(words) * LETTERS + MARGIN)
    figure = Fresh(figsize=(size[0] / DOTS, size[1] / DOTS), dpi=DOTS)
    axes: Axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, size[0])
    axes.set_ylim(size[1], 0)
    _say(axes, MARGIN, MARGIN + LETTERS - 3, title, fontsize=8, fontweight="bold")
    boxes: list[tuple[Drawing, Box, bool]] = []
    for number, cell in enumerate(cells):
        left, upper = MARGIN + (number % grid.columns) * grid.wide, top + (number // grid.columns) * grid.high
        _say(axes, left, upper + LETTERS - 4, cell.words, fontsize=5)
        boxes += _boxes(cell, left, upper + LETTERS, grid)
    for number, line in enumerate(words):
        _say(axes, MARGIN, bottom + (number + 1) * LETTERS - 4, line, fontsize=5, color=SOFT)
    _show(axes, boxes, size)
    return figure


def _say(axes: Axes, left: float, base: float, words: str, **how: Any) -> None:
    """Words as they are: a dollar in a name begins no formula, and what is no letter is its code."""
    axes.text(left, base, legible(words), va="baseline", parse_math=False, **{"color": INK} | how)


def _range(cells: Sequence[Cell]) -> Iterator[str]:
    """What the height of a signal's drawing is."""
    traces = [x.values for cell in cells for x in (*cell.drawings, *cell.beside) if isinstance(x, Trace)]
    if traces:
        low, high = (f"{end:.3g}".replace("-", "\N{MINUS SIGN}") for end in _ends(traces))
        yield f"Each signal from {low}, at the foot of its field, to {high}, in deviations of what was learned from."


def _ends(traces: Sequence[Floats]) -> tuple[float, float]:
    """The least and the most of all signals."""
    return float(min(x.min() for x in traces)), float(max(x.max() for x in traces))


class Grid(NamedTuple):
    """How a sheet is divided, in pixels.

    Attributes:
        width: Of a large drawing.
        height: Of one.
        small: The width of those beside it.
        wide: Of a cell.
        high: Of one.
        columns: Of cells.
    """

    width: float
    height: float
    small: float
    wide: float
    high: float
    columns: int


def _grid(cells: Sequence[Cell]) -> Grid:
    """As small as drawings may be; of few cells as large as they must be for a sheet of :data:`WIDE` pixels, or can."""
    first, *larger = [_divided(cells, size) for size in _sizes(cells[0].drawings[0])]
    for grid in larger:
        if first.columns * first.wide + 2 * MARGIN >= WIDE:
            break
        if grid.columns * grid.wide + 2 * MARGIN <= WIDEST:
            first = grid
    return first


def _divided(cells: Sequence[Cell], size: tuple[float, float]) -> Grid:
    width, height = size
    beside = max(len(cell.beside) for cell in cells)
    small = (width - 2 * GAP) / 3 if isinstance(cells[0].drawings[0], Picture) else 0.45 * width
    wide = len(cells[0].drawings) * (width + GAP) + (small + GAP if beside else 0) + 2 * GAP
    wide = max(wide, LETTER * max(len(cell.words) for cell in cells) + 2 * GAP)
    high = height + LETTERS + 3 * GAP
    columns = min(len(cells), max(1, math.ceil(math.sqrt(ASPECT * len(cells) * high / wide))))
    return Grid(width, height, small, wide, high, columns)


def _sizes(drawing: Drawing) -> list[tuple[float, float]]:
    """Pixels of a large drawing, across and down, the smallest first: an enlarged pixel of a picture is a square."""
    if isinstance(drawing, Trace):
        return [(TRACE[0] * share / 4, TRACE[1] * share / 4) for share in range(4, 17)]
    high, wide = drawing.pixels.shape[1:]
    least = min(max(1, PICTURE[0] // high), 4) if high <= PICTURE[1] else PICTURE[1] / high
    scales = [least, *range(math.floor(least) + 1, LARGEST // high + 1)]
    return [(wide * scale, high * scale) for scale in scales]


def _boxes(cell: Cell, left: float, top: float, grid: Grid) -> Iterator[tuple[Drawing, Box, bool]]:
    """Where each drawing of a cell stands, and whether it is a large one."""
    for number, drawing in enumerate(cell.drawings):
        yield drawing, (left + number * (grid.width + GAP), top, grid.width, grid.height), True
    left += len(cell.drawings) * (grid.width + GAP)
    step = (grid.height + GAP) / 3
    for number, drawing in enumerate(cell.beside[:3]):
        yield drawing, (left, top + number * step, grid.small, step - GAP), False


def _show(axes: Axes, boxes: Sequence[tuple[Drawing, Box, bool]], size: tuple[int, int]) -> None:
    """Pictures as one, and lines of one colour as one, whatever their number."""
    page: Pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    lines: dict[tuple[str, bool], list[Any]] = {}
    traces = [drawing.values for drawing, _, _ in boxes if isinstance(drawing, Trace)]
    low, high = _ends(traces) if traces else (0.0, 1.0)
    frames = []
    for drawing, box, large in boxes:
        left, top, width, height = box
        match drawing:
            case Picture(pixels=pixels):
                _paste(page, pixels, box)
            case Trace(values=values):
                frames.append([(left, top), (left + width, top), (left + width, top + height), (left, top + height)])
                across = np.linspace(left, left + width, values.shape[1])
                for channel, colour in zip(values, LINES, strict=False):
                    down = top + height * (1 - (channel - low) / (high - low or 1.0))
                    lines.setdefault((colour, large), []).append(np.stack([across, down], 1))
    if len(frames) < len(boxes):
        axes.imshow(page, extent=(0, size[0], size[1], 0), aspect="auto", interpolation="nearest")
    _draw_lines(axes, lines, frames)


def _draw_lines(axes: Axes, lines: dict[tuple[str, bool], list[Any]], frames: list[Any]) -> None:
    if not lines:
        return
    from matplotlib.collections import LineCollection, PolyCollection

    axes.add_collection(PolyCollection(frames, facecolors="#f4f6f9", edgecolors="none"))
    for (colour, large), some in lines.items():
        shade = colour if large else SOFT
        axes.add_collection(LineCollection(some, colors=shade, linewidths=0.8 if large else 0.45, capstyle="round"))


def _paste(page: Pixels, pixels: Pixels, box: Box) -> None:
    """A picture into a box: enlarged, its pixels stay squares."""
    left, top, width, height = map(round, box)
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    scale = min(width / image.width, height / image.height)
    shown = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    how = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
    page[top : top + shown[1], left : left + shown[0]] = np.asarray(image.convert("RGB").resize(shown, how))
