"""The keys that a database can be told: those that the rows keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reviewdata.columns import quote_name, sql_type
from reviewdata.package import ForeignKey, Resource
from reviewdata.tables import Tables


@dataclass
class Keys:
    """The keys of a table that can be declared; `left` says of each other one why it is not."""

    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = field(default_factory=list)
    foreign: list[ForeignKey] = field(default_factory=list)
    required: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def find_keys(tables: Tables) -> dict[str, Keys]:
    """Return the keys of each table that its rows keep, by what the schemas declare."""
    found = {name: _own_keys(tables, tables.package.resources[name]) for name in tables.columns}
    for name, keys in found.items():
        for key in tables.package.resources[name].foreign_keys:
            why = _explain(tables, name, key, found)
            if why:
                keys.left.append(f"foreign key {', '.join(key.fields)}: {why}")
            else:
                keys.foreign.append(key)
    return found


def _own_keys(tables: Tables, resource: Resource) -> Keys:
    keys = Keys()
    name, fields = resource.name, tables.columns[resource.name]
    primary = resource.primary_key
    if primary and all(part in fields for part in primary):
        if why := _fault(tables, name, primary, empty=True):
            keys.left.append(f"primary key {', '.join(primary)}: {why}")
        else:
            keys.primary = primary
    for part in fields:
        constraints = resource.fields.get(part, {}).get("constraints") or {}
        if constraints.get("required") is True:
            where = f"{quote_name(part)} IS NULL"
            [(nulls,)] = tables.look(f"SELECT count(*) FROM cells.{quote_name(name)} WHERE {where}")
            keys.required += [] if nulls else [part]
        if constraints.get("unique") is True and (part,) != primary:
            if why := _fault(tables, name, (part,), empty=False):
                keys.left.append(f"unique {part}: {why}")
            else:
                keys.unique.append((part,))
    return keys


def _fault(tables: Tables, name: str, fields: Sequence[str], *, empty: bool) -> str:
    """Return why columns are no key; blank where they are one. Without `empty`, nulls may be."""
    listed = ", ".join(map(quote_name, fields))
    nulls = " OR ".join(f"{quote_name(f)} IS NULL" for f in fields)
    table = f"cells.{quote_name(name)}"
    [(blank,)] = tables.look(f"SELECT count(*) FROM {table} WHERE {nulls}")
    if empty and blank:
        return f"{blank} row{'s' * (blank != 1)} without one"
    [(twice,)] = tables.look(
        f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE NOT ({nulls})"
        f" GROUP BY {listed} HAVING count(*) > 1)"
    )
    return f"{twice} value{'s' * (twice != 1)} more than once" if twice else ""


def _explain(tables: Tables, name: str, key: ForeignKey, found: dict[str, Keys]) -> str:
    """Return why a foreign key cannot be declared; blank where it can."""
    if key.resource not in found:
        return f"there is no table {key.resource}"
    target = found[key.resource]
    if key.reference != target.primary and key.reference not in target.unique:
        return f"what it refers to in {key.resource} is no key there"
    if any(part not in tables.columns[name] for part in key.fields):
        return "a column of it is not declared"
    ends = ((name, key.fields), (key.resource, key.reference))
    types = [[_type(tables, table, part) for part in parts] for table, parts in ends]
    if types[0] != types[1]:
        return f"it has another type than {key.resource}"
    pairs = " AND ".join(
        f"a.{quote_name(mine)} = b.{quote_name(theirs)}"
        for mine, theirs in zip(key.fields, key.reference, strict=True)
    )
    whole = " AND ".join(f"{quote_name(part)} IS NOT NULL" for part in key.fields)
    [(lost,)] = tables.look(
        f"SELECT count(*) FROM (SELECT * FROM cells.{quote_name(name)} WHERE {whole}) AS a"
        f" ANTI JOIN cells.{quote_name(key.resource)} AS b ON {pairs}"
    )
    return f"{lost} row{'s lead' if lost != 1 else ' leads'} nowhere" if lost else ""


def _type(tables: Tables, name: str, part: str) -> str:
    return sql_type(tables.loaded[name].plan.fields[part])


def order_by_keys(found: dict[str, Keys]) -> list[str]:
    """Return the tables, each behind those that it refers to; a circle as it comes.

    A table that refers to itself, or stands in a circle, is behind what it can be.
    """
    ordered: list[str] = []
    waiting = list(found)
    while waiting:
        ready = [
            name
            for name in waiting
            if all(k.resource in ordered or k.resource == name for k in found[name].foreign)
        ]
        chosen = ready[0] if ready else waiting[0]
        ordered.append(chosen)
        waiting.remove(chosen)
    return ordered
