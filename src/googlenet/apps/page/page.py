"""The page: one file of HTML that holds its program, ONNX Runtime and networks with examples, and asks for nothing."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...files import write_bytes
from .facts import facts

BUILT = Path(__file__).parent / "built"
FACTS, NETWORKS = "<!-- facts -->", "<!-- networks -->"  # where they go in what was built


@dataclass(frozen=True)
class PageNetwork:
    """A network on the page.

    Attributes:
        id: Of its elements.
        kind: ``picture`` or ``signal``.
        model: The content of the file of :mod:`.graphs.file`.
        source: What it is, for people.
        examples: What it can be shown, see :mod:`.examples`.
    """

    id: str
    kind: str
    model: bytes
    source: str
    examples: Sequence[dict[str, Any]] = field(default_factory=tuple)


def page_of(networks: Sequence[PageNetwork]) -> bytes:
    """The page with networks in it.

    Args:
        networks: One of each kind, at most.

    Raises:
        InputError: If the page was not built with the package.
    """
    check_built()
    known = facts(BUILT)
    rows = [{"id": one.id, "kind": one.kind, "source": one.source, "examples": list(one.examples)} for one in networks]
    text = json.dumps(known | {"networks": rows}, ensure_ascii=False).replace("<", "\\u003c")
    said = f'<script type="application/json" id="facts">{text}</script>'
    parts = []
    for one in networks:
        packed = base64.b64encode(gzip.compress(one.model, 9, mtime=0)).decode()
        parts.append(f'<script type="application/octet-stream;base64" id="network-{one.id}">{packed}</script>')
    page = (BUILT / "page.html").read_text(encoding="utf-8")
    head, rest = page.split(FACTS)
    program, behind = rest.split(NETWORKS)
    return "".join((head, said, program, "\n".join(parts), behind)).encode()


def write_page(networks: Sequence[PageNetwork], path: Path) -> None:
    """Writes it.

    Args:
        networks: As of :func:`page_of`.
        path: The file.

    Raises:
        InputError: As of :func:`page_of`, or if it cannot be written.
    """
    write_bytes(path, page_of(networks))


def check_built() -> None:
    """Raises InputError if the page was not built with the package."""
    if not all((BUILT / name).is_file() for name in ("page.html", "measured.json")):
        raise InputError(
            "The page was not built when this package was installed. Install Node.js, and in the sources of the "
            "package run make page, or in their folder web: npm ci && npm run build."
        )
