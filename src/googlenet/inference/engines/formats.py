"""The libraries that run a network outside of training: what each is called, and the file that it reads."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType

from ...errors import InputError


@dataclass(frozen=True)
class Format:
    """A library and its format.

    Attributes:
        module: Of this folder, with ``engine_of(network)``, ``write(network, notes, path)`` and
            ``read(path, exact)``.
        suffix: Of its files.
    """

    module: str
    suffix: str

    def load(self) -> ModuleType:
        """The module.

        Raises:
            InputError: If the library is not installed.
        """
        try:
            return importlib.import_module(f".{self.module}", __package__)
        except ModuleNotFoundError as error:
            raise InputError(f"{error.name} is not installed: pip install 'googlenet[deploy]'.") from None

    @property
    def installed(self) -> bool:
        """Whether the library can be imported."""
        try:
            self.load()
        except InputError:
            return False
        return True


FORMATS = {
    "onnx": Format("onnx", ".onnx"),
    "openvino": Format("openvino", ".xml"),
    "torch": Format("torch", ".pt2"),
}
