"""A resource becomes relations of DuckDB: its text as printed, and its typed values.

`store.NAME` holds the text of each column and, where a type is not text, the typed value, from
one scan of the file. Three views are what the rest sees: `NAME` (typed), `raw.NAME` (text, with
`_row` and `_line`) and `cells.NAME` (typed, with `_row`, `_line` and the text of the schema's
field number i as `_text_i`), so that no join is needed to know what was printed.

DuckDB reads a file by itself where that cannot change what is read: plain UTF-8, one line a
record, the right number of cells in each. Any other file goes record by record, as frictionless
reads it, into a copy of one fixed form.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from reviewdata.columns import quote_name, quote_text, sql_type, typed
from reviewdata.package import Resource
from reviewdata.records import Dialect, Refusal, is_delimited, read_records

RESERVED = ("_row", "_line")
"""Names that a relation has beside the fields of its schema."""

BLOCK = 1024 * 1024
BUFFER = 4 * 1024 * 1024
"""Bytes that DuckDB reads at a time; more costs memory and saves nothing measurable."""

_NO_NULL = "\x01reviewdata: no cell is this\x01"


@dataclass(frozen=True)
class _Plan:
    """The columns of a file, the fields of its schema, and where each field's text is."""

    names: tuple[str, ...]
    fields: Mapping[str, Mapping[str, Any]]
    source: Mapping[str, str | None]


def load_resource(
    connection: duckdb.DuckDBPyConnection, resource: Resource, folder: Path
) -> tuple[str, ...]:
    """Load a resource and return the fields of its typed relation.

    `folder` has room for a copy of the file. Raises Refusal for a file that no reader can
    make a table of, duckdb.Error where DuckDB has no room.
    """
    if not is_delimited(resource.descriptor) or resource.file is None:
        raise Refusal("RD107", {"format": resource.descriptor.get("format", "another format")})
    dialect = Dialect.of(resource.descriptor)
    plan = _plan(resource, dialect)
    if not _load_directly(connection, resource, dialect, plan):
        _load_by_record(connection, resource, dialect, plan, folder)
    _create_views(connection, resource, plan)
    return tuple(plan.fields)


def _plan(resource: Resource, dialect: Dialect) -> _Plan:
    assert resource.file is not None
    labels = list(resource.fields)
    if dialect.header:
        first = next(iter(read_records(resource.file, dialect)), None)
        if first is None:
            raise Refusal("RD102", {})
        labels = [label.strip() for label in first.cells]
    names = column_names(labels, resource)
    fields = distinct(resource.fields or {name: {} for name in names})
    position = {name.lower(): f"t{number}" for number, name in enumerate(names, start=1)}
    return _Plan(tuple(names), fields, {name: position.get(name.lower()) for name in fields})


def _load_directly(
    connection: duckdb.DuckDBPyConnection, resource: Resource, dialect: Dialect, plan: _Plan
) -> bool:
    """Let DuckDB read the file; return False, with nothing left, where it must not."""
    assert resource.file is not None
    plain = Dialect(delimiter=dialect.delimiter)
    lines = _count_lines(resource.file)
    if dialect != plain or len(dialect.delimiter) != 1 or len(plan.names) < 2 or lines is None:
        return False
    table = f"store.{quote_name(resource.name)}"
    options = (
        f"header = true, delim = {quote_text(dialect.delimiter)}, buffer_size = {BUFFER}, "
        f"nullstr = {quote_text(_NO_NULL)}"
    )
    try:
        connection.execute(_create(resource, plan, resource.file, options, []))
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        return False  # ragged, an open quote, a byte that is not UTF-8: read by record
    blank = " AND ".join(f"t{number} = ''" for number in range(1, len(plan.names) + 1))
    counts = f"SELECT count(*), count_if({blank}) FROM {table}"
    [(rows, blanks)] = connection.execute(counts).fetchall()
    if blanks or rows + 1 != lines:
        connection.execute(f"DROP TABLE {table}")
        return False
    return True


def _count_lines(file: Path) -> int | None:
    """Return the number of lines; None where a byte asks for a reader that knows of lines."""
    lines, last = 0, b""
    with file.open("rb") as binary:
        while block := binary.read(BLOCK):
            if (
                (not lines and block.startswith(b"\xef\xbb\xbf"))
                or b"\r" in block
                or b"\0" in block
            ):
                return None
            lines += block.count(b"\n")
            last = block
    return lines + (not last.endswith(b"\n"))


