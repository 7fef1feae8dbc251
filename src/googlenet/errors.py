"""The one error that users see as a sentence, and the sentence for an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave is wrong. The message says what, where, and what to do; no traceback."""


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for an unknown name: suggests the nearest known one, or lists them all.

    Args:
        kind: Of what.
        name: That was given.
        known: Those that there are.
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    return InputError(f"There is no {kind} {name!r}. {hint}")
