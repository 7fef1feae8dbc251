"""The libraries that compute a pipeline: what each brings, and the table of them. Adding one is a module and a row."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...data.protocol import Array
from ...errors import InputError
from .engine import Engine

if TYPE_CHECKING:
    from ..pipeline import Pipeline

NOTES = "googlenet"  # the key under which notes lie in a file's own metadata
VERSION = 1


@dataclass(frozen=True)
class Notes:
    """What an exported file says of itself.

    Attributes:
        classes: Names in the order of the probabilities.
        preprocessing: As its ``to_dict`` gives it.
        arch: Of every network, as :meth:`~googlenet.arch.spec.Arch.to_json` gives it, parsed.
        version: Of these notes.
    """

    classes: Sequence[str]
    preprocessing: dict[str, Any]
    arch: Sequence[Mapping[str, Any]] = ()
    version: int = VERSION

    def to_json(self) -> str:
        """As text; :meth:`from_json` is its inverse."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | None, path: Path) -> Notes:
        """Reads what :meth:`to_json` wrote; ``path`` is for the sentence.

        Raises:
            InputError: If there are no notes, or others.
        """
        try:
            row = json.loads(text or "")
            return cls(
                tuple(row["classes"]), dict(row["preprocessing"]), row.get("arch", ()), row.get("version", VERSION)
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} does not say which classes it tells apart; export it with googlenet export."
            ) from error


class Backend(Protocol):
    """A library that computes pipelines, and its file format."""

    def engine_of(self, pipeline: Pipeline) -> Engine:
        """The engine of networks in memory."""

    def write(self, pipeline: Pipeline, notes: Notes, path: Path, calibration: Array | None) -> Engine:
        """Writes a pipeline for other programs.

        Args:
            pipeline: From prepared examples to probabilities.
            notes: To lie in the file.
            path: The file.
            calibration: Prepared examples, for 8-bit weights and activations; ``None`` for float32.

        Returns:
            The engine of what was written, in float32, to compare with.

        Raises:
            InputError: If the format has no 8 bits, or a library is missing.
            OSError: If it cannot be written.
        """

    def read(self, path: Path) -> tuple[Engine, Notes]:
        """The engine of a file that :meth:`write` wrote, and its notes.

        Raises:
            InputError: If it is missing, damaged or not ours.
        """


@dataclass(frozen=True)
class BackendRow:
    """A row of :data:`BACKENDS`.

    Attributes:
        module: Of this folder, whose ``BACKEND`` is one.
        suffix: Of its files.
        packages: That must be installed.
    """

    module: str
    suffix: str
    packages: tuple[str, ...]

    @property
    def installed(self) -> bool:
        """Whether its packages are there; none is imported."""
        return all(find_spec(package) is not None for package in self.packages)

    def load(self) -> Backend:
        """The backend.

        Raises:
            InputError: If a package is not installed.
        """
        missing = [package for package in self.packages if find_spec(package) is None]
        if missing:
            raise InputError(f"{missing[0]} is not installed: pip install 'googlenet[deploy]'.")
        backend: Backend = importlib.import_module(f".{self.module}", __package__).BACKEND
        return backend


BACKENDS: dict[str, BackendRow] = {
    "onnx": BackendRow("onnx", ".onnx", ("onnxruntime",)),
    "openvino": BackendRow("openvino", ".xml", ("openvino",)),
    "torch": BackendRow("torch", ".pt2", ("torch",)),
}


def exported_for(source: str | Path) -> str | None:
    """The backend that an exported model is for, by its suffix; ``None`` for a run or weights."""
    return next((name for name, row in BACKENDS.items() if row.suffix == Path(source).suffix), None)
