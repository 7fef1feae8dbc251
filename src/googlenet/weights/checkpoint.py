"""Our weight files: safetensors, with the architecture, classes and preprocessing in the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .. import limits
from ..arch.check import check_work
from ..arch.serial import from_json, to_json
from ..arch.spec import Arch
from ..data.kinds import preprocessing_from
from ..errors import InputError, parsed
from ..files import open_plain
from ..nn.competing import CompetingKernels
from ..nn.googlenet import GoogLeNet
from .foreign.safetensors import read_metadata, read_tensors, write_tensors

WEIGHTS, CHECKPOINT = "model.safetensors", "checkpoint.safetensors"  # the files' names in a run folder
COMPETING = "competing/"  # before the names of the kernels' tensors
PREVIOUS = "checkpoint.previous.safetensors"  # of a training that is not finished: the checkpoint before
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Header:
    """What a weights file says of itself.

    Attributes:
        arch: The architecture.
        num_classes: Width of the classifier.
        in_channels: Channels of the input.
        auxiliary: Whether the auxiliary classifiers are among the weights.
        extra: JSON values that the writer added: class names, preprocessing, the epoch.
    """

    arch: Arch
    num_classes: int
    in_channels: int
    auxiliary: bool
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def input_size(self) -> tuple[int, ...]:
        """Size of the input along its spatial axes: as it is prepared, or else the architecture's."""
        row = self.extra.get("preprocessing")
        return preprocessing_from(row).input_shape[1:] if row else self.arch.input_size

    def to_metadata(self) -> dict[str, str]:
        """As safetensors metadata: text by text."""
        return {
            "format": "googlenet",
            "arch": to_json(self.arch),
            "num_classes": str(self.num_classes),
            "in_channels": str(self.in_channels),
            "auxiliary": str(int(self.auxiliary)),
            "extra": json.dumps(dict(self.extra), ensure_ascii=False),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], path: str | Path) -> Header:
        """Reads what :meth:`to_metadata` gave; ``path`` is for the sentence.

        Raises:
            InputError: If something is missing or changed.
        """
        try:
            arch = from_json(metadata["arch"])
            classes, channels = int(metadata["num_classes"]), int(metadata["in_channels"])
            if not 0 < classes <= limits.CLASSES or not 0 < channels <= limits.INPUT_CHANNELS:
                raise InputError(f"It would read {channels} channels and tell {classes} classes apart.")
            return cls(arch, classes, channels, metadata["auxiliary"] == "1", dict(parsed(metadata["extra"])))
        except InputError as error:
            raise InputError(f"{path} does not say which architecture it is for. {error}") from error
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{path} does not say which architecture it is for; it was not written by googlenet.save_weights."
            ) from error


@dataclass(frozen=True)
class Weights:
    """Weights of a known architecture, whatever file they came from.

    Attributes:
        header: What they are of.
        tensors: By the names of our state dicts.
        quirks: Sentences about what is peculiar to them.
        guesses: Sentences about what their file does not say and the header has all the same.
        competing: Of the kernels that answer with the network, by the names of their state dict; empty without any.
    """

    header: Header
    tensors: Tensors
    quirks: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    competing: Tensors = field(default_factory=dict)


def weights_of(model: GoogLeNet, competing: CompetingKernels | None = None, **extra: Any) -> Weights:
    """The weights of a network, and what they are of.

    Args:
        model: The network.
        competing: Kernels that answer with it, if any.
        **extra: As for :func:`googlenet.save_weights`.
    """
    header = Header(model.arch, model.num_classes, model.in_channels, len(model.auxiliary) > 0, extra)
    return Weights(header, model.state_dict(), competing={} if competing is None else competing.state_dict())


