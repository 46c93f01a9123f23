"""What two descriptors or Table Schemas declare otherwise, and how grave each difference is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reviewdata.changes import Bump

_WORDS = ("title", "description", "example", "rdfType", "categoriesLabel", "$schema", "schema")
"""Properties that say nothing about which values there are or how they are read."""

_RULES = ("statistics",)
"""Properties that the rules and summaries read; the values are not touched by them."""

_LISTS = ("enum", "categories")
_LOWER = ("minimum", "exclusiveMinimum", "minLength")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength")


class Declared(NamedTuple):
    """A difference in words, such as `mean: type number -> string`, and what it asks for."""

    text: str
    bump: Bump


def compare_schemas(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Declared]:
    """Yield what two Table Schemas say otherwise: first of the fields, then of the table.

    Fields are found again by name. How grave a difference is follows the Data Package recipe
    on versions (datapackage.org/recipes/data-package-version): other fields, types, keys and
    tighter constraints are major, wider constraints minor, words patch.
    """
    if bool(old) != bool(new):
        yield Declared(f"a schema that can be read: {'no' if old else 'yes'}", "major")
        return
    before, after = _fields(old), _fields(new)
    for name in (name for name in before if name not in after):
        yield Declared(f"{name}: no longer declared", "major")
    for name, field in after.items():
        if name not in before:
            yield Declared(f"{name}: newly declared", "major")
        else:
            yield from _compare(before[name], field, f"{name}: ")
    common = [name for name in before if name in after]
    if common != [name for name in after if name in before]:
        yield Declared("the fields stand in another order", "major")
    rest = {k: v for k, v in old.items() if k != "fields"}
    yield from _compare(rest, {k: v for k, v in new.items() if k != "fields"}, "")


def compare_descriptors(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Declared]:
    """Yield what two descriptors of a package, or of a resource, say otherwise but for its tables.

    The version is left out: it is what the differences ask for. Another identifier or date asks
    for none: they say which dataset it is, and nothing of it.
    """
    left = ("resources", "version", "schema", "hash", "bytes")
    for name in _keys(old, new):
        if name not in left and old.get(name) != new.get(name):
            bump: Bump = "major" if name in ("name", "licenses", "path") else "patch"
            if name in ("id", "created"):
                bump = "none"
            for text in _differ(name, old.get(name), new.get(name)):
                yield Declared(text, bump)


def _differ(name: str, old: Any, new: Any) -> Iterator[str]:
    """Yield what differs in an entry, of an object each of its own entries."""
    if isinstance(old or {}, dict) and isinstance(new or {}, dict) and (old or new):
        for key in _keys(old or {}, new or {}):
            before, after = (old or {}).get(key), (new or {}).get(key)
            if before != after:
                yield from _differ(f"{name}.{key}", before, after)
    else:
        yield f"{name} {_show(old)} -> {_show(new)}"


def _fields(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {field["name"]: field for field in schema.get("fields", [])}


def _compare(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Declared]:
    for name in _keys(old, new):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if (
            name == "constraints"
            and isinstance(before or {}, dict)
            and isinstance(after or {}, dict)
        ):
            yield from _compare(before or {}, after or {}, where)
        else:
            yield Declared(
                f"{where}{name} {_show(before)} -> {_show(after)}", _grade(name, before, after)
            )


def _grade(name: str, before: Any, after: Any) -> Bump:
    if name in (*_WORDS, *_RULES):
        return "patch"
    if name in _LISTS and isinstance(before, list) and isinstance(after, list):
        return "minor" if all(value in after for value in before) else "major"
    if name in (*_LOWER, *_UPPER, "required", "unique", "pattern", *_LISTS) and after in (
        None,
        False,
    ):
        return "minor"  # one constraint fewer
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    if numbers and ((name in _LOWER and after < before) or (name in _UPPER and after > before)):
        return "minor"
    return "major"


def _keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([*old, *new]))


def _show(value: Any) -> str:
    """Return a value as words can hold it: a short one itself, of a long one its kind."""
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, list) and all(isinstance(v, str | int | float) for v in value):
        value = ", ".join(str(v) if v != "" else "''" for v in value)
    elif isinstance(value, list | dict):
        return f"({len(value)} entries)"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"
