"""The one error that users see as a sentence, and what such sentences are made of."""

from __future__ import annotations

import difflib
import json
import math
import operator
import os
from collections.abc import Iterable, Sequence
from typing import Any, SupportsFloat

from . import limits


class InputError(ValueError):
    """Something the user gave is wrong. The message says what, where, and what to do; no traceback.

    Attributes:
        everywhere: Whether every process of a distributed training finds the same, so that one of a machine says it.
    """

    everywhere = True


def unknown(kind: str, name: object, known: Iterable[str]) -> InputError:
    """The error for an unknown name: suggests the nearest known one, or lists them all.

    Args:
        kind: Of what.
        name: That was given.
        known: Those that there are.
    """
    known = list(known)
    near = nearest(str(name), known)
    hint = f"Did you mean {near!r}?" if near is not None else f"There are: {several(known)}."
    return InputError(f"There is no {kind} {quoted(name)}. {hint}")


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name that is most like one; of very many and of very long ones not all are compared.

    Args:
        name: That was given.
        known: Those that there are.
    """
    short_ones = [other for other in known[: limits.COMPARED] if len(other) <= limits.QUOTED]
    return next(iter(difflib.get_close_matches(name, short_ones, n=1)), None) if len(name) <= limits.QUOTED else None


def short(text: object) -> str:
    """What a file holds, as a sentence may repeat it: a long text is cut, an end of a line and the like are codes."""
    cut = _cut(str(text))
    letters = (letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in cut)
    return cut if cut.isprintable() else "".join(letters)


def quoted(text: object) -> str:
    """The same, in quotes."""
    return repr(_cut(text) if isinstance(text, str) else text)


def _cut(text: str) -> str:
    return text if len(text) <= limits.QUOTED else f"{text[: limits.QUOTED - 1]}…"


def reason(error: BaseException, line: int = 0) -> str:
    """What an error of another library says, in one line; its kind where it says nothing.

    Args:
        error: It.
        line: Which one: the first, or -1 for the last, where some put the cause.
    """
    text = str(error).strip()
    return text.splitlines()[line].strip() if text else repr(error)


def count(number: int, noun: str) -> str:
    """Such as "1 row" or "2 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def between(interval: Sequence[float], groups: int, form: str) -> str:
    """In brackets, what the share right may be on other examples of the kind; nothing of an older record.

    Args:
        interval: At 95 %, or empty.
        groups: That the examples are of; 0 where each is apart.
        form: Of a number, such as ``".4f"``.
    """
    if not len(interval):
        return ""
    if groups == 1:
        return "(of one group, which says nothing of others)"
    low, high = (format(each, form) for each in interval)
    return f"(95 %{', for other groups' if groups else ''}: {low} to {high})"


def several(names: Sequence[str]) -> str:
    """Names one after the other; of very many the first."""
    more = len(names) - limits.LISTED
    return ", ".join(map(short, names[: limits.LISTED])) + (f" and {more:,} more" if more > 0 else "")


def parsed(text: str | bytes) -> Any:
    """JSON that a stranger may have written: of whole numbers that fit 64 bits.

    Raises:
        ValueError: For anything else.
        RecursionError: If it is nested too deep.
    """
    return json.loads(text, parse_int=_of_64_bits)


def _of_64_bits(digits: str) -> int:
    number = int(digits) if len(digits) <= limits.JSON_DIGITS else 1 << 64
    if not -(1 << 63) <= number < 1 << 64:
        raise ValueError(f"a whole number of {len(digits):,} digits, which 64 bits do not hold")
    return number


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
    except (OverflowError, TypeError, ValueError):  # a whole number beyond 1.8e308; an array of several
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
