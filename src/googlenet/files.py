"""Files that are whole or not there: written under a temporary name, flushed to disk, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import InputError


def write_bytes(path: str | Path, content: bytes) -> None:
    """Replaces ``path`` by ``content``; a crash at any moment leaves the old file or the new one.

    Raises:
        InputError: If the disk is full or the folder cannot be written; what was there stays.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"{path} could not be written: {error.strerror}. What was there is untouched.") from error


def write_json(path: str | Path, value: Mapping[str, Any]) -> None:
    """:func:`write_bytes` for JSON."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: str | Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        InputError: If the file is missing or is not a JSON object.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} could not be read: {error}.") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} does not hold a JSON object.")
    return value


def json_line(row: Mapping[str, Any]) -> str:
    """A row of a ``.jsonl`` file."""
    return json.dumps(row, ensure_ascii=False) + "\n"
