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
from ..models import digests
from .server import Order, serve_here
from .settings import Say, Settings, address


@dataclass
class _Worker:
    process: BaseProcess
    orders: Connection
    later: bool  # whether others served before it


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
        self._digests = digests(settings.sources)  # of what is served in that version
        self._handing = threading.RLock()

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
        return max((abs(worker.process.exitcode or 0) for worker in self._workers), default=1)

    def _start(self, later: bool = False) -> _Worker:
        theirs, ours = multiprocessing.Pipe(duplex=False)
        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(target=_worker, args=(self.settings, self.listener, theirs, self._version))
        process.start()
        theirs.close()
        return _Worker(process, ours, later)

    def _hand_on_all(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self._hand_on(order)

    def _hand_on(self, order: Order) -> None:
        with self._handing:
            self._ending |= order.signal in (signal.SIGTERM, signal.SIGINT)
            if not self._ending:
                self._version, self._digests = self._version + 1, digests(self.settings.sources)
            for worker in self._workers:
                with suppress(OSError):  # it has just ended
                    worker.orders.send((order.signal, self._version))
            while not self._ending and len(self._workers) < self.settings.workers:
                self._workers.append(self._start(later=True))

    def _revive(self) -> None:
        """Starts those again that were killed; where one of the first ended by itself, none can serve, and all end."""
        for worker in list(self._workers):
            code = worker.process.exitcode
            if self._ending or code is None:
                continue
            if code >= 0 and not worker.later:
                self._hand_on(Order(signal.SIGTERM))
                continue
            with self._handing:
                worker.orders.close()
                mark_process_dead(worker.process.pid)  # type: ignore[no-untyped-call]  # its gauges; its counts stay
                self._workers.remove(worker)
                if code < 0:
                    self._replace(worker, -code)
                else:
                    self.say(
                        f"{len(self._workers)} of {self.settings.workers} processes serve on (SIGHUP tries again)."
                    )

    def _replace(self, worker: _Worker, killed: int) -> None:
        """Starts another in place of one, which serves what the others do: what lies there now."""
        self.say(f"Process {worker.process.pid} was killed (signal {killed}); another takes its place.")
        if digests(self.settings.sources) == self._digests:
            self._workers.append(self._start(later=True))
        else:
            self.say("What they serve was replaced since: all load it anew.")
            self._hand_on(Order(signal.SIGHUP))


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
