"""The package stage: is the descriptor right, and does every statistic bind to columns."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.metadata import version

from reviewdata.model import Finding, Origin, Rule, Run, StageResult
from reviewdata.package import DESCRIPTOR, Package, Resource
from reviewdata.rules import make_finding
from reviewdata.statistics import DeclarationError, bind_statistics
from reviewdata.tables import Tables


def check(tables: Tables) -> StageResult:
    """Return what is wrong with the descriptor: ours, and frictionless's metadata checks."""
    package = tables.package
    rules = {c: r for c, r in package.rules.items() if r.stage == "package"}
    findings = [*package.findings, *_profile(package, rules["RD001"])]
    findings += _statistics(package, rules["RD013"])
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
    described = {**package.descriptor, "resources": [_named(r) for r in package.resources.values()]}
    for error in Descriptor.metadata_validate(described):
        notes[(error.note or error.message, None)] = None
    for resource in package.resources.values():
        if resource.schema:
            for error in Schema.metadata_validate(dict(resource.schema)):
                notes[
                    (f"schema of {resource.name}: {error.note or error.message}", resource.name)
                ] = None
    for note, table in notes:
        yield make_finding(
            rule, {"note": note}, table=table, path=DESCRIPTOR, origin=origin, type="package-error"
        )


def _named(resource: Resource) -> dict[str, object]:
    """Return a resource descriptor without the parts that are checked on their own."""
    kept = {k: v for k, v in resource.descriptor.items() if k not in ("schema", "path")}
    return kept | {"path": "data.csv"}


def _statistics(package: Package, rule: Rule) -> Iterator[Finding]:
    for resource in package.resources.values():
        for bound in bind_statistics(package, resource):
            if isinstance(bound, DeclarationError):
                values = {"table": resource.name, "note": str(bound)}
                yield make_finding(rule, values, table=resource.name, path=DESCRIPTOR)
