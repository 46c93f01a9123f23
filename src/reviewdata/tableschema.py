"""Table Schema descriptors: whether the parts that are read have the form they must have.

The profile of the standard is frictionless's to check; here is only what would otherwise
break a reader: a schema that fails is not used at all, and its table stays untyped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

RESERVED = ("_row", "_line")
"""Names that a relation has beside the fields of its schema."""

TEXTS = "_text_"
"""How the names of the columns start that hold the fields' texts."""

_TEXTS = ("type", "format", "groupChar", "decimalChar")
_LISTS = ("trueValues", "falseValues", "categories", "missingValues")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def find_fault(schema: Any) -> str | None:
    """Return what keeps a schema from being used, in words; None where nothing does."""
    return next(_faults(schema), None)


def list_names(value: Any) -> tuple[str, ...]:
    """Return the field names of a key, which may be one text or a list of texts."""
    if isinstance(value, str):
        return (value,)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def list_values(value: Any) -> tuple[str, ...]:
    """Return the values of missingValues or categories, which may carry labels."""
    listed = [v.get("value") if isinstance(v, dict) else v for v in value]
    return tuple(str(v) for v in listed if v is not None)


def find_clashes(names: Iterable[str]) -> dict[int, str]:
    """Return the position of each name that SQL cannot hold, and the earlier name it clashes with.

    Positions count from 0; case does not count.
    """
    taken = {name: name for name in RESERVED}
    clashes = {}
    for number, name in enumerate(names):
        other = TEXTS if name.lower().startswith(TEXTS) else taken.get(name.lower())
        if other is None:
            taken[name.lower()] = name
        else:
            clashes[number] = other
    return clashes


def _faults(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict) or not isinstance(schema.get("fields", []), list):
        yield "it is no object with a list of fields"
        return
    if not schema.get("fields"):
        yield "it has no fields"
    for name in ("missingValues", "foreignKeys", "uniqueKeys", "statistics"):
        if not isinstance(schema.get(name, []), list):
            yield f"{name} is no list"
    for number, field in enumerate(schema.get("fields", []), start=1):
        if not isinstance(field, dict) or not isinstance(field.get("name"), str):
            yield f"field {number} is no object with a name"
            continue
        for fault in _field_faults(field):
            yield f"in field {field['name']}, {fault}"


def _field_faults(field: Mapping[str, Any]) -> Iterator[str]:
    for name in _TEXTS:
        if not isinstance(field.get(name, ""), str):
            yield f"{name} is no text"
    for name in _LISTS:
        if not isinstance(field.get(name, []), list):
            yield f"{name} is no list"
    constraints = field.get("constraints", {})
    if not isinstance(constraints, dict):
        yield "constraints is no object"
        return
    if not isinstance(constraints.get("enum", []), list):
        yield "enum is no list"
    try:
        re.compile(constraints.get("pattern", ""))
    except (re.error, TypeError) as error:
        yield f"the pattern is no regular expression: {error}"
    if field.get("type") in ("integer", "number", "year"):
        for name in _BOUNDS:
            if name in constraints and not _is_number(constraints[name]):
                yield f"{name} is {constraints[name]!r}, not a number"
    for name in ("minLength", "maxLength"):
        if not isinstance(constraints.get(name, 0), int):
            yield f"{name} is no whole number"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)
