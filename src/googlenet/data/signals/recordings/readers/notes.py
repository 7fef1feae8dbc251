"""WFDB's file of annotations (``.atr``): beats and notes, two bytes each or more.

It is read here: the package ``wfdb`` goes round for ever on some notes, and takes hundreds of times a file's size.
The format: https://physionet.org/physiotools/wag/annot-5.htm
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .....errors import InputError
from .....files import read_bytes
from .....limits import ANNOTATIONS

_SYMBOLS = dict(enumerate(' NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r'))  # of the codes, by the format
_NOTE, _SKIP, _TEXT = 22, 59, 63  # codes: of a comment, of a long way to the next annotation, of a text
_RATE = re.compile(r"## time resolution: (\d+\.?\d*)")
_DEFINED = re.compile(r"(\d+) (\S+) .+")


class Note(NamedTuple):
    """An annotation.

    Attributes:
        at: Its sample.
        symbol: What it is.
        text: What is said of it, if anything.
    """

    at: int
    symbol: str
    text: str


def read_notes(path: Path) -> tuple[float | None, list[Note]]:
    """The annotations of a file, and how many samples they count in a second, if it says so.

    Raises:
        InputError: If it is damaged, or has more than recordings have.
    """
    content = read_bytes(path, ANNOTATIONS)
    try:
        found = list(_annotations(content))
    except IndexError:
        raise InputError(f"{path} is damaged: it ends in the middle of an annotation.") from None
    rate, symbols, notes = None, dict(_SYMBOLS), []
    for at, code, text in found:
        if at == 0 and code == _NOTE:  # of the file itself
            if (said := _RATE.match(text)) is not None:
                rate = rate or float(said[1])
            elif (said := _DEFINED.fullmatch(text)) is not None:
                symbols[int(said[1])] = said[2]
        elif code:
            notes.append(Note(at, symbols.get(code, ""), text))
    return rate, notes


def _annotations(content: bytes) -> Iterator[tuple[int, int, str]]:
    """Sample, code and text of each; every one takes two bytes or more.

    Raises:
        IndexError: If the file ends within one.
    """
    at = place = 0
    while place < len(content) - 2:  # the last two are its end
        while content[place + 1] >> 2 == _SKIP:
            high, low = content[place + 2 : place + 4], content[place + 4 : place + 6]
            at += int.from_bytes(low + high, "little", signed=True)
            place += 6
        code = content[place + 1] >> 2
        at += content[place] + 256 * (content[place + 1] & 3)
        place, text = place + 2, ""
        while (more := content[place + 1] >> 2) > _SKIP:
            if more == _TEXT:
                length = content[place]
                text = content[place + 2 : place + 2 + length].decode("latin-1")
                place += length + length % 2
            place += 2
        yield at, code, text
