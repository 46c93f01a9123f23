"""Which records of a file need to be loaded, where the structure of a table is all that is asked.

One scan counts, for each column, the cells with which something may be wrong, and compares keys
by their hashes. Mostly it finds nothing, and then nothing is loaded; else the records that it
suspects are, with all that have a key in common, and are judged as a whole table would be. A
suspect is found again by its hash, since to number records is quick where little else is done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from reviewdata.columns import sql_type
from reviewdata.files import has_controls
from reviewdata.package import Resource, can_follow
from reviewdata.plans import NONE, Plan, Sieved
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.compiled.columns import Column
from reviewdata.stages.compiled.constraints import not_among
from reviewdata.stages.compiled.keys import compared_kind, read_plain
from reviewdata.stages.compiled.sheet import AT_ONCE, compile_columns, open_sheet
from reviewdata.stages.hygiene import are_plain, find_variants, is_free, is_suspicious
from reviewdata.tables import Tables
from reviewdata.tableschema import list_values

MOST = 10_000
"""Suspected cells of a file; one with more is loaded whole."""

BITS = 6
"""Bits of a suspect's hash that have the number of its column."""

WHOLE, EMPTY = 62, 63
"""Codes of a record that asks for the whole file, and of one whose primary key is empty."""

FEW = 20
"""Hashes that are compared one by one."""


def sieve(
    tables: Tables, resource: Resource, plan: Plan, source: str, usable: Collection[str]
) -> Sieved | None:
    """Return which records of a file are to be loaded; None where all are.

    `source` is the SQL of its scan, `usable` names the tables that a foreign key can lead to.
    All are loaded where the header is not the schema's, where another table refers to this one,
    where a value in a key is to be looked up, where a record is blank. Raises Beyond for what SQL
    does not take, and for a key that is looked up otherwise than by one plain value.
    """
    if (
        list(plan.labels) != list(resource.fields)
        or len(plan.labels) > AT_ONCE
        or resource.schema.get("uniqueKeys")
        or _is_referred_to(tables, resource)
    ):
        return None
    unjudged: list[tuple[str, str]] = []
    columns = compile_columns(tables, resource, list(resource.fields.values()), {}, unjudged)
    if unjudged or any(map(_has_controls, columns)):
        return None
    primary = [column for column in columns if column.name in resource.primary_key]
    keys = [[column] for column in columns if column.field["constraints"].get("unique")]
    keys += [primary] if primary else []
    suspected = {column: _suspect(column) for column in columns}
    for column, lost in _find_lost(tables, resource, columns, usable):
        suspected[column] = f"{suspected[column]} OR {lost}"
    suspected = {column: sql for column, sql in suspected.items() if sql != NONE}
    empty = _is_empty(primary) if primary and not any(c.required for c in primary) else NONE
    flags = {_ask_whole(resource, columns): str(WHOLE)}
    flags |= {sql: _code(column) for column, sql in suspected.items()}
    flags |= {empty: str(EMPTY)}
    flags.pop(NONE, None)
    digests = [f"k{number}" for number in range(len(keys))]
    repeats = [f"count({digest}) - count(DISTINCT {digest})" for digest in digests]
    asked = ["count(*)", "count(suspect)", f"min(suspect, {MOST})", *repeats]
    with tables.cursor() as cursor:  # DuckDB's own error says that it does not read the file
        cursor.execute(f"SELECT {', '.join(asked)} FROM ({_mark(flags, keys, source)})")
        [(records, number, given, *repeated)] = cursor.fetchall()
    codes = given or ()
    if WHOLE in codes or number + sum(repeated) > MOST:
        return None
    free = (c for c in columns if sql_type(c.field) == "VARCHAR" and is_free(resource, c.name))
    if find_variants(tables, source, {column.name: column.text for column in free}):
        return None
    wanted = [_is_suspect(column, codes) for column in suspected]
    wanted += [empty] if EMPTY in codes else []
    for key, more in zip(keys, repeated, strict=True):
        if more:
            digest = _digest(key)
            rows = tables.look(
                f"SELECT {digest} AS digest FROM {source} WHERE digest IS NOT NULL"
                " GROUP BY ALL HAVING count(*) > 1"
            )
            wanted.append(_is_in(digest, [known for (known,) in rows]))
    return Sieved(records, " OR ".join(sql for sql in wanted if sql != NONE) or NONE)


def _mark(flags: Mapping[str, str], keys: Sequence[Sequence[Column]], source: str) -> str:
    """Return SQL for the code of the first flag that is set for a record, and the hash of each key.

    Each flag is a column first, which is quicker than a condition among others. Beside distinct
    keys, DuckDB keeps for each record all columns that are aggregated, so these must be few.
    """
    names = [f"f{number}" for number in range(len(flags))]
    listed = "".join(f", ({sql}) AS {name}" for name, sql in zip(names, flags, strict=True))
    cases = " ".join(f"WHEN {n} THEN {code}" for n, code in zip(names, flags.values(), strict=True))
    suspect = f"CASE {cases} END" if cases else "NULL"
    digests = "".join(f", {_digest(key)} AS k{number}" for number, key in enumerate(keys))
    marked = f"SELECT CAST({suspect} AS UBIGINT) AS suspect{digests}"
    return f"{marked} FROM (SELECT *{listed} FROM {source})"


