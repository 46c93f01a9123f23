"""A file as DuckDB reads it in one scan: all of it, or the records that a sieve leaves."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from reviewdata.columns import quote_name
from reviewdata.package import Resource
from reviewdata.plans import IRREGULAR, NONE, Loaded, Plan, Sieve, Sieved, list_typed
from reviewdata.records import Dialect
from reviewdata.scans import Scan, open_scan


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
    values = "".join(f", {value}" for value in list_typed(resource, plan))
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
    values = "".join(f", {value}" for value in list_typed(resource, plan))
    if left.where == NONE:  # nothing is read
        texts = ", ".join(f"'' AS {text}" for text in scan.texts)
        some = f"SELECT 0 AS _row, 0 AS _line, {texts} LIMIT 0"
    connection.execute(f"CREATE TABLE {table} AS SELECT *{values} FROM ({some})")
    blank = " AND ".join(f"{text} = ''" for text in scan.texts)
    if connection.execute(f"SELECT 1 FROM {table} WHERE {blank} LIMIT 1").fetchall():
        connection.execute(f"DROP TABLE {table}")
        return None
    loaded = _tell(connection, resource, plan, scan, left.records)
    none = left.where == NONE
    clear, plain = none and scan.is_even, none and scan.plain  # a control character is suspected
    return replace(loaded, numbered=True, whole=False, clear=clear, plain=plain)


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
        columns = ", ".join(f"{name} {type_}" for name, type_ in IRREGULAR.items())
        beside = f"irregular.{quote_name(resource.name)}"
        connection.execute(f"CREATE TABLE {beside} ({columns})")
        if rows:
            connection.execute(f"INSERT INTO {beside} VALUES {rows}")
    uneven = not scan.is_even
    return Loaded(plan, records, len(scan.blank), beside=uneven, numbered=uneven)
