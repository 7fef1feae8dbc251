"""Several processes, on one machine or many, as ``torchrun`` starts them; one process is the plain case."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from queue import SimpleQueue
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from ...errors import InputError, reason
from ...nn.device import best_device
from .heartbeat import heartbeat
from .norm import SharedBatchNorm

WAIT = timedelta(days=7)  # for the process that validates and writes; one that is gone is known by its silence
MEETING = timedelta(hours=1)  # for the others to begin
STARTED = "torchrun sets these; without it, unset them."


@dataclass(frozen=True)
class World:
    """The processes of this training.

    Attributes:
        rank: This one; 0 writes the files and talks to the user.
        size: How many there are.
        device: What this one computes on.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model; with several processes, gradients and batch statistics are those of the whole batch."""
        if self.size == 1:
            return model
        for module in list(model.modules()):
            for name, child in module.named_children():
                if isinstance(child, _BatchNorm):
                    setattr(module, name, SharedBatchNorm.like(child))
        return DistributedDataParallel(model)

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over processes."""
        if self.size > 1:
            dist.all_reduce(values)
            values /= self.size
        return values

    def share(self, count: int) -> float | Tensor:
        """What this process's part of a batch, of that many examples, counts beside an equal part; 1 where it is."""
        if self.size == 1:
            return 1.0
        mine = torch.tensor(float(count), device=self.device)
        return mine / self.mean(mine.clone())

    def first(self, value: float) -> float:
        """The value that the first process has."""
        if self.size > 1:
            shared = torch.tensor(value, dtype=torch.float64, device=self.device)
            dist.broadcast(shared, 0)
            value = float(shared)
        return value

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            dist.barrier()


def leads() -> bool:
    """Whether this process, of those that ``torchrun`` started, is the one that writes and speaks."""
    return os.environ.get("RANK", "0") == "0"


def processes() -> int:
    """How many of them learn as one. Raises InputError where the environment says no number."""
    return _number("WORLD_SIZE", 1)


def restarted() -> bool:
    """Whether ``torchrun`` starts this command again, after one of its processes ended before its time."""
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") not in ("", "0")


@contextmanager
def joined() -> Iterator[World]:
    """Joins the processes that ``torchrun`` started, or those that whoever started them has joined already, as Ray
    does; without either, one process on the best device.

    Raises:
        InputError: If another of them ended before its time or never came, or the environment says no such thing.
    """
    size, device = processes(), best_device()
    if size == 1 and not dist.is_initialized():
        yield World(0, 1, device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", _number("LOCAL_RANK", 0))
        torch.cuda.set_device(device)
    elif device.type == "mps":
        device = torch.device("cpu")
    if dist.is_initialized():
        yield World(dist.get_rank(), dist.get_world_size(), device)
        return
    store, rank, size = _meeting(size)
    kind = "nccl" if device.type == "cuda" else "gloo"
    elsewhere = size > _number("LOCAL_WORLD_SIZE", size)
    try:
        with heartbeat(store, rank, size) if elsewhere else nullcontext():
            dist.init_process_group(kind, store=store, rank=rank, world_size=size, timeout=WAIT)
            yield World(rank, size, device)
    except InputError as error:
        error.everywhere = False  # it may be of this process's part of a batch
        raise
    except RuntimeError as error:  # what PyTorch raises where nobody answers
        if not isinstance(error, dist.DistError) and "gloo" not in str(error).lower():
            raise
        said = "Another process of this training ended before its time."
        raise InputError(f"{said} Go on from the last checkpoint with --resume.") from error
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _number(name: str, default: int) -> int:
    """What the environment says, of which there are 1 or more processes, from 0 on."""
    text = os.environ.get(name, "") or str(default)
    least = int(name.endswith("SIZE"))
    if not text.isdecimal() or int(text) < least:
        raise InputError(f"{name} is {text!r} in the environment, and no number of {least} or more: {STARTED}")
    return int(text)


def _meeting(size: int) -> tuple[Store, int, int]:
    """Where the processes learn each other's addresses, the number of this one, and how many there are.

    ``torchrun`` on one machine keeps the place when it starts them again: each time they look at one of its own, or
    they would wait for those that are gone. Of several machines each counts its own restarts, and finds a new place
    with ``--rdzv-backend c10d``.
    """
    missing = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if not os.environ.get(name)]
    if missing:
        raise InputError(f"WORLD_SIZE says that there are {size} processes, and {missing[0]} is not set: {STARTED}")
    if _number("RANK", 0) >= size:
        raise InputError(f"RANK is {os.environ['RANK']}, and of {size} processes the last is {size - 1}: {STARTED}")
    place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
    found: SimpleQueue[Any] = SimpleQueue()

    def look() -> None:
        try:
            found.put(next(iter(rendezvous("env://", timeout=MEETING))))
        except (RuntimeError, ValueError, OSError) as error:
            found.put(error)

    threading.Thread(target=look, daemon=True).start()  # so that this one hears signals
    while found.empty():
        time.sleep(0.05)
    met = found.get()
    if isinstance(met, Exception):
        raise InputError(f"The {size} processes of this training did not meet at {place}: {reason(met)}") from met
    store: Store
    store, rank, size = met
    if os.environ.get("GROUP_WORLD_SIZE", "1") == "1":
        store = PrefixStore(f"start {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    return store, rank, size
