"""The structure stage: does each cell, row, key and relation obey its Table Schema.

frictionless judges; this module turns its errors into findings that stand at the physical
line, and adds what frictionless passes over: the bytes of the file, keys of several columns
that must be unique, values that no database type holds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from reviewdata.columns import quote_name, quote_text
from reviewdata.files import find_stray_quotes, inspect_file
from reviewdata.loading import is_by_record
from reviewdata.model import Finding, Rule, Run, StageResult
from reviewdata.package import Resource
from reviewdata.places import Place, find_places
from reviewdata.properties import CATEGORICAL
from reviewdata.records import Dialect, encoding_of, is_table, read_records
from reviewdata.rules import make_finding
from reviewdata.stages.compiled.constraints import not_among
from reviewdata.stages.engines import find_fault, judge
from reviewdata.stages.errors import Error, Verdict
from reviewdata.stages.hygiene import check_text
from reviewdata.stages.tally import Tally
from reviewdata.stages.wording import explain, show, suggest
from reviewdata.tables import Tables
from reviewdata.tableschema import list_names, list_values

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
    "field-count": "RD126",
    "row-count": "RD126",
}
"""frictionless's error types and our codes; any other type is RD199."""


class Fault(NamedTuple):
    """What a rule of ours finds in a record; `kind` names one of the rule's several messages."""

    code: str
    row: int
    field: str | None
    values: Mapping[str, Any]
    kind: str | None = None


def check(tables: Tables) -> StageResult:
    """Return the findings on every table that has a file."""
    package = tables.package
    rules = {c: r for c, r in package.rules.items() if r.stage == "structure"}
    tallies = {code: Tally() for code in rules}
    faults = {name: find_fault(package, package.resources[name]) for name in tables.columns}
    usable = [name for name, fault in faults.items() if fault is None]
    for resource in package.resources.values():
        if resource.file is None:
            continue
        place: dict[str, Any] = {"table": resource.name, "path": resource.path}
        if is_table(resource.descriptor):
            for code, line, values in inspect_file(resource.file, encoding_of(resource.descriptor)):
                _list(tallies, [make_finding(rules[code], values, line=line, **place)])
        refusal = tables.refusals.get(resource.name)
        if refusal is not None:
            rule = rules[refusal.code]
            _list(tallies, [make_finding(rule, refusal.values, line=refusal.line, **place)])
            continue
        fault = faults[resource.name]
        if fault is not None:
            _list(tallies, [_unjudged(rules["RD199"], resource, "schema-error", fault)])
            continue
        verdict = judge(tables, resource, usable)
        _list(tallies, _check_table(tables, resource, rules, verdict))
        for type_, number in verdict.found.items():
            listed = sum(error.type == type_ for error in verdict.errors)
            tallies[TYPES.get(type_, "RD199")].found += number - listed
        _list(tallies, check_text(tables, resource))
    findings = tuple(finding for tally in tallies.values() for finding in tally.findings)
    return StageResult(tuple(_runs(tables, tallies, usable)), findings)


def _list(tallies: Mapping[str, Tally], findings: Iterable[Finding]) -> None:
    """Count the findings of each rule, and keep as many as are listed."""
    for finding in findings:
        tally = tallies[finding.code]
        if tally.admit(1):
            tally.findings.append(finding)


def _runs(tables: Tables, tallies: Mapping[str, Tally], usable: Collection[str]) -> Iterator[Run]:
    """Yield how each rule ended; a key to a table that could not be read was not judged."""
    rows = sum(_count(tables, name) for name in tables.columns)
    unjudged = [
        f"{resource.name} refers to {key.resource}, which could not be read"
        for resource in tables.package.resources.values()
        for key in resource.foreign_keys
        if resource.name in tables.columns and key.resource not in usable
    ]
    for code, tally in tallies.items():
        told = [*filter(None, [tally.cut]), *(unjudged if code == TYPES["foreign-key"] else ())]
        why = "; ".join(told) or None
        if tally.found:
            yield Run("structure", code, "fail", why, rows)
        elif why or not tables.columns:
            yield Run("structure", code, "skipped", why or "no table could be read", rows)
        else:
            yield Run("structure", code, "pass", None, rows)


