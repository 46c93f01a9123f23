"""A resource becomes relations of DuckDB: its text as printed, and its typed values.

`store.NAME` holds the text of each column and, where a type is not text, the typed value, from
one scan of the file. Three views are what the rest sees: `NAME` (typed), `raw.NAME` (text, with
`_row` and `_line`) and `cells.NAME` (typed, with `_row`, `_line` and the text of the schema's
field number i as `_text_i`), so that no join is needed to know what was printed.

DuckDB reads a file by itself where that cannot change what is read (see `scans`). Any other file
goes record by record, as frictionless reads it, into a copy of one fixed form.
"""

from __future__ import annotations

import csv
import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from reviewdata.columns import quote_name, sql_type, typed
from reviewdata.direct import load_directly
from reviewdata.foreign import read_table
from reviewdata.package import Resource
from reviewdata.plans import IRREGULAR, Loaded, Plan, Sieve, list_typed, plan_columns
from reviewdata.records import (
    NULL,
    RECORD_LIMIT,
    Dialect,
    Refusal,
    check_compression,
    is_foreign,
    is_table,
    name_form,
)
from reviewdata.scans import list_texts, read_csv
from reviewdata.tableschema import RESERVED

EXTRA_LIMIT = 100
"""Cells too many of one record that are told one by one; of more the first is told.

frictionless copies all cells of a record for each of them.
"""

LINE = 2 * 1024 * 1024
"""Bytes in a line of the copy up to which DuckDB's own buffers do."""


def load_resource(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    folder: Path,
    *,
    stored: bool = True,
    sieve: Sieve | None = None,
) -> Loaded:
    """Load a resource, or of a file that DuckDB reads by itself what the `sieve` leaves.

    `folder` has room for a copy of the file; unless `stored`, values are typed where they are
    read, for tables of which mostly the text is. Raises Refusal for a file that no reader can
    make a table of, OSError where the disk is full.
    """
    if not is_table(resource.descriptor) or resource.file is None:
        read = "only CSV, JSON and XLSX are read"
        raise Refusal("RD107", {"format": name_form(resource.descriptor), "read": read})
    try:
        check_compression(resource.file, resource.descriptor)
        return _load(connection, resource, folder, sieve, stored=stored)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise Refusal("RD106", {"note": (error.strerror or str(error)).lower()}) from error
    except duckdb.Error as error:
        reason = " ".join(str(error).split())[:300]
        if "No space left" in reason:
            raise OSError(errno.ENOSPC, reason) from error
        raise Refusal("RD106", {"note": reason}) from error


def _load(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    folder: Path,
    sieve: Sieve | None,
    *,
    stored: bool,
) -> Loaded:
    dialect = Dialect.of(resource.descriptor)
    assert resource.file is not None
    before = take_stamp(resource.file)
    plan = replace(plan_columns(resource, dialect), stored=stored)
    loaded = None
    if not is_foreign(resource.descriptor):
        loaded = load_directly(connection, resource, dialect, plan, sieve)
    if loaded is None:
        loaded = load_by_record(connection, resource, dialect, plan, folder)
    create_views(connection, resource, plan, loaded)
    return replace(loaded, stamp=before)


def take_stamp(file: Path) -> tuple[int, int, int]:
    """Return the number, size and time of a file, one of which is another when it is changed.

    Raises OSError where it is gone.
    """
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def load_by_record(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    dialect: Dialect,
    plan: Plan,
    folder: Path,
) -> Loaded:
    """Write the records with their places as a CSV of one fixed form, and load that.

    What is NULL there, the line of a file that has none too, is written as a number: without
    quotes, and only what has none can be null.

    A short record is filled up with nulls, a long one cut. Blank records are left out, as
    frictionless reports them and reads no values from them. `irregular.NAME` has all of these:
    row, line and number of cells, and a record of its own for each cell too many, with its
    column's number and its text. Of a record that is too long by more than EXTRA_LIMIT, it has
    the first of them.
    """
    copy, odd = folder / "records.csv", folder / "irregular.csv"
    records = read_table(resource, plan.columns(resource))
    if dialect.header:
        next(records)
    width = len(plan.names)
    widest = max(width, len(resource.fields))
    longest, written, refused = LINE, 0, 0
    empty_is_value = any("" not in resource.missing_values(name) for name in plan.fields)
    with (
        copy.open("w", encoding="utf-8", newline="") as out,
        odd.open("w", encoding="utf-8", newline="") as beside,
    ):
        writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        irregular = csv.writer(beside, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        for row, line, cells in records:
            count = len(cells)
            blank = not any(cells) and not (cells and empty_is_value)
            if count < width or blank:
                irregular.writerow([row, line, count, NULL, NULL])
            if blank:
                refused += 1
                continue
            if (size := sum(map(len, filter(None, cells)))) > RECORD_LIMIT:
                note = f"record {row} has more than {RECORD_LIMIT:,} characters"
                raise Refusal("RD106", {"note": note}, line)
            if size > LINE // 16:  # four bytes a character, and a quote may be doubled
                longest = max(longest, 2 * sum(len(cell.encode()) + 2 for cell in cells if cell))
            told = count if count <= widest + EXTRA_LIMIT else widest + 1
            for number, cell in enumerate(cells[width:told], start=width + 1):
                irregular.writerow([row, line, count, number, cell])
            padding: list[Any] = [NULL] * (width - count)
            writer.writerow([row, line, *cells[:width], *padding])
            written += 1
    options = (
        f"header = false, delim = ',', new_line = '\\n', max_line_size = {longest}, "
        f"nullstr = '{NULL}', allow_quoted_nulls = false"
    )
    values = "".join(f", {value}" for value in list_typed(resource, plan))
    source = read_csv(copy, options, list_texts(width), RESERVED)
    name = quote_name(resource.name)
    connection.execute(f"CREATE TABLE store.{name} AS SELECT *{values} FROM {source}")
    copy.unlink()
    source = read_csv(odd, options, ["text"], list(IRREGULAR)[:-1])
    connection.execute(
        f"CREATE TABLE irregular.{name} AS"
        f" SELECT * REPLACE (coalesce(cells, 0) AS cells) FROM {source}"
    )
    odd.unlink()
    return Loaded(plan, written, refused, by_record=True, beside=True, numbered=True)


def create_views(
    connection: duckdb.DuckDBPyConnection, resource: Resource, plan: Plan, loaded: Loaded
) -> None:
    """Create the three views of a table that is in the store."""
    name = quote_name(resource.name)
    places = list(RESERVED) if loaded.numbered else [f"rowid + 2 AS {place}" for place in RESERVED]
    texts, values, raw = [], [], []
    for number, (field, descriptor) in enumerate(plan.fields.items(), start=1):
        text = plan.source[field] or "CAST(NULL AS VARCHAR)"
        texts.append(f"{text} AS _text_{number}")
        if plan.source[field] is None:
            value = f"CAST(NULL AS {sql_type(descriptor)})"
        elif plan.stores(descriptor):
            value = f"v{number}"
        else:
            value = typed(descriptor, text, resource.missing_values(field))
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
