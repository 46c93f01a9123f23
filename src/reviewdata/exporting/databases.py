"""Every table in one SQLite or DuckDB file: typed, with its keys, and as the text printed."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from reviewdata.columns import quote_name, quote_text, sql_type
from reviewdata.exporting.constraints import Keys, find_keys, order_by_keys
from reviewdata.exporting.whole import list_rows, text_columns, text_sql, typed_sql
from reviewdata.model import ReviewdataError
from reviewdata.output import open_output
from reviewdata.tables import Tables

TIME_LIMIT = 3600.0
"""Seconds that one table may take."""

_SQLITE_TYPES = {"BIGINT": "INTEGER", "DOUBLE": "REAL", "BOOLEAN": "INTEGER"}
_PAGES = "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"


def write_sqlite(tables: Tables, path: Path) -> list[str]:
    """Write a SQLite file; return what could not be declared.

    The text of the table NAME is in the table raw_NAME. Moments are texts in ISO 8601, true and
    false are 1 and 0.
    """
    keys = find_keys(tables)
    texts = _text_names(tables)
    with _built(path) as file, closing(sqlite3.connect(file, isolation_level=None)) as base:
        base.executescript(_PAGES)
        base.execute("BEGIN")
        for name in order_by_keys(keys):
            fields = tables.columns[name]
            types = [_SQLITE_TYPES.get(type_, "TEXT") for type_ in _types(tables, name)]
            base.execute(_create(name, fields, types, keys[name], keys[name].foreign))
            _fill(base, name, len(fields), list_rows(tables, typed_sql(tables, name)))
            columns = text_columns(tables, name)
            base.execute(_create(texts[name], columns, ["TEXT"] * len(columns), Keys(), []))
            _fill(base, texts[name], len(columns), list_rows(tables, text_sql(tables, name)))
        base.execute("COMMIT")
    return [f"{name}: {why}" for name, found in keys.items() for why in found.left]


def _text_names(tables: Tables) -> dict[str, str]:
    """Return the name of the table that holds the text of each table."""
    taken = {name.lower() for name in tables.columns}
    names = {}
    for name in tables.columns:
        chosen = f"raw_{name}"
        while chosen.lower() in taken:
            chosen += "_"
        taken.add(chosen.lower())
        names[name] = chosen
    return names


def _fill(base: sqlite3.Connection, name: str, width: int, rows: Iterator[Sequence[Any]]) -> None:
    if width:
        marks = ", ".join("?" * width)
        values = ([_plain(value) for value in row] for row in rows)
        base.executemany(f"INSERT INTO {quote_name(name)} VALUES ({marks})", values)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def write_duckdb(tables: Tables, path: Path) -> list[str]:
    """Write a DuckDB file; return what could not be declared.

    The text of a table is in the schema raw. DuckDB gives each file an identifier of its own, so
    that two files of the same content are not the same bytes.
    """
    keys = find_keys(tables)
    left = [f"{name}: {why}" for name, found in keys.items() for why in found.left]
    done: set[str] = set()
    with _built(path) as file, closing(duckdb.connect(str(file))) as base:
        base.execute("SET threads = 1")
        base.execute("CREATE SCHEMA raw")
        for name in order_by_keys(keys):
            resource, fields = tables.package.resources[name], tables.columns[name]
            foreign = [key for key in keys[name].foreign if key.resource in done]
            for key in keys[name].foreign:
                if key not in foreign:  # DuckDB checks each row as it comes
                    left.append(
                        f"{name}: foreign key {', '.join(key.fields)}: it leads back to {name}"
                    )
            if fields:
                base.execute(_create(name, fields, _types(tables, name), keys[name], foreign))
                _copy(base, tables, typed_sql(tables, name), f"INSERT INTO {quote_name(name)}")
                _describe(base, name, resource.descriptor, resource.fields)
            made = f"CREATE TABLE raw.{quote_name(name)} AS"
            _copy(base, tables, text_sql(tables, name), made)
            done.add(name)
        base.execute("CHECKPOINT")
    return left


def _copy(base: duckdb.DuckDBPyConnection, tables: Tables, sql: str, into: str) -> None:
    """Put the rows of a SELECT into another database, by way of a file."""
    file = tables.write_parquet(sql, timeout=TIME_LIMIT)
    base.execute(f"{into} SELECT * FROM read_parquet({quote_text(str(file))})")


def _describe(base: duckdb.DuckDBPyConnection, name: str, table: Any, fields: Any) -> None:
    if isinstance(said := table.get("description"), str) and said:
        base.execute(f"COMMENT ON TABLE {quote_name(name)} IS {quote_text(said)}")
    for field, described in fields.items():
        if isinstance(said := described.get("description"), str) and said:
            column = f"{quote_name(name)}.{quote_name(field)}"
            base.execute(f"COMMENT ON COLUMN {column} IS {quote_text(said)}")


def _types(tables: Tables, name: str) -> list[str]:
    fields = tables.loaded[name].plan.fields
    return [sql_type(fields[field]) for field in tables.columns[name]]


def _create(
    name: str, fields: Sequence[str], types: Sequence[str], keys: Keys, foreign: Sequence[Any]
) -> str:
    lines = [
        f"{quote_name(field)} {type_}{' NOT NULL' if field in keys.required else ''}"
        for field, type_ in zip(fields, types, strict=True)
    ]
    listed = [("PRIMARY KEY", keys.primary)] if keys.primary else []
    listed += [("UNIQUE", unique) for unique in keys.unique]
    lines += [f"{kind} ({', '.join(map(quote_name, parts))})" for kind, parts in listed]
    for key in foreign:
        mine, theirs = (", ".join(map(quote_name, p)) for p in (key.fields, key.reference))
        lines.append(f"FOREIGN KEY ({mine}) REFERENCES {quote_name(key.resource)} ({theirs})")
    return f"CREATE TABLE {quote_name(name)} (\n  " + ",\n  ".join(lines) + "\n)"


@contextmanager
def _built(path: Path) -> Iterator[Path]:
    """Yield the path of a file to be made, which takes its place at the end.

    A database writes files beside its own, so it is made in a folder of its own.
    """
    try:
        with tempfile.TemporaryDirectory(
            prefix=".reviewdata-", dir=Path(os.path.realpath(path)).parent
        ) as folder:
            made = Path(folder) / "base"
            yield made
            with open_output(path) as out, made.open("rb") as content:
                while block := content.read(1 << 20):
                    out.write(block)
    except OSError as error:
        raise ReviewdataError(f"{path} cannot be written: {error.strerror or error}") from error
    except (sqlite3.Error, duckdb.Error) as error:
        reason = " ".join(str(error).split())[:200]
        raise ReviewdataError(f"{path} cannot be written: {reason}") from error
