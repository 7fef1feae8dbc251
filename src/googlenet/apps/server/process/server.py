"""A server of uvicorn's that ends without losing a request."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import uvicorn

from ....errors import InputError
from ....limits import HTTP_HEAD
from ..application import application
from ..batching import Batcher, hear_doubts
from ..metrics import Metrics
from ..models import Models
from ..service import Service
from .connections import Connection
from .settings import Say, Settings, address, read_token

ACCEPTED = 16  # connections at once, before one is counted
SETTLING = 0.05  # seconds for connections that were just accepted
GRACE = 2.0  # seconds between "not ready" and no further connection: until who sends requests has heard of it


class Order(NamedTuple):
    """What a service is told: a signal, and of SIGHUP the version of what is loaded then."""

    signal: int
    version: int = 0


def serve_here(settings: Settings, listener: socket.socket, say: Say, orders: Iterable[Order], version: int = 1) -> int:
    """Serves with this process; its exit status.

    Args:
        settings: How.
        listener: Where.
        say: Called with sentences for whoever started it.
        orders: Taken by a thread of their own, which waits for the next.
        version: Of what is loaded now.

    Raises:
        InputError: If a model cannot be loaded.
    """
    hear_doubts()
    metrics = Metrics()

    def batcher(name: str) -> Batcher:
        return Batcher(settings.max_queue, metrics.waited.labels(name).observe, metrics.queue.labels(name).set)

    models = Models(settings.sources, batcher, version)
    metrics.loaded(models)
    service = Service(
        models, metrics, settings.max_body, settings.timeout, read_token(settings.token_file), settings.origin
    )
    config = _Config(
        application(service),
        http=Connection,
        ws="none",
        lifespan="off",
        loop="asyncio",
        access_log=False,
        log_config=None,
        server_header=False,
        h11_max_incomplete_event_size=HTTP_HEAD,
        timeout_graceful_shutdown=int(settings.timeout) + 5,
        backlog=ACCEPTED,
    )
    config.slowest = settings.timeout
    server = _Server(config, service, listener, say, settings.token_file)
    threading.Thread(target=server.obey, args=(orders,), daemon=True).start()
    say(f"Serving {', '.join(served.source.name for served in models)} at {address(listener)} (Ctrl-C ends it).")
    asyncio.run(server.serve([listener]))
    models.close()
    return 0


class _Config(uvicorn.Config):
    """With the seconds that a client may be slow."""

    slowest = 30.0


class _Server(uvicorn.Server):
    """Ends in order: it says that it is not ready, answers on, then takes no further connection, and finishes."""

    def __init__(
        self, config: uvicorn.Config, service: Service, listener: socket.socket, say: Say, token_file: Path | None
    ) -> None:
        super().__init__(config)
        self._service, self._listener, self._say, self._token_file = service, listener, say, token_file
        self._ends = 0.0

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Without handlers of signals: a thread takes those. (One that is run on the main thread ends the process once
        OpenVINO has made a second model: what it left there as the stack of handlers is gone.)"""
        await self._serve(sockets)

    def obey(self, orders: Iterable[Order]) -> None:
        """Does what it is told.

        Args:
            orders: Waited for one by one.
        """
        for order in orders:
            if order.signal in (signal.SIGTERM, signal.SIGINT):
                self.handle_exit(order.signal, None)
                continue
            try:
                self._service.token = read_token(self._token_file)
            except InputError as error:
                self._say(f"{error} The token stays as it was.")
            for sentence in self._service.models.reload(order.version):
                self._say(sentence)
            self._service.metrics.loaded(self._service.models)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the end; a second one does not wait any longer."""
        if self._service.draining:
            self.should_exit = True
            return
        self._service.draining = True
        self._ends = time.monotonic() + (GRACE if sig == signal.SIGTERM else 0)

    async def on_tick(self, counter: int) -> bool:
        """Whether it is time to end."""
        over = await super().on_tick(counter)
        return over or (self._service.draining and time.monotonic() >= self._ends)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes the connections that have been made, and then no more."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener)
        await asyncio.sleep(SETTLING)  # what asyncio has accepted is a connection then, and would be dropped before
        waiting = []
        try:
            while True:
                waiting.append(self._listener.accept()[0])
        except OSError:  # no more
            pass
        for server in self.servers:
            server.close()
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state={}
        )