def _check_table(
    tables: Tables, resource: Resource, rules: Mapping[str, Rule], verdict: Verdict
) -> Iterator[Finding]:
    """Yield the findings on a table that was read, each at its physical line."""
    faults = [
        *_unheld(tables, resource, verdict),
        *_stray_quotes(tables, resource),
        *_unique_keys(tables, resource),
        *_categories(tables, resource),
        *_formulas(tables, resource),
    ]
    rows = [error.row for error in verdict.errors if error.row is not None]
    places = find_places(tables, resource.name, [*rows, *(fault.row for fault in faults)])
    blanks = _blank_lines(tables, resource, set(rows) - set(places))
    for error in verdict.errors:
        if error.row not in blanks or error.type == "blank-row":  # its empty key says nothing more
            yield _finding(rules, resource, error, places, blanks, verdict)
    for type_, note in verdict.unjudged:
        yield _unjudged(rules["RD199"], resource, type_, note)
    for code, row, field, values, kind in faults:
        if row in places:
            at = places[row].at(field)
            told = {"field": field, "cell": show(at["value"] or ""), **values}
            message = rules[code].messages[kind] if kind else None
            yield make_finding(rules[code], told, message=message, **at)


def _unjudged(rule: Rule, resource: Resource, type_: str, note: str) -> Finding:
    place: dict[str, Any] = {"table": resource.name, "path": resource.path}
    message = rule.messages["unjudged"]
    return make_finding(rule, {"note": note}, message=message, type=type_, **place)


def _finding(
    rules: Mapping[str, Rule],
    resource: Resource,
    error: Error,
    places: Mapping[int, Place],
    blanks: Mapping[int, int],
    verdict: Verdict,
) -> Finding:
    """Return the finding on an error; that on a foreign key points at its first field."""
    name = error.field if error.field in resource.fields else None
    name = error.key[0][0] if error.key else name
    place = places.get(error.row) if error.row is not None else None
    note = explain(error, verdict.labels, resource, name, place.cells if place else {})
    values = {
        "cell": show(error.cell),
        "field": name or error.field or "",
        "number": error.number,
        "table": resource.name,
        "note": note,
        "row": error.row,
        "type": error.type,
    }
    where: dict[str, Any] = {"table": resource.name, "path": resource.path, "row": error.row}
    if place is not None:
        where = place.at(name)
    elif error.row is not None:
        where["line"] = blanks.get(error.row)
    elif "label" in error.type:
        where["line"] = _header_line(resource)
    where |= {"field": name, "type": error.type}
    if error.number:
        where["field_number"] = error.number
    if error.cell:
        where["value"] = error.cell
    code = TYPES.get(error.type, "RD199")
    if error.type == "extra-label" and not error.cell.strip():
        code = TYPES["blank-label"]
    message = None
    if error.constraint == "required":
        message = rules[code].messages["required"]
        where["fix"] = _REQUIRED
    return make_finding(rules[code], values, origin=verdict.origin, message=message, **where)


_REQUIRED = "Enter the value; where no source gives it, the schema must not require one."


def _header_line(resource: Resource) -> int:
    dialect = Dialect.of(resource.descriptor)
    if (dialect.is_whole and not dialect.comment) or resource.file is None:
        return 1
    return next(read_records(resource.file, dialect)).line


def _blank_lines(tables: Tables, resource: Resource, wanted: Collection[int]) -> dict[int, int]:
    """Return the lines of records that hold nothing and so are not in the table."""
    if not wanted or not is_by_record(tables.connection, resource.name):
        return {}
    return dict(
        tables.fetch(
            f"SELECT row, line FROM irregular.{quote_name(resource.name)}"
            f" WHERE row IN (SELECT unnest({sorted(wanted)}))"
        )
    )


def _stray_quotes(tables: Tables, resource: Resource) -> Iterator[Fault]:
    """Yield the records whose quotes stand where frictionless reads them, but nobody means them.

    DuckDB reads no such file by itself.
    """
    if resource.file is not None and is_by_record(tables.connection, resource.name):
        dialect = Dialect.of(resource.descriptor)
        for record, kind, values in find_stray_quotes(resource.file, dialect):
            values = {name: show(text) if name == "cell" else text for name, text in values.items()}
            yield Fault("RD129", record.row, None, {"row": record.row, **values}, kind)


