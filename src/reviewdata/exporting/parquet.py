"""Every table as Parquet, typed by its schema, and as the text that is printed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from reviewdata.exporting.whole import file_names, text_sql, typed_sql
from reviewdata.output import open_output
from reviewdata.tables import Tables

TIME_LIMIT = 3600.0
"""Seconds that one table may take."""

TEXT = "raw"
"""The folder of the text beside the typed tables."""


def write_parquet(tables: Tables, folder: Path) -> Iterator[Path]:
    """Write each table to `folder`/NAME.parquet, in the order of its file; yield the paths.

    The tables must have been loaded for one thread, so that a file is the same bytes each time.
    """
    for name, plain in file_names(n for n, fields in tables.columns.items() if fields).items():
        yield _write(tables, typed_sql(tables, name), folder / f"{plain}.parquet")


def write_text(tables: Tables, folder: Path) -> Iterator[Path]:
    """Write the text of each table to `folder`/raw/NAME.parquet; yield the paths."""
    (folder / TEXT).mkdir(exist_ok=True)
    for name, plain in file_names(tables.columns).items():
        yield _write(tables, text_sql(tables, name), folder / TEXT / f"{plain}.parquet")


def _write(tables: Tables, sql: str, path: Path) -> Path:
    written = tables.write_parquet(sql, timeout=TIME_LIMIT)
    with open_output(path) as out, written.open("rb") as content:
        shutil.copyfileobj(content, out)
    return path
