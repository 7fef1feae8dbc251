"""Several processes that share a socket."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from prometheus_client.multiprocess import mark_process_dead

from ....errors import InputError
from ..metrics import SEVERAL
from .server import Order, serve_here
from .settings import Say, Settings, address


@dataclass
class _Worker:
    process: BaseProcess
    orders: Connection


class Workers:
    """Several processes that share a socket: orders are handed on, and one that died is started again.

    Args:
        settings: How to serve.
        listener: Where.
        say: Called with sentences for whoever started it.
    """

    def __init__(self, settings: Settings, listener: socket.socket, say: Say) -> None:
        self.settings, self.listener, self.say = settings, listener, say
        self._workers: list[_Worker] = []
        self._version, self._ending = 1, False

    def run(self, orders: Iterable[Order]) -> int:
        """Until all have ended; their exit status.

        Args:
            orders: Handed on as they come.
        """
        multiprocessing.allow_connection_pickling()
        with tempfile.TemporaryDirectory(prefix="googlenet-") as counts:
            os.environ[SEVERAL] = counts  # of this process and those that it starts, which count together
            self._workers = [self._start() for _ in range(self.settings.workers)]
            threading.Thread(target=self._hand_on_all, args=(orders,), daemon=True).start()
            self.say(f"{self.settings.workers} processes share {address(self.listener)}.")
            while any(worker.process.is_alive() for worker in self._workers):
                time.sleep(0.2)
                self._revive()
        return max(abs(worker.process.exitcode or 0) for worker in self._workers)

    def _start(self) -> _Worker:
        theirs, ours = multiprocessing.Pipe(duplex=False)
        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(target=_worker, args=(self.settings, self.listener, theirs, self._version))
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _hand_on_all(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self._hand_on(order)

    def _hand_on(self, order: Order) -> None:
        self._ending |= order.signal in (signal.SIGTERM, signal.SIGINT)
        self._version = max(self._version, order.version)
        for worker in self._workers:
            with suppress(OSError):  # it has just ended
                worker.orders.send(tuple(order))

    def _revive(self) -> None:
        """Starts those again that were killed; what ended by itself cannot serve, and the others end too."""
        for at, worker in enumerate(self._workers):
            code = worker.process.exitcode
            if self._ending or code is None:
                continue
            if code < 0:
                self.say(f"Process {worker.process.pid} was killed (signal {-code}); another takes its place.")
                worker.orders.close()
                mark_process_dead(worker.process.pid)  # type: ignore[no-untyped-call]  # its gauges; its counts stay
                self._workers[at] = self._start()
            else:
                self._hand_on(Order(signal.SIGTERM))


def _worker(settings: Settings, listener: socket.socket, orders: Connection, version: int) -> None:
    """One of several processes; signals reach it by way of the one that started it."""
    from ...cli.output.screen import beside

    listener.setblocking(False)
    try:
        sys.exit(serve_here(settings, listener, beside, _told(orders), version))
    except InputError as error:
        beside(f"googlenet: {error}")
        sys.exit(1)


def _told(orders: Connection) -> Iterator[Order]:
    """Orders of the process that started this one; where that is gone, to end."""
    with suppress(EOFError, OSError):
        while True:
            yield Order(*orders.recv())
    yield Order(signal.SIGTERM)
