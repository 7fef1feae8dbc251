"""``serve``: one process, or several."""

from __future__ import annotations

from .server import serve_here
from .settings import Say, Settings, listener_of
from .workers import Workers


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
    if settings.workers > 1:
        return Workers(settings, listener, say).run()
    return serve_here(settings, listener, say)
