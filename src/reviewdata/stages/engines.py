"""Which engine judges a table: SQL where it takes all of it, else frictionless.

The verdicts are the same (`tests/test_engines.py`), so that nothing else has to know.
"""

from __future__ import annotations

from collections.abc import Collection

from reviewdata.package import Package, Resource, version_of
from reviewdata.plans import Plan, Sieved
from reviewdata.records import format_of, is_foreign
from reviewdata.stages import verdicts
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.compiled.judge import judge as judge_in_sql
from reviewdata.stages.compiled.schemas import is_plain
from reviewdata.stages.compiled.sieve import sieve as sieve_in_sql
from reviewdata.stages.errors import Verdict
from reviewdata.tables import Tables


def find_fault(package: Package, resource: Resource) -> str | None:
    """Return what keeps a schema from being used; frictionless is asked where it may have any."""
    if resource.fields and is_plain(resource.schema, second=bool(version_of(package))):
        return None
    return verdicts.find_fault(package, resource)


def sieve(tables: Tables, resource: Resource, plan: Plan, source: str) -> Sieved | None:
    """Return which records of a file are to be loaded for a verdict on it; None where all are."""
    if find_fault(tables.package, resource) is not None or _needs_values(tables, resource):
        return None
    usable = [
        name
        for name in tables.columns
        if find_fault(tables.package, tables.package.resources[name]) is None
    ]
    try:
        return sieve_in_sql(tables, resource, plan, source, usable)
    except Beyond:  # told when the table is judged
        return None


def judge(tables: Tables, resource: Resource, usable: Collection[str]) -> Verdict:
    """Return the verdict on a table; keys to tables that are not `usable` are left out."""
    try:
        if why := _needs_values(tables, resource):
            raise Beyond(why)
        verdict = judge_in_sql(tables, resource, usable)
    except Beyond as beyond:
        tables.tell(f"{resource.name} is judged by frictionless: {beyond}")
        return verdicts.judge(tables, resource, usable)
    tables.tell(f"{resource.name} is judged by DuckDB")
    return verdict


def _needs_values(tables: Tables, resource: Resource) -> str | None:
    """Return why the text of a table does not say all: 5 is no text in JSON, and "5" no number."""
    if is_foreign(resource.descriptor):
        return f"it is {format_of(resource.descriptor).upper()}"
    for key in resource.foreign_keys:
        other = tables.package.resources.get(key.resource)
        if other is not None and is_foreign(other.descriptor):
            return f"it refers to {key.resource}, which is {format_of(other.descriptor).upper()}"
    return None
