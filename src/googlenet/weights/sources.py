"""Weights by whatever people call them: a run folder, a file of any format, or a name of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError, unknown
from ..model import GoogLeNet, network_of
from ..runfolder import WEIGHTS
from . import formats, store
from .catalogue import CATALOGUE, Record, named
from .checkpoint import Weights


def read_source(source: str | Path) -> Weights:
    """The weights of a run, a file or a record of the catalogue, which may be called by its tag alone.

    Nothing is downloaded.

    Raises:
        InputError: If there is no such thing, the run is not finished, or the record was not fetched yet.
    """
    path = Path(source)
    if path.is_dir():
        if not (path / WEIGHTS).exists():
            raise InputError(
                f"{path} has no {WEIGHTS}: it is not a run, or not a finished one "
                "(googlenet train --resume finishes it)."
            )
        return formats.read(path / WEIGHTS)
    if path.exists() or path.with_name(f"{path.name}.index").exists():  # a TensorFlow checkpoint is a prefix
        return formats.read(path)
    record = named(str(source))
    if record is None:
        if "/" in str(source) or path.suffix in {form.suffix for form in formats.WEIGHTS_FORMATS.values()}:
            raise InputError(f"There is no weights file {source}.")
        raise unknown("run, file or weights", str(source), CATALOGUE)
    if not store.path_of(record).exists():
        raise InputError(f"{record.name} is not here yet; get it with: googlenet weights fetch {record.name}")
    return with_record(formats.read(store.path_of(record)), record)


def load_model(source: str | Path) -> GoogLeNet:
    """The network with the weights of a run, a file or a record of the catalogue, in evaluation mode.

    Raises:
        InputError: As of :func:`read_source`.
    """
    return network_of(read_source(source))


def with_record(weights: Weights, record: Record) -> Weights:
    """What a file holds together with what its record knows of it."""
    header = weights.header
    extra: dict[str, Any] = dict(header.extra)
    if record.classes is not None:
        extra["classes"] = record.classes()
    if record.preprocessing is not None:
        extra["preprocessing"] = record.preprocessing.to_dict()
    tensors = weights.tensors
    if not record.auxiliary:
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("auxiliary.")}
    header = replace(
        header,
        arch=replace(header.arch, **record.changes),
        auxiliary=header.auxiliary and record.auxiliary,
        extra=extra,
    )
    return Weights(header, tensors, record.quirks)
