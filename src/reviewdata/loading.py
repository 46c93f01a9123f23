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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from reviewdata.columns import quote_name, sql_type, typed
from reviewdata.files import check_delimiter
from reviewdata.package import Resource
from reviewdata.records import (
    RECORD_LIMIT,
    Dialect,
    Refusal,
    check_compression,
    is_table,
    name_form,
    read_records,
    read_sources,
)
from reviewdata.scans import Scan, list_texts, open_scan, read_csv
from reviewdata.tableschema import RESERVED

WIDE = 250
"""Columns above which values are not stored: in one scan their expressions take all memory."""

EXTRA_LIMIT = 100
"""Cells too many of one record that are told one by one; of more the first is told.

frictionless copies all cells of a record for each of them.
"""

LINE = 2 * 1024 * 1024
"""Bytes in a line of the copy up to which DuckDB's own buffers do."""

_NULL = 0  # a number is written without quotes, and only what has none can be null


@dataclass(frozen=True)
class Plan:
    """The columns of a file, the fields of its schema, and where each field's text is.

    `stored` says whether typed values are, which costs half of the time. `labels` are those of
    the header, which is the record number `header`; none, and 0, where there is no header.
    """

    names: tuple[str, ...]
    fields: Mapping[str, Mapping[str, Any]]
    source: Mapping[str, str | None]
    stored: bool = True
    labels: tuple[str, ...] = ()
    header: int = 0

    @property
    def raw(self) -> tuple[str, ...]:
        """The columns of the text: those of the file, then the fields that have none there."""
        return (*self.names, *(field for field, text in self.source.items() if text is None))

    def stores(self, field: Mapping[str, Any]) -> bool:
        """Whether the typed value of a field is stored, rather than made where it is read."""
        return self.stored and sql_type(field) != "VARCHAR" and len(self.names) <= WIDE


@dataclass(frozen=True)
class Loaded:
    """A table that was loaded by its `plan`, and the number of its records that hold something.

    `by_record` says that DuckDB did not read the file by itself, `beside` that `irregular.NAME`
    is there, `numbered` that `_row` and `_line` are stored, `plain` that no line of the file is
    odd. Of a table that is not `whole`, only
    those records are there with which something may be wrong; none are of one that is `clear`.
    """

    plan: Plan
    records: int
    by_record: bool = False
    beside: bool = False
    numbered: bool = False
    plain: bool = False
    whole: bool = True
    clear: bool = False


class Sieved(NamedTuple):
    """What one scan says of a file: its records, and the SQL of those that are to be loaded."""

    records: int
    where: str


NONE = "false"
"""The SQL of no record."""

Sieve = Callable[[Plan, str], Sieved | None]
"""Given the plan and the SQL of a scan, says which records are loaded; None: all are."""


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
        raise Refusal("RD107", {"format": name_form(resource.descriptor)})
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
    plan = replace(plan_columns(resource, dialect), stored=stored)
    loaded = load_directly(connection, resource, dialect, plan, sieve)
    if loaded is None:
        loaded = load_by_record(connection, resource, dialect, plan, folder)
    create_views(connection, resource, plan, loaded)
    return loaded


def plan_columns(resource: Resource, dialect: Dialect) -> Plan:
    """Return the columns of a file. Raises Refusal for one without a first record."""
    assert resource.file is not None
    labels = [str(entry["name"]) for entry in resource.schema.get("fields", [])]
    header = 0
    if dialect.header or not labels:
        records = read_sources(resource.file, dialect)
        found = next(((r, s) for r, s in records if dialect.header or any(r.cells)), None)
        if found is None:
            raise Refusal("RD102", {})
        first, lines = found
        if dialect.header:
            check_delimiter(lines, dialect, resource.fields)
            header = first.row
        labels = [label.strip() if dialect.header else "" for label in first.cells]
    names = column_names(labels, resource)
    fields = resource.fields or {name: {} for name in names}
    position = {name.lower(): f"t{number}" for number, name in enumerate(names, start=1)}
    source = {name: position.get(name.lower()) for name in fields}
    given = tuple(labels) if header else ()
    return Plan(tuple(names), fields, source, labels=given, header=header)


