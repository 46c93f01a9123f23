"""Which effect sizes can be computed of each study, and which one number would give another.

It reads the declared statistics, so it knows what each number is; `measures` says what an effect
size takes. A number that several rows share (the n of their sample) is one number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from reviewdata.attribution import study_sql
from reviewdata.columns import quote_name
from reviewdata.exporting.whole import list_rows
from reviewdata.joins import Source
from reviewdata.measures import MEASURES, Measure, measures_sql, open_ways
from reviewdata.package import Package
from reviewdata.statistics import DeclarationError, Statistic, bind_statistics
from reviewdata.tables import Tables

VERSION = "1"


@dataclass
class StudyStats:
    """A study: its rows of declared statistics, and of these how many give each effect size.

    `bare` rows give none; of these `short` lack one number alone.
    """

    study: str
    label: str
    rows: int = 0
    measures: dict[str, int] = field(default_factory=dict)
    bare: int = 0
    short: int = 0


@dataclass
class Missing:
    """A cell that is blank: with it, the rows would give the effect sizes."""

    table: str
    key: str
    column: str
    study: str
    measures: dict[str, None] = field(default_factory=dict)
    rows: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class Impossible:
    """A row whose numbers are all there, and allow no effect size of this name."""

    table: str
    row: int
    key: str
    measure: str


@dataclass
class Stats:
    """What can be computed of a review.

    `titles` are what the effect sizes are called; `without` names statistics that give none, and
    `faults` those that cannot be read.
    """

    studies: dict[str, StudyStats] = field(default_factory=dict)
    missing: dict[tuple[str, str, str], Missing] = field(default_factory=dict)
    impossible: list[Impossible] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    without: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON types."""
        return {
            "version": VERSION,
            "titles": dict(self.titles),
            "studies": [vars(study) for study in self.studies.values()],
            "missing": [
                {name: list(v) if isinstance(v, dict) else v for name, v in vars(entry).items()}
                for entry in rank_missing(self)
            ],
            "impossible": [vars(entry) for entry in self.impossible],
            "without": self.without,
            "faults": self.faults,
        }


def rank_missing(stats: Stats) -> list[Missing]:
    """Return the missing numbers, those that most rows wait for first."""
    return sorted(stats.missing.values(), key=lambda m: (-len(m.rows), m.table, m.key, m.column))


def find_stats(tables: Tables) -> Stats:
    """Return what can be computed of the tables of a review that could be read."""
    package, stats = tables.package, Stats()
    for study, label in _list_studies(tables):
        stats.studies[study] = StudyStats(study, label)
    for resource in package.resources.values():
        for statistic in bind_statistics(package, resource):
            if isinstance(statistic, DeclarationError):
                stats.faults.append(f"{resource.name}: {statistic}")
            elif statistic.kind not in MEASURES:
                stats.without.append(
                    f"{resource.name}, statistic {statistic.number}: {statistic.kind}"
                )
            elif lost := [n for n in _tables_of(statistic) if n not in tables.columns]:
                why = f"{', '.join(lost)} cannot be read"
                stats.faults.append(f"{resource.name}: statistic {statistic.number}: {why}")
            else:
                _count(tables, statistic, stats)
    return stats


def _tables_of(statistic: Statistic) -> set[str]:
    owners = {b.cell.owner.name for b in statistic.bindings.values() if b.cell}
    return owners | {statistic.table}


def _list_studies(tables: Tables) -> Iterator[tuple[str, str]]:
    declared = tables.package.config.studies or {}
    name, key = declared.get("resource"), declared.get("key")
    fields = tables.columns.get(str(name), ())
    if key in fields:
        label = declared.get("label")
        shown = label if label in fields else key
        listed = ", ".join(f"CAST({quote_name(str(c))} AS VARCHAR)" for c in (key, shown))
        for study, title in tables.look(
            f"SELECT {listed} FROM cells.{quote_name(str(name))} ORDER BY _row"
        ):
            if study is not None:
                yield study, title or study


