"""How a service is started: what it serves, where it listens, what it bears."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....errors import InputError
from ....files import read_bytes
from ....limits import TOKEN
from ..models import Source

BACKLOG = 2048  # connections that wait to be accepted
Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Attributes:
        sources: What, and by which names.
        host: Address to listen on.
        port: Of it; 0 for any that is free.
        workers: Processes.
        max_body: Bytes of a request.
        max_queue: Examples that may wait, for each model and process.
        timeout: Seconds that a request may take, and that a client may be slow.
        token_file: With the token that requests must bring; ``None`` if none is wanted.
        origin: Of pages elsewhere that may ask; empty if none may.
    """

    sources: Sequence[Source]
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    max_body: int = 32 << 20
    max_queue: int = 256
    timeout: float = 30.0
    token_file: Path | None = None
    origin: str = ""


def read_token(path: Path | None) -> str:
    """The token of a file, without the end of its line; none of no file.

    Raises:
        InputError: If there is none in it.
    """
    if path is None:
        return ""
    try:
        token = read_bytes(path, TOKEN).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The token could not be read from {path}: {error}.") from error
    if not token or not token.isprintable() or " " in token:
        raise InputError(f"{path} holds no token: one line of letters and digits, such as openssl rand -hex 32 writes.")
    return token


def address(listener: socket.socket) -> str:
    """Where a socket listens, as a browser has it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listener_of(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises InputError if none can.

    Args:
        host: Its address.
        port: Of it; 0 for any that is free.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"{host}:{port} cannot be listened on ({getattr(error, 'strerror', None) or error}); choose another "
            "--port, or --host."
        ) from error
    listener.setblocking(False)
    return listener
