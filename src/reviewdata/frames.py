"""Typed tables as pandas frames of bounded size, in the types that pandera and suites expect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reviewdata.columns import quote_name, sql_type
from reviewdata.tables import Tables

if TYPE_CHECKING:
    import pandas as pd

DTYPES = {"BIGINT": "Int64", "DOUBLE": "float64", "BOOLEAN": "boolean", "VARCHAR": "str"}
"""The pandas type of each DuckDB type that has a better one than its own."""


def read_frames(tables: Tables, name: str) -> Iterator[pd.DataFrame]:
    """Yield the typed rows of a table in chunks; the index is the record number."""
    table = quote_name(name)
    fields = tables.package.resources[name].fields
    listed = ", ".join(quote_name(column) for column in ("_row", *tables.columns[name]))
    for frame in tables.frames(f"SELECT {listed} FROM cells.{table}"):
        frame = frame.set_index("_row")
        types = {c: DTYPES.get(sql_type(fields.get(str(c), {}))) for c in frame.columns}
        yield frame.astype({c: t for c, t in types.items() if t is not None})
