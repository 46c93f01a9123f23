"""The rows of a query as a table, CSV, Markdown or Parquet."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

from reviewdata.columns import quote_name, quote_text
from reviewdata.model import QueryResult
from reviewdata.render.values import json_value, plain, shown

_NUMERIC = ("INT", "DOUBLE", "DECIMAL", "FLOAT", "REAL")


def result_table(result: QueryResult) -> str:
    """Return the rows in aligned columns, never wrapped or cut; numbers to the right."""
    if not result.rows:
        return "no rows\n"
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, type_ in result.columns:
        justify = "right" if _is_number(type_) else "left"
        table.add_column(Text(plain(name)), justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in result.rows:
        table.add_row(*(Text(shown(value)) for value in row))
    out = io.StringIO()
    Console(file=out, width=1_000_000, color_system=None, legacy_windows=False).print(table)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def result_csv(result: QueryResult) -> str:
    """Return the rows as CSV with full precision; null is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([name for name, _ in result.columns])
    for row in result.rows:
        writer.writerow(["" if value is None else json_value(value) for value in row])
    return out.getvalue()


def result_markdown(result: QueryResult) -> str:
    """Return the rows as a Markdown table, cell text escaped."""
    lines = [[name for name, _ in result.columns]]
    lines.append(["---:" if _is_number(type_) else "---" for _, type_ in result.columns])
    lines += [[shown(value) for value in row] for row in result.rows]
    head, rule, *rows = lines
    escaped = [[_markdown(cell) for cell in line] for line in (head, *rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in (escaped[0], rule, *escaped[1:]))


def result_parquet(result: QueryResult) -> bytes:
    """Return the rows as a Parquet file, in the types that the query gave them."""
    import duckdb

    columns = ", ".join(f"{quote_name(name)} {type_}" for name, type_ in result.columns)
    places = ", ".join("?" for _ in result.columns)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "rows.parquet"
        connection.execute(f"CREATE TABLE result ({columns})")
        if result.rows:
            rows: list[Any] = [list(row) for row in result.rows]
            connection.executemany(f"INSERT INTO result VALUES ({places})", rows)
        connection.execute(f"COPY result TO {quote_text(str(path))} (FORMAT parquet)")
        return path.read_bytes()


def _is_number(type_: str) -> bool:
    return type_.startswith(_NUMERIC) or type_.endswith("INT")


def _markdown(text: str) -> str:
    for mark in "\\`*_{}[]<>#|@":
        text = text.replace(mark, "\\" + mark)
    return text