def _load_by_record(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    dialect: Dialect,
    plan: _Plan,
    folder: Path,
) -> None:
    """Write the records with their places as a CSV of one fixed form, and load that.

    A short record is filled up with nulls, a long one cut: the structure stage reports both.
    Blank records are left out, as frictionless reports them and reads no values from them.
    """
    assert resource.file is not None
    copy = folder / "records.csv"
    records = read_records(resource.file, dialect)
    if dialect.header:
        next(records)
    width = len(plan.names)
    with copy.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for row, line, cells in records:
            if not any(cells):
                continue
            padding: list[Any] = ["\\N"] * (width - len(cells))
            writer.writerow([row, line, *cells[:width], *padding])
    options = "header = false, delim = ',', nullstr = '\\N', max_line_size = 268435456"
    connection.execute(_create(resource, plan, copy, options, RESERVED))
    copy.unlink()


def _create(
    resource: Resource, plan: _Plan, file: Path, options: str, places: Iterable[str]
) -> str:
    """Return the statement that loads text and typed values in one scan.

    The text is always selected beside its cast: alone, TRY_CAST would be pushed into the
    reader as a hard one (duckdb#23818).
    """
    columns = dict.fromkeys(places, "BIGINT")
    columns |= {f"t{number}": "VARCHAR" for number in range(1, len(plan.names) + 1)}
    listed = ", ".join(f"{quote_text(n)}: {quote_text(t)}" for n, t in columns.items())
    values = [
        f"{typed(field, text, resource.missing_values(name))} AS v{number}"
        for number, (name, field) in enumerate(plan.fields.items(), start=1)
        if (text := plan.source[name]) and sql_type(field) != "VARCHAR"
    ]
    return (
        f"CREATE TABLE store.{quote_name(resource.name)} AS SELECT {', '.join(['*', *values])} "
        f"FROM read_csv({quote_text(str(file))}, columns = {{{listed}}}, auto_detect = false, "
        f"quote = '\"', escape = '\"', {options})"
    )


def _create_views(connection: duckdb.DuckDBPyConnection, resource: Resource, plan: _Plan) -> None:
    name = quote_name(resource.name)
    [(stored,)] = connection.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'store' AND table_name = ?"
        " AND column_name = '_row'",
        [resource.name],
    ).fetchall()
    places = list(RESERVED) if stored else [f"rowid + 2 AS {place}" for place in RESERVED]
    texts, values, raw = [], [], []
    for number, (field, descriptor) in enumerate(plan.fields.items(), start=1):
        text = plan.source[field] or "CAST(NULL AS VARCHAR)"
        texts.append(f"{text} AS _text_{number}")
        kind = sql_type(descriptor)
        if kind == "VARCHAR":
            value = typed(descriptor, text, resource.missing_values(field))
        else:
            value = f"v{number}" if plan.source[field] else f"CAST(NULL AS {kind})"
        values.append(f"{value} AS {quote_name(field)}")
        if plan.source[field] is None:
            raw.append(f"{text} AS {quote_name(field)}")
    raw = [f"t{i} AS {quote_name(n)}" for i, n in enumerate(plan.names, start=1)] + raw
    views = {
        "main": values or [f"{places[0]}"],
        "raw": [*places, *raw],
        "cells": [*places, *values, *texts],
    }
    for schema, listed in views.items():
        connection.execute(
            f"CREATE VIEW {schema}.{name} AS SELECT {', '.join(listed)} FROM store.{name}"
        )


def column_names(labels: Sequence[str], resource: Resource) -> list[str]:
    """Return a distinct column name for each label: the label itself where that is possible."""
    taken: set[str] = set(RESERVED)
    known = {name.lower(): name for name in resource.fields}
    names = []
    for number, label in enumerate(labels, start=1):
        clash = label.lower() in known and known[label.lower()] != label
        name = f"_column_{number}" if not label or clash or label.lower() in taken else label
        taken.add(name.lower())
        names.append(name)
    return names


def distinct(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields without those whose name differs from another's only in case."""
    kept: dict[str, Any] = {}
    for name, descriptor in fields.items():
        if name.lower() not in {k.lower() for k in kept} | set(RESERVED):
            kept[name] = descriptor
    return kept
