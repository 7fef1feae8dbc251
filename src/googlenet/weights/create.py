"""Networks and the files that hold them: made, loaded by whatever people call their weights, and saved."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..arch.spec import Arch
from ..arch.variants import find_arch
from ..errors import InputError, unknown
from ..nn.googlenet import GoogLeNet
from . import formats, store
from .catalogue import CATALOGUE, Record, named
from .checkpoint import WEIGHTS, Weights, fill, network_of, weights_of, write


def create_model(
    name: str,
    num_classes: int | None = None,
    in_channels: int | None = None,
    *,
    width: float = 1.0,
    auxiliary: bool = True,
    weights: str | Path | None = None,
    **changes: Any,
) -> GoogLeNet:
    """Makes a network.

    Args:
        name: A name from :func:`googlenet.list_models`.
        num_classes: Width of the classifier. 1000, or what ``weights`` says.
        in_channels: Channels of the input. 3, or what ``weights`` says.
        width: Multiplies every channel count (rounded to multiples of 8).
        auxiliary: Whether to build the auxiliary classifiers.
        weights: Whatever :func:`googlenet.load_model` takes: a run, a file of any format, or a name of the catalogue.
        **changes: Fields of :class:`~googlenet.arch.spec.Arch` to replace, such as ``dropout=0.2``; all others are as
            ``weights`` has them.

    Raises:
        InputError: For an unknown name or field, and for weights of another architecture or that cannot be read.

    Example:
        >>> model = create_model("googlenet_small", num_classes=10, in_channels=1, width=0.5)
        >>> model(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """
    arch = find_arch(name)
    fields = {field.name for field in dataclasses.fields(Arch)}
    for change in changes:
        if change not in fields:
            raise unknown("option", change, sorted(fields))
    arch = arch.scaled(width)
    if weights is None:
        return GoogLeNet(dataclasses.replace(arch, **changes), num_classes or 1000, in_channels or 3, auxiliary)
    found = read_source(weights)
    header = found.header
    if header.arch.name != arch.name or header.arch.width != arch.width:
        raise InputError(
            f"{weights} holds {header.arch.name} at width {header.arch.width:g}, "
            f"not {arch.name} at width {arch.width:g}."
        )
    arch = dataclasses.replace(header.arch, **changes)
    model = GoogLeNet(arch, num_classes or header.num_classes, in_channels or header.in_channels, auxiliary)
    fill(model, found.tensors, str(weights))
    return model


def save_weights(model: GoogLeNet, path: str | Path, **extra: Any) -> None:
    """Writes the weights with the architecture in the metadata, as safetensors, atomically.

    Args:
        model: The network.
        path: The file, ``.safetensors`` by custom.
        **extra: JSON values to store beside the architecture, such as class names.

    Raises:
        InputError: If the file cannot be written.
    """
    write(weights_of(model, **extra), path)


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
