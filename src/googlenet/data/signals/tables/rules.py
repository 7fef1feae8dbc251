"""The rules by which the columns of a table are told from each other; docs/signals.md has them on a page."""

from __future__ import annotations

from dataclasses import replace

from ..sources.source import Source
from .long_rules import long_columns, long_schema
from .roles import Roles
from .schema import Schema, TableColumns
from .wide_rules import wide_schema


def find_schema(source: Source, wanted: TableColumns, labelled: bool) -> tuple[Schema, list[str]]:
    """What each column of a table means, and what is to be said of it.

    Args:
        source: The table.
        wanted: What the user said.
        labelled: Whether there must be labels.

    Raises:
        InputError: If a column is unknown, or it cannot be told what one means.
    """
    roles = Roles(source, wanted, labelled)
    columns = long_columns(roles)
    found = wide_schema(roles) if columns is None else long_schema(roles, *columns)
    return replace(found, ignored=tuple(roles.ignored.items()), missing=wanted.missing), roles.notes
