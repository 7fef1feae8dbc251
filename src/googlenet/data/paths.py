"""From what a user types to paths."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path


def expand(inputs: Iterable[str], lines: Iterable[str], extensions: Collection[str]) -> Iterator[str]:
    """Paths, one by one: files as they are, folders walked for files with those extensions, globs expanded, ``-``
    from ``lines``. A folder or a glob in which there is nothing comes out as it is, for its reader to complain of."""
    for text in inputs:
        if text == "-":
            yield from (line.strip() for line in lines if line.strip())
        elif Path(text).is_dir():
            found = [str(path) for path in sorted(Path(text).rglob("*")) if path.suffix.lower() in extensions]
            yield from found or [text]
        elif any(letter in text for letter in "*?[") and not Path(text).exists():
            yield from _glob(text) or [text]
        else:
            yield text


def _glob(pattern: str) -> list[str]:
    path = Path(pattern)
    root = Path(path.anchor) if path.is_absolute() else Path()
    return [str(found) for found in sorted(root.glob(str(path.relative_to(path.anchor))))]
