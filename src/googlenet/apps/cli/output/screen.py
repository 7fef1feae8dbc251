"""The two ways out of the command line, whatever their encoding, and users' text on them."""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from ....limits import SENTENCE

# What this program says beyond ASCII, for those whose encoding has no such sign: as wide as it, where that is possible.
_PLAIN = {"×": "x", "·": ".", "…": "...", "–": "-", "−": "-", "±": "+-", "━": "-", "╸": "-", "╺": "-"}
_SHOWN_AS_CODES = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # categories of Unicode: controls, surrogates, ends of lines
_JOINERS = "\u200c\u200d"  # letters and emoji are written with them


class Screen(Console):
    """A console on which no text is markup, in the encoding that its stream has; options are those of rich's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, highlight=False, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Rich's own, where no text controls the terminal, whoever forgot to ask :func:`safe`."""
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control or (text.isascii() and text.isprintable()):
                yield segment
            else:
                yield Segment("\n".join(map(safe, text.split("\n"))), segment.style)

    @property
    def encoding(self) -> str:
        """Of the stream, lower case."""
        return (getattr(self.file, "encoding", None) or "utf-8").lower()

    @property
    def moves(self) -> bool:
        """Whether what was written can be written over: a terminal that is not dumb."""
        return self.is_terminal and not self.is_dumb_terminal

    def on_broken_pipe(self) -> None:
        """Raised on; rich would end the process, though standard error alone has no reader any more."""
        raise BrokenPipeError

    def __exit__(self, *raised: Any) -> None:
        """Writes what was printed. What is said beside the work stops no work: where it cannot be, it goes nowhere."""
        try:
            super().__exit__(*raised)
        except OSError:
            if not self.stderr:
                raise
            leave(sys.stderr)


console = Screen()
errors = Screen(stderr=True)


def shown(text: str, encoding: str = "utf-8") -> str:
    """:func:`safe` for people: what a file says at any length is cut in its middle.

    Args:
        text: A sentence, with names and cells of files perhaps.
        encoding: The same.
    """
    line = safe(text, encoding)
    half = SENTENCE // 2
    return line if len(line) <= SENTENCE else f"{line[:half]} … {line[-half:]}"


def safe(text: str, encoding: str = "utf-8") -> str:
    """Text of a user's that leaves a terminal and a table whole: what controls them is shown as its code.

    Args:
        text: A name of a file or a class, a line of a file, or a sentence with such.
        encoding: Of the stream: what it has no sign for is shown as its code, too, so that a table knows its width.
    """
    letters = "".join(_code(letter) if _controls(letter) else letter for letter in text)
    return letters.encode(encoding, "backslashreplace").decode(encoding)


def put(text: str) -> None:
    """A line on standard output: on a terminal as it is shown, else as it is, for the program that reads it."""
    print(safe(text, console.encoding) if sys.stdout.isatty() else text)


def _controls(letter: str) -> bool:
    return unicodedata.category(letter) in _SHOWN_AS_CODES and letter not in _JOINERS


def _code(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What is written for signs that an encoding does not have."""
    assert isinstance(error, UnicodeEncodeError)
    signs = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in signs), error.end


def beside(text: str) -> None:
    """A line on standard error, for people or for a log; it goes nowhere where it cannot be written."""
    try:
        print(shown(text), file=sys.stderr)
    except OSError:
        leave(sys.stderr)


def leave(stream: TextIO) -> None:
    """Has what is still to be written to a stream go nowhere: it would fail again as Python ends."""
    with suppress(OSError):  # in memory it has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def prepare_streams() -> None:
    """Has this process's streams take any text, and be there at all: for a program, which owns its process."""
    codecs.register_error("googlenet", _plain)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started this
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        _set_errors(getattr(sys, name), "googlenet")
    _set_errors(sys.stdin, "surrogateescape")  # a file's name may hold bytes that are no text


def _set_errors(stream: TextIO | None, handler: str) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=handler)
