"""What a table in a file is to those who read signals from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Cells:
    """A table in memory.

    Attributes:
        rows: Where each row stands in the file.
        texts: Column to its cells.
        numbers: ``(rows, columns)``, the other columns, float64; NaN where a value is missing or cannot be read.
        bad: Index of a row that cannot be read to the sentence that says why.
    """

    rows: Sequence[int]
    texts: dict[str, list[str]]
    numbers: npt.NDArray[np.float64]
    bad: Mapping[int, str] = field(default_factory=dict)


class Source(Protocol):
    """A table in a file."""

    path: Path
    header: list[str]

    def text_columns(self) -> list[str]:
        """Columns with a cell that is neither a number nor missing."""

    def read(self, texts: Sequence[str], numbers: Sequence[str], missing: Collection[str] = frozenset()) -> Cells:
        """Reads some columns as text, others as numbers.

        Args:
            texts: Those to read as text.
            numbers: Those to read as numbers.
            missing: Further words that say that a value is missing.
        """
