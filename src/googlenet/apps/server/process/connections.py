"""Connections of uvicorn's on which a slow client costs nothing."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 0.5  # seconds that a connection on which nothing is asked is still listened to at the end


@lru_cache(maxsize=1)
def most_connections() -> int:
    """So many as leave the process files to open."""
    try:
        import resource
    except ImportError:
        return 10_000
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 10_000 if soft == resource.RLIM_INFINITY else max(8, min(10_000, soft - 40 - soft // 4))


class Connection(H11Protocol):
    """One that is closed where the head of a request, or the taking of an answer, is longer on its way than
    ``slowest`` of the server's configuration, in seconds."""

    _heads: asyncio.TimerHandle | None = None  # until the head of a request is there
    _reads: asyncio.TimerHandle | None = None  # until what was sent is taken

    @property
    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        """The head of a request is waited for from now on; where files are short, nothing is."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            transport.abort()
            return
        self._heads = self.loop.call_later(self._slowest, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any longer."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A head that is whole ends the waiting; a part of the next one begins it again."""
        super().data_received(data)
        if not self._idle:
            if self._heads is not None:
                self._heads.cancel()
                self._heads = None
        elif self._heads is None and not self.transport.is_closing():
            self._heads = self.loop.call_later(self._slowest, self._end)

    def pause_writing(self) -> None:
        """What was sent is not taken: that is waited for."""
        super().pause_writing()
        self._reads = self.loop.call_later(self._slowest, self.transport.abort)

    def resume_writing(self) -> None:
        """It is taken."""
        super().resume_writing()
        if self._reads is not None:
            self._reads.cancel()
            self._reads = None

    def shutdown(self) -> None:
        """At the end of the server; one on which nothing was asked may have sent its request already."""
        if self._idle:
            self.loop.call_later(PATIENCE, self._end)
        else:
            super().shutdown()

    def _end(self) -> None:
        if self._idle and not self.transport.is_closing():
            self.transport.close()

    def _stop(self) -> None:
        for timer in (self._heads, self._reads):
            if timer is not None:
                timer.cancel()

    @property
    def _slowest(self) -> float:
        return float(self.config.slowest)  # type: ignore[attr-defined]
