"""The plain files of a run folder, read as if a stranger had written them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ... import files, limits
from ...errors import InputError, parsed, short
from .records import VERSION

Record = TypeVar("Record")
_COUNT = "# {} examples"  # the first line of the list of what was learned from
_MORE = ", and others that are not known"
BRING_BACK = "Bring it back as it was, or remove it; then it is not known what the run learned from."


def read_record(path: Path, parse: Callable[[dict[str, Any]], Record]) -> Record:
    """A JSON object, parsed; ``parse`` raises TypeError, KeyError or AttributeError for another one.

    Raises:
        InputError: If it cannot be read, or is of a younger version than this package knows.
    """
    row = files.read_json(path)
    if row.get("version", VERSION) not in range(1, VERSION + 1):
        raise InputError(
            f"{path} is of version {short(row['version'])}, written by another googlenet; this one reads {VERSION}."
        )
    try:
        return parse(row)
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} is not a record that googlenet wrote ({error}).") from error


def read_lines(path: Path, parse: Callable[[dict[str, Any]], Record]) -> list[Record]:
    """A JSON object a line, parsed; ``parse`` raises TypeError, KeyError or ValueError for another one.

    Raises:
        InputError: If they cannot be read.
    """
    try:
        return [parse(parsed(line)) for line in files.read_bytes(path, limits.LINES).decode().splitlines()]
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise InputError(f"{path} could not be read: {error}.") from error


class Learned(NamedTuple):
    """Which examples a network learned from.

    Attributes:
        contents: Those that are known, as :attr:`~googlenet.data.protocol.ExampleSet.contents` has them.
        whole: Whether these are all.
    """

    contents: frozenset[str] = frozenset()
    whole: bool = True


NOTHING = Learned()


def learned_text(learned: Learned) -> bytes:
    """The list of examples that a network learned from: how many, then a hash of what each holds, a line each."""
    count = _COUNT.format(len(learned.contents)) + ("" if learned.whole else _MORE)
    return "\n".join([count, *sorted(learned.contents), ""]).encode()


def read_learned(path: Path) -> tuple[Learned, str]:
    """What :func:`learned_text` gave, and the digest of the file.

    Raises:
        InputError: If it cannot be read or is not whole.
    """
    try:
        content = files.read_bytes(path, limits.LEARNED)
        lines = content.decode("ascii").splitlines()
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} could not be read: {error}.") from error
    counted = bool(lines) and lines[0].startswith(_COUNT[0])  # the first runs did not count
    found = frozenset(lines[counted:])
    first = _COUNT.format(len(found))
    undamaged = not counted or lines[0] in (first, first + _MORE)
    if not found or not undamaged or any(not re.fullmatch("[0-9a-f]{16}", each) for each in found):
        raise InputError(f"{path} is damaged: it is no whole list of hashes. {BRING_BACK}")
    return Learned(found, not (counted and lines[0] == first + _MORE)), files.digest(content)