class _ShapesAlone(TorchFunctionMode):
    """Weights that are replaced are not drawn before: what changes a tensor in place leaves it as it is. Without memory
    PyTorch would load its compiler for that, in two seconds."""

    def __torch_function__(
        self, func: Any, types: object, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        in_place = func.__name__.endswith("_") and not func.__name__.endswith("__")
        return func(*args, **kwargs) if not in_place else args[0] if args else kwargs["tensor"]


def of_shapes_alone(header: Header) -> GoogLeNet:
    """The network that a header tells of, which may say what it likes: without memory for its weights."""
    with torch.device("meta"), _ShapesAlone():
        return GoogLeNet(header.arch, header.num_classes, header.in_channels, header.auxiliary)


def network_of(weights: Weights) -> GoogLeNet:
    """The network with those weights, in evaluation mode.

    Raises:
        InputError: If a tensor is missing, left over or of another shape, or the network is out of all proportion to
            its weights.
    """
    header, tensors = weights.header, weights.tensors
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    check_work(header.arch, header.input_size, header.in_channels, size)
    model = of_shapes_alone(header)
    wanted = model.state_dict()
    where = f"This set of weights for {header.arch.name}"
    check_tensors(tensors, {name: tuple(tensor.shape) for name, tensor in wanted.items()}, where)
    plain = torch.contiguous_format
    copies = {
        name: tensors[name].detach().to("cpu", own.dtype, copy=True, memory_format=plain)
        for name, own in wanted.items()
    }
    model.load_state_dict(copies, assign=True)
    return model.eval()


def without_auxiliary(weights: Weights) -> Weights:
    """The same weights without those of auxiliary classifiers."""
    tensors = {name: tensor for name, tensor in weights.tensors.items() if not name.startswith("auxiliary.")}
    return replace(weights, header=replace(weights.header, auxiliary=False), tensors=tensors)


def recognises(path: Path) -> bool:
    """Whether it is a safetensors file, by its suffix or its content."""
    return path.suffix == ".safetensors" or is_safetensors(path)


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: with the length of a table that fits in, and the table."""
    if not path.is_file():
        return False
    with open_plain(path) as file:
        start = file.read(9)
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= path.stat().st_size - 8


def read(path: Path) -> Weights:
    """A file that :func:`write` wrote.

    Raises:
        InputError: If it is missing, damaged, or does not say what it is of.
    """
    tensors, metadata = read_tensors(path)
    header = Header.from_metadata(metadata, path)
    check_finite(tensors, path)
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(COMPETING)}
    beside = {name.removeprefix(COMPETING): tensors[name] for name in tensors if name not in own}
    return Weights(header, own, competing=beside)


def check_finite(tensors: Tensors, path: Path) -> None:
    """Raises InputError for numbers that are none."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise InputError(f"{path} is damaged: {name} holds numbers that are not finite.")


def read_unfinished(folder: Path) -> Weights:
    """The averaged weights of the checkpoint of a training that is not finished, of the one before if it is damaged or
    gone, and sentences that say so.

    Raises:
        InputError: If there is none, it is damaged, or does not say what it is of, as older ones.
    """
    newest, previous = folder / CHECKPOINT, folder / PREVIOUS
    if not previous.exists():
        return _averaged(newest)
    try:
        return _averaged(newest)
    except InputError as error:
        found = _averaged(previous)
        return replace(found, quirks=(*found.quirks, f"{error} {previous.name} is read instead."))


def _averaged(path: Path) -> Weights:
    tensors, metadata = read_tensors(path)
    try:
        header = Header.from_metadata(parsed(metadata["weights"]), path)
        epoch, epochs = int(metadata["epoch"]), int(parsed(metadata["recipe"])["epochs"])
        if not 0 <= epoch <= epochs:
            raise ValueError(f"epoch {epoch} of {epochs}")
    except (KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{path.parent} is not finished: googlenet train --resume finishes it.") from error
    start = "mean/" if any(name.startswith("mean/") for name in tensors) else "model/"
    averaged = dict[str, Tensor]()
    for part in (start, "norms/"):  # these in place of the mean of those that the training had
        averaged |= {name.removeprefix(part): tensor for name, tensor in tensors.items() if name.startswith(part)}
    check_finite(averaged, path)
    sentence = f"{path.parent} is not finished: these are its averaged weights after epoch {epoch} of {epochs}."
    return Weights(header, averaged, (sentence,))


def said_in(folder: Path) -> Mapping[str, Any]:
    """What the weights of a run folder, or else its checkpoints, say beside their architecture; nothing without any.

    Raises:
        InputError: If the file is damaged.
    """
    for name in (WEIGHTS, CHECKPOINT, PREVIOUS):
        if (folder / name).exists():
            metadata = read_metadata(folder / name)
            break
    else:
        return {}
    try:
        row = metadata if name == WEIGHTS else parsed(metadata.get("weights", "{}"))
        return dict(parsed(row.get("extra", "{}")))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{folder / name} is damaged: what it says beside its weights is no JSON.") from error


def write(weights: Weights, path: str | Path) -> None:
    """Writes safetensors with the header in the metadata, atomically.

    Raises:
        InputError: If it cannot be written; an older file stays as it was.
    """
    beside = {COMPETING + name: tensor for name, tensor in weights.competing.items()}
    write_tensors(path, {**weights.tensors, **beside}, weights.header.to_metadata())


def read_header(path: str | Path) -> Header:
    """What a weights file says of itself, without reading the weights.

    Raises:
        InputError: If there is no such file, or it was not written by :func:`googlenet.save_weights`.
    """
    return Header.from_metadata(read_metadata(path), path)


def check_tensors(given: Tensors, wanted: Mapping[str, tuple[int, ...]], where: str) -> None:
    """Asserts that tensors have the keys and shapes that are wanted.

    Args:
        given: By name.
        wanted: Shapes by name.
        where: The tensors are from; the subject of the sentence.

    Raises:
        InputError: If they have not; the sentence names the first few that are missing, left over or otherwise.
    """
    missing = [key for key in wanted if key not in given]
    left = [key for key in given if key not in wanted]
    shapes = [
        f"{key} ({tuple(given[key].shape)}, not {tuple(wanted[key])})"
        for key in wanted
        if key in given and tuple(given[key].shape) != tuple(wanted[key])
    ]
    problems = [
        f"{what} {', '.join(keys[:3])}{f' and {len(keys) - 3} more' if len(keys) > 3 else ''}"
        for what, keys in (("it lacks", missing), ("it has besides", left), ("of another shape:", shapes))
        if keys
    ]
    if problems:
        raise InputError(f"{where} does not fit this network: {'; '.join(problems)}.")
