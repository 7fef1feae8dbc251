"""Examples to see ranges of activations on, before they are kept in 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from ...data.builtin import BUILTIN
from ...data.find import find_data
from ...data.images.sources.tables.table import lists_pictures
from ...data.protocol import Array, BadFile, Example, Preprocessing
from ...data.walk import expand
from ...errors import InputError
from ..predictor import read_example

MOST = 300


def examples_from(source: str, preprocessing: Preprocessing) -> tuple[Array, tuple[BadFile, ...]]:
    """Prepared examples, at most 300 at random, and those of them that are left out, with what a table
    names and is not there.

    Args:
        source: A built-in set, a folder of pictures (of classes or not), or a table.
        preprocessing: What the network was trained with.

    Raises:
        InputError: If there are none that can be read.
    """
    found, missing = _examples(source, preprocessing)
    chosen = [found[row] for row in np.random.default_rng(0).permutation(len(found))[:MOST]]
    prepared: list[Array] = []
    bad = list(missing)
    for example in chosen:
        try:
            prepared.append(read_example(example, preprocessing))
        except InputError as error:
            bad.append(BadFile(example.name, str(error)))
    if not prepared:
        hint = f" ({bad[0].path}: {bad[0].reason})" if bad else ""
        raise InputError(f"{source} has nothing to calibrate with{hint}.")
    return np.concatenate(prepared), tuple(bad)


def _examples(source: str, preprocessing: Preprocessing) -> tuple[list[Example], Sequence[BadFile]]:
    """All there are, and what a table names and does not have."""
    if source not in BUILTIN and not (Path(source).is_file() and lists_pictures(Path(source))):
        paths = expand([source], [], preprocessing.extensions)
        return list(chain.from_iterable(preprocessing.examples(path, path) for path in paths)), ()
    data = find_data(source)
    part = next(iter(data.parts.values()))
    if part.kind != preprocessing.kind:
        raise InputError(f"{source} is of {part.kind}s and the network reads {preprocessing.kind}s.")
    return list(part.examples(preprocessing)), data.bad
