"""The structure stage: does each cell, row, key and relation obey its Table Schema.

frictionless judges; this module turns its errors into findings that stand at the physical
line, and adds what frictionless passes over: the bytes of the file, keys of several columns
that must be unique, values that no database type holds.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from reviewdata.columns import quote_name, quote_text
from reviewdata.files import inspect_file
from reviewdata.model import Finding, Origin, Rule, Run, StageResult
from reviewdata.package import Package, Resource
from reviewdata.places import Place, find_places
from reviewdata.records import Dialect, encoding_of, read_records
from reviewdata.rules import make_finding
from reviewdata.tables import Tables
from reviewdata.tableschema import list_names, list_values

ERROR_LIMIT = 100_000
"""Errors of one table that frictionless may report before it stops reading."""

TYPES = {
    "encoding-error": "RD101",
    "source-error": "RD106",
    "format-error": "RD106",
    "blank-label": "RD110",
    "duplicate-label": "RD111",
    "missing-label": "RD112",
    "extra-label": "RD113",
    "incorrect-label": "RD114",
    "blank-row": "RD115",
    "missing-cell": "RD116",
    "extra-cell": "RD117",
    "type-error": "RD120",
    "constraint-error": "RD121",
    "unique-error": "RD122",
    "primary-key": "RD123",
    "foreign-key": "RD124",
    "hash-count": "RD126",
    "byte-count": "RD126",
}
"""frictionless's error types and our codes; any other type is RD199."""


def check(tables: Tables) -> StageResult:
    """Return the findings on every table that has a file."""
    package = tables.package
    rules = {c: r for c, r in package.rules.items() if r.stage == "structure"}
    findings: list[Finding] = []
    faults = {name: _fault(package.resources[name]) for name in tables.columns}
    usable = [name for name, fault in faults.items() if fault is None]
    for resource in package.resources.values():
        if resource.file is None:
            continue
        for code, line, values in inspect_file(resource.file, encoding_of(resource.descriptor)):
            findings.append(
                make_finding(
                    rules[code], values, table=resource.name, path=resource.path, line=line
                )
            )
        refusal = tables.refusals.get(resource.name)
        if refusal is not None:
            rule = rules[refusal.code]
            place: dict[str, Any] = {"table": resource.name, "path": resource.path}
            findings.append(make_finding(rule, refusal.values, line=refusal.line, **place))
            continue
        fault = faults[resource.name]
        if fault is not None:
            findings.append(_other(package, resource, "schema-error", fault))
            continue
        found = list(_frictionless(tables, resource, usable))
        findings += found
        findings += _unheld(tables, resource, {(f.row, f.field) for f in found})
        findings += _unique_keys(tables, resource)
        findings += _formulas(tables, resource)
    return StageResult(tuple(_runs(tables, rules, findings)), tuple(findings))


def _runs(tables: Tables, rules: Mapping[str, Rule], findings: Sequence[Finding]) -> Iterator[Run]:
    """Yield how each rule ended; a key to a table that could not be read was not judged."""
    failed = {finding.code for finding in findings}
    rows = sum(_count(tables, name) for name in tables.columns)
    unjudged = [
        f"{resource.name} refers to {key.resource}, which could not be read"
        for resource in tables.package.resources.values()
        for key in resource.foreign_keys
        if resource.name in tables.columns and key.resource not in tables.columns
    ]
    for code in rules:
        why = "; ".join(unjudged) or None if code == TYPES["foreign-key"] else None
        if code in failed:
            yield Run("structure", code, "fail", why, rows)
        elif why or not tables.columns:
            yield Run("structure", code, "skipped", why or "no table could be read", rows)
        else:
            yield Run("structure", code, "pass", None, rows)


