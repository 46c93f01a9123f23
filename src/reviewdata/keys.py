"""Keys and names of fields across the tables: whether they name what is there, and no circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reviewdata.package import Resource
from reviewdata.rules import nearest
from reviewdata.tableschema import find_clashes, list_names

Fault = tuple[str, str, dict[str, str]]
"""The code of a package rule, the table at fault and the values of its message."""


def check_keys(resources: Mapping[str, Resource]) -> Iterator[Fault]:
    """Yield the fields whose names are taken, the keys that name nothing, and the circles."""
    for resource in resources.values():
        names = [entry["name"] for entry in resource.schema.get("fields", [])]
        for number, other in find_clashes(names).items():
            yield "RD014", resource.name, {"name": names[number], "other": other}
        for key, fields in _unique(resource):
            yield from _unknown(resource, key, fields)
        for entry in resource.schema.get("foreignKeys", ()):
            reference = entry.get("reference") if isinstance(entry, dict) else None
            named = list_names(reference.get("fields")) if isinstance(reference, dict) else ()
            if not named:
                yield "RD009", resource.name, {"note": "a foreign key names no field"}
        for foreign in resource.foreign_keys:
            target = resources.get(foreign.resource)
            if target is None:
                hint = nearest(foreign.resource, dict(resources))
                note = f"a foreign key names the resource {foreign.resource}, {hint}"
                yield "RD009", resource.name, {"note": note}
                continue
            yield from _unknown(resource, "a foreign key", foreign.fields)
            yield from _unknown(target, "a foreign key", foreign.reference)
    yield from _circles(resources)


def _unique(resource: Resource) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "the primary key", resource.primary_key
    for entry in resource.schema.get("uniqueKeys", ()):
        yield "a key of uniqueKeys", list_names(entry) or (str(entry),)


def _unknown(owner: Resource, key: str, names: tuple[str, ...]) -> Iterator[Fault]:
    """Yield the names that the table does not have; one without a schema has none to compare."""
    for name in names if owner.fields else ():
        if name not in owner.fields:
            hint = nearest(name, dict(owner.fields))
            yield "RD009", owner.name, {"note": f"{key} names the field {name}, {hint}"}


def _circles(resources: Mapping[str, Resource]) -> Iterator[Fault]:
    """Yield one circle, a shortest, of each group of tables that all lead to each other."""
    targets = {
        name: [k.resource for k in r.foreign_keys if k.resource in resources]
        for name, r in resources.items()
    }
    reached = {name: _reach(targets, name) for name in targets}
    told: set[str] = set()
    for start in targets:
        way = reached[start].get(start)
        if start in told or way is None:
            continue
        told |= {name for name in reached[start] if start in reached[name]}
        yield "RD011", start, {"circle": " -> ".join((start, *way))}


def _reach(targets: Mapping[str, list[str]], start: str) -> dict[str, tuple[str, ...]]:
    """Return the tables that foreign keys lead to, each with a shortest way there.

    A key of a table to itself leads nowhere.
    """
    found: dict[str, tuple[str, ...]] = {}
    ways: list[tuple[str, tuple[str, ...]]] = [(start, ())]
    for name, way in ways:  # grows as it goes: breadth first
        for target in targets[name]:
            if target != name and target not in found:
                found[target] = (*way, target)
                ways.append((target, found[target]))
    return found
