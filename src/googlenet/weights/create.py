"""Networks and the files that hold them: made, loaded by whatever people call their weights, and saved."""

from __future__ import annotations

import dataclasses
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ..arch.spec import Arch
from ..arch.variants import GOOGLENET_TORCHVISION, find_arch
from ..data.kinds import preprocessing_from
from ..errors import InputError, check_path, unknown
from ..nn.competing import CompetingKernels
from ..nn.googlenet import GoogLeNet
from . import formats, store
from .catalogue import CATALOGUE, Record, named
from .checkpoint import (
    CHECKPOINT,
    PREVIOUS,
    WEIGHTS,
    Tensors,
    Weights,
    check_tensors,
    network_of,
    read_unfinished,
    weights_of,
    without_auxiliary,
    write,
)
from .foreign.preprocessing import TORCHVISION
from .identity import digests_of, record_of

Value = TypeVar("Value")


def create_model(
    name: str,
    num_classes: int | None = None,
    in_channels: int | None = None,
    *,
    width: float | None = None,
    auxiliary: bool | None = None,
    weights: str | Path | None = None,
    **changes: Any,
) -> GoogLeNet:
    """Makes a network.

    Args:
        name: A name from :func:`googlenet.list_models`.
        num_classes: Width of the classifier. 1000, or what ``weights`` says.
        in_channels: Channels of the input. 3, or what ``weights`` says.
        width: Multiplies every channel count (rounded to multiples of 8). 1, or what ``weights`` says.
        auxiliary: Whether to build the auxiliary classifiers. Yes, or where ``weights`` has them.
        weights: Whatever :func:`googlenet.load_model` takes: a run, a file of any format, or a name of the catalogue.
        **changes: Fields of :class:`~googlenet.arch.spec.Arch` to replace, such as ``dropout=0.2``; all others are as
            ``weights`` has them.

    Raises:
        InputError: For an unknown name or field, and for weights of another architecture or that cannot be read.

    Example:
        >>> model = googlenet.create_model("googlenet_small", num_classes=10, in_channels=1, width=0.5)
        >>> model(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """
    arch = find_arch(name)
    fields = {field.name for field in dataclasses.fields(Arch)}
    for change in changes:
        if change not in fields:
            raise unknown("option", change, sorted(fields))
    if weights is None:
        arch = replace(arch.scaled(_given(width, 1.0)), **changes)
        return GoogLeNet(arch, _given(num_classes, 1000), _given(in_channels, 3), _given(auxiliary, True))
    found = _weights_for(arch, width, weights)
    if auxiliary is False:
        found = without_auxiliary(found)
    header = found.header
    model = GoogLeNet(
        replace(header.arch, **changes),
        _given(num_classes, header.num_classes),
        _given(in_channels, header.in_channels),
        _given(auxiliary, header.auxiliary),
    )
    return _filled(model, found.tensors, str(weights))


def _filled(model: GoogLeNet, tensors: Tensors, where: str) -> GoogLeNet:
    check_tensors(tensors, {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}, where)
    model.load_state_dict(tensors)
    return model


def _given(value: Value | None, default: Value) -> Value:
    return default if value is None else value


def _weights_for(arch: Arch, width: float | None, source: str | Path) -> Weights:
    """The weights of a source, which must be of that architecture, and of that width unless it is ``None``."""
    found = read_source(source)
    theirs = found.header.arch
    if theirs.name != arch.name or width not in (None, theirs.width):
        wanted = arch.name if width is None else f"{arch.name} at width {width:g}"
        raise InputError(
            f"{source} holds {theirs.name} at width {theirs.width:g}, not {wanted}; load_model makes the network that "
            "weights are of."
        )
    return found


def kernels_of(weights: Weights, source: str | Path) -> CompetingKernels | None:
    """The competing kernels that answer with a network, if there are any.

    Args:
        weights: Of the network.
        source: Where they come from, for the sentence.

    Raises:
        InputError: If they do not go with the network, or it does not say what it reads.
    """
    if not weights.competing:
        return None
    if "preprocessing" not in weights.header.extra:
        raise InputError(f"{source} is damaged: it holds competing kernels, and does not say what they read.")
    reads = preprocessing_from(dict(weights.header.extra["preprocessing"])).input_shape
    return CompetingKernels.read(weights.competing, reads, weights.header.num_classes, source)


