"""Examples to see ranges of activations on, before they are kept in 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.builtin import BUILTIN
from ..data.images.pictures import EXTENSIONS, Picture, Preprocessing, views_of
from ..data.paths import expand
from ..data.signals.dataset import SignalSet
from ..data.signals.files import is_part, read_signals
from ..data.signals.preprocessing import SignalPreprocessing
from ..errors import InputError
from .engines.engine import Array

MOST = 300


def examples_from(source: str, preprocessing: Preprocessing | SignalPreprocessing) -> Array:
    """Prepared examples, at most 300 at random.

    Args:
        source: A built-in set, a folder of pictures (of classes or not), or a table of signals.
        preprocessing: What the network was trained with.

    Raises:
        InputError: If there are none, or one cannot be read.
    """
    found = _examples(source, preprocessing)
    chosen = [found[row] for row in np.random.default_rng(0).permutation(len(found))[:MOST]]
    if not chosen:
        raise InputError(f"{source} has nothing to calibrate with.")
    if isinstance(preprocessing, SignalPreprocessing):
        return preprocessing.array(chosen)
    return np.concatenate([_seen(picture, preprocessing) for picture in chosen])


def _seen(picture: Picture, preprocessing: Preprocessing) -> Array:
    try:
        return views_of(picture, preprocessing)
    except InputError as error:
        raise InputError(f"{picture} cannot be read to calibrate with: {error}.") from error


def _examples(source: str, preprocessing: Preprocessing | SignalPreprocessing) -> Sequence[Any]:
    if source in BUILTIN:
        part = BUILTIN[source]().train
        if isinstance(part, SignalSet) != isinstance(preprocessing, SignalPreprocessing):
            raise InputError(f"{source} is of signals and the network reads pictures, or the other way round.")
        if isinstance(part, SignalSet):
            return part.signals
        assert part is not None and part.pixels is not None
        return list(part.pixels.numpy().transpose(0, 2, 3, 1))
    if isinstance(preprocessing, SignalPreprocessing):
        return read_signals(source, labelled=is_part(source)).signals
    return list(expand([source], [], EXTENSIONS))