def _code(column: Column) -> str:
    """Return the SQL of what tells a suspected text, and its column, from most others."""
    return f"(hash({column.text}) >> {BITS} << {BITS}) | {column.number}"


def _is_suspect(column: Column, codes: Sequence[int]) -> str:
    """Return the SQL that says that the text of a column is one of the suspects, or looks so."""
    known = [code for code in codes if code % 2**BITS == column.number and code > EMPTY]
    return _is_in(f"({_code(column)})", known) if known else NONE


def _is_in(digest: str, known: Sequence[int]) -> str:
    """Return the SQL that says that a hash is one of some; as literals many would take long."""
    listed = ",".join(map(str, known))
    if len(known) <= FEW:
        return f"{digest} IN ({listed})"
    return f"{digest} IN (SELECT unnest(CAST(string_split('{listed}', ',') AS UBIGINT[])))"


def _is_referred_to(tables: Tables, resource: Resource) -> bool:
    others = tables.package.resources.values()
    return any(key.resource == resource.name for other in others for key in other.foreign_keys)


def _has_controls(column: Column) -> bool:
    """Whether a control character may stand in a cell that nothing is said of."""
    listed = (column.field.get(name, ()) for name in ("trueValues", "falseValues"))
    return has_controls(
        "".join([*column.missing, *(w for words in listed for w in words)]).encode()
    )


def _ask_whole(resource: Resource, columns: Sequence[Column]) -> str:
    """Return the SQL of a record for which the file is loaded whole."""
    compared = {name for key in resource.foreign_keys for name in key.fields}
    compared |= {column.name for column in columns if column.field["constraints"].get("unique")}
    compared |= set(resource.primary_key)
    odd = (c for c in columns if c.name in compared and c.reading.plain != "true")
    reasons = [column.odd for column in odd]
    if not any(column.required for column in columns):  # by which it would be a suspect
        reasons.append(" AND ".join(column.absent for column in columns))
    return " OR ".join(reasons) or NONE


def _suspect(column: Column) -> str:
    """Return the SQL that says that something may be wrong with a cell."""
    flags = [] if column.free else [column.flag]
    words = column.field["constraints"].get("enum") if "enum" in column.broken else None
    if words is None or not are_plain(
        [*words, *column.missing]
    ):  # what is in a list of plain words is plain
        flags.append(is_suspicious(column.field, column.text))
    if listed := list_values(column.field.get("categories", ())):
        flags.append(f"NOT {column.absent} AND {not_among(column.text, listed)}")
    return " OR ".join(f"({flag})" for flag in flags if flag != NONE) or NONE


def _find_lost(
    tables: Tables, resource: Resource, columns: Sequence[Column], usable: Collection[str]
) -> Iterator[tuple[Column, str]]:
    """Yield for each foreign key its column, and the SQL that no record has what it refers to.

    Raises Beyond where a key is more than the look-up of one plain value.
    """
    for key in resource.foreign_keys:
        if not can_follow(tables.package, key, usable):
            continue
        target = open_sheet(tables, tables.package.resources[key.resource])
        parent = target.find(key.reference[0])
        column = next((c for c in columns if c.name == key.fields[0]), None)
        if len(key.fields) > 1 or parent is None or column is None:
            raise Beyond("a foreign key has several columns, or one that is not there")
        if target.texts(parent).values or compared_kind(column) != compared_kind(parent):
            raise Beyond("a foreign key leads to values without a plain form")
        value, known = (f"CAST({sql} AS {kind})" for sql, kind in map(read_plain, (column, parent)))
        there = f"SELECT {known} FROM {target.table} WHERE ({known}) IS NOT NULL"
        yield column, f"(({value}) IS NOT NULL AND ({value}) NOT IN ({there}))"


def _digest(key: Sequence[Column]) -> str:
    """Return the SQL of the hash of a key; null where all of it is empty, if it may be.

    A text that must be there is compared as it is: where it is not there, it is a suspect.
    """
    values = [c.text if _is_text(c) else read_plain(c).sql for c in key]
    digest = f"hash({', '.join(values)})"
    if any(column.required for column in key):
        return digest
    return f"CASE WHEN NOT {_is_empty(key)} THEN {digest} END"


def _is_text(column: Column) -> bool:
    return (
        column.required and column.reading.plain == "true" and column.reading.value == column.text
    )


def _is_empty(key: Sequence[Column]) -> str:
    return f"({' AND '.join(f'({read_plain(column).sql}) IS NULL' for column in key)})"
