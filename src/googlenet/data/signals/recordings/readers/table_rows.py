"""The rows of a table, some at a time: of text, or of Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from .....errors import InputError
from ...sources.text.marks import TextGrid
from ...sources.text.numbers import Numbers
from ...sources.text.table import Table
from ...sources.weight import check_parquet
from ..recording import library

ROWS, CELLS = 1 << 14, 1 << 20  # that are read at once
Chunk = tuple[list[list[str]], int]  # rows of text, and the number of the first


def text_rows(path: Path) -> tuple[list[str], Iterator[Chunk], Numbers]:
    """The header of a table of text, its rows as they are written, and how it writes numbers."""
    table = Table(TextGrid(path))
    header, written = table.first, table.numbers
    if len(header) != len(set(header)) or any(map(written.is_number, header)):
        raise InputError(f"{path} has no header that names its channels, each once; write one above the rows.")

    def chunks() -> Iterator[Chunk]:
        rows = islice(table.rows(), 1, None)
        while taken := list(islice(rows, max(1, min(ROWS, CELLS // len(header))))):
            for row, cells in taken:
                if len(cells) != len(header):
                    raise InputError(f"{path}, row {row} has {len(cells)} cells, but the header has {len(header)}.")
            yield [list(cells) for _, cells in taken], taken[0][0]

    return header, chunks(), written


def parquet_rows(path: Path) -> tuple[list[str], Iterator[Chunk], Numbers]:
    """The same of Parquet."""
    parquet = library("pyarrow.parquet", path)
    file = check_parquet(path, parquet)
    size = max(1, min(ROWS, CELLS // max(1, file.metadata.num_columns)))

    def chunks() -> Iterator[Chunk]:
        first = 1
        for batch in file.iter_batches(size):
            columns = [["" if cell is None else str(cell) for cell in column.to_pylist()] for column in batch.columns]
            yield [list(row) for row in zip(*columns, strict=True)], first
            first += batch.num_rows

    return [str(name) for name in file.schema_arrow.names], chunks(), Numbers()
