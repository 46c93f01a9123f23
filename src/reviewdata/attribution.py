"""To which study a record belongs: by the keys that lead there, or by the role `study`."""

from __future__ import annotations

from reviewdata.joins import Source, UnknownName, find_path
from reviewdata.package import Package
from reviewdata.statistics import Statistic


def study_names(package: Package, statistic: Statistic) -> tuple[str, str] | None:
    """Return the dotted names of a study's key and of its label, as a statistic's table has them.

    The label is the key where none is declared. None where nothing tells the study.
    """
    resource = package.resources[statistic.table]
    declared = package.config.studies or {}
    target = declared.get("resource")
    found = None
    if target in package.resources:
        path = "" if target == resource.name else find_path(package, resource, str(target))
        if path is not None:
            before = f"{path}." if path else ""
            key = declared.get("key")
            own = path if path else key
            label = declared.get("label")
            if isinstance(own, str):
                named = f"{before}{label}" if isinstance(label, str) else own
                found = (own, named)
    if found is None and "study" in statistic.bindings and statistic.bindings["study"].cell:
        given = statistic.bindings["study"].given
        found = (given, given)
    return found


def study_sql(package: Package, statistic: Statistic) -> str:
    """Return a SELECT of `_row`, `_study` (the key) and `_label` for each record of a statistic.

    A record of no study has blanks there.
    """
    source = Source(package, package.resources[statistic.table], statistic.where)
    study = label = "''"
    names = study_names(package, statistic)
    if names:
        try:
            study = f"coalesce(CAST({source.cell(names[0]).value} AS VARCHAR), '')"
            label = study
            named = source.cell(names[1]).value
            label = f"coalesce(CAST({named} AS VARCHAR), {study})"
        except UnknownName:  # a label that is not there; the package stage tells of it
            pass
    return f"SELECT t._row AS _row, {study} AS _study, {label} AS _label {source.sql}"
