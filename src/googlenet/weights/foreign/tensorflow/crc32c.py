"""CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of TensorFlow's files, at NumPy's speed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Registers = npt.NDArray[np.uint32]

_START = b"\x54\x64\x1f\x64"  # these bytes take a register from zero to all ones, where the checksum starts
_BITS = np.arange(32, dtype=np.uint32)


def crc32c(data: bytes | memoryview) -> int:
    """The checksum of some bytes.

    They are cut into rows, whose registers run side by side; then pairs of rows become one, and so on. A register
    is linear in its bytes: zeros in front change nothing, and as many bytes as a row has multiply it by a matrix.
    """
    width = 1 << ((len(data) + 4).bit_length() // 2)
    count = 1 << (-(-(len(data) + 4) // width) - 1).bit_length()
    rows = np.zeros((count, width), np.uint8)
    rows.reshape(-1)[rows.size - len(data) - 4 :] = np.frombuffer(b"".join((_START, data)), np.uint8)
    registers = np.zeros(count, np.uint32)
    for column in np.ascontiguousarray(rows.T):
        registers = _after(registers, column)
    operator = _after(np.uint32(1) << _BITS, np.uint8(0))  # of one zero byte, a column for each bit
    for _ in range(width.bit_length() - 1):
        operator = _product(operator, operator)
    while len(registers) > 1:
        registers = _product(operator, registers[0::2]) ^ registers[1::2]
        operator = _product(operator, operator)
    return int(registers[0]) ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """As TensorFlow stores it, so that a checksum of bytes that hold checksums stays a good one."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _byte_table() -> Registers:
    table: npt.NDArray[Any] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> 1) ^ (table & 1) * np.uint32(0x82F63B78)
    return table


def _after(registers: Registers, byte: Any) -> Registers:
    """The registers after one more byte each."""
    found: Registers = _TABLE[(registers ^ byte) & 255] ^ (registers >> 8)
    return found


def _product(operator: Registers, registers: Registers) -> Registers:
    """A 32×32 matrix of bits, one column in each of 32 numbers, times each of the registers."""
    chosen = ((registers[:, None] >> _BITS) & 1) * operator
    found: Registers = np.bitwise_xor.reduce(chosen, axis=1)
    return found


_TABLE = _byte_table()
