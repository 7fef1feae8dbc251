"""The libraries that compute a pipeline, a row each. Adding one is a module of this folder and a row."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ...errors import InputError
from .engine import Backend


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
