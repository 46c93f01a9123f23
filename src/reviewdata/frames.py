"""Typed tables as pandas frames of bounded size, in the types that pandera and suites expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reviewdata.columns import quote_name, sql_type
from reviewdata.tables import Tables

if TYPE_CHECKING:
    import pandas as pd

DTYPES = {"BIGINT": "Int64", "DOUBLE": "float64", "BOOLEAN": "boolean", "VARCHAR": "str"}
"""The pandas type of each DuckDB type that has a better one than its own."""


def read_frames(
    tables: Tables, name: str, columns: Sequence[str] | None = None
) -> Iterator[pd.DataFrame]:
    """Yield the typed rows of a table (or `columns` of them) in chunks, by record number."""
    table = quote_name(name)
    fields = tables.package.resources[name].fields
    chosen = [c for c in tables.columns[name] if columns is None or c in columns]
    listed = ", ".join(quote_name(column) for column in ("_row", *chosen))
    for frame in tables.frames(f"SELECT {listed} FROM cells.{table}"):
        frame = frame.set_index("_row")
        types = {c: DTYPES.get(sql_type(fields.get(str(c), {}))) for c in frame.columns}
        yield frame.astype({c: t for c, t in types.items() if t is not None})
