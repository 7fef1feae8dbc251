"""safetensors, written in one way, byte for byte, with a checksum over the whole file that is compared as it is read.

The format leaves the order of its metadata to chance. What is written here begins with the version of this layout and
the checksum, a SHA-256 of all bytes of the file but its own digits. Files of others, and ours of before, have none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from ... import limits
from ...errors import InputError, parsed
from ...files import open_plain, write_bytes

VERSION, CHECKSUM = "googlenet.version", "googlenet.sha256"  # keys of the metadata
LAYOUT = "2"  # the version; files without one are of version 1 and have no checksum
_DIGITS = 64
_START = f'{{"__metadata__":{{"{VERSION}":"{LAYOUT}","{CHECKSUM}":"'.encode()
_TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_PLACE = slice(8 + len(_START), 8 + len(_START) + _DIGITS)  # of the checksum in a file


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Writes a safetensors file atomically; the same tensors and metadata make the same file.

    Args:
        path: The file.
        tensors: By name; they may lie on any device.
        metadata: Texts to store beside them.

    Raises:
        InputError: If it cannot be written; an older file stays as it was.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    order = sorted(plain, key=lambda name: (-plain[name].element_size(), name))  # so that each begins at a multiple
    own = {VERSION: LAYOUT, CHECKSUM: "0" * _DIGITS}
    header: dict[str, Any] = {"__metadata__": own | {key: metadata[key] for key in sorted(set(metadata) - set(own))}}
    parts, end = [], 0
    for name in order:
        tensor = plain[name]
        parts.append(tensor.reshape(-1).view(torch.uint8).numpy().data)
        start, end = end, end + parts[-1].nbytes
        header[name] = {"dtype": _TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    first = memoryview(len(text).to_bytes(8, "little") + text)
    checksum = _checksum(first, *parts)
    write_bytes(path, b"".join((first[: _PLACE.start], checksum, first[_PLACE.stop :], *parts)))


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a safetensors file.

    Raises:
        InputError: If there is no such file, or it is of another format or damaged: its checksum is compared.
    """
    try:
        with open_plain(path) as file:
            content = file.read()
        tensors = load(content)  # which compares what the header claims with what is there
        metadata = _metadata(parsed(content[8 : 8 + int.from_bytes(content[:8], "little")]))
    except FileNotFoundError as error:
        raise InputError(f"There is no weights file {path}.") from error
    except (SafetensorError, OSError, ValueError, KeyError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        said = str(error).removeprefix("Error while deserializing: ")
        raise InputError(f"{path} is not a whole safetensors file ({said}).") from error
    _check(memoryview(content), metadata, path)
    return tensors, metadata


def read_metadata(path: str | Path) -> dict[str, str]:
    """The metadata alone, whose checksum is not compared: that takes the whole file.

    Raises:
        InputError: If there is no such file, or it is damaged or of another format.
    """
    try:
        with open_plain(path) as file:
            return _metadata(parsed(_header(file)))
    except FileNotFoundError as error:
        raise InputError(f"There is no weights file {path}.") from error
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a whole safetensors file ({error}).") from error


def _header(file: BufferedReader) -> bytes:
    """The text before the tensors."""
    length = int.from_bytes(file.read(8), "little")
    if length > limits.HEADER:
        raise ValueError("its header is too large")
    text = file.read(length)
    if len(text) < length:
        raise ValueError("its header is cut off")
    return text


def _metadata(header: Any) -> dict[str, str]:
    found = header.get("__metadata__") or {} if isinstance(header, dict) else None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("its metadata are no texts")
    return found


def _check(content: memoryview, metadata: Mapping[str, str], path: str | Path) -> None:
    """Raises the sentence for a file that is not as it was written."""
    if content[8 : _PLACE.start] != _START:
        if VERSION not in metadata and CHECKSUM not in metadata:
            return
        if metadata.get(VERSION, LAYOUT) != LAYOUT and metadata.get(VERSION, "").isdecimal():
            raise InputError(f"{path} is of another googlenet, or damaged; this one reads version {LAYOUT}.")
    elif _checksum(content) == content[_PLACE]:
        return
    raise InputError(
        f"{path} is damaged: it was changed after it was written. Bring it back as it was; where "
        "a run has its checkpoint, googlenet train --resume writes its weights again."
    )


def _checksum(*parts: memoryview) -> bytes:
    """SHA-256 of a file in parts, but for the digits of it in the first one."""
    first, *others = parts
    found = hashlib.sha256(first[: _PLACE.start])
    for part in (first[_PLACE.stop :], *others):
        found.update(part)
    return found.hexdigest().encode()
