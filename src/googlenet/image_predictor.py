"""Labels pictures, as they are stored or as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .data.batches import ahead, normalised
from .data.images import ImageSet
from .data.pictures import EXTENSIONS, Pixels, Preprocessing, crops_of, open_picture, to_pixels
from .device import computes_in_bf16
from .errors import InputError
from .model import GoogLeNet
from .prediction import Prediction, Predictor

Picture = str | Path | Image.Image | np.ndarray[Any, Any]


class ImagePredictor(Predictor):
    """Labels pictures with one network, or with the mean probability of several (the paper's ensembles).

    Args:
        models: Networks with the same classes.
        classes: Class names in the order of the logits.
        preprocessing: What the networks were trained with.
    """

    extensions = EXTENSIONS

    def __init__(self, models: Sequence[GoogLeNet], classes: Sequence[str], preprocessing: Preprocessing) -> None:
        super().__init__(models, classes)
        self.bf16 = computes_in_bf16(self.device)
        self.preprocessing = preprocessing

    def probabilities(self, pixels: Tensor) -> Tensor:
        """``(n, channels, size, size)`` uint8 to probabilities ``(n, classes)``, float32, on the CPU."""
        inputs = normalised(pixels, self.preprocessing)
        seen = [inputs, inputs.flip(3)] if self.preprocessing.mirror else [inputs]
        return self.mean_of(lambda model: seen)

    def of_set(self, images: object, crops: int = 1) -> Tensor:
        """Probabilities ``(n, classes)`` of a whole :class:`~googlenet.data.images.ImageSet`.

        Raises:
            InputError: If it is something else, a picture cannot be read, or is grey where the network wants
                colour or the reverse.
        """
        if not isinstance(images, ImageSet):
            raise InputError("The network reads pictures, and these data are not pictures.")
        if images.pixels is not None and crops == 1:
            if images.pixels.shape[1] != self.preprocessing.channels:
                raise InputError("The pictures are grey and the network wants colour, or the other way round.")
            if images.pixels.shape[-1] == self.preprocessing.size:
                return torch.cat([self.probabilities(part) for part in torch.split(images.pixels, 250)])
        arrays = None if images.pixels is None else (pixels.numpy().transpose(1, 2, 0) for pixels in images.pixels)
        parts = []
        for names, errors, probabilities in self.stream_probabilities(
            images.names if arrays is None else arrays, crops
        ):
            for name, error in zip(names, errors, strict=True):
                if error is not None:
                    raise InputError(f"{name} could be read a moment ago and now it cannot: {error}.")
            parts.append(probabilities)
        return torch.cat(parts)

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
            good = self.best([n for n, e in zip(names, errors, strict=True) if e is None], probabilities, top)
            for name, error in zip(names, errors, strict=True):
                yield next(good) if error is None else Prediction(name, error=error)

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