def _unheld(tables: Tables, resource: Resource, verdict: Verdict) -> Iterator[Fault]:
    """Yield the values that are of their type and that the typed table cannot hold.

    SQL has looked up each of them; of frictionless it is known which cells it did not accept.
    """
    known = {(error.row, error.field) for error in verdict.errors}
    accepted = verdict.accepted
    lost = {
        name: f"CASE WHEN {quote_name(name)} IS NULL THEN _text_{number} END"
        for number, name in enumerate(tables.columns[resource.name], start=1)
        if resource.fields.get(name, {}).get("type") in _TYPED
        and (accepted is None or name in accepted)
    }
    absent = ", ".join(quote_text(m) for m in ("", *_common_missing(resource)))
    where = f"text NOT IN ({absent})"
    for row, name, text in _find_cells(tables, resource, "cells", lost, where):
        if text in resource.missing_values(name) or row > verdict.last:
            continue
        if (row, name) not in known if accepted is None else text in accepted[name]:
            yield Fault("RD125", row, name, {"type": resource.fields[name]["type"]})


_TYPED = ("integer", "number", "year", "date", "time", "datetime")


def _common_missing(resource: Resource) -> list[str]:
    """Return the texts that stand for a missing value in every field."""
    listed = [set(resource.missing_values(name)) for name in resource.fields]
    return sorted(set.intersection(*listed)) if listed else []


def _unique_keys(tables: Tables, resource: Resource) -> Iterator[Fault]:
    """Yield the records that repeat a `uniqueKeys` entry, which frictionless ignores."""
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
        for row, first in rows:
            yield Fault("RD127", row, names[0], {"fields": ", ".join(names), "first": first})


def _categories(tables: Tables, resource: Resource) -> Iterator[Fault]:
    """Yield the values that are none of their field's `categories`, which frictionless ignores."""
    listed = {}
    other = {}
    for number, name in enumerate(tables.columns[resource.name], start=1):
        field = resource.fields.get(name, {})
        words = list_values(field.get("categories", ()))
        kind = field.get("type", "string")
        if not words or kind not in CATEGORICAL:
            continue
        value, text = quote_name(name), f"_text_{number}"
        strange = not_among(value, words)
        if kind == "integer":
            whole = ", ".join(word for word in words if _WHOLE.fullmatch(word))
            strange = f"{value} NOT IN ({whole})" if whole else "true"
        listed[name] = words
        other[name] = f"CASE WHEN {value} IS NOT NULL AND {strange} THEN {text} END"
    for row, name, text in _find_cells(tables, resource, "cells", other, "text IS NOT NULL"):
        meant = suggest(text, listed[name])
        hint = f"; did you mean {meant}?" if meant else ""
        yield Fault("RD139", row, name, {"categories": ", ".join(listed[name]), "hint": hint})


_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def _formulas(tables: Tables, resource: Resource) -> Iterator[Fault]:
    """Yield the cells that a spreadsheet would execute: no numbers, no words of a codelist."""
    columns = tables.select(f"SELECT * FROM raw.{quote_name(resource.name)} LIMIT 0").columns
    cells = {name: quote_name(name) for name, _ in columns[2:]}
    where = (
        f"regexp_matches(text, '(?s)^[=+@-].') AND text <> '{_MERGE}'"
        f" AND NOT regexp_full_match(text, {quote_text(_NUMBER)})"
    )
    for row, name, text in _find_cells(tables, resource, "raw", cells, where):
        field = resource.fields.get(name, {})
        words = [*field.get("constraints", {}).get("enum", ()), *field.get("categories", ())]
        if text not in (*list_values(words), *resource.missing_values(name)):
            yield Fault("RD134", row, name, {})


_MERGE = "======="  # of a merge conflict, which is told as that
_NUMBER = r"[+-]?(\d+([,._' ]\d+)*[.,]?|[.,]\d+)([eE][+-]?\d+)?\s*%?|[+-](?i:inf|infinity|nan)"


def _find_cells(
    tables: Tables, resource: Resource, relation: str, texts: Mapping[str, str], where: str
) -> list[tuple[int, str, str]]:
    """Return the record, the column and the text of each cell for which a condition holds.

    `texts` has the SQL of each column's text; `where` is a condition on `text`. All columns
    are made one, since thousands of conditions side by side take DuckDB minutes.
    """
    if not texts:
        return []
    names = list(texts)
    found = tables.fetch(
        f"SELECT * FROM (SELECT _row, unnest(range({len(names)})) AS number,"
        f" unnest([{', '.join(texts.values())}]) AS text"
        f" FROM {relation}.{quote_name(resource.name)}) WHERE {where} ORDER BY _row, number"
    )
    return [(row, names[number], text) for row, number, text in found]


def _count(tables: Tables, name: str) -> int:
    return int(tables.fetch(f"SELECT count(*) FROM raw.{quote_name(name)}")[0][0])
