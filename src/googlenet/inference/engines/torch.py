"""PyTorch as the engine, and its own format of exported programs (``.pt2``)."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ...data.parallel import ahead
from ...errors import InputError
from ...nn.device import best_device, computes_in_bf16, keep_memory
from ...nn.rewrites import can_pack, fold_norms, pack_units
from ..pipeline import WholeNetwork
from .engine import Array, Chunk, Engine, Floats

Item = TypeVar("Item")
NOTES = "googlenet.json"  # beside the program in a .pt2 file
# All that a program of ours consists of; PyTorch would also unpickle objects and run libraries from such files.
_PARTS = re.compile(
    r"[^/]+/(data/(weights|constants)/((weight|tensor)_\d+|\w+_config\.json)|data/sample_inputs/\w+\.pt|models/\w+\.json"
    r"|extra/[^/]+|\.data/\w+|archive_format|archive_version|byteorder)"
)


class TorchEngine(Engine):
    """Computes with PyTorch.

    Args:
        network: As of :class:`~googlenet.inference.pipeline.WholeNetwork`.
        device: What to compute on.
        bf16: Whether convolutions may compute in bfloat16, where the hardware does.
    """

    pixels = 16 * 224 * 224  # all cores share them

    def __init__(self, network: nn.Module, device: torch.device, bf16: bool) -> None:
        keep_memory()
        self.device = device
        self.bf16 = bf16 and computes_in_bf16(device)
        self.network = network.to(self.device)
        self.name = f"PyTorch on {self.device.type}, {'bf16' if self.bf16 else 'fp32'}"

    @torch.inference_mode()
    def __call__(self, inputs: Array) -> Floats:
        """Probabilities ``(n, classes)``; see :class:`~googlenet.inference.engines.engine.Engine`."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            found: Tensor = self.network(torch.from_numpy(inputs).to(self.device))
        probabilities: Floats = found.float().cpu().numpy()
        return probabilities

    def map(self, read: Callable[[Item], Chunk], items: Iterable[Item]) -> Iterator[tuple[Chunk, Floats]]:
        """What ``read`` makes of each item, with its probabilities. The caller's thread computes, with all cores, and
        others only read: every thread that runs an operator of PyTorch's brings OpenMP threads of its own."""
        for chunk in ahead(read, items):
            yield chunk, self.of(chunk)


def engine_of(network: WholeNetwork) -> TorchEngine:
    """The engine of networks in memory: on a GPU if there is one; pictures in bfloat16."""
    device, pictures = best_device(), network.reads_pictures
    faster = folded(network)
    if pictures and can_pack(device):
        faster = WholeNetwork(map(pack_units, faster.networks), network.preprocessing)
    return TorchEngine(faster, device, pictures)


def folded(network: WholeNetwork) -> WholeNetwork:
    """The same function, with batch norms folded and pictures' channels last."""
    faster = WholeNetwork(map(fold_norms, network.networks), network.preprocessing)
    for model in faster.networks:
        if model.arch.dims == 2:
            model.to(memory_format=torch.channels_last)
    return faster


def program(network: WholeNetwork) -> torch.export.ExportedProgram:
    """The graph of the network, in float32, for any number of examples."""
    number = torch.export.Dim("n", min=1, max=2**16)
    return torch.export.export(folded(network), (network.example(2),), dynamic_shapes={"x": {0: number}})


def write(network: WholeNetwork, notes: dict[str, Any], path: Path, calibration: Array | None) -> None:
    """Writes a program that ``torch.export.load`` reads; it needs nothing of this package to run.

    Raises:
        InputError: If 8 bits are asked for.
    """
    if calibration is not None:
        raise InputError("--int8 is for --format openvino and onnx; PyTorch's programs stay in float32.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of its own way to write weights
        whole = io.BytesIO()  # written to a full disk by itself, PyTorch ends the process
        torch.export.save(program(network), whole, extra_files={NOTES: json.dumps(notes)})
        path.write_bytes(whole.getvalue())


def read(path: Path, exact: bool = False) -> tuple[TorchEngine, dict[str, Any]]:
    """The engine of an exported program, and the notes that lie in it.

    Args:
        path: The file.
        exact: Float32, as is always so: the program says which types it computes in, and that on the CPU.

    Raises:
        InputError: If it is missing, damaged, not ours, or holds more than a graph and tensors.
    """
    if not path.exists():
        raise InputError(f"There is no file {path}.")
    extra = {NOTES: ""}
    try:
        with zipfile.ZipFile(path) as archive:
            strange = [name for name in archive.namelist() if not _PARTS.fullmatch(name)]
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{path} is not a whole program of PyTorch's.") from error
    if strange:
        raise InputError(
            f"{path} holds more than a graph and tensors ({strange[0]}), which could run code: not loaded."
        )
    with _tensors_only():
        try:
            found = torch.export.load(path, extra_files=extra)
        except Exception as error:
            raise InputError(f"{path} is not a whole program of PyTorch's.") from error
    if not extra[NOTES]:
        raise InputError(f"{path} does not say which classes it tells apart; export it with googlenet export.")
    notes: dict[str, Any] = json.loads(extra[NOTES])
    return TorchEngine(found.module(), torch.device("cpu"), bf16=False), notes


@contextmanager
def _tensors_only() -> Iterator[None]:
    """PyTorch unpickles nothing but tensors, and does not tell at length what is wrong with a file."""
    log, variable = logging.getLogger("torch.export"), "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    level, before = log.level, os.environ.get(variable)
    log.setLevel(logging.ERROR)
    os.environ[variable] = "1"
    try:
        yield
    finally:
        log.setLevel(level)
        del os.environ[variable]
        if before is not None:
            os.environ[variable] = before
