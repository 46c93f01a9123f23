"""Keys: values that must be unique, primary keys, and records that another table must have.

A value is what frictionless reads: of a text that is none of its type it reads nothing. Each
check is one aggregate or one join; records are looked for where that finds a difference.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from reviewdata.columns import quote_text
from reviewdata.package import ForeignKey
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.compiled.columns import Column
from reviewdata.stages.compiled.listing import Listing
from reviewdata.stages.compiled.sheet import Sheet
from reviewdata.stages.compiled.types import key_type
from reviewdata.stages.errors import Error
from reviewdata.stages.tally import LIMIT

MOST = 1_000
"""Unusual values of a column that may be part of a key."""


class Value(NamedTuple):
    """The SQL of a column's values as a key compares them, and its type."""

    sql: str
    type: str


def judge_keys(
    sheet: Sheet, keys: Sequence[ForeignKey], other: Callable[[str], Sheet], listing: Listing
) -> None:
    """Add the errors of keys; `other` gives the sheet of a table that a foreign key refers to.

    Raises Beyond for what SQL does not compare as frictionless does.
    """
    for column in sheet.columns:
        if column.field["constraints"].get("unique"):
            _judge_unique(sheet, column, listing)
    primary = [sheet.find(name) for name in sheet.resource.primary_key]
    known = [column for column in primary if column is not None]
    if known and len(known) == len(primary):
        _judge_primary(sheet, known, listing)
    for key in keys:
        target = other(key.resource)
        for name in key.reference:  # frictionless reads it even where nothing refers to it
            parent = target.find(name)
            if parent is not None:
                _value(target, parent, as_text=_is_text(target, parent))
        found = [sheet.find(name) for name in key.fields]
        columns = [column for column in found if column is not None]
        if len(columns) == len(key.fields):
            _judge_foreign(sheet, columns, key, target, listing)


def _judge_unique(sheet: Sheet, column: Column, listing: Listing) -> None:
    value = _value(sheet, column, as_text=_is_text(sheet, column)).sql
    number, rows = _repeats(sheet, [value], [f"{value} IS NOT NULL"], column.text)
    errors = [
        Error(
            "unique-error",
            row=row,
            field=column.name or None,
            number=column.number,
            cell=text or "",
            first=first,
        )
        for row, first, text in rows
    ]
    listing.add("unique-error", errors, number)


def _judge_primary(sheet: Sheet, columns: Sequence[Column], listing: Listing) -> None:
    values = [_value(sheet, c, as_text=_is_text(sheet, c)).sql for c in columns]
    empty = " AND ".join(f"({value}) IS NULL" for value in values)
    if any(not _is_always_there(sheet, column) for column in columns):
        [(number,)] = sheet.tables.look(f"SELECT count(*) FROM {sheet.table} WHERE {empty}")
        if number:
            rows = sheet.tables.look(
                f"SELECT {sheet.row} AS place FROM {sheet.table} WHERE {empty}"
                f" ORDER BY place LIMIT {LIMIT}"
            )
            listing.add("primary-key", [Error("primary-key", row=row) for (row,) in rows], number)
    number, rows = _repeats(sheet, values, [f"NOT ({empty})"], "NULL")
    errors = [Error("primary-key", row=row, first=first) for row, first, _ in rows]
    listing.add("primary-key", errors, number)


def _is_always_there(sheet: Sheet, column: Column) -> bool:
    """Whether each cell of a column has a value, since one that has none would be an error."""
    return column.required and not sheet.suspects([column])


def _repeats(
    sheet: Sheet, values: Sequence[str], where: Sequence[str], text: str
) -> tuple[int, list[tuple[Any, ...]]]:
    """Return the number of records whose values an earlier one has, and the first of them.

    Of each, its number, that of the last one with these values, and `text`. Hashes can only
    raise a suspicion, which the exact comparison settles.
    """
    listed = ", ".join(values)
    condition = " AND ".join(where)
    [(fewer,)] = sheet.tables.look(
        f"SELECT count(*) - count(DISTINCT hash({listed})) FROM {sheet.table} WHERE {condition}"
    )
    if not fewer:
        return 0, []
    named = ", ".join(f"{value} AS k{number}" for number, value in enumerate(values))
    names = ", ".join(f"k{number}" for number in range(len(values)))
    repeated = f"""
        WITH given AS (
          SELECT {sheet.row} AS place, {named}, {text} AS text, hash({listed}) AS digest
          FROM {sheet.table} WHERE {condition}
        ),
        twice AS (SELECT digest FROM given GROUP BY digest HAVING count(*) > 1)
        SELECT place, lag(place) OVER same AS earlier, text
        FROM given WHERE digest IN (FROM twice)
        WINDOW same AS (PARTITION BY {names} ORDER BY place)
        QUALIFY earlier IS NOT NULL"""
    rows = sheet.tables.look(f"{repeated} ORDER BY place LIMIT {LIMIT + 1}")
    if len(rows) <= LIMIT:
        return len(rows), rows
    [(number,)] = sheet.tables.look(f"SELECT count(*) FROM ({repeated})")
    return int(number), rows[:LIMIT]


