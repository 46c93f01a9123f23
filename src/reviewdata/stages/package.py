"""The package stage: is the descriptor right, and does every statistic bind to columns."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from reviewdata.joins import Source, UnknownName
from reviewdata.keys import check_keys
from reviewdata.model import Finding, Origin, Rule, Run, StageResult
from reviewdata.package import DESCRIPTOR, Package, Resource, version_of
from reviewdata.properties import find_misspelt
from reviewdata.queries import FOLDER
from reviewdata.rules import make_finding, nearest
from reviewdata.statistics import DeclarationError, bind_statistics
from reviewdata.tables import Tables


def check(tables: Tables) -> StageResult:
    """Return what is wrong with the descriptor: ours, and frictionless's metadata checks."""
    package = tables.package
    rules = package.rules_of("package")
    findings = [*package.findings, *_profile(package, rules["RD001"])]
    for code, table, values in check_keys(package.resources):
        given = {"table": table, **values}
        findings.append(make_finding(rules[code], given, table=table, path=DESCRIPTOR))
    for owner, note in find_misspelt(package):
        findings.append(make_finding(rules["RD016"], {"note": note}, table=owner, path=DESCRIPTOR))
    findings += _statistics(package, rules["RD013"])
    findings += _settings(package, rules["RD008"])
    findings += _hashes(package, rules["RD015"])
    failed = {finding.code for finding in findings}
    runs = [Run("package", code, "fail" if code in failed else "pass") for code in rules]
    return StageResult(tuple(runs), tuple(findings))


def _profile(package: Package, rule: Rule) -> Iterator[Finding]:
    """Yield frictionless's findings on the descriptor; data files are not opened."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import Package as Descriptor
        from frictionless import Schema
    origin = Origin("frictionless", version("frictionless"))
    notes: dict[tuple[str, str | None], None] = {}
    described = _without_links(package.descriptor)
    described["resources"] = [_without_links(r.descriptor) for r in package.resources.values()]
    for note in _notes(Descriptor, described):
        notes[(note, None)] = None
    for resource in package.resources.values():
        for note in _notes(Schema, _schema(package, resource)) if resource.schema else ():
            notes[(f"schema of {resource.name}: {note}", resource.name)] = None
    if isinstance(package.descriptor.get("profile"), str) and _is_link(package.descriptor):
        notes[("a profile that is a link is not read", None)] = None
    for note, table in notes:
        yield make_finding(
            rule, {"note": note}, table=table, path=DESCRIPTOR, origin=origin, type="package-error"
        )


def _schema(package: Package, resource: Resource) -> dict[str, Any]:
    """Return a schema in the version of its package, each key as a list, as frictionless reads it.

    Version 1 of the standard has a text for a key of one field.
    """
    schema = {k: v for k, v in resource.schema.items() if k != "$schema"} | version_of(package)
    if isinstance(schema.get("primaryKey"), str):
        schema["primaryKey"] = [schema["primaryKey"]]
    if "foreignKeys" in schema:
        schema["foreignKeys"] = [_key(entry) for entry in schema["foreignKeys"]]
    return schema


def _key(entry: Any) -> Any:
    """Return a foreign key, or its reference, with its fields as a list."""
    if not isinstance(entry, dict):
        return entry
    fields = entry.get("fields")
    listed = {"fields": [fields]} if isinstance(fields, str) else {}
    within = {"reference": _key(entry["reference"])} if "reference" in entry else {}
    return {**entry, **listed, **within}


def _notes(kind: Any, descriptor: dict[str, Any]) -> list[str]:
    """Return what frictionless says of a descriptor; some faults it raises, others it yields."""
    from frictionless import FrictionlessException

    try:
        errors = list(kind.metadata_validate(descriptor))
    except FrictionlessException as error:
        errors = list(error.reasons or [error.error])
    return [str(error.note or error.message) for error in errors]


def _without_links(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    """Return a descriptor without what frictionless would open, and what is checked elsewhere."""
    left = (
        "schema",
        "path",
        "dialect",
        "resources",
        *(("profile",) if _is_link(descriptor) else ()),
    )
    kept = {name: value for name, value in descriptor.items() if name not in left}
    # What a profile asks for is there; what is in it is checked elsewhere.
    stands = {"path": "data.csv", "schema": {"fields": [{"name": "id", "type": "any"}]}}
    return kept | {name: value for name, value in stands.items() if name in descriptor}


def _is_link(descriptor: Mapping[str, Any]) -> bool:
    return any(mark in str(descriptor.get("profile")) for mark in "/.\\")


def _settings(package: Package, rule: Rule) -> Iterator[Finding]:
    """Yield the settings of the reviewdata block that name nothing."""
    for note in _misnamed(package):
        yield make_finding(rule, {"note": note}, path=DESCRIPTOR)


def _misnamed(package: Package) -> Iterator[str]:
    config = package.config
    for code in config.levels:
        if code not in package.rules:
            yield f"levels names the code {code}; {nearest(code, dict(package.rules))}"
    if config.coverage is not None:
        queries = [path.stem for path in sorted((package.root / FOLDER).glob("*.sql"))]
        name = str(config.coverage["query"])
        if name not in queries:
            yield f"coverage names the query {name}; {nearest(name, queries)}"
    studies = config.studies or {}
    for key, value in studies.items():
        if key not in _STUDIES:
            yield f"studies has the unknown entry {key}; {nearest(key, list(_STUDIES))}"
        elif key != "resource":
            source = Source(package, package.resources[studies["resource"]])
            try:
                source.cell(value if isinstance(value, str) else repr(value))
            except UnknownName as error:
                yield f"{key} of studies names {error}"


_STUDIES = ("resource", "key", "label", "year", "doi", "citation")


def _hashes(package: Package, rule: Rule) -> Iterator[Finding]:
    for resource in package.resources.values():
        algorithm, mark, _ = str(resource.descriptor.get("hash", "")).partition(":")
        if mark and algorithm not in HASHES:
            values = {"table": resource.name, "algorithm": algorithm}
            yield make_finding(rule, values, table=resource.name, path=DESCRIPTOR)


HASHES = ("md5", "sha256")
"""The algorithms whose checksums frictionless verifies."""


def _statistics(package: Package, rule: Rule) -> Iterator[Finding]:
    for resource in package.resources.values():
        for bound in bind_statistics(package, resource):
            if isinstance(bound, DeclarationError):
                values = {"table": resource.name, "note": str(bound)}
                yield make_finding(rule, values, table=resource.name, path=DESCRIPTOR)
