"""Which examples a run shows: on its page the surest mistakes and the surest right answers, and pictures as files."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from ...data.protocol import ExampleSet, Picture, Preprocessing
from ...errors import InputError
from ...files import write_bytes
from ...inference.predictor import read_example

MOST = 12  # mistakes, and right answers, on a page
SHOWN = 8  # held-out pictures of a built-in set, to predict on

Ints = npt.NDArray[np.int64]
Draw = Callable[[Sequence[int], Ints], Sequence[Markup]]


@dataclass(frozen=True)
class Example:
    """An example and what the network said of it.

    Attributes:
        name: Its path or place.
        label: What it is.
        guess: What the network said.
        probability: How sure it was.
        figure: It, as :mod:`~googlenet.apps.report.charts` draws it.
    """

    name: str
    label: str
    guess: str
    probability: float
    figure: Markup


@dataclass(frozen=True)
class Examples:
    """What a page shows of the data.

    Attributes:
        mistakes: The surest ones.
        right: The surest right answers of each class.
    """

    mistakes: Sequence[Example] = ()
    right: Sequence[Example] = ()


def examples_for(
    names: Sequence[str],
    labels: Ints,
    classes: Sequence[str],
    probabilities: npt.NDArray[Any],
    draw: Draw,
    right: int = 0,
) -> Examples:
    """Chooses the examples of a page and has them drawn.

    Args:
        names: Path or place of each example.
        labels: ``(n,)``.
        classes: Class names; a label is a position here.
        probabilities: ``(n, classes)``.
        draw: From rows, and what the network said of each, to figures in the same order.
        right: How many right answers to show of each class.
    """
    guesses = probabilities.argmax(1)
    surest = np.argsort(-probabilities.max(1), kind="stable")
    wrong = [int(row) for row in surest if guesses[row] != labels[row]][:MOST]
    good: list[int] = []
    for label in np.unique(labels):
        good += [int(row) for row in surest if guesses[row] == labels[row] == label][:right]
    rows = [*wrong, *good[:MOST]]
    if not rows:
        return Examples()
    shown = [
        Example(
            names[row], classes[labels[row]], classes[guesses[row]], float(probabilities[row, guesses[row]]), figure
        )
        for row, figure in zip(rows, draw(rows, guesses[rows]), strict=True)
    ]
    return Examples(shown[: len(wrong)], shown[len(wrong) :])


def write_pictures(part: ExampleSet, classes: Sequence[str], folder: Path, preprocessing: Preprocessing) -> None:
    """The first pictures of a part as files, to predict on; of other kinds none.

    Args:
        part: With its labels.
        classes: Their names.
        folder: Is made.
        preprocessing: What the network sees of them.

    Raises:
        InputError: If one cannot be written.
    """
    from PIL import Image

    some = part.subset(range(min(SHOWN, len(part))))
    for row, example in enumerate(some.examples(preprocessing)):
        drawing = preprocessing.draw(read_example(example, preprocessing)[0])
        if isinstance(drawing, Picture):
            name = classes[int(some.labels[row])].replace("/", "-")
            pixels, content = drawing.pixels.transpose(1, 2, 0), io.BytesIO()
            Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(content, "PNG")
            try:
                folder.mkdir(exist_ok=True)
            except OSError as error:
                raise InputError(f"{folder} could not be made: {error.strerror}. Move it away.") from error
            write_bytes(folder / f"{row}-{name}.png", content.getvalue())
