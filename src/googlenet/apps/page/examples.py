"""What the page has to show to its networks, as JSON: pictures as PNG, signals as numbers."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ...data.builtin import BUILTIN, CLOTHES
from ...data.images.decode import open_picture
from ...data.protocol import ExampleSet, Preprocessing
from ...errors import InputError

Row = dict[str, Any]
CLOTHES_FILE = Path(__file__).parent / "fashion_mnist.png"  # test pictures side by side, one a class; MIT, see its text
EACH = 5  # signals of each class of GunPoint
MOST = 24  # examples of a page
SIDE = 512  # pixels, to which a larger picture's shorter side is resized


def shipped_pictures() -> list[Row]:
    """A test picture of Fashion-MNIST for each class."""
    strip = open_picture(CLOTHES_FILE, channels=1)
    side = strip.height
    squares = [strip.crop((at * side, 0, (at + 1) * side, side)) for at in range(len(CLOTHES))]
    return [_picture(f"fashion-mnist {at}", squares[at], label) for at, label in enumerate(CLOTHES)]


def gunpoint_signals() -> list[Row]:
    """Test signals of GunPoint, the first of each class."""
    data = BUILTIN["gunpoint"]()
    part = data.held_out
    rows = [row for label in range(len(data.classes)) for row in _first(part, label)]
    return [_signal(part.names[row], part.signals[row], data.classes[int(part.labels[row])]) for row in rows]  # type: ignore[attr-defined]


def _first(part: ExampleSet, label: int) -> list[int]:
    return [row for row, own in enumerate(part.labels.tolist()) if own == label][:EACH]


def examples_from(sources: Sequence[Path], preprocessing: Preprocessing, classes: Sequence[str]) -> list[Row]:
    """The examples of files that the network reads.

    Args:
        sources: Pictures, or tables of signals.
        preprocessing: Of the network.
        classes: Its classes; a picture is of the one that its folder, or its name behind a dash, says.

    Raises:
        InputError: If one cannot be read.
    """
    found: list[Row] = []
    for row in (row for source in sources for row in _read(source, preprocessing, classes)):
        found.append(row)
        if len(found) == MOST:
            break
    return found


def _read(source: Path, preprocessing: Preprocessing, classes: Sequence[str]) -> Iterator[Row]:
    for example in preprocessing.examples(source, source.name):
        if example.error is not None:
            named = source.name in example.error
            raise InputError(_ended(example.error if named else f"{example.name}: {example.error}"))
        try:
            if preprocessing.kind == "picture":
                yield _picture(source.name, open_picture(example.content), _label(source, classes))
            else:
                preprocessing.read(example.content)
                yield _signal(example.name, example.content, None)
        except InputError as error:
            raise InputError(_ended(f"{example.name} cannot be an example: {error}")) from error


def _ended(sentence: str) -> str:
    """With the sign that ends a sentence, once."""
    return sentence if sentence.endswith((".", "?")) else f"{sentence}."


def _label(source: Path, classes: Sequence[str]) -> str | None:
    names = {name.replace("/", "-"): name for name in classes}
    return names.get(source.parent.name) or names.get(source.stem.partition("-")[2])


def _picture(name: str, image: Image.Image, label: str | None) -> Row:
    if min(image.size) > SIDE:
        ratio = SIDE / min(image.size)
        image = image.resize((round(image.width * ratio), round(image.height * ratio)), Image.Resampling.BICUBIC)
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return {"name": name, "label": label, "png": base64.b64encode(content.getvalue()).decode()}


def _signal(name: str, values: Any, label: str | None) -> Row:
    rows = [[None if math.isnan(value) else value for value in channel] for channel in values.tolist()]
    return {"name": name, "label": label, "values": rows}
