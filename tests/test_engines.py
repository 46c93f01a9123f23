"""Both engines of the structure stage come to one verdict; which of them judges, and why."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from twins import Twin, packages

from reviewdata.package import open_package
from reviewdata.stages import verdicts
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.compiled.judge import judge
from reviewdata.stages.engines import find_fault
from reviewdata.stages.errors import Verdict
from reviewdata.tables import Tables, load_tables

Told = Counter[tuple[Any, ...]]


def tell(tables: Tables, name: str, verdict: Verdict) -> Told:
    """Return the errors of a verdict without what only one engine says, or nothing uses.

    Of a record that holds nothing, the stage drops what is said of its key.
    """
    blank: set[int | None] = set()
    if tables.fetch(
        f"SELECT 1 FROM duckdb_tables() WHERE schema_name = 'irregular' AND table_name = '{name}'"
    ):
        there = f"SELECT _row FROM raw.{name}"
        left = f"SELECT row FROM irregular.{name} WHERE row NOT IN ({there})"
        blank = {row for (row,) in tables.fetch(left)}
    return Counter(
        (e.row, e.number, e.type, e.field, e.constraint, e.first)
        for e in verdict.errors
        if e.type != "primary-key" or e.row not in blank
    )


def compare(twin: Twin) -> Counter[str]:
    """Judge each table of a package by both engines, and return how often SQL did."""
    done: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        twin.write(Path(folder))
        package = open_package(folder)
        with load_tables(package) as tables:
            faults = {n: find_fault(package, package.resources[n]) for n in tables.columns}
            for name, fault in faults.items():
                assert fault == verdicts.find_fault(package, package.resources[name])
            usable = [name for name, fault in faults.items() if fault is None]
            for name in usable:
                resource = package.resources[name]
                try:
                    given = judge(tables, resource, usable)
                except Beyond as beyond:
                    event(f"frictionless: {str(beyond)[:60]}")
                    done["frictionless"] += 1
                    continue
                done["SQL"] += 1
                expected = verdicts.judge(tables, resource, usable)
                assert [type_ for type_, _ in given.unjudged] == [t for t, _ in expected.unjudged]
                assert tell(tables, name, given) == tell(tables, name, expected)
                assert given.labels == expected.labels
    return done


quick = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
)


@quick
@given(packages())
def test_both_engines_tell_the_same_of_a_table(twin: Twin) -> None:
    event("SQL" if compare(twin)["SQL"] else "frictionless")


@pytest.mark.contract
@settings(quick, max_examples=2000)
@given(packages())
def test_both_engines_tell_the_same_of_thousands_of_tables(twin: Twin) -> None:
    compare(twin)
