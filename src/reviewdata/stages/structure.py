"""The structure stage: does each cell, row, key and relation obey its Table Schema.

An engine judges (see `engines`); this module turns its errors into findings that stand at the
physical line, and adds what frictionless passes over (see `faults`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from reviewdata.columns import quote_name
from reviewdata.files import Oddity, inspect_file
from reviewdata.foreign import read_table
from reviewdata.loading import take_stamp
from reviewdata.model import Finding, Rule, Run, StageResult
from reviewdata.package import Resource
from reviewdata.places import Place, find_places
from reviewdata.records import Dialect, encoding_of, has_lines
from reviewdata.rules import make_finding
from reviewdata.stages.engines import find_fault, judge
from reviewdata.stages.errors import Error, Verdict
from reviewdata.stages.faults import find_faults
from reviewdata.stages.hygiene import check_text
from reviewdata.stages.tally import Tally
from reviewdata.stages.wording import explain, show
from reviewdata.tables import Tables

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


def check(tables: Tables) -> StageResult:
    """Return the findings on every table that has a file."""
    package = tables.package
    rules = package.rules_of("structure")
    tallies = {code: Tally() for code in rules}
    faults = {name: find_fault(package, package.resources[name]) for name in tables.columns}
    usable = [name for name, fault in faults.items() if fault is None]
    for resource in package.resources.values():
        if resource.file is None:
            continue
        place: dict[str, Any] = {"table": resource.name, "path": resource.path}
        for code, line, values in _inspect(tables, resource):
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
        if not tables.loaded[resource.name].clear:
            _list(tallies, check_text(tables, resource))
        if _is_changed(tables, resource):
            note = "it was changed while it was judged; validate it again"
            _list(tallies, [make_finding(rules["RD106"], {"note": note}, **place)])
    findings = tuple(finding for tally in tallies.values() for finding in tally.findings)
    return StageResult(tuple(_runs(tables, tallies, usable)), findings)


def _is_changed(tables: Tables, resource: Resource) -> bool:
    """Whether a file is no longer the one that was loaded, so that what is told may not hold."""
    assert resource.file is not None
    try:
        return take_stamp(resource.file) != tables.loaded[resource.name].stamp
    except OSError:
        return True


def _inspect(tables: Tables, resource: Resource) -> Iterator[Oddity]:
    """Yield what is odd about the lines of a file, unless who loaded it has seen that none is."""
    loaded = tables.loaded.get(resource.name)
    if resource.file is None or not has_lines(resource.descriptor) or (loaded and loaded.plain):
        return
    yield from inspect_file(resource.file, encoding_of(resource.descriptor))


def _list(tallies: Mapping[str, Tally], findings: Iterable[Finding]) -> None:
    """Count the findings of each rule, and keep as many as are listed."""
    for finding in findings:
        tally = tallies[finding.code]
        if tally.admit(1):
            tally.findings.append(finding)


def _runs(tables: Tables, tallies: Mapping[str, Tally], usable: Collection[str]) -> Iterator[Run]:
    """Yield how each rule ended; a key to a table that could not be read was not judged."""
    rows = sum(tables.count(name) for name in tables.columns)
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
    faults = [] if tables.loaded[resource.name].clear else find_faults(tables, resource, verdict)
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


def _header_line(resource: Resource) -> int | None:
    dialect = Dialect.of(resource.descriptor)
    plain = dialect.is_whole and not dialect.comment and has_lines(resource.descriptor)
    return 1 if plain else next(read_table(resource)).line or None


def _blank_lines(tables: Tables, resource: Resource, wanted: Collection[int]) -> dict[int, int]:
    """Return the lines of records that hold nothing and so are not in the table."""
    if not wanted or not tables.loaded[resource.name].beside:
        return {}
    return dict(
        tables.look(
            f"SELECT row, line FROM irregular.{quote_name(resource.name)}"
            f" WHERE row IN (SELECT unnest({sorted(wanted)}))"
        )
    )
