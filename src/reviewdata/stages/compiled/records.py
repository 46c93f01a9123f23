"""The records that are blank, too short or too long."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from reviewdata.columns import quote_text
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.compiled.listing import Listing
from reviewdata.stages.compiled.sheet import AT_ONCE, Sheet
from reviewdata.stages.errors import Error
from reviewdata.stages.tally import LIMIT

MOST = 100_000
"""Records of missing values only; a table with more goes to frictionless."""


def judge_records(sheet: Sheet, listing: Listing) -> Collection[int]:
    """Add the records of another form, and return those of the table that are blank.

    Raises Beyond where these are too many.
    """
    blank = _find_blank(sheet)
    listing.add("blank-row", [Error("blank-row", row=row) for row in sorted(blank)])
    if sheet.beside is not None:
        _judge_left_out(sheet, sheet.beside, listing)
        _judge_lengths(sheet, sheet.beside, blank, listing)
    return blank


def is_numbered(row: str, rows: Collection[int]) -> str:
    """Return the SQL that says that the number of a record is one of some."""
    listed = quote_text(",".join(map(str, rows)))
    return f"({row} IN (SELECT unnest(CAST(string_split({listed}, ',') AS BIGINT[]))))"


def _find_blank(sheet: Sheet) -> Collection[int]:
    blank = _blank(sheet)
    if blank is None:
        return ()
    rows = sheet.tables.look(
        f"SELECT {sheet.row} FROM {sheet.table} WHERE {blank} LIMIT {MOST + 1}"
    )
    if len(rows) > MOST:
        raise Beyond(f"more than {MOST:,} records have missing values only")
    return frozenset(row for (row,) in rows)


def _judge_left_out(sheet: Sheet, beside: str, listing: Listing) -> None:
    left_out = (
        f"FROM {beside} WHERE number IS NULL AND row NOT IN (SELECT {sheet.row} FROM {sheet.table})"
    )
    [(count,)] = sheet.tables.look(f"SELECT count(*) {left_out}")
    rows = sheet.tables.look(f"SELECT row, cells {left_out} ORDER BY row LIMIT {LIMIT}")
    listing.add("blank-row", [Error("blank-row", row=r, cells=n) for r, n in rows], count)


def _judge_lengths(sheet: Sheet, beside: str, blank: Collection[int], listing: Listing) -> None:
    """Add the records that are too short or too long; one that is blank is told as that."""
    width = len(sheet.columns)
    where = f" WHERE NOT {is_numbered(sheet.row, blank)}" if blank else ""
    full = f"SELECT {sheet.row} FROM {sheet.table}{where}"
    short = f"FROM {beside} WHERE number IS NULL AND row IN ({full})"
    [(count,)] = sheet.tables.look(f"SELECT coalesce(sum({width} - cells), 0) {short}")
    rows = sheet.tables.look(f"SELECT row, cells {short} ORDER BY row LIMIT {LIMIT}")
    missing = (
        Error("missing-cell", row=row, field=column.name or None, number=column.number, cells=cells)
        for row, cells in rows
        for column in sheet.columns[cells:]
    )
    listing.add("missing-cell", islice(missing, LIMIT), int(count))
    long = f"FROM {beside} WHERE number IS NOT NULL AND row IN ({full})"
    [(count,)] = sheet.tables.look(f"SELECT count(*) {long}")
    found = sheet.tables.look(
        f"SELECT row, number, text, cells {long} ORDER BY row, number LIMIT {LIMIT}"
    )
    extra = [Error("extra-cell", row=r, number=n, cell=t or "", cells=c) for r, n, t, c in found]
    listing.add("extra-cell", extra, count)


def _blank(sheet: Sheet) -> str | None:
    """Return the SQL that says that a record of the table holds nothing; None where all do.

    The loader leaves out the records of which no cell has a text.
    """
    if sheet.beside is None and all(c.missing in ((), ("",)) for c in sheet.columns):
        return None
    first = [column.absent for column in sheet.columns[:AT_ONCE]]
    groups: dict[tuple[str, ...], list[str]] = {}
    for column in sheet.columns[AT_ONCE:]:
        groups.setdefault(column.missing, []).append(column.text)
    for missing, texts in groups.items():
        words = f"[{', '.join(map(quote_text, missing))}]" if missing else "CAST([] AS VARCHAR[])"
        left = f"list_filter([{', '.join(texts)}], lambda x: NOT list_contains({words}, x))"
        first.append(f"len({left}) = 0")
    return f"({' AND '.join(first)})"