def save_weights(
    model: GoogLeNet, path: str | Path, *, competing: CompetingKernels | None = None, **extra: Any
) -> None:
    """Writes the weights with the architecture in the metadata, as safetensors, atomically.

    Args:
        model: The network.
        path: The file, ``.safetensors`` by custom.
        competing: Kernels that answer with the network, if any.
        **extra: JSON values to store beside the architecture, such as class names.

    Raises:
        InputError: If the file cannot be written, or what is to be in it is no network of ours or no JSON.
    """
    check_path("The file of weights", path)
    if not isinstance(model, GoogLeNet):
        raise InputError(f"save_weights writes a GoogLeNet, such as create_model makes, not {type(model).__name__}.")
    try:
        json.dumps(extra)
    except (TypeError, ValueError) as error:
        raise InputError(f"What is stored beside the architecture is written as JSON: {error}.") from error
    write(weights_of(model, competing, **extra), path)


def _no_run(folder: Path) -> InputError:
    """The sentence for a folder without weights; it may hold what was exported into it."""
    files = sorted(file for file in folder.iterdir() if file.suffix in (".onnx", ".xml", ".safetensors"))
    hint = f" Name a file in it: {files[0]}." if files else ""
    return InputError(
        f"{folder} has no {WEIGHTS}: it is not a run, or one that was stopped before its first checkpoint.{hint}"
    )


def read_source(source: str | Path) -> Weights:
    """The weights of a run, a file or a record of the catalogue, which may be called by its tag alone.

    Nothing is downloaded.

    Raises:
        InputError: If there is no such thing, the run is not finished, or the record was not fetched yet.
    """
    check_path("What holds weights", source)
    path = Path(source)
    if path.is_dir():
        if (path / WEIGHTS).exists():
            if (path / PREVIOUS).exists():  # the end of a training removes it
                warnings.warn(
                    f"{path} is trained further, or that was stopped: these are its weights of before. Go on with its "
                    "training (--resume).",
                    RuntimeWarning,
                    stacklevel=2,
                )
            return formats.read(path / WEIGHTS)
        if not (path / CHECKPOINT).exists() and not (path / PREVIOUS).exists():
            raise _no_run(path)
        weights = read_unfinished(path)
        for quirk in weights.quirks:
            warnings.warn(quirk, RuntimeWarning, stacklevel=2)
        return weights
    if path.exists() or path.with_name(f"{path.name}.index").exists():  # a TensorFlow checkpoint is a prefix
        return _completed(formats.read(path), path)
    record = named(str(source))
    if record is None:
        if "/" in str(source) or path.suffix in {form.suffix for form in formats.WEIGHTS_FORMATS.values()}:
            raise InputError(f"There is no weights file {source}.")
        raise unknown("run, file or weights", str(source), CATALOGUE)
    if not store.path_of(record).exists():
        raise InputError(f"{record.name} is not here yet; get it with: googlenet weights fetch {record.name}")
    return with_record(formats.read(store.checked(record)), record)


def load_model(source: str | Path) -> GoogLeNet:
    """The network with the weights of a run, a file or a record of the catalogue, in evaluation mode.

    Raises:
        InputError: As of :func:`read_source`.
    """
    return network_of(read_source(source))


def _completed(weights: Weights, path: Path) -> Weights:
    """What a file holds, with what is known or, of a network of torchvision's, guessed of how it reads pictures."""
    header = weights.header
    if "preprocessing" in header.extra and "classes" in header.extra:
        return weights
    record = CATALOGUE.get(record_of(digests_of(path), CATALOGUE.values()))
    if record is not None:
        return with_record(weights, record)
    if "preprocessing" in header.extra or header.arch.name != GOOGLENET_TORCHVISION.name or header.in_channels != 3:
        return weights
    extra = {**header.extra, "preprocessing": TORCHVISION.to_dict()}
    guess = (
        f"{path} does not say how it reads pictures; it is taken to be as torchvision's transforms make them, "
        f"{TORCHVISION.size}×{TORCHVISION.size} with ImageNet's mean and deviation, and transform_input to be "
        f"{header.arch.transform_input} (it is True where training began with torchvision's own weights). If that is "
        f"wrong: googlenet convert {path} NEW.safetensors, with --mean, --std, --size or --transform-input."
    )
    return replace(weights, header=replace(header, extra=extra), guesses=(guess,))


def with_record(weights: Weights, record: Record) -> Weights:
    """What a file holds together with what its record knows of it."""
    header = weights.header
    extra: dict[str, Any] = dict(header.extra)
    if record.classes is not None:
        extra["classes"] = record.classes()
    if record.preprocessing is not None:
        extra["preprocessing"] = record.preprocessing.to_dict()
    header = replace(header, arch=replace(header.arch, **record.changes), extra=extra)
    known = replace(weights, header=header, quirks=record.quirks, guesses=())
    return known if record.auxiliary else without_auxiliary(known)
