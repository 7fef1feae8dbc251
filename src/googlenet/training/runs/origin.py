"""Which run weights or an exported model are of, and what they learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .folder import Run
from .reading import Learned


def run_of(source: str | Path) -> Run | None:
    """The run that a folder is, or in whose folder a file lies; ``None`` if there is none."""
    path = Path(source)
    if not path.exists():
        return None
    run = Run(path if path.is_dir() else path.parent)
    return run if run.exists or run.says_what_it_learned else None


def digest_said(extra: Mapping[str, Any]) -> str:
    """What weights say, beside their architecture, of the list of what they learned from: its digest, or ``""``."""
    said = extra.get("learned", "")
    return said if isinstance(said, str) else ""


def learned_by(source: str | Path, said: Sequence[str]) -> Learned:
    """Which examples a run folder, a weight file or an exported model learned from, by content, as far as that is
    known: the list in the folder is of a network only if it says so.

    Args:
        source: It.
        said: By each network of it, :func:`digest_said`; ``""`` is enough of a run's own weights, for the oldest.

    Raises:
        InputError: If the list cannot be read.
    """
    run = run_of(source)
    learned = None if run is None else run.learned()
    if run is None or learned is None:
        return Learned(whole=False)
    own = Path(source) in (run.path, run.weights)
    theirs = [each == run.learned_digest or (own and not each) for each in said]
    contents = learned.contents if any(theirs) else frozenset[str]()
    return Learned(contents, learned.whole and bool(theirs) and all(theirs))
