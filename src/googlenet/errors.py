"""The one error that users see as a sentence, and the sentence for an unknown name."""

from __future__ import annotations

import difflib
import math
import operator
import os
from collections.abc import Iterable
from typing import Any, SupportsFloat


class InputError(ValueError):
    """Something the user gave is wrong. The message says what, where, and what to do; no traceback."""


def unknown(kind: str, name: object, known: Iterable[str]) -> InputError:
    """The error for an unknown name: suggests the nearest known one, or lists them all.

    Args:
        kind: Of what.
        name: That was given.
        known: Those that there are.
    """
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    return InputError(f"There is no {kind} {name!r}. {hint}")


def whole(name: str, value: Any, least: int = 1) -> int:
    """A whole number that a user gave, of Python's, numpy's or any other type of them.

    Args:
        name: Of what.
        value: That was given.
        least: That it may be.

    Raises:
        InputError: If it is none, or smaller.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise InputError(f"{name} is a whole number from {least}, not {value!r}.")
    return number


def is_number(value: Any) -> bool:
    """Whether it is a finite number, of Python's, numpy's or any other type of them."""
    try:
        return isinstance(value, SupportsFloat) and math.isfinite(value)
    except OverflowError:  # a whole number beyond 1.8e308
        return False


def check_path(what: str, value: Any) -> None:
    """Raises InputError for what is no path and no name: ``None``, a list, bytes, nothing at all.

    Args:
        what: It is to be, such as ``"The file"``.
        value: That was given.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise InputError(f"{what} is called by a text or a path, not by {_shown(value)}.")
    if value == "":
        raise InputError(f"{what} is called by a text or a path, and this one is empty.")


def _shown(value: Any) -> str:
    kind = type(value).__name__
    if kind in ("NoneType", "bytes"):
        return kind.removesuffix("Type")
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"
