"""Where predictions are written: a file that is whole or not there, or standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ....errors import InputError
from ....files import fresh


@contextmanager
def opened(path: Path | None) -> Iterator[TextIO]:
    """What to write to: standard output, or a file, in UTF-8, that takes its place when all is written.

    Args:
        path: The file; ``None`` for standard output. A device or a pipe is written to as it is.

    Raises:
        InputError: If it cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file for the predictions (--output FILE).")
    if path.exists() and not path.is_file():
        try:
            with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                yield file
        except OSError as error:
            raise InputError(f"{path} could not be written: {error.strerror}.") from error
        return
    with fresh(path) as temporary, temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        yield file
