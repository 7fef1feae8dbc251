"""Small pictures in folders and tables, and what is found of them."""

from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from googlenet.data.find import Columns, find_data


def pictures(*paths):
    """Small pictures, no two alike."""
    draws = np.random.default_rng(len(paths))
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 256, (24, 24, 3), np.uint8)).save(path, "PNG")


def labelled(source, **columns):
    """Part to the labels of its files, by name."""
    data = find_data(str(source), columns=Columns(**columns))
    return {
        part: {name: data.classes[label] for name, label in zip(held.names, held.labels.tolist(), strict=True)}
        for part, held in data.parts.items()
    }


def counts(source, **columns):
    """Part to class to its number of pictures."""
    return {part: dict(Counter(rows.values())) for part, rows in labelled(source, **columns).items()}


def said(source, **columns):
    return " ".join(find_data(str(source), columns=Columns(**columns)).notes)


def left_out(source):
    return {file.path: file.reason for file in find_data(str(source)).bad}