def _count(tables: Tables, statistic: Statistic, stats: Stats) -> None:
    measures = MEASURES[statistic.kind]
    stats.titles |= {
        measure.name: measure.title for measure in measures if measure.name not in stats.titles
    }
    roles = [role for role in _numbers(measures) if role in statistic.bindings]
    ways = {measure.name: open_ways(statistic, measure) for measure in measures}
    far = _far_keys(tables.package, statistic, roles)
    for row in list_rows(tables, _sql(tables.package, statistic, roles, measures, far)):
        number, study, label, key, *rest = row
        there = {role for role, has in zip(roles, rest, strict=False) if has}
        effects = rest[len(roles) : len(roles) + 2 * len(measures)]
        given, may = effects[: len(measures)], effects[len(measures) :]
        owners = dict(zip(far, rest[len(roles) + len(effects) :], strict=True))
        entry = stats.studies.setdefault(str(study), StudyStats(str(study), str(label)))
        entry.rows += 1
        short = False
        for measure, has, open_to in zip(measures, given, may, strict=True):
            if has:
                entry.measures[measure.name] = entry.measures.get(measure.name, 0) + 1
                continue
            lacks = [
                [role for role in way.roles if role not in there]
                for way, is_open in zip(
                    ways[measure.name], cast(Sequence[bool], open_to), strict=True
                )
                if is_open
            ]
            if any(not roles_of_way for roles_of_way in lacks):
                stats.impossible.append(
                    Impossible(statistic.table, int(str(number)), str(key), measure.name)
                )
                continue
            for role in {roles_of_way[0]: None for roles_of_way in lacks if len(roles_of_way) == 1}:
                place = _place(statistic, role, str(key), owners)
                if place is not None:
                    short = True
                    found = stats.missing.setdefault(place, Missing(*place, study=str(label)))
                    found.measures[measure.name] = None
                    found.rows[f"{statistic.table} {key}"] = None
        if not any(given):
            entry.bare += 1
            entry.short += short


def _numbers(measures: Sequence[Measure]) -> list[str]:
    return list(dict.fromkeys(role for m in measures for way in m.ways for role in way.roles))


def _place(
    statistic: Statistic, role: str, key: str, owners: Mapping[str, object]
) -> tuple[str, str, str] | None:
    """Return the table, the record and the column of a number; None where the record is not known.

    A number behind a foreign key is missing in the other table, for all who refer to it.
    """
    cell = statistic.bindings[role].cell
    if cell is None:
        return None
    if cell.field is not None:
        return statistic.table, key, cell.field
    owner = owners.get(role)
    return None if owner is None else (cell.owner.name, str(owner), cell.column)


def _far_keys(package: Package, statistic: Statistic, roles: Sequence[str]) -> dict[str, str]:
    """Return, for the roles behind foreign keys, the dotted name of the key that leads there."""
    far = {}
    for role in roles:
        binding = statistic.bindings[role]
        if binding.cell is not None and binding.cell.field is None:
            far[role] = binding.given.rpartition(".")[0]
    return far


def _sql(
    package: Package,
    statistic: Statistic,
    roles: Sequence[str],
    measures: Sequence[Measure],
    far: Mapping[str, str],
) -> str:
    """Return the SELECT that _count reads: places, numbers, effects, ways, and keys elsewhere."""
    resource = package.resources[statistic.table]
    source = Source(package, resource, statistic.where)
    parts = [
        f"CAST({source.cell(name).value} AS VARCHAR)"
        for name in resource.primary_key
        if name in resource.fields
    ]
    key = f"concat_ws(' ', {', '.join(parts)})" if parts else "CAST(t._row AS VARCHAR)"
    keys = [f"t._row AS _row, {key} AS _key"]
    keys += [
        f"CAST({source.cell(name).value} AS VARCHAR) AS _far_{n}"
        for n, name in enumerate(far.values())
    ]
    listed = ["_row", "s._study", "s._label", "k._key"]
    listed += [f"m.{quote_name(f'_has_{role}')}" for role in roles]
    listed += [f"m.{quote_name(measure.name)} IS NOT NULL" for measure in measures]
    listed += [f"m.{quote_name(f'_may_{measure.name}')}" for measure in measures]
    listed += [f"k._far_{n}" for n in range(len(far))]
    return (
        f"SELECT {', '.join(listed)} FROM ({measures_sql(statistic)}) AS m"
        f" JOIN ({study_sql(package, statistic)}) AS s USING (_row)"
        f" JOIN (SELECT {', '.join(keys)} {source.sql}) AS k USING (_row) ORDER BY _row"
    )
