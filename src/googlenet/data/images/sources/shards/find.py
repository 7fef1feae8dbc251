"""From a folder of shards, or its address, to a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .....errors import InputError, several
from .....limits import MAX_PIXELS
from ....parallel import ahead
from ....protocol import BadFile, Dataset, Watch
from ....walk import folders_in, is_elsewhere
from ...crops import centre_square
from ...dataset import SMALL_SIDE, ImageSet, enlarged
from ...decode import open_picture, to_pixels
from ...stored import Stored
from .index import INDEX, Row, read_index
from .theirs import scan, tars_in


def are_shards(source: str | Path) -> bool:
    """Whether a folder has the index of shards, or tars and no folders of classes; an address may hold but shards."""
    if is_elsewhere(str(source)):
        return True
    folder = Path(source)
    return folder.is_dir() and ((folder / INDEX).is_file() or bool(tars_in(folder) and not folders_in(folder)))


def find_shards(source: str | Path, watch: Watch, max_pixels: int = MAX_PIXELS) -> Dataset:
    """The pictures of a folder of shards: of parts by the names of the tars (``train-000000.tar``), else to learn from.

    Args:
        source: The folder, or its address; there only with an index are they found.
        watch: Wraps the tars while they are gone through, for a progress bar.
        max_pixels: That a picture may have, see :func:`~googlenet.data.images.decode.open_picture`.

    Raises:
        InputError: If there is nothing to learn from, or a tar is damaged.
    """
    folder, bad, notes = str(source), list[BadFile](), list[str]()
    if is_elsewhere(folder) or (Path(folder) / INDEX).is_file():
        if not is_elsewhere(folder) and (others := folders_in(Path(folder))):
            names = several([other.name for other in others])
            raise InputError(f"{folder} has both shards ({INDEX}) and folders ({names}): keep them apart.")
        classes, rows = read_index(folder)
    else:
        rows, bad, notes = scan(Path(folder), watch)
        most = max((row.label for part in rows.values() for row in part), default=-1)
        classes = tuple(map(str, range(most + 1)))
        notes.append(f"The classes of {folder} have no names; they are numbered, from 0 to {most}.")
    if not any(rows.values()):
        raise InputError(
            f"{folder} has tars and no labelled picture in them: KEY.jpg with KEY.cls, the class's number."
        )
    sets = _sets(rows, classes, max_pixels)
    return Dataset(folder, classes, sets.get("train"), sets.get("val"), sets.get("test"), tuple(notes), tuple(bad))


def _sets(rows: Mapping[str, Sequence[Row]], classes: Sequence[str], max_pixels: int) -> dict[str, ImageSet]:
    """The pictures part by part, all of one colour and, where they are small, in memory and of one size."""
    every = [row for part in rows.values() for row in part]
    wrong = next((row for row in every if row.label >= len(classes)), None)
    if wrong is not None:
        raise InputError(f"{wrong.stored} is of the class {wrong.label}, and there are {len(classes)}, from 0.")
    channels = 1 if all(row.grey for row in every) else 3
    longest = max(row.side for row in every)
    size = enlarged(longest) if 0 < longest <= SMALL_SIDE and all(row.side for row in every) else None
    return {part: _set(some, channels, size, max_pixels) for part, some in rows.items() if some}


def _set(rows: Sequence[Row], channels: int, size: int | None, max_pixels: int) -> ImageSet:
    sources = tuple(row.stored for row in rows)
    pixels = None
    if size is not None:

        def read(source: Stored) -> np.ndarray[Any, Any]:
            try:
                image = open_picture(source.content(), channels, 2 * size, max_pixels)
            except InputError as error:
                raise InputError(f"{source} cannot be read: {error}.") from error
            return to_pixels(centre_square(image, size, size))

        pixels = torch.from_numpy(np.stack(list(ahead(read, sources))))
    labels = torch.tensor([row.label for row in rows])
    found = ImageSet(labels, tuple(map(str, sources)), pixels, channels, sources=sources, max_pixels=max_pixels)
    if all(source.digest for source in sources):  # nothing is read for them
        vars(found)["contents"] = tuple(source.digest for source in sources)
    return found