def _frictionless(tables: Tables, resource: Resource, usable: Collection[str]) -> Iterator[Finding]:
    """Yield frictionless's verdict on one table, each at its physical line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import Checklist, system
        from frictionless import Package as Descriptor

        with system.use_context(trusted=True):  # paths were checked when the package was opened
            readable = [tables.package.resources[name] for name in usable]
            descriptor = {"resources": [_described(r, tables, usable) for r in readable]}
            package = Descriptor.from_descriptor(descriptor, basepath=str(tables.package.root))
            target = package.get_resource(resource.name)
            report = target.validate(Checklist(), limit_errors=ERROR_LIMIT)
    errors = [error for task in report.tasks for error in task.errors]
    rows = [n for e in errors if isinstance(n := getattr(e, "row_number", None), int)]
    places = find_places(tables, resource.name, rows)
    blanks = _blank_lines(resource, rows, places)
    for error in errors:
        blank = getattr(error, "row_number", None) in blanks
        if not blank or error.type == "blank-row":  # its empty key says nothing more
            yield _finding(tables.package, resource, error, places, blanks)
    if len(errors) >= ERROR_LIMIT:
        note = f"{ERROR_LIMIT:,} errors; the rest of the table was not judged"
        yield _other(tables.package, resource, "error-limit", note)


def _fault(resource: Resource) -> str | None:
    """Return what keeps frictionless from using a schema, None where it can."""
    if not resource.fields:
        return "the table has no Table Schema that can be used; its cells were not judged"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import FrictionlessException, Schema
    schema = {k: v for k, v in resource.schema.items() if k not in ("primaryKey", "foreignKeys")}
    try:
        Schema.from_descriptor(schema)
    except FrictionlessException as error:
        reasons = error.reasons or [error.error]
        return str(reasons[0].note or reasons[0].message)
    return None


def _other(package: Package, resource: Resource, type_: str, note: str) -> Finding:
    place: dict[str, Any] = {"table": resource.name, "path": resource.path}
    return make_finding(package.rules["RD199"], {"type": type_, "note": note}, type=type_, **place)


def _described(resource: Resource, tables: Tables, usable: Collection[str]) -> dict[str, Any]:
    """Return the descriptor that frictionless gets: explicit where it would guess."""
    dialect = Dialect.of(resource.descriptor)
    schema = {k: v for k, v in resource.schema.items() if k not in ("primaryKey", "foreignKeys")}
    if all(name in resource.fields for name in resource.primary_key):
        schema["primaryKey"] = list(resource.primary_key)
    schema["foreignKeys"] = [
        {
            "fields": list(key.fields),
            "reference": {
                "resource": "" if key.resource == resource.name else key.resource,
                "fields": list(key.reference),
            },
        }
        for key in resource.foreign_keys
        if key.resource in usable
        and all(name in resource.fields for name in key.fields)
        and all(name in tables.package.resources[key.resource].fields for name in key.reference)
    ]
    csv = {
        "delimiter": dialect.delimiter,
        "quoteChar": dialect.quote,
        "escapeChar": dialect.escape,
        "doubleQuote": dialect.double_quote,
        "skipInitialSpace": dialect.skip_space,
        "lineTerminator": "\r\n",
    }
    given: dict[str, Any] = {"csv": {k: v for k, v in csv.items() if v is not None}}
    if not dialect.header:
        given["header"] = False
    if dialect.comment:
        given["commentChar"] = dialect.comment
    described = {
        "name": resource.name,
        "type": "table",
        "path": resource.path,
        "format": "csv",
        "encoding": dialect.codec,
        "dialect": given,
        "schema": schema,
    }
    for name in ("hash", "bytes"):
        if name in resource.descriptor:
            described[name] = resource.descriptor[name]
    return described


def _finding(
    package: Package,
    resource: Resource,
    error: Any,
    places: dict[int, Place],
    blanks: dict[int, int],
) -> Finding:
    rule = package.rules[TYPES.get(error.type, "RD199")]
    row = getattr(error, "row_number", None)
    name = getattr(error, "field_name", None)
    name = name if isinstance(name, str) and name in resource.fields else None
    keys = getattr(error, "field_names", None)  # of a foreign key; the finding points at its first
    name = str(keys[0]) if keys else name
    place = places.get(row) if isinstance(row, int) else None
    cell = getattr(error, "cell", None) or getattr(error, "label", None) or ""
    values = {
        "cell": cell,
        "field": name or getattr(error, "field_name", "") or "",
        "number": getattr(error, "field_number", None),
        "table": resource.name,
        "note": _in_words(error, resource, name, place.cells if place else {}),
        "row": row,
        "type": error.type,
    }
    where: dict[str, Any] = {"table": resource.name, "path": resource.path, "row": row}
    if place is not None:
        where = place.at(name)
    elif isinstance(row, int):
        where["line"] = blanks.get(row)
    elif "label" in error.type:
        where["line"] = 1
    where |= {"field": name, "type": error.type}
    if number := getattr(error, "field_number", None):
        where["field_number"] = number
    if cell:
        where["value"] = str(cell)
    empty = error.type == "constraint-error" and values["note"] == "required"
    message = rule.messages["required"] if empty else None
    origin = Origin("frictionless", version("frictionless"))
    return make_finding(rule, values, origin=origin, message=message, **where)


def _in_words(error: Any, resource: Resource, name: str | None, cells: Mapping[str, str]) -> str:
    """Return what is wrong in words, rather than in frictionless's notes."""
    field = resource.fields.get(name or "", {})
    note = str(error.note)
    first = re.search(r"the row at position (\d+)", note)
    match error.type:
        case "type-error":
            kind = field.get("type", "string")
            return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        case "constraint-error":
            kind = note.removeprefix('constraint "').split('"')[0]
            return f"{kind} {_listed(field.get('constraints', {}).get(kind, ''))}".strip()
        case "unique-error" if first:
            return f"record {first[1]}"
        case "primary-key":
            key = ", ".join(cells.get(k, "") for k in resource.primary_key)
            return f"{key} is that of record {first[1]} already" if first else "is empty"
        case "foreign-key":
            pairs = zip(error.field_names, error.field_cells, strict=True)
            told = ", ".join(f"{field} {cell}" for field, cell in pairs)
            target = error.reference_name or resource.name
            return f"{told} is not in {target} ({', '.join(error.reference_field_names)})"
        case "hash-count" | "byte-count":
            return note.replace('"', "")
    return note


