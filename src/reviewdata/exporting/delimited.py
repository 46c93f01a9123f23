"""Every table as CSV: UTF-8, commas, LF, each cell the text that the review has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from reviewdata.cells import LineWriter
from reviewdata.exporting.whole import file_names, list_rows, text_labels, text_sql
from reviewdata.output import open_output
from reviewdata.records import Dialect
from reviewdata.tables import Tables


def write_csv(tables: Tables, folder: Path) -> Iterator[Path]:
    """Write each table to `folder`/NAME.csv, whatever its file is; yield the paths."""
    writer = LineWriter(Dialect())
    for name, plain in file_names(tables.columns).items():
        path = folder / f"{plain}.csv"
        with open_output(path) as out:
            out.write((writer.line(text_labels(tables, name), first=True) + "\n").encode())
            for row in list_rows(tables, text_sql(tables, name)):
                out.write((writer.line(cast(Sequence[str], row)) + "\n").encode())
        yield path
