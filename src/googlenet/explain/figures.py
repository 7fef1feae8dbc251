"""Figures of explanations, by Matplotlib (extra ``explain``): an input beside its map, heat maps with their numbers,
neighbours. Colours are told apart by every eye; every scale is stated.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import files
from ..data.protocol import Array, Drawing, Picture, Trace
from ..errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

INK, SOFT, BLUE, ORANGE, GREEN = "#1c2330", "#667085", "#2563a8", "#c2570c", "#2c7a4b"
LINES = (INK, BLUE, GREEN)  # of the channels of a signal
FORMATS = (".png", ".svg")
DOTS = 150  # an inch, of a PNG
HANGUL = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo")


def saved(path: Path, figure: Figure) -> None:
    """Writes a figure.

    Args:
        path: Ends in ``.png`` or ``.svg``.
        figure: Of this module.

    Raises:
        InputError: For another ending, or if it cannot be written.
    """
    check_format(path)
    files.write_bytes(path, drawn(figure, path.suffix.lower()[1:]))


def drawn(figure: Figure, form: str) -> bytes:
    """A figure as the content of a file; the same figure is the same bytes.

    Args:
        figure: Of this module.
        form: ``png`` or ``svg``.
    """
    content = io.BytesIO()
    with _style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)  # no font here has it: a box
        figure.savefig(content, format=form, dpi=DOTS, metadata={"Date": None} if form == "svg" else {})
    return content.getvalue()


def check_format(path: Path) -> None:
    """Raises the sentence for a name of a file that does not say PNG or SVG."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"A figure ends in .png or .svg, and {path} does not; a folder has no ending (--out).")


def map_figure(drawing: Drawing, title: str, what: str) -> Figure:
    """An example and its map: beside it for pictures, below it, at the same times, for signals.

    Args:
        drawing: With its evidence.
        title: Above the figure.
        what: What the values of the map are.
    """
    evidence = drawing.evidence
    assert evidence is not None
    most = float(np.abs(evidence).max()) or 1.0
    with _style():
        figure = _new(*((8.6, 4.0) if isinstance(drawing, Picture) else (8.6, 3.6)))
        figure.suptitle(legible(title), x=0.02, ha="left", fontweight="bold")
        match drawing:
            case Picture():
                _picture_and_map(figure, drawing, most, what)
            case Trace():
                _trace_and_map(figure, drawing, most, what)
    return figure


def heat_map(title: str, rows: Mapping[str, Mapping[str, float]], what: str) -> Figure:
    """Numbers in coloured cells: rows by name, columns by name; a cell that there is not is empty.

    Args:
        title: Above the figure.
        rows: By name, numbers by column.
        what: The unit, for the scale.
    """
    return heat_maps(title, {"": rows}, what)


def heat_maps(title: str, tables: Mapping[str, Mapping[str, Mapping[str, float]]], what: str) -> Figure:
    """Several of :func:`heat_map` side by side, on one scale of colour.

    Args:
        title: Above the figure.
        tables: By name, rows by name, numbers by column.
        what: The unit, for the scale.
    """
    columns = {key: list(dict.fromkeys(name for row in rows.values() for name in row)) for key, rows in tables.items()}
    most = max(abs(value) for rows in tables.values() for row in rows.values() for value in row.values()) or 1.0
    with _style():
        width = sum(1.6 + 0.8 * len(names) for names in columns.values())
        figure = _new(1.2 + width, 1.7 + 0.34 * max(map(len, tables.values())))
        figure.suptitle(legible(title), x=0.02, ha="left", fontweight="bold")
        every = figure.subplots(1, len(tables), squeeze=False)[0]
        for axes, (key, rows) in zip(every, tables.items(), strict=True):
            image = _cells(axes, rows, columns[key], most)
            axes.set_xlabel(key)
        figure.colorbar(image, ax=every.tolist(), fraction=0.05, pad=0.02)
        _say(figure, what)
    return figure


def gallery(title: str, shown: Sequence[tuple[Drawing, str]]) -> Figure:
    """Drawings in a row, each with what is to be said of it.

    Args:
        title: Above the figure.
        shown: Drawings and their words.
    """
    flat = any(isinstance(drawing, Trace) for drawing, _ in shown)
    with _style():
        figure = _new(0.4 + 2.3 * len(shown), 2.0 if flat else 2.9)
        figure.suptitle(legible(title), x=0.02, ha="left", fontweight="bold")
        for axes, (drawing, words) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
            axes.set_axis_off()
            _show(axes, drawing)
            axes.set_title(legible(words), fontsize=8, color=SOFT, loc="left")
    return figure


