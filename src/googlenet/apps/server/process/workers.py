"""Several processes that share a socket."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from types import FrameType

from ....errors import InputError
from ..metrics import SEVERAL
from .server import serve_here
from .settings import Say, Settings


class Workers:
    """Several processes that share a socket: signals are handed on, and one that died is started again.

    Args:
        settings: How to serve.
        listener: Where.
        say: Called with sentences for whoever started it.
    """

    def __init__(self, settings: Settings, listener: socket.socket, say: Say) -> None:
        self.settings, self.listener, self.say = settings, listener, say
        self._processes: list[BaseProcess] = []
        self._ending = False

    def run(self) -> int:
        """Until all have ended; their exit status."""
        multiprocessing.allow_connection_pickling()
        with tempfile.TemporaryDirectory(prefix="googlenet-") as counts:
            os.environ[SEVERAL] = counts  # of this process and those that it starts, which count together
            self._processes = [self._start() for _ in range(self.settings.workers)]
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._hand_on)
            if hasattr(signal, "SIGHUP"):
                signal.signal(signal.SIGHUP, self._hand_on)
            while any(process.is_alive() for process in self._processes):
                time.sleep(0.2)
                self._revive()
        return max(abs(process.exitcode or 0) for process in self._processes)

    def _start(self) -> BaseProcess:
        process = multiprocessing.get_context("spawn").Process(target=_worker, args=(self.settings, self.listener))
        process.start()
        return process

    def _hand_on(self, number: int, frame: FrameType | None) -> None:
        self._ending |= number in (signal.SIGTERM, signal.SIGINT)
        for process in self._processes:
            if process.is_alive() and process.pid is not None:
                os.kill(process.pid, number)

    def _revive(self) -> None:
        """Starts those again that were killed; what ended by itself cannot serve, and the others end too."""
        for at, process in enumerate(self._processes):
            if self._ending or process.exitcode is None:
                continue
            if process.exitcode < 0:
                self.say(f"Process {process.pid} was killed (signal {-process.exitcode}); another takes its place.")
                self._processes[at] = self._start()
            else:
                self._hand_on(signal.SIGTERM, None)


def _worker(settings: Settings, listener: socket.socket) -> None:
    """One of several processes."""
    from ...cli.output.screen import beside

    listener.setblocking(False)
    try:
        sys.exit(serve_here(settings, listener, beside))
    except InputError as error:
        beside(f"googlenet: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)
