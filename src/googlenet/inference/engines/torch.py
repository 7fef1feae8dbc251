"""PyTorch as the engine, and exported programs (``.pt2``) for others.

Programs are written and never read: one can run code as it is loaded. The weights that a run keeps are what PyTorch
loads again.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import RLock
from typing import TypeVar

import torch
from torch import Tensor, nn

from ...data.parallel import ahead
from ...data.protocol import Array, Floats
from ...errors import InputError
from ...nn.device import best_device, computes_in_bf16
from ...nn.rewrites import can_pack, fold_norms, pack_units
from ..pipeline import Pipeline
from .engine import NOTES, Backend, Chunk, Engine, Notes, check_process

Item = TypeVar("Item")
EXPORTING = RLock()  # PyTorch traces in one thread at a time, also where other libraries have it do so
_PROCESS = os.getpid()  # that loaded PyTorch, whose threads a fork leaves behind


class TorchEngine(Engine):
    """Computes with PyTorch.

    Args:
        network: As of :class:`~googlenet.inference.pipeline.Pipeline`.
        device: What to compute on.
        bf16: Whether convolutions may compute in bfloat16, where the hardware does.
    """

    pixels = 16 * 224 * 224  # all cores share them

    def __init__(self, network: nn.Module, device: torch.device, bf16: bool) -> None:
        self.device = device
        self.bf16 = bf16 and computes_in_bf16(device)
        self.network = network.to(self.device)
        self.name = f"PyTorch on {self.device.type}, {'bf16' if self.bf16 else 'fp32'}"

    @torch.inference_mode()
    def __call__(self, inputs: Array) -> Floats:
        """Probabilities ``(n, classes)``; see :class:`~googlenet.inference.engines.engine.Engine`.

        Raises:
            InputError: In a process that was forked from the one that loaded PyTorch, unless it has one thread.
        """
        if torch.get_num_threads() > 1:  # OpenMP's threads stay behind in the parent
            check_process(_PROCESS, "PyTorch")
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            found: Tensor = self.network(torch.from_numpy(inputs).to(self.device))
        probabilities: Floats = found.float().cpu().numpy()
        return probabilities

    def map(self, read: Callable[[Item], Chunk], items: Iterable[Item]) -> Iterator[tuple[Chunk, Floats]]:
        """What ``read`` makes of each item, with its probabilities. The caller's thread computes, with all cores, and
        others only read: every thread that runs an operator of PyTorch's brings OpenMP threads of its own.

        Args:
            read: Called in threads.
            items: Taken by the caller's thread.
        """
        for chunk in ahead(read, items):
            yield chunk, self.of(chunk)


class TorchBackend(Backend):
    """PyTorch and its exported programs."""

    def engine_of(self, pipeline: Pipeline) -> TorchEngine:
        """The engine of networks in memory: on a GPU if there is one; in bfloat16 where that is precise enough."""
        device, bf16 = best_device(), pipeline.preprocessing.bf16
        faster = folded(pipeline)
        if bf16 and can_pack(device):
            faster = pipeline.of(map(pack_units, faster.networks))
        return TorchEngine(faster, device, bf16)

    def write(self, pipeline: Pipeline, notes: Notes, path: Path, calibration: Array | None) -> TorchEngine:
        """Writes a program that ``torch.export.load`` reads; it needs nothing of this package to run.

        Args:
            pipeline: From prepared examples to probabilities.
            notes: To lie in the file.
            path: The file.
            calibration: Prepared examples, for 8 bits; ``None`` for float32.
        """
        if calibration is not None:
            raise InputError("--int8 is for --format openvino and onnx; PyTorch's programs stay in float32.")
        found = program(pipeline)
        whole = io.BytesIO()  # written to a full disk by itself, PyTorch ends the process
        torch.export.save(found, whole, extra_files={f"{NOTES}.json": notes.to_json()})
        path.write_bytes(whole.getvalue())
        return TorchEngine(found.module(), torch.device("cpu"), bf16=False)

    def read(self, path: Path) -> tuple[TorchEngine, Notes]:
        """Raises InputError: a program can run code as it is loaded."""
        if not path.exists():
            raise InputError(f"There is no file {path}.")
        raise InputError(
            f"{path} is a program of PyTorch's for others, which could run code: it is not loaded. Take the run that "
            "it was exported from, or export that as onnx or openvino."
        )


BACKEND = TorchBackend()


def folded(pipeline: Pipeline) -> Pipeline:
    """The same function, with batch norms folded and pictures' channels last."""
    faster = _without_norms(pipeline)
    for model in faster.networks:
        if model.arch.dims == 2:
            model.to(memory_format=torch.channels_last)
    return faster


def program(pipeline: Pipeline) -> torch.export.ExportedProgram:
    """The graph of the pipeline, in float32, for any number of examples.

    Its weights lie in memory as their shapes say: others need not know another order.
    """
    number = torch.export.Dim("n", min=1, max=2**16)
    with EXPORTING:
        return torch.export.export(_without_norms(pipeline), (pipeline.example(2),), dynamic_shapes={"x": {0: number}})


def _without_norms(pipeline: Pipeline) -> Pipeline:
    return pipeline.of(map(fold_norms, pipeline.networks))