def check_installed() -> None:
    """Raises the sentence where there is no Matplotlib to draw with."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: pip install 'googlenet[explain]'.") from None


def legible(words: str) -> str:
    """A text for a figure: what is no letter, but for the end of a line, is its code.

    Args:
        words: With names of a user's.
    """
    return "".join(each if each == "\n" or each.isprintable() else repr(each)[1:-1] for each in words)


# ----------------------------------------------------------------- parts
def _new(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure as Fresh

    return Fresh(figsize=(width, height), layout="constrained")


@contextmanager
def _style() -> Iterator[None]:
    """The house's letters and lines while the context lasts; nothing of Matplotlib's own settings is changed.

    Raises:
        InputError: If Matplotlib is not installed.
    """
    check_installed()
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager

    known = {font.name for font in fontManager.ttflist}
    settings: Any = {
        "font.family": ["DejaVu Sans", *(name for name in HANGUL if name in known)],
        "font.size": 9,
        "axes.edgecolor": SOFT,
        "text.color": INK,
        "axes.labelcolor": SOFT,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "text.parse_math": False,  # a dollar in a name is a dollar
        "svg.fonttype": "none",
        "svg.hashsalt": "googlenet",
    }
    with mpl.rc_context(settings):
        yield


def _diverging() -> Colormap:
    """Blue for less than 0, white, orange for more: as light as each other, and told apart by every eye."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("against and for", [BLUE, "#a9c8e8", "#ffffff", "#f4bf98", ORANGE])


def _picture_and_map(figure: Figure, drawing: Picture, most: float, what: str) -> None:
    height, width = drawing.pixels.shape[1:]
    wide = width >= 2 * height  # slices of a volume
    left, right = figure.subplots(2, 1) if wide else figure.subplots(1, 2)
    _show(left, drawing)
    image = right.imshow(
        drawing.evidence,
        cmap=_diverging(),
        vmin=-most,
        vmax=most,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="nearest",
    )
    for axes in (left, right):
        axes.set_axis_off()
    figure.colorbar(image, ax=right, fraction=0.046, pad=0.03)
    _say(figure, what)


def _trace_and_map(figure: Figure, drawing: Trace, most: float, what: str) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    _show(upper, drawing)
    upper.set_axis_on()
    upper.tick_params(bottom=False)
    upper.set_ylabel("as the network\nreads it")
    assert drawing.evidence is not None
    length = drawing.values.shape[1]
    image = lower.imshow(
        drawing.evidence[None],
        cmap=_diverging(),
        vmin=-most,
        vmax=most,
        aspect="auto",
        extent=(0, length, 0, 1),
        interpolation="nearest",
    )
    lower.set_yticks([])
    lower.set_xlabel("sample")
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
    figure.colorbar(image, ax=[upper, lower], fraction=0.03, pad=0.02)
    _say(figure, what)


def _show(axes: Axes, drawing: Drawing) -> None:
    match drawing:
        case Picture(pixels=pixels):
            shown = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
            axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        case Trace(values=values):
            places = np.arange(values.shape[1]) + 0.5
            for channel, colour in zip(values, LINES, strict=False):
                axes.plot(places, channel, color=colour, linewidth=1.1)
            axes.set_xlim(0, values.shape[1])


def _cells(axes: Axes, rows: Mapping[str, Mapping[str, float]], columns: Sequence[str], most: float) -> Any:
    """A heat map with its numbers in it."""
    values: Array = np.array([[row.get(name, np.nan) for name in columns] for row in rows.values()], np.float64)
    image = axes.imshow(values, cmap=_diverging(), vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
    axes.set_xticks(range(len(columns)), list(map(legible, columns)))
    axes.set_yticks(range(len(rows)), list(map(legible, rows)))
    axes.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    for row, column in np.argwhere(np.isfinite(values)).tolist():
        value = float(values[row, column])
        ink = "white" if abs(value) > 0.8 * most else INK
        axes.text(column, row, _number(value, most), ha="center", va="center", color=ink, fontsize=8)
    return image


def _number(value: float, most: float) -> str:
    digits = 2 if most < 10 else 1 if most < 100 else 0
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _say(figure: Figure, what: str) -> None:
    """What the colours mean, below."""
    import textwrap

    words = textwrap.wrap(what, max(30, int(13.5 * figure.get_figwidth())))
    figure.supxlabel("\n".join(words), x=0.02, ha="left", fontsize=8.5, color=SOFT)
