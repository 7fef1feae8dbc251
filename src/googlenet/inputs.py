"""From what a user types to paths."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from .errors import InputError


def expand(inputs: Iterable[str], lines: Iterable[str], extensions: Collection[str]) -> Iterator[str]:
    """Paths, one by one: files as they are, folders walked for files with those extensions, globs expanded, ``-``
    from ``lines``."""
    for text in inputs:
        if text == "-":
            yield from (line.strip() for line in lines if line.strip())
        elif Path(text).is_dir():
            for path in sorted(Path(text).rglob("*")):
                if path.suffix.lower() in extensions:
                    yield str(path)
        elif any(letter in text for letter in "*?[") and not Path(text).exists():
            yield from _glob(text)
        else:
            yield text


def _glob(pattern: str) -> Iterator[str]:
    path = Path(pattern)
    root = Path(path.anchor) if path.is_absolute() else Path()
    found = sorted(root.glob(str(path.relative_to(path.anchor))))
    if not found:
        raise InputError(f"No file matches {pattern!r}.")
    yield from map(str, found)