def _listed(value: Any) -> str:
    if value is True:
        return ""
    return ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)


def _blank_lines(resource: Resource, rows: list[int], places: dict[int, Place]) -> dict[int, int]:
    """Return the lines of records that hold nothing and so are not in the table."""
    wanted = set(rows) - set(places)
    if not wanted or resource.file is None:
        return {}
    records = read_records(resource.file, Dialect.of(resource.descriptor))
    return {record.row: record.line for record in records if record.row in wanted}


def _unheld(
    tables: Tables, resource: Resource, known: set[tuple[int | None, str | None]]
) -> Iterator[Finding]:
    """Yield the values that frictionless reads and that the typed table cannot hold."""
    rule = tables.package.rules["RD125"]
    for number, name in enumerate(tables.columns[resource.name], start=1):
        field = resource.fields.get(name, {})
        text = f"_text_{number}"
        if field.get("type") not in ("integer", "number", "year", "date", "time", "datetime"):
            continue
        column = quote_name(name)
        absent = ", ".join(quote_text(m) for m in ("", *resource.missing_values(name)))
        table = quote_name(resource.name)
        rows = tables.fetch(
            f"SELECT _row, {text} FROM cells.{table} "
            f"WHERE {column} IS NULL AND {text} NOT IN ({absent}) ORDER BY _row"
        )
        lost = [row for row, _ in rows if (row, name) not in known]
        places = find_places(tables, resource.name, lost)
        for row, text in rows:
            if row in places:
                values = {"cell": text, "field": name, "type": field["type"]}
                yield make_finding(rule, values, **places[row].at(name))


def _unique_keys(tables: Tables, resource: Resource) -> Iterator[Finding]:
    """Yield the records that repeat a `uniqueKeys` entry, which frictionless ignores."""
    rule = tables.package.rules["RD127"]
    for entry in resource.schema.get("uniqueKeys", ()):
        names = list_names(entry)
        if not names or any(name not in tables.columns[resource.name] for name in names):
            continue
        listed = ", ".join(quote_name(n) for n in names)
        table = quote_name(resource.name)
        present = " AND ".join(f"{quote_name(n)} IS NOT NULL" for n in names)
        rows = tables.fetch(
            f"SELECT _row, first(_row) OVER key FROM cells.{table} WHERE {present} "
            f"WINDOW key AS (PARTITION BY {listed} ORDER BY _row) QUALIFY row_number() OVER key > 1"
        )
        places = find_places(tables, resource.name, [row for row, _ in rows])
        for row, first in rows:
            values = {"fields": ", ".join(names), "first": first}
            yield make_finding(rule, values, **places[row].at(names[0]))


def _formulas(tables: Tables, resource: Resource) -> Iterator[Finding]:
    """Yield the cells that a spreadsheet would execute: no numbers, no words of a codelist."""
    rule = tables.package.rules["RD134"]
    table = quote_name(resource.name)
    columns = tables.select(f"SELECT * FROM raw.{table} LIMIT 0").columns
    for name, _ in columns[2:]:
        field = resource.fields.get(name, {})
        words = [*field.get("constraints", {}).get("enum", ()), *field.get("categories", ())]
        known = ", ".join(quote_text(word) for word in ("", *list_values(words)))
        column = quote_name(name)
        rows = tables.fetch(
            f"SELECT _row, {column} FROM raw.{table} WHERE regexp_matches({column}, '^[=+@-].')"
            f" AND NOT regexp_full_match({column}, {quote_text(_NUMBER)})"
            f" AND {column} NOT IN ({known}) ORDER BY _row"
        )
        places = find_places(tables, resource.name, [row for row, _ in rows])
        for row, cell in rows:
            yield make_finding(rule, {"field": name, "cell": cell}, **places[row].at(name))


_NUMBER = r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?"


def _count(tables: Tables, name: str) -> int:
    return int(tables.fetch(f"SELECT count(*) FROM raw.{quote_name(name)}")[0][0])
