"""The encoding of protocol buffers, as far as files of weights need it: messages to fields and back, no schema.

Whatever is wrong with the bytes is a :class:`Damaged`, whose message is half a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ...limits import FIELDS

Value = int | memoryview
Message = dict[int, list[Value]]

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


class Damaged(ValueError):
    """The bytes are no message."""


_left: ContextVar[list[int]] = ContextVar("fields")  # that may still be read of the file at hand


@contextmanager
def one_file() -> Iterator[None]:
    """Within it a file is read, whose messages have no more than :data:`~googlenet.limits.FIELDS` fields together."""
    token = _left.set([FIELDS])
    try:
        yield
    finally:
        _left.reset(token)


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Numbers and values of a message's fields, in order; integers decoded, all else as bytes."""
    place, left = 0, _left.get()
    while place < len(message):
        left[0] -= 1
        if left[0] < 0:
            raise Damaged(f"it has more than {FIELDS:,} fields, which no file of weights has")
        key, start = varint(message, place)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, place = varint(message, start)
            yield number, value
            continue
        if wire == LENGTH:
            size, start = varint(message, start)
        elif wire in (EIGHT_BYTES, FOUR_BYTES):
            size = 8 if wire == EIGHT_BYTES else 4
        else:
            raise Damaged("there is something else in place of a field")
        place = start + size
        if place > len(message):
            raise Damaged(f"it ends {place - len(message):,} bytes early")
        yield number, message[start:place]


def varint(message: memoryview, place: int) -> tuple[int, int]:
    """A number of 7 bits a byte, lowest first, and the place behind it."""
    number = 0
    for position, byte in enumerate(message[place : place + 10]):
        number |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return number, place + position + 1
    raise Damaged("it ends in the middle of a number, or a number is longer than numbers are")


def message_of(data: memoryview) -> Message:
    """The fields of a message by number: integers, and bytes of all else."""
    found: Message = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def number_of(message: Message, field: int, default: int = 0) -> int:
    """The last integer in a field.

    Args:
        message: The message.
        field: Its number.
        default: Where there is none.
    """
    value = message.get(field, [default])[-1]
    if not isinstance(value, int):
        raise Damaged(f"field {field} of a message is no number")
    return value


def all_bytes(message: Message, field: int) -> list[memoryview]:
    """All that is no integer in a field."""
    return [value for value in message.get(field, []) if not isinstance(value, int)]


def last_bytes(message: Message, field: int) -> memoryview:
    """The last of those; nothing where there is none."""
    return [memoryview(b""), *all_bytes(message, field)][-1]


def text_of(message: Message, field: int) -> str:
    """The same as text."""
    return bytes(last_bytes(message, field)).decode()


def field(number: int, content: bytes) -> bytes:
    """A field of bytes: a text, a message or packed numbers."""
    return key(number, LENGTH) + encoded(len(content)) + content


def key(number: int, wire: int) -> bytes:
    """What stands in front of a field."""
    return encoded(number << 3 | wire)


def encoded(number: int) -> bytes:
    """A number, 7 bits a byte, lowest first."""
    content = bytearray()
    while number >= 0x80:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*content, number])
