"""Where the paths of a table lead: from its folder, or from where else all of them are found."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from .....errors import InputError, quoted

_FILE = re.compile(r"file:(//(localhost)?(?=/))?", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z\d+.-]+://", re.IGNORECASE)


def base_of(table: Path, texts: Sequence[str]) -> tuple[Path, list[str]]:
    """The folder from which the paths of a table lead to files, and what is to be said of it.

    That is the table's own, if any path leads to a file from there; else the current one, else the one around the
    table's.

    Args:
        table: Where it lies.
        texts: The paths in it.

    Raises:
        InputError: If no path leads to a file.
    """
    folder = table.parent
    found = leading(table, texts)
    if found is not None:
        return found
    address = " They are addresses: pictures are not fetched." if _ADDRESS.match(texts[0]) else ""
    raise InputError(
        f"No path in {table} leads to a file ({len(texts):,} rows, {quoted(texts[0])} first): they are looked for from "
        f"the table's folder, {folder.resolve()}, from the current folder and from the one around the table's."
        f"{address} Write them from there, or in full."
    )


def leading(table: Path, texts: Sequence[str]) -> tuple[Path, list[str]] | None:
    """The same; ``None`` if no path leads to a file.

    Args:
        table: Where it lies.
        texts: The paths in it.
    """
    for base in (table.parent, Path(), table.parent / ".."):
        if any(exists(resolved(base, text)) for text in texts):
            if base == table.parent:
                return base, []
            called = "the current folder" if base == Path() else "the folder around the table's"
            return base, [
                f"Its paths lead to files from {called}, {base.resolve()}, and none does from the table's: they are "
                "read from there."
            ]
    return None


def resolved(folder: Path, text: str) -> str:
    """Where a path of a table leads, as it is written; else with the slashes of Windows, as an address of a file, or
    with the letters that an address writes as ``%20``."""
    path = str(folder / text)
    if exists(path):
        return path
    local = _FILE.sub("", text)
    forms = [text.replace("\\", "/"), unquote(local), unquote(local).replace("\\", "/")]
    forms += [os.path.expanduser(text)] if text.startswith("~") else []  # noqa: PTH111
    others = dict.fromkeys(form for form in forms if form != text)
    return next((other for form in others if exists(other := str(folder / form))), path)


def exists(path: str) -> bool:
    """Also of what cannot be a path at all."""
    return os.path.exists(path)  # noqa: PTH110


def why_missing(text: str, base: Path, table: Path) -> str:
    """The reason why a path of a table is left out.

    Args:
        text: The path.
        base: From where it was looked for.
        table: Where the table lies.
    """
    if _ADDRESS.match(text) and not _FILE.match(text):
        return "an address: pictures are not fetched"
    called = "the table's folder, " if base == table.parent else ""
    return f"no such file; paths are looked for from {called}{base.resolve()}"
