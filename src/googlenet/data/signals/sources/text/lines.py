"""Text files as lines: packed or not, in the encoding that they are in."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ..... import limits
from .....errors import InputError
from .....files import open_plain

_CHUNK = 1 << 20
_BLOCK = 1 << 18  # letters of lines that are read at once
_BEGINNINGS = {  # the longest first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_MARKS = (b",", b"\t", b";", b"|", b" ", b"\n")  # one of which stands before every cell
_NO_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
_NOT_WESTERN = re.compile(rb"[\x81\x8d\x8f\x90\x9d]|[\x80-\xff]{4}")  # words of such letters alone are of other scripts
WESTERN = "cp1252"


class _Packed(gzip.GzipFile):
    """What gzip packed, and the file beneath: closed together."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(fileobj=file)
        self._beneath = file

    def close(self) -> None:
        super().close()
        self._beneath.close()


class TextFile:
    """A text file; the whole of it is looked at once to know its encoding.

    UTF-8, what begins with a byte order mark, else Windows-1252, of which Latin-1 is a part.

    Args:
        path: Of plain text, or packed by gzip, whatever its name.

    Raises:
        InputError: If it is empty, or no text.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_plain(path) as file:
            self._packed = file.read(2) == b"\x1f\x8b"
        self._letters = False  # whether UTF-8 beyond ASCII was seen
        self.encoding = self._look()

    @property
    def said(self) -> str:
        """The encoding, where it is a guess."""
        return ", text taken for Windows-1252 (Latin-1), for it is not UTF-8" if self.encoding == WESTERN else ""

    def lines(self) -> Iterator[tuple[int, str]]:
        """Number, from 1, and line, with its end.

        Raises:
            InputError: At what is not in the encoding of the file.
        """
        number = 0
        with self._open() as file, io.TextIOWrapper(file, self.encoding, newline="") as text:
            try:
                for number, line in enumerate(text, start=1):
                    yield number, line
            except UnicodeError as error:
                raise self._no_text(number + 1) from error

    def blocks(self) -> Iterator[tuple[int, str]]:
        """Number of the first line, from 1, and many whole lines with their ends.

        Raises:
            InputError: At what is not in the encoding of the file.
        """
        number = 1
        with self._open() as file, io.TextIOWrapper(file, self.encoding, newline="") as text:
            try:
                while block := text.read(_BLOCK):
                    block += text.readline()
                    yield number, block
                    number += block.count("\n") + block.count("\r") - block.count("\r\n")
            except UnicodeError as error:
                raise self._no_text(number) from error

    @property
    def is_checked(self) -> bool:
        """Whether all of it is known to be text in its encoding."""
        return not self.encoding.startswith(("utf-16", "utf-32"))

    def _open(self) -> BinaryIO:
        file = open_plain(self.path)
        return cast(BinaryIO, _Packed(file)) if self._packed else file

    def _look(self) -> str:
        size, cells, most = 0, 0, limits.unpacked(self.path.stat().st_size)
        row = 1
        encoding = ""
        decoder = codecs.getincrementaldecoder("utf-8")()
        with self._open() as file:
            for chunk in self._chunks(file):
                encoding = encoding or self._begins(chunk)
                size += len(chunk)
                cells += max(map(chunk.count, _MARKS)) if self._packed else 0
                if self._packed and max(size, 8 * cells) > most:
                    raise InputError(
                        f"{self.path} unpacks to more than {limits.UNPACKED} times its size, which hardly a table "
                        f"does. Unpack it, and name the file in it."
                    )
                if encoding.startswith(("utf-16", "utf-32")):
                    continue
                encoding = self._told(chunk, row, encoding, decoder)
                row += chunk.count(b"\n") or chunk.count(b"\r")
        if not size:
            raise InputError(f"{self.path} is empty.")
        if encoding.startswith("utf-8"):
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                return WESTERN
        return encoding

    @staticmethod
    def _begins(chunk: bytes) -> str:
        return next((name for mark, name in _BEGINNINGS.items() if chunk.startswith(mark)), "utf-8")

    def _told(self, chunk: bytes, row: int, encoding: str, decoder: codecs.IncrementalDecoder) -> str:
        """The encoding after one more chunk, which begins in that row."""
        if encoding != WESTERN:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                if encoding == "utf-8-sig" or self._letters or not before.isascii():  # so far it was UTF-8
                    raise self._no_text(row + before.count(b"\n")) from error
                encoding = WESTERN
            self._letters = self._letters or not chunk.isascii()
        strange = _NO_TEXT.search(chunk) or (_NOT_WESTERN.search(chunk) if encoding == WESTERN else None)
        if strange is not None:
            before = chunk[: strange.start()]
            raise self._no_text(row + (before.count(b"\n") or before.count(b"\r")))
        return encoding

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        try:
            while chunk := file.read(_CHUNK):
                yield chunk
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{self.path} is packed by gzip and damaged. Pack it again, or unpack it.") from error

    def _no_text(self, row: int) -> InputError:
        return InputError(f"{self.path}, row {row} is not UTF-8 text. Save the file as UTF-8, if it is text at all.")
