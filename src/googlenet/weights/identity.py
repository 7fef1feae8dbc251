"""Which GoogLeNet a file holds: what its tensors say, and what is peculiar to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..arch.spec import Arch, InceptionSpec, MaxPool
from ..errors import InputError
from . import formats
from .catalogue import CATALOGUE, Record
from .checkpoint import WEIGHTS, Weights
from .foreign.pytorch import strangers
from .foreign.pytorch.strangers import Shapes
from .store import digest

_KERAS = (
    "Files of Keras cannot be read here. In Keras, save {v.path: v.numpy() for v in model.weights} (v.name before "
    "Keras 3) with safetensors.numpy.save_file, and identify that file."
)


@dataclass(frozen=True)
class Identity:
    """What a weights file turns out to be. What could not be found out is ``""`` or ``None``.

    Attributes:
        path: The file.
        format: A name from :data:`~googlenet.weights.formats.WEIGHTS_FORMATS`; ``""`` if it cannot be loaded.
        arch: The architecture.
        width: What its channels are multiplied by.
        classes: Width of the classifier.
        channels: Channels of the input.
        auxiliary: Its auxiliary classifiers: the modules that they read, or the names of their layers in the file.
        norm: ``"batch norm"`` or ``"biases"``.
        third_kernel: Of the branch that the paper gives a 5×5 convolution.
        tensors: How many there are.
        parameters: Numbers in them that training changes.
        sha256: Of the file.
        record: The catalogue's name for this very file.
        quirks: Sentences.
    """

    path: Path
    format: str = ""
    arch: str = ""
    width: float | None = None
    classes: int | None = None
    channels: int | None = None
    auxiliary: tuple[str, ...] = ()
    norm: str = ""
    third_kernel: int | None = None
    tensors: int = 0
    parameters: int = 0
    sha256: str = ""
    record: str = ""
    quirks: tuple[str, ...] = ()


def identify(source: str | Path) -> Identity:
    """Finds out what a weights file is, whether it can be loaded or not.

    Args:
        source: A file of any format, or a run folder.

    Raises:
        InputError: If there is no such file, or there are no tensors to be found in it.

    Example:
        >>> from googlenet.weights import identify
        >>> identify("runs/demo/model.safetensors").arch
        'googlenet_small'
    """
    path = Path(source) / WEIGHTS if Path(source).is_dir() else Path(source)
    try:
        form = formats.identify_format(path)
        weights: Weights = formats.WEIGHTS_FORMATS[form].load().read(path)
    except InputError as error:
        if not path.is_file():
            raise
        found = _of_stranger(path, error)
    else:
        found = _of_weights(path, form, weights)
    digests = digests_of(path)
    return replace(found, sha256=digests["sha256"], record=record_of(digests, CATALOGUE.values()))


def describe(identity: Identity) -> list[tuple[str, str]]:
    """Rows to print: what it is about and what was found, quirks last; what is unknown is left out."""
    form = formats.WEIGHTS_FORMATS.get(identity.format)
    kernel = identity.third_kernel
    width = "" if identity.width in (None, 1) else f", width {identity.width:g}"
    rows = {
        "file": str(identity.path),
        "format": form.description if form else "cannot be loaded",
        "network": identity.arch and identity.arch + width,
        "in the catalogue": identity.record,
        "classes": _number(identity.classes),
        "input channels": _number(identity.channels),
        "third branch": f"{kernel}×{kernel}" if kernel else "",
        "convolutions have": identity.norm,
        "auxiliary classifiers": ", ".join(identity.auxiliary) or ("none" if identity.tensors else ""),
        "tensors": f"{identity.tensors}, {identity.parameters:,} parameters" if identity.tensors else "",
        "sha256": identity.sha256,
    }
    return [row for row in rows.items() if row[1]] + [("note", quirk) for quirk in identity.quirks]


def record_of(digests: Mapping[str, str], records: Iterable[Record]) -> str:
    """The name of the record of a file with these digests; ``""`` for none.

    Args:
        digests: Hexadecimal, by algorithm.
        records: Of the catalogue.
    """
    for record in records:
        algorithm, _, wanted = record.digest.partition(":")
        if len(wanted) >= 8 and digests.get(algorithm, "").startswith(wanted.lower()):
            return record.name
    return ""


# ----------------------------------------------------------------- what can be loaded
def _of_weights(path: Path, form: str, weights: Weights) -> Identity:
    header, shapes = weights.header, strangers.shapes_of(weights.tensors)
    arch, third = header.arch, _third_kernel(header.arch, shapes)
    return Identity(
        path,
        form,
        arch.name,
        arch.width,
        header.num_classes,
        header.in_channels,
        tuple(aux.after for aux in arch.auxiliary) if header.auxiliary else (),
        "batch norm" if arch.norm == "batch" else "biases",
        third,
        len(shapes),
        strangers.count_parameters(shapes),
        quirks=(*weights.quirks, *_quirks(arch, form, header.num_classes, third)),
    )


def _third_kernel(arch: Arch, shapes: Shapes) -> int | None:
    """Of the first module's third branch; ``None`` where there is no such branch."""
    modules = [layer for layer in arch.layers() if isinstance(layer, InceptionSpec)]
    places = [f"features.{module.name}.branches.5x5.conv.conv.weight" for module in modules]
    return next((shapes[place][-1] for place in places if place in shapes), None)


def _quirks(arch: Arch, form: str, num_classes: int, third_kernel: int | None) -> list[str]:
    """Sentences on what an architecture and its format are known for."""
    quirks = []
    if third_kernel == 3:
        quirks.append("The third branch has 3×3 where the paper has 5×5, a known error (pytorch/vision issue 906).")
    if any(isinstance(layer, MaxPool) and layer.name == "pool4" and layer.kernel == 2 for layer in arch.layers()):
        quirks.append("The fourth pool is 2×2 where the paper has 3×3.")
    if arch.transform_input:
        quirks.append("It takes ImageNet's normalisation and turns it into [-1, 1] by itself (transform_input).")
    if form == "torchvision":
        quirks.append(
            "If it is what torchvision publishes, it needs transform_input=True (pytorch/vision issue 4136) and its "
            "auxiliary classifiers were never trained (pytorch/vision pull request 828)."
        )
    if num_classes == 1001:
        quirks.append("1001 classes: the first is the background, and ImageNet's come after it.")
    return quirks


# ----------------------------------------------------------------- what cannot
def _of_stranger(path: Path, error: InputError) -> Identity:
    """By the names and shapes of its tensors.

    Raises:
        InputError: The one given, if there are none.
    """
    if strangers.is_keras(path):
        return Identity(path, quirks=(_KERAS,))
    tensors = strangers.tensors_in(path)
    if not tensors:
        raise error
    found = dataclasses.asdict(strangers.survey(strangers.shapes_of(tensors)))
    return Identity(path, **found, quirks=(str(error), *strangers.hints(tensors)))


def digests_of(path: Path) -> dict[str, str]:
    """The digests of a file, by algorithm; of a TensorFlow checkpoint of several files, of the one with the data."""
    path = path if path.is_file() else path.with_name(f"{path.name}.data-00000-of-00001")
    algorithms = ("sha256", "sha1")
    if not path.is_file():
        return dict.fromkeys(algorithms, "")
    return {name: digest(name, path) for name in algorithms}


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
