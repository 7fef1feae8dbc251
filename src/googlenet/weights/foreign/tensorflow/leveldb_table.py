"""LevelDB's tables, of which TensorFlow's checkpoints are made: keys and values (its ``doc/table_format.md``).

Blocks of keys and values, each with a checksum, an index of them, and a footer that ends in a magic number. Whatever is
wrong with the bytes is a ValueError that says it in half a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....limits import KEY
from ..protobuf import varint
from .crc32c import crc32c, masked

MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_FOOTER = 48


def entries_of(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Keys and values of a table, in order."""
    if len(data) < _FOOTER or data[-len(MAGIC) :] != MAGIC:
        raise ValueError("it does not end as TensorFlow's tables do")
    footer = data[-_FOOTER:]
    _, end_of_first = _handle(footer, 0)
    index, _ = _handle(footer, end_of_first)
    read = 0
    for _, value in _entries(_block(data, *index)):
        offset, size = _handle(value, 0)[0]
        read += size
        if read > len(data):
            raise ValueError("its blocks are larger together than it is")
        yield from _entries(_block(data, offset, size))


def _handle(data: memoryview, at: int) -> tuple[tuple[int, int], int]:
    """A block's offset and size, and where the handle ends."""
    offset, at = varint(data, at)
    size, at = varint(data, at)
    return (offset, size), at


def _block(data: memoryview, offset: int, size: int) -> memoryview:
    """A block's content; behind it lie its type, one byte, and the checksum of both."""
    end = offset + size + 1
    if end + 4 > len(data):
        raise ValueError("a block lies beyond its end")
    if masked(crc32c(data[offset:end])) != int.from_bytes(data[end : end + 4], "little"):
        raise ValueError(f"the checksum of the block at byte {offset} is another")
    if data[end - 1]:
        raise ValueError("its table is compressed, which TensorFlow's own are not")
    return data[offset : end - 1]


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """A block's keys, each stored as what differs from the one before, and values; an array of places follows them."""
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    key, at = b"", 0
    while at < end:
        shared, at = varint(block, at)
        own, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(key) or at + own + length > end:
            raise ValueError("a block ends within an entry")
        if shared + own > KEY:
            raise ValueError(f"a key is longer than {KEY:,} bytes")
        key = key[:shared] + bytes(block[at : at + own])
        at += own + length
        yield key, block[at - length : at]
