"""``serve``: one process, or several; and the signals that it is told by."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from .server import Order, serve_here
from .settings import Say, Settings, listener_of
from .workers import Workers

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def serve(settings: Settings, say: Say) -> int:
    """Serves until the process is told to end (SIGTERM, Ctrl-C); SIGHUP loads all models anew.

    Args:
        settings: How.
        say: Called with sentences for whoever started it.

    Returns:
        The exit status.

    Raises:
        InputError: If a model cannot be loaded, or nothing listened to at the address.
    """
    listener = listener_of(settings.host, settings.port)
    with _signals() as orders:
        if settings.workers > 1:
            return Workers(settings, listener, say).run(orders)
        return serve_here(settings, listener, say, orders)


@contextmanager
def _signals() -> Iterator[Iterator[Order]]:
    """What signals say, as they come, for a thread that waits for them.

    The system hands them to a thread of their own, or to any other, but not to the main one: there OpenVINO leaves a
    stack for handlers behind that is gone once it has made a second model, and the process would end.
    """
    heard: SimpleQueue[int] = SimpleQueue()
    before = {number: signal.signal(number, lambda number, _: heard.put(number)) for number in SIGNALS}
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def orders() -> Iterator[Order]:
        version = 1
        while True:
            number = heard.get()
            version += number not in (signal.SIGTERM, signal.SIGINT)
            yield Order(number, version)

    try:
        yield orders()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
