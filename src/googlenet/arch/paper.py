"""Table 1 of the paper as it is printed, and where arithmetic disagrees with it."""

from __future__ import annotations

import math

from .cost import Cost

# Row -> (parameters in thousands, operations in millions), *Going deeper with convolutions*, Table 1.
TABLE_1: dict[str, tuple[float, float]] = {
    "conv1": (2.7, 34),
    "conv2": (112, 360),
    "3a": (159, 128),
    "3b": (380, 304),
    "4a": (364, 73),
    "4b": (437, 88),
    "4c": (463, 100),
    "4d": (580, 119),
    "4e": (840, 170),
    "5a": (1072, 54),
    "5b": (1388, 71),
    "linear": (1000, 1),
}


def disagreements(cost: Cost) -> dict[tuple[str, str], float]:
    """Where the printed table and arithmetic differ by more than one unit of the last printed digit.

    The table's thousands are 1,024 (its classifier, 1,024 × 1,000 weights, is "1000K") and leave biases
    out; its millions are 1,000,000 multiply-adds.

    Returns:
        ``(row, "params" | "macs")`` to the computed value, in the units of the table.
    """
    found = {}
    for row in cost.rows:
        if row.name not in TABLE_1:
            continue
        printed_params, printed_macs = TABLE_1[row.name]
        weights = sum(layer.macs // math.prod(layer.output[1:]) for layer in row.layers)
        unit = 1 if printed_params == int(printed_params) else 0.1
        if abs(weights / 1024 - printed_params) > unit:
            found[row.name, "params"] = weights / 1024
        if abs(row.macs / 1e6 - printed_macs) > 1:
            found[row.name, "macs"] = row.macs / 1e6
    return found
