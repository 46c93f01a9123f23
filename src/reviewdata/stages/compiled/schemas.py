"""Schemas so plain that frictionless has nothing to say of them, so that it need not be asked.

Importing it takes longer than judging a small review.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reviewdata.stages.compiled.constraints import BOUNDS

_TEXTS = ("name", "title", "description")
_FREE = ("primaryKey", "foreignKeys", "uniqueKeys", "statistics", "$schema")
_FREE_OF_FIELD = ("type", "format", "constraints", "missingValues", "categories")
_OTHER = ("required", "unique", "enum")
_LENGTHS = ("minLength", "maxLength")
_COMPARED = (*_OTHER, "minimum", "maximum")
_CONSTRAINTS: Mapping[str, tuple[str, ...]] = {
    "string": (*_OTHER, *_LENGTHS, "pattern"),
    "integer": _COMPARED,
    "number": _COMPARED,
    "year": _COMPARED,
    "date": _COMPARED,
    "boolean": _OTHER,
    "any": _OTHER,
}
"""The constraints that frictionless knows of each type, in every version of the standard."""

_KINDS: Mapping[str, type] = {
    "required": bool,
    "unique": bool,
    "enum": list,
    "pattern": str,
    "minLength": int,
    "maxLength": int,
}


def is_plain(schema: Mapping[str, Any], *, second: bool) -> bool:
    """Whether a schema has only what frictionless surely takes.

    `second` says that its package is of version 2 of the standard.
    """
    fields = schema.get("fields")
    names = [field.get("name") for field in fields or () if isinstance(field, dict)]
    return (
        isinstance(fields, list)
        and len(names) == len(fields) == len(set(names))
        and all(_is_plain_field(field, second=second) for field in fields)
        and _are_words(schema.get("missingValues", []))
        and all(isinstance(schema.get(name, ""), str) for name in _TEXTS)
        and not set(schema) - {"fields", "missingValues", *_TEXTS, *_FREE}
    )


def _is_plain_field(field: Mapping[str, Any], *, second: bool) -> bool:
    constraints = field.get("constraints", {})
    kind = field.get("type", "string")
    known = _CONSTRAINTS.get(kind, ()) if isinstance(kind, str) else ()
    if second and known == _COMPARED:
        known = (*known, *BOUNDS)
    return (
        all(isinstance(field.get(name, ""), str) for name in _TEXTS)
        and not set(field) - {*_FREE_OF_FIELD, *_TEXTS}
        and bool(known)
        and field.get("format", "default") == "default"
        and _are_words(field.get("missingValues", []))
        and isinstance(constraints, dict)
        and all(
            name in known and (name in BOUNDS or type(value) is _KINDS[name])
            for name, value in constraints.items()
        )
    )


def _are_words(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
