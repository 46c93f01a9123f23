"""What a rule across rows asks of one table, and how the studies of a record are found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reviewdata.joins import Source, find_path
from reviewdata.package import Package, Resource
from reviewdata.statistics import Statistic, bind_statistics
from reviewdata.tables import Tables


@dataclass(frozen=True)
class Question:
    """A SELECT that returns the records of `table` at fault; `field` is where they are."""

    code: str
    table: str
    field: str | None
    sql: str


def declared(tables: Tables, *kinds: str) -> Iterator[tuple[Resource, Statistic]]:
    """Yield the statistics of some kinds that are declared for tables that were read."""
    for name in tables.columns:
        resource = tables.package.resources[name]
        for statistic in bind_statistics(tables.package, resource):
            if isinstance(statistic, Statistic) and statistic.kind in kinds:
                yield resource, statistic


def study_of(package: Package, resource: Resource, statistic: Statistic) -> tuple[str, str] | None:
    """Return SQL for the study of a record, and the FROM clause in which it stands.

    That is the role `study`, or the key of the review's studies that the record leads to;
    None where there is neither.
    """
    if "study" in statistic.bindings:
        return statistic.bindings["study"].value, statistic.source
    studies = package.config.studies or {}
    target, key = studies.get("resource"), studies.get("key")
    if target is None or key is None:
        return None
    path = key if resource.name == target else find_path(package, resource, target)
    if path is None:
        return None
    source = Source(package, resource, statistic.where)
    cell = source.cell(path)
    for binding in statistic.bindings.values():
        if binding.cell is not None:
            source.cell(binding.given)
    return f"CAST({cell.value} AS VARCHAR)", source.sql