def load_directly(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    dialect: Dialect,
    plan: Plan,
    sieve: Sieve | None = None,
) -> Loaded | None:
    """Let DuckDB read the file; return None, with nothing left, where it must not."""
    assert resource.file is not None
    scan = open_scan(resource.file, dialect, len(plan.names))
    if scan is None:
        return None
    try:
        left = sieve(plan, scan.source) if sieve is not None else None
        if left is not None:
            return _load_left(connection, resource, plan, scan, left)
        return _load_whole(connection, resource, plan, scan)
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        return None  # ragged, an open quote, a byte that is not UTF-8: read by record


def _load_whole(
    connection: duckdb.DuckDBPyConnection, resource: Resource, plan: Plan, scan: Scan
) -> Loaded | None:
    table = f"store.{quote_name(resource.name)}"
    values = "".join(f", {value}" for value in _values(resource, plan))
    connection.execute(f"CREATE TABLE {table} AS SELECT *{values} FROM {scan.source}")
    blank = " AND ".join(f"{text} = ''" for text in scan.texts)
    counts = f"SELECT count(*), count_if({blank}) FROM {table}"
    [(records, blanks)] = connection.execute(counts).fetchall()
    if blanks or not scan.settle(records):
        connection.execute(f"DROP TABLE {table}")
        return None
    if not scan.is_even:
        connection.execute(f"ALTER TABLE {table} RENAME TO {quote_name(resource.name + _EVEN)}")
        even = f"store.{quote_name(resource.name + _EVEN)}"
        numbered = scan.number(even, "(rowid + 1)")
        connection.execute(f"CREATE TABLE {table} AS SELECT *{values} FROM ({numbered})")
        connection.execute(f"DROP TABLE {even}")
    return _tell(connection, resource, plan, scan, records)


_EVEN = "\n"  # in no name of a resource


def _load_left(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    plan: Plan,
    scan: Scan,
    left: Sieved,
) -> Loaded | None:
    """Load the records that a sieve leaves, each with its place."""
    if not scan.settle(left.records):
        return None
    table = f"store.{quote_name(resource.name)}"
    ordered = f"(SELECT row_number() OVER () AS ordinal, * FROM {scan.source})"
    some = scan.number(f"{ordered} WHERE {left.where}", "ordinal")
    values = "".join(f", {value}" for value in _values(resource, plan))
    if left.where == NONE:  # nothing is read
        texts = ", ".join(f"'' AS {text}" for text in scan.texts)
        some = f"SELECT 0 AS _row, 0 AS _line, {texts} LIMIT 0"
    connection.execute(f"CREATE TABLE {table} AS SELECT *{values} FROM ({some})")
    blank = " AND ".join(f"{text} = ''" for text in scan.texts)
    if connection.execute(f"SELECT 1 FROM {table} WHERE {blank} LIMIT 1").fetchall():
        connection.execute(f"DROP TABLE {table}")
        return None
    loaded = _tell(connection, resource, plan, scan, left.records)
    clear = left.where == NONE and scan.is_even
    return replace(loaded, numbered=True, whole=False, clear=clear)


def _tell(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    plan: Plan,
    scan: Scan,
    records: int,
) -> Loaded:
    """Return what was loaded from a scan; its blank lines are kept beside the table."""
    if not scan.is_even:
        rows = ", ".join(f"({row}, {line}, 0, NULL, NULL)" for row, line in scan.blank)
        columns = ", ".join(f"{name} {type_}" for name, type_ in _IRREGULAR.items())
        beside = f"irregular.{quote_name(resource.name)}"
        connection.execute(f"CREATE TABLE {beside} ({columns})")
        if rows:
            connection.execute(f"INSERT INTO {beside} VALUES {rows}")
    uneven = not scan.is_even
    return Loaded(plan, records, beside=uneven, numbered=uneven, plain=scan.plain)


