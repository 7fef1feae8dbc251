"""Writes a pipeline for other programs, after comparing what was written with PyTorch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..arch.serial import to_json
from ..data.protocol import Array
from ..errors import InputError
from ..files import fresh
from .engines.backend import BACKENDS
from .engines.engine import Chunk, Engine, Notes
from .pipeline import Pipeline

LARGEST = 1e-4  # difference of a probability that float32 may make
LEAST_AGREEMENT = 0.99  # share of inputs whose most probable class int8 must keep


@dataclass(frozen=True)
class Comparison:
    """Exported against PyTorch in float32.

    Attributes:
        count: Inputs compared.
        agreement: Share of them with the same most probable class.
        largest: Largest difference of a probability.
    """

    count: int
    agreement: float
    largest: float


def notes_of(pipeline: Pipeline, classes: tuple[str, ...]) -> Notes:
    """What the exported file says of itself."""
    archs = [json.loads(to_json(model.arch)) for model in pipeline.networks]
    return Notes(classes, pipeline.preprocessing.to_dict(), archs, pipeline.calibration.to_dict(), pipeline.learned)


def export(pipeline: Pipeline, notes: Notes, form: str, path: Path, calibration: Array | None = None) -> Comparison:
    """Writes a pipeline in a format; nothing is left at ``path`` unless it computes what PyTorch computes.

    Args:
        pipeline: From prepared examples to probabilities.
        notes: To lie in the file.
        form: A key of :data:`~.engines.backend.BACKENDS`.
        path: The file.
        calibration: Prepared examples, for 8-bit weights and activations; ``None`` for float32.

    Raises:
        InputError: If a library is missing, the file cannot be written, or differs too much.
    """
    backend = BACKENDS[form].load()
    with fresh(path) as new:
        found = compared(backend.write(pipeline, notes, new, calibration), pipeline, calibration)
        _refuse(found, calibration is not None)
    return found


def compared(engine: Engine, pipeline: Pipeline, inputs: Array | None) -> Comparison:
    """An engine against PyTorch in float32.

    Args:
        engine: Computes the same pipeline.
        pipeline: With its networks in float32.
        inputs: Prepared examples; ``None`` for made-up ones.
    """
    inputs = pipeline.example(32).numpy() if inputs is None else inputs
    parts = [inputs[start : start + 8] for start in range(0, len(inputs), 8)]
    theirs = np.concatenate([found for _, found in engine.map(lambda part: Chunk([], [], part), parts)])
    with torch.inference_mode():
        ours = np.concatenate([pipeline(torch.from_numpy(part)).numpy() for part in parts])
    agreement = float((ours.argmax(1) == theirs.argmax(1)).mean())
    return Comparison(len(inputs), agreement, float(np.abs(ours - theirs).max()))


def _refuse(found: Comparison, int8: bool) -> None:
    if int8 and found.agreement < LEAST_AGREEMENT:
        raise InputError(
            f"In 8 bits the network agrees with float32 on {found.agreement:.1%} of {found.count} inputs only, and "
            f"{LEAST_AGREEMENT:.0%} are wanted: calibrate with more of the data that it is for, or leave --int8 out."
        )
    if not int8 and not found.largest <= LARGEST:
        raise InputError(
            f"The exported network differs from PyTorch's by {found.largest:.2g} in a probability, more than "
            f"{LARGEST:g}; nothing was written. Try another --format, and please report this."
        )