def _judge_foreign(
    sheet: Sheet, columns: Sequence[Column], key: ForeignKey, target: Sheet, listing: Listing
) -> None:
    given, there = [], []
    for column, name in zip(columns, key.reference, strict=True):
        parent = target.find(name)
        text = _is_text(sheet, column) or (parent is not None and _is_text(target, parent))
        value = _value(sheet, column, as_text=text)
        given.append(value.sql)
        if parent is None:  # frictionless reads nothing there
            there.append(f"CAST(NULL AS {value.type})")
            continue
        known = _value(target, parent, as_text=text)
        if compared_kind(column) != compared_kind(parent):
            raise Beyond(f"{column.name} and {name} of {target.resource.name} have different types")
        there.append(known.sql)
    names = [f"k{number}" for number in range(len(given))]
    some = " OR ".join(f"{name} IS NOT NULL" for name in names)

    def select(values: Sequence[str], more: str, source: str) -> str:
        named = ", ".join(f"{v} AS {n}" for v, n in zip(values, names, strict=True))
        return f"SELECT * FROM (SELECT {named}{more} FROM {source}) WHERE {some}"

    on = " AND ".join(f"given.{n} IS NOT DISTINCT FROM there.{n}" for n in names)
    if len(names) == 1:
        on = "given.k0 = there.k0"
    texts = "".join(f", {c.text} AS text{number}" for number, c in enumerate(columns))
    lost = (
        f"FROM ({select(given, f', {sheet.row} AS place{texts}', sheet.table)}) AS given"
        f" ANTI JOIN ({select(there, '', target.table)}) AS there ON {on}"
    )
    [(number,)] = sheet.tables.look(f"SELECT count(*) {lost}")
    if not number:
        return
    shown = ", ".join(f"text{number}" for number in range(len(columns)))
    rows = sheet.tables.look(f"SELECT place, {shown} {lost} ORDER BY place LIMIT {LIMIT}")
    errors = [
        Error(
            "foreign-key",
            row=row,
            key=tuple(
                (column.name, text or "") for column, text in zip(columns, cells, strict=True)
            ),
            target=key.resource,
            reference=key.reference,
        )
        for row, *cells in rows
    ]
    listing.add("foreign-key", errors, number)


def compared_kind(column: Column) -> str:
    """Return what values a column has; those of two kinds are not compared here."""
    kind = str(column.field.get("type", "string"))
    return {"any": "string", "year": "integer"}.get(kind, kind)


def _is_text(sheet: Sheet, column: Column) -> bool:
    """Whether the values of a column are compared as text, since some have no plain form."""
    return bool(sheet.texts(column).values)


def read_plain(column: Column) -> Value:
    """Return the values of the cells that have the plain form, null of any other.

    Raises Beyond for a type whose values SQL does not compare.
    """
    kind = key_type(column.field)
    if kind is None:
        raise Beyond(f"{column.name} is a {column.field.get('type')} in a key")
    if column.reading.plain == "true" and column.absent == f"({column.text} IS NULL)":
        return Value(column.text, kind)
    return Value(f"CASE WHEN {column.plain} THEN {column.reading.value} END", kind)


def _value(sheet: Sheet, column: Column, *, as_text: bool) -> Value:
    """Return the values of a column as a key compares them.

    With `as_text` each is its one spelling, that of a value without a plain form looked up.
    """
    value = read_plain(column)
    plain = value.sql
    if not as_text:
        return value
    values = sheet.texts(column).values
    if len(values) > MOST:
        raise Beyond(f"{column.name} has more than {MOST:,} unusual values and is in a key")
    plain = f"CAST({plain} AS VARCHAR)"
    if not values:
        return Value(plain, "VARCHAR")
    spelt = {text: _spell(column, value) for text, value in values.items()}
    texts = ", ".join(map(quote_text, spelt))
    words = ", ".join(map(quote_text, spelt.values()))
    found = f"map_extract_value(MAP([{texts}], [{words}]), {column.text})"
    return Value(f"CASE WHEN {column.odd} THEN {found} ELSE {plain} END", "VARCHAR")


def _spell(column: Column, value: Any) -> str:
    """Return a value as DuckDB spells one that is plain."""
    match compared_kind(column):
        case "string":
            return str(value)
        case "integer":
            return str(int(value))
        case "yearmonth":
            return str(value.year * 100 + value.month)
        case "date" if isinstance(value, dt.date):
            return value.isoformat()
    raise Beyond(f"{column.name} has unusual values and is in a key")