def load_by_record(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    dialect: Dialect,
    plan: Plan,
    folder: Path,
) -> Loaded:
    """Write the records with their places as a CSV of one fixed form, and load that.

    A short record is filled up with nulls, a long one cut. Blank records are left out, as
    frictionless reports them and reads no values from them. `irregular.NAME` has all of these:
    row, line and number of cells, and a record of its own for each cell too many, with its
    column's number and its text. Of a record that is too long by more than EXTRA_LIMIT, it has
    the first of them.
    """
    assert resource.file is not None
    copy, odd = folder / "records.csv", folder / "irregular.csv"
    records = read_records(resource.file, dialect)
    if dialect.header:
        next(records)
    width = len(plan.names)
    widest = max(width, len(resource.fields))
    longest, written = LINE, 0
    with (
        copy.open("w", encoding="utf-8", newline="") as out,
        odd.open("w", encoding="utf-8", newline="") as beside,
    ):
        writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        irregular = csv.writer(beside, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        for row, line, cells in records:
            count = len(cells)
            blank = not any(cells)
            if count < width or blank:
                irregular.writerow([row, line, count, _NULL, _NULL])
            if blank:
                continue
            if (size := sum(map(len, cells))) > RECORD_LIMIT:
                note = f"record {row} has more than {RECORD_LIMIT:,} characters"
                raise Refusal("RD106", {"note": note}, line)
            if size > LINE // 16:  # four bytes a character, and a quote may be doubled
                longest = max(longest, 2 * sum(len(cell.encode()) + 2 for cell in cells))
            told = count if count <= widest + EXTRA_LIMIT else widest + 1
            for number, cell in enumerate(cells[width:told], start=width + 1):
                irregular.writerow([row, line, count, number, cell])
            padding: list[Any] = [_NULL] * (width - count)
            writer.writerow([row, line, *cells[:width], *padding])
            written += 1
    options = (
        f"header = false, delim = ',', new_line = '\\n', max_line_size = {longest}, "
        f"nullstr = '{_NULL}', allow_quoted_nulls = false"
    )
    values = "".join(f", {value}" for value in _values(resource, plan))
    source = read_csv(copy, options, list_texts(width), RESERVED)
    name = quote_name(resource.name)
    connection.execute(f"CREATE TABLE store.{name} AS SELECT *{values} FROM {source}")
    copy.unlink()
    source = read_csv(odd, options, ["text"], list(_IRREGULAR)[:-1])
    connection.execute(
        f"CREATE TABLE irregular.{name} AS"
        f" SELECT * REPLACE (coalesce(cells, 0) AS cells) FROM {source}"
    )
    odd.unlink()
    return Loaded(plan, written, by_record=True, beside=True, numbered=True)


_IRREGULAR = dict.fromkeys(("row", "line", "cells", "number"), "BIGINT") | {"text": "VARCHAR"}


def _values(resource: Resource, plan: Plan) -> list[str]:
    """Return the SQL of the typed values that are stored, in one scan with the text.

    The text is always selected beside its cast: alone, TRY_CAST would be pushed into the
    reader as a hard one (duckdb#23818).
    """
    return [
        f"{typed(field, text, resource.missing_values(name))} AS v{number}"
        for number, (name, field) in enumerate(plan.fields.items(), start=1)
        if (text := plan.source[name]) and plan.stores(field)
    ]


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


def column_names(labels: Sequence[str], resource: Resource) -> list[str]:
    """Return a distinct column name for each label: the label itself where that is possible."""
    taken: set[str] = set(RESERVED)
    known = {name.lower(): name for name in resource.fields}
    real = {label.lower() for label in labels} | set(known)
    names = []
    for number, label in enumerate(labels, start=1):
        name = label
        clash = label.lower() in known and known[label.lower()] != label
        if not label or clash or label.lower() in taken:
            name = f"_column_{number}"
            while name in real or name in taken:
                name += "_"
        taken.add(name.lower())
        names.append(name)
    return names
