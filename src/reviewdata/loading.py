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

import codecs
import csv
import errno
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from reviewdata.columns import quote_name, quote_text, sql_type, typed
from reviewdata.compressed import is_gzipped, open_binary
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
from reviewdata.tableschema import RESERVED

BLOCK = 1024 * 1024
BUFFER = 1024 * 1024
"""Bytes that DuckDB reads at a time; more costs memory and saves nothing measurable."""

WIDE = 250
"""Columns above which values are not stored: in one scan their expressions take all memory."""

EXTRA_LIMIT = 100
"""Cells too many of one record that are told one by one; of more the first is told.

frictionless copies all cells of a record for each of them.
"""

LINE = 2 * 1024 * 1024
"""Bytes in a line of the copy up to which DuckDB's own buffers do."""

_NO_NULL = "\r"  # in no file that DuckDB reads by itself
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

    def stores(self, field: Mapping[str, Any]) -> bool:
        """Whether the typed value of a field is stored, rather than made where it is read."""
        return self.stored and sql_type(field) != "VARCHAR" and len(self.names) <= WIDE


def load_resource(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    folder: Path,
    *,
    stored: bool = True,
) -> tuple[str, ...]:
    """Load a resource and return the fields of its typed relation.

    `folder` has room for a copy of the file; unless `stored`, values are typed where they are
    read, for tables of which mostly the text is. Raises Refusal for a file that no reader can
    make a table of, OSError where the disk is full.
    """
    if not is_table(resource.descriptor) or resource.file is None:
        raise Refusal("RD107", {"format": name_form(resource.descriptor)})
    try:
        check_compression(resource.file, resource.descriptor)
        return _load(connection, resource, folder, stored=stored)
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
    connection: duckdb.DuckDBPyConnection, resource: Resource, folder: Path, *, stored: bool
) -> tuple[str, ...]:
    dialect = Dialect.of(resource.descriptor)
    plan = replace(plan_columns(resource, dialect), stored=stored)
    if not load_directly(connection, resource, dialect, plan):
        load_by_record(connection, resource, dialect, plan, folder)
    told = json.dumps({"header": plan.header, "labels": plan.labels})
    table = f"store.{quote_name(resource.name)}"
    connection.execute(f"COMMENT ON TABLE {table} IS {quote_text(told)}")
    create_views(connection, resource, plan)
    return tuple(plan.fields)


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
    connection: duckdb.DuckDBPyConnection, resource: Resource, dialect: Dialect, plan: Plan
) -> bool:
    """Let DuckDB read the file; return False, with nothing left, where it must not."""
    assert resource.file is not None
    plain = Dialect(delimiter=dialect.delimiter)
    odd = dialect.delimiter in ' "\r\n' or not dialect.delimiter.isascii()
    if dialect != plain or odd or len(plan.names) < 2:
        return False
    lines = _count_lines(resource.file, dialect.delimiter)
    if lines is None:
        return False
    table = f"store.{quote_name(resource.name)}"
    options = (
        f"header = true, delim = {quote_text(dialect.delimiter)}, buffer_size = {BUFFER}, "
        f"new_line = '\\n', nullstr = {quote_text(_NO_NULL)}"
    )
    if is_gzipped(resource.file):
        options += ", compression = 'gzip'"
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


_SPACED = (b' "', b'" ', b'\t"', b'"\t')


def _count_lines(file: Path, delimiter: str) -> int | None:
    """Return the number of lines; None where DuckDB may read them otherwise than Python.

    It does with old line ends, a byte order mark, and white space around a quoted cell.
    """
    edge = rb"(^|\n|" + re.escape(delimiter.encode()) + rb"|$)"
    spaced = re.compile(edge + rb'[ \t]+"|"[ \t]+' + edge)
    lines, last = 0, b""
    with open_binary(file) as binary:
        while block := binary.read(BLOCK):
            block += binary.readline()  # so that a block ends with its line
            if (
                (not last and block.startswith(codecs.BOM_UTF8))
                or any(byte in block for byte in (b"\r", b"\0"))
                or (b'"' in block and any(m in block for m in _SPACED) and spaced.search(block))
            ):
                return None
            lines += block.count(b"\n")
            last = block
    return lines + (not last.endswith(b"\n"))


def load_by_record(
    connection: duckdb.DuckDBPyConnection,
    resource: Resource,
    dialect: Dialect,
    plan: Plan,
    folder: Path,
) -> None:
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
    longest = LINE
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
    options = (
        f"header = false, delim = ',', new_line = '\\n', max_line_size = {longest}, "
        f"nullstr = '{_NULL}', allow_quoted_nulls = false"
    )
    connection.execute(_create(resource, plan, copy, options, RESERVED))
    copy.unlink()
    listed = ", ".join(f"{name}: '{type_}'" for name, type_ in _IRREGULAR.items())
    connection.execute(
        f"CREATE TABLE irregular.{quote_name(resource.name)} AS"
        f" SELECT * REPLACE (coalesce(cells, 0) AS cells) FROM read_csv({quote_text(str(odd))},"
        f" columns = {{{listed}}}, auto_detect = false, quote = '\"', escape = '\"', {options})"
    )
    odd.unlink()


_IRREGULAR = dict.fromkeys(("row", "line", "cells", "number"), "BIGINT") | {"text": "VARCHAR"}


def _create(resource: Resource, plan: Plan, file: Path, options: str, places: Iterable[str]) -> str:
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
        if (text := plan.source[name]) and plan.stores(field)
    ]
    return (
        f"CREATE TABLE store.{quote_name(resource.name)} AS SELECT {', '.join(['*', *values])} "
        f"FROM read_csv({quote_text(str(file))}, columns = {{{listed}}}, auto_detect = false, "
        f"quote = '\"', escape = '\"', {options})"
    )


def is_by_record(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether a table went by record, since its file is not of the form that DuckDB reads."""
    [(places,)] = connection.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE database_name = current_database()"
        " AND schema_name = 'store' AND table_name = ? AND column_name = '_row'",
        [table],
    ).fetchall()
    return bool(places)


def create_views(connection: duckdb.DuckDBPyConnection, resource: Resource, plan: Plan) -> None:
    """Create the three views of a table that is in the store."""
    name = quote_name(resource.name)
    by_record = is_by_record(connection, resource.name)
    places = list(RESERVED) if by_record else [f"rowid + 2 AS {place}" for place in RESERVED]
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
