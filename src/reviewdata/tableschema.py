"""Table Schema descriptors: whether the parts that are read have the form they must have.

The profile of the standard is frictionless's to check; here is only what would otherwise
break a reader: a schema that fails is not used at all, and its table stays untyped.
"""

from __future__ import annotations

import datetime as dt
import math
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
_MOMENTS: Mapping[str, Any] = {"date": dt.date, "time": dt.time, "datetime": dt.datetime}
_FORMAT = re.compile(r"(%[aAwdbBmyYHIpMSfjUWuGVzZcxX%]|[^%])+")
_LENGTH = 2**31


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
        if not isinstance(field, dict) or not is_name(field.get("name")):
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
    for name in ("trueValues", "falseValues"):
        if any(not isinstance(value, str) for value in field.get(name, [])):
            yield f"{name} holds {field[name]!r}: each is a text"
    if any(isinstance(value, list) for value in field.get("categories", [])):
        yield "categories holds a list"
    if field.get("type") == "list" and not (field.get("delimiter", ",") or ""):
        yield "delimiter is empty"
    kind, form = str(field.get("type")), str(field.get("format", "default"))
    if kind in _MOMENTS and not _FORMAT.fullmatch(form):
        yield f"the format {form!r} is none; one is %Y-%m-%d"
        return
    yield from _constraint_faults(field.get("constraints", {}), kind, form)


def _constraint_faults(constraints: Any, kind: str, form: str) -> Iterator[str]:
    if not isinstance(constraints, dict):
        yield "constraints is no object"
        return
    if not isinstance(constraints.get("enum", []), list):
        yield "enum is no list"
    try:
        re.compile(f"^{constraints['pattern']}$" if "pattern" in constraints else "")
    except (re.error, OverflowError, RecursionError) as error:
        yield f"the pattern is no regular expression: {error}"
    if not isinstance(constraints.get("pattern", ""), str):
        yield "the pattern is no text"
    for name in _BOUNDS:
        if name in constraints and not _is_bound(constraints[name], kind, form):
            told = repr(constraints[name])
            told = told if len(told) <= 40 else f"{told[:20]}… ({len(told)} characters)"
            yield f"{name} is {told}, no {kind} that can be compared"
    for name in ("minLength", "maxLength"):
        length = constraints.get(name, 0)
        if not isinstance(length, int) or not 0 <= length < _LENGTH:
            yield f"{name} is no whole number"


def is_name(value: Any) -> bool:
    """Whether a value can be the name of a resource or field: text, not empty, without NUL."""
    return isinstance(value, str) and bool(value) and "\0" not in value


def _is_bound(value: Any, kind: str, form: str) -> bool:
    """Whether a minimum or maximum is of the field's type, as frictionless reads it."""
    try:
        if kind == "year":
            return len(str(value)) <= 4 and int(value) >= 0 and _is_whole(value)
        if kind == "integer":
            return not isinstance(value, bool) and math.isfinite(float(value)) and _is_whole(value)
        if kind == "number":
            return not isinstance(value, bool) and math.isfinite(float(value))
        if kind == "date" and form == "default":
            form = "%Y-%m-%d"
        if kind in _MOMENTS and form not in ("default", "any"):
            return bool(dt.datetime.strptime(value, form))
        if kind in _MOMENTS:
            return bool(_MOMENTS[kind].fromisoformat(value))
        if kind == "yearmonth":
            return bool(dt.datetime.strptime(value, "%Y-%m"))
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _is_whole(value: Any) -> bool:
    return int(value) == value if isinstance(value, float) else isinstance(int(value), int)
