"""What every table gives, whatever file it comes from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .text.numbers import Numbers


@dataclass(frozen=True)
class Cells:
    """A table in memory.

    Attributes:
        rows: Where each row stands in the file.
        texts: Column to its cells.
        numbers: ``(rows, columns)``, the other columns; float64, NaN where a value is missing.
        bad: Index of a row to the sentence why it cannot be read: a cell that is no number, or infinite, a row of
            another length, an empty one. Its numbers are NaN there.
        units: Column to its unit, where a row below the header says it.
    """

    rows: Sequence[int]
    texts: dict[str, list[str]]
    numbers: npt.NDArray[np.float64]
    bad: Mapping[int, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A table in a file.

    Attributes:
        path: The file.
        header: Names of the columns; a column whose cells hold lists is as many columns, ``NAME_0``, ``NAME_1``, ...
    """

    path: Path
    header: list[str]

    @property
    def numbers(self) -> Numbers:
        """How its cells write numbers."""

    @property
    def said(self) -> str:
        """What was found out about the file, each behind a comma; whole after :meth:`read`."""

    def text_columns(self, names: Collection[str]) -> dict[str, bool]:
        """Those of some columns that have a cell which is neither a number nor missing, and whether most cells are so.

        Args:
            names: The columns; lists are none of text.
        """

    def read(self, texts: Sequence[str], numbers: Sequence[str], missing: Collection[str] = frozenset()) -> Cells:
        """Reads those columns as text, and those as numbers.

        Args:
            texts: Names of columns.
            numbers: Names of columns.
            missing: Further words that say "no value here", in any case.

        Raises:
            InputError: If the file is no table at all.
        """
