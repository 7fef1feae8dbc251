"""Labels pictures, as they are stored or as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..data.images.pictures import EXTENSIONS, Picture, Pixels, Preprocessing, check_crops, views_of
from ..data.parallel import groups
from ..errors import InputError
from .engines.engine import Chunk, Engine, Floats
from .predictor import Prediction, Predictor


class ImagePredictor(Predictor):
    """Labels pictures.

    Args:
        engine: From ``(n, channels, size, size)`` uint8 to probabilities.
        classes: Class names in the order of the probabilities.
        preprocessing: What the network was trained with.

    Attributes:
        batch: Views that are read and computed together: a few of 224×224, more of smaller ones.
    """

    extensions = EXTENSIONS

    def __init__(self, engine: Engine, classes: Sequence[str], preprocessing: Preprocessing) -> None:
        super().__init__(engine, classes)
        self.preprocessing = preprocessing
        self.batch = min(256, max(1, engine.pixels // preprocessing.size**2))

    def probabilities(self, pixels: Pixels) -> Floats:
        """``(n, channels, size, size)`` uint8 to probabilities ``(n, classes)``."""
        parts = (pixels[start : start + self.batch] for start in range(0, len(pixels), self.batch))
        found = self.engine.map(lambda part: Chunk([], [], part), parts)
        return np.concatenate([np.zeros((0, len(self.classes)), np.float32), *(p for _, p in found)])

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

    def stream(self, pictures: Iterable[Picture], top: int = 5) -> Iterator[Prediction]:
        """:meth:`predict` for any number of pictures: memory stays that of a few batches."""
        return self.labelled(self.stream_probabilities(pictures), top)

    def stream_probabilities(self, pictures: Iterable[Picture], crops: int = 1) -> Iterator[tuple[Chunk, Floats]]:
        """Chunks of pictures and the probabilities of those that can be read, the mean over their crops."""
        check_crops(crops)

        def read(group: Sequence[tuple[int, Picture]]) -> Chunk:
            views: list[Pixels] = []
            names: list[str] = []
            errors: list[str | None] = []
            for number, picture in group:
                names.append(str(picture) if isinstance(picture, (str, Path)) else f"#{number}")
                errors.append(None)
                try:
                    views.append(views_of(picture, self.preprocessing, crops))
                except InputError as error:
                    errors[-1] = str(error)
            return Chunk(names, errors, np.concatenate(views) if views else np.zeros(0, np.uint8))

        for chunk, found in self.engine.map(read, groups(enumerate(pictures), max(1, self.batch // crops))):
            yield chunk, found.reshape(-1, crops, len(self.classes)).mean(1)
