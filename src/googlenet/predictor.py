"""A trained network, ready to label pictures: :func:`load`, then :meth:`Predictor.predict`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from . import nd
from .data.batches import ahead, normalised
from .data.pictures import EXTENSIONS, Pixels, Preprocessing, crops_of, open_picture, to_pixels
from .device import best_device, computes_in_bf16
from .errors import InputError
from .model import GoogLeNet, load_model
from .runfolder import WEIGHTS

Picture = str | Path | Image.Image | np.ndarray[Any, Any]


@dataclass(frozen=True)
class Prediction:
    """What a network says of a picture.

    Attributes:
        input: The path, or the position of an array.
        top: Labels and probabilities, most probable first; empty if the picture cannot be read.
        error: Why it cannot be read.
    """

    input: str
    top: tuple[tuple[str, float], ...] = ()
    error: str | None = None

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.top[0][0]

    @property
    def probability(self) -> float:
        """Its probability."""
        return self.top[0][1]

    def to_dict(self) -> dict[str, Any]:
        """A row of JSON: ``input, label, probability, top``, or ``input, error``."""
        if self.error is not None:
            return {"input": self.input, "error": self.error}
        top = [{"label": label, "probability": probability} for label, probability in self.top]
        return {"input": self.input, "label": self.label, "probability": self.probability, "top": top}


class Predictor:
    """Labels pictures with one network, or with the mean probability of several (the paper's ensembles).

    Args:
        models: Networks with the same classes.
        classes: Class names in the order of the logits.
        preprocessing: What the networks were trained with.
    """

    def __init__(self, models: Sequence[GoogLeNet], classes: Sequence[str], preprocessing: Preprocessing) -> None:
        self.device = best_device()
        self.bf16 = computes_in_bf16(self.device)
        self.classes = tuple(classes)
        self.preprocessing = preprocessing
        self.models = [
            model.to(self.device, memory_format=nd.MEMORY_FORMAT[model.arch.dims]).eval()  # type: ignore[call-overload]
            for model in models
        ]

    @torch.inference_mode()
    def probabilities(self, pixels: Tensor) -> Tensor:
        """``(n, channels, size, size)`` uint8 to probabilities ``(n, classes)``, float32, on the CPU."""
        inputs = normalised(pixels, self.preprocessing).to(self.device)
        views = [inputs, inputs.flip(3)] if self.preprocessing.mirror else [inputs]
        total = torch.zeros(len(pixels), len(self.classes), device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            for model in self.models:
                for view in views:
                    total += model(view).float().softmax(1)
        return (total / (len(self.models) * len(views))).cpu()

    def predict(self, pictures: Picture | Iterable[Picture], top: int = 5) -> list[Prediction]:
        """Labels pictures.

        Args:
            pictures: Paths, PIL images or arrays ``(height, width)`` or ``(height, width, channels)`` of
                uint8; one, or many.
            top: How many labels to give for each.

        Returns:
            One prediction for each picture, in order. A picture that cannot be read has ``error`` set.
        """
        one = isinstance(pictures, (str, Path, Image.Image, np.ndarray))
        many: Iterable[Picture] = [pictures] if one else pictures  # type: ignore[list-item, assignment]
        return list(self.stream(many, top))

    def stream(
        self, pictures: Iterable[Picture], top: int = 5, crops: int = 1, batch_size: int = 64
    ) -> Iterator[Prediction]:
        """:meth:`predict` for any number of pictures: memory stays that of a few batches."""
        for names, errors, probabilities in self.stream_probabilities(pictures, crops, batch_size):
            best = probabilities.topk(min(top, len(self.classes)))
            rows = iter(zip(best.values.tolist(), best.indices.tolist(), strict=True))
            for name, error in zip(names, errors, strict=True):
                if error is not None:
                    yield Prediction(name, error=error)
                else:
                    values, labels = next(rows)
                    pairs = zip(labels, values, strict=True)
                    yield Prediction(name, tuple((self.classes[label], value) for label, value in pairs))

    def stream_probabilities(
        self, pictures: Iterable[Picture], crops: int = 1, batch_size: int = 64
    ) -> Iterator[tuple[list[str], list[str | None], Tensor]]:
        """Batches of (names, errors, probabilities of those without an error)."""

        def read(item: tuple[int, Picture]) -> tuple[str, Pixels | str]:
            number, picture = item
            name = str(picture) if isinstance(picture, (str, Path)) else f"#{number}"
            try:
                return name, self._pixels(picture, crops)
            except InputError as error:
                return name, str(error)

        reads = ahead(read, enumerate(pictures))
        while chunk := list(islice(reads, max(1, batch_size // crops))):
            pixels = [found for _, found in chunk if not isinstance(found, str)]
            errors = [found if isinstance(found, str) else None for _, found in chunk]
            probabilities = torch.zeros(0, len(self.classes))
            if pixels:
                parts = torch.split(torch.from_numpy(np.concatenate(pixels)), batch_size)
                flat = torch.cat([self.probabilities(part) for part in parts])
                probabilities = flat.view(len(pixels), -1, len(self.classes)).mean(1)
            yield [name for name, _ in chunk], errors, probabilities

    def _pixels(self, picture: Picture, crops: int) -> Pixels:
        """``(views, channels, size, size)``."""
        want = self.preprocessing
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(np.squeeze(picture))
        if isinstance(picture, Image.Image):
            image = picture.convert("RGB" if want.channels == 3 else "L")
        else:
            image = open_picture(picture, want.channels, at_least=2 * want.resize if crops == 1 else None)
        return np.stack([to_pixels(view) for view in crops_of(image, want.size, want.resize, crops)])


def load(*runs: str | Path) -> Predictor:
    """A predictor from run folders or weight files; several average their probabilities.

    Raises:
        InputError: If one is missing, has no classes, or they do not have the same classes and input.
    """
    models, kinds = [], []
    for run in runs:
        path = Path(run)
        if path.is_dir():
            path = path / WEIGHTS
            if not path.exists():
                raise InputError(
                    f"{run} has no {WEIGHTS}: it is not a run, or not a finished one "
                    "(googlenet train --resume finishes it)."
                )
        model, header = load_model(path)
        if "classes" not in header.extra or "preprocessing" not in header.extra:
            raise InputError(f"{path} does not say which classes it tells apart; use weights from a run.")
        models.append(model)
        kinds.append((tuple(header.extra["classes"]), header.extra["preprocessing"]))
    for run, kind in zip(runs, kinds, strict=True):
        if kind[0] != kinds[0][0] or kind[1] != kinds[0][1]:
            raise InputError(f"{run} has other classes or another input size than {runs[0]}.")
    return Predictor(models, kinds[0][0], Preprocessing.from_dict(kinds[0][1]))


def expand(inputs: Iterable[str], lines: Iterable[str] = ()) -> Iterator[str]:
    """Paths of pictures, one by one: files as they are, folders walked, globs expanded, ``-`` from ``lines``."""
    for text in inputs:
        if text == "-":
            yield from (line.strip() for line in lines if line.strip())
        elif Path(text).is_dir():
            for path in sorted(Path(text).rglob("*")):
                if path.suffix.lower() in EXTENSIONS:
                    yield str(path)
        elif any(letter in text for letter in "*?[") and not Path(text).exists():
            yield from _glob(text)
        else:
            yield text


def _glob(pattern: str) -> Iterator[str]:
    path = Path(pattern)
    root = Path(path.anchor) if path.is_absolute() else Path()
    found = sorted(root.glob(str(path.relative_to(path.anchor))))
    if not found:
        raise InputError(f"No file matches {pattern!r}.")
    yield from map(str, found)
